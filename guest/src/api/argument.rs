//! Arguments as the host takes them: text, topics, names, destinations. Owns their checks, and the refusals where they fail;
//! the forms and lengths are the contract's. Knows none of the functions.

use std::ffi::c_int;

use lunarium_contract::form::{NameFault, TopicFault, check_name, check_topic, cut, looks_like_pid};
use lunarium_contract::length;

use crate::codec::{Shape, Unfit, encode};
use crate::host::{ErrorKind, Refusal, refusal};
use crate::lua::Lua;
use crate::state::error::refuse;

/// The argument as text that a host function takes, once `read` has looked at it. None: it is missing or unusable, and
/// `nil, err` is pushed; `what` names it there. Raises for a wrong type.
pub fn argument<'l>(
    lua: &'l Lua,
    argument: c_int,
    what: &str,
    read: impl FnOnce(&'l [u8]) -> Result<&'l str, Refusal>,
) -> Option<&'l str> {
    let read = if lua.is_absent(argument) {
        Err(invalid(format!("{what} is missing")))
    } else {
        read(lua.check_bytes(argument))
    };
    read.map_err(|fault| refuse(*lua, fault)).ok()
}

/// The argument as text of at most `most` bytes; else as [`argument`].
pub fn bounded_argument<'l>(lua: &'l Lua, place: c_int, what: &str, most: usize) -> Option<&'l str> {
    argument(lua, place, what, |bytes| text(bytes, what, most))
}

/// The argument as text that stays here, of any length; else as [`argument`].
pub fn text_argument<'l>(lua: &'l Lua, place: c_int, what: &str) -> Option<&'l str> {
    argument(lua, place, what, |bytes| utf8(bytes, what))
}

/// The argument as a destination; else as [`argument`].
pub fn destination_argument(lua: &Lua, place: c_int) -> Option<&str> {
    argument(lua, place, "destination", |bytes| destination(bytes, "destination"))
}

/// Bytes as text of at most `most`.
pub fn text<'b>(bytes: &'b [u8], what: &str, most: usize) -> Result<&'b str, Refusal> {
    if bytes.len() > most {
        return Err(invalid(format!("{what} of {} bytes exceeds the limit of {most}", bytes.len())));
    }
    utf8(bytes, what)
}

pub fn utf8<'b>(bytes: &'b [u8], what: &str) -> Result<&'b str, Refusal> {
    std::str::from_utf8(bytes).map_err(|_| invalid(format!("{what} is not valid UTF-8")))
}

/// Bytes as a destination, a pid or a name, as far as their number tells; the host looks closer.
///
/// Errors: as for every pid that nobody has, when they look like one.
pub fn destination<'b>(bytes: &'b [u8], what: &str) -> Result<&'b str, Refusal> {
    let size = bytes.len();
    if size <= length::DESTINATION {
        return utf8(bytes, what);
    }
    if utf8(bytes, what).is_ok_and(looks_like_pid) {
        let message = format!("{what} of {size} bytes not found: a pid has at most {}", length::PID);
        return Err(refusal(ErrorKind::NotFound, message));
    }
    Err(not_within(what, size, length::NAME))
}

/// Bytes as a topic.
pub fn topic(bytes: &[u8]) -> Result<&str, Refusal> {
    // Of more than a topic can have nothing else is looked at.
    if bytes.len() > length::TOPIC {
        return Err(not_within("topic", bytes.len(), length::TOPIC));
    }
    let topic = utf8(bytes, "topic")?;
    match check_topic(topic) {
        Ok(()) => Ok(topic),
        Err(TopicFault::Length) => Err(not_within("topic", topic.len(), length::TOPIC)),
        Err(TopicFault::Reserved) => Err(invalid(format!("topic `{topic}` is reserved: it begins with @"))),
    }
}

/// Bytes as a name for a process.
pub fn name(bytes: &[u8]) -> Result<&str, Refusal> {
    if bytes.len() > length::NAME {
        return Err(not_within("name", bytes.len(), length::NAME));
    }
    let name = utf8(bytes, "name")?;
    match check_name(name) {
        Ok(()) => Ok(name),
        Err(NameFault::Length) => Err(not_within("name", name.len(), length::NAME)),
        Err(NameFault::PidForm) => Err(invalid(format!("name `{name}` has the form of a pid"))),
    }
}

#[cold]
pub fn not_within(what: &str, size: usize, most: usize) -> Refusal {
    invalid(format!("{what} has {size} bytes, not 1 to {most}"))
}

/// A refusal of kind `INVALID`.
pub fn invalid(message: String) -> Refusal {
    refusal(ErrorKind::Invalid, message)
}

/// Encodes what is at `shape`, and calls `act` with the payload (which may take it). It must not raise: the buffer is out of
/// its place. `told` says what is wrong with what can't travel.
pub fn with_payload<T>(
    lua: Lua,
    shape: Shape,
    limit: usize,
    told: impl FnOnce(Unfit) -> String,
    act: impl FnOnce(&mut Vec<u8>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let context = lua.context();
    let mut payload = context.buffer.take();
    payload.clear();
    let result = match encode(lua, shape, limit, &mut payload) {
        Ok(()) => act(&mut payload),
        Err(unfit) => Err(invalid(told(unfit))),
    };
    // What is near a message's limit must not hold its megabyte for ever.
    if payload.capacity() > KEPT_CAPACITY {
        payload = Vec::new();
    }
    context.buffer.set(payload);
    result
}

/// Calls `act` with the payload of the arguments from `first` on, an array. It must not raise either.
pub fn with_arguments<T>(lua: Lua, first: c_int, act: impl FnOnce(&[u8]) -> Result<T, Refusal>) -> Result<T, Refusal> {
    let limit = lua.context().message_limit.get();
    let told = |unfit: Unfit| unfit.message("arguments");
    with_payload(lua, Shape::List(first, lua.top()), limit, told, |arguments| act(arguments))
}

/// Bytes of the kept buffer: most payloads are far smaller.
const KEPT_CAPACITY: usize = 16 * 1024;

/// For the prelude: why the string at 1 can't be read so, or nil.
pub fn fault_of(lua: Lua, read: impl FnOnce(&[u8]) -> Result<&str, Refusal>) -> c_int {
    match read(lua.check_bytes(1)) {
        Ok(_) => lua.push_nil(),
        Err(refusal) => lua.push_owned(refusal.message),
    }
    1
}

/// As much of a script's text as a message repeats.
pub fn shown(bytes: &[u8]) -> String {
    let kept = bytes.get(..length::SHOWN).unwrap_or(bytes);
    let text = String::from_utf8_lossy(kept);
    let mark = if kept.len() < bytes.len() { "…" } else { "" };
    format!("{}{mark}", cut(&text, length::SHOWN))
}

/// Pushes a table of texts, which leaves them below it as one. None of them has a zero byte.
pub(super) fn push_texts(lua: Lua, texts: Vec<String>) {
    let count = texts.len();
    // As one it can be given away.
    lua.push_owned(joined(texts));
    lua.new_table(count, 0);
    let all = lua.bytes(-2).unwrap_or_default();
    for (place, text) in (1..).zip(all.split(|byte| *byte == 0).take(count)) {
        lua.push_bytes(text);
        lua.set_item(-2, place);
    }
}

fn joined(texts: Vec<String>) -> String {
    texts.join("\0")
}
