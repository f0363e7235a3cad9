//! What the kernel tells the engine to do. Owns the order in which it must be done. Does nothing itself.

use crate::{Event, Name, Outcome, Pid};

/// One thing to do. Effects are performed in the order in which they come out of [`poll_effect`], which promises:
///
/// * Ends: `Ended` of a process comes before everything that its end causes: first EXITs, then LINK_DOWNs to who traps
///   links, then the `Reply` to who executed it, then those to who waits for a change of its groups. And nothing is delivered to a process after its `Ended`. The ends of
///   who was linked with it or executed by it come later, each in its turn ([`handle_consequence`]), and so do the
///   LINK_DOWNs of who traps links by then: a process is told of failures in their order.
/// * Names: `Named` and `Unnamed` come in the order of the changes, one for each. A name that is held is never `Named`,
///   and one that isn't never `Unnamed`: a table that follows them equals the registry when all effects are drained.
///   `Unnamed` of a process's names come before its `Ended`: so before anybody is told. Nothing of a process's names
///   comes after its `Ended`.
///
/// One call ends one process at most.
///
/// When an effect comes out, the kernel's state has long changed: names are free and the pid is dead.
///
/// [`poll_effect`]: crate::Kernel::poll_effect
/// [`handle_consequence`]: crate::Kernel::handle_consequence
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A process has got a name, which nobody had before: by its spawn, or registered.
    Named {
        /// Which name.
        name: Name,
        /// Who has it.
        pid: Pid,
    },
    /// Nobody has this name any more.
    Unnamed {
        /// Which name.
        name: Name,
    },
    /// Put an event into a process's mailbox and wake it. A mailbox that isn't there any more is no error.
    Deliver {
        /// The receiver.
        to: Pid,
        /// What it is told.
        event: Event,
    },
    /// Answer a request of a process and wake it: a process that it executed has ended, or a group that it watches has changed. Exactly
    /// one for each, unless the caller has ended too. One that has upgraded meanwhile knows nothing of the request.
    Reply {
        /// The caller.
        to: Pid,
        /// Which request: the `exec` of the spawn, or that of the watch.
        request: u64,
        /// How the executed process ended; `true` for a group.
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
