//! Runs Lua processes, each in its own WebAssembly instance. This is the embedding API of Lunarium.
//!
//! A [`Node`] runs on an [`Engine`] (compiled guest, pool of instances, worker threads). Give it process hosts and
//! definitions, and [`Node::spawn`] processes; wait for their [`Outcome`] by a [`Handle`]. It needs no async runtime,
//! and works in any.
//!
//! ```
//! use std::sync::Arc;
//! use lunarium_engine::{
//!     Chunk, Definition, EntryId, HostDefinition, HostId, Level, LimitsOverride, Node, NodeConfig, Outcome, Output,
//!     ProcessLabel, SpawnRequest, Value,
//! };
//!
//! /// Where processes print: here to standard output, which never fills up.
//! struct Stdout;
//!
//! impl Output for Stdout {
//!     fn print(&self, process: &ProcessLabel, line: &str) -> bool {
//!         println!("{}: {line}", process.pid);
//!         true
//!     }
//!     fn on_ready(&self, waker: std::task::Waker) {
//!         waker.wake();
//!     }
//!     fn log(&self, process: &ProcessLabel, level: Level, message: &str, _fields: &[(String, String)]) {
//!         eprintln!("{level:?} {}: {message}", process.frame);
//!     }
//! }
//!
//! let node = Node::start(NodeConfig { max_processes: 100, ..NodeConfig::new(Arc::new(Stdout)) })?;
//! let host = HostId::new("app:plugins");
//! node.add_host(HostDefinition::new(host.clone()))?;
//! let entry = EntryId::new("app:greet");
//! let source = "return { main = function(name) print('in') return 'hello, ' .. name end }";
//! node.define(Definition {
//!     limits: LimitsOverride { memory: Some(4 << 20), ..LimitsOverride::default() },
//!     ..Definition::new(entry.clone(), Chunk { name: "@greet.lua".into(), source: source.into() })
//! });
//! let arguments = vec![Value::from("Ada")];
//! let handle = node.spawn(SpawnRequest { arguments, ..SpawnRequest::new(entry, host) })?;
//! match handle.wait_blocking() {
//!     Outcome::Completed(result) => assert_eq!(Value::decode(&result)?, Value::from("hello, Ada")),
//!     Outcome::Failed(failure) => return Err(failure.to_string().into()),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Owns everything between the wasm instance and the kernel's decisions. Refuses YAML, command lines and ambient
//! authority: files, environment and terminals are other crates' business.

mod bindings;
mod check;
mod code;
mod control;
mod convert;
mod definition;
mod engine;
mod file_queue;
mod files;
mod grants;
mod incarnation;
mod instances;
mod log_budget;
mod node;
mod output;
mod pool;
mod process;
mod requests;
mod runner;
mod security;
mod spawn;
mod store;
mod syscall;
mod tunables;
mod value;
mod wall;

pub use check::{CompileError, GlobalUse, Globals};
pub use definition::{Chunk, Definition, HostDefinition, Import, Library};
pub use engine::{Engine, StartError};
pub use files::PathError;
pub use grants::{Directory, Grants};
pub use lunarium_kernel::{
    Attribute, Condition, ConditionError, EntryId, ErrorKind, Failure, Field, FieldError, HostError, HostId, LimitName,
    Limits, LimitsOverride, Operand, Operator, Outcome, Pattern, PatternError, Pid, Policy, PolicyEffect, ResolveError,
};
pub use lunarium_schedule::Sleep;
pub use node::{DeliverError, Handle, Node, NodeConfig};
pub use output::{Level, Output, ProcessLabel};
pub use pool::PoolError;
pub use process::Inspection;
pub use security::{ActorSpec, ScopeSpec, SecurityError, SecuritySpec};
pub use spawn::{SpawnError, SpawnRequest};
pub use value::{DecodeError, Value};
