//! Host functions: what a guest can call.
//!
//! Each is four short steps: convert, authorise, act, convert back. None blocks, panics or traps. The caller is the
//! Store's process, never an argument.

mod clock;
mod env;
mod fs;
mod link;
mod mailbox;
mod monitor;
mod output;
mod process;
mod registry;
mod security;

use wasmtime::component::{Component, HasSelf, Linker};

use crate::bindings::{LuaProcess, lunarium};
use crate::store::StoreData;

/// Links everything a guest may import, and nothing else.
pub(crate) fn add_to_linker(linker: &mut Linker<StoreData>, component: &Component) -> wasmtime::Result<()> {
    LuaProcess::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)?;
    clock::add_to_linker(linker, component)
}

impl lunarium::process::types::Host for StoreData {}
