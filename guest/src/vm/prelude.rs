//! The Lua half of the runtime: its chunks, and the numbers they are given as constants. Owns the order of loading. What
//! each chunk does stands in `prelude/`.

use lunarium_contract::{ErrorKind, length, module};

use super::heap;
use crate::lua::Lua;

/// The prelude's chunks, in order of loading. Each gets the runtime's table; the constants are put before each.
const CHUNKS: &[(&str, &str)] = &[
    ("errors", include_str!("../../prelude/errors.lua")),
    ("message", include_str!("../../prelude/message.lua")),
    ("schedule", include_str!("../../prelude/schedule.lua")),
    ("channel", include_str!("../../prelude/channel.lua")),
    ("timer", include_str!("../../prelude/timer.lua")),
    ("mailbox", include_str!("../../prelude/mailbox.lua")),
    ("security", include_str!("../../prelude/security.lua")),
    ("output", include_str!("../../prelude/output.lua")),
    ("ctx", include_str!("../../prelude/ctx.lua")),
    ("fs", include_str!("../../prelude/fs.lua")),
    ("module", include_str!("../../prelude/module.lua")),
    ("spawner", include_str!("../../prelude/spawner.lua")),
    ("logger", include_str!("../../prelude/logger.lua")),
    ("spawn", include_str!("../../prelude/spawn.lua")),
    ("call", include_str!("../../prelude/call.lua")),
    ("group", include_str!("../../prelude/group.lua")),
    ("schema", include_str!("../../prelude/schema.lua")),
    ("process", include_str!("../../prelude/process.lua")),
    ("program", include_str!("../../prelude/program.lua")),
];
/// The chunk that begins with making what every process writes to: that comes to lie on a page of its own, with this room for the rest.
const WRITTEN: &str = "schedule";

/// Bytes for what [`Lua::settle`] allocates, and the VM.
const ROOM: usize = 1900;

pub const SLOTS: &str = include_str!("../../prelude/slots.lua");

/// What the prelude knows of the contract, under these names.
const LENGTHS: [(&str, usize); 5] = [
    ("MAX_ACTOR", length::ACTOR),
    ("MAX_SHOWN", length::SHOWN),
    ("MAX_WORD", length::WORD),
    ("MAX_OPERATIONS", length::FILE_OPERATIONS),
    ("GROUP_SLICE", length::GROUP_SLICE),
];

/// Loads every chunk with the runtime's table, which is on top of the stack. Raises.
pub fn load(lua: Lua) {
    let runtime = lua.top();
    push_kinds(lua);
    lua.set_field(runtime, c"kinds");
    for (name, modules) in [(c"always", &module::ALWAYS[..]), (c"standard", &module::OF_LUA[..])] {
        push_names(lua, modules);
        lua.set_field(runtime, name);
    }
    let constants = constants();
    for (name, source) in CHUNKS {
        let source = format!("{constants}{source}");
        if lua.load(source.as_bytes(), c"=[lunarium]").is_err() {
            drop(source);
            lua.raise();
        }
        drop(source);
        if *name == WRITTEN {
            heap::begin_page();
            heap::keep_room(ROOM);
        }
        lua.push_copy(runtime);
        lua.call(1, 0);
    }
}

/// On one line, so that the chunk's own lines keep their numbers.
fn constants() -> String {
    let slots = SLOTS.lines().filter(|line| !line.starts_with("--")).flat_map(|line| [line, " "]);
    let lengths = LENGTHS.iter().map(|(name, number)| format!("local {name} <const> = {number} "));
    slots.map(str::to_owned).chain(lengths).collect()
}

/// A table from constant to kind: what the module `errors` has. Raises.
fn push_kinds(lua: Lua) {
    lua.new_table(0, ErrorKind::ALL.len());
    for kind in ErrorKind::ALL {
        lua.push_bytes(kind.constant().as_bytes());
        lua.push_bytes(kind.as_str().as_bytes());
        lua.set(-3);
    }
}

fn push_names(lua: Lua, names: &[&str]) {
    lua.new_table(names.len(), 0);
    for (place, name) in (1..).zip(names) {
        lua.push_bytes(name.as_bytes());
        lua.set_item(-2, place);
    }
}
