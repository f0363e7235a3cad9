//! A payload to Lua values. Owns the reading; refuses what is no payload (only a sender that isn't this guest could make
//! that: no length is believed before the bytes are seen), and what takes more memory than there is. Also what stands for a
//! payload that was never let in. Holds nothing on the heap, because building values may raise "not enough memory".

use std::ffi::c_int;

use lunarium_contract::payload::{DEPTH, extension};

use crate::host::{ErrorKind, Failure};
use crate::lua::{Broken, Kind, Lua};
use crate::state::error::push_error;
use crate::state::object::Object;
use crate::state::object::push_null;
use crate::time::duration::Duration;
use crate::time::moment::Time;
use crate::time::zone::Zone;

use super::ERROR_FIELDS;
use super::size::{GROWTH, least};

/// Pushes the value. Raises, also an error object: `INVALID` for what is no payload, `RESOURCE_EXHAUSTED` for a value
/// that the process has no memory for.
pub fn decode(lua: Lua, payload: &[u8]) {
    if !try_decode(lua, payload) {
        lua.raise();
    }
}

/// Pushes the value, or (false) the error object that says why there is none. Raises.
pub fn try_decode(mut lua: Lua, payload: &[u8]) -> bool {
    let top = lua.top();
    if let Some(text) = as_text(payload).filter(|text| text.len().saturating_add(SPARE) <= lua.context().memory.left())
    {
        lua.push_bytes(text);
        return true;
    }
    if has_room(lua, payload) {
        return build(lua, payload) || unreadable(lua, top, payload);
    }
    let Some(least) = least(payload) else { return unreadable(lua, top, payload) };
    // Refused without making anything where all the memory of the process wouldn't do.
    if least > lua.context().memory.own() {
        return too_large(lua, least);
    }
    lua.new_table(1, 0);
    lua.push_copy(-1);
    let built = lua.protect_with_top(|lua| {
        let built = build(lua, payload);
        if built {
            lua.set_item(1, 1);
        }
        built
    });
    match built {
        Ok(true) => {
            lua.get_item(top + 1, 1);
            lua.remove(top + 1);
            true
        }
        Ok(false) => unreadable(lua, top, payload),
        Err(Broken::Memory) => {
            lua.set_top(top);
            too_large(lua, least)
        }
        Err(Broken::Raised) => lua.raise(),
    }
}

/// Memory for what is needed beside the value.
const SPARE: usize = 1024;

/// Whether there is memory for whatever such a payload may become.
fn has_room(lua: Lua, payload: &[u8]) -> bool {
    payload.len().saturating_mul(GROWTH).saturating_add(SPARE) <= lua.context().memory.left()
}

/// Pushes the value; false: it is no payload, and something may be left on the stack. Raises.
fn build(lua: Lua, payload: &[u8]) -> bool {
    let mut reader = Reader::new(lua, payload);
    let whole = reader.value(0).is_some() && reader.at == payload.len();
    if whole {
        reader.finish();
    }
    whole
}

/// Bytes of [`stand_in`].
pub const STAND_IN: usize = 1 + size_of::<u64>();

/// What no payload begins with.
const NOT_THERE: u8 = 0xc1;

/// What stands for a payload that there is no memory for. It is kept and given back as the payload would be; whoever wants to read it gets
/// the error.
pub fn stand_in(payload: &[u8]) -> [u8; STAND_IN] {
    let mut bytes = [NOT_THERE; STAND_IN];
    let needed = needed(payload) as u64;
    bytes.iter_mut().skip(1).zip(needed.to_be_bytes()).for_each(|(to, from)| *to = from);
    bytes
}

/// Bytes that a payload needs at least: its own, and those of its values.
fn needed(payload: &[u8]) -> usize {
    least(payload).unwrap_or_default().max(payload.len())
}

/// What was needed, where this stands for a payload.
fn was_needed(payload: &[u8]) -> Option<usize> {
    let (_, needed) = payload.split_first().filter(|(first, _)| **first == NOT_THERE)?;
    let needed: [u8; size_of::<u64>()] = needed.try_into().ok()?;
    Some(usize::try_from(u64::from_be_bytes(needed)).unwrap_or(usize::MAX))
}

