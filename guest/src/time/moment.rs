//! Points in time: a moment and the zone in which it reads. Owns their range and arithmetic; their texts
//! are `date.rs`'s, zones `zone.rs`'s.

use jiff::Timestamp;
use jiff::civil::DateTime;
use lunarium_contract::payload::{FIRST_SECOND, LAST_SECOND};

use super::zone::{Zone, Zones};

/// A moment, and the zone in which it reads. Two are equal, or one before the other, by the moment alone.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    /// Unix seconds.
    pub seconds: i64,
    /// Below a second.
    pub nanoseconds: u32,
    pub zone: Zone,
}

/// In nanoseconds.
pub const SECOND: i128 = 1_000_000_000;

/// Nanoseconds from the year 1, where `round` and `truncate` begin to count, to 1970.
const ERA: i128 = 62_135_596_800 * SECOND;

/// What a call says that would leave them.
pub const OUT_OF_RANGE: &str = "time is not from 0000-01-02 to 9999-12-30";

impl Time {
    /// Of a clock that may show anything.
    pub fn nearest(seconds: i64, nanoseconds: u32) -> Self {
        Self { seconds: seconds.clamp(FIRST_SECOND, LAST_SECOND), nanoseconds, zone: Zone::Utc }
    }

    /// None: out of range.
    pub fn from_unix(seconds: i64, nanoseconds: u32, zone: Zone) -> Option<Self> {
        let fits = (FIRST_SECOND..=LAST_SECOND).contains(&seconds) && i128::from(nanoseconds) < SECOND;
        fits.then_some(Self { seconds, nanoseconds, zone })
    }

    /// From nanoseconds since 1970. None: out of range.
    pub fn from_nanoseconds(total: i128, zone: Zone) -> Option<Self> {
        let seconds = i64::try_from(total.div_euclid(SECOND)).ok()?;
        Self::from_unix(seconds, total.rem_euclid(SECOND) as u32, zone)
    }

    /// None: out of range.
    pub fn of(moment: Timestamp, zone: Zone) -> Option<Self> {
        Self::from_nanoseconds(moment.as_nanosecond(), zone)
    }

    /// Nanoseconds since 1970.
    pub fn total(self) -> i128 {
        i128::from(self.seconds) * SECOND + i128::from(self.nanoseconds)
    }

    pub fn timestamp(self) -> Timestamp {
        // Within jiff's range, which is wider.
        Timestamp::new(self.seconds, self.nanoseconds as i32).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// What clocks and calendars of its zone show.
    pub fn civil(self, zones: &Zones) -> DateTime {
        let moment = self.timestamp();
        zones.offset(self.zone, moment).to_datetime(moment)
    }

    /// So many nanoseconds later. None: out of range.
    pub fn later(self, nanoseconds: i128) -> Option<Self> {
        Self::from_nanoseconds(self.total() + nanoseconds, self.zone)
    }

    /// Whether it is Go's zero time: the beginning of the year 1.
    pub fn is_zero(self) -> bool {
        self.total() + ERA == 0
    }

    /// Nanoseconds since the last multiple of `unit`, counted from the year 1, as Go does. `unit` isn't zero.
    pub fn since_multiple(self, unit: i128) -> i128 {
        (self.total() + ERA).rem_euclid(unit)
    }
}
