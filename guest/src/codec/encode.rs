//! Lua values to a payload. Owns what can travel and how a table's shape is chosen; refuses, saying where in the value,
//! what can't. Calls no metamethod and runs no script: tables are read raw, so nothing can change them on the way.

use std::collections::HashMap;
use std::ffi::c_int;
use std::hash::{BuildHasherDefault, Hasher};
use std::mem;

use lunarium_contract::form::verb;
use lunarium_contract::payload::{DEPTH, extension};

use crate::host::Failure;
use crate::lua::{Kind, Lua};
use crate::state::context::{Context, kind_text};
use crate::time::duration::Duration;
use crate::time::moment::Time;
use crate::time::zone::Zone;

use super::ERROR_FIELDS;

/// Why a value can't travel.
pub enum Unfit {
    /// A value of this kind, at this path (built from the inside out, so reversed).
    Value {
        what: &'static str,
        path: Vec<String>,
    },
    /// A key of this kind, in the table at this path.
    Key {
        what: &'static str,
        path: Vec<String>,
    },
    TooDeep,
    /// More bytes than this.
    TooLarge(usize),
}

impl Unfit {
    /// The text for people; `root` is what the script calls the value: `payload`, `result`.
    pub fn message(self, root: &str) -> String {
        let join = |path: Vec<String>| path.iter().rev().fold(root.to_owned(), |text, step| text + step);
        match self {
            Self::Value { what, path } => format!("{} is a {what}", join(path)),
            Self::Key { what, path } => {
                let table = join(path);
                format!("{table} {} a key that is a {what}", verb(&table, "has", "have"))
            }
            Self::TooDeep => format!("{root} {} nested deeper than {DEPTH} tables", verb(root, "is", "are")),
            Self::TooLarge(limit) => {
                format!("{root} {} the message limit of {limit} bytes", verb(root, "exceeds", "exceed"))
            }
        }
    }

    fn under(mut self, step: impl FnOnce() -> String) -> Self {
        if let Self::Value { path, .. } | Self::Key { path, .. } = &mut self {
            path.push(step());
        }
        self
    }
}

/// Which values on the stack make the payload.
pub enum Shape {
    /// The value at this index.
    One(c_int),
    /// The values from the first index to the last: a table of them with their number in `n`.
    Packed(c_int, c_int),
    /// The same as an array, `nil`s included.
    List(c_int, c_int),
}

/// Appends the payload to `out`. Indices are absolute. What is on the stack stays.
pub fn encode(mut lua: Lua, shape: Shape, limit: usize, out: &mut Vec<u8>) -> Result<(), Unfit> {
    let top = lua.top();
    let mut encoder = Encoder {
        lua,
        context: lua.context(),
        end: out.len().saturating_add(limit),
        limit,
        out,
        seen: Seen::default(),
    };
    let result = encoder.shape(shape);
    lua.set_top(top);
    result
}

/// The payload of an error object that isn't a Lua value (yet).
pub fn failure_payload(failure: &Failure) -> Vec<u8> {
    let mut out = Vec::new();
    extended(&mut out, extension::ERROR, |out| {
        out.push(0x95);
        text(out, kind_text(failure.kind).as_bytes());
        text(out, failure.message.as_bytes());
        out.push(match failure.retryable {
            Some(true) => 0xc3,
            Some(false) => 0xc2,
            None => 0xc0,
        });
        match &failure.details {
            Some(details) => out.extend_from_slice(details),
            None => out.push(0xc0),
        }
        match &failure.stack {
            Some(stack) => text(out, stack.as_bytes()),
            None => out.push(0xc0),
        }
    });
    out
}

struct Encoder<'a> {
    lua: Lua,
    context: &'static Context,
    /// Length that `out` may not exceed.
    end: usize,
    limit: usize,
    out: &'a mut Vec<u8>,
    seen: Seen,
}

