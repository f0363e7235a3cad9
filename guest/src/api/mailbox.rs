//! `process.send`, and reading payloads back. The hot path of the whole system: one function,
//! no allocation of its own (the buffer is kept), and nothing on the Lua heap when it succeeds.

use std::ffi::{CStr, c_int};
use std::mem;

use super::argument::{argument, destination_argument, fault_of, shown, topic, with_payload};
use crate::codec::{Shape, Unfit, decode, try_decode};
use crate::lua::{Function, Lua};
use crate::state::error::done;

/// `send(destination, topic, ...)`
extern "C-unwind" fn send(lua: Lua) -> c_int {
    let Some(destination) = destination_argument(&lua, 1) else { return 2 };
    let Some(topic) = argument(&lua, 2, "topic", topic) else { return 2 };
    let context = lua.context();
    let shape = match lua.top() {
        // Index 3 is beyond the arguments: encodes as nil.
        2 | 3 => Shape::One(3),
        last => Shape::Packed(3, last),
    };
    let told = |unfit: Unfit| unfit.message("payload");
    let result = with_payload(lua, shape, context.message_limit.get(), told, |payload| {
        context.host.send(destination, topic, payload, context.unread())
    });
    done(lua, result)
}

/// `topic_fault(topic)` → why it is unusable, or nil. The topic is a string.
extern "C-unwind" fn check_topic(lua: Lua) -> c_int {
    fault_of(lua, topic)
}

/// `encode(root, ...)` → the payload that `send` makes of the values, or nil and what is wrong (`root` names them there)
extern "C-unwind" fn write(lua: Lua) -> c_int {
    let shape = match lua.top() {
        1 | 2 => Shape::One(2),
        last => Shape::Packed(2, last),
    };
    let root = lua.check_bytes(1);
    let told = |unfit: Unfit| unfit.message(&shown(root));
    match with_payload(lua, shape, lua.context().message_limit.get(), told, |payload| Ok(mem::take(payload))) {
        Ok(payload) => {
            lua.push_owned(payload);
            1
        }
        Err(refusal) => {
            lua.push_nil();
            lua.push_owned(refusal.message);
            2
        }
    }
}

/// `decode(bytes)` → value
extern "C-unwind" fn read(lua: Lua) -> c_int {
    decode(lua, lua.check_bytes(1));
    1
}

/// `try_decode(bytes)` → true and the value, or false and the error object
extern "C-unwind" fn try_read(lua: Lua) -> c_int {
    let read = try_decode(lua, lua.check_bytes(1));
    lua.push_boolean(read);
    lua.insert(-2);
    2
}

/// `arrived()` → messages and events that the host has handed over so far
extern "C-unwind" fn arrived(lua: Lua) -> c_int {
    lua.push_integer(lua.context().arrived.get());
    1
}

/// `host_listen(topic)` → true: the host hands over messages of the topic; or nil and the error object
extern "C-unwind" fn listen(lua: Lua) -> c_int {
    let listened = topic(lua.check_bytes(1)).and_then(|topic| lua.context().host.listen(topic));
    done(lua, listened)
}

/// `host_unlisten(topic)`: it doesn't any more.
extern "C-unwind" fn unlisten(lua: Lua) -> c_int {
    if let Ok(topic) = topic(lua.check_bytes(1)) {
        lua.context().host.unlisten(topic);
    }
    0
}

/// `host_listen_to_all()`: it hands over messages of every topic.
extern "C-unwind" fn listen_to_all(lua: Lua) -> c_int {
    lua.context().host.listen_to_all();
    0
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 9] = [
    (c"send", send),
    (c"topic_fault", check_topic),
    (c"encode", write),
    (c"decode", read),
    (c"try_decode", try_read),
    (c"arrived", arrived),
    (c"host_listen", listen),
    (c"host_unlisten", unlisten),
    (c"host_listen_to_all", listen_to_all),
];
