//! Spans of time: Go's notation both ways. Knows no points in time.

use std::fmt;

/// A span of time in nanoseconds: up to 292 years either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration(pub i64);

pub const MICROSECOND: i64 = 1_000;
pub const MILLISECOND: i64 = 1_000_000;
pub const SECOND: i64 = 1_000_000_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;

impl Duration {
    /// Reads Go's notation: `1h30m`, `1.5s`, `-2ms`, `0`.
    ///
    /// Errors: what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fault = || format!("`{}` is not a duration", shorten(text));
        let (negative, mut rest) = match text.as_bytes().first() {
            Some(b'-') => (true, text.get(1..).unwrap_or_default()),
            Some(b'+') => (false, text.get(1..).unwrap_or_default()),
            _ => (false, text),
        };
        if rest == "0" {
            return Ok(Self(0));
        }
        if rest.is_empty() {
            return Err(fault());
        }
        let mut total = 0i128;
        while !rest.is_empty() {
            let (part, after) = parse_part(rest).ok_or_else(fault)?;
            // Each part is below 2^64 * 3.6e12, and the text is short: no overflow before this check.
            total += part;
            if total > i64::MAX.into() {
                return Err(format!("duration `{}` is longer than 292 years", shorten(text)));
            }
            rest = after;
        }
        let total = if negative { -total } else { total };
        i64::try_from(total).map(Self).map_err(|_| fault())
    }
}

/// A hostile text must not come back whole in an error.
pub fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

/// One number with its unit, in nanoseconds, and what follows.
fn parse_part(text: &str) -> Option<(i128, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, mut rest) = text.split_at_checked(digits(text))?;
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        (fraction, rest) = after.split_at_checked(digits(after))?;
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // Longest first: "ms" begins with "m".
    let units = [
        ("ns", 1),
        ("us", MICROSECOND),
        ("\u{b5}s", MICROSECOND),
        ("\u{3bc}s", MICROSECOND),
        ("ms", MILLISECOND),
        ("s", SECOND),
        ("m", MINUTE),
        ("h", HOUR),
    ];
    let (unit, after) = units.iter().find_map(|(name, worth)| Some((i128::from(*worth), rest.strip_prefix(name)?)))?;
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // 18 digits are finer than a nanosecond of an hour; more would overflow.
    let fraction = fraction.get(..fraction.len().min(18))?;
    let scale = 10i128.pow(fraction.len() as u32);
    let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    Some((i128::from(whole) * unit + part * unit / scale, after))
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.unsigned_abs();
        if size == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let fraction = |f: &mut fmt::Formatter<'_>, size: u64, unit: u64, name: &str| {
            let digits = format!("{:0width$}", size % unit, width = unit.ilog10() as usize);
            let digits = digits.trim_end_matches('0');
            let dot = if digits.is_empty() || unit == 1 { "" } else { "." };
            let digits = if unit == 1 { "" } else { digits };
            write!(f, "{}{dot}{digits}{name}", size / unit)
        };
        match size {
            0..1_000 => fraction(f, size, 1, "ns"),
            1_000..1_000_000 => fraction(f, size, 1_000, "\u{b5}s"),
            1_000_000..1_000_000_000 => fraction(f, size, 1_000_000, "ms"),
            _ => {
                let seconds = size / 1_000_000_000;
                if seconds >= 3600 {
                    write!(f, "{}h", seconds / 3600)?;
                }
                if seconds >= 60 {
                    write!(f, "{}m", seconds / 60 % 60)?;
                }
                fraction(f, size % (60 * 1_000_000_000), 1_000_000_000, "s")
            }
        }
    }
}
