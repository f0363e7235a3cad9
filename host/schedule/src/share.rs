//! Whose a task is: shares of the workers' time, and how much of it each has had.
//!
//! Owns the arithmetic: the virtual time of a share, by its weight, and how long a member runs from one wait to the next.
//! Refuses to know what waits: the queues do.

use std::sync::Arc;
// Numbers that nobody waits for: the standard library's, under test too.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::clock::{TICK, nanoseconds};

/// A share of the workers: the tasks of one owner, which count together. Beside others it gets time by its weight, and
/// what these leave. Two shares of the same weight get the same, however many tasks each has. Its tasks are of one
/// scheduler.
#[derive(Debug)]
pub struct Share {
    id: u64,
    weight: u64,
    /// Virtual time: nanoseconds used, divided by the weight. Changed under the queues' lock.
    time: AtomicU64,
    /// Nanoseconds that the weight hasn't divided yet. Changed under the queues' lock.
    rest: AtomicU64,
}

/// A task as one of a share.
#[derive(Debug)]
pub struct Member {
    share: Arc<Share>,
    /// Nanoseconds that it runs from one wait to the next: a quarter of the last time, and three of what it was before. So
    /// who runs for long every second time is long, and one that was held up once, by the machine, isn't.
    burst: AtomicU64,
}

/// The longest burst, in nanoseconds: a slice. What is longer says nothing about how fast it reacts.
const LONGEST_BURST: u64 = 2 * TICK.as_nanos() as u64;

impl Share {
    /// The weight of who has no reason for another.
    pub const WEIGHT: u32 = 100;

    /// A share of this weight, 1 at least.
    pub fn new(weight: u32) -> Arc<Share> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Arc::new(Share {
            id: NEXT.fetch_add(1, Relaxed),
            weight: u64::from(weight.max(1)),
            time: AtomicU64::new(0),
            rest: AtomicU64::new(0),
        })
    }

    /// Its place among the shares: the least is next.
    pub(crate) fn place(&self) -> (u64, u64) {
        (self.time.load(Relaxed), self.id)
    }

    /// It had nothing to run and has now: what it didn't use meanwhile is gone.
    pub(crate) fn arrive(&self, now: u64) {
        self.time.fetch_max(now, Relaxed);
    }

    /// It has used this many nanoseconds.
    pub(crate) fn charge(&self, used: u64) {
        let owed = self.rest.load(Relaxed).saturating_add(used);
        let time = self.time.load(Relaxed).saturating_add(owed / self.weight);
        self.time.store(time, Relaxed);
        self.rest.store(owed % self.weight, Relaxed);
    }
}

impl Member {
    /// Another one of this share.
    pub fn of(share: &Arc<Share>) -> Arc<Member> {
        Arc::new(Member { share: Arc::clone(share), burst: AtomicU64::new(0) })
    }

    /// It waits now, and has run for `used` since it last did. Whoever polls a task measures that anyway; one of whom
    /// nothing is told counts as short.
    pub fn waits(&self, used: Duration) {
        let used = nanoseconds(used).min(LONGEST_BURST);
        let before = self.burst.load(Relaxed).saturating_mul(3);
        self.burst.store(before.saturating_add(used) / 4, Relaxed);
    }

    pub(crate) fn share(&self) -> &Arc<Share> {
        &self.share
    }

    pub(crate) fn burst(&self) -> u64 {
        self.burst.load(Relaxed)
    }
}
