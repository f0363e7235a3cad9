//! `time` as far as it needs no waiting: the functions that make points in time, and the Time object's methods and
//! operators, those with durations too. Owns arguments and results only: range and arithmetic are `time/moment.rs`'s,
//! and waiting for a point in time is `prelude/timer.lua`'s.

use std::ffi::{CStr, c_int};

use jiff::civil::DateTime;

use super::date::{format, zone_argument};
use super::duration::{self, check_argument};
use crate::lua::{Function, Lua};
use crate::state::error::invalid;
use crate::state::object::{Object, define};
use crate::time::date::{later_on_calendar, rfc3339};
use crate::time::duration::Duration;
use crate::time::moment::{OUT_OF_RANGE, SECOND, Time};
use crate::time::zone::Zone;

// ---- Functions

extern "C-unwind" fn now(lua: Lua) -> c_int {
    let (seconds, nanoseconds) = lua.context().host.wall();
    Time::nearest(seconds, nanoseconds).push(lua);
    1
}

/// A function's results: the Time, or `nil, err`.
fn give(lua: Lua, time: Option<Time>) -> c_int {
    match time {
        Some(time) => {
            time.push(lua);
            1
        }
        None => invalid(lua, OUT_OF_RANGE),
    }
}

/// `unix(seconds [, nanoseconds])`
extern "C-unwind" fn unix(lua: Lua) -> c_int {
    if lua.is_absent(1) {
        return invalid(lua, "seconds are missing");
    }
    let part = |index| lua.check_integer(index);
    let nanoseconds = if lua.is_absent(2) { 0 } else { part(2) };
    give(lua, Time::from_nanoseconds(i128::from(part(1)) * SECOND + i128::from(nanoseconds), Zone::Utc))
}

/// `time:add(duration)`; the operator too, in any order
extern "C-unwind" fn add(lua: Lua) -> c_int {
    let (time, duration) = match Time::at(lua, 1) {
        Some(time) => (time, 2),
        // `duration + time`
        None => (Time::check(lua, 2), 1),
    };
    // A Duration may be negative here, unlike where one waits for it.
    let change = match Duration::at(lua, duration) {
        Some(Duration(change)) => change.into(),
        None => match check_argument(lua, duration) {
            Some(change) => change.into(),
            None => return 2,
        },
    };
    give(lua, time.later(change))
}

/// What an operator can't return as `nil, err` it raises. Expects `count` results on the stack.
fn or_raise(lua: Lua, count: c_int) -> c_int {
    if count == 2 {
        lua.raise();
    }
    count
}

/// `+` of both types
extern "C-unwind" fn plus(lua: Lua) -> c_int {
    if Time::at(lua, 1).is_none() && Time::at(lua, 2).is_none() {
        return duration::add(lua);
    }
    or_raise(lua, add(lua))
}

/// The Duration from the argument to this; beyond 292 years, that.
extern "C-unwind" fn sub(lua: Lua) -> c_int {
    let (a, b) = both(lua);
    let span = (a - b).clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    Duration(span).push(lua);
    1
}

/// `time - time` is a Duration, `time - duration` a Time.
extern "C-unwind" fn minus(lua: Lua) -> c_int {
    let Some(Duration(change)) = Duration::at(lua, 2) else { return sub(lua) };
    let time = Time::check(lua, 1);
    or_raise(lua, give(lua, time.later(-i128::from(change))))
}

/// The Time, how far it is past a multiple of the duration argument, and that duration. None: it is unusable, and
/// `nil, err` is pushed.
fn remainder(lua: Lua) -> Option<(Time, i128, i128)> {
    let time = Time::check(lua, 1);
    let unit = i128::from(check_argument(lua, 2)?);
    if unit == 0 {
        invalid(lua, "duration is zero");
        return None;
    }
    Some((time, time.since_multiple(unit), unit))
}

extern "C-unwind" fn truncate(lua: Lua) -> c_int {
    let Some((time, over, _)) = remainder(lua) else { return 2 };
    give(lua, time.later(-over))
}

/// To the nearest multiple; from halfway up.
extern "C-unwind" fn round(lua: Lua) -> c_int {
    let Some((time, over, unit)) = remainder(lua) else { return 2 };
    give(lua, time.later(if 2 * over < unit { -over } else { unit - over }))
}

/// Both Times' nanoseconds since 1970.
fn both(lua: Lua) -> (i128, i128) {
    (Time::check(lua, 1).total(), Time::check(lua, 2).total())
}

extern "C-unwind" fn after(lua: Lua) -> c_int {
    let (a, b) = both(lua);
    lua.push_boolean(a > b);
    1
}

extern "C-unwind" fn before(lua: Lua) -> c_int {
    let (a, b) = both(lua);
    lua.push_boolean(a < b);
    1
}

extern "C-unwind" fn not_after(lua: Lua) -> c_int {
    let (a, b) = both(lua);
    lua.push_boolean(a <= b);
    1
}

extern "C-unwind" fn equal(lua: Lua) -> c_int {
    let (a, b) = both(lua);
    lua.push_boolean(a == b);
    1
}

/// `==` also compares with other userdata.
extern "C-unwind" fn same(lua: Lua) -> c_int {
    let total = |index| Time::at(lua, index).map(Time::total);
    lua.push_boolean(total(1).is_some() && total(1) == total(2));
    1
}

