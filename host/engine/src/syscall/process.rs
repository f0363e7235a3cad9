//! `process.spawn`, `exec`, `terminate`, `cancel` and the options.

use std::time::Duration;

use lunarium_kernel::{EntryId, HostId, Message, Name, Topic, TopicError};

use crate::bindings::lunarium::process::process::{FirstMessage, Host, Options, SpawnRequest};
use crate::bindings::lunarium::process::types::Refusal;
use crate::convert;
use crate::node::{Parent, Spawn};
use crate::store::StoreData;

impl Host for StoreData {
    fn spawn(&mut self, request: SpawnRequest) -> Result<String, Refusal> {
        let SpawnRequest { entry, host, arguments, monitored, linked, context, name, messages } = request;
        let name = name.map(|name| Name::new(&name)).transpose().map_err(convert::refusal)?;
        let messages = messages.into_iter().map(|message| self.first_message(message));
        let messages = messages.collect::<Result<_, _>>().map_err(convert::refusal)?;
        let parent = Parent { process: &self.process, monitored, linked, exec: None, name, messages };
        let (entry, host) = (EntryId::new(entry), HostId::new(host));
        let spawn = Spawn { entry, host, arguments, limits: None, context };
        let pid = self.node.spawn_child(parent, spawn).map_err(convert::refusal)?;
        Ok(pid.to_string())
    }

    fn exec(&mut self, entry: String, host: String, arguments: Vec<u8>) -> Result<u64, Refusal> {
        let request = self.process.begin_request().map_err(convert::refusal)?;
        let (entry, host) = (EntryId::new(entry), HostId::new(host));
        let spawn = Spawn { entry, host, arguments, limits: None, context: None };
        let started = self.node.spawn_child(Parent::exec(&self.process, request), spawn);
        if started.is_err() {
            self.process.cancel_request();
        }
        started.map(|_| request).map_err(convert::refusal)
    }

    fn upgrade(&mut self, entry: Option<String>, arguments: Vec<u8>) -> Result<(), Refusal> {
        let entry = entry.map_or_else(|| self.incarnation.label.entry.clone(), EntryId::new);
        let upgrade = self.node.plan_upgrade(&self.process, &entry, arguments).map_err(convert::refusal)?;
        self.upgrade = Some(upgrade);
        Ok(())
    }

    fn terminate(&mut self, destination: String) -> Result<(), Refusal> {
        self.node.terminate(Some(&self.process), &destination).map_err(convert::refusal)
    }

    fn cancel(&mut self, destination: String, deadline: Option<u64>) -> Result<(), Refusal> {
        let deadline = deadline.map(Duration::from_nanos);
        self.node.cancel(Some(&self.process), &destination, deadline).map_err(convert::refusal)
    }

    fn get_options(&mut self) -> Options {
        let caller = &self.process.pid;
        Options { trap_links: self.node.kernel(|kernel| kernel.trap_links(caller)) }
    }

    fn set_options(&mut self, options: Options) {
        let caller = &self.process.pid;
        self.node.kernel(|kernel| kernel.set_trap_links(caller, options.trap_links));
    }
}

impl StoreData {
    fn first_message(&self, message: FirstMessage) -> Result<Message, TopicError> {
        let sender = Some(self.process.pid.clone());
        Ok(Message { sender, topic: Topic::new(&message.topic)?, payload: message.payload })
    }
}
