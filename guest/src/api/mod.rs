//! The Rust half of what a script sees, one file per noun. The Lua half is in `prelude/`; each file's `FUNCTIONS` are
//! in the table the prelude's chunks get, under these names.

mod argument;
pub mod base64;
pub mod call;
pub mod chunk;
pub mod date;
pub mod duration;
pub mod env;
pub mod fs;
pub mod group;
pub mod hash;
pub mod hint;
pub mod json;
pub mod link;
pub mod mailbox;
pub mod module;
pub mod monitor;
pub mod output;
pub mod process;
pub mod random;
pub mod registry;
pub mod schedule;
pub mod security;
pub mod time;
mod typed;
pub mod uuid;

use std::ffi::CStr;

use crate::lua::wait;
use crate::lua::{Function, Lua};
use crate::turn::request;

/// Puts all functions into the table on top of the stack. Raises.
pub fn install(lua: Lua) {
    let groups: &[&[(&CStr, Function)]] = &[
        &wait::FUNCTIONS,
        &request::FUNCTIONS,
        &call::FUNCTIONS,
        &chunk::FUNCTIONS,
        &date::FUNCTIONS,
        &duration::FUNCTIONS,
        &env::FUNCTIONS,
        &fs::FUNCTIONS,
        &group::FUNCTIONS,
        &hint::FUNCTIONS,
        &link::FUNCTIONS,
        &mailbox::FUNCTIONS,
        &module::FUNCTIONS,
        &monitor::FUNCTIONS,
        &output::FUNCTIONS,
        &process::FUNCTIONS,
        &registry::FUNCTIONS,
        &schedule::FUNCTIONS,
        &security::FUNCTIONS,
    ];
    for (name, function) in groups.iter().copied().flatten() {
        lua.set_function(name, *function);
    }
    for (name, function) in time::FUNCTIONS {
        lua.set_function(name, function);
    }
}
