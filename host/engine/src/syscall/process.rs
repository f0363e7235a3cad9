//! `process.spawn`, `terminate`, `cancel` and the options.

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
        let parent = Parent { process: &self.process, monitored, linked, name, messages };
        let (entry, host) = (EntryId::new(entry), HostId::new(host));
        let spawn = Spawn { entry, host, arguments, limits: None, context };
        let pid = self.node.spawn_child(parent, spawn).map_err(convert::refusal)?;
        Ok(pid.to_string())
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

impl StoreData {
    fn first_message(&self, message: FirstMessage) -> Result<Message, TopicError> {
        let sender = Some(self.process.label.pid.clone());
        Ok(Message { sender, topic: Topic::new(&message.topic)?, payload: message.payload })
    }
}
