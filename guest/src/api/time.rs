//! Points in time: the Time object, an immutable userdata of a moment and a zone. Owns its range and arithmetic; its
//! texts are `date.rs`'s, zones `zone.rs`'s, and waiting for a point in time is `prelude/timer.lua`'s.

use std::ffi::{CStr, c_int};

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::date::{format, rfc3339, zone_argument};
use super::duration::{Argument, Duration, argument, concatenate, define};
use super::zone::{Zone, Zones};
use crate::error::invalid;
use crate::lua::{Function, Kind, Lua};

/// A moment, and the zone in which it reads. Two are equal, or one before the other, by the moment alone.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    /// Unix seconds.
    pub seconds: i64,
    /// Below a second.
    pub nanoseconds: u32,
    pub zone: Zone,
}

const SECOND: i128 = 1_000_000_000;

/// Nanoseconds from the year 1, where `round` and `truncate` begin to count, to 1970.
const ERA: i128 = 62_135_596_800 * SECOND;

/// Unix seconds of 0000-01-02T02:00:00Z and 9999-12-30T21:59:59Z: in whatever zone, the year has four digits.
const FIRST: i64 = -62_167_125_600;
const LAST: i64 = 253_402_207_199;

/// What a call says that would leave them.
pub const OUT_OF_RANGE: &str = "time is not from 0000-01-02 to 9999-12-30";

impl Time {
    /// From nanoseconds since 1970. None: out of range.
    fn from_nanoseconds(total: i128, zone: Zone) -> Option<Self> {
        let seconds = i64::try_from(total.div_euclid(SECOND)).ok()?;
        Self::from_unix(seconds, total.rem_euclid(SECOND) as u32, zone)
    }

    /// None: out of range.
    pub fn from_unix(seconds: i64, nanoseconds: u32, zone: Zone) -> Option<Self> {
        let fits = (FIRST..=LAST).contains(&seconds) && i128::from(nanoseconds) < SECOND;
        fits.then_some(Self { seconds, nanoseconds, zone })
    }

    /// None: out of range.
    pub fn of(moment: Timestamp, zone: Zone) -> Option<Self> {
        Self::from_nanoseconds(moment.as_nanosecond(), zone)
    }

    fn total(self) -> i128 {
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

    /// Raises.
    pub fn push(self, lua: Lua) {
        lua.push_userdata(self);
        lua.context().types.time.get().set(lua);
    }

    /// The Time at `index`, if it is one.
    pub fn at(lua: Lua, index: c_int) -> Option<Self> {
        if lua.kind(index) == Kind::Userdata && lua.context().types.time.get().is(lua.metatable(index)) {
            lua.userdata(index)
        } else {
            None
        }
    }

    /// The method's object, or another Time argument. Raises when it isn't one.
    pub fn check(lua: Lua, index: c_int) -> Self {
        match Self::at(lua, index) {
            Some(time) => time,
            None => lua.type_error(index, c"time"),
        }
    }
}

// ---- Functions

extern "C-unwind" fn now(lua: Lua) -> c_int {
    let (seconds, nanoseconds) = lua.context().host.wall();
    Time { seconds: seconds.clamp(FIRST, LAST), nanoseconds, zone: Zone::Utc }.push(lua);
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
        None => match argument(lua, duration) {
            Argument::Nanoseconds(change) => i128::from(change),
            Argument::Invalid(fault) => return invalid(lua, &fault),
            Argument::WrongType => lua.type_error(duration, c"duration"),
        },
    };
    give(lua, Time::from_nanoseconds(time.total() + change, time.zone))
}

/// What an operator can't return as `nil, err` it raises. Expects `count` results on the stack.
fn or_raise(lua: Lua, count: c_int) -> c_int {
    if count == 2 {
        lua.raise();
    }
    count
}

pub extern "C-unwind" fn plus(lua: Lua) -> c_int {
    or_raise(lua, add(lua))
}

/// The Duration from the argument to this; beyond 292 years, that.
extern "C-unwind" fn sub(lua: Lua) -> c_int {
    let span = Time::check(lua, 1).total() - Time::check(lua, 2).total();
    let span = span.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    Duration(span).push(lua);
    1
}

