//! For how long an entry stays: a text such as `1h30m`, integral milliseconds, a Duration; as scripts write durations everywhere.

use std::fmt;
use std::time::Duration;

use lunarium::Value;
use serde::de::{Deserialize, Deserializer, Error};

/// Extension type of a Duration in payloads: nanoseconds, big-endian.
const DURATION: i8 = 4;

const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// More than nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ttl(pub(super) Duration);

struct Fault;

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time is a text such as \"1h30m\", a number of milliseconds, or a Duration; and more than 0")
    }
}

impl<'de> Deserialize<'de> for Ttl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ttl, D::Error> {
        let nanoseconds = match Value::deserialize(deserializer)? {
            Value::Integer(milliseconds) => u64::try_from(milliseconds).ok().and_then(|time| time.checked_mul(1_000_000)),
            Value::Extension(DURATION, bytes) => {
                let nanoseconds = <[u8; 8]>::try_from(bytes.as_slice()).ok().map(i64::from_be_bytes);
                nanoseconds.and_then(|time| u64::try_from(time).ok())
            }
            Value::String(text) => std::str::from_utf8(&text).ok().and_then(parse),
            _ => None,
        };
        let some = nanoseconds.filter(|time| *time > 0).ok_or_else(|| D::Error::custom(Fault))?;
        Ok(Ttl(Duration::from_nanos(some)))
    }
}

/// `1h30m`, `1.5s`: nanoseconds. None: it is none, or longer than can be counted.
fn parse(text: &str) -> Option<u64> {
    let (mut total, mut rest) = (0_u64, text);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(end)?;
        let end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, next) = tail.split_at_checked(end)?;
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(part(number, *factor)?)?;
        rest = next;
    }
    Some(total)
}

fn part(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    // Finer than a nanosecond of an hour.
    let fraction = fraction.get(..fraction.len().min(15))?;
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let parts = if fraction.is_empty() { 0 } else { fraction.parse::<u128>().ok()? };
    let below_one = u64::try_from(parts.checked_mul(u128::from(factor))?.checked_div(scale)?).ok()?;
    whole.checked_mul(factor)?.checked_add(below_one)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn times_are_as_scripts_write_them() {
        for (text, nanoseconds) in [
            ("250ms", Some(250_000_000)),
            ("1h30m", Some(5_400_000_000_000)),
            ("1.5s", Some(1_500_000_000)),
            (".5us", Some(500)),
            ("5", None),
            ("s", None),
            ("1.2.3s", None),
            ("1x", None),
            ("-1s", None),
            ("99999999999999h", None),
        ] {
            assert_eq!(parse(text), nanoseconds, "{text}");
        }
    }
}
