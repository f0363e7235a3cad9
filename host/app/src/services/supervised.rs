//! One service under supervision: where it is on its way.
//!
//! Owns its state. Decides nothing: who starts and stops when is decided over all of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lunarium_engine::Handle;
use lunarium_kernel::{EntryId, Failure, Restarts};

use super::status::{ServiceState, ServiceStatus};
use crate::application::Service;

/// Delays that are kept of what was tried: enough to show how they grew, and no more however often it was.
const TRIED: usize = 8;

pub(super) struct Supervised {
    pub(super) service: Service,
    /// The numbers of the services it depends on.
    pub(super) needs: Vec<usize>,
    pub(super) state: State,
    /// It has got its CANCEL.
    pub(super) asked: bool,
    pub(super) restarts: Restarts,
    /// All there were.
    pub(super) restarted: u64,
    /// The first delays of the attempts in a row.
    pub(super) delays: Vec<Duration>,
    /// Why it ended abnormally the last time.
    pub(super) last_failure: Option<Arc<Failure>>,
}

pub(super) enum State {
    /// For those that it depends on.
    Waiting,
    /// The process hasn't waited yet.
    Starting(Handle),
    /// The process has started, at this uptime of the node.
    Up(Handle, Duration),
    /// Until the next attempt.
    Pausing,
    /// It has ended normally.
    Done,
    /// It won't start any more.
    GivenUp,
    /// It never starts, as one that it depends on never will.
    Unreached,
    /// It has ended, or was not under way, when all stopped.
    Stopped,
}

impl Supervised {
    /// `numbers` are those of all services. What it depends on besides is a process host, which is there from the start.
    pub(super) fn new(service: &Service, numbers: &HashMap<&EntryId, usize>) -> Self {
        let depends_on = service.lifecycle.depends_on.iter();
        Self {
            needs: depends_on.filter_map(|need| numbers.get(need).copied()).collect(),
            service: service.clone(),
            state: State::Waiting,
            asked: false,
            restarts: Restarts::default(),
            restarted: 0,
            delays: Vec::new(),
            last_failure: None,
        }
    }

    pub(super) fn handle(&self) -> Option<&Handle> {
        match &self.state {
            State::Starting(handle) | State::Up(handle, _) => Some(handle),
            _ => None,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Done | State::GivenUp | State::Unreached | State::Stopped)
    }

    pub(super) fn status(&self) -> ServiceStatus {
        let state = match &self.state {
            State::Starting(_) | State::Up(..) if self.asked => ServiceState::Stopping,
            State::Waiting => ServiceState::Waiting,
            State::Starting(_) => ServiceState::Starting,
            State::Up(..) => ServiceState::Running,
            State::Pausing => ServiceState::Pausing,
            State::Done => ServiceState::Done,
            State::GivenUp => ServiceState::GivenUp,
            State::Unreached => ServiceState::NotStarted,
            State::Stopped => ServiceState::Stopped,
        };
        ServiceStatus {
            id: self.service.id.clone(),
            state,
            pid: self.handle().map(|handle| handle.pid().clone()),
            restarts: self.restarts.attempts(),
            restarted: self.restarted,
            last_failure: self.last_failure.clone(),
        }
    }

    pub(super) fn note(&mut self, delay: Duration, attempt: u32) {
        self.restarted = self.restarted.saturating_add(1);
        if attempt == 1 {
            self.delays.clear();
        }
        if self.delays.len() < TRIED {
            self.delays.push(delay);
        }
    }
}
