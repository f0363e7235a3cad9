//! Processes that the runtime's own Lua runs beside an application: what they find of it, and what they may do.
//!
//! Owns both. Runs nothing, and doesn't know what they are for: whoever starts them brings the Lua.

use std::sync::Arc;

use lunarium_contract::{OWN_CHUNK, module};
use lunarium_engine::{
    Chunk, Definition, Grants, HostDefinition, Import, Node, Pattern, Policy, PolicyEffect, ScopeSpec, SecuritySpec,
};
use lunarium_kernel::{EntryId, HostId};

use crate::application::{App, Host, own_library};

impl App {
    /// Adds a program of the runtime's own, with these grants, and a host of the same id for it, where it may do everything. It finds every
    /// library of the application, by its id and, where only one is called so, by its name; and these of the runtime's own as
    /// `lunarium:NAME`.
    pub fn add_own(&mut self, id: &str, source: &str, libraries: &[(&str, &str)], grants: Grants) {
        let mut imports = self.library_imports();
        let mut all = self.libraries.clone();
        for (name, source) in libraries {
            let library = own_library(name, source);
            imports.push(Import::new(library.entry.as_str(), library.entry.clone()));
            all.push(library);
        }
        let definition = Definition::new(EntryId::new(id), Chunk::new(OWN_CHUNK, source));
        self.definitions.push(definition.with_imports(imports, all).with_grants(Arc::new(grants)));
        let definition = self.own_host(id);
        self.hosts.push(Host { definition, started: true });
    }

    /// A host for what may do everything, in a strict application too: see [`App::allow_everything`].
    pub fn own_host(&self, id: &str) -> HostDefinition {
        let host = HostDefinition::new(HostId::new(id));
        if !self.strict {
            return host;
        }
        host.with_security(SecuritySpec::new().with_scope(ScopeSpec::new(vec![everything()], Vec::new())))
    }

    /// Gives a node the policy of [`App::own_host`].
    pub fn allow_everything(&self, node: &Node) {
        let Ok(all) = Pattern::parse("*") else { return };
        let (actions, resources, conditions) = (vec![all.clone()], vec![all], Vec::new());
        let everything = Policy { id: everything(), effect: PolicyEffect::Allow, actions, resources, conditions };
        node.define_policy(everything, &[]);
    }

    pub(crate) fn library_imports(&self) -> Vec<Import> {
        let name_of = |id: &EntryId| id.as_str().rsplit_once(':').map(|(_, name)| name.to_owned());
        let mut imports = Vec::new();
        for library in &self.libraries {
            imports.push(Import::new(library.entry.as_str(), library.entry.clone()));
            let Some(name) = name_of(&library.entry) else { continue };
            let alone =
                self.libraries.iter().filter(|other| name_of(&other.entry).as_ref() == Some(&name)).count() == 1;
            if alone && !module::ALWAYS.contains(&&*name) && !module::GRANTED.contains(&&*name) {
                imports.push(Import::new(name, library.entry.clone()));
            }
        }
        imports
    }
}

fn everything() -> EntryId {
    EntryId::new("lunarium:everything")
}
