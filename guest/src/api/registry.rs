//! `process.registry`: arguments and results only.

use std::ffi::{CStr, c_int};

use super::{MAX_NAME, text_argument};
use crate::error::{answer, done, invalid, refuse};
use crate::lua::{Function, Lua};

/// A name's length is checked here, so that a script gets the same words whatever it is for.
fn name_argument(lua: &Lua) -> Option<&str> {
    let name = text_argument(lua, 1, "name")?;
    if name.is_empty() || name.len() > MAX_NAME {
        invalid(*lua, &format!("name has {} bytes, not 1 to {MAX_NAME}", name.len()));
        return None;
    }
    Some(name)
}

extern "C-unwind" fn register(lua: Lua) -> c_int {
    let Some(name) = name_argument(&lua) else { return 2 };
    let process = if lua.is_absent(2) {
        None
    } else {
        let Some(process) = text_argument(&lua, 2, "pid") else { return 2 };
        Some(process)
    };
    done(lua, lua.context().host.register(name, process))
}

extern "C-unwind" fn lookup(lua: Lua) -> c_int {
    let Some(name) = name_argument(&lua) else { return 2 };
    answer(lua, lua.context().host.lookup(name))
}

extern "C-unwind" fn unregister(lua: Lua) -> c_int {
    let Some(name) = name_argument(&lua) else { return 2 };
    match lua.context().host.unregister(name) {
        Ok(held) => {
            lua.push_boolean(held);
            lua.push_nil();
            2
        }
        Err(refusal) => refuse(lua, &refusal),
    }
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 3] =
    [(c"register", register), (c"lookup", lookup), (c"unregister", unregister)];
