//! What entries import.
//!
//! Owns the check of aliases, and that libraries don't import each other in a circle.

use lunarium_contract::module;
use lunarium_engine::Import;
use lunarium_kernel::EntryId;

use super::graph::{self, Edges};
use super::resolver::Resolver;
use crate::notation::unfit_alias;
use crate::raw::{Kind, RawEntry, RawGrants};
use crate::report::Mistake;
use crate::source::At;

impl Resolver<'_> {
    /// What each entry imports, as numbers of entries, in the order of its `imports`.
    pub(super) fn imports(&mut self) -> Edges {
        let mut edges = vec![Vec::new(); self.entries.len()];
        for (entry, edges) in self.entries.iter().zip(&mut edges) {
            for import in entry.imports() {
                self.check_alias(&import.alias);
                self.check_module(&import.alias, entry.grants());
                edges.extend(self.find(&import.entry, &[Kind::Library]));
            }
        }
        for circle in graph::order(&edges).circles {
            self.report_circle(&circle, "libraries import each other in a circle");
        }
        edges
    }

    /// `require` would find the import, and never the module.
    fn check_module(&mut self, alias: &At<String>, grants: Option<&RawGrants>) {
        let granted = grants.and_then(|grants| {
            let with_settings = grants.settings.iter().map(|settings| &settings.module);
            grants.modules.iter().chain(with_settings).find(|module| module.value == alias.value)
        });
        if let Some(module) = granted {
            let mistake = Mistake::new(format!("alias `{}` is the name of a granted module", alias.value));
            self.report.push(mistake.at(&alias.place).related(&module.place, "granted here"));
        }
    }

    fn check_alias(&mut self, alias: &At<String>) {
        let name = alias.value.as_str();
        // `require` would find the module, and never the import.
        let mistake = if module::ALWAYS.contains(&name) || module::GRANTED.contains(&name) {
            let hint = "choose another alias: `require` would find the module".to_owned();
            let message = format!("alias `{name}` is the name of a module that is always there");
            Mistake::new(message).hint(Some(hint))
        } else if let Some(fault) = unfit_alias(name) {
            Mistake::new(fault)
        } else {
            return;
        };
        self.report.push(mistake.at(&alias.place));
    }
}

/// The imports of an entry as the engine takes them.
pub(super) fn of_entry(entry: &RawEntry) -> Vec<Import> {
    let imports = entry.imports().iter();
    imports.map(|import| Import::new(import.alias.value.as_str(), EntryId::new(import.entry.value.as_str()))).collect()
}
