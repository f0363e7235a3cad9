//! What the embedding program wants of a process the next time it waits: to be looked at, or to go on as another program.
//!
//! Owns that it is told once, and that nothing is kept of who has ended. What it becomes was checked before.

use std::sync::mpsc::Sender;

use super::{AtRest, Process, wake};
use crate::catalogue::Program;

impl Process {
    /// Asks the runner to look at the instance at rest; who has ended, or has none, never answers, and drops `reply`.
    pub(crate) fn inspect(&self, reply: Sender<AtRest>) {
        let mut arrivals = self.arrivals.lock();
        if self.is_mailbox || arrivals.inbox.is_closed() {
            return;
        }
        arrivals.inspections.push(reply);
        wake(arrivals);
    }

    /// The process goes on as this the next time it waits, unless it has ended, or has no program.
    pub(crate) fn order_upgrade(&self, program: Program) {
        let mut arrivals = self.arrivals.lock();
        if self.is_mailbox || arrivals.inbox.is_closed() {
            return;
        }
        let replaced = arrivals.ordered.replace(Box::new(program));
        wake(arrivals);
        drop(replaced);
    }
}
