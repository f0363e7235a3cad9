//! `process.link`, `process.unlink`: arguments and results only.

use std::ffi::{CStr, c_int};

use super::argument::destination_argument;
use crate::lua::{Function, Lua};
use crate::state::error::done;

extern "C-unwind" fn link(lua: Lua) -> c_int {
    let Some(destination) = destination_argument(&lua, 1) else { return 2 };
    done(lua, lua.context().host.link(destination))
}

extern "C-unwind" fn unlink(lua: Lua) -> c_int {
    let Some(destination) = destination_argument(&lua, 1) else { return 2 };
    done(lua, lua.context().host.unlink(destination))
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 2] = [(c"link", link), (c"unlink", unlink)];
