//! `random`: bytes of which nobody else can tell anything. Owns nothing but arguments; the bytes are `state/random.rs`'s.

use std::ffi::c_int;

use crate::lua::Lua;
use crate::lua::buffer::push_list;
use crate::state::error::invalid;

/// `bytes(count)`
extern "C-unwind" fn bytes(lua: Lua) -> c_int {
    if lua.is_absent(1) {
        return invalid(lua, "count is missing");
    }
    let count = lua.check_integer(1);
    if count < 0 {
        return invalid(lua, format!("count is {count}, not a number of bytes from 0"));
    }
    // More than an address can tell is more than there is: it raises.
    let bytes = push_list(&lua, usize::try_from(count).unwrap_or(usize::MAX), 0);
    lua.context().random.fill(bytes);
    lua.push_bytes(bytes);
    lua.push_nil();
    2
}

/// Pushes the module. Raises.
pub fn push_module(lua: Lua) {
    lua.new_table(0, 1);
    lua.set_function(c"bytes", bytes);
}
