//! `process.spawn`, `exec`, `call`, `terminate`, `cancel` and the options.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lunarium_contract::{form, length};
use lunarium_kernel::{Attribute, EntryId, HostId, LimitName, Message, Name, Topic, action};

use crate::catalogue::{ActorSpec, ScopeSpec, SecuritySpec};
use crate::node::{CallSpec, Caller, Spawn, Who};
use crate::process::Process;
use crate::wasm::imports::process::{ExecRequest, FirstMessage, Held, Host, Limits, Options, SpawnRequest};
use crate::wasm::imports::security::Actor;
use crate::wasm::{CallError, Stopped};

impl Caller {
    /// Whether the caller may start this entry on this host: the wanted ones of these actions on the entry, and
    /// `process.host` on the host, both of which must be there.
    fn permitted_to_start(&self, actions: &[(bool, &str)], entry: &EntryId, host: &HostId) -> Result<(), CallError> {
        let who = self.living()?;
        if !who.is_restricted() {
            return Ok(());
        }
        self.node.code(entry)?;
        self.node.host(host)?;
        for (_, action) in actions.iter().filter(|(wanted, _)| *wanted) {
            who.authorize(action, entry.as_str())?;
        }
        who.authorize(action::HOST, host.as_str())
    }
}

impl Caller {
    /// As [`Caller::permitted`], with the function's name for policies to look at.
    fn permitted_to_call(&mut self, destination: &str, method: &str) -> Result<Arc<Process>, CallError> {
        let target = self.target(destination)?;
        let who = self.living()?;
        if who.is_restricted() {
            let method = Attribute::from(form::cut(method, length::METHOD));
            let attributes = Attribute::Map(BTreeMap::from([(action::METHOD.into(), method)]));
            let (security, caller) = (who.security(), &who.process.pid);
            security.authorize(action::CALL, target.pid.as_str(), caller, Some(&attributes))?;
        }
        Ok(target)
    }
}

impl Caller {
    fn spawn_child(&self, entry: EntryId, request: SpawnRequest) -> Result<String, CallError> {
        let who = self.living()?;
        let SpawnRequest { host, arguments, monitored, linked, context, name, messages, actor, scope, .. } = request;
        let name = name.map(|name| Name::new(&name)).transpose()?;
        let messages = messages.into_iter().map(|message| who.first_message(message)).collect::<Result<_, _>>()?;
        let host = HostId::new(host);
        let actions = [(true, action::SPAWN), (monitored, action::SPAWN_MONITORED), (linked, action::SPAWN_LINKED)];
        self.permitted_to_start(&actions, &entry, &host)?;
        let security = who.changed_security(actor, scope)?;
        let context = who.given_context(context)?;
        let spawn =
            Spawn { context, security, monitored, linked, name, messages, ..Spawn::new(entry, host, arguments.into()) };
        Ok(self.node.spawn_child(&who.process, spawn)?.to_string())
    }

    fn execute(&self, entry: EntryId, request: ExecRequest) -> Result<u64, CallError> {
        let who = self.living()?;
        let ExecRequest { host, arguments, context, actor, scope, .. } = request;
        let host = HostId::new(host);
        self.permitted_to_start(&[(true, action::EXEC)], &entry, &host)?;
        let security = who.changed_security(actor, scope)?;
        let context = who.given_context(context)?;
        let request = who.process.begin_request()?;
        let spawn = Spawn { exec: Some(request), context, security, ..Spawn::new(entry, host, arguments.into()) };
        let started = self.node.spawn_child(&who.process, spawn);
        if started.is_err() {
            who.process.cancel_request();
        }
        started?;
        Ok(request)
    }

    fn begin_call(
        &mut self,
        destination: &str,
        method: String,
        arguments: Vec<u8>,
        timeout: Option<u64>,
    ) -> Result<u64, CallError> {
        let target = self.permitted_to_call(destination, &method)?;
        let who = self.living()?;
        let timeout = timeout.map(Duration::from_nanos);
        let call = CallSpec { method: method.into(), arguments: arguments.into(), timeout };
        // The dead are silent: nobody is called by who has ended.
        let called = who.process.life.speak(|| self.node.call_from(&who.process, &target, call));
        Ok(called.ok_or(Stopped::Killed)??)
    }
}

impl Host for Caller {
    fn spawn(&mut self, mut request: SpawnRequest) -> Result<String, CallError> {
        let entry = EntryId::new(std::mem::take(&mut request.entry));
        self.noting(action::SPAWN, entry.as_str(), self.spawn_child(entry.clone(), request))
    }

