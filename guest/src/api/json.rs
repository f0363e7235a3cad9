//! `json`: text to values and back, and `json.null`. Owns what each Lua value is in JSON; the grammar, numbers and escapes
//! are serde_json's.

mod decode;
mod encode;

use std::ffi::c_int;

use crate::lua::buffer::Buffer;
use crate::lua::{Kind, Lua};
use crate::state::error::invalid;
use crate::state::object::{Null, Object, define, push_null};

/// How deep arrays and objects may be nested, both ways. At the limit: `INVALID`. The number: what other readers of
/// JSON take, and little enough for the stack.
const MAX_DEPTH: usize = 128;

/// Widest `indent`. At the limit: `INVALID`. The number: deep levels shall not consist of spaces.
const MAX_INDENT: usize = 16;

/// `encode(value [, {indent = true or number}])`
extern "C-unwind" fn encode(mut lua: Lua) -> c_int {
    if lua.kind(1) == Kind::None {
        return invalid(lua, "value is missing");
    }
    let indent = match indent(lua) {
        Ok(indent) => indent,
        Err(fault) => return invalid(lua, fault),
    };
    lua.set_top(1);
    let mut text = Buffer::new(lua);
    match encode::encode(lua, 1, indent, &mut text) {
        Ok(()) => {
            lua.push_bytes(text.text());
            lua.push_nil();
            2
        }
        Err(unfit) => invalid(lua, unfit.message("value")),
    }
}

/// Spaces a level; none: everything on one line. Raises for a wrong type.
fn indent(lua: Lua) -> Result<Option<usize>, &'static str> {
    const FAULT: &str = "indent is not true, false or a number of spaces from 1 to 16";
    if lua.is_absent(2) {
        return Ok(None);
    }
    if lua.kind(2) != Kind::Table {
        lua.type_error(2, c"table");
    }
    lua.get_field(2, c"indent");
    match lua.kind(-1) {
        Kind::Nil => Ok(None),
        Kind::Boolean => Ok(lua.boolean(-1).then_some(2)),
        Kind::Number => match lua.integer(-1).and_then(|spaces| usize::try_from(spaces).ok()) {
            Some(spaces) if (1..=MAX_INDENT).contains(&spaces) => Ok(Some(spaces)),
            _ => Err(FAULT),
        },
        _ => Err(FAULT),
    }
}

/// `decode(text)`
extern "C-unwind" fn decode(lua: Lua) -> c_int {
    if lua.is_absent(1) {
        return invalid(lua, "text is missing");
    }
    lua.check_bytes(1);
    match decode::decode(lua, 1).map_err(|why| why.to_string()) {
        Ok(()) => {
            lua.push_nil();
            2
        }
        Err(why) => invalid(lua, why),
    }
}

// ---- null

extern "C-unwind" fn null_text(lua: Lua) -> c_int {
    lua.push_bytes(b"null");
    1
}

/// Makes `json.null`. Raises.
pub fn open(lua: Lua) {
    define::<Null>(lua, &[], &[(c"__tostring", null_text)]);
    Null.push(lua);
    lua.context().null.set(Some(lua.keep()));
}

/// Pushes the module. Raises.
pub fn push_module(lua: Lua) {
    lua.new_table(0, 3);
    lua.set_function(c"encode", encode);
    lua.set_function(c"decode", decode);
    push_null(lua);
    lua.set_field(-2, c"null");
}
