//! Which texts are pids, names, topics and ids. Owns the forms and their faults; the words for a fault are up to whoever
//! refuses. Knows nothing of what lives: that a text has the form says no more than that.

use crate::length;

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// Empty or longer than [`length::NAME`].
    Length,
    /// It looks like a pid: a destination must be one or the other.
    PidForm,
}

/// Why a text is no topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicFault {
    /// Empty or longer than [`length::TOPIC`].
    Length,
    /// It begins with `@`, which is for the runtime's own.
    Reserved,
}

/// What a destination is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination<'t> {
    /// A pid's text, with the number in it. Who finds a process by the number compares the text too.
    Pid(&'t str, u64),
    /// A name.
    Name(&'t str),
}

/// Why a text is no destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DestinationFault {
    /// It looks like a pid, and none is written so: not found.
    NoSuchPid,
    /// It is no name: invalid.
    Name(NameFault),
}

/// Whether a text looks like a pid, `{…|…}`. Of this form it is never a name.
#[inline]
pub fn looks_like_pid(text: &str) -> bool {
    text.len() >= 3 && text.starts_with('{') && text.ends_with('}') && text.contains('|')
}

/// The number in the text of a pid, `{host|0x00001}`, or none where no pid is written so. The host isn't looked at.
#[inline]
pub fn pid_number(text: &str) -> Option<u64> {
    if text.len() > length::PID {
        return None;
    }
    let (_, number) = text.strip_prefix('{')?.strip_suffix('}')?.rsplit_once('|')?;
    let digits = number.strip_prefix("0x")?;
    let padded = digits.len() > length::PID_DIGITS_LEAST && digits.starts_with('0');
    if padded || !(length::PID_DIGITS_LEAST..=length::PID_DIGITS).contains(&digits.len()) {
        return None;
    }
    if !digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    u64::from_str_radix(digits, 16).ok().filter(|number| *number > 0)
}

/// A number as it stands in the text of a pid: hexadecimal, [`length::PID_DIGITS_LEAST`] digits at least. Written into `room`, because
/// every spawn writes two of them, and formatting costs several times as much.
pub fn pid_digits(number: u64, room: &mut [u8; length::PID_DIGITS]) -> &str {
    let mut first = room.len();
    let mut left = number;
    for (place, digit) in room.iter_mut().enumerate().rev() {
        if left == 0 && place.saturating_add(length::PID_DIGITS_LEAST) < length::PID_DIGITS {
            break;
        }
        let value = (left & 0xf) as u8;
        *digit = if value < 10 { b'0' + value } else { b'a' + (value - 10) };
        left >>= 4;
        first = place;
    }
    room.get(first..).and_then(|digits| core::str::from_utf8(digits).ok()).unwrap_or_default()
}

/// A destination, looked at once.
///
/// Errors: neither a pid's text nor a name.
#[inline]
pub fn destination(text: &str) -> Result<Destination<'_>, DestinationFault> {
    if looks_like_pid(text) {
        return pid_number(text).map(|number| Destination::Pid(text, number)).ok_or(DestinationFault::NoSuchPid);
    }
    check_name(text).map(|()| Destination::Name(text)).map_err(DestinationFault::Name)
}

/// Whether a text can be a name: 1 to [`length::NAME`] bytes, not of a pid's form.
///
/// Errors: what is wrong with it.
#[inline]
pub fn check_name(text: &str) -> Result<(), NameFault> {
    if !(1..=length::NAME).contains(&text.len()) {
        return Err(NameFault::Length);
    }
    if looks_like_pid(text) { Err(NameFault::PidForm) } else { Ok(()) }
}

/// Whether a text can be a topic: 1 to [`length::TOPIC`] bytes, not beginning with `@`.
///
/// Errors: what is wrong with it.
#[inline]
pub fn check_topic(text: &str) -> Result<(), TopicFault> {
    if !(1..=length::TOPIC).contains(&text.len()) {
        return Err(TopicFault::Length);
    }
    if text.starts_with('@') { Err(TopicFault::Reserved) } else { Ok(()) }
}

/// Whether a text can be a process host's id: 1 to [`length::ID`] bytes, nothing in it that would make a pid ambiguous.
#[inline]
pub fn is_host_id(text: &str) -> bool {
    let usable = |c: char| !c.is_control() && !matches!(c, '{' | '}' | '|' | '@');
    (1..=length::ID).contains(&text.len()) && text.chars().all(usable)
}

/// Lua's own words, which name nothing.
pub const LUA_WORDS: [&str; 22] = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil",
    "not", "or", "repeat", "return", "then", "true", "until", "while",
];

/// Whether a script can write the text as a name, `billing.charge`: 1 to [`length::WORD`] bytes, letters, digits and `_`, no
/// digit first, none of Lua's own words.
pub fn is_lua_name(text: &str) -> bool {
    let usable = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let first = text.as_bytes().first().is_some_and(|first| !first.is_ascii_digit());
    first && text.len() <= length::WORD && text.bytes().all(usable) && !LUA_WORDS.contains(&text)
}

/// The text, without what would be more than `most` bytes; never part of a character.
#[inline]
pub fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

/// What a message says of several things at once.
const PLURALS: [&str; 3] = ["arguments", "attributes", "results"];

/// The verb behind what a message is about: one thing, or several.
pub fn verb(noun: &str, of_one: &'static str, of_several: &'static str) -> &'static str {
    if PLURALS.contains(&noun) { of_several } else { of_one }
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