extern "C-unwind" fn unix_nano(lua: Lua) -> c_int {
    let Ok(total) = i64::try_from(Time::check(lua, 1).total()) else {
        return invalid(lua, "time is out of the range of 64 bits of nanoseconds");
    };
    lua.push_integer(total);
    1
}

extern "C-unwind" fn text(lua: Lua) -> c_int {
    let time = Time::check(lua, 1);
    lua.push_owned(rfc3339(time, &lua.context().zones));
    1
}

extern "C-unwind" fn utc(lua: Lua) -> c_int {
    Time { zone: Zone::Utc, ..Time::check(lua, 1) }.push(lua);
    1
}

/// `time:in_location(zone)`: the same moment, as it reads there.
extern "C-unwind" fn in_location(lua: Lua) -> c_int {
    let time = Time::check(lua, 1);
    let Some(zone) = zone_argument(lua, 2) else { return 2 };
    Time { zone, ..time }.push(lua);
    1
}

extern "C-unwind" fn of_unix(lua: Lua) -> c_int {
    lua.push_integer(Time::check(lua, 1).seconds);
    1
}

extern "C-unwind" fn nanosecond(lua: Lua) -> c_int {
    lua.push_integer(Time::check(lua, 1).nanoseconds.into());
    1
}

macro_rules! civil_fields {
    ($($name:ident($civil:ident) $value:expr;)*) => {
        $(extern "C-unwind" fn $name(lua: Lua) -> c_int {
            let $civil = Time::check(lua, 1).civil(&lua.context().zones);
            lua.push_integer($value.into());
            1
        })*
    };
}

civil_fields! {
    year(civil) civil.year();
    month(civil) civil.month();
    day(civil) civil.day();
    hour(civil) civil.hour();
    minute(civil) civil.minute();
    second(civil) civil.second();
    // From 0 on Sunday, as in Go.
    weekday(civil) civil.weekday().to_sunday_zero_offset();
    // From 1 on the first of January.
    year_day(civil) civil.day_of_year();
}

/// `time:add_date(years, months, days)`: that much later on the calendar; days beyond a month's end are those of the next.
extern "C-unwind" fn add_date(lua: Lua) -> c_int {
    let time = Time::check(lua, 1);
    let part = |argument| if lua.is_absent(argument) { 0 } else { lua.check_integer(argument) };
    let parts = [part(2), part(3), part(4)];
    give(lua, later_on_calendar(time, &lua.context().zones, parts))
}

/// Pushes three numbers of what clocks and calendars show.
fn push_three(lua: Lua, read: fn(DateTime) -> [i64; 3]) -> c_int {
    let civil = Time::check(lua, 1).civil(&lua.context().zones);
    for number in read(civil) {
        lua.push_integer(number);
    }
    3
}

/// `time:date()` → year, month, day
extern "C-unwind" fn calendar(lua: Lua) -> c_int {
    push_three(lua, |civil| [civil.year().into(), civil.month().into(), civil.day().into()])
}

/// `time:clock()` → hour, minute, second
extern "C-unwind" fn clock(lua: Lua) -> c_int {
    push_three(lua, |civil| [civil.hour().into(), civil.minute().into(), civil.second().into()])
}

/// `time:is_zero()`: whether it is Go's zero time, the beginning of the year 1.
extern "C-unwind" fn is_zero(lua: Lua) -> c_int {
    lua.push_boolean(Time::check(lua, 1).is_zero());
    1
}

/// `time:location()` → the name of the zone in which it reads
extern "C-unwind" fn location(lua: Lua) -> c_int {
    lua.push_owned(Time::check(lua, 1).zone.to_string());
    1
}

const METHODS: [(&CStr, Function); 27] = [
    (c"add", add),
    (c"sub", sub),
    (c"after", after),
    (c"before", before),
    (c"equal", equal),
    (c"unix", of_unix),
    (c"unix_nano", unix_nano),
    (c"format", format),
    (c"utc", utc),
    (c"in_location", in_location),
    (c"round", round),
    (c"truncate", truncate),
    (c"year", year),
    (c"month", month),
    (c"day", day),
    (c"hour", hour),
    (c"minute", minute),
    (c"second", second),
    (c"nanosecond", nanosecond),
    (c"weekday", weekday),
    (c"year_day", year_day),
    (c"add_date", add_date),
    (c"date", calendar),
    (c"clock", clock),
    (c"is_zero", is_zero),
    (c"format_rfc3339", text),
    (c"location", location),
];

const METAMETHODS: [(&CStr, Function); 6] = [
    (c"__add", plus),
    (c"__sub", minus),
    (c"__eq", same),
    (c"__lt", before),
    (c"__le", not_after),
    (c"__tostring", text),
];

/// Makes both types. Raises.
pub fn open(lua: Lua) {
    duration::open(lua, plus);
    define::<Time>(lua, &METHODS, &METAMETHODS);
}

/// `rfc3339(nanoseconds)` → text, for the deadline of a CANCEL
extern "C-unwind" fn deadline(lua: Lua) -> c_int {
    let total = lua.integer(1).unwrap_or_default().into();
    let time = Time::from_nanoseconds(total, Zone::Utc);
    lua.push_owned(time.map(|time| rfc3339(time, &lua.context().zones)).unwrap_or_default());
    1
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 3] = [(c"wall", now), (c"unix", unix), (c"rfc3339", deadline)];
