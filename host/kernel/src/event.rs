//! What a process is told of others. Owns the three kinds of event. Does not deliver them: an [`Effect`] does.
//!
//! [`Effect`]: crate::Effect

use crate::{Outcome, Pid, Timestamp};

/// An event for one process. It is never refused by a mailbox and doesn't count as a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A monitored process has ended: exactly one for each monitor.
    Exit {
        /// Who ended.
        from: Pid,
        /// How.
        outcome: Outcome,
        /// When.
        at: Timestamp,
    },
    /// A linked process has ended abnormally, and the receiver traps links.
    LinkDown {
        /// Who ended.
        from: Pid,
        /// How.
        outcome: Outcome,
        /// When.
        at: Timestamp,
    },
    /// The receiver is asked to end.
    Cancel {
        /// Who asks; none: the runtime.
        from: Option<Pid>,
        /// When it will be terminated; none: nothing is forced.
        deadline: Option<Timestamp>,
        /// When it was asked.
        at: Timestamp,
    },
}

impl Event {
    /// Whose CANCEL it is, by the number of the pid (inner none: the runtime's): of two of one sender the later one can
    /// stand for both. None: it isn't a CANCEL.
    pub(crate) fn canceler(&self) -> Option<Option<u64>> {
        match self {
            Self::Cancel { from, .. } => Some(from.as_ref().map(Pid::number)),
            _ => None,
        }
    }

    /// Bytes that it holds on the host, without its own frame.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Exit { outcome, .. } | Self::LinkDown { outcome, .. } => outcome.size(),
            Self::Cancel { .. } => 0,
        }
    }
}
