//! Compiling a source without running it, in an instance like any process's: a parser bomb meets the same limits.

use std::sync::Arc;

use lunarium_kernel::{EntryId, HostId, Limits, Mailbox, Pid, Security};

use crate::code;
use crate::convert;
use crate::definition::Chunk;
use crate::incarnation::Incarnation;
use crate::node::NodeInner;
use crate::output::ProcessLabel;
use crate::process::{Origin, Process};
use crate::runner;

/// Why a source doesn't compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// Lua's message, `name:line: text near 'token'`, or the limit that was reached.
    pub message: String,
    /// The line in the source, where Lua names one.
    pub line: Option<u32>,
}

/// A global that a chunk uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalUse {
    /// Its name.
    pub name: String,
    /// The line in the source.
    pub line: u32,
    /// It is (or may be) defined here; else it is read.
    pub assigned: bool,
}

/// What is known about a chunk's globals without running it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Globals {
    /// The names that every process finds, sorted.
    pub there: Vec<String>,
    /// The uses of other names: those assigned once, those read once a line, a thousand at most.
    pub uses: Vec<GlobalUse>,
}

pub(crate) async fn check(node: &Arc<NodeInner>, chunk: &Chunk) -> Result<Globals, CompileError> {
    // It is in no table, so it can't be reached; whatever it might call is refused to a pid that never lived.
    let label = ProcessLabel { pid: Pid::nobody(), frame: chunk.name.clone(), entry: EntryId::new("check") };
    let limits = Limits::default();
    let mailbox = Mailbox::new(limits.mailbox());
    let origin = Origin {
        pid: Pid::nobody(),
        host: HostId::new(""),
        chain: 0,
        wish: None,
        context: None,
        security: Security::none(true).into(),
    };
    let process = Arc::new(Process::new(origin, limits.log_lines, mailbox));
    let incarnation = Incarnation::new(label, limits, Arc::default());
    let result = runner::check(node, &process, &incarnation, code::source(chunk)).await;
    let result = result.map(convert::globals);
    result.map_err(|message| CompileError { line: line(&message, &chunk.name), message })
}

/// The line in `name:line: text`.
fn line(message: &str, chunk_name: &str) -> Option<u32> {
    let name = chunk_name.strip_prefix(['@', '=']).unwrap_or(chunk_name);
    let (line, _) = message.strip_prefix(name)?.strip_prefix(':')?.split_once(':')?;
    line.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn the_line_is_read_after_the_chunk_name() {
        assert_eq!(line("a:b.lua:12: unexpected symbol near '}'", "@a:b.lua"), Some(12));
        assert_eq!(line("not enough memory", "@a.lua"), None);
    }
}
