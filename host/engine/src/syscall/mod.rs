//! Host functions: what a guest can call.
//!
//! Each is four short steps: convert, authorise, act, convert back. None blocks or panics, and none traps but for who has
//! ended: the dead do nothing. The caller is the instance's process, never an argument.

mod clock;
mod env;
mod fs;
mod link;
mod mailbox;
mod module;
mod monitor;
mod output;
mod process;
mod registry;
mod security;

use wasmtime::component::{Component, HasSelf, Linker};

use crate::node::Caller;
use crate::wasm::imports::types;
use crate::wasm::{CallError, LuaProcess};

/// Links everything a guest may import, and nothing else.
pub(crate) fn add_to_linker(linker: &mut Linker<Caller>, component: &Component) -> wasmtime::Result<()> {
    LuaProcess::add_to_linker::<_, HasSelf<Caller>>(linker, |caller| caller)?;
    clock::add_to_linker(linker, component)
}

impl types::Host for Caller {
    fn convert_refusal(&mut self, error: CallError) -> wasmtime::Result<types::Refusal> {
        match error {
            CallError::Refused(refusal) => Ok(refusal),
            CallError::Fault(stopped) => Err(stopped.into()),
        }
    }
}
