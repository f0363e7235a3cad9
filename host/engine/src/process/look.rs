//! A process as somebody sees it who only looks.
//!
//! Owns what its own lock has to be taken for, once. Changes nothing and wakes nobody.

use std::sync::Arc;

use lunarium_kernel::Limits;

use super::Process;
use crate::catalogue::Code;

/// What a process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProcessState {
    /// It has no instance yet: it is queued for its start, or for the start of what it upgrades to.
    Starting,
    /// It runs, or could: it is queued for a worker.
    Running,
    /// It waits for a message, an event, a time or an answer; or it is a mailbox of the embedding program's.
    Waiting,
}

/// What is seen with one taking of the lock.
pub(crate) struct Look {
    pub(crate) code: Arc<Code>,
    pub(crate) state: ProcessState,
    /// Messages that its script hasn't received.
    pub(crate) messages: u64,
    /// Their bytes.
    pub(crate) message_bytes: u64,
    /// Calls that it hasn't answered.
    pub(crate) calls: usize,
}

impl Process {
    pub(crate) fn look(&self) -> Look {
        let arrivals = self.arrivals.lock();
        let mailbox = arrivals.inbox.mailbox();
        let state = match (self.is_mailbox || arrivals.waker.is_some(), self.life.is_running()) {
            (true, _) => ProcessState::Waiting,
            (false, true) => ProcessState::Running,
            (false, false) => ProcessState::Starting,
        };
        Look {
            code: Arc::clone(&arrivals.code),
            state,
            messages: mailbox.unread_messages(),
            message_bytes: mailbox.unread_bytes(),
            calls: arrivals.inbox.calls_under_way(),
        }
    }

    /// Messages that its script hasn't received, and their bytes; what it has accepted is counted above.
    pub(crate) fn depth(&self) -> (u64, u64) {
        let mut arrivals = self.arrivals.lock();
        arrivals.count_accepted();
        let mailbox = arrivals.inbox.mailbox();
        (mailbox.unread_messages(), mailbox.unread_bytes())
    }

    /// Its limits.
    pub(crate) fn limits(&self) -> Limits {
        self.arrivals.lock().limits.clone()
    }
}
