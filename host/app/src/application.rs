//! A checked application: everything that can run, resolved.
//!
//! Owns the resolved forms and their defaults; nothing here is optional that a default can answer. Refuses to be built
//! from anything but checked files: see `load`.

use std::sync::Arc;
use std::time::Duration;

use lunarium_engine::{Definition, Grants, HostDefinition, SecuritySpec, Value};
use lunarium_kernel::{EntryId, HostId, Policy, RestartPolicy};

use crate::program::Programs;
use crate::security::Grouped;

/// The host that an application without a `process.host` has.
pub const DEFAULT_HOST: &str = "app:processes";
/// The most processes of a host that doesn't say: the node's own limit holds.
pub(crate) const UNBOUNDED: u32 = u32::MAX;
/// The name of the entry that runs when nothing else is said.
pub(crate) const MAIN: &str = "main";

/// An application: what its `_index.yaml` files define.
#[derive(Debug, Default)]
pub struct App {
    pub(crate) definitions: Vec<Definition>,
    pub(crate) hosts: Vec<Host>,
    pub(crate) services: Vec<Service>,
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
            let mut all = Grants::clone(&definition.grants);
            all.env.extend(grants.env.clone());
            all.fs.splice(..0, grants.fs.iter().cloned());
            definition.grants = Arc::new(all);
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

/// A process host.
#[derive(Debug)]
pub struct Host {
    /// What the engine needs of it.
    pub definition: HostDefinition,
    /// True when it takes processes from the start on: by `auto_start`, or because a service needs it.
    pub started: bool,
}

/// A process that the application keeps running.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its id.
    pub id: EntryId,
    /// What it runs.
    pub process: EntryId,
    /// Where it runs.
    pub host: HostId,
    /// Arguments of its method.
    pub input: Vec<Value>,
    /// Another actor, another scope or both than its host's.
    pub security: Option<SecuritySpec>,
    /// When it starts, stops and starts again.
    pub lifecycle: Lifecycle,
}

/// When a service starts, stops and starts again.
#[derive(Debug, Clone, PartialEq)]
pub struct Lifecycle {
    /// Starts with the application; true by default. A service that doesn't still starts when another depends on it.
    pub auto_start: bool,
    /// Services that start before it and stop after it.
    pub depends_on: Vec<EntryId>,
    /// How long its process may take until it first waits; 10 s by default. At the limit: it is terminated, and the
    /// start has failed.
    pub start_timeout: Duration,
    /// How long it has after its CANCEL; 10 s by default. At the limit: it is terminated.
    pub stop_timeout: Duration,
    /// What happens after an abnormal end.
    pub restart: RestartPolicy,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            auto_start: true,
            depends_on: Vec::new(),
            start_timeout: Duration::from_secs(10),
            stop_timeout: Duration::from_secs(10),
            restart: RestartPolicy::default(),
        }
    }
}