/// Pushes the error object onto a stack cut to `top`. Raises.
fn unreadable(mut lua: Lua, top: c_int, payload: &[u8]) -> bool {
    lua.set_top(top);
    if let Some(needed) = was_needed(payload) {
        return too_large(lua, needed);
    }
    push_error(lua, ErrorKind::Invalid, "corrupt payload", false);
    false
}

fn told(lua: Lua, what: &str, needed: usize) -> String {
    let own = lua.context().memory.own();
    format!("{what} needs at least {needed} bytes of memory: too little is left of the process's {own}")
}

/// The error for who has called with these arguments, as nobody here is told; `more` is what a call needs beside them.
pub fn no_room(lua: Lua, arguments: &[u8], more: usize) -> Failure {
    let needed = needed(arguments).saturating_add(more);
    // {limit = "memory", needed = …} in MessagePack.
    let details = [b"\x82\xa5limit\xa6memory\xa6needed\xcf".as_slice(), &(needed as u64).to_be_bytes()].concat();
    Failure {
        kind: ErrorKind::ResourceExhausted,
        message: told(lua, "call", needed),
        retryable: Some(false),
        details: Some(details),
        stack: None,
    }
}

/// Memory for the error object: there may be none left.
const FAULT: usize = 1024;

/// Pushes the error object. Raises.
fn too_large(lua: Lua, least: usize) -> bool {
    let memory = &lua.context().memory;
    let before = memory.lend(FAULT);
    push_error(lua, ErrorKind::ResourceExhausted, told(lua, "payload", least), false);
    lua.new_table(0, 2);
    lua.push_bytes(b"memory");
    lua.set_field(-2, c"limit");
    lua.push_integer(least as i64);
    lua.set_field(-2, c"needed");
    lua.set_item(-2, 4);
    memory.lend(before);
    false
}

/// Whether decoding can neither fail nor take much memory: a short text, a number, a boolean, nil.
pub fn is_scalar(payload: &[u8]) -> bool {
    const SHORT: usize = 256;
    payload.len() <= SHORT
        && payload
            .first()
            .is_some_and(|marker| !matches!(marker, 0x80..=0x9f | 0xc7..=0xc9 | 0xd4..=0xd8 | 0xdc..=0xdf))
        && least(payload).is_some()
}

/// The bytes of a payload that is one text.
pub fn as_text(payload: &[u8]) -> Option<&[u8]> {
    let (marker, rest) = payload.split_first()?;
    let (length, text) = match marker {
        0xa0..=0xbf => (usize::from(marker & 0x1f), rest),
        0xc4 | 0xd9 => rest.split_first().map(|(length, text)| (usize::from(*length), text))?,
        0xc5 | 0xda => rest.split_first_chunk().map(|(length, text)| (u16::from_be_bytes(*length).into(), text))?,
        0xc6 | 0xdb => rest.split_first_chunk().map(|(length, text)| (u32::from_be_bytes(*length) as usize, text))?,
        _ => return None,
    };
    (text.len() == length).then_some(text)
}

/// Pushes the values of an array, and tells how many. Raises.
pub fn decode_spread(lua: Lua, payload: &[u8]) -> c_int {
    match spread(lua, payload) {
        Ok(count) => count,
        Err(why) => lua.raise_text(why),
    }
}

/// The same; none: the error object that says why there is nothing is pushed. Raises.
pub fn try_spread(mut lua: Lua, payload: &[u8]) -> Option<c_int> {
    let top = lua.top();
    if has_room(lua, payload) {
        return spread(lua, payload).map_err(|_| unreadable(lua, top, payload)).ok();
    }
    // As one table, of which it is known what is too large.
    if !try_decode(lua, payload) {
        return None;
    }
    let Some(count) = list_length(lua, payload).filter(|count| lua.reserve(count.saturating_add(20))) else {
        unreadable(lua, top, payload);
        return None;
    };
    (1..=i64::from(count)).for_each(|place| lua.get_item(top + 1, place));
    lua.remove(top + 1);
    Some(count)
}

/// Whether a payload is an array: the results of a call, not the error object instead of them.
pub fn is_list(lua: Lua, payload: &[u8]) -> bool {
    list_length(lua, payload).is_some()
}

