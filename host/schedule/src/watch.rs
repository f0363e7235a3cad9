//! Whether anything of a share runs or is about to: for who has to know that nothing more happens by itself.
//!
//! Owns a count of what is under way. A share that nobody watches has none, and costs a look at an option. Refuses to know what
//! is counted: tasks count themselves while they are queued or polled, others hold a [`Hold`].

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::contain::contain;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicUsize, Ordering};

/// Counts what is under way of the shares that were made with it.
#[derive(Default)]
pub struct Watch {
    busy: AtomicUsize,
    waiting: Mutex<Vec<Waker>>,
}

/// Something is under way until this is dropped.
#[derive(Debug)]
#[must_use = "it is over when this is dropped"]
pub struct Hold(Arc<Watch>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Watch {
    /// Something is under way that is no task.
    pub fn hold(self: &Arc<Self>) -> Hold {
        self.begin();
        self.begun()
    }

    /// What has begun already, until it is over.
    pub(crate) fn begun(self: &Arc<Self>) -> Hold {
        Hold(Arc::clone(self))
    }

    /// Waits for a moment in which no task is queued or polled, and nothing is held. From then on something happens only if
    /// somebody outside does something: a timer, a message from elsewhere. A task that is watched would wait for itself.
    ///
    /// Cancel safety: nothing is changed by waiting.
    pub async fn settled(&self) {
        poll_fn(|context| self.poll_settled(context)).await;
    }

    fn poll_settled(&self, context: &Context<'_>) -> Poll<()> {
        let mut waiting = self.waiting.lock();
        waiting.retain(|waker| !waker.will_wake(context.waker()));
        waiting.push(context.waker().clone());
        drop(waiting);
        // After it has put itself down: who ends last looks there.
        if self.busy.load(Ordering::SeqCst) == 0 { Poll::Ready(()) } else { Poll::Pending }
    }

    pub(crate) fn begin(&self) {
        self.busy.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn end(&self) {
        if self.busy.fetch_sub(1, Ordering::SeqCst) == 1 {
            let waiting = std::mem::take(&mut *self.waiting.lock());
            waiting.into_iter().for_each(|waker| contain(|| waker.wake()));
        }
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
