//! The Duration object with its arithmetic. Owns what counts as a duration argument: text, integral milliseconds, a Duration;
//! never negative. The notation is `time/duration.rs`'s; `time.rs` adds durations to points in time.

use std::ffi::{CStr, c_int};

use crate::lua::{Function, Kind, Lua};
use crate::state::error::invalid;
use crate::state::object::{Object, define};
use crate::time::duration::{Duration, HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND};

/// What `time.SECOND` and the others are worth.
pub const CONSTANTS: [(&CStr, i64); 6] = [
    (c"NANOSECOND", 1),
    (c"MICROSECOND", MICROSECOND),
    (c"MILLISECOND", MILLISECOND),
    (c"SECOND", SECOND),
    (c"MINUTE", MINUTE),
    (c"HOUR", HOUR),
];

/// What a script gave as a duration.
pub enum Argument {
    Nanoseconds(u64),
    /// Of a fitting type, but unusable: this is why.
    Invalid(String),
    WrongType,
}

/// Reads a duration argument.
pub fn argument(lua: Lua, index: c_int) -> Argument {
    let parsed = match lua.kind(index) {
        Kind::None | Kind::Nil => return Argument::Invalid("duration is missing".to_owned()),
        Kind::Number => match lua.integer(index) {
            Some(milliseconds) => milliseconds
                .checked_mul(MILLISECOND)
                .ok_or_else(|| format!("duration of {milliseconds} ms is longer than 292 years")),
            None => Err("duration is not an integral number of milliseconds".to_owned()),
        },
        Kind::String => match std::str::from_utf8(lua.bytes(index).unwrap_or_default()) {
            Ok(text) => Duration::parse(text).map(|duration| duration.0),
            Err(_) => Err("duration is not valid UTF-8".to_owned()),
        },
        _ => match Duration::at(lua, index) {
            Some(duration) => Ok(duration.0),
            None => return Argument::WrongType,
        },
    };
    match parsed {
        Ok(time) => match u64::try_from(time) {
            Ok(time) => Argument::Nanoseconds(time),
            Err(_) => Argument::Invalid(format!("duration {} is negative", Duration(time))),
        },
        Err(fault) => Argument::Invalid(fault),
    }
}

/// A duration argument, in nanoseconds. None: it is unusable, and `nil, err` is pushed. Raises for a wrong type.
pub fn check_argument(lua: Lua, index: c_int) -> Option<u64> {
    match argument(lua, index) {
        Argument::Nanoseconds(time) => Some(time),
        Argument::Invalid(fault) => {
            invalid(lua, fault);
            None
        }
        Argument::WrongType => lua.type_error(index, Duration::NAME),
    }
}

// ---- Functions

/// `nanoseconds(duration)` → integer; nil and an error object; or false for a wrong type
extern "C-unwind" fn nanoseconds(lua: Lua) -> c_int {
    match argument(lua, 1) {
        Argument::Nanoseconds(time) => {
            lua.push_integer(time as i64);
            1
        }
        Argument::Invalid(fault) => invalid(lua, fault),
        Argument::WrongType => {
            lua.push_boolean(false);
            1
        }
    }
}

extern "C-unwind" fn parse_duration(lua: Lua) -> c_int {
    if lua.is_absent(1) {
        return invalid(lua, "duration is missing");
    }
    let parsed = match std::str::from_utf8(lua.check_bytes(1)) {
        Ok(text) => Duration::parse(text),
        Err(_) => Err("duration is not valid UTF-8".to_owned()),
    };
    match parsed {
        Ok(duration) => {
            duration.push(lua);
            lua.push_nil();
            2
        }
        Err(fault) => invalid(lua, fault),
    }
}

macro_rules! methods {
    ($($method:ident: $push:ident($duration:ident) $value:expr;)*) => {
        $(extern "C-unwind" fn $method(lua: Lua) -> c_int {
            let Duration($duration) = Duration::check(lua, 1);
            lua.$push($value);
            1
        })*
        const METHODS: &[(&CStr, Function)] = &[$((method_name(concat!(stringify!($method), "\0")), $method)),*];
    };
}

