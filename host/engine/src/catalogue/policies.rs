//! Which policies a node has, and what a process gets to act with: from texts and payloads to the kernel's types.
//!
//! Owns the policies and groups by name, the bounds of what is looked at, and whose security a new process has. Refuses
//! to decide: that is the kernel's.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use lunarium_contract::form::verb;
use lunarium_contract::length;
use lunarium_kernel::{Actor, ActorError, Attribute, EntryId, ErrorKind, Policy, Refusal, SHOWN, Security, cut};

use crate::value::Value;

/// In whose name a process acts and which policies decide what it may do. What isn't given is its parent's or, without
/// one, its host's. Made by [`SecuritySpec::new`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecuritySpec {
    /// Another actor.
    pub actor: Option<ActorSpec>,
    /// Another scope. One without policies allows nothing.
    pub scope: Option<ScopeSpec>,
}

/// In whose name a process acts. Made by [`ActorSpec::new`] or [`ActorSpec::from_payload`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActorSpec {
    /// 1 to 255 bytes.
    pub id: String,
    /// A payload: a table of plain values, up to 16 KiB.
    pub meta: Option<Vec<u8>>,
}

/// Which policies decide: all of these and those of the groups, up to [`ScopeSpec::MAX_POLICIES`]. Made by
/// [`ScopeSpec::new`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopeSpec {
    /// Defined policies.
    pub policies: Vec<EntryId>,
    /// Groups with at least one defined policy.
    pub groups: Vec<EntryId>,
}

impl SecuritySpec {
    /// Neither: what the parent or the host has.
    pub fn new() -> SecuritySpec {
        SecuritySpec::default()
    }

    /// The same with this actor.
    #[must_use]
    pub fn with_actor(self, actor: ActorSpec) -> SecuritySpec {
        SecuritySpec { actor: Some(actor), ..self }
    }

    /// The same with this scope.
    #[must_use]
    pub fn with_scope(self, scope: ScopeSpec) -> SecuritySpec {
        SecuritySpec { scope: Some(scope), ..self }
    }
}

impl ScopeSpec {
    /// These policies and those of these groups.
    pub fn new(policies: Vec<EntryId>, groups: Vec<EntryId>) -> ScopeSpec {
        ScopeSpec { policies, groups }
    }

    /// Policies of one scope. At the limit: refused, `Invalid`. Each call looks at all of them.
    pub const MAX_POLICIES: usize = length::POLICIES;
}

/// Why a process can't get an actor or a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecurityError {
    /// No such policy.
    #[error("policy `{0}` not found")]
    UnknownPolicy(String),
    /// No policy is in such a group.
    #[error("policy group `{0}` not found")]
    UnknownGroup(String),
    /// More policies than a scope may have.
    #[error("scope of {0} policies exceeds the limit of {most}", most = ScopeSpec::MAX_POLICIES)]
    Policies(usize),
    /// Not an actor.
    #[error(transparent)]
    Actor(#[from] ActorError),
    /// More meta or attributes than policies look at.
    #[error("{what} of {size} bytes {} the limit of {}", verb(what, "exceeds", "exceed"), length::META)]
    Size {
        /// `meta` or `attributes`.
        what: &'static str,
        /// Encoded bytes.
        size: usize,
    },
    /// More values than policies look at.
    #[error("{what} of {count} values {} the limit of {}", verb(what, "exceeds", "exceed"), length::META_VALUES)]
    Values {
        /// `meta` or `attributes`.
        what: &'static str,
        /// Those inside of others included.
        count: usize,
    },
    /// Bytes that no guest makes of a value.
    #[error("{0} can't be read")]
    Payload(&'static str),
    /// Something else than a table with names as keys.
    #[error("{0} must be a table with names as keys")]
    NoTable(&'static str),
    /// A value that can't be compared.
    #[error("{0} may hold booleans, numbers, strings and tables of these, each table once")]
    Value(&'static str),
}

impl Refusal for SecurityError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownPolicy(_) | Self::UnknownGroup(_) => ErrorKind::NotFound,
            _ => ErrorKind::Invalid,
        }
    }
}

/// The policies of a node.
#[derive(Default)]
pub(crate) struct Policies {
    policies: HashMap<EntryId, Arc<Policy>>,
    groups: BTreeMap<EntryId, BTreeSet<EntryId>>,
    strict: bool,
}

impl Policies {
    pub(crate) fn set_strict(&mut self, strict: bool) {
        self.strict = strict;
    }

    /// What a process has that gets neither actor nor scope.
    pub(crate) fn none(&self) -> Security {
        Security::none(self.strict)
    }

    pub(crate) fn define(&mut self, policy: Policy, groups: &[EntryId]) {
        self.groups.retain(|_, members| {
            members.remove(&policy.id);
            !members.is_empty()
        });
        for group in groups {
            self.groups.entry(group.clone()).or_default().insert(policy.id.clone());
        }
        self.policies.insert(policy.id.clone(), Arc::new(policy));
    }

    pub(crate) fn contains(&self, policy: &EntryId) -> Result<(), SecurityError> {
        self.policy(policy).map(drop)
    }