impl Encoder<'_> {
    fn shape(&mut self, shape: Shape) -> Result<(), Unfit> {
        match shape {
            Shape::One(index) => self.value(index, 0),
            Shape::List(first, last) => {
                // The array is the payload's first table, although nothing can refer to it.
                self.seen.number(0);
                header(self.out, Header::Array, (last - first + 1).unsigned_abs() as usize);
                (first..=last)
                    .try_for_each(|i| self.value(i, 1).map_err(|e| e.under(|| format!("[{}]", i - first + 1))))
            }
            Shape::Packed(first, last) => {
                self.seen.number(0);
                let lua = self.lua;
                let held = || (first..=last).filter(|i| !lua.is_absent(*i));
                header(self.out, Header::Map, held().count() + 1);
                for i in held() {
                    integer(self.out, i64::from(i - first + 1));
                    self.value(i, 1).map_err(|e| e.under(|| format!("[{}]", i - first + 1)))?;
                }
                text(self.out, b"n");
                integer(self.out, i64::from(last - first + 1));
                self.check_size()
            }
        }
    }

    #[inline]
    fn check_size(&self) -> Result<(), Unfit> {
        if self.out.len() > self.end { Err(Unfit::TooLarge(self.limit)) } else { Ok(()) }
    }

    fn value(&mut self, index: c_int, depth: usize) -> Result<(), Unfit> {
        match self.lua.kind(index) {
            Kind::Nil | Kind::None => self.out.push(0xc0),
            Kind::Boolean => self.out.push(if self.lua.boolean(index) { 0xc3 } else { 0xc2 }),
            Kind::Number => self.numeral(index),
            Kind::String => {
                let bytes = self.lua.bytes(index).unwrap_or_default();
                // Before copying: a script may hold a string far over the limit.
                if bytes.len() > self.end.saturating_sub(self.out.len()) {
                    return Err(Unfit::TooLarge(self.limit));
                }
                text(self.out, bytes);
            }
            Kind::Table => return self.table(index, depth),
            Kind::Userdata => self.userdata(index)?,
            Kind::Function => return Err(Unfit::Value { what: "function", path: Vec::new() }),
            Kind::Thread => return Err(Unfit::Value { what: "coroutine", path: Vec::new() }),
        }
        self.check_size()
    }

    fn numeral(&mut self, index: c_int) {
        if self.lua.is_integer(index) {
            integer(self.out, self.lua.integer(index).unwrap_or_default());
        } else {
            self.out.push(0xcb);
            self.out.extend_from_slice(&self.lua.number(index).unwrap_or_default().to_be_bytes());
        }
    }

    fn userdata(&mut self, index: c_int) -> Result<(), Unfit> {
        let metatable = self.lua.metatable(index);
        if self.context.types.duration.get().is(metatable) {
            if let Some(Duration(nanoseconds)) = self.lua.userdata(index) {
                self.out.extend_from_slice(&[0xd7, extension::DURATION]);
                self.out.extend_from_slice(&nanoseconds.to_be_bytes());
            }
            return Ok(());
        }
        if self.context.types.time.get().is(metatable) {
            if let Some(time) = self.lua.userdata::<Time>(index) {
                extended(self.out, extension::TIME, |out| {
                    out.push(0x93);
                    integer(out, time.seconds);
                    integer(out, time.nanoseconds.into());
                    match time.zone {
                        Zone::Named(name) => text(out, name.as_bytes()),
                        zone => text(out, zone.to_string().as_bytes()),
                    }
                });
            }
            return Ok(());
        }
        if self.context.types.null.get().is(metatable) {
            self.out.extend_from_slice(&[0xc7, 0, extension::NULL]);
            return Ok(());
        }
        Err(Unfit::Value { what: "userdata", path: Vec::new() })
    }

    fn table(&mut self, index: c_int, depth: usize) -> Result<(), Unfit> {
        if depth >= DEPTH || !self.lua.reserve(8) {
            return Err(Unfit::TooDeep);
        }
        let metatable = self.lua.metatable(index);
        if metatable != 0 {
            let types = &self.context.types;
            if types.error.get().is(metatable) {
                return self.error(index, depth);
            }
            if types.field.get().is(metatable) {
                self.lua.push_boolean(false);
                self.lua.get(index);
                let result = self.value(self.lua.top(), depth + 1);
                self.lua.pop(1);
                return result;
            }
            let inner = [
                (&types.channel, "channel"),
                (&types.case, "case"),
                (&types.message, "message"),
                (&types.timer, "timer"),
                (&types.spawner, "spawner"),
                (&types.actor, "security actor"),
                (&types.policy, "policy"),
                (&types.scope, "scope"),
            ];
            if let Some((_, what)) = inner.into_iter().find(|(kind, _)| kind.get().is(metatable)) {
                return Err(Unfit::Value { what, path: Vec::new() });
            }
        }
        if let Some(number) = self.seen.number(self.lua.address(index)) {
            self.out.extend_from_slice(&[0xd6, extension::SEEN]);
            self.out.extend_from_slice(&number.to_be_bytes());
            return self.check_size();
        }
        match self.items(index) {
            Ok(count) => self.array(index, count, depth + 1),
            Err(count) => self.map(index, count, depth + 1),
        }
    }

    /// How many entries the table has: `Ok` when their keys are exactly 1..n.
    fn items(&mut self, index: c_int) -> Result<usize, usize> {
        let border = self.lua.length(index);
        let (mut count, mut list) = (0usize, true);
        self.lua.push_nil();
        while self.lua.next(index) {
            self.lua.pop(1);
            count += 1;
            list = list
                && self.lua.is_integer(-1)
                && self
                    .lua
                    .integer(-1)
                    .and_then(|key| usize::try_from(key).ok())
                    .is_some_and(|key| (1..=border).contains(&key));
        }
        if list && count == border { Ok(count) } else { Err(count) }
    }

    fn array(&mut self, index: c_int, count: usize, depth: usize) -> Result<(), Unfit> {
        header(self.out, Header::Array, count);
        self.check_size()?;
        for i in 1..=count {
            self.lua.get_item(index, i as i64);
            self.value(self.lua.top(), depth).map_err(|e| e.under(|| format!("[{i}]")))?;
            self.lua.pop(1);
        }
        Ok(())
    }

    fn map(&mut self, index: c_int, count: usize, depth: usize) -> Result<(), Unfit> {
        header(self.out, Header::Map, count);
        self.check_size()?;
        self.lua.push_nil();
        while self.lua.next(index) {
            let value = self.lua.top();
            let key = value - 1;
            match self.lua.kind(key) {
                Kind::Boolean | Kind::Number | Kind::String => self.value(key, depth)?,
                Kind::Function => return Err(Unfit::Key { what: "function", path: Vec::new() }),
                Kind::Thread => return Err(Unfit::Key { what: "coroutine", path: Vec::new() }),
                Kind::Table => return Err(Unfit::Key { what: "table", path: Vec::new() }),
                _ => return Err(Unfit::Key { what: "userdata", path: Vec::new() }),
            }
            self.value(value, depth).map_err(|e| e.under(|| step(self.lua, key)))?;
            self.lua.pop(1);
        }
        Ok(())
    }

    /// An error object: a table with kind, message, retryable, details, stack in this order. A script may have
    /// tampered with it: what isn't of the right type is left out.
    fn error(&mut self, index: c_int, depth: usize) -> Result<(), Unfit> {
        let start = self.out.len();
        self.out.extend_from_slice(&[0xc9, 0, 0, 0, 0, extension::ERROR, 0x95]);
        // Numbers of tables inside are the details' own, because they are a payload of their own elsewhere.
        let outer = mem::take(&mut self.seen);
        for (kind, item) in ERROR_FIELDS.into_iter().zip(1..) {
            self.lua.get_item(index, item);
            if self.lua.kind(-1) == kind {
                self.value(self.lua.top(), depth + 1).map_err(|e| e.under(|| ".details".to_owned()))?;
            } else {
                self.out.push(0xc0);
            }
            self.lua.pop(1);
        }
        self.seen = outer;
        close_extension(self.out, start);
        self.check_size()
    }
}

