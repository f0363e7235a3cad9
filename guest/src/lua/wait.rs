//! The face of what `lua.patch` adds to Lua: waits, and where recursion ends. A wait is a yield meant for the
//! scheduler, which plain coroutines hand on outward. Owns the C functions' declarations; what is waited for is the prelude's.

#![allow(clippy::undocumented_unsafe_blocks, reason = "one call of C each, under the rules that stand in `lua/mod.rs`")]

use std::ffi::{CStr, c_int, c_uint};

use lunarium_contract::length;
use mlua::ffi::{self, lua_KContext, lua_KFunction, lua_State};

use super::{Function, Lua};

unsafe extern "C-unwind" {
    fn lunarium_wait(lua: *mut lua_State) -> c_int;
    fn lunarium_waitk(lua: *mut lua_State, context: lua_KContext, next: lua_KFunction) -> c_int;
    fn lunarium_canwait(lua: *mut lua_State) -> c_int;
    fn lunarium_setbase(coroutine: *mut lua_State, is_main: c_int);
    fn lunarium_limitstack(lua: *mut lua_State, calls: c_uint, bytes: usize);
}

/// `wait()`: the coroutine goes on when the scheduler resumes it. Raises where it can't.
extern "C-unwind" fn wait(lua: Lua) -> c_int {
    unsafe { lunarium_wait(lua.raw()) }
}

/// `can_wait()` → whether a wait would reach the scheduler from here.
extern "C-unwind" fn can_wait(lua: Lua) -> c_int {
    lua.push_boolean(unsafe { lunarium_canwait(lua.raw()) } != 0);
    1
}

/// Raises where one can't wait. To be called before anything is prepared for a wait.
pub fn check(lua: Lua) {
    if unsafe { lunarium_canwait(lua.raw()) } == 0 {
        lua.raise_text("attempt to yield across a C-call boundary");
    }
}

/// A function that goes on after a wait, with the stack as it was left and the number given then.
pub type Continuation = extern "C-unwind" fn(Lua, c_int, isize) -> c_int;

/// What a C function returns to wait, and to go on in `next` with `context`.
pub fn wait_then(lua: Lua, context: isize, next: Continuation) -> c_int {
    // SAFETY: `Lua` is a transparent `*mut lua_State`.
    let next = unsafe { std::mem::transmute::<Continuation, lua_KFunction>(next) };
    unsafe { lunarium_waitk(lua.raw(), context, next) }
}

/// What a C function returns to call the function below `arguments` values, protected and with the message handler at this index, and
/// to go on in `next` with the status: with the results, or with what the handler gave, in the function's place and above.
pub fn pcall_then(lua: Lua, arguments: c_int, handler: c_int, next: Continuation) -> c_int {
    // SAFETY: `Lua` is a transparent `*mut lua_State`.
    let then = unsafe { std::mem::transmute::<Continuation, lua_KFunction>(next) };
    let status = unsafe { ffi::lua_pcallk(lua.raw(), arguments, ffi::LUA_MULTRET, handler, 0, Some(then)) };
    next(lua, status, 0)
}

/// Whether a protected call that went on with this status has results.
pub fn has_results(status: c_int) -> bool {
    matches!(status, ffi::LUA_OK | ffi::LUA_YIELD)
}

/// Ends recursion in every coroutine where its stack would take half of the process's memory, so that other things don't
/// get too little and a script learns that it was this. At the limit: Lua's "stack overflow".
pub fn limit_stack(lua: Lua, memory: u64) {
    // What a bare coroutine needs anyway: of less memory the stack isn't the reason.
    const LEAST: usize = 16 * 1024;
    let bytes = usize::try_from(memory / 2).unwrap_or(usize::MAX).max(LEAST);
    unsafe { lunarium_limitstack(lua.raw(), length::LUA_CALLS, bytes) }
}

/// Marks a fresh coroutine as one that the scheduler resumes.
pub fn set_base(coroutine: Lua, main: bool) {
    unsafe { lunarium_setbase(coroutine.raw(), main.into()) }
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 2] = [(c"wait", wait), (c"can_wait", can_wait)];
