//! Lua errors: raising them, and the arguments whose wrong type is one. The rules of `lua/mod.rs` hold.

use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_int};
use std::slice;

use mlua::ffi;

use super::Lua;

unsafe extern "C-unwind" {
    // Part of lauxlib.h that mlua doesn't declare.
    fn luaL_typeerror(lua: *mut ffi::lua_State, argument: c_int, expected: *const c_char) -> c_int;
}

impl Lua {
    /// Raises the value on top.
    pub fn raise(&self) -> ! {
        unsafe { ffi::lua_error(self.0) }
    }

    /// Raises text as it stands, without a position.
    pub fn raise_text(&self, text: &'static str) -> ! {
        self.push_bytes(text.as_bytes());
        self.raise()
    }

    /// Raises text with the position of whoever called the running function.
    pub fn raise_here(&self, text: impl Into<Cow<'static, str>>) -> ! {
        self.push_message(text);
        unsafe { ffi::luaL_where(self.0, 1) };
        self.insert(-2);
        unsafe { ffi::lua_concat(self.0, 2) };
        self.raise()
    }

    /// "bad argument #n to 'f' (x expected, got y)". Raises.
    pub fn type_error(&self, argument: c_int, expected: &CStr) -> ! {
        unsafe { luaL_typeerror(self.0, argument, expected.as_ptr()) };
        self.raise()
    }

    /// A string argument; numbers pass for strings. Raises for other types.
    #[inline]
    pub fn check_bytes(&self, argument: c_int) -> &[u8] {
        let mut length = 0;
        let text = unsafe { ffi::luaL_checklstring(self.0, argument, &mut length) };
        unsafe { slice::from_raw_parts(text.cast(), length) }
    }

    /// An integer argument. Raises for anything else.
    pub fn check_integer(&self, argument: c_int) -> i64 {
        unsafe { ffi::luaL_checkinteger(self.0, argument) }
    }
}
