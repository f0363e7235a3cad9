//! `process.call`, and the way of a call from outside through its coroutine: the function is found, runs, and is answered for. Which
//! functions those are, and when a call begins, is in `prelude/call.lua`.

use std::ffi::{CStr, c_int};

use lunarium_contract::length;

use super::argument::{bounded_argument, destination_argument, with_arguments, with_payload};
use crate::codec::{Shape, Unfit, decode_spread, failure_payload, try_spread};
use crate::host::{Failure, Refusal};
use crate::lua::wait;
use crate::lua::{Function, Kind, Lua};
use crate::state::error::invalid;
use crate::turn::outcome::caught;
use crate::turn::request::answer_to;
use crate::turn::slots::state;
use crate::turn::trace::traceback;

/// `call(destination, method, ...)`: the function's results, or `nil, err`.
extern "C-unwind" fn call(lua: Lua) -> c_int {
    begin(lua, None)
}

/// `call_within(nanoseconds, destination, method, ...)`
extern "C-unwind" fn call_within(mut lua: Lua) -> c_int {
    let timeout = lua.integer(1).and_then(|timeout| u64::try_from(timeout).ok()).unwrap_or_default();
    lua.remove(1);
    begin(lua, Some(timeout))
}

fn begin(lua: Lua, timeout: Option<u64>) -> c_int {
    wait::check(lua);
    let Some(destination) = destination_argument(&lua, 1) else { return 2 };
    let Some(method) = bounded_argument(&lua, 2, "method", length::METHOD) else { return 2 };
    if waits_for_itself(lua, destination) {
        return invalid(lua, "the chunk calls its own process: such a call would wait until the chunk has returned");
    }
    let started = with_arguments(lua, 3, |arguments| lua.context().host.call(destination, method, arguments, timeout));
    answer_to(lua, started)
}

/// Whether the chunk itself calls a function of its process, which begins when it has returned.
fn waits_for_itself(mut lua: Lua, destination: &str) -> bool {
    let top = lua.top();
    let Some((_, scheduler)) = lua.context().requests.get() else { return false };
    lua.push_kept(scheduler);
    lua.get_item(top + 1, state::STARTING);
    let waits = lua.boolean(top + 2) && {
        for slot in [state::PID, state::CURRENT, state::MAIN] {
            lua.get_item(top + 1, slot);
        }
        let is_chunk = lua.address(top + 4) == lua.address(top + 5);
        is_chunk && lua.bytes(top + 3) == Some(destination.as_bytes())
    };
    lua.set_top(top);
    waits
}

/// `spread(payload)` → the values of an array
extern "C-unwind" fn spread(lua: Lua) -> c_int {
    decode_spread(lua, lua.check_bytes(1))
}

/// Upvalues of `serve`.
const STATE: c_int = Lua::upvalue(1);
const INVOKE: c_int = Lua::upvalue(2);

/// Where `serve` keeps the handler, and where its function is called.
const HANDLER: c_int = 4;
const CALLED: c_int = 5;

/// `make_serve(state, invoke)` → `serve(call, name, arguments)`, what a call's coroutine runs: the function of this name, and its answer.
/// `invoke(name, arguments)` does it for a function that isn't simply there, or raises what is said then.
extern "C-unwind" fn make_serve(mut lua: Lua) -> c_int {
    lua.set_top(2);
    lua.push_closure(serve, 2);
    1
}

extern "C-unwind" fn serve(lua: Lua) -> c_int {
    // Of one that was stopped, where this coroutine is now.
    take_trace(lua);
    lua.push_function(trace);
    let count = if push_function(lua) {
        match try_spread(lua, lua.bytes(3).unwrap_or_default()) {
            Some(count) => count,
            None => {
                fail(lua, call_of(lua), &caught(lua, None));
                return 0;
            }
        }
    } else {
        lua.push_copy(INVOKE);
        lua.push_copy(2);
        lua.push_copy(3);
        2
    };
    wait::pcall_then(lua, count, HANDLER, served)
}

/// Pushes the function whose name is at index 2, if the chunk's table has it itself.
fn push_function(mut lua: Lua) -> bool {
    lua.get_item(STATE, state::FUNCTIONS);
    if lua.kind(-1) == Kind::Table {
        lua.get_item(STATE, state::OWN);
        let is_own = lua.bytes(-1) == lua.bytes(2);
        lua.pop(1);
        lua.push_copy(2);
        lua.get(-2);
        if !is_own && lua.kind(-1) == Kind::Function {
            lua.remove(CALLED);
            return true;
        }
    }
    lua.set_top(HANDLER);
    false
}

fn call_of(lua: Lua) -> u64 {
    lua.integer(1).unwrap_or_default() as u64
}

/// The message handler, which keeps a traceback. It leaves the error as it is: `load` calls it, too, for what it then gives the script.
extern "C-unwind" fn trace(mut lua: Lua) -> c_int {
    lua.set_top(1);
    let stack = traceback(lua, lua, 1);
    lua.context().traces.borrow_mut().insert(lua.raw() as usize, stack);
    1
}

fn take_trace(lua: Lua) -> Option<String> {
    lua.context().traces.borrow_mut().remove(&(lua.raw() as usize))
}

/// The function has returned, or failed.
extern "C-unwind" fn served(lua: Lua, status: c_int, _context: isize) -> c_int {
    let call = call_of(lua);
    let stack = take_trace(lua);
    if wait::has_results(status) {
        answer(lua, call, CALLED);
    } else {
        fail(lua, call, &caught(lua, stack));
    }
    0
}

/// What is on the stack from this index on are the results.
fn answer(lua: Lua, call: u64, first: c_int) {
    let limit = lua.context().message_limit.get();
    let told = |unfit: Unfit| unfit.message("results");
    let answered = with_payload(lua, Shape::List(first, lua.top()), limit, told, |results| {
        lua.context().host.answer(call, results);
        Ok(())
    });
    if let Err(Refusal { kind, message, retryable, .. }) = answered {
        fail(lua, call, &Failure { kind, message, retryable: Some(retryable), details: None, stack: None });
    }
}

/// `answer_failed(call, error)`: it isn't begun.
extern "C-unwind" fn answer_failed(mut lua: Lua) -> c_int {
    lua.set_top(2);
    fail(lua, call_of(lua), &caught(lua, None));
    0
}

fn fail(lua: Lua, call: u64, failure: &Failure) {
    lua.context().host.answer(call, &failure_payload(failure));
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 5] = [
    (c"call", call),
    (c"call_within", call_within),
    (c"spread", spread),
    (c"make_serve", make_serve),
    (c"answer_failed", answer_failed),
];
