//! Sizes and durations as people write them.
//!
//! Owns `16MiB`, `500kB`, `1h30m`, `250ms`, and what a Lua function takes for a duration. Refuses negative amounts, amounts without
//! a known unit and those that don't fit; never rounds up.

use std::time::Duration;

use lunarium_contract::payload::extension;

use super::Value;

/// Why a text is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SizeError {
    /// Not a number with a known unit.
    #[error("`{0}` is not a size")]
    Malformed(String),
    /// More than 64 bits of bytes.
    #[error("size `{0}` does not fit into 64 bits")]
    TooLarge(String),
}

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DurationError {
    /// Not numbers with known units.
    #[error("`{0}` is not a duration")]
    Malformed(String),
    /// Negative.
    #[error("duration `{0}` is negative")]
    Negative(String),
    /// More than about 292 years.
    #[error("duration `{0}` is too long")]
    TooLong(String),
}

/// Units of a size. `kB` is a thousand bytes, `KiB` 1,024.
const SIZE_UNITS: [(&str, u64); 8] = [
    ("", 1),
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Units of a duration in nanoseconds, as in Go.
const DURATION_UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Bytes of a text such as `16MiB`, `500kB` or `4096`. A fraction is fine with a unit (`1.5MiB`).
///
/// Errors: no number, an unknown unit, more than 64 bits.
pub fn parse_size(text: &str) -> Result<u64, SizeError> {
    let malformed = || SizeError::Malformed(text.to_owned());
    let trimmed = text.trim();
    let (number, unit) = split_number(trimmed);
    let unit = unit.trim_start();
    let (_, factor) = SIZE_UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(malformed)?;
    if unit.is_empty() && number.contains('.') {
        return Err(malformed());
    }
    scaled(number, *factor).ok_or_else(malformed)?.ok_or_else(|| SizeError::TooLarge(text.to_owned()))
}

/// A duration in Go's notation: `300ms`, `1.5h`, `1h30m`, and `0`.
///
/// Errors: no number, an unknown or missing unit, a negative or too long one.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let malformed = || DurationError::Malformed(text.to_owned());
    let too_long = || DurationError::TooLong(text.to_owned());
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if let Some(positive) = rest.strip_prefix('-') {
        return Err(if positive.starts_with(|c: char| c.is_ascii_digit()) {
            DurationError::Negative(text.to_owned())
        } else {
            malformed()
        });
    }
    let mut total: u64 = 0;
    while !rest.is_empty() || total == 0 && text.trim().is_empty() {
        let (number, tail) = split_number(rest);
        let end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, next) = tail.split_at(end);
        let (_, factor) = DURATION_UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(malformed)?;
        let part = scaled(number, *factor).ok_or_else(malformed)?.ok_or_else(too_long)?;
        total = total.checked_add(part).ok_or_else(too_long)?;
        rest = next;
    }
    // The guest counts in signed nanoseconds.
    if i64::try_from(total).is_err() {
        return Err(too_long());
    }
    Ok(Duration::from_nanos(total))
}

fn split_number(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.split_at(end)
}

/// `number` times `factor`, a fraction rounded down. `None`: no number; `Some(None)`: too large.
fn scaled(number: &str, factor: u64) -> Option<Option<u64>> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.len().saturating_add(fraction.len()) == 0 {
        return None;
    }
    let whole = if whole.is_empty() { Some(0) } else { whole.parse::<u64>().ok() };
    // Beyond 18 digits a fraction is below one unit of anything.
    let fraction = fraction.get(..fraction.len().min(18)).unwrap_or_default();
    let numerator = if fraction.is_empty() { 0 } else { fraction.parse::<u128>().ok()? };
    let denominator = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let below_one = numerator.checked_mul(u128::from(factor))?.checked_div(denominator)?;
    let below_one = u64::try_from(below_one).ok()?;
    Some(whole.and_then(|whole| whole.checked_mul(factor)).and_then(|scaled| scaled.checked_add(below_one)))
}

