//! Runs Lua processes, each in its own WebAssembly instance. This is the embedding API of Lunarium.
//!
//! A [`Node`] runs on an [`Engine`] (compiled guest, pool of instances, worker threads). Give it process hosts and
//! definitions, and [`Node::spawn`] processes; wait for their [`Outcome`] by a [`Handle`]. It needs no async runtime,
//! and works in any.
//!
//! ```
//! use std::sync::Arc;
//! use lunarium_engine::{
//!     Chunk, Definition, EntryId, HostDefinition, HostId, Level, LimitsOverride, LogField, Node, NodeConfig,
//!     Outcome, Output, ProcessLabel, SpawnRequest, Value,
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
//!     fn log(&self, process: &ProcessLabel, level: Level, message: &str, _fields: &[LogField]) {
//!         eprintln!("{level:?} {}: {message}", process.frame);
//!     }
//! }
//!
//! let node = Node::start(NodeConfig::new(Arc::new(Stdout)).with_max_processes(100))?;
//! let host = HostId::new("app:plugins");
//! node.add_host(HostDefinition::new(host.clone()))?;
//! let entry = EntryId::new("app:greet");
//! let source = "return { main = function(name) print('in') return 'hello, ' .. name end }";
//! let limits = LimitsOverride { memory: Some(4 << 20), ..LimitsOverride::default() };
//! node.define(Definition::new(entry.clone(), Chunk::new("@greet.lua", source)).with_limits(limits));
//! let handle = node.spawn(SpawnRequest::new(entry, host).with_arguments(vec![Value::from("Ada")]))?;
//! match handle.wait_blocking() {
//!     Outcome::Completed(result) => assert_eq!(Value::decode(&result)?, Value::from("hello, Ada")),
//!     Outcome::Failed(failure) => return Err(failure.to_string().into()),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Owns everything between the wasm instance and the kernel's decisions. Refuses YAML, command lines and ambient
//! authority: files, environment and terminals are other crates' business.

//! Its folders use each other in one direction only, each those above it here:
//!
//! | folder | owns |
//! |---|---|
//! | `value` | values at the system's edges, and how the host ends a process |
//! | `wasm` | wasmtime: instances and their pool |
//! | `files` | what can be done with a file |
//! | `catalogue` | definitions, hosts, policies |
//! | `process` | one process: life, inbox, log |
//! | `module` | functions that an embedder gives to scripts |
//! | `node` | many processes: control, spawning, running |
//! | `syscall` | what a guest can call |
//! | `api` | what an embedder calls |

mod api;
mod catalogue;
mod files;
mod module;
mod node;
mod process;
mod syscall;
mod value;
mod wasm;

pub use api::{
    Delays, DeliverError, Engine, EngineConfig, Handle, Mailbox, Node, NodeConfig, Received, ReceivedCall,
    ReceivedMessage, Slots, UpgradeError, WeakNode,
};
pub use catalogue::{
    ActorSpec, Chunk, Count, Definition, Grants, HostDefinition, Import, Library, ScopeSpec, SecurityError,
    SecuritySpec, Settings, SettingsError, SettingsStep, World,
};
pub use files::{Directory, PathError, is_disk_full};
pub use lunarium_kernel::{
    Actor, Attribute, Condition, ConditionError, EntryId, ErrorKind, Exhausted, Failure, Field, FieldError, Holding,
    HostError, HostId, LimitName, Limits, LimitsOverride, LinkError, MonitorError, Operand, Operator, Outcome, Pattern,
    PatternError, Pid, Policy, PolicyEffect, Refusal, ResolveError, Tally,
};
pub use lunarium_schedule::{DELAY_BOUNDS, Delay, Portion, Sleep};
pub use module::{Arguments, Caller, FunctionError, Module, ModuleError, Raw, did_you_mean};
pub use node::{
    CallError, CompileError, Ending, Events, GlobalUse, Globals, Held, HostCounts, Named, NodeCounts, NodeEvent,
    ProcessDetails, ProcessInfo, Relations, Returning, ServiceStep, SpawnError, SpawnRequest, StartCall, StartError,
    Usage,
};
pub use process::{AtRest, Level, LogField, Output, ProcessLabel, ProcessState, visibility, visible_json};
pub use value::{
    DecodeError, DurationError, ReadError, SizeError, Value, ValueError, WriteError, from_payload, from_results,
    parse_duration, parse_size, to_arguments, to_payload,
};
pub use wasm::PoolError;
