//! Lua's times and durations as std's: `SystemTime` and `Duration`.
//!
//! Owns their bytes in a payload, their ranges, and how a type is known to be one of them: by the name and the fields that serde gives it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lunarium_contract::payload::{FIRST_SECOND, LAST_SECOND, extension};
use serde::Deserialize;
use serde::de::value::MapDeserializer;
use serde::de::{IgnoredAny, Visitor};

use super::read::{ReadError, Reader};
use super::{Value, WriteError};

/// A type that isn't a table to Lua.
#[derive(Clone, Copy)]
pub(super) enum Std {
    Time,
    Duration,
}

impl Std {
    /// The type of this name, with so many fields.
    pub(super) fn named(name: &str, count: usize) -> Option<Std> {
        match (name, count) {
            ("SystemTime", 2) => Some(Std::Time),
            ("Duration", 2) => Some(Std::Duration),
            _ => None,
        }
    }

    /// The type of this name, if it has std's fields too: a program's own type may be called the same.
    pub(super) fn of(name: &str, fields: &[&str]) -> Option<Std> {
        Std::named(name, fields.len()).filter(|std| std.fields() == fields)
    }

    fn fields(self) -> [&'static str; 2] {
        match self {
            Std::Time => ["secs_since_epoch", "nanos_since_epoch"],
            Std::Duration => ["secs", "nanos"],
        }
    }

    /// As Lua names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Std::Time => "time",
            Std::Duration => "duration",
        }
    }

    /// The extension that it is.
    pub(super) fn kind(self) -> u8 {
        match self {
            Std::Time => extension::TIME,
            Std::Duration => extension::DURATION,
        }
    }

    /// Reads the bytes of that extension.
    pub(super) fn read<'p, V: Visitor<'p>>(self, bytes: &[u8], visitor: V) -> Result<V::Value, ReadError> {
        let (seconds, nanoseconds) = match self {
            Std::Time => {
                let (seconds, nanoseconds) = seconds(bytes)?;
                (u64::try_from(seconds).map_err(|_| ReadError::new("time is before 1970"))?, nanoseconds)
            }
            Std::Duration => duration(bytes).map(|duration| (duration.as_secs(), duration.subsec_nanos()))?,
        };
        let [first, second] = self.fields();
        visitor.visit_map(MapDeserializer::new([(first, seconds), (second, nanoseconds.into())].into_iter()))
    }

    /// What a payload with a table of its fields is as a value. None: they aren't std's.
    pub(super) fn write(self, table: &[u8]) -> Option<Result<Value, WriteError>> {
        let mut reader = Reader::new(table);
        match self {
            Std::Time => SystemTime::deserialize(&mut reader).ok().map(Value::try_from),
            Std::Duration => Duration::deserialize(&mut reader).ok().map(Value::try_from),
        }
    }
}

const OUT_OF_RANGE: &str = "is a time that isn't from 0000-01-02 to 9999-12-30";
const TOO_LONG: &str = "is a duration of more than 292 years";

impl Value {
    /// The moment, if it is a time; its zone isn't told.
    pub fn as_time(&self) -> Option<SystemTime> {
        let Value::Extension(kind, bytes) = self else { return None };
        if kind.cast_unsigned() != extension::TIME {
            return None;
        }
        let (seconds, nanoseconds) = seconds(bytes).ok()?;
        let whole = Duration::from_secs(seconds.unsigned_abs());
        let second = if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
        second?.checked_add(Duration::from_nanos(nanoseconds.into()))
    }

    /// The duration, if it is one and not less than zero.
    pub fn as_duration(&self) -> Option<Duration> {
        match self {
            Value::Extension(kind, bytes) if kind.cast_unsigned() == extension::DURATION => duration(bytes).ok(),
            _ => None,
        }
    }

    /// A time; one beyond its range is the first or the last there is.
    pub(crate) fn nearest_time(time: SystemTime) -> Value {
        let (seconds, nanoseconds) = unix(time);
        let bytes = time_bytes(seconds.clamp(FIRST_SECOND, LAST_SECOND), nanoseconds).unwrap_or_default();
        Value::Extension(extension::TIME.cast_signed(), bytes)
    }
}

/// Errors: years that aren't of four digits.
impl TryFrom<SystemTime> for Value {
    type Error = WriteError;

    fn try_from(time: SystemTime) -> Result<Value, WriteError> {
        let (seconds, nanoseconds) = unix(time);
        let bytes = time_bytes(seconds, nanoseconds).ok_or_else(|| WriteError::new(OUT_OF_RANGE))?;
        Ok(Value::Extension(extension::TIME.cast_signed(), bytes))
    }
}

