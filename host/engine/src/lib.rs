//! Runs Lua processes, each in its own WebAssembly instance. This is the embedding API of Lunarium.
//!
//! A [`Node`] runs on an [`Engine`] (compiled guest, pool of instances, worker threads). Give it process hosts and
//! definitions, and [`Node::spawn`] processes; wait for their [`Outcome`] by a [`Handle`]. It needs no async runtime,
//! and works in any.
//!
//! Owns everything between the wasm instance and the kernel's decisions. Refuses YAML, command lines and ambient
//! authority: files, environment and terminals are other crates' business.

mod bindings;
mod check;
mod clock;
mod control;
mod convert;
mod definition;
mod engine;
mod instances;
mod log_budget;
mod node;
mod output;
mod pool;
mod process;
mod runner;
mod scheduler;
mod store;
mod syscall;
mod tunables;
mod value;
mod wall;

pub use check::CompileError;
pub use definition::{Chunk, Definition, HostDefinition, Import, Library};
pub use engine::{Engine, StartError};
pub use lunarium_kernel::{
    EntryId, ErrorKind, Failure, HostError, HostId, LimitName, Limits, LimitsOverride, Outcome, Pid, ResolveError,
};
pub use node::{DeliverError, Handle, Node, NodeConfig, SpawnError, SpawnRequest};
pub use output::{Level, Output, ProcessLabel};
pub use pool::PoolError;
pub use process::Inspection;
pub use value::{DecodeError, Value};
