//! The hot half of channels: receiving when one has to wait, and handing a message to who waits. Works on the same tables as
//! `prelude/channel.lua`, and owns only the commonest case of each: one coroutine waits in `receive`, alone. Everything
//! else is the prelude's; it would do this too, in three times the instructions.

use std::ffi::c_int;

use super::slots::{channel, kind, node, state, task};
use crate::codec::{decode, is_scalar};
use crate::host::Message;
use crate::lua::wait;
use crate::lua::{Kind, Lua};

/// Upvalues of `receive`.
const STATE: c_int = Lua::upvalue(1);
const READY: c_int = Lua::upvalue(2);
const EVENT: c_int = Lua::upvalue(3);

fn number(mut lua: Lua, table: c_int, slot: i64) -> i64 {
    lua.get_item(table, slot);
    let number = lua.integer(-1).unwrap_or_default();
    lua.pop(1);
    number
}

fn truth(mut lua: Lua, table: c_int, slot: i64) -> bool {
    lua.get_item(table, slot);
    let truth = lua.boolean(-1);
    lua.pop(1);
    truth
}

fn set_boolean(lua: Lua, table: c_int, slot: i64, value: bool) {
    lua.push_boolean(value);
    lua.set_item(table, slot);
}

fn set_number(lua: Lua, table: c_int, slot: i64, value: i64) {
    lua.push_integer(value);
    lua.set_item(table, slot);
}

/// `channel:receive()`. Its upvalues: the scheduler's state, the prelude's function for when nobody has to wait, and the
/// one that makes an event of its record.
pub extern "C-unwind" fn receive(mut lua: Lua) -> c_int {
    if !lua.context().types.channel.get().is(lua.metatable(1)) {
        lua.type_error(1, c"channel");
    }
    lua.set_top(1);
    let ready = number(lua, 1, channel::HEAD) <= number(lua, 1, channel::TAIL)
        || truth(lua, 1, channel::FIRST_SENDER)
        || truth(lua, 1, channel::CLOSED);
    if ready {
        lua.push_copy(READY);
        lua.push_copy(1);
        lua.call(1, 2);
        return 2;
    }
    wait::check(lua);
    // From here on nothing can fail: all slots are there.
    lua.get_item(STATE, state::CURRENT);
    link(lua);
    let kind = number(lua, 1, channel::KIND);
    wait::wait_then(lua, kind as isize, woken)
}

/// Puts the task at index 2 at the end of the receivers of the channel at index 1.
fn link(lua: Lua) {
    set_boolean(lua, 2, node::SENDS, false);
    lua.push_copy(1);
    lua.set_item(2, node::CHANNEL);
    set_boolean(lua, 2, node::NEXT, false);
    lua.get_item(1, channel::LAST_RECEIVER);
    if lua.kind(3) == Kind::Table {
        lua.push_copy(2);
        lua.set_item(3, node::NEXT);
    } else {
        lua.push_copy(2);
        lua.set_item(1, channel::FIRST_RECEIVER);
    }
    lua.set_item(2, node::PREVIOUS);
    lua.push_copy(2);
    lua.set_item(1, channel::LAST_RECEIVER);
    if truth(lua, 1, channel::SOURCE) {
        set_number(lua, STATE, state::LIVE, number(lua, STATE, state::LIVE) + 1);
    }
}

/// `receive` goes on: the channel is at index 1, the task at index 2.
extern "C-unwind" fn woken(mut lua: Lua, _status: c_int, kind: isize) -> c_int {
    lua.set_top(2);
    if !truth(lua, 2, task::OK) {
        lua.push_nil();
        lua.push_boolean(false);
        return 2;
    }
    lua.get_item(2, task::GOT);
    set_boolean(lua, 2, task::GOT, false);
    set_boolean(lua, 2, task::ARRIVED, false);
    lua.get_item(2, task::TOPIC);
    // Without a topic it is the value itself: from a plain channel, or decoded at once.
    let encoded = lua.kind(4) == Kind::String;
    if encoded && kind as i64 == kind::PAYLOADS {
        decode(lua, lua.bytes(3).unwrap_or_default());
    } else if encoded {
        lua.get_item(2, task::SENDER);
        push_message(lua, 3, 4, 5);
    } else if kind > kind::MESSAGES as isize {
        lua.push_copy(EVENT);
        lua.push_copy(3);
        lua.call(1, 1);
    } else {
        lua.push_copy(3);
    }
    lua.push_boolean(true);
    2
}

