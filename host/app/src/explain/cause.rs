//! What ended a process, where that is one of the runtime's own reasons.
//!
//! Owns how a cause is recognised, so that whoever has advice to give needs no message. A script can put the same into an
//! error of its own; the advice then fits what it says.

use lunarium_engine::{ErrorKind, Failure, LimitName, Value};
use lunarium_kernel::Budget;

/// Why a process was ended, or couldn't go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// It reached a limit: `details().limit`.
    Limit(LimitName),
    /// All processes of its host together hold as much as they may: `details().limit` is `host.memory`.
    HostMemory,
    /// All processes of the node do, or of the engine: `node.memory`, `engine.memory`.
    NodeMemory,
    /// Nothing can wake any of its coroutines: `details().reason` is `deadlock`.
    Deadlock,
    /// Its chunk returned nothing that could run: `details().reason` is `nothing_to_run`.
    NothingToRun,
}

impl Cause {
    /// The cause of a failure; none where it isn't the runtime's own.
    pub fn of(failure: &Failure) -> Option<Self> {
        let Value::Map(details) = Value::decode(failure.details.as_ref()?).ok()? else { return None };
        let detail = |key: &str| details.iter().find(|(name, _)| name.as_str() == Some(key))?.1.as_str();
        match failure.kind {
            ErrorKind::ResourceExhausted => match detail("limit")? {
                Budget::HOST_MEMORY => Some(Self::HostMemory),
                Budget::NODE_MEMORY | Budget::ENGINE_MEMORY => Some(Self::NodeMemory),
                name => LimitName::parse(name).map(Self::Limit),
            },
            ErrorKind::Internal => (detail("reason")? == "deadlock").then_some(Self::Deadlock),
            ErrorKind::Invalid => (detail("reason")? == "nothing_to_run").then_some(Self::NothingToRun),
            _ => None,
        }
    }
}

/// The limit that ended the process, if one did.
pub fn reached_limit(failure: &Failure) -> Option<LimitName> {
    match Cause::of(failure) {
        Some(Cause::Limit(name)) => Some(name),
        _ => None,
    }
}
