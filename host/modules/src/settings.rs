//! Settings of grants, as these modules are granted: a list of rules, each a table with known keys.
//!
//! Owns the words for what has no such form. What a key's value may be is its module's.

use lunarium::{SettingsError, SettingsStep, Value, did_you_mean};

/// Reads a list of at least one rule; `noun` names one, with its article. Errors: the first thing that is wrong with each rule.
pub(crate) fn rules<R>(
    written: &Value,
    noun: &str,
    keys: &[&str],
    read: impl Fn(&Rule<'_>) -> Result<R, SettingsError>,
) -> Result<Vec<R>, SettingsError> {
    let Value::Array(items) = written else {
        return Err(SettingsError::new(format!("a list of rules is expected, not {}", kind(written))));
    };
    if items.is_empty() {
        return Err(SettingsError::new("the list of rules is empty").with_hint("leave it out to grant nothing"));
    }
    let rule = |(index, item): (usize, &Value)| {
        Rule::open(item, noun, keys)
            .and_then(|rule| read(&rule))
            .map_err(|error| error.under(SettingsStep::Item(index)))
    };
    let (mut rules, mut wrong) = (Vec::new(), None::<SettingsError>);
    for read in items.iter().enumerate().map(rule) {
        match (read, wrong.take()) {
            (Ok(rule), none) => {
                rules.push(rule);
                wrong = none;
            }
            (Err(error), None) => wrong = Some(error),
            (Err(error), Some(others)) => wrong = Some(others.and(error)),
        }
    }
    wrong.map_or(Ok(rules), Err)
}

/// Whether somebody allows each of these rules. Errors: those that nobody does.
pub(crate) fn within<R>(asked: &[R], is_allowed: impl Fn(&R) -> bool) -> Result<(), SettingsError> {
    let beyond = asked.iter().enumerate().filter(|(_, rule)| !is_allowed(rule));
    let beyond =
        beyond.map(|(index, _)| SettingsError::new("this is more than is allowed").under(SettingsStep::Item(index)));
    beyond.reduce(SettingsError::and).map_or(Ok(()), Err)
}

/// A table of settings with known keys.
pub(crate) struct Rule<'v> {
    pairs: &'v [(Value, Value)],
    noun: &'v str,
}

impl<'v> Rule<'v> {
    fn open(item: &'v Value, noun: &'v str, keys: &[&str]) -> Result<Rule<'v>, SettingsError> {
        let pairs = match item {
            Value::Map(pairs) => pairs.as_slice(),
            // A table without pairs is a list as well.
            Value::Array(items) if items.is_empty() => &[],
            other => return Err(SettingsError::new(format!("{noun} must be a table, not {}", kind(other)))),
        };
        let unknown = pairs.iter().find(|(key, _)| !key.as_str().is_some_and(|key| keys.contains(&key)));
        if let Some((key, _)) = unknown {
            let key = key.as_str().unwrap_or_default();
            let error = SettingsError::new(format!("unknown key `{key}` in {noun}"));
            let hint = did_you_mean(key, keys.iter().copied());
            let hint = hint.unwrap_or_else(|| format!("there are `{}`", keys.join("`, `")));
            return Err(error.with_hint(hint).under(SettingsStep::Key(key.to_owned())));
        }
        Ok(Rule { pairs, noun })
    }

    /// The value of a key; nil counts as absent.
    pub(crate) fn get(&self, key: &str) -> Option<&'v Value> {
        let (_, value) = self.pairs.iter().find(|(written, _)| written.as_str() == Some(key))?;
        (*value != Value::Nil).then_some(value)
    }

    /// The text of a key that must be there.
    pub(crate) fn text(&self, key: &str) -> Result<&'v str, SettingsError> {
        let value = self.get(key).ok_or_else(|| SettingsError::new(format!("{} lacks `{key}`", self.noun)))?;
        value.as_str().ok_or_else(|| unfit(key, "text", value))
    }

    /// The boolean of a key; false when it isn't there.
    pub(crate) fn flag(&self, key: &str) -> Result<bool, SettingsError> {
        match self.get(key) {
            None => Ok(false),
            Some(Value::Boolean(flag)) => Ok(*flag),
            Some(other) => Err(unfit(key, "`true` or `false`", other)),
        }
    }

    /// The texts of a key's list; none when it isn't there.
    pub(crate) fn texts(&self, key: &str) -> Result<Option<Vec<&'v str>>, SettingsError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let Value::Array(items) = value else { return Err(unfit(key, "a list", value)) };
        let text = |(index, item): (usize, &'v Value)| {
            item.as_str().ok_or_else(|| {
                let error = SettingsError::new(format!("an item of `{key}` must be text, not {}", kind(item)));
                error.under(SettingsStep::Item(index)).under(SettingsStep::Value(key.to_owned()))
            })
        };
        items.iter().enumerate().map(text).collect::<Result<_, _>>().map(Some)
    }
}

fn unfit(key: &str, expected: &str, got: &Value) -> SettingsError {
    let error = SettingsError::new(format!("`{key}` must be {expected}, not {}", kind(got)));
    error.under(SettingsStep::Value(key.to_owned()))
}

/// What a person calls a value, with its article.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nothing",
        Value::Boolean(_) => "a boolean",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Map(_) => "a table",
        Value::Extension(..) => "another value",
    }
}
