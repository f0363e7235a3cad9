//! One service under supervision: where it is on its way.
//!
//! Owns its state. Decides nothing: who starts and stops when is decided over all of them.

use std::sync::Arc;
use std::time::Duration;

use lunarium_engine::{Definition, Handle, HostDefinition};
use lunarium_kernel::{Failure, Restarts};

use super::status::{ServiceState, ServiceStatus};
use crate::application::{App, Service};

/// Delays that are kept of what was tried: enough to show how they grew, and no more however often it was.
const TRIED: usize = 8;

pub(super) struct Supervised {
    pub(super) service: Service,
    /// What it runs when it starts from now on.
    pub(super) program: Program,
    /// What its last process was started with, or told to go on as.
    pub(super) runs: Option<Program>,
    /// The keys of the services it depends on.
    pub(super) needs: Vec<u64>,
    pub(super) state: State,
    /// What it waits for is of this number; what comes of an earlier wait is forgotten.
    pub(super) wait: u64,
    /// It has got its CANCEL.
    pub(super) asked: bool,
    /// It starts anew when its process has ended: its code has changed.
    pub(super) again: bool,
    /// It is no service any more: it ends.
    pub(super) leaves: bool,
    pub(super) restarts: Restarts,
    /// All there were.
    pub(super) restarted: u64,
    /// The first delays of the attempts in a row.
    pub(super) delays: Vec<Duration>,
    /// Why it ended abnormally the last time.
    pub(super) last_failure: Option<Arc<Failure>>,
}

/// All of an application that a service's process is made of, beside what the service itself says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Program {
    definition: Option<Definition>,
    host: Option<HostDefinition>,
}

impl Program {
    pub(super) fn of(app: &App, service: &Service) -> Self {
        Self {
            definition: app.definition(service.process.as_str()).cloned(),
            host: app.host(service.host.as_str()).map(|host| host.definition.clone()),
        }
    }

    /// Whether a process of this one could go on as another: it stays on its host.
    pub(super) fn shares_host(&self, other: &Self) -> bool {
        self.host == other.host
    }
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
    pub(super) fn new(service: &Service, program: Program) -> Self {
        Self {
            service: service.clone(),
            program,
            runs: None,
            needs: Vec::new(),
            state: State::Waiting,
            wait: 0,
            asked: false,
            again: false,
            leaves: false,
            restarts: Restarts::default(),
            restarted: 0,
            delays: Vec::new(),
            last_failure: None,
        }
    }

    /// Whether its process would be another one if it were started now.
    pub(super) fn has_changed(&self, service: &Service, program: &Program) -> bool {
        let own = &self.service;
        let same = own.process == service.process && self.shares_place(service) && own.input == service.input;
        !same || self.runs.as_ref().is_some_and(|runs| runs != program)
    }

    /// Whether it stays where it is, as who it is.
    pub(super) fn shares_place(&self, service: &Service) -> bool {
        self.service.host == service.host && self.service.security == service.security
    }

    /// It has nothing behind it, and waits for those that it depends on.
    pub(super) fn reset(&mut self) {
        self.wait = self.wait.saturating_add(1);
        self.state = State::Waiting;
        self.restarts = Restarts::default();
        self.delays.clear();
        self.last_failure = None;
        self.again = false;
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
            State::Starting(_) | State::Up(..) if self.asked || self.again => ServiceState::Stopping,
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
