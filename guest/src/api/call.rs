//! `process.call`, and answers to calls from outside: arguments and results only. What runs is in `prelude/call.lua`.

use std::ffi::{CStr, c_int};

use lunarium_contract::length;

use super::argument::{bounded_argument, destination_argument, with_arguments, with_payload};
use crate::codec::{Shape, Unfit, decode_spread, failure_payload};
use crate::host::{Failure, Refusal};
use crate::lua::wait;
use crate::lua::{Function, Lua};
use crate::state::error::kept;
use crate::turn::outcome::caught;
use crate::turn::request::answer_to;

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
    let started = with_arguments(lua, 3, |arguments| lua.context().host.call(destination, method, arguments, timeout));
    answer_to(lua, started)
}

/// `spread(payload)` → the values of an array
extern "C-unwind" fn spread(lua: Lua) -> c_int {
    decode_spread(lua, lua.check_bytes(1))
}

/// `answer(call, ...)`: these are the results.
extern "C-unwind" fn answer(lua: Lua) -> c_int {
    let call = lua.integer(1).unwrap_or_default() as u64;
    let limit = lua.context().message_limit.get();
    let told = |unfit: Unfit| unfit.message("results");
    let answered = with_payload(lua, Shape::List(2, lua.top()), limit, told, |results| {
        lua.context().host.answer(call, results);
        Ok(())
    });
    if let Err(Refusal { kind, message, retryable, .. }) = answered {
        fail(lua, call, &Failure { kind, message, retryable: Some(retryable), details: None, stack: None });
    }
    0
}

/// `answer_failed(call, stack, error)`: it has no results, but this error. `stack` is a traceback or false.
extern "C-unwind" fn answer_failed(mut lua: Lua) -> c_int {
    lua.set_top(3);
    let call = lua.integer(1).unwrap_or_default() as u64;
    let stack = lua.bytes(2).map(|stack| kept(stack, length::STACK));
    fail(lua, call, &caught(lua, stack));
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
    (c"answer", answer),
    (c"answer_failed", answer_failed),
];