/// How many values an array says that it has.
fn list_length(lua: Lua, payload: &[u8]) -> Option<c_int> {
    let mut reader = Reader { lua, bytes: payload, at: 0, list: None, met: 0 };
    reader.list_length().and_then(|count| c_int::try_from(count).ok())
}

fn spread(lua: Lua, payload: &[u8]) -> Result<c_int, &'static str> {
    const CORRUPT: &str = "corrupt payload";
    let mut reader = Reader::new(lua, payload);
    let count = reader.list_length().and_then(|count| c_int::try_from(count).ok()).ok_or(CORRUPT)?;
    if !lua.reserve(count.saturating_add(20)) {
        return Err("too many values");
    }
    // The array itself is the payload's first table.
    reader.met = 1;
    for _ in 0..count {
        reader.value(1).ok_or(CORRUPT)?;
    }
    reader.finish();
    Ok(count)
}

struct Reader<'a> {
    lua: Lua,
    bytes: &'a [u8],
    at: usize,
    /// Where on the stack the tables met so far are listed; none when the payload refers to no table twice.
    list: Option<c_int>,
    met: i64,
}

impl<'a> Reader<'a> {
    fn new(lua: Lua, bytes: &'a [u8]) -> Self {
        let refers = bytes.windows(2).any(|pair| pair == [0xd6, extension::SEEN]);
        let list = refers.then(|| {
            lua.new_table(0, 0);
            lua.top()
        });
        Self { lua, bytes, at: 0, list, met: 0 }
    }