    pub(crate) fn group(&self, group: &EntryId) -> Result<Vec<EntryId>, SecurityError> {
        Ok(self.members(group)?.iter().cloned().collect())
    }

    /// The same security with another actor, another scope, or both.
    ///
    /// Errors: an unknown policy or group, too many policies, an actor whose id or meta can't be used.
    pub(crate) fn change(&self, base: &Security, spec: &SecuritySpec) -> Result<Security, SecurityError> {
        let mut security = base.clone();
        if let Some(actor) = &spec.actor {
            security = security.with_actor(actor.read()?);
        }
        if let Some(scope) = &spec.scope {
            security = security.with_scope(self.scope(scope)?);
        }
        Ok(security)
    }

    fn policy(&self, id: &EntryId) -> Result<&Arc<Policy>, SecurityError> {
        self.policies.get(id).ok_or_else(|| SecurityError::UnknownPolicy(cut(id.as_str(), SHOWN)))
    }

    fn members(&self, group: &EntryId) -> Result<&BTreeSet<EntryId>, SecurityError> {
        self.groups.get(group).ok_or_else(|| SecurityError::UnknownGroup(cut(group.as_str(), SHOWN)))
    }

    /// Each policy once, in the order given.
    fn scope(&self, spec: &ScopeSpec) -> Result<Vec<Arc<Policy>>, SecurityError> {
        let mut members = Vec::new();
        for group in &spec.groups {
            members.extend(self.members(group)?);
        }
        let mut seen = BTreeSet::new();
        let mut scope = Vec::new();
        for id in spec.policies.iter().chain(members) {
            if seen.insert(id) {
                scope.push(Arc::clone(self.policy(id)?));
            }
        }
        if scope.len() > ScopeSpec::MAX_POLICIES {
            return Err(SecurityError::Policies(scope.len()));
        }
        Ok(scope)
    }
}

impl ActorSpec {
    /// An actor whose meta is a table of plain values.
    ///
    /// Errors: an id or meta that can't be used.
    pub fn new(id: &str, meta: Option<&Value>) -> Result<ActorSpec, SecurityError> {
        let spec = ActorSpec { id: id.to_owned(), meta: meta.map(Value::encode) };
        spec.read()?;
        Ok(spec)
    }

    /// An actor whose meta is encoded already. Id and meta are checked when it is used: a spawn with what can't be an
    /// actor is refused.
    pub fn from_payload(id: impl Into<String>, meta: Option<Vec<u8>>) -> ActorSpec {
        ActorSpec { id: id.into(), meta }
    }

    fn read(&self) -> Result<Actor, SecurityError> {
        let meta = self.meta.as_deref().map(|payload| read_table(payload, "meta")).transpose()?;
        let payload = self.meta.as_deref().map(Bytes::copy_from_slice);
        Ok(Actor::new(self.id.clone(), meta.unwrap_or(Attribute::Nil), payload)?)
    }
}

/// A payload that must be a table with names as keys, as policies see it. Other keys are left out: no condition could
/// name them.
pub(crate) fn read_table(payload: &[u8], what: &'static str) -> Result<Attribute, SecurityError> {
    if payload.len() > length::META {
        return Err(SecurityError::Size { what, size: payload.len() });
    }
    let value = Value::decode(payload).map_err(|_| SecurityError::Payload(what))?;
    let count = values(&value);
    if count > length::META_VALUES {
        return Err(SecurityError::Values { what, count });
    }
    match attribute(value).ok_or(SecurityError::Value(what))? {
        // An empty table looks like a list.
        Attribute::List(items) if items.is_empty() => Ok(Attribute::Map(BTreeMap::new())),
        table @ Attribute::Map(_) => Ok(table),
        _ => Err(SecurityError::NoTable(what)),
    }
}

/// How many values it is, those inside of it included. The depth is that of a payload, which has a limit.
fn values(value: &Value) -> usize {
    let inside = match value {
        Value::Array(items) => items.iter().map(values).sum(),
        Value::Map(pairs) => pairs.iter().map(|(key, value)| values(key).saturating_add(values(value))).sum(),
        _ => 0_usize,
    };
    inside.saturating_add(1)
}

/// None: it holds something that can't be compared. The depth is that of a payload, which has a limit.
fn attribute(value: Value) -> Option<Attribute> {
    Some(match value {
        Value::Nil => Attribute::Nil,
        Value::Boolean(value) => Attribute::Boolean(value),
        Value::Integer(value) => Attribute::Integer(value),
        Value::Float(value) => Attribute::Float(value),
        Value::String(bytes) => Attribute::Text(bytes),
        Value::Array(items) => Attribute::List(items.into_iter().map(attribute).collect::<Option<_>>()?),
        Value::Map(pairs) => {
            let mut map = BTreeMap::new();
            for (key, value) in pairs {
                let value = attribute(value)?;
                if let Value::String(key) = key {
                    map.insert(key, value);
                }
            }
            Attribute::Map(map)
        }
        Value::Extension(..) => return None,
    })
}

#[cfg(test)]
mod tests;
