//! The application itself.
//!
//! Owns what it is made of, and how a part is found. Refuses to be built from anything but checked files: see `load`.

use std::sync::Arc;

use lunarium_engine::{Definition, Grants};
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
