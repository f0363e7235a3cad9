//! Waiting: the face of what `lua.patch` adds to Lua's coroutines. A wait is a yield meant for the scheduler, which plain
//! coroutines hand on outward. Owns the three C functions' declarations; what is waited for is the prelude's.

use std::ffi::c_int;

use mlua_sys::lua_State;

use crate::lua::{Function, Lua};

unsafe extern "C-unwind" {
    fn lunarium_wait(lua: *mut lua_State) -> c_int;
    fn lunarium_canwait(lua: *mut lua_State) -> c_int;
    fn lunarium_setbase(coroutine: *mut lua_State, is_main: c_int);
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

/// Marks a fresh coroutine as one that the scheduler resumes.
pub fn set_base(coroutine: Lua, main: bool) {
    unsafe { lunarium_setbase(coroutine.raw(), main.into()) }
}

/// For the prelude.
pub const FUNCTIONS: [(&std::ffi::CStr, Function); 2] = [(c"wait", wait), (c"can_wait", can_wait)];