/// The functions are called `of_…` because one of the methods has the name of another function here.
const fn method_name(name: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(name.as_bytes().split_at(3).1) {
        Ok(name) => name,
        Err(_) => c"",
    }
}

methods! {
    of_nanoseconds: push_integer(d) d;
    of_microseconds: push_integer(d) d / MICROSECOND;
    of_milliseconds: push_integer(d) d / MILLISECOND;
    of_seconds: push_number(d) d as f64 / SECOND as f64;
    of_minutes: push_number(d) d as f64 / MINUTE as f64;
    of_hours: push_number(d) d as f64 / HOUR as f64;
}

/// Pushes the result of arithmetic, or raises.
fn give(lua: Lua, result: Option<i64>) -> c_int {
    match result {
        Some(nanoseconds) => Duration(nanoseconds).push(lua),
        None => lua.raise_here("duration is out of range"),
    }
    1
}

fn both(lua: Lua) -> (Duration, Duration) {
    (Duration::check(lua, 1), Duration::check(lua, 2))
}

/// `duration + duration`
pub fn add(lua: Lua) -> c_int {
    let (a, b) = both(lua);
    give(lua, a.0.checked_add(b.0))
}

extern "C-unwind" fn subtract(lua: Lua) -> c_int {
    let (a, b) = both(lua);
    give(lua, a.0.checked_sub(b.0))
}

extern "C-unwind" fn negate(lua: Lua) -> c_int {
    let Duration(duration) = Duration::check(lua, 1);
    give(lua, duration.checked_neg())
}

/// A float as nanoseconds, if it is near enough to be one.
fn rounded(value: f64) -> Option<i64> {
    let value = value.round();
    (value.abs() < i64::MAX as f64).then_some(value as i64)
}

extern "C-unwind" fn multiply(lua: Lua) -> c_int {
    let (duration, factor) = if Duration::at(lua, 1).is_some() { (1, 2) } else { (2, 1) };
    if lua.kind(factor) != Kind::Number {
        lua.type_error(factor, c"number");
    }
    let Duration(duration) = Duration::check(lua, duration);
    if lua.is_integer(factor) {
        return give(lua, lua.integer(factor).and_then(|factor| duration.checked_mul(factor)));
    }
    give(lua, lua.number(factor).and_then(|factor| rounded(duration as f64 * factor)))
}

/// By a number: a Duration. By a Duration: how often it fits, a float.
extern "C-unwind" fn divide(lua: Lua) -> c_int {
    let Duration(duration) = Duration::check(lua, 1);
    if let Some(other) = Duration::at(lua, 2) {
        lua.push_number(duration as f64 / other.0 as f64);
        return 1;
    }
    if lua.kind(2) != Kind::Number {
        lua.type_error(2, c"number");
    }
    give(lua, lua.number(2).and_then(|divisor| rounded(duration as f64 / divisor)))
}

extern "C-unwind" fn equal(lua: Lua) -> c_int {
    lua.push_boolean(Duration::at(lua, 1).is_some() && Duration::at(lua, 1) == Duration::at(lua, 2));
    1
}

extern "C-unwind" fn less(lua: Lua) -> c_int {
    let (a, b) = both(lua);
    lua.push_boolean(a.0 < b.0);
    1
}

extern "C-unwind" fn less_or_equal(lua: Lua) -> c_int {
    let (a, b) = both(lua);
    lua.push_boolean(a.0 <= b.0);
    1
}

extern "C-unwind" fn text(lua: Lua) -> c_int {
    lua.push_owned(Duration::check(lua, 1).to_string());
    1
}

/// Makes the type; `plus` is its `+`, which also takes what isn't a duration. Raises.
pub fn open(lua: Lua, plus: Function) {
    let metamethods: [(&CStr, Function); 9] = [
        (c"__add", plus),
        (c"__sub", subtract),
        (c"__unm", negate),
        (c"__mul", multiply),
        (c"__div", divide),
        (c"__eq", equal),
        (c"__lt", less),
        (c"__le", less_or_equal),
        (c"__tostring", text),
    ];
    define::<Duration>(lua, METHODS, &metamethods);
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 2] = [(c"nanoseconds", nanoseconds), (c"parse_duration", parse_duration)];
