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

/// Lua's own libraries, as far as a process has them: globals, and by `require` as in Lua.
pub const OF_LUA: [&str; 6] = ["string", "table", "math", "utf8", "os", "debug"];

/// Those that would reach out of a process.
const ABSENT: [&str; 2] = ["io", "package"];

/// What of Lua would reach out of a process and isn't there, with what is.
const INSTEAD: [(&str, &str); 6] = [
    ("io", "`print` and `logger` write, `require(\"stdin\")` reads, granted files are in `fs`"),
    ("package", "`require` finds what `imports` name"),
    ("dofile", "`require` loads what `imports` name"),
    ("loadfile", "`require` loads what `imports` name"),
    ("os.exit", "a process ends when its `main` returns, and that is the exit code"),
    ("os.getenv", "granted variables are in `env`"),
];

/// What there is instead of something that Lua has and a process hasn't, a global or a field of a module's by its path. None: it isn't
/// known to be missed.
pub fn instead(path: &str) -> Option<&'static str> {
    INSTEAD.iter().find(|(absent, _)| *absent == path).map(|(_, there)| *there)
}

/// Whether `require` finds it in every process.
pub fn is_always_there(name: &str) -> bool {
    ALWAYS.contains(&name) || OF_LUA.contains(&name)
}

/// Whether the name is the runtime's or Lua's: no module of an embedder can have it.
pub fn is_taken(name: &str) -> bool {
    is_always_there(name) || GRANTED.contains(&name) || ABSENT.contains(&name)
}
