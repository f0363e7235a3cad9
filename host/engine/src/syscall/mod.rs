//! Host functions: what a guest can call.
//!
//! Each is four short steps: convert, authorise, act, convert back. None blocks or panics, and none traps but for who has
//! ended: the dead do nothing. The caller is the instance's process, never an argument.

mod clock;
mod env;
mod fs;
mod group;
mod link;
mod mailbox;
mod module;
mod monitor;
mod output;
mod process;
mod registry;
mod security;

use wasmtime::component::{Component, HasSelf, Linker};

use crate::node::{Caller, Refused};
use crate::wasm::imports::types;
use crate::wasm::{CallError, LuaProcess, convert};

/// Links everything a guest may import, and nothing else.
pub(crate) fn add_to_linker(linker: &mut Linker<Caller>, component: &Component) -> wasmtime::Result<()> {
    LuaProcess::add_to_linker::<_, HasSelf<Caller>>(linker, |caller| caller)?;
    clock::add_to_linker(linker, component)
}

impl Caller {
    /// The same result; what a policy, a limit or a budget has refused is counted, and noted for who attends the node's events.
    fn noting<T>(&self, action: &'static str, target: &str, result: Result<T, CallError>) -> Result<T, CallError> {
        if let Err(CallError::Refused(refusal)) = &result
            && let Ok(who) = self.living()
        {
            let counts = &who.process.origin.host.counts;
            let refused = Refused {
                by: Some(&who.process.pid),
                action,
                target,
                kind: convert::kind_from_wit(refusal.kind),
                message: &refusal.message,
                limit: refusal.limit.as_deref(),
            };
            self.node.note_refused(counts, &refused);
        }
        result
    }
}

impl types::Host for Caller {
    fn convert_refusal(&mut self, error: CallError) -> wasmtime::Result<types::Refusal> {
        match error {
            CallError::Refused(refusal) => Ok(refusal),
            CallError::Fault(stopped) => Err(stopped.into()),
        }
    }
}
