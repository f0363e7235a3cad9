//! `process.spawn…`, `exec`, `upgrade`, `terminate`, `cancel`, options: arguments and results only.

use std::ffi::{CStr, c_int};

use lunarium_contract::{call, length};

use super::argument::{bounded_argument, destination_argument, invalid, name, shown, text, topic, with_arguments};
use crate::api::duration::{Argument, argument};
use crate::host::{ActorParam, ErrorKind, ExecRequest, FirstMessage, Held, Options, Refusal, SpawnRequest};
use crate::lua::wait;
use crate::lua::{Function, Kind, Lua};
use crate::state::error::{answer, done, push_error, refuse};
use crate::state::object::Object;
use crate::time::duration::Duration;
use crate::turn::request::reply_to;
use crate::turn::upgrade::stop;

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

/// What a spawner adds; see `prelude/spawner.lua`. All of it lies in the spawner.
#[derive(Default)]
struct Extras<'s> {
    context: Option<&'s [u8]>,
    name: Option<&'s str>,
    messages: Vec<FirstMessage<'s>>,
    actor: Option<ActorParam<'s>>,
    scope: Option<Vec<&'s str>>,
}

/// Entry id at `first` and the host behind it. None: `nil, err` is pushed. Raises.
fn target(lua: &Lua, first: c_int) -> Option<(&str, &str)> {
    let entry = bounded_argument(lua, first, "process id", length::ID)?;
    let host = bounded_argument(lua, first + 1, "host", length::ID)?;
    Some((entry, host))
}

/// Spawns with the id at `first`, as the spawner at 1 says, if there is one.
fn spawn_as(lua: Lua, first: c_int, variant: Variant, has_spawner: bool) -> c_int {
    let Some((entry, host)) = target(&lua, first) else { return 2 };
    let result = with_arguments(lua, first + 2, |arguments| {
        let extras = if has_spawner { extras(&lua, arguments.len())? } else { Extras::default() };
        let Variant { monitored, linked } = variant;
        let Extras { context, name, messages, actor, scope } = extras;
        let (messages, scope) = (&messages[..], scope.as_deref());
        let request = SpawnRequest { entry, host, arguments, monitored, linked, context, actor, scope, name, messages };
        lua.context().host.spawn(request)
    });
    answer(lua, result)
}

/// `exec(id, host, ...)`: the child's result, or its error. With the id at `first`, as the spawner at 1 says, if there is one.
fn exec_as(lua: Lua, first: c_int, has_spawner: bool) -> c_int {
    wait::check(lua);
    let Some((entry, host)) = target(&lua, first) else { return 2 };
    let started = with_arguments(lua, first + 2, |arguments| {
        let extras = if has_spawner { extras(&lua, arguments.len())? } else { Extras::default() };
        if extras.name.is_some() || !extras.messages.is_empty() {
            let message = "a spawner with a name or first messages can't exec: the process is the caller's alone";
            return Err(invalid(message.to_owned()));
        }
        let Extras { context, actor, scope, .. } = extras;
        lua.context().host.exec(ExecRequest { entry, host, arguments, context, actor, scope: scope.as_deref() })
    });
    reply_to(lua, started)
}

extern "C-unwind" fn exec(lua: Lua) -> c_int {
    exec_as(lua, 1, false)
}

extern "C-unwind" fn spawner_exec(lua: Lua) -> c_int {
    check_spawner(lua);
    exec_as(lua, 2, true)
}

extern "C-unwind" fn spawn(lua: Lua) -> c_int {
    spawn_as(lua, 1, PLAIN, false)
}

extern "C-unwind" fn spawn_monitored(lua: Lua) -> c_int {
    spawn_as(lua, 1, MONITORED, false)
}

extern "C-unwind" fn spawn_linked(lua: Lua) -> c_int {
    spawn_as(lua, 1, LINKED, false)
}

extern "C-unwind" fn spawn_linked_monitored(lua: Lua) -> c_int {
    spawn_as(lua, 1, BOTH, false)
}

/// `upgrade(id, ...)`: doesn't return when it succeeds.
extern "C-unwind" fn upgrade(mut lua: Lua) -> c_int {
    wait::check(lua);
    if lua.is_absent(1) {
        lua.set_top(lua.top().max(1));
    }
    let entry = if lua.is_absent(1) {
        None
    } else {
        let Some(entry) = bounded_argument(&lua, 1, "process id", length::ID) else { return 2 };
        Some(entry)
    };
    match with_arguments(lua, 2, |arguments| lua.context().host.upgrade(entry, arguments)) {
        Ok(()) => stop(lua),
        Err(refusal) => refuse(lua, refusal),
    }
}

