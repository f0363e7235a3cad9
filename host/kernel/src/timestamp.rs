//! A point in time, as an argument. Owns the unit; never asks a clock.

use std::time::Duration;

/// Nanoseconds since the Unix epoch, 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From nanoseconds since the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Seconds since the Unix epoch; as a float it keeps about a quarter of a microsecond.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The time that [`Timestamp::as_seconds`] tells, as exactly as that does. What is no time is the nearest one.
    pub fn from_seconds(seconds: f64) -> Self {
        Self((seconds * 1e9).round() as i64)
    }

    /// This time plus a duration. At the limit: the latest time there is (in the year 2262).
    pub fn saturating_add(self, duration: Duration) -> Self {
        let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(nanos))
    }

    /// How long it is from `earlier` to this time; zero when it isn't earlier.
    pub fn since(self, earlier: Self) -> Duration {
        let nanos = i128::from(self.0) - i128::from(earlier.0);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;
    use std::time::Duration;

    #[test]
    fn adding_stops_at_the_latest_time() {
        let late = Timestamp::from_nanos(i64::MAX - 1);
        assert_eq!(late.saturating_add(Duration::MAX), Timestamp::from_nanos(i64::MAX));
    }

    #[test]
    fn the_way_back_is_zero() {
        let (a, b) = (Timestamp::from_nanos(i64::MIN), Timestamp::from_nanos(i64::MAX));
        assert_eq!(a.since(b), Duration::ZERO);
        assert_eq!(b.since(a), Duration::from_nanos(u64::MAX));
    }
}
