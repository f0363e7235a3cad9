//! The WIT contract as Rust types and traits, generated; and how an import says no.

#![allow(missing_docs, reason = "the WIT files hold the documentation")]
#![allow(clippy::all, clippy::pedantic, reason = "generated code")]

use lunarium_kernel::Refusal;

use crate::wasm::Stopped;

wasmtime::component::bindgen!({
    path: "wit",
    world: "lua-process",
    imports: { default: trappable },
    exports: { default: async },
    trappable_error_type: { "lunarium:process/types.refusal" => CallError },
    ownership: Borrowing { duplicate_if_necessary: true },
});

/// Why an import didn't do what it was called for.
#[derive(Debug)]
pub(crate) enum CallError {
    /// The script gets an error value.
    Refused(lunarium::process::types::Refusal),
    /// The instance is stopped.
    Fault(Stopped),
}

impl<R: Refusal> From<R> for CallError {
    fn from(refusal: R) -> CallError {
        CallError::Refused(crate::wasm::convert::refusal(refusal))
    }
}

impl From<Stopped> for CallError {
    fn from(stopped: Stopped) -> CallError {
        CallError::Fault(stopped)
    }
}