/// The method's spawner. Raises when it isn't one.
fn check_spawner(lua: Lua) {
    if lua.kind(1) != Kind::Table || !lua.context().types.spawner.get().is(lua.metatable(1)) {
        lua.type_error(1, c"spawner");
    }
}

/// `spawner:spawn(id, host, ...)`, and the others.
fn spawn_with(lua: Lua, variant: Variant) -> c_int {
    check_spawner(lua);
    spawn_as(lua, 2, variant, true)
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

/// What the spawner at 1 holds, beside arguments of so many bytes. A script may have taken it apart: everything is looked
/// at once more. Raises nothing: the caller has its arguments in hand.
fn extras(lua: &Lua, arguments: usize) -> Result<Extras<'_>, Refusal> {
    let limit = lua.context().message_limit.get();
    let context = lua.held_bytes(1, 1).map(|bytes| payload(bytes, "context", limit)).transpose()?;
    let most = call::spawn_bytes(limit);
    let size = arguments + context.map_or(0, <[u8]>::len);
    Ok(Extras {
        context,
        name: lua.held_bytes(1, 2).map(name).transpose()?,
        messages: first_messages(lua, limit, most.saturating_sub(size))?,
        actor: actor(lua)?,
        scope: scope(lua)?,
    })
}

fn actor(lua: &Lua) -> Result<Option<ActorParam<'_>>, Refusal> {
    let Some(id) = lua.held_bytes(1, 5) else { return Ok(None) };
    actor_of(id, lua.held_bytes(1, 6)).map(Some)
}

/// An actor as the host takes it.
pub fn actor_of<'b>(id: &'b [u8], meta: Option<&'b [u8]>) -> Result<ActorParam<'b>, Refusal> {
    let id = text(id, "actor id", length::ACTOR)?;
    match meta {
        Some(meta) if meta.len() > length::META => {
            Err(invalid(format!("meta of {} bytes exceeds the limit of {}", meta.len(), length::META)))
        }
        meta => Ok(ActorParam { id, meta }),
    }
}

fn scope(lua: &Lua) -> Result<Option<Vec<&str>>, Refusal> {
    let Some(count) = list(*lua, 7) else { return Ok(None) };
    if count > length::POLICIES {
        return Err(invalid(format!("scope of {count} policies exceeds the limit of {}", length::POLICIES)));
    }
    let ids = (1..=count).map(|place| text(item_of(lua, 7, place).unwrap_or_default(), "policy id", length::ID));
    ids.collect::<Result<_, _>>().map(Some)
}

/// `room`: what is left of the bytes that a spawn may carry.
fn first_messages(lua: &Lua, limit: usize, room: usize) -> Result<Vec<FirstMessage<'_>>, Refusal> {
    let mut messages = Vec::new();
    let mut left = room;
    for place in (1..=list(*lua, 3).unwrap_or_default()).step_by(2) {
        let (Some(first), Some(second)) = (item_of(lua, 3, place), item_of(lua, 3, place + 1)) else { break };
        let (topic, payload) = (topic(first)?, payload(second, "payload", limit)?);
        let Some(rest) = left.checked_sub(topic.len() + payload.len() + call::ITEM) else {
            let most = call::spawn_bytes(limit);
            return Err(invalid(format!("arguments, context and first messages exceed {most} bytes together")));
        };
        left = rest;
        messages.push(FirstMessage { topic, payload });
    }
    Ok(messages)
}

fn payload<'b>(bytes: &'b [u8], what: &str, limit: usize) -> Result<&'b [u8], Refusal> {
    match bytes.len() {
        size if size > limit => Err(invalid(format!("{what} of {size} bytes exceeds the message limit of {limit}"))),
        _ => Ok(bytes),
    }
}

/// Entries of the list at a place of the spawner, if there is one.
fn list(mut lua: Lua, place: i64) -> Option<usize> {
    lua.get_item(1, place);
    let count = (lua.kind(-1) == Kind::Table).then(|| lua.length(-1));
    lua.pop(1);
    count
}

