//! `process.spawn`, `exec`, `terminate`, `cancel` and the options.

use std::time::Duration;

use lunarium_kernel::{EntryId, HostId};

use crate::bindings::lunarium::process::process::{Host, Options, SpawnRequest};
use crate::bindings::lunarium::process::types::Refusal;
use crate::convert;
use crate::node::{Parent, Relation, Spawn};
use crate::store::StoreData;

impl Host for StoreData {
    fn spawn(&mut self, request: SpawnRequest) -> Result<String, Refusal> {
        let relation = Relation { monitored: request.monitored, linked: request.linked, exec: None };
        let parent = Parent { process: &self.process, relation };
        let child = self.node.spawn(Some(&parent), spawn_of(request)).map_err(convert::refusal)?;
        Ok(child.label.pid.to_string())
    }

    fn exec(&mut self, request: SpawnRequest) -> Result<u64, Refusal> {
        let id = self.process.begin_request().map_err(convert::refusal)?;
        let relation = Relation { exec: Some(id), ..Relation::default() };
        let parent = Parent { process: &self.process, relation };
        match self.node.spawn(Some(&parent), spawn_of(request)) {
            Ok(_) => Ok(id),
            Err(refused) => {
                self.process.cancel_request();
                Err(convert::refusal(refused))
            }
        }
    }

    fn terminate(&mut self, destination: String) -> Result<(), Refusal> {
        self.node.terminate(Some(&self.process), &destination).map_err(convert::refusal)
    }

    fn cancel(&mut self, destination: String, deadline: Option<u64>) -> Result<(), Refusal> {
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

fn spawn_of(request: SpawnRequest) -> Spawn {
    Spawn {
        entry: EntryId::new(request.entry),
        host: HostId::new(request.host),
        arguments: request.arguments,
        limits: None,
    }
}
