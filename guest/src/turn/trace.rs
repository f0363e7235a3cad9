//! Tracebacks a script's author can read: without the runtime's own frames.

use std::borrow::Cow;
use std::ffi::c_int;

use lunarium_contract::length;

use crate::lua::Lua;
use crate::state::error::kept;

/// How Lua shows a frame of the prelude, whose chunks are all named so.
const OWN: &[u8] = b"\t[lunarium]:";
const NATIVE: &[u8] = b"\t[C]:";
/// A function of C that is no module's.
const UNNAMED: &[u8] = b"\t[C]: in ?";
const TAIL: &[u8] = b"\t(...tail calls...)";

/// A chunk is called by the prelude, after whose variable Lua names it.
const CHUNK: &[u8] = b": in local 'chunk'";
const MAIN_CHUNK: &[u8] = b": in main chunk";

/// A traceback without the prelude's frames, and without what those called.
pub fn without_own_frames(text: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let mut kept: Vec<Cow<'_, [u8]>> = Vec::new();
    let mut own = false;
    for line in lines {
        if own && line.starts_with(TAIL) {
            continue;
        }
        own = line.starts_with(OWN);
        if own {
            while kept.last().is_some_and(|before| before.starts_with(NATIVE) || before.starts_with(TAIL)) {
                kept.pop();
            }
            if let Some(before) = kept.last_mut()
                && let Some(position) = before.strip_suffix(CHUNK)
            {
                *before = [position, MAIN_CHUNK].concat().into();
            }
        } else {
            kept.push(line.into());
        }
    }
    // The prelude tail-calls the program's method, and what calls one that somebody asks for is of C.
    while kept.last().is_some_and(|line| line.starts_with(TAIL) || **line == *UNNAMED) {
        kept.pop();
    }
    kept.join(&b'\n')
}

/// The traceback of a coroutine that has failed or waits, or of this one, without its innermost `level` functions. Raises.
pub fn traceback(mut lua: Lua, thread: Lua, level: c_int) -> String {
    lua.push_traceback(thread, level);
    // Names may be long; the frames that are taken out are few.
    let text = lua.bytes(-1).unwrap_or_default();
    let text = kept(&without_own_frames(text.get(..4 * length::STACK).unwrap_or(text)), length::STACK);
    lua.pop(1);
    text
}
