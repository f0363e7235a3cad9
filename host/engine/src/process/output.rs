//! Where processes print and log.
//!
//! Owns the provider's contract and the cleaning of what a guest wants shown. Refuses to know terminals and files:
//! the embedding program decides.

use std::fmt::Write as _;
use std::sync::Arc;
use std::task::Waker;

use lunarium_kernel::{EntryId, Pid};

use super::log_field::LogField;
use super::text::visibility;

/// Who writes: enough to find the process again in a log.
#[derive(Debug, Clone)]
pub struct ProcessLabel {
    /// The process.
    pub pid: Pid,
    /// Its frame id, `<entry id>#<chain>`: the chain is the same for everything started on behalf of one root process.
    pub frame: Arc<str>,
    /// The entry it runs.
    pub entry: EntryId,
}

impl ProcessLabel {
    /// The node itself, where no process writes.
    pub(crate) fn of_node() -> ProcessLabel {
        ProcessLabel { pid: Pid::nobody(), frame: "node".into(), entry: EntryId::new("node") }
    }
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever writes the script.
    Debug,
    /// Normal operation.
    Info,
    /// Something is odd, and the process goes on.
    Warn,
    /// Something failed.
    Error,
}

impl Level {
    /// All, the least important first.
    pub const ALL: [Level; 4] = [Level::Debug, Level::Info, Level::Warn, Level::Error];

    /// Its name, as scripts call it: `debug`, `info`, `warn`, `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        }
    }
}

/// Takes the lines that processes print and log. Called from worker threads: must not block.
pub trait Output: Send + Sync {
    /// Takes one printed line, without its newline, cleaned as [`visibility`] says. False: full, nothing was taken;
    /// the process then waits for [`Output::on_ready`].
    fn print(&self, process: &ProcessLabel, line: &str) -> bool;

    /// Wakes `waker` once when lines are taken again; at once when they are already.
    fn on_ready(&self, waker: Waker);

    /// Takes a log line. What doesn't fit is the provider's to drop and count.
    fn log(&self, process: &ProcessLabel, level: Level, message: &str, fields: &[LogField]);
}

/// Text that is what it looks like: what can't be seen, but for tab and newline, is spelled out, control characters as
/// `\x1b`, others as `\u{202e}`; invalid UTF-8 becomes U+FFFD.
pub(crate) fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut clean = String::with_capacity(text.len());
    for (character, stands) in visibility(&text) {
        match character {
            '\t' | '\n' => clean.push(character),
            c if stands => clean.push(c),
            // Writing to a String can't fail.
            c if c.is_control() => drop(write!(clean, "\\x{:02x}", u32::from(c))),
            c => drop(write!(clean, "\\u{{{:x}}}", u32::from(c))),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escapes_become_visible() {
        assert_eq!(clean(b"\x1b[31mred\x07\t\x9b\xc2\x9bm"), "\\x1b[31mred\\x07\t\u{fffd}\\x9bm");
    }

    #[test]
    fn what_deceives_the_eye_becomes_visible() {
        let text = "a\u{202e}b\u{2028}c\u{200b}d\u{e0041}e\u{301}";
        assert_eq!(clean(text.as_bytes()), "a\\u{202e}b\\u{2028}c\\u{200b}d\\u{e0041}e\u{301}");
    }
}
