//! Source text to functions: `load` (of text only), the libraries behind `require`, and `debug.traceback`. Owns what is
//! refused there: bytecode, of which a forged piece could do anything inside the VM; and what of a file isn't Lua.

use std::ffi::{CStr, CString, c_int};

use super::typed::without_types;
use crate::host::{Chunk, Code, Import};
use crate::lua::{Broken, Function, Lua};
use crate::turn::trace::without_own_frames;

/// Lua takes chunk names as C strings.
fn chunk_name(name: &str) -> CString {
    CString::new(name.replace('\0', "?")).unwrap_or_default()
}

/// Leaves a chunk's function, or Lua's message. What doesn't compile is tried without annotations of types.
pub fn load_chunk(mut lua: Lua, chunk: &Chunk) -> Result<(), Broken> {
    let name = chunk_name(&chunk.name);
    let source = match &chunk.code {
        Code::Source(source) if chunk.name.starts_with('@') => of_file(source),
        Code::Source(source) => source,
        Code::Compiled(compiled) => return lua.undump(compiled, &name),
    };
    match lua.load(source.as_bytes(), &name) {
        Err(Broken::Raised) => match without_types(source) {
            Some(plain) => {
                lua.pop(1);
                lua.load(&plain, &name)
            }
            None => Err(Broken::Raised),
        },
        loaded => loaded,
    }
}

/// What is Lua of a file's text, as `lua FILE` has it: not the mark of UTF-8 that it may begin with, nor a first line for the shell. The
/// end of that line stays, so all lines keep their numbers.
fn of_file(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.starts_with('#') {
        return text;
    }
    text.find(['\n', '\r']).and_then(|end| text.get(end..)).unwrap_or_default()
}

/// Bytes of `load`'s mode that its refusal repeats.
const MODE_SHOWN: usize = 32;

/// `load` with mode "t" whatever is asked for. Its upvalue is Lua's own.
extern "C-unwind" fn load(mut lua: Lua) -> c_int {
    if !lua.is_absent(3) && !lua.check_bytes(3).contains(&b't') {
        lua.push_nil();
        let mode = lua.check_bytes(3);
        // A mode has two letters; a script may pass megabytes, which this must not copy outside of Lua's count.
        let told = |mode: &[u8]| format!("attempt to load a text chunk (mode is '{}')", String::from_utf8_lossy(mode));
        lua.push_owned(told(mode.get(..MODE_SHOWN).unwrap_or(mode)));
        return 2;
    }
    if lua.top() < 3 {
        lua.set_top(3);
    }
    lua.push_bytes(b"t");
    lua.replace(3);
    match lua.c_function(Lua::upvalue(1)) {
        Some(load) => lua.tail_call(load),
        None => 0,
    }
}

/// `debug.traceback` without the runtime's frames. Its upvalue is Lua's own.
extern "C-unwind" fn traceback(lua: Lua) -> c_int {
    let Some(traceback) = lua.c_function(Lua::upvalue(1)) else { return 0 };
    let results = lua.tail_call(traceback);
    if let Some(text) = lua.bytes(-1) {
        lua.push_owned(without_own_frames(text));
        return 1;
    }
    results
}

/// `wrap_load(load)`
extern "C-unwind" fn wrap_load(mut lua: Lua) -> c_int {
    lua.set_top(1);
    lua.push_closure(load, 1);
    1
}

/// `wrap_traceback(traceback)`
extern "C-unwind" fn wrap_traceback(mut lua: Lua) -> c_int {
    lua.set_top(1);
    lua.push_closure(traceback, 1);
    1
}

/// `load_library(entry, environment)` → function, or nil and Lua's message
extern "C-unwind" fn load_library(lua: Lua) -> c_int {
    let entry = lua.check_bytes(1);
    let libraries = lua.context().program.get().map_or(&[][..], |program| &program.libraries);
    let Some(library) = libraries.iter().find(|library| library.entry.as_bytes() == entry) else {
        lua.push_nil();
        lua.push_bytes(b"library is missing from the program");
        return 2;
    };
    if load_chunk(lua, &library.chunk).is_err() {
        lua.push_nil();
        lua.insert(-2);
        return 2;
    }
    lua.push_copy(2);
    lua.set_first_upvalue(-2);
    1
}

/// `imports([entry])` → a table from alias to entry id: the library's, or without one the program's
extern "C-unwind" fn imports(lua: Lua) -> c_int {
    let Some(program) = lua.context().program.get() else { return 0 };
    let list: &[Import] = match lua.bytes(1) {
        None => &program.imports,
        Some(entry) => program
            .libraries
            .iter()
            .find(|library| library.entry.as_bytes() == entry)
            .map_or(&[], |library| library.imports.as_slice()),
    };
    lua.new_table(0, list.len());
    for import in list {
        lua.push_bytes(import.alias.as_bytes());
        lua.push_bytes(import.entry.as_bytes());
        lua.set(-3);
    }
    1
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 4] = [
    (c"wrap_load", wrap_load),
    (c"wrap_traceback", wrap_traceback),
    (c"load_library", load_library),
    (c"imports", imports),
];
