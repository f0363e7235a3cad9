//! The names of the runtime's modules, as `require` and globals spell them.

/// Those that every process finds.
pub const ALWAYS: [&str; 9] =
    ["process", "channel", "coroutine", "time", "errors", "ctx", "security", "json", "logger"];

/// Those that a process has by grants.
pub const GRANTED: [&str; 2] = ["env", "fs"];
