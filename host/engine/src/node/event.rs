//! What can happen on a node, for whoever watches it.
//!
//! Owns that an event is small whatever a script has chosen: texts are cut, results and details aren't carried.

use std::sync::Arc;
use std::time::Duration;

use lunarium_kernel::{EntryId, ErrorKind, Failure, Outcome, Pid, SHOWN, cut};

use crate::value::Value;

/// Bytes of a message in an event.
const MESSAGE: usize = 1024;

/// Bytes of details that are looked at for the name of a limit. What the runtime writes has forty.
const DETAILS: usize = 256;

/// Something has happened. From [`Node::events`](crate::Node::events).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum NodeEvent {
    /// A process was accepted. It comes before everything else about the process.
    Spawned {
        /// The process.
        pid: Pid,
        /// What it runs.
        entry: EntryId,
        /// Who has started it; none: the embedding program.
        parent: Option<Pid>,
    },
    /// A process has ended. It comes once, and nothing about the process comes after it.
    Ended {
        /// The process.
        pid: Pid,
        /// What it ran.
        entry: EntryId,
        /// How.
        ending: Ending,
    },
    /// A process goes on as another program, or as the same one anew.
    Upgraded {
        /// The process.
        pid: Pid,
        /// What it ran.
        from: EntryId,
        /// What it runs now.
        to: EntryId,
    },
    /// A spawn, a send or a call was refused by a policy, a limit or a budget.
    Refused {
        /// Who asked; none: the embedding program.
        by: Option<Pid>,
        /// What for: `process.spawn`, `process.send`, and so on, as policies name it.
        action: &'static str,
        /// Of whom or what: a pid, a name, an entry. Cut at 64 bytes.
        target: String,
        /// The error's kind.
        kind: ErrorKind,
        /// The error's text. Cut at 1 KiB.
        message: String,
        /// The limit or budget that was reached, as `details().limit` has it.
        limit: Option<String>,
    },
    /// A process has reached a limit or a budget, and goes on: lines of its log are dropped (told once, until one is written
    /// again), or its memory doesn't grow.
    LimitReached {
        /// The process.
        pid: Pid,
        /// Which, as `details().limit` has it.
        limit: String,
    },
    /// Something has changed about a service.
    Service {
        /// Its id.
        service: EntryId,
        /// What.
        change: ServiceStep,
    },
    /// The reader was too slow: so many events before the next one are lost for it.
    Missed {
        /// How many.
        events: u64,
    },
}

impl NodeEvent {
    /// The limit or budget that it tells of.
    pub fn limit(&self) -> Option<&str> {
        match self {
            NodeEvent::Ended { ending: Ending::Failed { limit, .. }, .. } | NodeEvent::Refused { limit, .. } => {
                limit.as_deref()
            }
            NodeEvent::LimitReached { limit, .. } => Some(limit),
            _ => None,
        }
    }
}

/// How a process has ended: an [`Outcome`] without what may be large.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// Normally.
    Completed,
    /// Abnormally.
    Failed {
        /// The failure's kind.
        kind: ErrorKind,
        /// Its text. Cut at 1 KiB.
        message: Arc<str>,
        /// The limit or budget that has ended it, as its details say. A script's own error may claim one, too.
        limit: Option<String>,
    },
}

impl Ending {
    /// The same without its result or details.
    pub fn of(outcome: &Outcome) -> Ending {
        outcome.failure().map_or(Ending::Completed, |failure| Ending::failed(failure))
    }

    /// A failure without its details.
    pub fn failed(failure: &Failure) -> Ending {
        let message = cut(&failure.message, MESSAGE).into();
        Ending::Failed { kind: failure.kind, message, limit: limit(failure) }
    }
}

fn limit(failure: &Failure) -> Option<String> {
    let details = failure.details.as_ref().filter(|details| details.len() <= DETAILS)?;
    Value::decode(details).ok()?.get("limit")?.as_str().map(str::to_owned)
}

/// What has happened to a service: what `lunarium-app` tells, without what may be large.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceStep {
    /// Its process has started: those that depend on it can.
    Started {
        /// The process.
        pid: Pid,
    },
    /// Its process has ended normally, and its work is done.
    Done {
        /// The process.
        pid: Pid,
    },
    /// It has failed, and starts again after a while.
    Restarting {
        /// The process that failed; none when it wasn't accepted.
        pid: Option<Pid>,
        /// Why.
        ending: Ending,
        /// Until the next start.
        delay: Duration,
        /// The how-manieth in a row this will be, from 1.
        attempt: u32,
    },
    /// It has failed, every attempt behind it: it doesn't start again.
    GivenUp {
        /// The process that failed last; none when it wasn't accepted.
        pid: Option<Pid>,
        /// Why.
        ending: Ending,
        /// How often it was started again in a row.
        attempts: u32,
    },
    /// It never starts, because one that it depends on was given up or never starts.
    NotStarted {
        /// That one.
        needs: EntryId,
    },
    /// Its process has ended while all services stop.
    Stopped {
        /// The process.
        pid: Pid,
        /// How.
        ending: Ending,
    },
}

/// A refusal. One by a policy, a limit or a budget is counted and an event; what merely isn't there or is mistaken isn't.
pub(crate) struct Refused<'r> {
    pub(crate) by: Option<&'r Pid>,
    pub(crate) action: &'static str,
    pub(crate) target: &'r str,
    pub(crate) kind: ErrorKind,
    pub(crate) message: &'r str,
    pub(crate) limit: Option<&'r str>,
}

impl Refused<'_> {
    pub(crate) fn is_noted(&self) -> bool {
        self.limit.is_some() || self.kind == ErrorKind::PermissionDenied
    }

    pub(crate) fn event(&self) -> NodeEvent {
        NodeEvent::Refused {
            by: self.by.cloned(),
            action: self.action,
            target: cut(self.target, SHOWN),
            kind: self.kind,
            message: cut(self.message, MESSAGE),
            limit: self.limit.map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use lunarium_kernel::{ErrorKind, Failure, Outcome};

    use super::Ending;
    use crate::value::Value;

    fn ending(message: String, details: Option<Value>) -> Ending {
        let details = details.map(|details| Bytes::from(details.encode()));
        Ending::of(&Outcome::failed(Failure { details, ..Failure::new(ErrorKind::Internal, message) }))
    }

    fn limit_of(ending: &Ending) -> Option<&str> {
        let Ending::Failed { limit, .. } = ending else { panic!("{ending:?}") };
        limit.as_deref()
    }

    #[test]
    fn an_event_is_small_whatever_a_script_chose() {
        let Ending::Failed { message, .. } = ending("é".repeat(10_000), None) else { panic!("failed") };
        assert!(message.len() <= 1_030, "{}", message.len());
        let of = |pairs| limit_of(&ending(String::new(), Some(Value::Map(pairs)))).map(str::to_owned);
        let pair = |key: &str, value: Value| (Value::from(key), value);
        let other = || pair("list", Value::Array(vec![Value::Nil; 3]));
        assert_eq!(of(vec![other(), pair("limit", Value::from("cpu"))]).as_deref(), Some("cpu"));
        assert_eq!(of(vec![pair("limit", Value::from("x".repeat(300).as_str()))]), None);
        assert_eq!(of(vec![pair("limit", Value::Integer(3))]), None);
        assert_eq!(limit_of(&ending(String::new(), Some(Value::Array(Vec::new())))), None);
        assert_eq!(Ending::of(&Outcome::Completed(Bytes::new())), Ending::Completed);
    }
}
