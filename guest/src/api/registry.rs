//! `process.registry`: arguments and results only.

use std::ffi::{CStr, c_int};

use super::{MAX_NAME, text_argument};
use crate::error::{answer, done, invalid, refuse};
use crate::lua::{Function, Lua};

/// A name's length is checked here, so that a script gets the same words whatever it is for.
fn length_fault(name: &str) -> Option<String> {
    let fits = (1..=MAX_NAME).contains(&name.len());
    (!fits).then(|| format!("name has {} bytes, not 1 to {MAX_NAME}", name.len()))
}

fn name_argument(lua: &Lua) -> Option<&str> {
    let name = text_argument(lua, 1, "name")?;
    if let Some(fault) = length_fault(name) {
        invalid(*lua, &fault);
        return None;
    }
    Some(name)
}

/// `name_fault(name)` → why it is unusable for a process, or nil. The name is a string.
extern "C-unwind" fn check_name(lua: Lua) -> c_int {
    let fault = match std::str::from_utf8(lua.check_bytes(1)) {
        Ok(name) if name.starts_with('{') && name.ends_with('}') && name.contains('|') => {
            Some(format!("name `{name}` has the form of a pid"))
        }
        Ok(name) => length_fault(name),
        Err(_) => Some("name is not valid UTF-8".to_owned()),
    };
    match fault {
        Some(fault) => lua.push_bytes(fault.as_bytes()),
        None => lua.push_nil(),
    }
    1
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
pub const FUNCTIONS: [(&CStr, Function); 4] =
    [(c"register", register), (c"lookup", lookup), (c"unregister", unregister), (c"name_fault", check_name)];
