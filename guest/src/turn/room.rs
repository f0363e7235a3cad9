//! Room for what the host hands over: nobody asked the script, so what doesn't fit ends no process. Owns which payloads are taken into
//! Lua's memory, and what may be lent for the rest of a delivery. What stands for a payload that wasn't is the codec's.

use crate::codec::{STAND_IN, stand_in};
use crate::lua::Lua;

/// Bytes beside a payload, so that the process isn't at its very limit when it is told.
const SPARE: usize = 1024;

/// Bytes that a call takes beside its arguments: a coroutine with its stack, and a task.
pub const CALL: usize = 2048;

/// What queues and tables may take beyond the limit while something is delivered: a part of the limit, as what lies unread is bounded by a
/// part of it, and this. The number: a batch of events, of which none can be refused, a few hundred bytes each.
const LOAN: usize = 256 << 10;
const PART: usize = 8;

/// Delivers with memory lent; only queues, tables and names take it, as payloads ask [`has_room`]. Raises.
pub fn deliver(lua: Lua, body: impl FnOnce()) {
    let memory = &lua.context().memory;
    memory.lend(memory.own() / PART + LOAN);
    body();
    memory.lend(0);
}

/// Whether so many bytes fit into what is left of the process's memory. Once a turn garbage is collected for that: whoever sends mustn't
/// make a process collect for each message.
pub fn has_room(lua: Lua, bytes: usize) -> bool {
    let context = lua.context();
    let fits = || bytes.saturating_add(SPARE) <= context.memory.left();
    if fits() {
        return true;
    }
    if context.collected.replace(true) {
        return false;
    }
    lua.collect();
    fits()
}

/// Whether a payload is taken: there is room, or it is no larger than what would stand for it.
pub fn takes(lua: Lua, payload: &[u8]) -> bool {
    payload.len() <= STAND_IN || has_room(lua, payload.len())
}

/// Pushes a payload, or what stands for it. Raises.
pub fn push_payload(lua: Lua, payload: &[u8]) {
    if takes(lua, payload) {
        lua.push_bytes(payload);
    } else {
        lua.push_bytes(&stand_in(payload));
    }
}
