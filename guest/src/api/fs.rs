//! The host's end of `fs`: texts and sizes are checked here, everything else about arguments in `prelude/fs.lua`, which calls
//! these with strings and whole numbers. Each starts an operation and waits for its reply.

use std::ffi::{CStr, c_int};

use lunarium_contract::length;

use super::argument::invalid;
use crate::host::{Asked, Refusal};
use crate::lua::{Function, Lua};
use crate::state::error::refuse;
use crate::turn::request::reply_to;

/// The argument as a path, or why it is none.
fn path(lua: &Lua, argument: c_int) -> Result<&str, String> {
    let path = std::str::from_utf8(lua.check_bytes(argument)).map_err(|_| "path is not valid UTF-8".to_owned())?;
    if path.len() > length::PATH {
        return Err(format!("path has {} bytes, above the limit of {}", path.len(), length::PATH));
    }
    Ok(path)
}

/// Starts an operation on the path that is the first argument.
fn start(lua: Lua, operation: impl FnOnce(&Asked, &str) -> Result<u64, Refusal>) -> c_int {
    let started = match path(&lua, 1) {
        Ok(path) => operation(&*lua.context().host, path),
        Err(fault) => return refuse(lua, invalid(fault)),
    };
    reply_to(lua, started)
}

/// `fs_read(path, offset [, length])`
extern "C-unwind" fn read(lua: Lua) -> c_int {
    let offset = lua.integer(2).and_then(|offset| u64::try_from(offset).ok()).unwrap_or_default();
    let length = lua.integer(3);
    start(lua, |host, path| match length.map(u32::try_from).transpose() {
        Ok(length) => host.read_file(path, offset, length),
        // The host's words: it takes no such number.
        Err(_) => {
            let (size, limit) = (length.unwrap_or_default(), lua.context().message_limit.get());
            let fault = format!("fs.read on `{path}` failed: {size} bytes exceed the message limit of {limit}");
            Err(invalid(fault))
        }
    })
}

/// The second argument as what is to be written, or why it can't be: more than the host would copy ends the process.
fn contents(lua: &Lua) -> Result<&[u8], String> {
    let contents = lua.check_bytes(2);
    let limit = lua.context().message_limit.get();
    if contents.len() > limit {
        return Err(format!("contents of {} bytes exceed the message limit of {limit}", contents.len()));
    }
    Ok(contents)
}

/// `fs_write(path, contents)`
extern "C-unwind" fn write(lua: Lua) -> c_int {
    match contents(&lua) {
        Ok(contents) => start(lua, |host, path| host.write_file(path, contents)),
        Err(fault) => refuse(lua, invalid(fault)),
    }
}

/// `fs_append(path, contents)`
extern "C-unwind" fn append(lua: Lua) -> c_int {
    match contents(&lua) {
        Ok(contents) => start(lua, |host, path| host.append_file(path, contents)),
        Err(fault) => refuse(lua, invalid(fault)),
    }
}

/// `fs_list(path)`
extern "C-unwind" fn list(lua: Lua) -> c_int {
    start(lua, |host, path| host.list_files(path))
}

/// `fs_stat(path)`
extern "C-unwind" fn stat(lua: Lua) -> c_int {
    start(lua, |host, path| host.stat_file(path))
}

/// `fs_remove(path)`
extern "C-unwind" fn remove(lua: Lua) -> c_int {
    start(lua, |host, path| host.remove_file(path))
}

/// `fs_mkdir(path)`
extern "C-unwind" fn mkdir(lua: Lua) -> c_int {
    start(lua, |host, path| host.make_directory(path))
}

/// `fs_rename(path, to)`
extern "C-unwind" fn rename(lua: Lua) -> c_int {
    match path(&lua, 2) {
        Ok(to) => start(lua, |host, path| host.rename_file(path, to)),
        Err(fault) => refuse(lua, invalid(fault)),
    }
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 8] = [
    (c"fs_read", read),
    (c"fs_write", write),
    (c"fs_append", append),
    (c"fs_list", list),
    (c"fs_stat", stat),
    (c"fs_remove", remove),
    (c"fs_mkdir", mkdir),
    (c"fs_rename", rename),
];
