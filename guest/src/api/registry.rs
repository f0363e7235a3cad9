//! `process.registry`: arguments and results only.

use std::ffi::{CStr, c_int};

use super::argument::{argument, destination, fault_of, name};
use crate::lua::{Function, Lua};
use crate::state::error::{answer, decided, done, invalid};

fn name_argument(lua: &Lua) -> Option<&str> {
    argument(lua, 1, "name", name)
}

/// `name_fault(name)` → why it is unusable for a process, or nil. The name is a string.
extern "C-unwind" fn check_name(lua: Lua) -> c_int {
    fault_of(lua, name)
}

/// The scopes that names have elsewhere, where nodes make clusters.
const CLUSTERS: [&[u8]; 3] = [b"eventual", b"consistent", b"strong"];

/// Why the argument is no scope that names have here; none: it is left out, or `local`.
fn scope_fault(lua: Lua, argument: c_int) -> Option<String> {
    if lua.is_absent(argument) || lua.bytes(argument) == Some(b"local") {
        return None;
    }
    match lua.bytes(argument).filter(|scope| CLUSTERS.contains(scope)) {
        Some(scope) => Some(format!(
            "scope `{}` needs a cluster, which isn't there: a name is the node's, `process.registry.LOCAL`",
            String::from_utf8_lossy(scope).to_uppercase()
        )),
        None => Some(format!("scope is a {}, none of process.registry's constants", lua.type_name(argument))),
    }
}

extern "C-unwind" fn register(lua: Lua) -> c_int {
    let Some(name) = name_argument(&lua) else { return 2 };
    if let Some(fault) = scope_fault(lua, 3) {
        return invalid(lua, fault);
    }
    let process = if lua.is_absent(2) {
        None
    } else {
        let Some(process) = argument(&lua, 2, "pid", |bytes| destination(bytes, "pid")) else { return 2 };
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
    if let Some(fault) = scope_fault(lua, 2) {
        return invalid(lua, fault);
    }
    decided(lua, lua.context().host.unregister(name))
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 4] =
    [(c"register", register), (c"lookup", lookup), (c"unregister", unregister), (c"name_fault", check_name)];
