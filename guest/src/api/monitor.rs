//! `process.monitor`, `process.unmonitor`: arguments and results only.

use std::ffi::{CStr, c_int};

use super::argument::destination_argument;
use crate::lua::{Function, Lua};
use crate::state::error::done;

extern "C-unwind" fn monitor(lua: Lua) -> c_int {
    let Some(destination) = destination_argument(&lua, 1) else { return 2 };
    done(lua, lua.context().host.monitor(destination))
}

extern "C-unwind" fn unmonitor(lua: Lua) -> c_int {
    let Some(destination) = destination_argument(&lua, 1) else { return 2 };
    done(lua, lua.context().host.unmonitor(destination))
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 2] = [(c"monitor", monitor), (c"unmonitor", unmonitor)];
