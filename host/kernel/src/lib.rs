//! The kernel of Lunarium: a pure, deterministic state machine.
//!
//! Owns the life cycle of processes, their links, monitors and names, process hosts, the rules of a mailbox, the limits,
//! what policies allow, and whether a service comes back. Refuses clocks, randomness, threads, files and serialisation:
//! time is an argument, and what has to happen in the world comes out as an [`Effect`].
//!
//! [`Kernel`] is the control plane: one owner calls it, and drains [`Kernel::poll_effect`] in order after every call.
//! [`Mailbox`] is the data plane and stands alone: the engine keeps one for each process behind a lock of its own, so
//! that sending doesn't wait for the kernel.

pub mod action;
mod attribute;
mod condition;
mod effect;
mod end;
mod event;
mod failure;
mod host;
mod invariants;
mod kernel;
mod limits;
mod link;
mod mailbox;
mod monitor;
mod pid;
mod policy;
mod process;
mod registry;
mod restart;
mod security;
#[cfg(test)]
mod testing;
mod text;
mod timestamp;
mod topic;

pub use attribute::Attribute;
pub use condition::{Condition, ConditionError, Field, FieldError, Operand, Operator};
pub use effect::Effect;
pub use event::Event;
pub use failure::{ErrorKind, Failure, Outcome, Payload, Refusal};
pub use host::{HostError, HostId, HostSpec, TenantId};
pub use kernel::{Kernel, ResolveError, Usage};
pub use limits::{CountLimits, LimitName, LimitUnit, LimitValueError, Limits, LimitsOverride, NodeLimits};
pub use link::LinkError;
pub use mailbox::{
    BatchLimits, EVENT_BYTES, EVENT_COST, Item, MESSAGE_COST, Mailbox, MailboxLimits, Message, SendError, Unread,
};
pub use monitor::MonitorError;
pub use pid::Pid;
pub use policy::{Pattern, PatternError, Policy, PolicyEffect};
pub use process::{EntryId, JoinError, Process, SpawnError, SpawnSpec, Spawned};
pub use registry::{LookupError, Name, NameError, RegisterError, UnregisterError};
pub use restart::{RestartDecision, RestartPolicy, Restarts};
pub use security::{Actor, ActorError, Decision, Denied, Security};
pub use timestamp::Timestamp;
pub use topic::{Topic, TopicError};
