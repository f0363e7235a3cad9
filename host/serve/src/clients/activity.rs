//! Whether a connection is in use.
//!
//! Owns since when it is idle: whoever looks for a place has that of the one that nobody would miss. Closes nothing.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use tokio::sync::Notify;

/// One connection.
#[derive(Debug)]
pub(crate) struct Activity {
    /// Requests under way.
    requests: AtomicUsize,
    /// Its other end has to read before more can be written.
    is_stalled: AtomicBool,
    idle_since: AtomicU64,
    /// Counts the ends of requests, of all connections: what has been idle for longer has a smaller number.
    clock: Arc<AtomicU64>,
    leaves: Notify,
}

impl Activity {
    /// Idle from now on.
    pub(crate) fn new(clock: &Arc<AtomicU64>) -> Self {
        Self {
            requests: AtomicUsize::new(0),
            is_stalled: AtomicBool::new(false),
            idle_since: AtomicU64::new(clock.fetch_add(1, Relaxed)),
            clock: Arc::clone(clock),
            leaves: Notify::new(),
        }
    }

    /// Nobody asks for anything, and nobody has to read.
    pub(crate) fn is_idle(&self) -> bool {
        self.requests.load(Relaxed) == 0 && !self.is_stalled()
    }

    /// Since when, by the clock.
    pub(crate) fn idle_since(&self) -> u64 {
        self.idle_since.load(Relaxed)
    }

    pub(crate) fn is_stalled(&self) -> bool {
        self.is_stalled.load(Relaxed)
    }

    /// Whether the other end has to read before more can be written.
    pub(crate) fn set_stalled(&self, stalled: bool) {
        self.is_stalled.store(stalled, Relaxed);
    }

    /// Its place is somebody else's.
    pub(crate) fn leave(&self) {
        self.leaves.notify_one();
    }

    /// Waits until it is.
    pub(crate) async fn leaves(&self) {
        self.leaves.notified().await;
    }
}

/// A request under way, until it is dropped.
#[derive(Debug)]
pub(crate) struct Busy<A: Deref<Target = Activity>>(A);

impl<A: Deref<Target = Activity>> Busy<A> {
    /// It has come.
    pub(crate) fn begin(activity: A) -> Self {
        activity.requests.fetch_add(1, Relaxed);
        Self(activity)
    }
}

impl<A: Deref<Target = Activity>> Drop for Busy<A> {
    fn drop(&mut self) {
        self.0.idle_since.store(self.0.clock.fetch_add(1, Relaxed), Relaxed);
        self.0.requests.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Activity, Busy};

    #[test]
    fn who_is_asked_or_has_to_read_is_not_idle_and_the_end_of_the_last_request_counts() {
        let clock = Arc::default();
        let (one, two) = (Activity::new(&clock), Activity::new(&clock));
        assert!(one.is_idle() && one.idle_since() < two.idle_since());
        let (first, second) = (Busy::begin(&one), Busy::begin(&one));
        drop(first);
        assert!(!one.is_idle());
        drop(second);
        assert!(one.is_idle() && one.idle_since() > two.idle_since());
        one.set_stalled(true);
        assert!(!one.is_idle());
        one.set_stalled(false);
        assert!(one.is_idle());
    }
}
