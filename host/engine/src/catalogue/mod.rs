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

use std::collections::HashMap;
use std::sync::Arc;

use lunarium_kernel::{Account, EntryId, HostError, HostId};
use parking_lot::{Mutex, RwLock};

pub(crate) use code::{Code, Compiled, ImportLists, source};
pub use counts::Count;
pub(crate) use counts::Counts;
pub use definition::{Chunk, Definition, HostDefinition, Import, Library};
pub use grants::Grants;
pub(crate) use host::ProcessHost;
pub use policies::{ActorSpec, ScopeSpec, SecurityError, SecuritySpec};
pub(crate) use policies::{Policies, read_table};
pub(crate) use program::{Arguments, Program};
pub(crate) use settings::SettingsReader;
pub use settings::{Settings, SettingsError, SettingsStep};

use lunarium_schedule::Share;

/// The id of the process host of the embedder's mailboxes.
const MAILBOXES: &str = "node:mailboxes";

#[derive(Default)]
pub(crate) struct Catalogue {
    definitions: RwLock<HashMap<EntryId, Arc<Code>>>,
    hosts: RwLock<HashMap<HostId, Arc<ProcessHost>>>,
    /// Of the embedder's mailboxes. No script can start anything on it.
    mailboxes: Mutex<Option<Arc<ProcessHost>>>,
    pub(crate) policies: Policies,
}

impl Catalogue {
    /// Adds a definition or replaces it. One that is equal stays, and what was compiled of it.
    pub(crate) fn define(&self, definition: Definition) {
        if self.code(&definition.entry).is_some_and(|there| there.definition == definition) {
            return;
        }
        let code = Arc::new(Code::new(definition));
        let replaced = self.definitions.write().insert(code.definition.entry.clone(), code);
        // Sources are large: not under the lock.
        drop(replaced);
    }

    pub(crate) fn code(&self, entry: &EntryId) -> Option<Arc<Code>> {
        self.definitions.read().get(entry).cloned()
    }

    /// Adds a process host. What its processes hold is charged to an account below `memory`, their time is a part of `cpu`. Hosts are never forgotten:
    /// they come from definitions, not from scripts.
    ///
    /// Errors: the id is taken, or can't stand in a pid; its reserve isn't there.
    pub(crate) fn add_host(
        &self,
        definition: HostDefinition,
        memory: &Arc<Account>,
        cpu: &Arc<Share>,
    ) -> Result<(), HostError> {
        let host = Arc::new(ProcessHost::new(definition, memory, cpu)?);
        let mut hosts = self.hosts.write();
        if hosts.contains_key(host.id()) || host.id().as_str() == MAILBOXES {
            return Err(HostError::Exists { id: host.id().clone() });
        }
        hosts.insert(host.id().clone(), host);
        Ok(())
    }

    pub(crate) fn host(&self, id: &HostId) -> Option<Arc<ProcessHost>> {
        self.hosts.read().get(id).cloned()
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

    /// All hosts that there are.
    pub(crate) fn hosts(&self) -> Vec<Arc<ProcessHost>> {
        let mailboxes = self.mailboxes.lock().clone();
        self.hosts.read().values().cloned().chain(mailboxes).collect()
    }
}
