//! What a node knows before anything runs: definitions, process hosts, policies.
//!
//! Owns the only tables of them, by id. Refuses to know processes: what runs keeps what it started with.

mod code;
mod counts;
mod definition;
mod grants;
mod host;
mod policies;
mod program;
mod settings;
mod world;

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use lunarium_kernel::{Account, EntryId, HostError, HostId, Policy};
use parking_lot::{Mutex, RwLock, RwLockReadGuard};

pub(crate) use code::{Code, Compiled, ImportLists, source};
pub use counts::Count;
pub(crate) use counts::{Counts, GROUP_BYTES};
pub use definition::{Chunk, Definition, HostDefinition, Import, Library};
pub use grants::Grants;
pub(crate) use host::ProcessHost;
pub use policies::{ActorSpec, ScopeSpec, SecurityError, SecuritySpec};
pub(crate) use policies::{Policies, read_table};
pub(crate) use program::{Arguments, Program};
pub(crate) use settings::SettingsReader;
pub use settings::{Settings, SettingsError, SettingsStep};
pub use world::World;

use lunarium_schedule::Share;

/// The id of the process host of the embedder's mailboxes.
const MAILBOXES: &str = "node:mailboxes";

#[derive(Default)]
pub(crate) struct Catalogue {
    /// Behind one lock: a start sees all of what a node knows, or all of what it knew before.
    known: RwLock<Known>,
    /// Of the embedder's mailboxes. No script can start anything on it.
    mailboxes: Mutex<Option<Arc<ProcessHost>>>,
}

/// All that a node knows at a time.
#[derive(Default)]
pub(crate) struct Known {
    definitions: HashMap<EntryId, Arc<Code>>,
    hosts: HashMap<HostId, Arc<ProcessHost>>,
    pub(crate) policies: Policies,
    /// Places that are kept on hosts.
    places: HashMap<HostId, u64>,
    /// Hosts that were replaced or taken away, as long as processes live on them.
    retired: Vec<Weak<ProcessHost>>,
}

/// What has to be done when a node's catalogue was replaced.
pub(crate) struct Replaced {
    /// Hosts, each with how many places less are kept on it.
    pub(crate) let_go: Vec<(Arc<ProcessHost>, u64)>,
    /// Hosts, each with how many places more are kept on it.
    pub(crate) keep: Vec<(Arc<ProcessHost>, u64)>,
    /// Hosts that are closed.
    pub(crate) closed: Vec<Arc<ProcessHost>>,
}

impl Known {
    pub(crate) fn code(&self, entry: &EntryId) -> Option<&Arc<Code>> {
        self.definitions.get(entry)
    }

    pub(crate) fn host(&self, id: &HostId) -> Option<&Arc<ProcessHost>> {
        self.hosts.get(id)
    }

    /// The code of a definition: one that is equal stays, and what was compiled of it.
    fn coded(&self, definition: Definition) -> Arc<Code> {
        match self.code(&definition.entry) {
            Some(there) if there.definition == definition => Arc::clone(there),
            _ => Arc::new(Code::new(definition)),
        }
    }
}