/// `time - time` is a Duration, `time - duration` a Time.
extern "C-unwind" fn minus(lua: Lua) -> c_int {
    let Some(Duration(change)) = Duration::at(lua, 2) else { return sub(lua) };
    let time = Time::check(lua, 1);
    or_raise(lua, give(lua, Time::from_nanoseconds(time.total() - i128::from(change), time.zone)))
}

/// The time's distance from the multiple of the duration argument before it, and that duration; counted from the year
/// 1, as Go does. None: the duration is unusable, and `nil, err` is pushed.
fn remainder(lua: Lua, time: Time) -> Option<(i128, i128)> {
    let unit = match argument(lua, 2) {
        Argument::Nanoseconds(0) => Err("duration is zero".to_owned()),
        Argument::Nanoseconds(unit) => Ok(i128::from(unit)),
        Argument::Invalid(fault) => Err(fault),
        Argument::WrongType => lua.type_error(2, c"duration"),
    };
    match unit {
        Ok(unit) => Some(((time.total() + ERA).rem_euclid(unit), unit)),
        Err(fault) => {
            invalid(lua, &fault);
            None
        }
    }
}

extern "C-unwind" fn truncate(lua: Lua) -> c_int {
    let time = Time::check(lua, 1);
    let Some((over, _)) = remainder(lua, time) else { return 2 };
    give(lua, Time::from_nanoseconds(time.total() - over, time.zone))
}

/// To the nearest multiple; from halfway up.
extern "C-unwind" fn round(lua: Lua) -> c_int {
    let time = Time::check(lua, 1);
    let Some((over, unit)) = remainder(lua, time) else { return 2 };
    let change = if 2 * over < unit { -over } else { unit - over };
    give(lua, Time::from_nanoseconds(time.total() + change, time.zone))
}

extern "C-unwind" fn after(lua: Lua) -> c_int {
    lua.push_boolean(Time::check(lua, 1).total() > Time::check(lua, 2).total());
    1
}

extern "C-unwind" fn before(lua: Lua) -> c_int {
    lua.push_boolean(Time::check(lua, 1).total() < Time::check(lua, 2).total());
    1
}

extern "C-unwind" fn not_after(lua: Lua) -> c_int {
    lua.push_boolean(Time::check(lua, 1).total() <= Time::check(lua, 2).total());
    1
}

extern "C-unwind" fn equal(lua: Lua) -> c_int {
    lua.push_boolean(Time::check(lua, 1).total() == Time::check(lua, 2).total());
    1
}

/// `==` also compares with other userdata.
extern "C-unwind" fn same(lua: Lua) -> c_int {
    let total = |index| Time::at(lua, index).map(Time::total);
    lua.push_boolean(total(1).is_some() && total(1) == total(2));
    1
}

extern "C-unwind" fn unix_nano(lua: Lua) -> c_int {
    match i64::try_from(Time::check(lua, 1).total()) {
        Ok(total) => lua.push_integer(total),
        Err(_) => return invalid(lua, "time is out of the range of 64 bits of nanoseconds"),
    }
    1
}

extern "C-unwind" fn text(lua: Lua) -> c_int {
    let time = Time::check(lua, 1);
    lua.push_bytes(rfc3339(time, &lua.context().zones).as_bytes());
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

const METHODS: [(&CStr, Function); 21] = [
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
];

const METAMETHODS: [(&CStr, Function); 7] = [
    (c"__add", plus),
    (c"__sub", minus),
    (c"__eq", same),
    (c"__lt", before),
    (c"__le", not_after),
    (c"__tostring", text),
    (c"__concat", concatenate),
];

/// Makes the type. Raises.
pub fn open(lua: Lua) {
    lua.context().types.time.set(define(lua, "time", &METHODS, &METAMETHODS));
}

/// `rfc3339(nanoseconds)` → text, for the deadline of a CANCEL
extern "C-unwind" fn deadline(lua: Lua) -> c_int {
    let total = lua.integer(1).unwrap_or_default().into();
    let time = Time::from_nanoseconds(total, Zone::Utc);
    lua.push_bytes(time.map(|time| rfc3339(time, &lua.context().zones)).unwrap_or_default().as_bytes());
    1
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 3] = [(c"wall", now), (c"unix", unix), (c"rfc3339", deadline)];
