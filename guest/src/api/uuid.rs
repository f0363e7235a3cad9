//! `uuid`: random ones and those by time, made of the process's own random bytes, and what can be read from one (RFC 9562).

use std::ffi::c_int;

use uuid::{Builder, Uuid, Variant};

use super::argument::shown;
use crate::lua::{Kind, Lua};
use crate::state::error::invalid;

/// `v4()`
extern "C-unwind" fn v4(lua: Lua) -> c_int {
    let mut bytes = [0; 16];
    lua.context().random.fill(&mut bytes);
    give(lua, Builder::from_random_bytes(bytes).into_uuid())
}

/// `v7()`
extern "C-unwind" fn v7(lua: Lua) -> c_int {
    let context = lua.context();
    let (seconds, nanoseconds) = context.host.wall();
    let (milliseconds, part) = context.random.stamp(seconds, nanoseconds);
    let mut bytes = [0; 10];
    // Behind the time stands how much of a millisecond it was, so that those of one process are in order.
    let [high, low, rest @ ..] = &mut bytes;
    [*high, *low] = part.to_be_bytes();
    context.random.fill(rest);
    give(lua, Builder::from_unix_timestamp_millis(milliseconds, &bytes).into_uuid())
}

fn give(lua: Lua, uuid: Uuid) -> c_int {
    push(lua, uuid);
    lua.push_nil();
    2
}

/// Raises.
fn push(lua: Lua, uuid: Uuid) {
    let mut text = [0; 36];
    lua.push_bytes(uuid.hyphenated().encode_lower(&mut text).as_bytes());
}

/// `validate(value)`
extern "C-unwind" fn validate(lua: Lua) -> c_int {
    let is_one = lua.kind(1) == Kind::String && lua.bytes(1).and_then(read).is_some();
    lua.push_boolean(is_one);
    lua.push_nil();
    2
}

/// `parse(text)`
extern "C-unwind" fn parse(lua: Lua) -> c_int {
    if lua.is_absent(1) {
        return invalid(lua, "text is missing");
    }
    let text = lua.check_bytes(1);
    let Some(uuid) = read(text) else {
        return invalid(lua, format!("`{}` is not a UUID", shown(text)));
    };
    lua.new_table(0, 3);
    push(lua, uuid);
    lua.set_field(-2, c"text");
    // What version one of another layout has isn't said anywhere.
    if uuid.get_variant() == Variant::RFC4122 {
        let version = uuid.get_version_num();
        lua.push_integer(i64::try_from(version).unwrap_or_default());
        lua.set_field(-2, c"version");
        if version == 7 {
            let milliseconds = i64::try_from(uuid.as_u128() >> 80).unwrap_or_default();
            lua.push_integer(milliseconds / 1_000);
            lua.set_field(-2, c"timestamp");
        }
    }
    lua.push_nil();
    2
}

/// A UUID in one of its usual forms: with hyphens or without, as a URN, in braces.
fn read(text: &[u8]) -> Option<Uuid> {
    Uuid::try_parse_ascii(text).ok()
}

/// Pushes the module. Raises.
pub fn push_module(lua: Lua) {
    lua.new_table(0, 4);
    lua.set_function(c"v4", v4);
    lua.set_function(c"v7", v7);
    lua.set_function(c"validate", validate);
    lua.set_function(c"parse", parse);
}
