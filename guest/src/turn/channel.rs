//! The hot half of channels: receiving when one has to wait, and handing a message to who waits. Works on the same tables as
//! `prelude/channel.lua`, and owns only the commonest case of each: one coroutine waits in `receive`, alone. Everything
//! else is the prelude's; it would do this too, in three times the instructions.

use std::ffi::c_int;

use lunarium_contract::batch::{Entry, SHORT};

use super::room::{push_payload, takes};
use super::slots::{Channel, State, Task, channel, kind, node, state, task};
use crate::codec::{as_text, decode, is_scalar};
use crate::lua::Lua;
use crate::lua::wait;

/// Upvalues of `receive`.
const STATE: c_int = Lua::upvalue(1);
const READY: c_int = Lua::upvalue(2);
const EVENT: c_int = Lua::upvalue(3);

/// `channel:receive()`. Its upvalues: the scheduler's state, the prelude's function for when nobody has to wait, and the
/// one that makes an event of its record.
pub extern "C-unwind" fn receive(mut lua: Lua) -> c_int {
    if !lua.context().types.channel.get().is(lua.metatable(1)) {
        lua.type_error(1, c"channel");
    }
    lua.set_top(1);
    let channel: Channel = lua.items(1).unwrap_or_else(|| lua.raise_text(DAMAGED));
    let ready = channel.integer(channel::HEAD) <= channel.integer(channel::TAIL)
        || channel.truth(channel::FIRST_SENDER)
        || channel.truth(channel::CLOSED);
    if ready {
        lua.push_copy(READY);
        lua.push_copy(1);
        lua.call(1, 2);
        return 2;
    }
    wait::check(lua);
    // From here on nothing can fail: all slots are there.
    lua.get_item(STATE, state::CURRENT);
    link(lua, channel);
    let kind = channel.integer(channel::KIND);
    wait::wait_then(lua, kind as isize, woken)
}

/// What a script learns that has put something else into a channel's table, or into a task's.
const DAMAGED: &str = "channel is damaged";

/// The task at this index of the stack.
pub fn task_at(lua: Lua, index: c_int) -> Task {
    lua.items(index).unwrap_or_else(|| lua.raise_text(DAMAGED))
}

/// Puts the task at index 2 at the end of the receivers of the channel at index 1.
fn link(lua: Lua, channel: Channel) {
    let task = task_at(lua, 2);
    let state: State = lua.items(STATE).unwrap_or_else(|| lua.raise_text(DAMAGED));
    task.set_boolean(node::SENDS, false);
    lua.push_copy(1);
    lua.set_item(2, node::CHANNEL);
    task.set_boolean(node::NEXT, false);
    if channel.table(channel::LAST_RECEIVER) == 0 {
        lua.push_copy(2);
        lua.set_item(1, channel::FIRST_RECEIVER);
        task.set_boolean(node::PREVIOUS, false);
    } else {
        lua.get_item(1, channel::LAST_RECEIVER);
        lua.push_copy(2);
        lua.set_item(3, node::NEXT);
        lua.set_item(2, node::PREVIOUS);
    }
    lua.push_copy(2);
    lua.set_item(1, channel::LAST_RECEIVER);
    if channel.truth(channel::SOURCE) {
        state.set_integer(state::LIVE, state.integer(state::LIVE) + 1);
    }
}

