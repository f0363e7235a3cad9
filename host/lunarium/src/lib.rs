//! Runs untrusted Lua inside a Rust program: each script in a WebAssembly instance of its own, with its own memory, its own
//! limits, and only what it was granted.
//!
//! ```
//! use lunarium::{FunctionError, Module, Node};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let billing = Module::new("billing").function("charge", |_caller, (who, cents): (String, i64)| async move {
//!     Ok::<_, FunctionError>(format!("{who} paid {cents}")) // here stands your database
//! });
//! let node = Node::builder().module(billing).start()?;
//! let source = "return { greet = function(who) return require('billing').charge(who, 250) end }";
//! let plugin = node.plugin("greet.lua", source).memory(4 << 20).grant("billing").start().await?;
//! let text: String = plugin.call("greet", ("Ada",)).await?; // it runs in the plugin's sandbox, under its limits
//! assert_eq!(text, "Ada paid 250");
//! # Ok(())
//! # }
//! ```
//!
//! * A [`Node`] is a world of its own: processes, names, modules, budgets. One for a program is usual, one for each tenant is
//!   fine: they share an [`Engine`], and nothing else.
//! * A [`Plugin`] is a script that runs on it. It has what it was granted: [modules](Module) of yours, directories,
//!   variables; by default nothing.
//! * A [`Mailbox`] is yours: scripts send to it and call it as a process, you read a stream.
//! * [`Node::processes`](lunarium_engine::Node::processes) and [`Node::events`](lunarium_engine::Node::events) tell what goes on.
//! * It works in any async runtime and in none: each method that waits has a twin that blocks the thread. Futures of modules
//!   run on the tokio runtime in which the node was started, else on one of ours.
//!
//! Below is more than that: a [`Node`] is also the engine's node, on which definitions, hosts and policies can be set one by
//! one. With the feature `app` it runs whole applications, described by `_index.yaml` files.

#[cfg(doctest)]
mod pages {
    //! What the guide pages show compiles, and runs as far as it stands alone.

    #[doc = include_str!("../../../docs/embedding.md")]
    struct Embedding;

    #[doc = include_str!("../../../docs/modules.md")]
    struct Modules;
}

mod error;
mod node;
mod outcome;
pub mod output;
mod plugin;

pub use cap_std::ambient_authority;
pub use cap_std::fs::Dir;
pub use error::Error;
#[cfg(feature = "app")]
pub use lunarium_app as app;
pub use lunarium_engine::{
    Actor, ActorSpec, Arguments, AtRest, Attribute, CallError, Caller, Chunk, CompileError, Condition, ConditionError,
    DecodeError, Definition, DeliverError, Directory, DurationError, Ending, Engine, EngineConfig, EntryId, ErrorKind,
    Events, Failure, Field, FieldError, FunctionError, GlobalUse, Globals, Grants, Handle, Held, HostDefinition,
    HostError, HostId, Import, Level, Library, LimitName, Limits, LimitsOverride, LinkError, LogField, Mailbox, Module,
    ModuleError, MonitorError, Named, NodeConfig, NodeEvent, Operand, Operator, Outcome, Output, PathError, Pattern,
    PatternError, Pid, Policy, PolicyEffect, PoolError, ProcessDetails, ProcessInfo, ProcessLabel, ProcessState, Raw,
    ReadError, Received, ReceivedCall, ReceivedMessage, Refusal, Relations, ResolveError, ScopeSpec, SecurityError,
    SecuritySpec, ServiceStep, Settings, SettingsError, SettingsStep, SizeError, Sleep, SpawnError, SpawnRequest,
    StartError, Tally, Usage, Value, ValueError, WriteError, did_you_mean, from_payload, is_disk_full, parse_duration,
    parse_size, to_payload, visibility, visible_json,
};
pub use node::{Node, NodeBuilder};
pub use outcome::{FailureExt, OutcomeExt};
pub use plugin::{Plugin, PluginBuilder};
