//! Small things of the prelude's: which name was probably meant, `table.create`.

use std::ffi::{CStr, c_int};

use lunarium_contract::nearest;

use crate::lua::{Function, Lua};
use crate::turn::hint::names;

/// `near(name, table)` → the key of the table that was probably meant, or nil
extern "C-unwind" fn near(lua: Lua) -> c_int {
    let wrong = lua.bytes(1).and_then(|name| std::str::from_utf8(name).ok());
    let Some(wrong) = wrong else { return 0 };
    let Some(found) = nearest(wrong, names(&lua, 2), |name| name) else { return 0 };
    lua.push_bytes(found.as_bytes());
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
pub const FUNCTIONS: [(&CStr, Function); 2] = [(c"near", near), (c"table_create", create)];
