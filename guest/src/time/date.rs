//! Points in time as people write them. Owns the texts' defaults (RFC 3339, UTC, midnight) and their limits; the calendar,
//! strftime's language and the zones' rules are jiff's. Errors are said in words.

use std::fmt::Write as _;

use jiff::Span;
use jiff::civil::{Date, DateTime, Time as Clock};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::fmt::temporal::{DateTimeParser, Pieces, PiecesOffset, TimeZoneAnnotationKind};
use jiff::tz::Offset;

use super::layout::strftime;
use super::moment::{OUT_OF_RANGE, Time};
use super::zone::{Zone, Zones, write_offset};

/// Longest pattern and longest text to parse, in bytes. At the limit: `INVALID`. The number: a pattern may ask for 255
/// characters in two or three.
const LONGEST: usize = 255;

// ---- From numbers

/// What clocks of the zone show, as year, month, day, hour, minute, second, nanosecond.
///
/// Errors: what is wrong with which of them.
pub fn of_parts(zones: &Zones, parts: [i64; 7], zone: Zone) -> Result<Time, String> {
    civil(parts).and_then(|civil| place(zones, civil, zone))
}

fn civil(numbers: [i64; 7]) -> Result<DateTime, String> {
    let [year, month, day, hour, minute, second, nanosecond] = numbers;
    within("year", year, 0, 9999)?;
    within("month", month, 1, 12)?;
    let first = Date::new(year as i16, month as i8, 1).map_err(|error| error.to_string())?;
    let days = i64::from(first.days_in_month());
    if !(1..=days).contains(&day) {
        return Err(format!("day {day} is not from 1 to {days}, the days of {year:04}-{month:02}"));
    }
    within("hour", hour, 0, 23)?;
    within("minute", minute, 0, 59)?;
    within("second", second, 0, 59)?;
    within("nanosecond", nanosecond, 0, 999_999_999)?;
    DateTime::new(year as i16, month as i8, day as i8, hour as i8, minute as i8, second as i8, nanosecond as i32)
        .map_err(|error| error.to_string())
}

fn within(name: &str, number: i64, least: i64, most: i64) -> Result<(), String> {
    if (least..=most).contains(&number) {
        Ok(())
    } else {
        Err(format!("{name} {number} is not from {least} to {most}"))
    }
}

/// The Time at which clocks of the zone show this.
fn place(zones: &Zones, civil: DateTime, zone: Zone) -> Result<Time, String> {
    let moment = zones.moment(zone, civil).and_then(|moment| Time::of(moment, zone));
    moment.ok_or_else(|| OUT_OF_RANGE.to_owned())
}

/// So many years, months and days later, at the same hour. As in Go: a day that the month doesn't have is one of the next month.
/// None: out of range.
pub fn later_on_calendar(time: Time, zones: &Zones, [years, months, days]: [i64; 3]) -> Option<Time> {
    let civil = time.civil(zones);
    let months = i64::from(civil.year()).checked_add(years)?.checked_mul(12)?.checked_add(months)?;
    let months = months.checked_add(i64::from(civil.month()) - 1)?;
    let year = i16::try_from(months.div_euclid(12)).ok()?;
    let first = Date::new(year, (months.rem_euclid(12) + 1) as i8, 1).ok()?;
    let days = i64::from(civil.day() - 1).checked_add(days)?;
    let date = first.checked_add(Span::new().try_days(days).ok()?).ok()?;
    let moment = zones.moment(time.zone, date.to_datetime(civil.time()))?;
    Time::of(moment, time.zone)
}

// ---- From text

/// Why a text, or a pattern, is too long, if it is.
pub fn too_long(what: &str, text: &str) -> Option<String> {
    (text.len() > LONGEST).then(|| format!("{what} has {} bytes, the limit is {LONGEST}", text.len()))
}

/// The point in time that a text says, by a pattern of strftime's language, or RFC 3339.
///
/// Errors: why it says none.
pub fn read(zones: &Zones, text: &str, pattern: Option<&str>) -> Result<Time, String> {
    if let Some(pattern) = pattern {
        if let Some(meant) = strftime(text).filter(|_| !pattern.contains('%')) {
            return Err(format!(
                "`{text}` is a layout: the text comes first, `time.parse(\"{pattern}\", \"{meant}\")`"
            ));
        }
        not_a_layout(pattern)?;
    }
    let read = match pattern {
        None => read_default(zones, text),
        Some(pattern) => read_pattern(zones, text, pattern),
    };
    read.map_err(|why| format!("`{text}` is not a time: {why}"))
}

