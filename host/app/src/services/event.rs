//! What happens to services, for whoever watches.
//!
//! Owns the news. Words and levels are up to the watcher.

use std::sync::Arc;
use std::time::Duration;

use lunarium_engine::{Ending, NodeEvent, ServiceStep};
use lunarium_kernel::{EntryId, Failure, Outcome, Pid};

/// Something has changed about a service.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceEvent {
    /// Its id.
    pub service: EntryId,
    /// What has happened.
    pub change: ServiceChange,
}

/// What has happened to a service.
#[derive(Debug, Clone, PartialEq)]
pub enum ServiceChange {
    /// Its process has started: those that depend on it can.
    Started {
        /// The process.
        pid: Pid,
    },
    /// Its process has ended normally. Its work is done, and what depends on it can start.
    Ended {
        /// The process.
        pid: Pid,
    },
    /// It has failed, and starts again after a while.
    Restarting {
        /// The process that failed; none when it wasn't accepted.
        pid: Option<Pid>,
        /// Why.
        failure: Arc<Failure>,
        /// Until the next start.
        delay: Duration,
        /// The how-manieth in a row this will be, from 1.
        attempt: u32,
        /// How many there may be; 0: any number.
        max_attempts: u32,
    },
    /// It has failed, every attempt behind it: it doesn't start again.
    GivenUp {
        /// The process that failed last; none when it wasn't accepted.
        pid: Option<Pid>,
        /// Why.
        failure: Arc<Failure>,
        /// How often it was started again in a row.
        attempts: u32,
        /// The delays before the first of these, at most eight.
        delays: Vec<Duration>,
    },
    /// It never starts, because one that it depends on was given up or never starts.
    NotStarted {
        /// That one.
        needs: EntryId,
    },
    /// Its code has changed: its process has ended, and it starts anew.
    Replaced {
        /// The process.
        pid: Pid,
        /// How it ended.
        outcome: Outcome,
    },
    /// Its code has changed: its process goes on as the new program.
    Upgraded {
        /// The process.
        pid: Pid,
    },
    /// Its process has ended while all services stop, or because there is no such service any more.
    Stopped {
        /// The process.
        pid: Pid,
        /// How it ended.
        outcome: Outcome,
    },
}

impl ServiceEvent {
    /// The same among the events of the node: without what may be large. None: the node tells of it itself.
    pub(super) fn of_node(&self) -> Option<NodeEvent> {
        let change = match &self.change {
            ServiceChange::Started { pid } => ServiceStep::Started { pid: pid.clone() },
            ServiceChange::Ended { pid } => ServiceStep::Done { pid: pid.clone() },
            ServiceChange::Restarting { pid, failure, delay, attempt, .. } => ServiceStep::Restarting {
                pid: pid.clone(),
                ending: Ending::failed(failure),
                delay: *delay,
                attempt: *attempt,
            },
            ServiceChange::GivenUp { pid, failure, attempts, .. } => {
                ServiceStep::GivenUp { pid: pid.clone(), ending: Ending::failed(failure), attempts: *attempts }
            }
            ServiceChange::NotStarted { needs } => ServiceStep::NotStarted { needs: needs.clone() },
            ServiceChange::Upgraded { .. } => return None,
            ServiceChange::Replaced { pid, outcome } | ServiceChange::Stopped { pid, outcome } => {
                ServiceStep::Stopped { pid: pid.clone(), ending: Ending::of(outcome) }
            }
        };
        Some(NodeEvent::Service { service: self.service.clone(), change })
    }
}
