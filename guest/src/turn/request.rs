//! Waiting for the reply to a request. A function that starts one checks its arguments, asks [`wait::check`] so that nothing is
//! started where one can't wait, calls the host, and returns what [`reply_to`] does: only its coroutine waits. Owns that, and who
//! waits for which reply. Does not know what was asked for.

use std::ffi::{CStr, c_int};

use super::channel::{make_ready, task_at};
use super::slots::{State, state, task};
use crate::codec::{is_list, try_decode, try_spread};
use crate::host::Refusal;
use crate::lua::wait::{self, Continuation};
use crate::lua::{Function, Lua};
use crate::state::error::refuse;

/// What a C function returns that has started a request: the call gives `value, nil` or `nil, err` when the reply is there, or
/// at once when the host refused. Raises.
pub fn reply_to(lua: Lua, started: Result<u64, Refusal>) -> c_int {
    match started {
        Ok(request) => wait_for(lua, request as i64, replied),
        Err(refusal) => refuse(lua, refusal),
    }
}

/// The same for a call: it gives the results of the function that was called, or `nil, err`. Raises.
pub fn answer_to(lua: Lua, started: Result<u64, Refusal>) -> c_int {
    match started {
        Ok(request) => wait_for(lua, request as i64, answered),
        Err(refusal) => refuse(lua, refusal),
    }
}

/// The same for a call that is under way. Raises where it can't wait; the reply is dropped then.
pub fn results_of(lua: Lua, request: u64) -> c_int {
    wait::check(lua);
    wait_for(lua, request as i64, answered)
}

fn wait_for(mut lua: Lua, request: i64, then: Continuation) -> c_int {
    let Some((waiting, scheduler)) = lua.context().requests.get() else { return 0 };
    lua.set_top(0);
    lua.push_kept(scheduler);
    lua.get_item(1, state::CURRENT);
    // At the memory limit this raises; the reply is dropped then.
    let places = &lua.context().waiting;
    let place = places.borrow().next();
    lua.push_kept(waiting);
    lua.push_copy(2);
    lua.set_item(3, place);
    places.borrow_mut().take(request as u64);
    lua.get_item(1, state::LIVE);
    lua.push_integer(lua.integer(-1).unwrap_or_default() + 1);
    lua.set_item(1, state::LIVE);
    lua.set_top(2);
    wait::wait_then(lua, 0, then)
}

/// Wakes who waits for the reply to a request with what has come, on top of the stack: a payload, or the text that it is. Nobody does
/// when there was no memory to wait. `state` is the scheduler's, whose run queue is at index `queue`. Raises.
pub fn replied_to(lua: Lua, state: State, queue: c_int, request: u64, completed: bool, is_text: bool) {
    let Some((waiting, _)) = lua.context().requests.get() else { return };
    let Some(place) = lua.context().waiting.borrow_mut().leave(request) else { return };
    let got = lua.top();
    lua.push_kept(waiting);
    lua.get_item(got + 1, place);
    let task = task_at(lua, got + 2);
    make_ready(lua, state, queue, got + 2);
    lua.push_boolean(false);
    lua.set_item(got + 1, place);
    lua.push_copy(got);
    lua.set_item(got + 2, task::GOT);
    task.set_boolean(task::OK, completed);
    task.set_boolean(task::TOPIC, is_text);
    state.set_integer(state::LIVE, state.integer(state::LIVE) - 1);
}

/// Takes what the task at index 2 got, to index 4; whether its request was completed.
fn take_reply(mut lua: Lua) -> bool {
    lua.set_top(2);
    lua.get_item(2, task::OK);
    lua.get_item(2, task::GOT);
    lua.push_boolean(false);
    lua.set_item(2, task::GOT);
    lua.boolean(3)
}

/// The call goes on: the task is at index 2.
extern "C-unwind" fn replied(lua: Lua, _status: c_int, _context: isize) -> c_int {
    let completed = take_reply(lua);
    lua.get_item(2, task::TOPIC);
    if lua.boolean(-1) {
        // It is the text itself.
        lua.push_copy(4);
        lua.push_nil();
    } else if try_decode(lua, lua.bytes(4).unwrap_or_default()) && completed {
        // A value that can't be had is an error like any other.
        lua.push_nil();
    } else {
        lua.push_nil();
        lua.insert(-2);
    }
    2
}

/// The same for a call.
extern "C-unwind" fn answered(lua: Lua, _status: c_int, _context: isize) -> c_int {
    let completed = take_reply(lua);
    push_answer(lua, lua.bytes(4).unwrap_or_default(), completed)
}

/// Pushes what a call gives, of its payload: what completed it is its results, or the error object instead of them. Raises.
pub fn push_answer(lua: Lua, payload: &[u8], completed: bool) -> c_int {
    if completed && is_list(lua, payload) {
        if let Some(count) = try_spread(lua, payload) {
            return count;
        }
    } else {
        try_decode(lua, payload);
    }
    lua.push_nil();
    lua.insert(-2);
    2
}

/// `keep_state(state)`: the scheduler's.
extern "C-unwind" fn keep_state(mut lua: Lua) -> c_int {
    lua.set_top(1);
    let state = lua.keep();
    lua.new_table(0, 0);
    let waiting = lua.keep();
    lua.context().requests.set(Some((waiting, state)));
    0
}

/// `await_reply(request)` → value, nil; or nil and the error object. For the prelude: where it can't wait it raises.
extern "C-unwind" fn await_reply(lua: Lua) -> c_int {
    let request = lua.integer(1).unwrap_or_default();
    wait::check(lua);
    wait_for(lua, request, replied)
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 2] = [(c"keep_state", keep_state), (c"await_reply", await_reply)];
