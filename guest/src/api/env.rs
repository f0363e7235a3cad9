//! `env.get`: arguments and results only. A variable that isn't granted looks absent; the host sees to that.

use std::ffi::{CStr, c_int};

use super::{MAX_NAME, text_argument};
use crate::error::{answer, invalid};
use crate::lua::{Function, Lua};

extern "C-unwind" fn get(lua: Lua) -> c_int {
    let Some(name) = text_argument(&lua, 1, "variable") else { return 2 };
    if name.is_empty() || name.len() > MAX_NAME {
        return invalid(lua, &format!("variable has {} bytes, not 1 to {MAX_NAME}", name.len()));
    }
    answer(lua, lua.context().host.variable(name))
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 1] = [(c"variable", get)];
