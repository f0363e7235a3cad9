//! Source text to functions: `load` (of text only), the libraries behind `require`, and `debug.traceback`. Owns what is
//! refused there: bytecode, of which a forged piece could do anything inside the VM.

use std::ffi::{CStr, CString, c_int};

use crate::host::{Chunk, Code, Import};
use crate::lua::{Broken, Function, Lua};
use crate::trace::without_own_frames;

/// Lua takes chunk names as C strings.
fn chunk_name(name: &str) -> CString {
    CString::new(name.replace('\0', "?")).unwrap_or_default()
}

/// Leaves a chunk's function, or Lua's message.
pub fn load_chunk(lua: Lua, chunk: &Chunk) -> Result<(), Broken> {
    let name = chunk_name(&chunk.name);
    match &chunk.code {
        Code::Source(source) => lua.load(source.as_bytes(), &name),
        Code::Compiled(compiled) => lua.undump(compiled, &name),
    }
}

/// Bytes of `load`'s mode that its refusal repeats.
const MODE_SHOWN: usize = 32;

/// `load` with mode "t" whatever is asked for. Its upvalue is Lua's own.
extern "C-unwind" fn load(lua: Lua) -> c_int {
    if !lua.is_absent(3) && !lua.check_bytes(3).contains(&b't') {
        lua.push_nil();
        let mode = lua.check_bytes(3);
        // A mode has two letters; a script may pass megabytes, which this must not copy outside of Lua's count.
        let shown = String::from_utf8_lossy(mode.get(..MODE_SHOWN).unwrap_or(mode)).into_owned();
        lua.push_bytes(format!("attempt to load a text chunk (mode is '{shown}')").as_bytes());
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
        lua.push_bytes(&without_own_frames(text));
        return 1;
    }
    results
}

/// `wrap_load(load)`
extern "C-unwind" fn wrap_load(lua: Lua) -> c_int {
    lua.set_top(1);
    lua.push_closure(load, 1);
    1
}

/// `wrap_traceback(traceback)`
extern "C-unwind" fn wrap_traceback(lua: Lua) -> c_int {
    lua.set_top(1);
    lua.push_closure(traceback, 1);
    1
}

/// `load_library(entry, environment)` → function, or nil and Lua's message
extern "C-unwind" fn load_library(lua: Lua) -> c_int {
    let entry = lua.check_bytes(1);
    let program = lua.context().program.borrow();
    let library =
        program.iter().flat_map(|program| &program.libraries).find(|library| library.entry.as_bytes() == entry);
    let Some(library) = library else {
        lua.push_nil();
        lua.push_bytes(b"library is missing from the program");
        return 2;
    };
    let loaded = load_chunk(lua, &library.chunk);
    drop(program);
    if loaded.is_err() {
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
    let program = lua.context().program.borrow();
    let Some(program) = program.as_ref() else { return 0 };
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
