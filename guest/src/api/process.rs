//! `process.spawn…`, `exec`, `terminate`, `cancel`, options: arguments and results only.

use std::ffi::{CStr, c_int};

use super::text_argument;
use crate::api::duration::{Argument, argument};
use crate::codec::{Shape, encode};
use crate::error::{answer, done, invalid, push_error};
use crate::host::{ErrorKind, Options, SpawnRequest};
use crate::lua::{Function, Kind, Lua};
use crate::request::reply_to;
use crate::wait;

/// What a spawn asks for: process id, host, and the child's arguments. None: `nil, err` is pushed. Raises.
fn spawn_request(lua: Lua, monitored: bool, linked: bool) -> Option<SpawnRequest> {
    let entry = text_argument(&lua, 1, "process id")?;
    let host = text_argument(&lua, 2, "host")?;
    let mut arguments = Vec::new();
    if let Err(unfit) = encode(lua, Shape::List(3, lua.top()), lua.context().message_limit.get(), &mut arguments) {
        invalid(lua, &unfit.message("arguments"));
        return None;
    }
    Some(SpawnRequest { entry: entry.to_owned(), host: host.to_owned(), arguments, monitored, linked })
}

fn spawn_as(lua: Lua, monitored: bool, linked: bool) -> c_int {
    let Some(request) = spawn_request(lua, monitored, linked) else { return 2 };
    let result = lua.context().host.spawn(&request);
    drop(request);
    answer(lua, result)
}

/// `exec(id, host, ...)`: the child's result, or its error.
extern "C-unwind" fn exec(lua: Lua) -> c_int {
    // It raises: before anything is owned.
    wait::check(lua);
    let Some(request) = spawn_request(lua, false, false) else { return 2 };
    let started = lua.context().host.exec(&request);
    drop(request);
    reply_to(lua, started)
}

extern "C-unwind" fn spawn(lua: Lua) -> c_int {
    spawn_as(lua, false, false)
}

extern "C-unwind" fn spawn_monitored(lua: Lua) -> c_int {
    spawn_as(lua, true, false)
}

extern "C-unwind" fn spawn_linked(lua: Lua) -> c_int {
    spawn_as(lua, false, true)
}

extern "C-unwind" fn spawn_linked_monitored(lua: Lua) -> c_int {
    spawn_as(lua, true, true)
}

extern "C-unwind" fn terminate(lua: Lua) -> c_int {
    let Some(destination) = text_argument(&lua, 1, "destination") else { return 2 };
    done(lua, lua.context().host.terminate(destination))
}

/// `cancel(destination [, deadline])`
extern "C-unwind" fn cancel(lua: Lua) -> c_int {
    let Some(destination) = text_argument(&lua, 1, "destination") else { return 2 };
    let deadline = if lua.is_absent(2) {
        None
    } else {
        match argument(lua, 2) {
            Argument::Nanoseconds(time) => Some(time),
            Argument::Invalid(fault) => return invalid(lua, &fault),
            Argument::WrongType => lua.type_error(2, c"duration"),
        }
    };
    done(lua, lua.context().host.cancel(destination, deadline))
}

extern "C-unwind" fn get_options(lua: Lua) -> c_int {
    let options = lua.context().host.options();
    lua.new_table(0, 1);
    lua.push_boolean(options.trap_links);
    lua.set_field(-2, c"trap_links");
    1
}

/// What `set_options` asks for, or what is wrong with it. All or nothing.
fn read_options(lua: Lua) -> Result<Options, String> {
    if lua.is_absent(1) {
        return Err("options are missing".to_owned());
    }
    if lua.kind(1) != Kind::Table {
        return Err(format!("options are a {}, not a table", lua.type_name(1)));
    }
    let mut options = lua.context().host.options();
    lua.push_nil();
    while lua.next(1) {
        match lua.bytes(-2) {
            Some(b"trap_links") if lua.kind(-1) == Kind::Boolean => options.trap_links = lua.boolean(-1),
            Some(b"trap_links") => return Err(format!("trap_links is a {}, not a boolean", lua.type_name(-1))),
            Some(name) => return Err(format!("unknown option `{}`", String::from_utf8_lossy(name))),
            None => return Err(format!("an option's name is a {}, not a string", lua.type_name(-2))),
        }
        lua.pop(1);
    }
    Ok(options)
}

extern "C-unwind" fn set_options(lua: Lua) -> c_int {
    match read_options(lua) {
        Ok(options) => {
            lua.context().host.set_options(options);
            done(lua, Ok(()))
        }
        Err(fault) => {
            lua.push_boolean(false);
            push_error(lua, ErrorKind::Invalid, &fault, false);
            2
        }
    }
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 9] = [
    (c"spawn", spawn),
    (c"spawn_monitored", spawn_monitored),
    (c"spawn_linked", spawn_linked),
    (c"spawn_linked_monitored", spawn_linked_monitored),
    (c"exec", exec),
    (c"terminate", terminate),
    (c"cancel", cancel),
    (c"get_options", get_options),
    (c"set_options", set_options),
];