/// Pushes a Message of payload bytes, topic and sender (or false) at these indices; `prelude/message.lua` says how it reads.
fn push_message(lua: Lua, bytes: c_int, topic: c_int, sender: c_int) {
    lua.new_table(5, 0);
    for (slot, index) in [(1, sender), (2, topic), (3, bytes)] {
        lua.push_copy(index);
        lua.set_item(-2, slot);
    }
    set_boolean(lua, -2, 4, false);
    set_boolean(lua, -2, 5, false);
    lua.context().types.message.get().set(lua);
}

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Handed {
    /// Nobody waits, or not alone; nothing has happened.
    No,
    /// As it came.
    Encoded,
    /// Decoded; neither topic nor sender are in Lua.
    Decoded,
}

/// Hands a message to the coroutine that waits, alone, to receive from the channel on top of the stack. `state` is the
/// index of the scheduler's state, `arrived` the number of arrival. Raises.
pub fn hand_over(lua: Lua, state: c_int, message: &Message, arrived: i64) -> Handed {
    let channel = lua.top();
    lua.get_item(channel, channel::FIRST_RECEIVER);
    let waiter = channel + 1;
    if lua.kind(waiter) != Kind::Table || truth(lua, waiter, node::NEXT) {
        return Handed::No;
    }
    lua.get_item(waiter, node::TASK);
    if lua.address(waiter) != lua.address(-1) {
        // A case of a select: the others have to leave their queues.
        return Handed::No;
    }
    // What may fail comes first.
    let decoded = number(lua, channel, channel::KIND) == kind::PAYLOADS && is_scalar(&message.payload);
    if decoded {
        decode(lua, &message.payload);
    } else {
        lua.push_bytes(&message.payload);
        lua.push_bytes(message.topic.as_bytes());
        push_sender(lua, message.sender.as_deref());
        lua.insert(-3);
    }
    make_ready(lua, state, waiter);
    if decoded {
        lua.set_item(waiter, task::GOT);
        set_boolean(lua, waiter, task::TOPIC, false);
    } else {
        lua.set_item(waiter, task::TOPIC);
        lua.set_item(waiter, task::GOT);
        lua.set_item(waiter, task::SENDER);
    }
    set_number(lua, waiter, task::ARRIVED, arrived);
    set_boolean(lua, waiter, task::OK, true);
    set_boolean(lua, channel, channel::FIRST_RECEIVER, false);
    set_boolean(lua, channel, channel::LAST_RECEIVER, false);
    if truth(lua, channel, channel::SOURCE) {
        set_number(lua, state, state::LIVE, number(lua, state, state::LIVE) - 1);
    }
    if decoded { Handed::Decoded } else { Handed::Encoded }
}

/// A sender, or false.
pub fn push_sender(lua: Lua, sender: Option<&str>) {
    match sender {
        Some(pid) => lua.push_bytes(pid.as_bytes()),
        None => lua.push_boolean(false),
    }
}

/// Puts the task at this index at the end of the run queue. Raises, having changed nothing.
fn make_ready(mut lua: Lua, state: c_int, task: c_int) {
    let last = number(lua, state, state::LAST) + 1;
    lua.get_item(state, state::QUEUE);
    lua.push_copy(task);
    lua.set_item(-2, last);
    lua.pop(1);
    set_number(lua, state, state::LAST, last);
}

/// Pushes the task to run next, taking it out of its queue; false: there is none. `queue` is the index of the run queue.
pub fn push_next(mut lua: Lua, state: c_int, queue: c_int) -> bool {
    let depth = number(lua, state, state::DEPTH);
    if depth > 0 {
        lua.get_item(state, state::STACK);
        lua.get_item(-1, depth);
        lua.push_nil();
        lua.set_item(-3, depth);
        lua.remove(-2);
        set_number(lua, state, state::DEPTH, depth - 1);
        return true;
    }
    let first = number(lua, state, state::FIRST);
    let last = number(lua, state, state::LAST);
    if first > last {
        return false;
    }
    lua.get_item(queue, first);
    lua.push_nil();
    lua.set_item(queue, first);
    if first == last {
        set_number(lua, state, state::FIRST, 1);
        set_number(lua, state, state::LAST, 0);
    } else {
        set_number(lua, state, state::FIRST, first + 1);
    }
    true
}
