//! Monotonic time, as an argument. Owns the unit; never asks a clock.
//!
//! What is due goes by it: a wall clock may be set while somebody waits. [`Timestamp`] is what people and scripts see.

use std::time::Duration;

use crate::Timestamp;

/// Nanoseconds since the engine started. It only grows, whatever happens to the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uptime(u64);

impl Uptime {
    /// From nanoseconds since the engine started.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the engine started.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// This time plus a duration. At the limit: the latest time there is, after 584 years.
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// How long it is from `earlier` to this time; zero when it isn't earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A deadline in both times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// When it passes.
    pub due: Uptime,
    /// What the CANCEL tells the script. Nothing is decided by it.
    pub shown: Timestamp,
}

impl Deadline {
    /// So long after this moment.
    pub fn after(now: Uptime, at: Timestamp, delay: Duration) -> Self {
        Self { due: now.saturating_add(delay), shown: at.saturating_add(delay) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Deadline, Uptime};
    use crate::Timestamp;
    use std::time::Duration;

    #[test]
    fn adding_stops_at_the_latest_time_and_the_way_back_is_zero() {
        let late = Uptime::from_nanos(u64::MAX - 1);
        assert_eq!(late.saturating_add(Duration::MAX), Uptime::from_nanos(u64::MAX));
        assert_eq!(Uptime::default().since(late), Duration::ZERO);
        assert_eq!(late.since(Uptime::from_nanos(1)), Duration::from_nanos(u64::MAX - 2));
    }

    #[test]
    fn a_deadline_is_as_far_in_both_times() {
        let deadline = Deadline::after(Uptime::from_nanos(5), Timestamp::from_nanos(-7), Duration::from_nanos(3));
        assert_eq!(deadline, Deadline { due: Uptime::from_nanos(8), shown: Timestamp::from_nanos(-4) });
    }
}