/// How a script would write the step from a table to its entry.
pub fn step(lua: Lua, key: c_int) -> String {
    match lua.kind(key) {
        Kind::String => {
            let name = lua.bytes(key).unwrap_or_default();
            let head = name.first().is_some_and(|c| c.is_ascii_alphabetic() || *c == b'_');
            if head && name.len() <= 64 && name.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'_') {
                format!(".{}", String::from_utf8_lossy(name))
            } else {
                let shown = name.get(..64).unwrap_or(name);
                format!("[{:?}]", String::from_utf8_lossy(shown))
            }
        }
        Kind::Boolean => format!("[{}]", lua.boolean(key)),
        _ if lua.is_integer(key) => format!("[{}]", lua.integer(key).unwrap_or_default()),
        _ => format!("[{}]", lua.number(key).unwrap_or_default()),
    }
}

// ---- MessagePack

enum Header {
    Array,
    Map,
}

fn header(out: &mut Vec<u8>, kind: Header, count: usize) {
    let (fix, wide, wider) = match kind {
        Header::Array => (0x90, 0xdc, 0xdd),
        Header::Map => (0x80, 0xde, 0xdf),
    };
    if count < 16 {
        out.push(fix | count as u8);
    } else if let Ok(count) = u16::try_from(count) {
        out.push(wide);
        out.extend_from_slice(&count.to_be_bytes());
    } else {
        out.push(wider);
        out.extend_from_slice(&(count as u32).to_be_bytes());
    }
}

