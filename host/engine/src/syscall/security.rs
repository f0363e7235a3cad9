//! `security.…`: what a process learns of its own actor, scope and permissions. And the checks that every host function
//! makes before it acts: [`Who::authorize`] and what is built on it.

use std::sync::Arc;

use lunarium_contract::{form, length};
use lunarium_kernel::{Decision, EntryId, ErrorKind, Refusal, ResolveError, Security};

use crate::catalogue::{ActorSpec, ScopeSpec, SecuritySpec, read_table};
use crate::node::{Caller, Who};
use crate::process::Process;
use crate::wasm::CallError;
use crate::wasm::imports::security::{self as wit, Actor, Host};

/// A text that is longer than policies look at.
#[derive(Debug, thiserror::Error)]
#[error("{what} of {size} bytes exceeds the limit of {}", length::QUESTION)]
struct TooLong {
    what: &'static str,
    size: usize,
}

impl Refusal for TooLong {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

impl Who {
    /// Whether anything has to be asked. Most processes have neither actor nor scope: they pay for this one look.
    pub(crate) fn is_restricted(&self) -> bool {
        !self.security().allows_everything()
    }

    /// Whether the caller may do this. Resources that a script chooses must have a bound before they come here.
    /// Errors: `permission-denied`.
    pub(crate) fn authorize(&self, action: &str, resource: &str) -> Result<(), CallError> {
        Ok(self.security().authorize(action, resource, &self.process.pid, None)?)
    }
}

impl Caller {
    /// The process that a destination stands for, once the caller may do this to it: what follows is done to this pid,
    /// so nobody else can get the name between the check and the act. Takes no lock.
    pub(super) fn permitted(&self, action: &str, destination: &str) -> Result<Arc<Process>, CallError> {
        let process = self.node.find(destination)?;
        self.living()?.authorize(action, process.pid.as_str())?;
        Ok(process)
    }

    /// The same for what undoes something: a pid that is gone (none) is no mistake, and the permission is for its text.
    pub(super) fn permitted_to_undo(&self, action: &str, destination: &str) -> Result<Option<Arc<Process>>, CallError> {
        let process = match self.node.find(destination) {
            Ok(process) => Some(process),
            Err(ResolveError::UnknownPid { .. }) => None,
            Err(refusal) => return Err(refusal.into()),
        };
        let resource = process.as_ref().map_or(destination, |process| process.pid.as_str());
        self.living()?.authorize(action, form::cut(resource, length::PID))?;
        Ok(process)
    }
}

impl Host for Caller {
    fn own_actor(&mut self) -> wasmtime::Result<Option<Actor>> {
        let actor = self.living()?.security().actor();
        Ok(actor
            .map(|actor| Actor { id: actor.id().to_owned(), meta: actor.payload().map(|payload| payload.to_vec()) }))
    }

    fn own_scope(&mut self) -> wasmtime::Result<Option<Vec<String>>> {
        let policies = self.living()?.security().scope();
        Ok(policies.map(|policies| policies.iter().map(|policy| policy.id.to_string()).collect()))
    }

    fn can(&mut self, action: String, resource: String, attributes: Option<Vec<u8>>) -> Result<bool, CallError> {
        let who = self.living()?;
        bounded(&action, &resource)?;
        let attributes = attributes.map(|payload| read_table(&payload, "attributes")).transpose()?;
        Ok(who.security().authorize(&action, &resource, &who.process.pid, attributes.as_ref()).is_ok())
    }

    fn authorize(&mut self, action: String, resource: String) -> Result<(), CallError> {
        let who = self.living()?;
        bounded(&action, &resource)?;
        who.authorize(&action, &resource)
    }

    fn evaluate(
        &mut self,
        policies: Vec<String>,
        actor: Option<Actor>,
        action: String,
        resource: String,
        attributes: Option<Vec<u8>>,
    ) -> Result<wit::Decision, CallError> {
        let who = self.living()?;
        bounded(&action, &resource)?;
        let attributes = attributes.map(|payload| read_table(&payload, "attributes")).transpose()?;
        let scope = ScopeSpec { policies: policies.into_iter().map(EntryId::new).collect(), groups: Vec::new() };
        let actor = actor.map(|Actor { id, meta }| ActorSpec { id, meta });
        let spec = SecuritySpec { actor, scope: Some(scope) };
        // What the caller may do itself has no part in it.
        let security = self.node.catalogue.known().policies.change(&Security::none(true), &spec)?;
        Ok(match security.decide(&action, &resource, &who.process.pid, attributes.as_ref()) {
            Decision::Allowed => wit::Decision::Allow,
            Decision::Denied(_) => wit::Decision::Deny,
            Decision::Undecided => wit::Decision::Undefined,
        })
    }

    fn policy(&mut self, id: String) -> Result<(), CallError> {
        self.living()?;
        Ok(self.node.catalogue.known().policies.contains(&EntryId::new(id))?)
    }

    fn group(&mut self, name: String) -> Result<Vec<String>, CallError> {
        self.living()?;
        let ids = self.node.catalogue.known().policies.group(&EntryId::new(name))?;
        Ok(ids.iter().map(ToString::to_string).collect())
    }
}

fn bounded(action: &str, resource: &str) -> Result<(), TooLong> {
    for (what, text) in [("action", action), ("resource", resource)] {
        if text.len() > length::QUESTION {
            return Err(TooLong { what, size: text.len() });
        }
    }
    Ok(())
}
