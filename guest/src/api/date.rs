//! `time.date`, `time.parse`, `Time:format`: arguments and results only. The texts are `time/date.rs`'s.

use std::ffi::{CStr, c_int};

use super::argument::text_argument;
use crate::lua::{Function, Lua};
use crate::state::error::invalid;
use crate::state::object::Object;
use crate::time::date::{format_by, of_parts, read, rfc3339, too_long};
use crate::time::duration::shorten;
use crate::time::moment::Time;
use crate::time::zone::Zone;

/// An argument that may be left out, as `read` gives it. None: `read` gave none, and has pushed `nil, err`.
fn optional<T>(lua: Lua, argument: c_int, read: impl FnOnce() -> Option<T>) -> Option<Option<T>> {
    if lua.is_absent(argument) { Some(None) } else { read().map(Some) }
}

/// A zone argument. None: it is unknown or unusable, and `nil, err` is pushed. Raises for a wrong type.
pub fn zone_argument(lua: Lua, argument: c_int) -> Option<Zone> {
    let name = text_argument(&lua, argument, "zone")?;
    let zone = Zone::find(name);
    if zone.is_none() {
        invalid(lua, format!("zone `{}` is unknown", shorten(name)));
    }
    zone
}

// ---- From numbers

/// `date(year, month, day, hour, minute, second, nanosecond [, zone])`
extern "C-unwind" fn date(lua: Lua) -> c_int {
    const NAMES: [&str; 7] = ["year", "month", "day", "hour", "minute", "second", "nanosecond"];
    let mut numbers = [0i64; 7];
    for (index, (number, name)) in (1..).zip(numbers.iter_mut().zip(NAMES)) {
        if lua.is_absent(index) {
            // What is left out of the clock is zero.
            if index <= 3 {
                return invalid(lua, format!("{name} is missing"));
            }
        } else {
            *number = lua.check_integer(index);
        }
    }
    let Some(zone) = optional(lua, 8, || zone_argument(lua, 8)) else { return 2 };
    let zone = zone.unwrap_or(Zone::Utc);
    give(lua, of_parts(&lua.context().zones, numbers, zone))
}

fn give(lua: Lua, made: Result<Time, String>) -> c_int {
    match made {
        Ok(time) => {
            time.push(lua);
            lua.push_nil();
            2
        }
        Err(fault) => invalid(lua, fault),
    }
}

// ---- From text

/// `parse(text [, pattern])`
extern "C-unwind" fn parse(lua: Lua) -> c_int {
    let Some(text) = text_argument(&lua, 1, "text") else { return 2 };
    let Some(pattern) = optional(lua, 2, || text_argument(&lua, 2, "pattern")) else { return 2 };
    if let Some(fault) = too_long("text", text).or_else(|| too_long("pattern", pattern.unwrap_or_default())) {
        return invalid(lua, fault);
    }
    give(lua, read(&lua.context().zones, text, pattern))
}

// ---- To text

/// `time:format([pattern])`
pub extern "C-unwind" fn format(lua: Lua) -> c_int {
    let time = Time::check(lua, 1);
    let zones = &lua.context().zones;
    if lua.is_absent(2) {
        lua.push_owned(rfc3339(time, zones));
        return 1;
    }
    let Some(pattern) = text_argument(&lua, 2, "pattern") else { return 2 };
    if let Some(fault) = too_long("pattern", pattern) {
        return invalid(lua, fault);
    }
    match format_by(time, zones, pattern) {
        Ok(text) => {
            lua.push_owned(text);
            lua.push_nil();
            2
        }
        Err(fault) => invalid(lua, fault),
    }
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 2] = [(c"date", date), (c"parse_time", parse)];