    fn exec(&mut self, mut request: ExecRequest) -> Result<u64, CallError> {
        let entry = EntryId::new(std::mem::take(&mut request.entry));
        self.noting(action::EXEC, entry.as_str(), self.execute(entry.clone(), request))
    }

    fn call(
        &mut self,
        destination: String,
        method: String,
        arguments: Vec<u8>,
        timeout: Option<u64>,
    ) -> Result<u64, CallError> {
        let called = self.begin_call(&destination, method, arguments, timeout);
        self.noting(action::CALL, &destination, called)
    }

    fn answer(&mut self, call: u64, payload: Vec<u8>) -> wasmtime::Result<()> {
        let who = self.living()?;
        self.node.answer(&who.process, call, payload.into(), who.limits().message);
        Ok(())
    }

    fn upgrade(&mut self, entry: Option<String>, arguments: Vec<u8>) -> Result<(), CallError> {
        let who = self.living()?;
        let own = &who.incarnation.label.entry;
        let entry = entry.map_or_else(|| own.clone(), EntryId::new);
        let program = self.node.plan_upgrade(&who.process, &entry, arguments.into())?;
        if entry != *own {
            who.authorize(action::SPAWN, entry.as_str())?;
        }
        self.upgrade = Some(program);
        Ok(())
    }

    fn terminate(&mut self, destination: String) -> Result<(), CallError> {
        let caller = &self.living()?.process.pid;
        let target = self.permitted(action::TERMINATE, &destination)?;
        Ok(self.node.terminate(Some(caller), &target.pid)?)
    }

    fn cancel(&mut self, destination: String, deadline: Option<u64>) -> Result<(), CallError> {
        let caller = &self.living()?.process.pid;
        let target = self.permitted(action::CANCEL, &destination)?;
        Ok(self.node.cancel(Some(caller), &target.pid, deadline.map(Duration::from_nanos))?)
    }

    fn get_limits(&mut self) -> wasmtime::Result<Limits> {
        let held = self.node.held_by(&self.living()?.process);
        let of = |name: LimitName| {
            let held = held.iter().find(|held| held.name == name.as_str());
            held.map_or(Held { used: 0, limit: 0 }, |held| Held { used: held.used, limit: held.limit })
        };
        Ok(Limits {
            cpu: of(LimitName::Cpu),
            cpu_total: of(LimitName::CpuTotal),
            lifetime: of(LimitName::Lifetime),
            mailbox_messages: of(LimitName::MailboxMessages),
            mailbox_bytes: of(LimitName::MailboxBytes),
            links: of(LimitName::Links),
            monitors: of(LimitName::Monitors),
            names: of(LimitName::Names),
            groups: of(LimitName::Groups),
            log_lines: of(LimitName::LogLines),
        })
    }

    fn get_options(&mut self) -> wasmtime::Result<Options> {
        let caller = &self.living()?.process.pid;
        Ok(Options { trap_links: self.node.kernel(|kernel| kernel.trap_links(caller)) })
    }

    fn set_options(&mut self, options: Options) -> wasmtime::Result<()> {
        let caller = &self.living()?.process.pid;
        self.node.kernel(|kernel| kernel.set_trap_links(caller, options.trap_links));
        Ok(())
    }
}

impl Who {
    /// What the child has instead of the caller's actor and scope, which takes `process.security`.
    fn changed_security(
        &self,
        actor: Option<Actor>,
        scope: Option<Vec<String>>,
    ) -> Result<Option<SecuritySpec>, CallError> {
        if actor.is_none() && scope.is_none() {
            return Ok(None);
        }
        self.authorize(action::SECURITY, action::SECURITY_RESOURCE)?;
        let actor = actor.map(|Actor { id, meta }| ActorSpec { id, meta });
        let policies = |ids: Vec<String>| ids.into_iter().map(EntryId::new).collect();
        let scope = scope.map(|ids| ScopeSpec { policies: policies(ids), groups: Vec::new() });
        Ok(Some(SecuritySpec { actor, scope }))
    }

    /// The values that the child has instead of the caller's, which takes `process.context`.
    fn given_context(&self, context: Option<Vec<u8>>) -> Result<Option<Bytes>, CallError> {
        if context.is_some() {
            self.authorize(action::CONTEXT, action::CONTEXT_RESOURCE)?;
        }
        Ok(context.map(Into::into))
    }

    fn first_message(&self, message: FirstMessage) -> Result<Message, CallError> {
        let sender = Some(self.process.pid.clone());
        Ok(Message::new(sender, Topic::new(&message.topic)?, message.payload.into()))
    }
}
