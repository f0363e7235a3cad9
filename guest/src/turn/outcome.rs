//! How a process ended, for the host: from the main coroutine's results, or from the error that left a coroutine. Owns the
//! end rules of `main`, and the kinds of what wasn't raised as an error object.

use lunarium_contract::length;

use super::hint::hint;
use super::trace::traceback;
use crate::codec::{Shape, encode};
use crate::host::{ErrorKind, Failure, Outcome};
use crate::lua::{Kind, Lua};
use crate::state::context::kind_of;
use crate::state::error::{is_error_object, kept};

/// Bytes Lua may take, whatever it holds already, to tell how the process ended. The number: a long traceback and a few texts.
const FAREWELL: u64 = 256 * 1024;

/// What Lua raises at the memory limit; it may come here through a script's own `error`.
const NO_MEMORY: &[u8] = b"not enough memory";

/// A failure with nothing but a kind and a text.
pub fn failure(kind: ErrorKind, message: String) -> Outcome {
    Outcome::Failed(Failure { kind, message, retryable: Some(false), details: None, stack: None })
}

/// The memory limit.
pub fn out_of_memory(stack: Option<String>) -> Outcome {
    Outcome::Failed(Failure { stack, ..no_memory() })
}

fn no_memory() -> Failure {
    Failure {
        kind: ErrorKind::ResourceExhausted,
        message: kept(NO_MEMORY, length::FAILURE),
        retryable: Some(false),
        // {limit = "memory"} in MessagePack.
        details: Some(b"\x81\xa5limit\xa6memory".to_vec()),
        stack: None,
    }
}

/// Nothing can ever wake any coroutine. Raises.
pub fn deadlock(lua: Lua, main: Lua) -> Outcome {
    lua.context().memory.spare(FAREWELL);
    let stack = traceback(lua, main, 0);
    Outcome::Failed(Failure {
        kind: ErrorKind::Internal,
        message: "all coroutines blocked".to_owned(),
        retryable: Some(false),
        // {reason = "deadlock"} in MessagePack.
        details: Some(b"\x81\xa6reason\xa8deadlock".to_vec()),
        stack: Some(stack),
    })
}

/// The main coroutine has returned `count` values, which are on top of its stack. Raises.
pub fn done(lua: Lua, mut main: Lua, count: i32) -> Outcome {
    let context = lua.context();
    context.memory.spare(FAREWELL);
    // Exactly the first two, nil where there is none.
    let first = main.top() - count + 1;
    main.set_top(first + 1);
    main.move_to(lua, 2);
    let value = lua.top() - 1;
    if lua.kind(-1) == Kind::String || is_error_object(lua, -1) {
        return Outcome::Failed(describe(lua, None));
    }
    // `return false, {…}`: a failure that the table describes.
    if lua.kind(-1) == Kind::Table && lua.kind(value) == Kind::Boolean && !lua.boolean(value) {
        return Outcome::Failed(told_by_table(lua));
    }
    let mut payload = Vec::new();
    match encode(lua, Shape::One(value), context.message_limit.get(), &mut payload) {
        Ok(()) => Outcome::Completed(payload),
        Err(unfit) => failure(ErrorKind::Invalid, unfit.message("result")),
    }
}

/// The failure that the table on top describes: its details, and its text where `message` is one.
fn told_by_table(mut lua: Lua) -> Failure {
    let table = lua.top();
    lua.push_bytes(b"message");
    lua.get(table);
    let message = lua.bytes(-1).map(|bytes| kept(bytes, length::FAILURE));
    lua.pop(1);
    let message = message.unwrap_or_else(|| "`main` returned false and a table".to_owned());
    Failure { kind: ErrorKind::Unknown, message, retryable: None, details: details(lua), stack: None }
}

/// An error has left a coroutine; its value is on top of that stack. `starting`: the chunk had not returned yet. Raises.
pub fn failed(lua: Lua, mut coroutine: Lua, memory: bool, starting: bool) -> Outcome {
    lua.context().memory.spare(FAREWELL);
    let stack = traceback(lua, coroutine, 0);
    coroutine.reserve(1);
    coroutine.push_copy(-1);
    coroutine.move_to(lua, 1);
    // As after a `pcall`: what is to be closed is closed.
    coroutine.close_thread(lua);
    if memory || lua.bytes(-1) == Some(NO_MEMORY) {
        return out_of_memory(Some(stack));
    }
    let mut failure = describe(lua, Some(stack));
    if starting {
        failure.kind = ErrorKind::Invalid;
    }
    Outcome::Failed(failure)
}

/// The error value on top, which a call was left by, as a failure with this traceback. Without memory to tell, that is what
/// it was.
pub fn caught(mut lua: Lua, stack: Option<String>) -> Failure {
    if lua.bytes(-1) == Some(NO_MEMORY) {
        return Failure { stack, ..no_memory() };
    }
    lua.push_copy(-1);
    match lua.protect_with_top(|lua| describe(lua, None)) {
        Ok(failure) => Failure { stack: failure.stack.or(stack), ..failure },
        Err(_) => {
            lua.pop(1);
            Failure { stack, ..no_memory() }
        }
    }
}

/// The error value on top as a failure. Raises.
pub fn describe(lua: Lua, stack: Option<String>) -> Failure {
    let index = lua.top();
    if is_error_object(lua, index) {
        // Items of another type than they should have: a script has tampered with them.
        let text = |item, most| lua.held_bytes(index, item).map(|bytes| kept(bytes, most));
        let kind = text(1, length::SHOWN).map_or(ErrorKind::Unknown, |kind| kind_of(kind.as_bytes()));
        let message = text(2, length::FAILURE).unwrap_or_default();
        let stack = text(5, length::STACK).or(stack);
        lua.get_item(index, 3);
        let retryable = (lua.kind(-1) == Kind::Boolean).then(|| lua.boolean(-1));
        lua.get_item(index, 4);
        return Failure { kind, message, retryable, details: details(lua), stack };
    }
    let hint = hint(lua, index);
    let details = details(lua);
    let message = match lua.bytes(index).map(|bytes| kept(bytes, length::FAILURE)) {
        Some(message) => message + &hint.unwrap_or_default(),
        None => text_of(lua, index),
    };
    Failure { kind: ErrorKind::Internal, message, retryable: None, details, stack }
}

/// The table on top as a payload, when it is one and travels.
fn details(lua: Lua) -> Option<Vec<u8>> {
    if lua.kind(-1) != Kind::Table {
        return None;
    }
    let mut payload = Vec::new();
    let limit = lua.context().message_limit.get();
    encode(lua, Shape::One(lua.top()), limit, &mut payload).ok().map(|()| payload)
}

/// What `tostring` makes of the value; a `__tostring` that fails doesn't hide that something else did.
fn text_of(mut lua: Lua, index: i32) -> String {
    let name = lua.type_name(index);
    lua.push_copy(index);
    let text = lua.protect_with_top(|lua| {
        lua.push_text(1);
        kept(lua.bytes(-1).unwrap_or_default(), length::FAILURE)
    });
    text.unwrap_or_else(|_| {
        lua.pop(1);
        format!("error value is a {name}")
    })
}
