//! Compiling a source without running it, in an instance like any process's: a parser bomb meets the same limits. The
//! instance is nobody's: what it might call is refused.

use std::sync::Arc;

use lunarium_kernel::{Holding, Limits, Rank};

use super::ending::{cpu_limit, sentence};
use super::turn::Turn;
use super::{Caller, NodeInner};
use crate::catalogue::{Chunk, source};
use crate::process::CpuMeter;
use crate::wasm::{Instance, Stopped, guest as wit};

/// Why a source doesn't compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct CompileError {
    /// Lua's message, `name:line: text near 'token'`, or the limit that was reached.
    pub message: String,
    /// The line in the source, where Lua names one.
    pub line: Option<u32>,
}

/// A global that a chunk uses, or a field of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GlobalUse {
    /// The module, by the name that it is required by or the global's; `process.registry` is one too. None: a global.
    pub module: Option<String>,
    /// Its name; `*` where any may be assigned.
    pub name: String,
    /// The line in the source.
    pub line: u32,
    /// It is (or may be) defined here; else it is read.
    pub assigned: bool,
}

/// A call of a function of the runtime's that starts something by texts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StartCall {
    /// `process.spawn`.
    pub function: String,
    /// The line in the source.
    pub line: u32,
    /// Of its first arguments those that are texts, by their places from one.
    pub texts: Vec<(u32, String)>,
    /// Nothing takes what it gives.
    pub dropped: bool,
}

/// What a chunk gives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Returning {
    /// Something, here or there.
    #[default]
    Something,
    /// Nothing, ever.
    Nothing,
    /// The same, and it has a function `main` that it never calls.
    NothingOfMain,
}

/// A name in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Named {
    /// The name.
    pub name: String,
    /// The line in the source.
    pub line: u32,
}

/// What is known about a chunk's globals and modules without running it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Globals {
    /// The names that every process finds, sorted.
    pub there: Vec<String>,
    /// What the runtime's modules have, also those that need grants, sorted: `process.spawn`.
    pub members: Vec<String>,
    /// The uses of other names: those assigned once, those read once a line, a thousand at most.
    pub uses: Vec<GlobalUse>,
    /// What it requires by a text, once a line.
    pub required: Vec<Named>,
    /// The fields of the table that it returns; empty when they aren't known.
    pub returned: Vec<Named>,
    /// Whether it returns anything.
    pub returns: Returning,
    /// Its calls of `process.spawn` and the like.
    pub calls: Vec<StartCall>,
}

impl NodeInner {
    pub(crate) async fn check(self: &Arc<NodeInner>, chunk: &Chunk) -> Result<Globals, CompileError> {
        let result = self.try_check(chunk).await.map(globals);
        result.map_err(|message| CompileError { line: line(&message, &chunk.name), message })
    }

    /// The error is Lua's message, or why the instance had to stop.
    async fn try_check(self: &Arc<NodeInner>, chunk: &Chunk) -> Result<wit::Globals, String> {
        let _counted = self.count_instance();
        let unusable = |error: &str| format!("cannot make an instance: {error}");
        let slot = self.machine.instances.acquire_check().await.map_err(|error| unusable(&error))?;
        let limits = Limits::default();
        let cpu = Arc::new(CpuMeter::new(&limits, Arc::default()));
        let holding = Holding::new(Arc::clone(&self.budgets.memory), Rank::Service);
        let caller = Caller::nobody(self, Arc::clone(&cpu), &limits, holding);
        let turn = Turn { clock: self.clock(), life: None, cpu: &cpu };
        let made = turn.enter(Instance::new(&slot, caller, &limits)).await;
        let mut instance = made.map_err(|error| unusable(&sentence(&error)))?;
        let result = turn.enter(instance.check(source(chunk))).await;
        result.unwrap_or_else(|error| {
            let stopped = error.downcast_ref::<Stopped>();
            Err(match stopped {
                Some(Stopped::Limit(name)) => cpu_limit(*name, &limits),
                _ if instance.occupant().memory_refused().is_some() => "not enough memory".to_owned(),
                _ => sentence(&error),
            })
        })
    }
}

/// What the guest tells about a chunk's globals.
fn globals(globals: wit::Globals) -> Globals {
    let wit::Globals { there, members, uses, required, returned, returns, calls } = globals;
    let returns = match returns {
        wit::Returning::Something => Returning::Something,
        wit::Returning::Nothing => Returning::Nothing,
        wit::Returning::NothingOfMain => Returning::NothingOfMain,
    };
    let called = |wit::Called { function, line, texts, dropped }| StartCall { function, line, texts, dropped };
    let calls = calls.into_iter().map(called).collect();
    let using = |wit::GlobalUse { module, name, line, assigned }| GlobalUse { module, name, line, assigned };
    let named =
        |list: Vec<wit::Named>| list.into_iter().map(|wit::Named { name, line }| Named { name, line }).collect();
    let uses = uses.into_iter().map(using).collect();
    Globals { there, members, uses, required: named(required), returned: named(returned), returns, calls }
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