/// RFC 3339, and what jiff reads besides: RFC 9557's zone in brackets, and parts left out.
fn read_default(zones: &Zones, text: &str) -> Result<Time, String> {
    let pieces: Pieces<'_> = DateTimeParser::new().parse_pieces(text).map_err(|error| error.to_string())?;
    let civil = pieces.date().to_datetime(pieces.time().unwrap_or(Clock::midnight()));
    let zone = match pieces.time_zone_annotation().map(|annotation| annotation.kind()) {
        None => None,
        Some(TimeZoneAnnotationKind::Named(name)) => Some(find(name.as_str())?),
        Some(TimeZoneAnnotationKind::Offset(offset)) => Some(Zone::fixed(offset.seconds()).unwrap_or(Zone::Utc)),
        Some(_) => return Err("its zone is of an unknown form".to_owned()),
    };
    match pieces.offset() {
        None => place(zones, civil, zone.unwrap_or(Zone::Utc)),
        // `Z` says which moment it is, and nothing of what clocks show there.
        Some(PiecesOffset::Zulu) if zone.is_some() => {
            let moment = Offset::UTC.to_timestamp(civil).ok();
            let moment = moment.and_then(|moment| Time::of(moment, zone.unwrap_or(Zone::Utc)));
            moment.ok_or_else(|| OUT_OF_RANGE.to_owned())
        }
        Some(offset) => join(zones, civil, offset.to_numeric_offset(), zone),
    }
}

fn read_pattern(zones: &Zones, text: &str, pattern: &str) -> Result<Time, String> {
    let parts = BrokenDownTime::parse(pattern, text).map_err(|error| error.to_string())?;
    let zone = parts.iana_time_zone().map(find).transpose()?;
    if let Some(moment) = parts.timestamp() {
        let fixed = parts.offset().and_then(|offset| Zone::fixed(offset.seconds()));
        let made = Time::of(moment, zone.or(fixed).unwrap_or(Zone::Utc));
        return made.ok_or_else(|| OUT_OF_RANGE.to_owned());
    }
    let civil = parts.to_datetime().map_err(|error| error.to_string())?;
    match parts.offset() {
        Some(offset) => join(zones, civil, offset, zone),
        None => place(zones, civil, zone.unwrap_or(Zone::Utc)),
    }
}

/// The Time at which clocks at this offset show this. A zone that is named too has to agree.
fn join(zones: &Zones, civil: DateTime, offset: Offset, zone: Option<Zone>) -> Result<Time, String> {
    let moment = offset.to_timestamp(civil).map_err(|_| OUT_OF_RANGE.to_owned())?;
    let fixed = Zone::fixed(offset.seconds()).unwrap_or(Zone::Utc);
    if let Some(zone) = zone
        && zones.offset(zone, moment) != offset
    {
        return Err(format!("{zone} is not at {fixed} then"));
    }
    Time::of(moment, zone.unwrap_or(fixed)).ok_or_else(|| OUT_OF_RANGE.to_owned())
}

fn find(name: &str) -> Result<Zone, String> {
    Zone::find(name).ok_or_else(|| format!("zone `{name}` is unknown"))
}

// ---- To text

/// RFC 3339, with as many decimals as it takes.
pub fn rfc3339(time: Time, zones: &Zones) -> String {
    let civil = time.civil(zones);
    let mut text = format!("{:04}-{:02}-{:02}", civil.year(), civil.month(), civil.day());
    // Writing to a String can't fail.
    let _ = write!(text, "T{:02}:{:02}:{:02}", civil.hour(), civil.minute(), civil.second());
    if time.nanoseconds > 0 {
        let digits = format!("{:09}", time.nanoseconds);
        let _ = write!(text, ".{}", digits.trim_end_matches('0'));
    }
    let _ = match time.zone {
        Zone::Utc => text.write_char('Z'),
        zone => write_offset(&mut text, zones.offset(zone, time.timestamp()).seconds()),
    };
    text
}

/// A layout of Go's, `15:04:05`, is text to strftime, and would print itself.
fn not_a_layout(pattern: &str) -> Result<(), String> {
    match strftime(pattern) {
        Some(meant) => Err(format!("pattern `{pattern}` is a layout of Go's: strftime's pattern is `{meant}`")),
        None => Ok(()),
    }
}

/// By a pattern of strftime's language.
///
/// Errors: the pattern is none.
pub fn format_by(time: Time, zones: &Zones, pattern: &str) -> Result<String, String> {
    not_a_layout(pattern)?;
    let zoned = time.timestamp().to_zoned(zones.get(time.zone));
    let written = BrokenDownTime::from(&zoned).to_string(pattern);
    written.map_err(|why| format!("pattern `{pattern}` can't be used: {why}"))
}
