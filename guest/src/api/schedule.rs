//! What the prelude's scheduler needs of Rust: making and resuming base coroutines, clocks, and telling Rust which
//! metatables are the runtime's types. Owns no queue: those are in `prelude/schedule.lua`.

use std::ffi::{CStr, c_int};

use crate::lua::wait::set_base;
use crate::lua::{Broken, Function, Lua, Progress};
use crate::state::context::{Context, Type};
use crate::turn::channel::receive;

/// `new_base(f, ...)` → a coroutine that will run `f(...)`
extern "C-unwind" fn new_base(lua: Lua) -> c_int {
    make_base(lua, false)
}

/// The same for the one that runs the program's method.
extern "C-unwind" fn new_main(lua: Lua) -> c_int {
    make_base(lua, true)
}

fn make_base(mut lua: Lua, main: bool) -> c_int {
    let count = lua.top();
    let coroutine = lua.new_thread();
    lua.insert(1);
    if !coroutine.reserve(count.saturating_add(20)) {
        lua.raise_text("too many arguments");
    }
    lua.move_to(coroutine, count);
    set_base(coroutine, main);
    1
}

/// `step(coroutine)` → nothing: it waits; true: it is done; `false, memory`: it failed, with the error on its stack
extern "C-unwind" fn step(lua: Lua) -> c_int {
    let Some(coroutine) = lua.thread(1) else { return 0 };
    match coroutine.resume(lua) {
        Progress::Waits => 0,
        Progress::Done(_) => {
            lua.push_boolean(true);
            1
        }
        Progress::Failed(why) => {
            lua.push_boolean(false);
            lua.push_boolean(why == Broken::Memory);
            2
        }
    }
}

/// `stop_coroutine(coroutine)` → whether it waited: it never goes on then, and what it had to close is closed.
extern "C-unwind" fn stop_coroutine(lua: Lua) -> c_int {
    let coroutine = lua.thread(1).filter(Lua::is_suspended);
    if let Some(coroutine) = coroutine {
        coroutine.close_thread(lua);
    }
    lua.push_boolean(coroutine.is_some());
    1
}

/// `make_receive(state, ready, event)`: see `channel.rs`.
extern "C-unwind" fn make_receive(mut lua: Lua) -> c_int {
    lua.set_top(3);
    lua.push_closure(receive, 3);
    1
}

/// `condemn(coroutine)`: it, and the coroutine that calls this, raise wherever they go on.
extern "C-unwind" fn condemn(lua: Lua) -> c_int {
    lua.condemn();
    if let Some(coroutine) = lua.thread(1) {
        coroutine.condemn();
    }
    0
}

/// `now()` → nanoseconds of the monotonic clock
extern "C-unwind" fn now(lua: Lua) -> c_int {
    lua.push_integer(lua.context().host.now() as i64);
    1
}

/// `cpu()` → seconds this process has run
extern "C-unwind" fn cpu(lua: Lua) -> c_int {
    let context = lua.context();
    lua.push_number(context.cpu.read(context.host.now()) as f64 / 1e9);
    1
}

/// `define(name, metatable)`: values with this metatable are of the runtime's type `name`.
extern "C-unwind" fn define(mut lua: Lua) -> c_int {
    let types = &lua.context().types;
    let Some(name) = lua.bytes(1) else { return 0 };
    let place = match name {
        b"error" => &types.error,
        b"channel" => &types.channel,
        b"case" => &types.case,
        b"message" => &types.message,
        b"field" => &types.field,
        b"spawner" => &types.spawner,
        b"actor" => &types.actor,
        b"policy" => &types.policy,
        b"scope" => &types.scope,
        _ => &types.timer,
    };
    lua.set_top(2);
    place.set(Type::keep(lua));
    0
}

/// `count_unread(table)`: where `{messages, bytes, count, numbers}` is counted.
extern "C-unwind" fn count_unread(mut lua: Lua) -> c_int {
    if let Some(counts) = lua.items(1) {
        lua.set_top(1);
        let context: &Context = lua.context();
        context.unread.set(Some((lua.keep(), counts)));
    }
    0
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 10] = [
    (c"new_base", new_base),
    (c"new_main", new_main),
    (c"step", step),
    (c"stop_coroutine", stop_coroutine),
    (c"make_receive", make_receive),
    (c"condemn", condemn),
    (c"now", now),
    (c"cpu", cpu),
    (c"define", define),
    (c"count_unread", count_unread),
];