/// The bytes at a place of the list at a place of the spawner, which holds the list.
fn item_of(lua: &Lua, list: i64, place: usize) -> Option<&[u8]> {
    let mut above = *lua;
    above.get_item(1, list);
    let bytes = lua.held_bytes(above.top(), place as i64);
    above.pop(1);
    bytes
}

extern "C-unwind" fn terminate(lua: Lua) -> c_int {
    let Some(destination) = destination_argument(&lua, 1) else { return 2 };
    done(lua, lua.context().host.terminate(destination))
}

/// `cancel(destination [, deadline])`
extern "C-unwind" fn cancel(lua: Lua) -> c_int {
    let Some(destination) = destination_argument(&lua, 1) else { return 2 };
    let deadline = if lua.is_absent(2) {
        None
    } else {
        match argument(lua, 2) {
            Argument::Nanoseconds(time) => Some(time),
            Argument::Invalid(fault) => return refuse(lua, invalid(fault)),
            Argument::WrongType => lua.type_error(2, c"duration"),
        }
    };
    done(lua, lua.context().host.cancel(destination, deadline))
}

/// Limits that are this long are none.
const FOREVER: u64 = i64::MAX as u64;

fn time(lua: Lua, nanoseconds: u64) {
    Duration(i64::try_from(nanoseconds).unwrap_or(i64::MAX)).push(lua);
}

fn count(lua: Lua, count: u64) {
    lua.push_integer(i64::try_from(count).unwrap_or(i64::MAX));
}

/// Sets a limit in the table on top: what is used of it, and the most. Raises.
fn set_limit(lua: Lua, name: &CStr, push: fn(Lua, u64), held: Held) {
    lua.new_table(0, 2);
    push(lua, held.used);
    lua.set_field(-2, c"used");
    if held.limit < FOREVER {
        push(lua, held.limit);
        lua.set_field(-2, c"limit");
    }
    lua.set_field(-2, name);
}

/// `limits()` → a table of what is used of the limits that the host counts, and of `memory`; and the limit `message`
extern "C-unwind" fn limits(lua: Lua) -> c_int {
    let context = lua.context();
    let held = context.host.limits();
    let own = context.memory.own();
    let memory = Held { used: own.saturating_sub(context.memory.left()) as u64, limit: own as u64 };
    lua.new_table(0, 16);
    set_limit(lua, c"memory", count, memory);
    set_limit(lua, c"cpu", time, held.cpu);
    set_limit(lua, c"cpu_total", time, held.cpu_total);
    set_limit(lua, c"lifetime", time, held.lifetime);
    set_limit(lua, c"mailbox_messages", count, held.mailbox_messages);
    set_limit(lua, c"mailbox_bytes", count, held.mailbox_bytes);
    set_limit(lua, c"links", count, held.links);
    set_limit(lua, c"monitors", count, held.monitors);
    set_limit(lua, c"names", count, held.names);
    set_limit(lua, c"groups", count, held.groups);
    set_limit(lua, c"log_lines", count, held.log_lines);
    count(lua, context.message_limit.get() as u64);
    2
}

extern "C-unwind" fn get_options(lua: Lua) -> c_int {
    let options = lua.context().host.options();
    lua.new_table(0, 1);
    lua.push_boolean(options.trap_links);
    lua.set_field(-2, c"trap_links");
    1
}

/// What `set_options` asks for, or what is wrong with it. All or nothing.
fn read_options(mut lua: Lua) -> Result<Options, String> {
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
            Some(name) => return Err(format!("unknown option `{}`", shown(name))),
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
            push_error(lua, ErrorKind::Invalid, fault, false);
            2
        }
    }
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 16] = [
    (c"spawner_exec", spawner_exec),
    (c"spawner_spawn", spawner_spawn),
    (c"spawner_spawn_monitored", spawner_spawn_monitored),
    (c"spawner_spawn_linked", spawner_spawn_linked),
    (c"spawner_spawn_linked_monitored", spawner_spawn_linked_monitored),
    (c"spawn", spawn),
    (c"spawn_monitored", spawn_monitored),
    (c"spawn_linked", spawn_linked),
    (c"spawn_linked_monitored", spawn_linked_monitored),
    (c"exec", exec),
    (c"upgrade", upgrade),
    (c"terminate", terminate),
    (c"cancel", cancel),
    (c"limits", limits),
    (c"get_options", get_options),
    (c"set_options", set_options),
];
