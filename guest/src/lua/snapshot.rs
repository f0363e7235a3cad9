//! Where the making of a state ends and a process begins: what `lua.patch` adds for that. The rules of `lua.rs` hold.

use std::ffi::c_int;

use mlua::ffi;

use super::Lua;

unsafe extern "C-unwind" {
    fn lunarium_freeze(lua: *mut ffi::lua_State);
    fn lunarium_settle(lua: *mut ffi::lua_State, slots: c_int);
    fn lunarium_seed(lua: *mut ffi::lua_State, seed: ffi::lua_Integer) -> ffi::lua_Integer;
}

/// Slots of the main thread's stack: as many as the start of a process takes.
const STACK: c_int = 64;

impl Lua {
    /// Ends the making of the state, with a full collection: everything alive is old then, so that young collections leave
    /// it alone, and its strings stay for good. Until [`Lua::seed`] no string may be made. Raises.
    pub fn freeze(&self) {
        unsafe {
            ffi::lua_gc(self.0, ffi::LUA_GCGEN, 0 as c_int, 0 as c_int);
            lunarium_freeze(self.0);
        }
    }

    /// Allocates anew what every process writes to of a frozen state: the main thread's stack, its list of calls, the table of strings. Only
    /// with nothing running.
    pub fn settle(&self) {
        unsafe { lunarium_settle(self.0, STACK) };
    }

    /// Gives a frozen state its key of hashes, and returns what is to seed `math.random`: both follow from the seed, but not
    /// from each other. Raises when a string was made since.
    pub fn seed(&self, seed: u64) -> i64 {
        unsafe { lunarium_seed(self.0, seed as i64) }
    }
}