/// Errors: more nanoseconds than an integer of Lua's has.
impl TryFrom<Duration> for Value {
    type Error = WriteError;

    fn try_from(duration: Duration) -> Result<Value, WriteError> {
        let nanoseconds = nanoseconds(duration).ok_or_else(|| WriteError::new(TOO_LONG))?;
        Ok(Value::Extension(extension::DURATION.cast_signed(), nanoseconds.to_be_bytes().to_vec()))
    }
}

/// Unix seconds, and nanoseconds forwards from there.
fn unix(time: SystemTime) -> (i64, u32) {
    let whole = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (whole(after), after.subsec_nanos()),
        Err(before) => {
            let before = before.duration();
            let seconds = whole(before).saturating_neg();
            match before.subsec_nanos() {
                0 => (seconds, 0),
                nanoseconds => (seconds.saturating_sub(1), 1_000_000_000_u32.saturating_sub(nanoseconds)),
            }
        }
    }
}

/// None: out of range.
fn time_bytes(seconds: i64, nanoseconds: u32) -> Option<Vec<u8>> {
    let fits = (FIRST_SECOND..=LAST_SECOND).contains(&seconds);
    let fields = [Value::Integer(seconds), Value::Integer(nanoseconds.into()), Value::from("UTC")];
    fits.then(|| Value::Array(fields.into()).encode())
}

/// None: out of range.
fn nanoseconds(duration: Duration) -> Option<i64> {
    i64::try_from(duration.as_nanos()).ok()
}

/// A guest's: nothing about it is believed.
fn seconds(bytes: &[u8]) -> Result<(i64, u32), ReadError> {
    let (seconds, nanoseconds, _zone) = <(i64, u32, IgnoredAny)>::deserialize(&mut Reader::new(bytes))?;
    if (FIRST_SECOND..=LAST_SECOND).contains(&seconds) && nanoseconds < 1_000_000_000 {
        Ok((seconds, nanoseconds))
    } else {
        Err(ReadError::new("corrupt payload"))
    }
}

fn duration(bytes: &[u8]) -> Result<Duration, ReadError> {
    let nanoseconds = bytes.try_into().map(i64::from_be_bytes).map_err(|_| ReadError::new("corrupt payload"))?;
    u64::try_from(nanoseconds).map(Duration::from_nanos).map_err(|_| ReadError::new("duration is less than zero"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_beyond_its_range_is_refused_or_the_last_one() {
        let beyond = UNIX_EPOCH + Duration::from_secs(LAST_SECOND.unsigned_abs() + 1);
        assert_eq!(Value::try_from(beyond).unwrap_err().to_string(), OUT_OF_RANGE);
        let last = Value::nearest_time(beyond).as_time();
        assert_eq!(last, Some(UNIX_EPOCH + Duration::from_secs(LAST_SECOND.unsigned_abs())));
        assert_eq!(Value::try_from(Duration::MAX).unwrap_err().to_string(), TOO_LONG);
    }

    #[test]
    fn what_a_guest_made_up_is_none() {
        let time = |bytes: &[u8]| Value::Extension(extension::TIME.cast_signed(), bytes.to_vec()).as_time();
        let made = |fields: Vec<Value>| time(&Value::Array(fields).encode());
        let zone = Value::from("UTC");
        assert!(made(vec![Value::Integer(1), Value::Integer(2), zone.clone()]).is_some());
        assert_eq!(made(vec![Value::Integer(1), Value::Integer(1_000_000_000), zone.clone()]), None);
        assert_eq!(made(vec![Value::Integer(i64::MIN), Value::Integer(0), zone.clone()]), None);
        assert_eq!(made(vec![Value::Integer(1), Value::Integer(-2), zone]), None);
        assert_eq!(made(vec![Value::Integer(1), Value::Integer(2)]), None);
        assert_eq!((time(&[]), time(&[0xc1]), time(&[0xdd, 0xff, 0xff, 0xff, 0xff])), (None, None, None));
        let duration = |bytes: &[u8]| Value::Extension(extension::DURATION.cast_signed(), bytes.to_vec()).as_duration();
        assert_eq!((duration(&[]), duration(&[0; 9]), duration(&[0xff; 8])), (None, None, None));
        assert_eq!(duration(&[0; 8]), Some(Duration::ZERO));
    }
}
