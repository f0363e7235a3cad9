//! What both sides of `wit/` must agree on and WIT can't say: lengths, the forms of texts, error kinds, numbers inside
//! payloads, how messages and short results are handed over, how much one call may carry, and where a token of Lua's ends. Owns these rules, so that each stands once; the guest, its prelude (which is
//! given the numbers), the kernel and everything above take them from here. Refuses dependencies, allocation and state:
//! only constants and pure functions.

#![no_std]

pub mod batch;
pub mod call;
pub mod form;
mod kind;
pub mod length;
pub mod module;
mod near;
pub mod payload;
pub mod short;
pub mod token;

pub use kind::ErrorKind;
pub use near::nearest;

/// How a chunk of the runtime's own is called, whoever brings it: tracebacks leave it out, and a program of this name is given what
/// only such programs have.
pub const OWN_CHUNK: &str = "=[lunarium]";
