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

/// `get_all()` → a table of the values by name
extern "C-unwind" fn get_all(mut lua: Lua) -> c_int {
    let variables = lua.context().host.variables();
    let count = variables.len();
    // As one text, which can be given away: neither a name nor a value has a zero byte.
    lua.push_owned(joined(variables));
    lua.new_table(0, count);
    let all = lua.bytes(-2).unwrap_or_default();
    let mut texts = all.split(|byte| *byte == 0);
    for _ in 0..count {
        let (Some(name), Some(value)) = (texts.next(), texts.next()) else { break };
        lua.push_bytes(name);
        lua.push_bytes(value);
        lua.set(-3);
    }
    lua.remove(-2);
    1
}

fn joined(variables: Vec<(String, String)>) -> String {
    let mut all = String::new();
    for (name, value) in variables {
        all.extend([&name, "\0", &value, "\0"]);
    }
    all
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 2] = [(c"variable", get), (c"variables", get_all)];
