//! Points in time: the Time object, an immutable userdata in UTC, and its texts. Owns the calendar. Waiting for a point in
//! time is `prelude/timer.lua`'s.

use std::ffi::{CStr, c_int};
use std::fmt;

use super::duration::{Argument, Duration, argument, concatenate, define};
use crate::error::invalid;
use crate::lua::{Function, Kind, Lua};

/// Unix seconds, and nanoseconds below a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    pub seconds: i64,
    pub nanoseconds: u32,
}

const SECOND: i128 = 1_000_000_000;
const DAY: i64 = 86_400;

/// A time as people read it, in UTC.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    /// From 1 on the first of January.
    year_day: i64,
    /// From 0 on Sunday.
    weekday: i64,
}

impl Time {
    /// From nanoseconds since 1970; beyond what 64 bits of seconds can say, the nearest that they can.
    pub fn from_nanoseconds(total: i128) -> Self {
        let seconds = total.div_euclid(SECOND);
        let nanoseconds = total.rem_euclid(SECOND) as u32;
        match i64::try_from(seconds) {
            Ok(seconds) => Self { seconds, nanoseconds },
            Err(_) if seconds < 0 => Self { seconds: i64::MIN, nanoseconds: 0 },
            Err(_) => Self { seconds: i64::MAX, nanoseconds: 0 },
        }
    }

    fn total(self) -> i128 {
        i128::from(self.seconds) * SECOND + i128::from(self.nanoseconds)
    }

    fn civil(self) -> Civil {
        // Days are counted from March in years of 400-year cycles, so that the leap day comes last (H. Hinnant).
        let days = self.seconds.div_euclid(DAY);
        let left = self.seconds.rem_euclid(DAY);
        let shifted = days + 719_468;
        let cycle = shifted.div_euclid(146_097);
        let of_cycle = shifted.rem_euclid(146_097);
        let year_of_cycle = (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
        let of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_cycle + cycle * 400 + i64::from(month <= 2);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let year_day = if month <= 2 { of_year - 305 } else { of_year + 60 + i64::from(leap) };
        Civil {
            year,
            month,
            day,
            hour: left / 3600,
            minute: left / 60 % 60,
            second: left % 60,
            year_day,
            weekday: (days + 4).rem_euclid(7),
        }
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
}

/// RFC 3339, with as many decimals as it takes.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = self.civil();
        write!(f, "{:04}-{:02}-{:02}T", civil.year, civil.month, civil.day)?;
        write!(f, "{:02}:{:02}:{:02}", civil.hour, civil.minute, civil.second)?;
        if self.nanoseconds > 0 {
            let digits = format!("{:09}", self.nanoseconds);
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

// ---- Functions

/// The method's object, or another Time argument. Raises when it isn't one.
fn check(lua: Lua, index: c_int) -> Time {
    match Time::at(lua, index) {
        Some(time) => time,
        None => lua.type_error(index, c"time"),
    }
}

extern "C-unwind" fn now(lua: Lua) -> c_int {
    let (seconds, nanoseconds) = lua.context().host.wall();
    Time { seconds, nanoseconds }.push(lua);
    1
}

/// `unix(seconds [, nanoseconds])`
extern "C-unwind" fn unix(lua: Lua) -> c_int {
    if lua.is_absent(1) {
        return invalid(lua, "seconds are missing");
    }
    let part = |index| lua.check_integer(index);
    let nanoseconds = if lua.is_absent(2) { 0 } else { part(2) };
    Time::from_nanoseconds(i128::from(part(1)) * SECOND + i128::from(nanoseconds)).push(lua);
    1
}

/// `time + duration`, `duration + time`, `time:add(duration)`
pub extern "C-unwind" fn add(lua: Lua) -> c_int {
    let (time, duration) = match Time::at(lua, 1) {
        Some(time) => (time, 2),
        // `duration + time`
        None => (check(lua, 2), 1),
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
    Time::from_nanoseconds(time.total() + change).push(lua);
    1
}

/// The Duration from the argument to this; beyond 292 years, that.
extern "C-unwind" fn sub(lua: Lua) -> c_int {
    let span = check(lua, 1).total() - check(lua, 2).total();
    let span = span.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    Duration(span).push(lua);
    1
}

/// `time - time` is a Duration, `time - duration` a Time.
extern "C-unwind" fn minus(lua: Lua) -> c_int {
    let Some(Duration(change)) = Duration::at(lua, 2) else { return sub(lua) };
    Time::from_nanoseconds(check(lua, 1).total() - i128::from(change)).push(lua);
    1
}

extern "C-unwind" fn after(lua: Lua) -> c_int {
    lua.push_boolean(check(lua, 1) > check(lua, 2));
    1
}

extern "C-unwind" fn before(lua: Lua) -> c_int {
    lua.push_boolean(check(lua, 1) < check(lua, 2));
    1
}

extern "C-unwind" fn not_after(lua: Lua) -> c_int {
    lua.push_boolean(check(lua, 1) <= check(lua, 2));
    1
}

extern "C-unwind" fn equal(lua: Lua) -> c_int {
    lua.push_boolean(check(lua, 1) == check(lua, 2));
    1
}

/// `==` also compares with other userdata.
extern "C-unwind" fn same(lua: Lua) -> c_int {
    lua.push_boolean(Time::at(lua, 1).is_some() && Time::at(lua, 1) == Time::at(lua, 2));
    1
}

extern "C-unwind" fn unix_nano(lua: Lua) -> c_int {
    match i64::try_from(check(lua, 1).total()) {
        Ok(total) => lua.push_integer(total),
        Err(_) => return invalid(lua, "time is out of the range of 64 bits of nanoseconds"),
    }
    1
}

extern "C-unwind" fn format(lua: Lua) -> c_int {
    let time = check(lua, 1);
    if !lua.is_absent(2) {
        lua.check_bytes(2);
        return invalid(lua, "only the default format is there");
    }
    lua.push_bytes(time.to_string().as_bytes());
    1
}

extern "C-unwind" fn text(lua: Lua) -> c_int {
    lua.push_bytes(check(lua, 1).to_string().as_bytes());
    1
}

/// Every Time is in UTC so far.
extern "C-unwind" fn utc(lua: Lua) -> c_int {
    check(lua, 1).push(lua);
    1
}

macro_rules! fields {
    ($($name:ident($time:ident) $value:expr;)*) => {
        $(extern "C-unwind" fn $name(lua: Lua) -> c_int {
            let $time = check(lua, 1);
            lua.push_integer($value);
            1
        })*
    };
}

fields! {
    of_unix(time) time.seconds;
    year(time) time.civil().year;
    month(time) time.civil().month;
    day(time) time.civil().day;
    hour(time) time.civil().hour;
    minute(time) time.civil().minute;
    second(time) time.civil().second;
    nanosecond(time) time.nanoseconds.into();
    weekday(time) time.civil().weekday;
    year_day(time) time.civil().year_day;
}

const METHODS: [(&CStr, Function); 18] = [
    (c"add", add),
    (c"sub", sub),
    (c"after", after),
    (c"before", before),
    (c"equal", equal),
    (c"unix", of_unix),
    (c"unix_nano", unix_nano),
    (c"format", format),
    (c"utc", utc),
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
    (c"__add", add),
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
extern "C-unwind" fn rfc3339(lua: Lua) -> c_int {
    let time = Time::from_nanoseconds(lua.integer(1).unwrap_or_default().into());
    lua.push_bytes(time.to_string().as_bytes());
    1
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 3] = [(c"wall", now), (c"unix", unix), (c"rfc3339", rfc3339)];
