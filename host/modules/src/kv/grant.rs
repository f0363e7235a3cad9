//! Which keys a process may use: prefixes, to read, or to write as well.
//!
//! Owns the form of a grant, `[{prefix: "orders/", write: true}]`, and what a refusal says.

use lunarium::{Caller, ErrorKind, FunctionError, SettingsError, SettingsStep, Value};

use super::functions::{KEY, shown};
use crate::settings;

/// What one grant allows.
pub(super) struct Prefixes(Vec<Rule>);

struct Rule {
    prefix: String,
    write: bool,
}

/// A grant's settings from Rust: prefixes, and whether they can be written.
pub fn rules<'p>(prefixes: impl IntoIterator<Item = (&'p str, bool)>) -> Value {
    let rule = |(prefix, write): (&str, bool)| {
        Value::Map(vec![("prefix".into(), prefix.into()), ("write".into(), Value::Boolean(write))])
    };
    Value::Array(prefixes.into_iter().map(rule).collect())
}

impl Prefixes {
    pub(super) fn read(written: &Value) -> Result<Prefixes, SettingsError> {
        let rules = settings::rules(written, "a kv grant", &["prefix", "write"], |rule| {
            let prefix = rule.text("prefix")?;
            if prefix.len() > KEY {
                let error = SettingsError::new(format!("`prefix` is longer than a key can be, {KEY} bytes"));
                return Err(error.under(SettingsStep::Value("prefix".to_owned())));
            }
            Ok(Rule { prefix: prefix.to_owned(), write: rule.flag("write")? })
        });
        Ok(Prefixes(rules?))
    }
}

/// Whether every prefix lies below one of `allowed`.
///
/// Errors: those that don't.
pub(super) fn within(allowed: &[&Prefixes], asked: &Prefixes) -> Result<(), SettingsError> {
    let covers = |outer: &Rule, rule: &Rule| rule.prefix.starts_with(&outer.prefix) && (outer.write || !rule.write);
    settings::within(&asked.0, |rule| allowed.iter().flat_map(|rules| &rules.0).any(|outer| covers(outer, rule)))
}

/// What is asked of a key, or of all that begin with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Read,
    Write,
    List,
}

/// Whether this process may.
pub(super) fn check(caller: &Caller, key: &str, what: Use) -> Result<(), FunctionError> {
    let mut readable = false;
    for rule in caller.grants::<Prefixes>().flat_map(|prefixes| &prefixes.0) {
        if key.starts_with(&rule.prefix) {
            readable = true;
            if rule.write || what != Use::Write {
                return Ok(());
            }
        }
    }
    let key = shown(key);
    let text = match (what, readable) {
        (Use::Write, true) => format!("key `{key}` may only be read: its prefix is granted without `write: true`"),
        (Use::List, _) => format!("prefix `{key}` isn't granted"),
        _ => format!("key `{key}` begins with no granted prefix"),
    };
    Err(FunctionError::new(ErrorKind::PermissionDenied, text))
}
