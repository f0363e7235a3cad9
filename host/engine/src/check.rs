//! Compiling a source without running it, in an instance like any process's: a parser bomb meets the same limits.

use std::sync::Arc;

use lunarium_kernel::{EntryId, Limits, Pid};

use crate::convert;
use crate::definition::Chunk;
use crate::node::NodeInner;
use crate::output::ProcessLabel;
use crate::process::Process;
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

pub(crate) async fn check(node: &Arc<NodeInner>, chunk: &Chunk) -> Result<(), CompileError> {
    // It is in no table, so it can't be reached; whatever it might call is refused to a pid that never lived.
    let label = ProcessLabel { pid: Pid::nobody(), frame: chunk.name.clone(), entry: EntryId::new("check") };
    let process = Arc::new(Process::new(label, Limits::default(), Arc::default()));
    let result = runner::check(node, &process, convert::chunk(chunk)).await;
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
