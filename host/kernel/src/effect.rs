//! What the kernel tells the engine to do. Owns the order in which it must be done. Does nothing itself.

use crate::{Event, Name, Outcome, Pid};

/// One thing to do. Effects are performed in the order in which they come out of [`poll_effect`], which promises:
///
/// * Ends: `Ended` of a process comes before everything that its end causes: first EXITs, then LINK_DOWNs, then the
///   `Reply` to who executed it. And nothing is delivered to a process after its `Ended`.
/// * Names: `Named` and `Unnamed` come in the order of the changes, one for each. A name that is held is never `Named`,
///   and one that isn't never `Unnamed`: a table that follows them equals the registry when all effects are drained.
///   `Unnamed` of a process's names, and of all who end with it, come before the first `Ended` among them: so before
///   anybody is told. Nothing of a process's names comes after its `Ended`. Ends of several causes, as of two deadlines
///   that have passed, come one after the other, each with its names.
///
/// When an effect comes out, the kernel's state has long changed: names are free and the pid is dead.
///
/// [`poll_effect`]: crate::Kernel::poll_effect
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