fn integer(out: &mut Vec<u8>, value: i64) {
    if (-32..128).contains(&value) {
        out.push(value as u8);
    } else if let Ok(value) = i8::try_from(value) {
        out.extend_from_slice(&[0xd0, value as u8]);
    } else if let Ok(value) = i16::try_from(value) {
        out.push(0xd1);
        out.extend_from_slice(&value.to_be_bytes());
    } else if let Ok(value) = i32::try_from(value) {
        out.push(0xd2);
        out.extend_from_slice(&value.to_be_bytes());
    } else {
        out.push(0xd3);
        out.extend_from_slice(&value.to_be_bytes());
    }
}

/// `str` when the bytes are UTF-8, else `bin`.
fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    let valid = std::str::from_utf8(beyond_ascii(bytes)).is_ok();
    let [short, wide, wider] = if valid { [0xd9, 0xda, 0xdb] } else { [0xc4, 0xc5, 0xc6] };
    let length = bytes.len();
    if valid && length < 32 {
        out.push(0xa0 | length as u8);
    } else if let Ok(length) = u8::try_from(length) {
        out.extend_from_slice(&[short, length]);
    } else if let Ok(length) = u16::try_from(length) {
        out.push(wide);
        out.extend_from_slice(&length.to_be_bytes());
    } else {
        out.push(wider);
        out.extend_from_slice(&(length as u32).to_be_bytes());
    }
    out.extend_from_slice(bytes);
}

/// The bytes without those at the beginning that are surely ASCII: of a long text most are, and this looks at sixteen at once.
fn beyond_ascii(bytes: &[u8]) -> &[u8] {
    const PIECE: usize = 64;
    let is_ascii = |piece: &&[u8]| piece.iter().fold(0, |all, byte| all | byte) < 0x80;
    let pieces = bytes.chunks_exact(PIECE).take_while(is_ascii).count();
    bytes.get(pieces * PIECE..).unwrap_or_default()
}

fn extended(out: &mut Vec<u8>, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0xc9, 0, 0, 0, 0, kind]);
    body(out);
    close_extension(out, start);
}

fn close_extension(out: &mut [u8], start: usize) {
    let length = (out.len() - start - 6) as u32;
    if let Some(place) = out.get_mut(start + 1..start + 5) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

// ---- Tables met before

/// Numbers of the tables met so far, by address. Most payloads have few, for which a search beats hashing.
#[derive(Default)]
struct Seen {
    few: [usize; 8],
    count: u32,
    many: HashMap<usize, u32, BuildHasherDefault<AddressHasher>>,
}

impl Seen {
    /// The number of a table met before; else gives it the next one.
    fn number(&mut self, address: usize) -> Option<u32> {
        let known = self.few.len().min(self.count as usize);
        if let Some(i) = self.few.iter().take(known).position(|other| *other == address) {
            return Some(i as u32);
        }
        match self.few.get_mut(self.count as usize) {
            Some(free) => *free = address,
            None => {
                if let Some(number) = self.many.get(&address) {
                    return Some(*number);
                }
                self.many.insert(address, self.count);
            }
        }
        self.count += 1;
        None
    }
}

/// Spreads addresses. A script can't choose them, and std's hasher would have its keys frozen in the snapshot.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_u64(&mut self, value: u64) {
        let mixed = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}
