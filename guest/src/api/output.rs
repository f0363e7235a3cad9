//! The host's end of `print` and `logger`. Waiting for a full output is the prelude's, and so is what becomes a field.

use std::borrow::Cow;
use std::ffi::{CStr, c_int};

use lunarium_contract::length;

use crate::host::Level;
use crate::lua::buffer::push_list;
use crate::lua::{Function, Kind, Lua};

/// `line(...)` → the arguments as `print` shows them, tabs between. Calls `__tostring`, so it may raise.
extern "C-unwind" fn line(mut lua: Lua) -> c_int {
    let count = lua.top();
    if count == 1 {
        lua.push_text(1);
        return 1;
    }
    if !lua.reserve(count.saturating_mul(2).saturating_add(4)) {
        lua.raise_text("too many arguments to print");
    }
    // Each text takes its argument's place; then all are joined at once.
    for i in 1..=count {
        lua.push_text(i);
        lua.replace(i);
    }
    lua.join(count, b"\t");
    1
}

/// `put(line)` → whether the output took it. At the limit: a line longer than a message may be is cut there.
extern "C-unwind" fn put(lua: Lua) -> c_int {
    let line = lua.check_bytes(1);
    let context = lua.context();
    let line = line.get(..context.message_limit.get()).unwrap_or(line);
    lua.push_boolean(context.host.print(line));
    1
}

/// `dropped(lines)`
extern "C-unwind" fn dropped(lua: Lua) -> c_int {
    lua.context().host.dropped(lua.integer(1).and_then(|n| u32::try_from(n).ok()).unwrap_or(0));
    0
}

/// `log(level, message, fields)`: level from 1 (debug) to 4, a string, a table with strings as keys; a value is a string, or a table
/// with one that is JSON.
extern "C-unwind" fn log(lua: Lua) -> c_int {
    let level = match lua.integer(1) {
        Some(1) => Level::Debug,
        Some(2) => Level::Info,
        Some(3) => Level::Warn,
        _ => Level::Error,
    };
    // A script may have taken a logger apart.
    if lua.kind(3) != Kind::Table {
        lua.type_error(3, c"table");
    }
    let count = lua.texts(3).count();
    let found = push_list::<(&[u8], &[u8], bool)>(&lua, count, (b"", b"", false));
    let (mut places, mut entry) = (found.iter_mut(), lua);
    entry.push_nil();
    while entry.next(3) {
        let is_json = lua.kind(-1) == Kind::Table;
        let text = if is_json { lua.held_bytes(-1, 1) } else { lua.bytes(-1) };
        if let Some(place) = places.next() {
            *place = (lua.bytes(-2).unwrap_or_default(), text.unwrap_or_default(), is_json);
        }
        entry.pop(1);
    }
    found.sort_unstable();
    // From here on nothing raises.
    let mut room = length::LOG_LINE;
    let message = take(lua.bytes(2).unwrap_or_default(), &mut room);
    let mut fields = Vec::new();
    for (name, text, is_json) in found.iter() {
        // One for what stands between them: a line can't have fields of nothing without end.
        let Some(left) = room.checked_sub(1) else { break };
        room = left;
        let name = take(name, &mut room);
        // A number or a table that is cut is another one, or none.
        let is_json = *is_json && text.len() <= room;
        fields.push((name, take(text, &mut room), is_json));
    }
    let fields: Vec<(&str, &str, bool)> = fields.iter().map(|(name, text, json)| (&**name, &**text, *json)).collect();
    lua.context().host.log(level, &message, &fields);
    0
}

/// As much of the text as there is room for: the host cuts there, and what is longer isn't copied out first.
fn take<'t>(bytes: &'t [u8], room: &mut usize) -> Cow<'t, str> {
    let kept = bytes.get(..*room).unwrap_or(bytes);
    *room -= kept.len();
    String::from_utf8_lossy(kept)
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 4] = [(c"line", line), (c"put", put), (c"dropped", dropped), (c"log", log)];
