//! Tables, userdata, metatables, and what is kept in Lua's registry. The rules of `lua/mod.rs` hold.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each is one call of C whose conditions are the rules of `lua/mod.rs`"
)]

use std::ffi::{CStr, c_int};

use mlua::ffi;

use super::{Function, Lua};

impl Lua {
    /// Raises.
    #[inline]
    pub fn new_table(&self, items: usize, fields: usize) {
        let clamp = |n: usize| c_int::try_from(n).unwrap_or(c_int::MAX);
        unsafe { ffi::lua_createtable(self.0, clamp(items), clamp(fields)) }
    }

    /// A border of the table.
    #[inline]
    pub fn length(&self, index: c_int) -> usize {
        unsafe { ffi::lua_rawlen(self.0, index) }
    }

    /// Pops a key, pushes the next one and its value. False (nothing pushed) after the last. `index` is absolute.
    #[inline]
    pub fn next(&self, index: c_int) -> bool {
        unsafe { ffi::lua_next(self.0, index) != 0 }
    }

    /// The bytes of an item of the table at `table`, if it is a string. The table holds it.
    pub fn held_bytes(&self, table: c_int, key: i64) -> Option<&[u8]> {
        self.get_item(table, key);
        let bytes = self.bytes(-1);
        unsafe { ffi::lua_settop(self.0, -2) };
        bytes
    }

    /// Keys and values of the table at `table`; empty for what isn't a string. The table holds them.
    pub fn texts(&self, table: c_int) -> Texts<'_> {
        self.push_nil();
        Texts { lua: self, table, ended: false }
    }

    #[inline]
    pub fn get_item(&self, index: c_int, key: i64) {
        unsafe { ffi::lua_rawgeti(self.0, index, key) };
    }

    /// Pops a value into the table. Raises.
    #[inline]
    pub fn set_item(&self, index: c_int, key: i64) {
        unsafe { ffi::lua_rawseti(self.0, index, key) }
    }

    /// Pops a key, pushes its value; no metamethods.
    pub fn get(&self, index: c_int) {
        unsafe { ffi::lua_rawget(self.0, index) };
    }

    /// Pops a value and the key below it into the table; no metamethods. Raises.
    #[inline]
    pub fn set(&self, index: c_int) {
        unsafe { ffi::lua_rawset(self.0, index) }
    }

    /// Pushes a field; metamethods apply. Raises.
    pub fn get_field(&self, index: c_int, name: &CStr) {
        unsafe { ffi::lua_getfield(self.0, index, name.as_ptr()) };
    }

    /// Pops a value into a field. Raises.
    pub fn set_field(&self, index: c_int, name: &CStr) {
        unsafe { ffi::lua_setfield(self.0, index, name.as_ptr()) }
    }

    /// Puts a function into the table on top of the stack. Raises.
    pub fn set_function(&self, name: &CStr, function: Function) {
        self.push_function(function);
        self.set_field(-2, name);
    }

    /// Pushes the table of globals.
    pub fn push_globals(&self) {
        unsafe { ffi::lua_rawgeti(self.0, ffi::LUA_REGISTRYINDEX, ffi::LUA_RIDX_GLOBALS) };
    }

    /// Pushes Lua's table of loaded modules, by which it names functions in messages and tracebacks. Raises.
    pub fn push_loaded(&self) {
        unsafe { ffi::luaL_getsubtable(self.0, ffi::LUA_REGISTRYINDEX, c"_LOADED".as_ptr()) };
    }

    /// Pops a value to be found again by the number. Raises.
    pub fn keep(&self) -> Reference {
        Reference(unsafe { ffi::luaL_ref(self.0, ffi::LUA_REGISTRYINDEX) })
    }

    #[inline]
    pub fn push_kept(&self, reference: Reference) {
        unsafe { ffi::lua_rawgeti(self.0, ffi::LUA_REGISTRYINDEX, reference.0.into()) };
    }

    /// Identity of the value's metatable; 0: it has none.
    #[inline]
    pub fn metatable(&self, index: c_int) -> usize {
        if unsafe { ffi::lua_getmetatable(self.0, index) } == 0 {
            return 0;
        }
        let address = self.address(-1);
        unsafe { ffi::lua_settop(self.0, -2) };
        address
    }

    #[inline]
    pub fn set_metatable(&self, index: c_int) {
        unsafe { ffi::lua_setmetatable(self.0, index) };
    }

    /// Pushes a userdata that holds `value`. Raises.
    pub fn push_userdata<T: Copy>(&self, value: T) {
        unsafe {
            let place = ffi::lua_newuserdatauv(self.0, size_of::<T>(), 0);
            place.cast::<T>().write(value);
        }
    }

    /// Pushes a userdata of so many bytes, and tells where they are. Raises.
    pub fn push_block(&self, size: usize) -> *mut u8 {
        unsafe { ffi::lua_newuserdatauv(self.0, size, 0).cast() }
    }

    /// The value in a userdata. The caller has checked the metatable, by which only this type is ever made.
    pub fn userdata<T: Copy>(&self, index: c_int) -> Option<T> {
        let place = unsafe { ffi::lua_touserdata(self.0, index) };
        (!place.is_null()).then(|| unsafe { place.cast::<T>().read() })
    }
}

/// Number of a value kept in Lua's registry.
#[derive(Clone, Copy)]
pub struct Reference(c_int);

/// What [`Lua::texts`] gives. Its place on the stack is the key's.
pub struct Texts<'l> {
    lua: &'l Lua,
    table: c_int,
    ended: bool,
}

impl<'l> Iterator for Texts<'l> {
    type Item = (&'l [u8], &'l [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.ended = self.ended || !self.lua.next(self.table);
        if self.ended {
            return None;
        }
        let text = |index| self.lua.bytes(index).unwrap_or_default();
        let pair = (text(-2), text(-1));
        unsafe { ffi::lua_settop(self.lua.0, -2) };
        Some(pair)
    }
}

impl Drop for Texts<'_> {
    fn drop(&mut self) {
        if !self.ended {
            unsafe { ffi::lua_settop(self.lua.0, -2) };
        }
    }
}