impl Value {
    /// A duration as the functions of scripts take it: text in Go's notation, an integral number of milliseconds, or a Duration.
    ///
    /// Errors: something else; a negative one.
    pub fn to_duration(&self) -> Result<Duration, DurationError> {
        let negative = |shown: String| DurationError::Negative(shown);
        match self {
            Value::String(_) => parse_duration(self.as_str().unwrap_or_default()),
            Value::Integer(millis) => {
                u64::try_from(*millis).map(Duration::from_millis).map_err(|_| negative(millis.to_string()))
            }
            Value::Extension(kind, bytes) if kind.cast_unsigned() == extension::DURATION => {
                let bytes = bytes.as_slice().try_into();
                let malformed = |_| DurationError::Malformed(type_of(self).to_owned());
                let nanos = bytes.map(i64::from_be_bytes).map_err(malformed)?;
                u64::try_from(nanos).map(Duration::from_nanos).map_err(|_| negative(format!("{nanos}ns")))
            }
            other => Err(DurationError::Malformed(type_of(other).to_owned())),
        }
    }
}

/// As Lua names it.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Boolean(_) => "boolean",
        Value::Integer(_) | Value::Float(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) | Value::Map(_) => "table",
        Value::Extension(..) => "value",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{DurationError, SizeError, Value, parse_duration, parse_size};

    #[test]
    fn a_duration_is_text_milliseconds_or_itself() {
        let second = Duration::from_secs(1);
        let itself = |nanos: i64| Value::Extension(4, nanos.to_be_bytes().to_vec());
        for value in [Value::from("1s"), Value::Integer(1000), itself(1_000_000_000)] {
            assert_eq!(value.to_duration(), Ok(second), "{value:?}");
        }
        for value in [Value::from("-1s"), Value::Integer(-1), itself(-1)] {
            assert!(matches!(value.to_duration(), Err(DurationError::Negative(_))), "{value:?}");
        }
        for value in
            [Value::from("soon"), Value::Nil, Value::Float(1.0), Value::Extension(4, vec![1]), Value::String(vec![255])]
        {
            assert!(matches!(value.to_duration(), Err(DurationError::Malformed(_))), "{value:?}");
        }
    }

    #[test]
    fn sizes_are_bytes_or_have_a_unit() {
        let sizes = [
            ("0", 0),
            ("4096", 4096),
            ("12B", 12),
            ("500kB", 500_000),
            ("16MiB", 16 << 20),
            ("1.5MiB", 3 << 19),
            (".5KiB", 512),
            (" 2 GB ", 2_000_000_000),
            ("18446744073709551615", u64::MAX),
        ];
        for (text, bytes) in sizes {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "MiB", "-1", "1.5", "1e3", "16mib", "16 Mi B", "1.2.3MB", ".MiB", "0x10", "１MiB"] {
            assert_eq!(parse_size(text), Err(SizeError::Malformed(text.to_owned())), "{text}");
        }
        for text in ["18446744073709551616", "17179869184GiB", "99999999999999999999999kB"] {
            assert_eq!(parse_size(text), Err(SizeError::TooLarge(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn durations_are_as_in_go() {
        let durations = [
            ("0", 0),
            ("0s", 0),
            ("300ms", 300_000_000),
            ("1.5h", 5_400_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1us", 1_000),
            ("1µs", 1_000),
            ("1μs", 1_000),
            ("7ns", 7),
            (".5s", 500_000_000),
            ("2m0.25s", 120_250_000_000),
        ];
        for (text, nanoseconds) in durations {
            assert_eq!(parse_duration(text), Ok(Duration::from_nanos(nanoseconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", " ", "10", "s", "1 s", "1d", "1h30", "--1s", "-", "+1s", "1.s.s", "soon"] {
            assert_eq!(parse_duration(text), Err(DurationError::Malformed(text.to_owned())), "{text}");
        }
        assert_eq!(parse_duration("-1s"), Err(DurationError::Negative("-1s".to_owned())));
        for text in ["9999999h", "18446744073709551616ns", "9223372036854775808ns"] {
            assert_eq!(parse_duration(text), Err(DurationError::TooLong(text.to_owned())), "{text}");
        }
    }
}
