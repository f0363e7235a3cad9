//! What the kernel tells the engine to do. Owns the order in which it must be done. Does nothing itself.

use crate::{Event, Outcome, Pid};

/// One thing to do. Effects are performed in the order in which they come out of [`poll_effect`], which promises:
/// `Ended` of a process comes before everything that its end causes: first EXITs, then LINK_DOWNs, then the `Reply` to who
/// executed it. And nothing is delivered to a process after its `Ended`. When an effect comes out, the kernel's state
/// has long changed: names are free and the pid is dead.
///
/// [`poll_effect`]: crate::Kernel::poll_effect
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Put an event into a process's mailbox and wake it. A mailbox that isn't there any more is no error.
    Deliver {
        /// The receiver.
        to: Pid,
        /// What it is told.
        event: Event,
    },
    /// Answer a request of a process and wake it: a process that it executed has ended. Exactly one for each, unless
    /// the caller has ended too. One that has upgraded meanwhile knows nothing of the request.
    Reply {
        /// The caller.
        to: Pid,
        /// Which request: the `exec` of the spawn.
        request: u64,
        /// How the executed process ended.
        outcome: Outcome,
    },
    /// A process has ended: exactly one for each.
    Ended {
        /// Who ended.
        pid: Pid,
        /// How.
        outcome: Outcome,
        /// True: the instance may still run, stop it (terminated, failed link, deadline). False: it reported its end
        /// itself.
        forced: bool,
    },
}
