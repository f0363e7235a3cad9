//! Locks, threads and time: the one place that says whose.
//!
//! Normally the standard library's. In this crate's tests they are shuttle's, which decides who runs when, and time is
//! virtual. Locks have no poison here: nothing foreign runs under one, so what one holds is never half-changed.

use std::sync::PoisonError;
use std::time::Duration;

#[cfg(test)]
use shuttle as base;
#[cfg(not(test))]
use std as base;

pub(crate) use base::sync::atomic;
pub(crate) use base::{thread, thread_local};
#[cfg(not(test))]
pub(crate) use std::time::Instant;
#[cfg(test)]
pub(crate) use virtual_time::{Instant, advance};

pub(crate) type Guard<'a, T> = base::sync::MutexGuard<'a, T>;

#[derive(Default)]
pub(crate) struct Mutex<T>(base::sync::Mutex<T>);

/// A lock, and a wait for a change of what it holds.
#[derive(Default)]
pub(crate) struct Monitor<T> {
    state: Mutex<T>,
    changed: base::sync::Condvar,
}

impl<T> Mutex<T> {
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Monitor<T> {
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        self.state.lock()
    }

    /// Ends the wait of one; of none when nobody waits.
    pub(crate) fn notify_one(&self) {
        self.changed.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.changed.notify_all();
    }

    /// Gives the lock away until it is notified. It may also return without reason.
    pub(crate) fn wait<'a>(&'a self, guard: Guard<'a, T>) -> Guard<'a, T> {
        self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    /// Like `wait`, but at most that long.
    #[cfg(not(test))]
    pub(crate) fn wait_at_most<'a>(&'a self, guard: Guard<'a, T>, bound: Duration) -> Guard<'a, T> {
        self.changed.wait_timeout(guard, bound).unwrap_or_else(PoisonError::into_inner).0
    }

    /// A wait of a tick takes its time. A longer one lasts until it is notified: a test that wants it to end otherwise
    /// lets the time pass and notifies, as the operating system would. So a notification that is lost isn't made good by
    /// a wait that runs out.
    #[cfg(test)]
    pub(crate) fn wait_at_most<'a>(&'a self, guard: Guard<'a, T>, bound: Duration) -> Guard<'a, T> {
        if bound > crate::TICK {
            return self.wait(guard);
        }
        drop(guard);
        thread::yield_now();
        advance(bound);
        self.lock()
    }
}

#[cfg(test)]
mod virtual_time {
    use std::cell::Cell;
    use std::time::Duration;

    // The operating system's thread: all of shuttle's threads of one test are on it.
    std::thread_local! {
        static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    pub(crate) struct Instant(Duration);

    impl Instant {
        pub(crate) fn now() -> Instant {
            Instant(NOW.get())
        }

        pub(crate) fn elapsed(&self) -> Duration {
            NOW.get().saturating_sub(self.0)
        }
    }

    /// Lets time pass.
    pub(crate) fn advance(time: Duration) {
        NOW.set(NOW.get().saturating_add(time));
    }
}
