//! The kernel of Lunarium: a pure, deterministic state machine.
//!
//! Owns the life cycle of processes, their links, monitors and names, process hosts, the rules of an inbox, limits and
//! budgets, what policies allow, and whether a service comes back. Refuses clocks, randomness, threads, files and serialisation:
//! time is an argument, and what has to happen in the world comes out as an [`Effect`].
//!
//! [`Kernel`] is the control plane: one owner calls it, and drains [`Kernel::poll_effect`] in order after every call. While
//! [`Kernel::owes_consequences`], it calls [`Kernel::handle_consequence`], with others in between.
//! [`Inbox`] is the data plane and stands alone: the engine keeps one for each process behind a lock of its own, so that
//! sending doesn't wait for the kernel.

mod budget;
mod consequence;
mod destination;
mod effect;
mod end;
mod event;
mod failure;
mod group;
mod host;
mod inbox;
mod invariants;
mod kernel;
mod limits;
mod link;
mod log_budget;
mod monitor;
mod permission;
mod pid;
mod process;
mod registry;
mod restart;
#[cfg(test)]
mod testing;
mod text;
mod timestamp;
mod topic;
mod upgrade;
mod uptime;

pub use budget::{Account, Budget, Exhausted, Holding, Now, PROCESS_BYTES, Rank};
pub use destination::Destination;
pub use effect::Effect;
pub use event::Event;
pub use failure::{Failure, Outcome, Payload, Refusal};
pub use group::{GroupError, GroupName};
pub use host::{Host, HostError, HostId};
pub use inbox::{
    Batch, BatchLimits, Call, CallLimits, CallsFull, EVENT_BYTES, EVENT_COST, Held, Inbox, Item, MAX_CALLS,
    MAX_REQUESTS, MAX_TASKS, MESSAGE_COST, Mailbox, MailboxLimits, Message, Remains, Reply, RequestError, ReturnError,
    SendError, TOPIC_COST, Unread, topic_bytes,
};
pub use kernel::{Kernel, ResolveError, Tally};
pub use limits::{CountLimits, LimitName, LimitUnit, LimitValueError, Limits, LimitsOverride, NodeLimits};
pub use link::LinkError;
pub use log_budget::{LOG_BYTES, LogBudget};
pub use lunarium_contract::ErrorKind;
pub use monitor::MonitorError;
pub use permission::{
    Actor, ActorError, Attribute, Condition, ConditionError, Decision, Denied, Field, FieldError, Operand, Operator,
    Pattern, PatternError, Policy, PolicyEffect, Security, action,
};
pub use pid::Pid;
pub use process::{EntryId, JoinError, Lifetime, Process, SpawnError, SpawnSpec, Spawned};
pub use registry::{NAME_COST, Name, NameError, RegisterError, UnregisterError};
pub use restart::{RestartDecision, RestartPolicy, Restarts};
pub use text::{SHOWN, cut};
pub use timestamp::Timestamp;
pub use topic::{Topic, TopicError};
pub use uptime::{Deadline, Uptime};