    /// Takes the list away from below the results.
    fn finish(mut self) {
        if let Some(list) = self.list {
            self.lua.remove(list);
        }
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A big-endian number of 1, 2 or 4 bytes, by the low bits of the marker.
    fn length(&mut self, width: u8) -> Option<usize> {
        Some(match width {
            0 => self.byte()?.into(),
            1 => u16::from_be_bytes(self.array()?).into(),
            _ => u32::from_be_bytes(self.array()?) as usize,
        })
    }

    fn list_length(&mut self) -> Option<usize> {
        match self.byte()? {
            marker @ 0x90..=0x9f => Some((marker & 0x0f).into()),
            marker @ 0xdc..=0xdd => self.length(marker - 0xdc + 1),
            _ => None,
        }
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        let lua = self.lua;
        match self.byte()? {
            marker @ 0x00..=0x7f => lua.push_integer(marker.into()),
            marker @ 0xe0..=0xff => lua.push_integer((marker as i8).into()),
            marker @ 0xa0..=0xbf => self.string((marker & 0x1f).into())?,
            marker @ 0x80..=0x8f => self.map((marker & 0x0f).into(), depth)?,
            marker @ 0x90..=0x9f => self.items((marker & 0x0f).into(), depth)?,
            0xc0 => lua.push_nil(),
            marker @ 0xc2..=0xc3 => lua.push_boolean(marker == 0xc3),
            marker @ 0xc4..=0xc6 => {
                let length = self.length(marker - 0xc4)?;
                self.string(length)?;
            }
            marker @ 0xc7..=0xc9 => {
                let length = self.length(marker - 0xc7)?;
                self.extension(length, depth)?;
            }
            0xca => lua.push_number(f32::from_be_bytes(self.array()?).into()),
            0xcb => lua.push_number(f64::from_be_bytes(self.array()?)),
            0xcc => lua.push_integer(self.byte()?.into()),
            0xcd => lua.push_integer(u16::from_be_bytes(self.array()?).into()),
            0xce => lua.push_integer(u32::from_be_bytes(self.array()?).into()),
            0xcf => lua.push_integer(u64::from_be_bytes(self.array()?).try_into().ok()?),
            0xd0 => lua.push_integer((self.byte()? as i8).into()),
            0xd1 => lua.push_integer(i16::from_be_bytes(self.array()?).into()),
            0xd2 => lua.push_integer(i32::from_be_bytes(self.array()?).into()),
            0xd3 => lua.push_integer(i64::from_be_bytes(self.array()?)),
            marker @ 0xd4..=0xd8 => self.extension(1 << (marker - 0xd4), depth)?,
            marker @ 0xd9..=0xdb => {
                let length = self.length(marker - 0xd9)?;
                self.string(length)?;
            }
            marker @ 0xdc..=0xdd => {
                let count = self.length(marker - 0xdc + 1)?;
                self.items(count, depth)?;
            }
            marker @ 0xde..=0xdf => {
                let count = self.length(marker - 0xde + 1)?;
                self.map(count, depth)?;
            }
            0xc1 => return None,
        }
        Some(())
    }

    fn string(&mut self, length: usize) -> Option<()> {
        let bytes = self.take(length)?;
        self.lua.push_bytes(bytes);
        Some(())
    }

    /// A table for up to `count` entries, of which each takes at least a byte of what is left.
    fn open(&mut self, items: usize, fields: usize, depth: usize) -> Option<()> {
        // Encoded tables are at most DEPTH deep; an error's details may add one level each.
        if depth > DEPTH + 1 || !self.lua.reserve(8) {
            return None;
        }
        let left = self.bytes.len() - self.at;
        self.lua.new_table(items.min(left), fields.min(left));
        if let Some(list) = self.list {
            self.met += 1;
            self.lua.push_copy(-1);
            self.lua.set_item(list, self.met);
        }
        Some(())
    }

    fn items(&mut self, count: usize, depth: usize) -> Option<()> {
        self.open(count, 0, depth)?;
        for i in 1..=count {
            self.value(depth + 1)?;
            self.lua.set_item(-2, i as i64);
        }
        Some(())
    }

    fn map(&mut self, count: usize, depth: usize) -> Option<()> {
        self.open(0, count, depth)?;
        for _ in 0..count {
            self.value(depth + 1)?;
            match self.lua.kind(-1) {
                Kind::Boolean | Kind::String => {}
                // Asked of numbers alone: in a string Lua would look for one, which takes longer than all else here.
                Kind::Number if !self.lua.number(-1).is_some_and(f64::is_nan) => {}
                _ => return None,
            }
            self.value(depth + 1)?;
            self.lua.set(-3);
        }
        Some(())
    }

    fn extension(&mut self, length: usize, depth: usize) -> Option<()> {
        let kind = self.byte()?;
        let body = self.take(length)?;
        match kind {
            extension::SEEN => {
                let number = u32::from_be_bytes(body.try_into().ok()?);
                self.lua.get_item(self.list?, i64::from(number) + 1);
                (self.lua.kind(-1) == Kind::Table).then_some(())
            }
            extension::ERROR => error(self.lua, body, depth),
            extension::TIME => time(self.lua, body),
            extension::DURATION => {
                Duration(i64::from_be_bytes(body.try_into().ok()?)).push(self.lua);
                Some(())
            }
            extension::NULL => {
                push_null(self.lua);
                Some(())
            }
            _ => None,
        }
    }
}

/// An error object: a table of its fields.
fn error(lua: Lua, body: &[u8], depth: usize) -> Option<()> {
    if depth > DEPTH || !lua.reserve(8) {
        return None;
    }
    // The details count their tables by themselves: a reader of their own.
    let mut reader = Reader::new(lua, body);
    if reader.list_length()? != 5 {
        return None;
    }
    lua.new_table(5, 0);
    for (kind, item) in ERROR_FIELDS.into_iter().zip(1..) {
        reader.value(depth + 1)?;
        if !matches!(lua.kind(-1), Kind::Nil) && lua.kind(-1) != kind {
            return None;
        }
        lua.set_item(-2, item);
    }
    lua.context().types.error.get().set(lua);
    reader.finish();
    Some(())
}

fn time(mut lua: Lua, body: &[u8]) -> Option<()> {
    let mut reader = Reader { lua, bytes: body, at: 0, list: None, met: 0 };
    if reader.list_length()? != 3 {
        return None;
    }
    reader.value(0)?;
    reader.value(0)?;
    reader.value(0)?;
    // A zone that a later database has and this one hasn't: the moment is right all the same.
    let zone = std::str::from_utf8(lua.bytes(-1)?).ok().and_then(Zone::find).unwrap_or(Zone::Utc);
    let time = Time::from_unix(lua.integer(-3)?, u32::try_from(lua.integer(-2)?).ok()?, zone)?;
    lua.pop(3);
    time.push(lua);
    Some(())
}
