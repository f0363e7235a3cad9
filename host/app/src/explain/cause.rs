//! What ended a process, where that is one of the runtime's own reasons.
//!
//! Owns how a cause is recognised, so that whoever has advice to give needs no message. A script can put the same into an
//! error of its own; the advice then fits what it says.

use lunarium_engine::{ErrorKind, Failure, LimitName, Value};

/// Why a process was ended, or couldn't go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// It reached a limit: `details().limit`.
    Limit(LimitName),
    /// Nothing can wake any of its coroutines: `details().reason` is `deadlock`.
    Deadlock,
    /// Its chunk returned nothing that could run: `details().reason` is `nothing_to_run`.
    NothingToRun,
}

impl Cause {
    /// The cause of a failure; none where it isn't the runtime's own.
    pub fn of(failure: &Failure) -> Option<Self> {
        match failure.kind {
            ErrorKind::ResourceExhausted => LimitName::parse(&detail(failure, "limit")?).map(Self::Limit),
            ErrorKind::Internal if has_reason(failure, "deadlock") => Some(Self::Deadlock),
            ErrorKind::Invalid if has_reason(failure, "nothing_to_run") => Some(Self::NothingToRun),
            _ => by_words(failure),
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

fn has_reason(failure: &Failure, reason: &str) -> bool {
    detail(failure, "reason").is_some_and(|written| written == reason)
}

/// A text among the details.
fn detail(failure: &Failure, key: &str) -> Option<String> {
    let Ok(Value::Map(pairs)) = Value::decode(failure.details.as_ref()?) else { return None };
    let (_, value) = pairs.iter().find(|(name, _)| name.as_str() == Some(key))?;
    value.as_str().map(str::to_owned)
}

/// A guest that gives no reason says it in these words.
fn by_words(failure: &Failure) -> Option<Cause> {
    match failure.kind {
        ErrorKind::Internal if failure.message == "all coroutines blocked" => Some(Cause::Deadlock),
        ErrorKind::Invalid if failure.message.starts_with("the chunk returned nil,") => Some(Cause::NothingToRun),
        _ => None,
    }
}
