//! `process.spawn`, `terminate`, `cancel` and the options.

use std::time::Duration;

use lunarium_kernel::{EntryId, HostId, action};

use crate::bindings::lunarium::process::process::{Host, Options, SpawnRequest};
use crate::bindings::lunarium::process::types::Refusal;
use crate::convert;
use crate::node::{Parent, Spawn};
use crate::store::StoreData;

impl StoreData {
    /// Whether the caller may start this entry on this host: all these actions on the entry, and `process.host` on the
    /// host, both of which must be there.
    pub(crate) fn permitted_to_start(&self, actions: &[&str], entry: &EntryId, host: &HostId) -> Result<(), Refusal> {
        if !self.is_restricted() {
            return Ok(());
        }
        self.node.definition(entry).map_err(convert::refusal)?;
        let caller = &self.process.label.pid;
        self.node.kernel(|kernel| kernel.find_host(caller, host)).map_err(convert::refusal)?;
        for action in actions {
            self.authorize(action, entry.as_str())?;
        }
        self.authorize(action::HOST, host.as_str())
    }
}

impl Host for StoreData {
    fn spawn(&mut self, request: SpawnRequest) -> Result<String, Refusal> {
        let (entry, host) = (EntryId::new(request.entry), HostId::new(request.host));
        let mut actions = vec![action::SPAWN];
        actions.extend(request.monitored.then_some(action::SPAWN_MONITORED));
        actions.extend(request.linked.then_some(action::SPAWN_LINKED));
        self.permitted_to_start(&actions, &entry, &host)?;
        let parent = Parent { process: &self.process, monitored: request.monitored, linked: request.linked };
        let spawn = Spawn { entry, host, arguments: request.arguments, limits: None, security: None };
        let child = self.node.spawn(Some(&parent), spawn).map_err(convert::refusal)?;
        Ok(child.label.pid.to_string())
    }

    fn terminate(&mut self, destination: String) -> Result<(), Refusal> {
        let destination = self.permitted(action::TERMINATE, &destination)?;
        self.node.terminate(Some(&self.process), &destination).map_err(convert::refusal)
    }

    fn cancel(&mut self, destination: String, deadline: Option<u64>) -> Result<(), Refusal> {
        let destination = self.permitted(action::CANCEL, &destination)?;
        let deadline = deadline.map(Duration::from_nanos);
        self.node.cancel(Some(&self.process), &destination, deadline).map_err(convert::refusal)
    }

    fn get_options(&mut self) -> Options {
        let caller = &self.process.label.pid;
        Options { trap_links: self.node.kernel(|kernel| kernel.trap_links(caller)) }
    }

    fn set_options(&mut self, options: Options) {
        let caller = &self.process.label.pid;
        self.node.kernel(|kernel| kernel.set_trap_links(caller, options.trap_links));
    }
}
