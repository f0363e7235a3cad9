//! Immutable userdata: a Rust value that scripts hold, with a metatable they can't get at. Owns how such a type is made,
//! told from others, checked as an argument and joined to text; and which types there are. What they can do is `api`'s.

use std::cell::Cell;
use std::ffi::{CStr, c_int};

use super::context::{Type, Types};
use crate::lua::{Function, Kind, Lua};
use crate::time::duration::Duration;
use crate::time::moment::Time;

/// A value that scripts hold as an object.
pub trait Object: Copy {
    /// What messages call it.
    const NAME: &'static CStr;

    /// Where its metatable is kept.
    fn kept(types: &Types) -> &Cell<Type>;

    /// Raises.
    fn push(self, lua: Lua) {
        lua.push_userdata(self);
        Self::kept(&lua.context().types).get().set(lua);
    }

    /// The object at `index`, if it is one.
    fn at(lua: Lua, index: c_int) -> Option<Self> {
        if lua.kind(index) == Kind::Userdata && Self::kept(&lua.context().types).get().is(lua.metatable(index)) {
            lua.userdata(index)
        } else {
            None
        }
    }

    /// The method's object, or another argument. Raises when it isn't one.
    fn check(lua: Lua, index: c_int) -> Self {
        match Self::at(lua, index) {
            Some(value) => value,
            None => lua.type_error(index, Self::NAME),
        }
    }
}

impl Object for Time {
    const NAME: &'static CStr = c"time";

    fn kept(types: &Types) -> &Cell<Type> {
        &types.time
    }
}

impl Object for Duration {
    const NAME: &'static CStr = c"duration";

    fn kept(types: &Types) -> &Cell<Type> {
        &types.duration
    }
}

/// `json.null`, of which there is one.
#[derive(Clone, Copy)]
pub struct Null;

impl Object for Null {
    const NAME: &'static CStr = c"null";

    fn kept(types: &Types) -> &Cell<Type> {
        &types.null
    }
}

/// Pushes `json.null`. Raises.
pub fn push_null(lua: Lua) {
    match lua.context().null.get() {
        Some(kept) => lua.push_kept(kept),
        None => lua.push_nil(),
    }
}

/// Makes the type. Raises.
pub fn define<T: Object>(lua: Lua, methods: &[(&CStr, Function)], metamethods: &[(&CStr, Function)]) {
    lua.new_table(0, metamethods.len() + 4);
    for (name, function) in metamethods {
        lua.set_function(name, *function);
    }
    lua.set_function(c"__concat", concatenate);
    lua.new_table(0, methods.len());
    for (name, function) in methods {
        lua.set_function(name, *function);
    }
    lua.set_field(-2, c"__index");
    lua.push_bytes(T::NAME.to_bytes());
    lua.set_field(-2, c"__name");
    lua.push_boolean(false);
    lua.set_field(-2, c"__metatable");
    T::kept(&lua.context().types).set(Type::keep(lua));
}

/// Joins the texts of both operands.
extern "C-unwind" fn concatenate(mut lua: Lua) -> c_int {
    for index in 1..=2 {
        let kind = lua.kind(index);
        if !matches!(kind, Kind::String | Kind::Number | Kind::Userdata) {
            lua.raise_here(format!("attempt to concatenate a {} value", lua.type_name(index)));
        }
        lua.push_text(index);
        lua.replace(index);
    }
    lua.join(2, b"");
    1
}
