//! `grants:` and `env.variable` as written.
//!
//! Owns their keys. Opens nothing and asks nobody: what is granted is found out when all is read, and which modules take
//! settings as well.

use std::sync::Arc;

use lunarium_contract::{form, module};
use lunarium_engine::{SettingsStep, Value};

use super::field::{Field, Name};
use super::fields::Fields;
use super::value::value;
use crate::notation::unfit_variable;
use crate::report::Mistake;
use crate::source::{At, Node, Place, Shape, SourceFile};

/// A `grants:` table.
#[derive(Debug, Default)]
pub(crate) struct RawGrants {
    pub(crate) env: Vec<At<String>>,
    pub(crate) fs: Vec<RawDirectory>,
    pub(crate) modules: Vec<At<String>>,
    /// All other keys.
    pub(crate) settings: Vec<RawSettings>,
}

/// The keys that every `grants` knows.
pub(crate) const KEYS: [&str; 3] = ["env", "fs", "modules"];

/// A key of `grants` that is none of [`KEYS`]: a module with its settings.
#[derive(Debug)]
pub(crate) struct RawSettings {
    pub(crate) module: At<String>,
    file: Arc<SourceFile>,
    node: Node,
}

impl RawSettings {
    fn new(module: At<String>, field: Field<'_>) -> Self {
        Self { module, file: Arc::clone(field.page.file), node: field.node.clone() }
    }

    /// What was written; none where nothing was.
    pub(crate) fn value(&self) -> Option<Value> {
        (!matches!(self.node.shape, Shape::Null)).then(|| value(&self.node))
    }

    /// Where this part of it stands; where the path ends that leads nowhere, the place of what it has come to.
    pub(crate) fn place<'s>(&self, path: impl Iterator<Item = &'s SettingsStep>) -> Place {
        let mut node = &self.node;
        for step in path {
            let found = match (step, &node.shape) {
                (SettingsStep::Item(index), Shape::List(items)) => items.get(*index),
                (SettingsStep::Value(key), Shape::Table(pairs)) => {
                    pairs.iter().find(|(written, _)| written.name == *key).map(|(_, node)| node)
                }
                (SettingsStep::Key(key), Shape::Table(pairs)) => {
                    let written = pairs.iter().find(|(written, _)| written.name == *key);
                    return Place::new(&self.file, written.map_or(&node.span, |(key, _)| &key.span).clone());
                }
                _ => None,
            };
            match found {
                Some(found) => node = found,
                None => break,
            }
        }
        Place::new(&self.file, node.span.clone())
    }
}

/// An item of `fs`.
#[derive(Debug)]
pub(crate) struct RawDirectory {
    pub(crate) path: At<String>,
    pub(crate) write: bool,
    /// What it may be filled with.
    pub(crate) max_bytes: Option<At<u64>>,
}

/// An `env.variable` entry.
#[derive(Debug)]
pub(crate) struct RawVariable {
    pub(crate) variable: Option<At<String>>,
    pub(crate) default: Option<String>,
}

/// Reads the `grants` of an entry.
pub(super) fn read(fields: &mut Fields<'_>) -> RawGrants {
    let Some(mut own) = fields.table("grants") else { return RawGrants::default() };
    let env = own.optional("env").map(|env| env.items(Name::Noun("a variable")).filter_map(variable).collect());
    RawGrants { env: env.unwrap_or_default(), ..read_powers(&mut own) }
}

/// Reads the `grants` of a tenant: what its application may grant. Its variables stand in `env`.
pub(super) fn read_allowed(fields: &mut Fields<'_>) -> RawGrants {
    let Some(mut own) = fields.table("grants") else { return RawGrants::default() };
    if let Some(env) = own.optional("env") {
        let hint = "a tenant's variables stand in its own `env`, each with its value".to_owned();
        env.hinted("`env` in the `grants` of a tenant", Some(hint));
    }
    read_powers(&mut own)
}

fn read_powers(own: &mut Fields<'_>) -> RawGrants {
    let mut grants = RawGrants::default();
    if let Some(fs) = own.optional("fs") {
        grants.fs = fs.items(Name::Noun("a granted directory")).filter_map(directory).collect();
    }
    if let Some(modules) = own.optional("modules") {
        grants.modules = modules.items(Name::Noun("a module")).filter_map(module).collect();
    }
    let others = own.others();
    grants.settings = others.map(|(module, field)| RawSettings::new(module, field)).collect();
    grants
}

fn module(field: Field<'_>) -> Option<At<String>> {
    let name = field.text()?;
    if module::is_taken(&name.value) {
        let own = module::GRANTED.contains(&name.value.as_str());
        let hint = if own { "it has grants of its own" } else { "modules are the embedding program's" };
        field.hinted(format!("`{}` is one of the runtime's modules, or of Lua's", name.value), Some(hint.to_owned()));
        return None;
    }
    if !form::is_lua_name(&name.value) {
        let hint = "letters, digits and `_`, no digit first, none of Lua's words".to_owned();
        field.hinted(format!("`{}` can't be the name of a module", name.value), Some(hint));
        return None;
    }
    Some(name)
}

fn directory(field: Field<'_>) -> Option<RawDirectory> {
    let mut own = Fields::open(field)?;
    let path = own.required_text("path");
    let write = own.boolean("write").unwrap_or(false);
    let max_bytes = own.placed_size("max_bytes");
    if let Some(max_bytes) = max_bytes.as_ref().filter(|_| !write) {
        let message = "`max_bytes` is for a directory that may be changed";
        own.push(Mistake::new(message).at(&max_bytes.place).hint(Some("add `write: true`".to_owned())));
    }
    own.finish();
    Some(RawDirectory { path: path?, write, max_bytes })
}

/// Reads the fields of an `env.variable`.
pub(super) fn read_variable(fields: &mut Fields<'_>) -> RawVariable {
    let variable = fields.required("variable").and_then(variable);
    fields.foreign(&[
        ("storage", "variables are those of the command: with nothing set, `default` is the value"),
        ("read_only", "a script can't change a variable"),
    ]);
    RawVariable { variable, default: fields.text("default").map(|text| text.value) }
}

fn variable(field: Field<'_>) -> Option<At<String>> {
    let name = field.text()?;
    let form = unfit_variable(&name.value);
    if form.is_some() {
        field.hinted(format!("`{}` can't be the name of an environment variable", name.value), form);
        return None;
    }
    Some(name)
}
