//! The wasm side: the compiled guest, the pool that its instances come from, and what one of them may use.
//!
//! Owns wasmtime and the form of values at its border. Refuses to know processes and nodes: whose instance it is, and
//! what its imports do, are parameters.

mod available;
mod bindings;
pub(crate) mod convert;
mod exports;
mod guest_code;
mod instance;
mod instances;
mod memory;
mod pool;
mod system;
mod tunables;

pub(crate) use bindings::exports::lunarium::process::guest;
pub(crate) use bindings::lunarium::process as imports;
pub(crate) use bindings::{CallError, LuaProcess};
pub(crate) use guest_code::GuestCode;
pub(crate) use instance::{Instance, Occupant, Stopped};
pub(crate) use instances::{Instances, InstancesError, Link, Slot};
pub(crate) use memory::{MemoryLimiter, Refused};
pub use pool::PoolError;
pub(crate) use system::System;
