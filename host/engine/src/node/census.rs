//! Counts things that are alive, and tells when none is left.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lunarium_schedule::contain;
use tokio::sync::Notify;

#[derive(Default)]
pub(crate) struct Census {
    count: AtomicUsize,
    empty: Notify,
}

/// One living thing; dropped, it is counted out.
pub(crate) struct Counted(Arc<Census>);

impl Census {
    pub(crate) fn enter(self: &Arc<Census>) -> Counted {
        self.count.fetch_add(1, Ordering::SeqCst);
        Counted(Arc::clone(self))
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Waits until nothing is alive.
    pub(crate) async fn empty(&self) {
        loop {
            let mut empty = pin!(self.empty.notified());
            empty.as_mut().enable();
            if self.count() == 0 {
                return;
            }
            empty.await;
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            // Wakers of the embedder's.
            contain(|| self.0.empty.notify_waiters());
        }
    }
}
