//! Small things of the prelude's: which name was probably meant, the value behind `msg:payload()`, `table.create`.

use std::ffi::{CStr, c_int};

use lunarium_contract::nearest;

use crate::lua::wait::calls_next;
use crate::lua::{Function, Kind, Lua};
use crate::turn::hint::names;

/// `near(name, table)` → the key of the table that was probably meant, or nil
extern "C-unwind" fn near(lua: Lua) -> c_int {
    let wrong = lua.bytes(1).and_then(|name| std::str::from_utf8(name).ok());
    let Some(wrong) = wrong else { return 0 };
    let Some(found) = nearest(wrong, names(&lua, 2), |name| name) else { return 0 };
    lua.push_bytes(found.as_bytes());
    1
}

/// What `msg:payload()` gives: the value, or what has the method `data` when that is what the script calls next. Its upvalue is the
/// metatable of that.
extern "C-unwind" fn payload(lua: Lua) -> c_int {
    if lua.kind(1) != Kind::Table {
        return 0;
    }
    lua.push_boolean(false);
    lua.get(1);
    if calls_next(lua, c"data") {
        lua.new_table(1, 0);
        lua.insert(-2);
        lua.set_item(-2, 1);
        lua.push_copy(Lua::upvalue(1));
        lua.set_metatable(-2);
    }
    1
}

/// `wrap_payload(metatable)`
extern "C-unwind" fn wrap_payload(mut lua: Lua) -> c_int {
    lua.set_top(1);
    lua.push_closure(payload, 1);
    1
}

/// `create(items [, fields])`: a table with room for so many.
extern "C-unwind" fn create(lua: Lua) -> c_int {
    let count = |argument| match lua.is_absent(argument) {
        true => 0,
        false => lua.check_integer(argument),
    };
    let (items, fields) = (count(1), count(2));
    let most = i64::from(c_int::MAX) / 64;
    match (usize::try_from(items), usize::try_from(fields)) {
        (Ok(items_count), Ok(fields_count)) if items <= most && fields <= most => {
            lua.new_table(items_count, fields_count)
        }
        _ => lua.raise_here(format!("bad argument to 'create' (sizes are from 0 to {most})")),
    }
    1
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 3] =
    [(c"near", near), (c"wrap_payload", wrap_payload), (c"table_create", create)];
