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

/// `log(level, message, fields)`: level from 1 (debug) to 4, a string, a table with strings as keys and values.
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
    let pairs = push_list::<(&[u8], &[u8])>(&lua, count, (b"", b""));
    for (place, pair) in pairs.iter_mut().zip(lua.texts(3)) {
        *place = pair;
    }
    pairs.sort_unstable();
    // From here on nothing raises.
    let mut room = length::LOG_LINE;
    let message = take(lua.bytes(2).unwrap_or_default(), &mut room);
    let mut fields = Vec::new();
    for (key, value) in pairs.iter() {
        // One for what stands between them: a line can't have fields of nothing without end.
        let Some(left) = room.checked_sub(1) else { break };
        room = left;
        fields.push((take(key, &mut room), take(value, &mut room)));
    }
    let fields: Vec<(&str, &str)> = fields.iter().map(|(key, value)| (&**key, &**value)).collect();
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
