//! The host's end of `print`. Waiting for a full output is the prelude's.

use std::ffi::{CStr, c_int};

use crate::lua::{Function, Lua};

/// `line(...)` → the arguments as `print` shows them, tabs between. Calls `__tostring`, so it may raise.
extern "C-unwind" fn line(lua: Lua) -> c_int {
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

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 3] = [(c"line", line), (c"put", put), (c"dropped", dropped)];
