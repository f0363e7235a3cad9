//! `env.get`: arguments and results only. A variable that isn't granted looks absent; the host sees to that.

use std::ffi::{CStr, c_int};

use lunarium_contract::length;

use super::argument::{argument, not_within, utf8};
use crate::lua::{Function, Lua};
use crate::state::error::answer;

extern "C-unwind" fn get(lua: Lua) -> c_int {
    let read = |bytes| match <[u8]>::len(bytes) {
        1..=length::VARIABLE => utf8(bytes, "variable"),
        size => Err(not_within("variable", size, length::VARIABLE)),
    };
    let Some(name) = argument(&lua, 1, "variable", read) else { return 2 };
    answer(lua, lua.context().host.variable(name))
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 1] = [(c"variable", get)];
