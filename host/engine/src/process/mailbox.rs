//! A process that the embedder reads: a mailbox without an instance.
//!
//! Owns how its reader takes what has come, and is woken. The reader's waker is a stranger, and a message or an event may come under
//! any lock; so what comes wakes a task of the scheduler's, and that wakes the reader, with no lock held.

use std::task::{Context, Poll, Waker};

use lunarium_kernel::{BatchLimits, Item, Unread};
use parking_lot::Mutex;

use super::Process;
use lunarium_schedule::contain;

/// What is taken is received with that, so it is taken one by one.
const ONE: BatchLimits = BatchLimits { items: 1, bytes: u64::MAX };

/// Who waits for what comes.
#[derive(Default)]
pub(crate) struct Reader {
    waker: Mutex<Option<Waker>>,
}

impl Reader {
    /// The next thing that has come. None: the mailbox has ended.
    pub(crate) fn poll(&self, process: &Process, context: &Context<'_>) -> Poll<Option<Item>> {
        // Before the look: what comes after it finds whom to wake.
        let before = self.waker.lock().replace(context.waker().clone());
        drop(before);
        let taken = process.take_item();
        if taken.is_ready() {
            let waker = self.waker.lock().take();
            drop(waker);
        }
        taken
    }

    /// Wakes the reader when something is there, whenever that changes. Ready: the mailbox has ended.
    pub(crate) fn poll_forward(&self, process: &Process, context: &Context<'_>) -> Poll<()> {
        let (ready, ended) = process.watch_arrivals(context.waker());
        if ready || ended {
            let waker = self.waker.lock().take();
            if let Some(waker) = waker {
                contain(|| waker.wake());
            }
        }
        if ended { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Process {
    fn take_item(&self) -> Poll<Option<Item>> {
        let mut arrivals = self.arrivals.lock();
        if arrivals.inbox.is_closed() {
            return Poll::Ready(None);
        }
        let Some(item) = arrivals.inbox.take(ONE, u64::MAX).items.pop() else { return Poll::Pending };
        arrivals.inbox.park(Unread::default(), &[]);
        arrivals.settle();
        Poll::Ready(Some(item))
    }

    /// Keeps who is woken by what comes next: whether something is there, and whether it has ended.
    fn watch_arrivals(&self, waker: &Waker) -> (bool, bool) {
        let mut arrivals = self.arrivals.lock();
        arrivals.waker = Some(waker.clone());
        (arrivals.inbox.has_deliverable(u64::MAX), arrivals.inbox.is_closed())
    }
}
