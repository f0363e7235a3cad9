//! Functions of the embedding program, as a script calls them: arguments to a payload, an answer to results. What a module is to
//! a script stands in `prelude/module.lua`.

use std::ffi::{CStr, c_int};

use lunarium_contract::{length, short};

use super::argument::{shown, text, with_arguments};
use crate::host::{Answer, ErrorKind, Refusal, Short, refusal};
use crate::lua::wait;
use crate::lua::{Function, Lua};
use crate::state::error::refuse;
use crate::turn::request::{push_answer, results_of};

/// Upvalues of a function.
const NUMBER: c_int = Lua::upvalue(1);
const WAITS: c_int = Lua::upvalue(2);

/// `module_find(module [, function])` → a payload, or nil and the error object
extern "C-unwind" fn find(lua: Lua) -> c_int {
    // What is too long or no text is nothing that is there.
    let word = |index, what: &str| {
        let bytes = lua.check_bytes(index);
        let absent = |_| refusal(ErrorKind::NotFound, format!("{what} '{}' not found", shown(bytes)));
        text(bytes, what, length::WORD).map_err(absent)
    };
    let function = (!lua.is_absent(2)).then(|| word(2, "function")).transpose();
    let found = word(1, "module").and_then(|module| lua.context().host.find_functions(module, function?));
    match found {
        Ok(payload) => {
            lua.push_owned(payload);
            1
        }
        Err(refusal) => refuse(lua, refusal),
    }
}

/// `module_function(number, waits)` → a function
extern "C-unwind" fn make(mut lua: Lua) -> c_int {
    lua.set_top(2);
    lua.push_closure(call, 2);
    1
}

/// A function of a module.
extern "C-unwind" fn call(lua: Lua) -> c_int {
    // What is under way where nobody can wait for it would be lost.
    if lua.boolean(WAITS) {
        wait::check(lua);
    }
    match ask(lua) {
        Ok(Answer::Short(Short { size, bytes })) => {
            let bytes = short::from_words(bytes);
            push_answer(lua, bytes.get(..size.into()).unwrap_or_default(), true)
        }
        Ok(Answer::Results(payload)) => {
            lua.push_owned(payload);
            push_answer(lua, lua.bytes(-1).unwrap_or_default(), true)
        }
        Ok(Answer::Failed(payload)) => {
            lua.push_owned(payload);
            push_answer(lua, lua.bytes(-1).unwrap_or_default(), false)
        }
        Ok(Answer::BadArgument(text)) => lua.raise_here(text),
        Ok(Answer::Later(request)) => results_of(lua, request),
        Err(refusal) => refuse(lua, refusal),
    }
}

fn ask(lua: Lua) -> Result<Answer, Refusal> {
    let number = lua.integer(NUMBER).unwrap_or_default() as u32;
    with_arguments(lua, 1, |arguments| lua.context().host.call_function(number, arguments))
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 2] = [(c"module_find", find), (c"module_function", make)];
