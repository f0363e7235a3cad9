//! `process.lua` and `library.lua` as written.
//!
//! Owns their keys. Reads no source and follows no import.

use lunarium_kernel::LimitsOverride;

use super::field::{Field, Name};
use super::fields::Fields;
use super::grants::{self, RawGrants};
use super::limits;
use crate::source::At;

/// One line of `imports`: the alias and the full id.
#[derive(Debug)]
pub(crate) struct RawImport {
    pub(crate) alias: At<String>,
    pub(crate) entry: At<String>,
}

#[derive(Debug)]
pub(crate) struct RawProcess {
    pub(crate) source: Option<At<String>>,
    pub(crate) method: Option<String>,
    pub(crate) imports: Vec<RawImport>,
    pub(crate) modules: Vec<At<String>>,
    pub(crate) limits: LimitsOverride,
    pub(crate) grants: RawGrants,
}

#[derive(Debug)]
pub(crate) struct RawLibrary {
    pub(crate) source: Option<At<String>>,
    pub(crate) imports: Vec<RawImport>,
    pub(crate) modules: Vec<At<String>>,
}

pub(super) fn process(fields: &mut Fields<'_>) -> RawProcess {
    let source = fields.required_text("source");
    let method = fields.optional("method").and_then(method);
    let imports = imports(fields);
    let modules = modules(fields);
    fields.foreign(&[("pool", "each `exec` starts a process of its own, and they run beside each other")]);
    RawProcess { source, method, imports, modules, limits: limits::read(fields), grants: grants::read(fields) }
}

fn method(field: Field<'_>) -> Option<String> {
    let method = field.text()?.value;
    if method.is_empty() {
        field.mistake("`method` is empty");
    }
    Some(method)
}

pub(super) fn library(fields: &mut Fields<'_>) -> RawLibrary {
    let source = fields.required_text("source");
    let imports = imports(fields);
    let modules = modules(fields);
    RawLibrary { source, imports, modules }
}

/// `modules:` is accepted and means nothing: every module is always there.
fn modules(fields: &mut Fields<'_>) -> Vec<At<String>> {
    let Some(field) = fields.optional("modules") else { return Vec::new() };
    field.items(Name::Noun("a module")).filter_map(Field::text).collect()
}

fn imports(fields: &mut Fields<'_>) -> Vec<RawImport> {
    let Some(field) = fields.optional("imports") else { return Vec::new() };
    let pairs = field.pairs(Name::Noun("an import"));
    pairs.filter_map(|(alias, import)| Some(RawImport { alias, entry: import.id()? })).collect()
}