/// `receive` goes on: the channel is at index 1, the task at index 2.
extern "C-unwind" fn woken(mut lua: Lua, _status: c_int, kind: isize) -> c_int {
    lua.set_top(2);
    let task = task_at(lua, 2);
    if !task.truth(task::OK) {
        lua.push_nil();
        lua.push_boolean(false);
        return 2;
    }
    lua.get_item(2, task::GOT);
    task.set_boolean(task::GOT, false);
    task.set_boolean(task::ARRIVED, false);
    // Without a topic it is the value itself: from a plain channel, or decoded at once.
    let encoded = task.truth(task::TOPIC);
    if encoded && kind as i64 == kind::PAYLOADS {
        decode(lua, lua.bytes(3).unwrap_or_default());
    } else if encoded {
        lua.get_item(2, task::TOPIC);
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
    for slot in [4, 5] {
        lua.push_boolean(false);
        lua.set_item(-2, slot);
    }
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
/// scheduler's, whose run queue is at index `queue`, `arrived` the number of arrival. Raises.
pub fn hand_over(lua: Lua, state: State, queue: c_int, message: Entry<'_>, arrived: i64) -> Handed {
    let place = lua.top();
    let Some(channel) = lua.items::<{ channel::COUNT }>(place) else { return Handed::No };
    let first = channel.table(channel::FIRST_RECEIVER);
    if first == 0 {
        return Handed::No;
    }
    let waiter = place + 1;
    lua.get_item(place, channel::FIRST_RECEIVER);
    let Some(node) = lua.items::<{ node::COUNT }>(waiter) else { return Handed::No };
    if node.truth(node::NEXT) || node.table(node::TASK) != first {
        // Not alone, or a case of a select: the others have to leave their queues.
        return Handed::No;
    }
    let task = task_at(lua, waiter);
    // What may fail comes first.
    let decoded = channel.integer(channel::KIND) == kind::PAYLOADS && push_decoded(lua, message.payload);
    if !decoded {
        push_payload(lua, message.payload);
        lua.push_bytes(message.name);
        push_sender(lua, message.sender);
        lua.insert(-3);
    }
    make_ready(lua, state, queue, waiter);
    if decoded {
        lua.set_item(waiter, task::GOT);
        task.set_boolean(task::TOPIC, false);
    } else {
        lua.set_item(waiter, task::TOPIC);
        lua.set_item(waiter, task::GOT);
        lua.set_item(waiter, task::SENDER);
    }
    task.set_integer(task::ARRIVED, arrived);
    task.set_boolean(task::OK, true);
    channel.set_boolean(channel::FIRST_RECEIVER, false);
    channel.set_boolean(channel::LAST_RECEIVER, false);
    if channel.truth(channel::SOURCE) {
        state.set_integer(state::LIVE, state.integer(state::LIVE) - 1);
    }
    if decoded { Handed::Decoded } else { Handed::Encoded }
}

/// Pushes what a payload stands for, where that can't fail but as pushing its bytes could, and takes no more memory: a scalar, or a
/// long text, of which there need not be two copies in Lua. False: nothing is pushed.
fn push_decoded(lua: Lua, payload: &[u8]) -> bool {
    if !takes(lua, payload) {
        return false;
    }
    if payload.len() > SHORT {
        let text = as_text(payload);
        text.into_iter().for_each(|text| lua.push_bytes(text));
        return text.is_some();
    }
    let scalar = is_scalar(payload);
    if scalar {
        decode(lua, payload);
    }
    scalar
}

/// A sender, or false for nobody.
pub fn push_sender(lua: Lua, sender: &[u8]) {
    if sender.is_empty() {
        lua.push_boolean(false);
    } else {
        lua.push_bytes(sender);
    }
}

/// Puts the task at this index at the end of the run queue. Raises, having changed nothing.
pub fn make_ready(lua: Lua, state: State, queue: c_int, task: c_int) {
    let last = state.integer(state::LAST) + 1;
    lua.push_copy(task);
    lua.set_item(queue, last);
    state.set_integer(state::LAST, last);
}

/// Pushes the task to run next, taking it out of its queue; false: there is none. The scheduler's state itself is at `place`, its
/// run queue at `queue`.
pub fn push_next(mut lua: Lua, state: State, place: c_int, queue: c_int) -> bool {
    let depth = state.integer(state::DEPTH);
    if depth > 0 {
        lua.get_item(place, state::STACK);
        lua.get_item(-1, depth);
        lua.push_nil();
        lua.set_item(-3, depth);
        lua.remove(-2);
        state.set_integer(state::DEPTH, depth - 1);
        return true;
    }
    let first = state.integer(state::FIRST);
    let last = state.integer(state::LAST);
    if first > last {
        return false;
    }
    lua.get_item(queue, first);
    lua.push_nil();
    lua.set_item(queue, first);
    if first == last {
        state.set_integer(state::FIRST, 1);
        state.set_integer(state::LAST, 0);
    } else {
        state.set_integer(state::FIRST, first + 1);
    }
    true
}
