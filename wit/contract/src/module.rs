//! The names of the runtime's modules, as `require` and globals spell them, and which names an embedder's module can't have.

/// Those that every process finds.
pub const ALWAYS: [&str; 13] = [
    "process",
    "channel",
    "coroutine",
    "time",
    "errors",
    "ctx",
    "security",
    "json",
    "base64",
    "hash",
    "uuid",
    "random",
    "logger",
];

/// Those that a process has by grants.
pub const GRANTED: [&str; 2] = ["env", "fs"];

/// Lua's own libraries, of which a script has some as globals and none by `require`.
const OF_LUA: [&str; 8] = ["string", "table", "math", "utf8", "os", "io", "debug", "package"];

/// Whether the name is the runtime's or Lua's: no module of an embedder can have it.
pub fn is_taken(name: &str) -> bool {
    ALWAYS.contains(&name) || GRANTED.contains(&name) || OF_LUA.contains(&name)
}
