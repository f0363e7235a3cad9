//! How long tasks wait for a worker, of a sample: one of so many that are queued.
//!
//! Owns which are measured, and the counts. Two looks at a clock for each task would cost as much as a message; so what every task pays
//! is a count that its worker alone writes, and a look at its member. Refuses to judge: a delay is a number.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::clock::nanoseconds;
use crate::queues::Urgency;

/// One of so many is measured. A prime: what is queued in turns of two, of ten or of sixty-four is measured all the same.
const EVERY: u32 = 61;

/// The most that each count of a [`Delay`] is of, but for the last, which has no bound. From what a wake-up in a worker's own slot
/// takes to what nobody waits for; a slice is 2 ms.
pub const DELAY_BOUNDS: [Duration; 15] = [
    Duration::from_micros(10),
    Duration::from_micros(100),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(10),
];

const COUNTS: usize = DELAY_BOUNDS.len() + 1;

/// How long tasks of one urgency have waited, of those that were measured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delay {
    /// How many waited at most as long as the bound of the same place and longer than the one before; the last: longer than all.
    pub counts: [u64; COUNTS],
    /// How long all of them did.
    pub sum: Duration,
}

impl Delay {
    /// Adds what was measured elsewhere.
    pub(crate) fn add(&mut self, measured: &Measured) {
        for (count, more) in self.counts.iter_mut().zip(&measured.counts) {
            *count = count.saturating_add(more.load(Relaxed));
        }
        self.sum = self.sum.saturating_add(Duration::from_nanos(measured.sum.load(Relaxed)));
    }
}

/// Chooses which are measured, of those whom one thread queues, or several.
#[derive(Default)]
pub(crate) struct Sample(AtomicU32);

impl Sample {
    /// Whether this one is. For one thread, which pays no locked instruction.
    pub(crate) fn takes_alone(&self) -> bool {
        let count = self.0.load(Relaxed);
        self.0.store(if count + 1 == EVERY { 0 } else { count + 1 }, Relaxed);
        count == 0
    }

    /// The same for several.
    pub(crate) fn takes(&self) -> bool {
        self.0.fetch_add(1, Relaxed).is_multiple_of(EVERY)
    }
}

/// What a worker has measured.
#[derive(Default)]
pub(crate) struct Delays {
    woken: Measured,
    preempted: Measured,
    background: Measured,
}

/// Of one urgency.
#[derive(Default)]
pub(crate) struct Measured {
    counts: [AtomicU64; COUNTS],
    sum: AtomicU64,
}

impl Delays {
    pub(crate) fn of(&self, urgency: Urgency) -> &Measured {
        match urgency {
            Urgency::Woken => &self.woken,
            Urgency::Preempted => &self.preempted,
            Urgency::Background => &self.background,
        }
    }
}

impl Measured {
    /// One has waited for so many nanoseconds.
    pub(crate) fn note(&self, waited: u64) {
        let place = DELAY_BOUNDS.iter().position(|bound| waited <= nanoseconds(*bound));
        if let Some(count) = self.counts.get(place.unwrap_or(DELAY_BOUNDS.len())) {
            count.fetch_add(1, Relaxed);
        }
        self.sum.fetch_add(waited, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{DELAY_BOUNDS, Delay, EVERY, Measured, Sample};

    #[test]
    fn a_delay_counts_for_the_first_bound_that_it_does_not_exceed() {
        let (measured, other) = (Measured::default(), Measured::default());
        for waited in [0, 10_000, 10_001, 2_000_000, 10_000_000_001, u64::MAX / 2] {
            measured.note(waited);
        }
        other.note(1);
        let mut delay = Delay::default();
        delay.add(&measured);
        delay.add(&other);
        assert!(DELAY_BOUNDS.is_sorted());
        assert_eq!(delay.counts, [3, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!(delay.sum, Duration::from_nanos(10_002_020_003 + u64::MAX / 2));
    }

    #[test]
    fn one_of_so_many_is_measured_and_the_first_is() {
        let sampled = |takes: fn(&Sample) -> bool| {
            let sample = Sample::default();
            (0..3 * EVERY).filter(|_| takes(&sample)).collect::<Vec<_>>()
        };
        assert_eq!(sampled(Sample::takes_alone), [0, EVERY, 2 * EVERY]);
        assert_eq!(sampled(Sample::takes), [0, EVERY, 2 * EVERY]);
    }
}
