//! Items of the prelude's own tables, read and written where they lie: each way over the stack is three calls of C. Owns how
//! Lua lays out a value (`lobject.h`). Refuses what the collector would have to be told of: what is put into a table here is
//! a number or a boolean, and tables are only told apart.
//!
//! The tables are made by the prelude with all their items and get no others, so that the items stay where they are for as long
//! as the table is there. Of one that a script can write to (a channel) they are asked for anew in each function.

#![allow(clippy::undocumented_unsafe_blocks, reason = "each goes to one of the items, under the rule above")]

use std::ffi::{c_int, c_uint, c_void};

use mlua::ffi;

use super::Lua;

unsafe extern "C-unwind" {
    fn lunarium_items(lua: *mut ffi::lua_State, index: c_int, count: c_uint) -> *const c_void;
}

/// A value as Lua keeps it.
#[repr(C)]
#[derive(Clone, Copy)]
struct Item {
    value: i64,
    tag: u8,
}

/// Tags, of which the lower four bits are the type.
const FALSE: u8 = ffi::LUA_TBOOLEAN as u8;
const TRUE: u8 = FALSE | 1 << 4;
const INTEGER: u8 = ffi::LUA_TNUMBER as u8;
const TABLE: u8 = ffi::LUA_TTABLE as u8 | 1 << 6;

/// The items 1 to `N` of a table.
#[derive(Clone, Copy)]
pub struct Items<const N: usize>(*mut [Item; N]);

impl Lua {
    /// The first items of the table at `index`. None: it hasn't so many, which a script can have done to what it holds.
    #[inline]
    pub fn items<const N: usize>(&self, index: c_int) -> Option<Items<N>> {
        let items = unsafe { lunarium_items(self.raw(), index, N as c_uint) };
        (!items.is_null()).then(|| Items(items.cast_mut().cast()))
    }
}

impl<const N: usize> Items<N> {
    #[inline]
    fn place(self, number: i64) -> *mut Item {
        // The numbers are constants: nothing of this is left.
        let at = number as usize - 1;
        assert!(at < N, "no such item");
        unsafe { self.0.cast::<Item>().add(at) }
    }

    /// A number; zero for what is none.
    #[inline]
    pub fn integer(self, number: i64) -> i64 {
        let item = unsafe { *self.place(number) };
        if item.tag == INTEGER { item.value } else { 0 }
    }

    /// Whether it is neither nil nor false.
    #[inline]
    pub fn truth(self, number: i64) -> bool {
        let tag = unsafe { (*self.place(number)).tag };
        tag != FALSE && tag & 0x0f != ffi::LUA_TNIL as u8
    }

    /// The identity of a table, as [`Lua::address`] gives it; zero for what is none.
    #[inline]
    pub fn table(self, number: i64) -> usize {
        let item = unsafe { *self.place(number) };
        // A pointer takes the first bytes.
        if item.tag == TABLE { item.value as usize } else { 0 }
    }

    #[inline]
    pub fn set_integer(self, number: i64, value: i64) {
        unsafe { *self.place(number) = Item { value, tag: INTEGER } }
    }

    #[inline]
    pub fn set_boolean(self, number: i64, value: bool) {
        unsafe { (*self.place(number)).tag = if value { TRUE } else { FALSE } }
    }
}

#[cfg(test)]
mod tests {
    use super::{Items, Lua};
    use crate::lua::memory::Memory;

    fn lua() -> Lua {
        Lua::new(Box::leak(Box::new(Memory::unlimited())), &()).unwrap()
    }

    #[test]
    fn items_are_read_and_written_as_lua_does() {
        let lua = lua();
        lua.new_table(7, 0);
        lua.push_integer(-5);
        lua.set_item(1, 1);
        lua.push_boolean(true);
        lua.set_item(1, 2);
        lua.push_boolean(false);
        lua.set_item(1, 3);
        lua.push_number(2.5);
        lua.set_item(1, 4);
        lua.new_table(0, 0);
        let address = lua.address(-1);
        lua.set_item(1, 5);
        lua.push_bytes(b"text");
        lua.set_item(1, 6);
        let items: Items<7> = lua.items(1).unwrap();
        let integers: Vec<i64> = (1..=7).map(|number| items.integer(number)).collect();
        assert_eq!(integers, [-5, 0, 0, 0, 0, 0, 0]);
        let truths: Vec<bool> = (1..=7).map(|number| items.truth(number)).collect();
        assert_eq!(truths, [true, true, false, true, true, true, false]);
        let tables: Vec<usize> = (1..=7).map(|number| items.table(number)).collect();
        assert_eq!(tables, [0, 0, 0, 0, address, 0, 0]);
        items.set_integer(5, i64::MIN);
        items.set_boolean(6, true);
        items.set_boolean(1, false);
        items.set_integer(7, 9);
        let told = |number| {
            lua.get_item(1, number);
            (lua.integer(-1), lua.boolean(-1))
        };
        assert_eq!(told(5), (Some(i64::MIN), true));
        assert_eq!(told(6), (None, true));
        assert_eq!(told(1), (None, false));
        assert_eq!(told(7), (Some(9), true));
        lua.close();
    }

    #[test]
    fn a_table_with_fewer_has_none_nor_has_what_is_no_table() {
        let lua = lua();
        lua.new_table(3, 0);
        assert!(lua.items::<4>(1).is_none());
        lua.push_integer(1);
        assert!(lua.items::<1>(2).is_none());
        lua.close();
    }
}
