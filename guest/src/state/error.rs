//! Error objects, from Rust's side: a table with kind, message, retryable, details, stack in this order and the type
//! `error` (`prelude/errors.lua` owns what scripts can do with it). Owns the way from a refusal to `nil, err`, and how
//! much of an error's texts leaves.

use std::borrow::Cow;
use std::ffi::c_int;

use lunarium_contract::form::cut;

use super::context::kind_text;
use crate::host::{ErrorKind, Refusal};
use crate::lua::{Kind, Lua};

/// Pushes an error object. Raises.
pub fn push_error(lua: Lua, kind: ErrorKind, message: impl Into<Cow<'static, str>>, retryable: bool) {
    // First, as it may be owned.
    lua.push_message(message);
    lua.new_table(5, 0);
    lua.insert(-2);
    lua.set_item(-2, 2);
    lua.push_bytes(kind_text(kind).as_bytes());
    lua.set_item(-2, 1);
    lua.push_boolean(retryable);
    lua.set_item(-2, 3);
    lua.context().types.error.get().set(lua);
}

/// Whether the value at `index` is an error object.
pub fn is_error_object(lua: Lua, index: i32) -> bool {
    lua.kind(index) == Kind::Table && lua.context().types.error.get().is(lua.metatable(index))
}

/// A text of a failure, of which the host keeps `most` bytes: cut before it is copied, as it may be as large as the
/// script's memory. One character more than the host keeps, so that the host sees that there was more, and says so.
pub fn kept(bytes: &[u8], most: usize) -> String {
    const CHARACTER: usize = 4;
    let most = most + CHARACTER;
    let text = String::from_utf8_lossy(bytes.get(..most).unwrap_or(bytes));
    cut(&text, most).to_owned()
}

/// The longest name of a limit or budget.
const LIMIT_NAME: usize = 32;

/// A function's results `nil, err`, `details().limit` where the refusal names one. Raises.
pub fn refuse(lua: Lua, refusal: Refusal) -> c_int {
    lua.push_nil();
    let Refusal { kind, message, retryable, limit } = refusal;
    // On the stack: nothing owned may be alive while the rest is pushed.
    let mut name = [0; LIMIT_NAME];
    let length = limit.map_or(0, |limit| name.iter_mut().zip(limit.as_bytes()).map(|(to, from)| *to = *from).count());
    let name = name.get(..length).unwrap_or_default();
    push_error(lua, kind, message, retryable);
    if !name.is_empty() {
        lua.new_table(0, 1);
        lua.push_bytes(name);
        lua.set_field(-2, c"limit");
        lua.set_item(-2, 4);
    }
    2
}

/// `nil, err` of kind `INVALID`. Raises.
pub fn invalid(lua: Lua, message: impl Into<Cow<'static, str>>) -> c_int {
    lua.push_nil();
    push_error(lua, ErrorKind::Invalid, message, false);
    2
}

/// `true, nil`, or `nil, err`. Raises.
pub fn done(lua: Lua, result: Result<(), Refusal>) -> c_int {
    decided(lua, result.map(|()| true))
}

/// `true, nil` or `false, nil`, or `nil, err`. Raises.
pub fn decided(lua: Lua, result: Result<bool, Refusal>) -> c_int {
    match result {
        Ok(yes) => {
            lua.push_boolean(yes);
            lua.push_nil();
            2
        }
        Err(refusal) => refuse(lua, refusal),
    }
}

/// `text, nil`, or `nil, err`. Raises.
pub fn answer(lua: Lua, result: Result<String, Refusal>) -> c_int {
    match result {
        Ok(text) => {
            lua.push_owned(text);
            lua.push_nil();
            2
        }
        Err(refusal) => refuse(lua, refusal),
    }
}
