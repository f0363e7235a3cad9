//! Who waits for the answer to a call: another process, or the embedder.
//!
//! Owns how they are told. Refuses to decide what.

use std::sync::{Arc, Weak};

use lunarium_kernel::Outcome;
use lunarium_schedule::TimerKey;
use tokio::sync::oneshot;

use super::Process;

/// Who waits for one answer.
pub(crate) struct Asker {
    who: Who,
    /// Ends the wait.
    pub(crate) timer: Option<TimerKey>,
}

enum Who {
    /// A process, by this request. Not held: it may end first.
    Process(Weak<Process>, u64),
    /// The embedder.
    Host(oneshot::Sender<Outcome>),
}

impl Asker {
    pub(crate) fn process(process: &Arc<Process>, request: u64) -> Asker {
        Asker { who: Who::Process(Arc::downgrade(process), request), timer: None }
    }

    pub(crate) fn host() -> (Asker, oneshot::Receiver<Outcome>) {
        let (sender, receiver) = oneshot::channel();
        (Asker { who: Who::Host(sender), timer: None }, receiver)
    }

    /// Tells what has come of the call. The process, when too much lies there that it hasn't been told.
    #[must_use]
    pub(crate) fn tell(self, outcome: Outcome) -> Option<Arc<Process>> {
        match self.who {
            Who::Process(process, request) => {
                let process = process.upgrade()?;
                process.reply(request, outcome).then_some(process)
            }
            Who::Host(sender) => {
                // Who has gone doesn't want to know.
                let _ = sender.send(outcome);
                None
            }
        }
    }
}
