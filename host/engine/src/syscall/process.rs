//! `process.spawn`, `exec`, `terminate`, `cancel` and the options.

use std::time::Duration;

use lunarium_kernel::{EntryId, HostId, Message, Name, Topic, TopicError, action};

use crate::bindings::lunarium::process::process::{FirstMessage, Host, Options, SpawnRequest};
use crate::bindings::lunarium::process::security::Actor;
use crate::bindings::lunarium::process::types::Refusal;
use crate::convert;
use crate::security::{ActorSpec, ScopeSpec, SecuritySpec};
use crate::spawn::{Parent, Spawn};
use crate::store::StoreData;

impl StoreData {
    /// Whether the caller may start this entry on this host: the wanted ones of these actions on the entry, and `process.host` on the
    /// host, both of which must be there.
    pub(crate) fn permitted_to_start(
        &self,
        actions: &[(bool, &str)],
        entry: &EntryId,
        host: &HostId,
    ) -> Result<(), Refusal> {
        if !self.is_restricted() {
            return Ok(());
        }
        self.node.code(entry).map_err(convert::refusal)?;
        let caller = &self.process.pid;
        self.node.kernel(|kernel| kernel.find_host(caller, host)).map_err(convert::refusal)?;
        for (_, action) in actions.iter().filter(|(wanted, _)| *wanted) {
            self.authorize(action, entry.as_str())?;
        }
        self.authorize(action::HOST, host.as_str())
    }
}

impl Host for StoreData {
    fn spawn(&mut self, request: SpawnRequest) -> Result<String, Refusal> {
        let SpawnRequest { entry, host, arguments, monitored, linked, context, name, messages, actor, scope } = request;
        let name = name.map(|name| Name::new(&name)).transpose().map_err(convert::refusal)?;
        let messages = messages.into_iter().map(|message| self.first_message(message));
        let messages = messages.collect::<Result<_, _>>().map_err(convert::refusal)?;
        let (entry, host) = (EntryId::new(entry), HostId::new(host));
        let actions = [(true, action::SPAWN), (monitored, action::SPAWN_MONITORED), (linked, action::SPAWN_LINKED)];
        self.permitted_to_start(&actions, &entry, &host)?;
        let security = self.changed_security(actor, scope)?;
        if context.is_some() {
            self.authorize(action::CONTEXT, action::CONTEXT_RESOURCE)?;
        }
        let parent = Parent { process: &self.process, monitored, linked, exec: None, name, messages };
        let spawn = Spawn { entry, host, arguments, limits: None, context, security };
        let pid = self.node.spawn_child(parent, spawn).map_err(convert::refusal)?;
        Ok(pid.to_string())
    }

    fn exec(&mut self, entry: String, host: String, arguments: Vec<u8>) -> Result<u64, Refusal> {
        let (entry, host) = (EntryId::new(entry), HostId::new(host));
        self.permitted_to_start(&[(true, action::EXEC)], &entry, &host)?;
        let request = self.process.begin_request().map_err(convert::refusal)?;
        let spawn = Spawn { entry, host, arguments, limits: None, context: None, security: None };
        let started = self.node.spawn_child(Parent::exec(&self.process, request), spawn);
        if started.is_err() {
            self.process.cancel_request();
        }
        started.map(|_| request).map_err(convert::refusal)
    }

    fn upgrade(&mut self, entry: Option<String>, arguments: Vec<u8>) -> Result<(), Refusal> {
        let entry = entry.map_or_else(|| self.incarnation.label.entry.clone(), EntryId::new);
        let upgrade = self.node.plan_upgrade(&self.process, &entry, arguments).map_err(convert::refusal)?;
        if entry != self.incarnation.label.entry {
            self.authorize(action::SPAWN, entry.as_str())?;
        }
        self.upgrade = Some(upgrade);
        Ok(())
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
        let caller = &self.process.pid;
        Options { trap_links: self.node.kernel(|kernel| kernel.trap_links(caller)) }
    }

    fn set_options(&mut self, options: Options) {
        let caller = &self.process.pid;
        self.node.kernel(|kernel| kernel.set_trap_links(caller, options.trap_links));
    }
}

impl StoreData {
    /// What the child has instead of the caller's actor and scope, which takes `process.security`.
    fn changed_security(
        &self,
        actor: Option<Actor>,
        scope: Option<Vec<String>>,
    ) -> Result<Option<SecuritySpec>, Refusal> {
        if actor.is_none() && scope.is_none() {
            return Ok(None);
        }
        self.authorize(action::SECURITY, action::SECURITY_RESOURCE)?;
        let actor = actor.map(|Actor { id, meta }| ActorSpec { id, meta });
        let policies = |ids: Vec<String>| ids.into_iter().map(EntryId::new).collect();
        let scope = scope.map(|ids| ScopeSpec { policies: policies(ids), groups: Vec::new() });
        Ok(Some(SecuritySpec { actor, scope }))
    }

    fn first_message(&self, message: FirstMessage) -> Result<Message, TopicError> {
        let sender = Some(self.process.pid.clone());
        Ok(Message { sender, topic: Topic::new(&message.topic)?, payload: message.payload })
    }
}
