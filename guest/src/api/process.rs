//! `process.spawn…`, `terminate`, `cancel`, options: arguments and results only.

use std::ffi::{CStr, c_int};

use super::text_argument;
use crate::api::duration::{Argument, argument};
use crate::codec::{Shape, encode};
use crate::error::{answer, done, invalid, push_error};
use crate::host::{Actor, ErrorKind, FirstMessage, Options, SpawnRequest};
use crate::lua::{Function, Kind, Lua};

/// How a spawn differs from the plain one.
#[derive(Clone, Copy)]
struct Variant {
    monitored: bool,
    linked: bool,
}

const PLAIN: Variant = Variant { monitored: false, linked: false };
const MONITORED: Variant = Variant { monitored: true, linked: false };
const LINKED: Variant = Variant { monitored: false, linked: true };
const BOTH: Variant = Variant { monitored: true, linked: true };

/// What a spawner adds; see `prelude/spawner.lua`.
#[derive(Default)]
struct Extras {
    context: Option<Vec<u8>>,
    name: Option<String>,
    messages: Vec<FirstMessage>,
    actor: Option<Actor>,
    scope: Option<Vec<String>>,
}

/// Spawns with the id at `first`, the host behind it, and then the arguments.
fn spawn_as(lua: Lua, first: c_int, variant: Variant, extras: fn(Lua) -> Extras) -> c_int {
    let Some(entry) = text_argument(&lua, first, "process id") else { return 2 };
    let Some(host) = text_argument(&lua, first + 1, "host") else { return 2 };
    let context = lua.context();
    let mut arguments = Vec::new();
    if let Err(unfit) = encode(lua, Shape::List(first + 2, lua.top()), context.message_limit.get(), &mut arguments) {
        return invalid(lua, &unfit.message("arguments"));
    }
    let Variant { monitored, linked } = variant;
    let Extras { context: values, name, messages, actor, scope } = extras(lua);
    let (entry, host) = (entry.to_owned(), host.to_owned());
    let request =
        SpawnRequest { entry, host, arguments, monitored, linked, context: values, actor, scope, name, messages };
    let result = context.host.spawn(&request);
    drop(request);
    answer(lua, result)
}

extern "C-unwind" fn spawn(lua: Lua) -> c_int {
    spawn_as(lua, 1, PLAIN, |_| Extras::default())
}

extern "C-unwind" fn spawn_monitored(lua: Lua) -> c_int {
    spawn_as(lua, 1, MONITORED, |_| Extras::default())
}

extern "C-unwind" fn spawn_linked(lua: Lua) -> c_int {
    spawn_as(lua, 1, LINKED, |_| Extras::default())
}

extern "C-unwind" fn spawn_linked_monitored(lua: Lua) -> c_int {
    spawn_as(lua, 1, BOTH, |_| Extras::default())
}

/// `spawner:spawn(id, host, ...)`, and the others.
fn spawn_with(lua: Lua, variant: Variant) -> c_int {
    if lua.kind(1) != Kind::Table || !lua.context().types.spawner.get().is(lua.metatable(1)) {
        lua.type_error(1, c"spawner");
    }
    spawn_as(lua, 2, variant, extras)
}

extern "C-unwind" fn spawner_spawn(lua: Lua) -> c_int {
    spawn_with(lua, PLAIN)
}

extern "C-unwind" fn spawner_spawn_monitored(lua: Lua) -> c_int {
    spawn_with(lua, MONITORED)
}

extern "C-unwind" fn spawner_spawn_linked(lua: Lua) -> c_int {
    spawn_with(lua, LINKED)
}

extern "C-unwind" fn spawner_spawn_linked_monitored(lua: Lua) -> c_int {
    spawn_with(lua, BOTH)
}

/// What the spawner at 1 holds. Raises nothing: the caller has bytes on the heap.
fn extras(lua: Lua) -> Extras {
    let mut extras = Extras { context: item(lua, 1, 1), name: text(lua, 1, 2), ..Extras::default() };
    extras.actor = text(lua, 1, 5).map(|id| Actor { id, meta: item(lua, 1, 6) });
    lua.get_item(1, 7);
    let list = lua.top();
    if lua.kind(list) == Kind::Table {
        extras.scope = Some((1..).map_while(|place| text(lua, list, place)).collect());
    }
    lua.pop(1);
    lua.get_item(1, 3);
    let list = lua.top();
    if lua.kind(list) == Kind::Table {
        for i in (1..).step_by(2) {
            let (Some(topic), Some(payload)) = (text(lua, list, i), item(lua, list, i + 1)) else { break };
            extras.messages.push(FirstMessage { topic, payload });
        }
    }
    lua.pop(1);
    extras
}

/// The text at a place of a table, if there is one.
fn text(lua: Lua, table: c_int, place: i64) -> Option<String> {
    String::from_utf8(item(lua, table, place)?).ok()
}

/// The bytes at a place of a table, if there are any.
fn item(lua: Lua, table: c_int, place: i64) -> Option<Vec<u8>> {
    lua.get_item(table, place);
    let bytes = lua.bytes(-1).map(<[u8]>::to_vec);
    lua.pop(1);
    bytes
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
pub const FUNCTIONS: [(&CStr, Function); 12] = [
    (c"spawner_spawn", spawner_spawn),
    (c"spawner_spawn_monitored", spawner_spawn_monitored),
    (c"spawner_spawn_linked", spawner_spawn_linked),
    (c"spawner_spawn_linked_monitored", spawner_spawn_linked_monitored),
    (c"spawn", spawn),
    (c"spawn_monitored", spawn_monitored),
    (c"spawn_linked", spawn_linked),
    (c"spawn_linked_monitored", spawn_linked_monitored),
    (c"terminate", terminate),
    (c"cancel", cancel),
    (c"get_options", get_options),
    (c"set_options", set_options),
];
