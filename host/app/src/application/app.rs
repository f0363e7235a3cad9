//! The application itself.
//!
//! Owns what it is made of, and how a part is found. Refuses to be built from anything but checked files: see `load`.

use std::sync::Arc;

use lunarium_contract::OWN_CHUNK;
use lunarium_engine::{Chunk, Definition, Grants, Import, Library};
use lunarium_kernel::{EntryId, Policy};

use super::endpoint::Endpoint;
use super::host::{Host, UNBOUNDED};
use super::program::Programs;
use super::service::Service;

/// The name of the entry that runs when nothing else is said, and of the function that does.
pub(crate) const MAIN: &str = "main";

/// A policy with the groups it is in.
#[derive(Debug)]
pub(crate) struct Grouped {
    pub(crate) policy: Policy,
    pub(crate) groups: Vec<EntryId>,
}

/// A file with tests.
#[derive(Debug)]
pub(crate) struct TestChunk {
    /// Its path inside the application.
    pub(crate) path: String,
    pub(crate) chunk: Chunk,
}

/// An application: what its `_index.yaml` files define.
#[derive(Debug, Default)]
pub struct App {
    pub(crate) definitions: Vec<Definition>,
    pub(crate) hosts: Vec<Host>,
    pub(crate) services: Vec<Service>,
    pub(crate) endpoints: Vec<Endpoint>,
    /// Where each chunk's lines are, for people.
    pub(crate) programs: Programs,
    pub(crate) policies: Vec<Grouped>,
    /// Every `library.lua`, also those that nobody imports.
    pub(crate) libraries: Vec<Library>,
    /// Files with tests, if they were asked for.
    pub(crate) tests: Vec<TestChunk>,
    pub(crate) strict: bool,
}

impl App {
    /// What can be spawned, by id.
    pub fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// Where it can run, at least one.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The services to start, those that others depend on first.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// The requests from outside that it takes.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// The definition with this id.
    pub fn definition(&self, id: &str) -> Option<&Definition> {
        self.definitions.iter().find(|definition| definition.entry.as_str() == id)
    }

    /// The host with this id.
    pub fn host(&self, id: &str) -> Option<&Host> {
        self.hosts.iter().find(|host| host.definition.id.as_str() == id)
    }

    /// Its policies, each with the groups it is in.
    pub fn policies(&self) -> impl Iterator<Item = (&Policy, &[EntryId])> {
        self.policies.iter().map(|grouped| (&grouped.policy, grouped.groups.as_slice()))
    }

    /// Whether a process with neither actor nor scope may do nothing to others.
    pub fn is_strict(&self) -> bool {
        self.strict
    }

    /// Gives more grants to an entry, which count before its own.
    pub fn grant(&mut self, entry: &EntryId, grants: &Grants) {
        for definition in self.definitions.iter_mut().filter(|definition| definition.entry == *entry) {
            definition.grants = Arc::new(Grants::clone(&definition.grants).with(grants));
        }
    }

    /// Gives a Lua face to a module: whoever is granted `name`, and the libraries of his, find this source by `require(name)`, and
    /// the source finds the module by the same name. An import of that name stays what it is.
    pub fn face(&mut self, name: &str, source: &str) {
        let on_hosts = self.hosts.iter().any(|host| host.definition.grants.modules.contains(name));
        let face = own_library(name, source);
        for definition in &mut self.definitions {
            if !on_hosts && !definition.grants.modules.contains(name) {
                continue;
            }
            let libraries = definition.libraries.iter_mut().map(|library| &mut library.imports);
            for imports in libraries.chain([&mut definition.imports]) {
                if !imports.iter().any(|import| &*import.alias == name) {
                    imports.push(Import::new(name, face.entry.clone()));
                }
            }
            definition.libraries.push(face.clone());
        }
    }

    pub(crate) fn max_processes(&self) -> Option<u32> {
        let stated = self.hosts.iter().map(|host| host.definition.max_processes);
        let sum = stated.fold(0, u32::saturating_add);
        (sum != UNBOUNDED).then_some(sum)
    }

    /// The one entry named `main`; none when there are several.
    pub fn main_entry(&self) -> Option<&Definition> {
        let mut named = self
            .definitions
            .iter()
            .filter(|definition| definition.entry.as_str().split_once(':').is_some_and(|(_, name)| name == MAIN));
        named.next().filter(|_| named.next().is_none())
    }
}

/// A library of our own, `lunarium:NAME`, that requires nothing.
pub(crate) fn own_library(name: &str, source: &str) -> Library {
    Library::new(EntryId::new(format!("lunarium:{name}")), Chunk::new(OWN_CHUNK, source), Vec::new())
}