impl Catalogue {
    /// All that is known now. What is taken of it must be taken with one look.
    pub(crate) fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read()
    }

    /// Adds a definition or replaces it. One that is equal stays, and what was compiled of it.
    pub(crate) fn define(&self, definition: Definition) {
        let code = self.known().coded(definition);
        let replaced = self.known.write().definitions.insert(code.definition.entry.clone(), code);
        // Sources are large: not under the lock.
        drop(replaced);
    }

    /// Adds a policy or replaces it, and puts it into these groups and no others.
    pub(crate) fn define_policy(&self, policy: Policy, groups: &[EntryId]) {
        self.known.write().policies.define(policy, groups);
    }

    pub(crate) fn set_strict(&self, strict: bool) {
        self.known.write().policies.set_strict(strict);
    }

    pub(crate) fn code(&self, entry: &EntryId) -> Option<Arc<Code>> {
        self.known().code(entry).cloned()
    }

    /// Adds a process host. What its processes hold is charged to an account below `memory`, their time is a part of `cpu`.
    ///
    /// Errors: the id is taken, or can't stand in a pid; its reserve isn't there.
    pub(crate) fn add_host(
        &self,
        definition: HostDefinition,
        memory: &Arc<Account>,
        cpu: &Arc<Share>,
    ) -> Result<(), HostError> {
        let host = Arc::new(ProcessHost::new(definition, memory, cpu)?);
        let mut known = self.known.write();
        if known.hosts.contains_key(host.id()) || host.id().as_str() == MAILBOXES {
            return Err(HostError::Exists { id: host.id().clone() });
        }
        known.hosts.insert(host.id().clone(), host);
        Ok(())
    }

    /// From now on the node knows this and nothing else, for whoever starts. What is equal stays. A host that differs in its grants or
    /// its security alone keeps its budgets and counts; one that differs otherwise begins anew, and those that live on
    /// the old one stay within its budgets.
    ///
    /// Errors: as [`Catalogue::add_host`]; nothing is changed then.
    pub(crate) fn replace(&self, world: World, memory: &Arc<Account>, cpu: &Arc<Share>) -> Result<Replaced, HostError> {
        let World { definitions, hosts, closed, policies, strict, places } = world;
        let before = { self.known().hosts.clone() };
        let mut renewed = HashMap::new();
        for definition in hosts {
            let id = definition.id.clone();
            let host = match before.get(&id).filter(|old| !old.is_stopped()) {
                Some(old) => ProcessHost::after(old, definition, memory, cpu)?,
                None => Arc::new(ProcessHost::new(definition, memory, cpu)?),
            };
            if id.as_str() == MAILBOXES || renewed.insert(id.clone(), host).is_some() {
                return Err(HostError::Exists { id });
            }
        }
        let mut kept: HashMap<HostId, u64> = HashMap::new();
        for id in places {
            if !renewed.contains_key(&id) {
                return Err(HostError::Unknown { id });
            }
            let count = kept.entry(id).or_default();
            *count = count.saturating_add(1);
        }
        let mut next = Policies::default();
        next.set_strict(strict);
        policies.into_iter().for_each(|(policy, groups)| next.define(policy, &groups));
        let closed = closed.iter().filter_map(|id| renewed.get(id).cloned()).collect();
        let mut known = self.known.write();
        // A look at sources that are equal costs as much as they are long, and no start waits for longer than that.
        let definitions = definitions.into_iter().map(|definition| known.coded(definition));
        let definitions = definitions.map(|code| (code.definition.entry.clone(), code)).collect();
        let old = Known {
            definitions: std::mem::replace(&mut known.definitions, definitions),
            hosts: std::mem::replace(&mut known.hosts, renewed),
            policies: std::mem::replace(&mut known.policies, next),
            places: std::mem::replace(&mut known.places, kept),
            retired: Vec::new(),
        };
        known.retired.retain(|host| host.strong_count() > 0);
        let gone = old.hosts.values().filter(|host| !known.is_known(host)).map(Arc::downgrade).collect::<Vec<_>>();
        known.retired.extend(gone);
        let with = |hosts: &HashMap<HostId, Arc<ProcessHost>>, places: &HashMap<HostId, u64>| {
            places.iter().filter_map(|(id, count)| Some((Arc::clone(hosts.get(id)?), *count))).collect()
        };
        let replaced =
            Replaced { let_go: with(&old.hosts, &old.places), keep: with(&known.hosts, &known.places), closed };
        drop(known);
        drop(old);
        Ok(replaced)
    }

    /// Counts a place that is kept. Errors: an unknown host.
    pub(crate) fn note_place(&self, id: &HostId) -> Result<Arc<ProcessHost>, HostError> {
        let mut known = self.known.write();
        let host = known.host(id).cloned().ok_or_else(|| HostError::Unknown { id: id.clone() })?;
        let count = known.places.entry(id.clone()).or_default();
        *count = count.saturating_add(1);
        Ok(host)
    }

    pub(crate) fn host(&self, id: &HostId) -> Option<Arc<ProcessHost>> {
        self.known().host(id).cloned()
    }

    /// The process host of the embedder's mailboxes, made when it is first asked for.
    pub(crate) fn mailboxes(&self, memory: &Arc<Account>, cpu: &Arc<Share>) -> Result<Arc<ProcessHost>, HostError> {
        let mut mailboxes = self.mailboxes.lock();
        if let Some(host) = &*mailboxes {
            return Ok(Arc::clone(host));
        }
        let host = ProcessHost::new(HostDefinition::new(HostId::new(MAILBOXES)), memory, cpu)?;
        Ok(Arc::clone(mailboxes.insert(Arc::new(host))))
    }

    /// All hosts that there are, and those that were and have processes.
    pub(crate) fn hosts(&self) -> Vec<Arc<ProcessHost>> {
        let mailboxes = self.mailboxes.lock().clone();
        let known = self.known();
        let retired = known.retired.iter().filter_map(Weak::upgrade);
        known.hosts.values().cloned().chain(retired).chain(mailboxes).collect()
    }
}

impl Known {
    fn is_known(&self, host: &Arc<ProcessHost>) -> bool {
        self.hosts.get(host.id()).is_some_and(|known| Arc::ptr_eq(known, host))
    }
}
