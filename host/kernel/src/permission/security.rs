//! In whose name a process acts, and what it may do. Owns the decision over all policies of a scope, and what is allowed
//! where there is none. Does not know what is asked for: actions and resources are texts.

use std::sync::Arc;

use lunarium_contract::length;

use super::attribute::Attribute;
use super::policy::{Policy, PolicyEffect};
use crate::text::{SHOWN, cut};
use crate::{EntryId, ErrorKind, Payload, Pid, Refusal};

/// In whose name a process acts.
#[derive(Clone, Debug, PartialEq)]
pub struct Actor {
    id: String,
    meta: Attribute,
    payload: Option<Payload>,
    /// What it takes on the host.
    bytes: u64,
}

/// Why there is no such actor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("actor id of {length} bytes is not 1 to {} bytes long", length::ACTOR)]
pub struct ActorError {
    /// Bytes of the id.
    pub length: usize,
}

impl Refusal for ActorError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

impl Actor {
    /// An actor. `meta` is what policies look at, `payload` the same as scripts see it; none: no meta.
    /// Errors: an id that is empty or too long.
    pub fn new(id: String, meta: Attribute, payload: Option<Payload>) -> Result<Self, ActorError> {
        if !(1..=length::ACTOR).contains(&id.len()) {
            return Err(ActorError { length: id.len() });
        }
        let payload_bytes = payload.as_ref().map_or(0, |payload| u64::try_from(payload.len()).unwrap_or(u64::MAX));
        let bytes = meta.bytes().saturating_add(payload_bytes);
        Ok(Self { id, meta, payload, bytes })
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What is known about it.
    pub fn meta(&self) -> &Attribute {
        &self.meta
    }

    /// The same, as scripts see it.
    pub fn payload(&self) -> Option<&Payload> {
        self.payload.as_ref()
    }
}

/// What a policy decides on.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who asks, if it is somebody.
    pub(crate) actor: Option<&'a Actor>,
    pub(crate) action: &'a str,
    pub(crate) resource: &'a str,
    /// The process that asks.
    pub(crate) pid: &'a Pid,
    pub(crate) attributes: Option<&'a Attribute>,
}

/// What policies say to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<'a> {
    /// One allows it, none denies it.
    Allowed,
    /// This one denies it.
    Denied(&'a EntryId),
    /// None is about it.
    Undecided,
}

/// Why something isn't allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// A policy denies it.
    #[error("permission `{action}` on `{resource}` is denied by policy `{policy}`")]
    ByPolicy {
        /// What was asked for.
        action: String,
        /// On what.
        resource: String,
        /// Which policy.
        policy: EntryId,
    },
    /// No policy allows it.
    #[error("permission `{action}` on `{resource}` is missing")]
    Missing {
        /// What was asked for.
        action: String,
        /// On what.
        resource: String,
    },
}

impl Refusal for Denied {
    fn kind(&self) -> ErrorKind {
        ErrorKind::PermissionDenied
    }
}

/// A process's actor and scope, and what holds without them. Immutable and shared: children have their parent's.
///
/// * A scope decides: any policy that denies, denies; otherwise one must allow. An empty scope allows nothing. Without
///   an actor, its policies see no field of one.
/// * An actor without a scope may do nothing, as if its scope were empty: no policy speaks for it. Who gives out an
///   actor gives out what it may do.
/// * With neither, everything is allowed, and nothing in a strict node.
#[derive(Clone, Debug, Default)]
pub struct Security {
    actor: Option<Arc<Actor>>,
    scope: Option<Arc<[Arc<Policy>]>>,
    strict: bool,
}

impl Security {
    /// What a process has that was given neither actor nor scope.
    pub fn none(strict: bool) -> Self {
        Self { actor: None, scope: None, strict }
    }

    /// The same with another actor.
    #[must_use]
    pub fn with_actor(&self, actor: Actor) -> Self {
        Self { actor: Some(Arc::new(actor)), ..self.clone() }
    }

    /// The same with another scope.
    #[must_use]
    pub fn with_scope(&self, policies: impl IntoIterator<Item = Arc<Policy>>) -> Self {
        Self { scope: Some(policies.into_iter().collect()), ..self.clone() }
    }

    /// In whose name.
    pub fn actor(&self) -> Option<&Actor> {
        self.actor.as_deref()
    }

    /// The policies that decide.
    pub fn scope(&self) -> Option<&[Arc<Policy>]> {
        self.scope.as_deref()
    }

    /// Bytes that it takes on the host; those of policies are the node's.
    pub fn bytes(&self) -> u64 {
        let actor = self.actor.as_ref().map_or(0, |actor| actor.bytes);
        let policies = self.scope.as_ref().map_or(0, |scope| size_of_val(&**scope));
        actor.saturating_add(u64::try_from(policies).unwrap_or(u64::MAX))
    }

    /// Whether it has neither actor nor scope.
    pub fn is_none(&self) -> bool {
        self.actor.is_none() && self.scope.is_none()
    }

    /// Whether nobody has to be asked: everything is allowed.
    pub fn allows_everything(&self) -> bool {
        self.is_none() && !self.strict
    }

    /// What the policies of the scope say. `pid` is the caller's.
    pub fn decide(&self, action: &str, resource: &str, pid: &Pid, attributes: Option<&Attribute>) -> Decision<'_> {
        let request = Request { actor: self.actor(), action, resource, pid, attributes };
        let mut decision = Decision::Undecided;
        for policy in self.scope().unwrap_or_default() {
            match policy.verdict(&request) {
                Some(PolicyEffect::Deny) => return Decision::Denied(&policy.id),
                Some(PolicyEffect::Allow) => decision = Decision::Allowed,
                None => {}
            }
        }
        decision
    }

    /// Whether the caller may do this. Errors: `PermissionDenied`.
    pub fn authorize(
        &self,
        action: &str,
        resource: &str,
        pid: &Pid,
        attributes: Option<&Attribute>,
    ) -> Result<(), Denied> {
        if self.allows_everything() {
            return Ok(());
        }
        self.require(action, resource, pid, attributes)
    }

    /// Whether a policy allows the caller to do this: also where everything is allowed, one must say so.
    /// Errors: `PermissionDenied`.
    pub fn require(
        &self,
        action: &str,
        resource: &str,
        pid: &Pid,
        attributes: Option<&Attribute>,
    ) -> Result<(), Denied> {
        let (action_text, resource_text) = (|| cut(action, SHOWN), || cut(resource, SHOWN));
        match self.decide(action, resource, pid, attributes) {
            Decision::Allowed => Ok(()),
            Decision::Denied(policy) => {
                Err(Denied::ByPolicy { action: action_text(), resource: resource_text(), policy: policy.clone() })
            }
            Decision::Undecided => Err(Denied::Missing { action: action_text(), resource: resource_text() }),
        }
    }
}

#[cfg(test)]
mod tests;
