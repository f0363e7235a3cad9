//! How services are, for whoever looks.
//!
//! Owns the view: a copy of what supervision knows at one moment.

use std::fmt;
use std::sync::Arc;

use lunarium_kernel::{EntryId, Failure, Pid};

use super::note::given_up;

/// How a service is at one moment.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ServiceStatus {
    /// Its id.
    pub id: EntryId,
    /// What it is doing.
    pub state: ServiceState,
    /// Its process, while it has one.
    pub pid: Option<Pid>,
    /// How often it was started again since it was last stable.
    pub restarts: u32,
    /// How often since it is supervised: a sum.
    pub restarted: u64,
    /// Why it ended abnormally the last time.
    pub last_failure: Option<Arc<Failure>>,
}

/// What a service is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceState {
    /// It waits for those that it depends on.
    Waiting,
    /// Its process hasn't waited for anything yet.
    Starting,
    /// It is under way.
    Running,
    /// It has failed, and waits for its next start.
    Pausing,
    /// It has ended normally.
    Done,
    /// It was given up.
    GivenUp,
    /// It doesn't start, as one that it depends on never will.
    NotStarted,
    /// Its process is asked to end.
    Stopping,
    /// It was stopped.
    Stopped,
}

impl ServiceState {
    /// Its name, as it is shown: `running`, `given_up`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Pausing => "pausing",
            Self::Done => "done",
            Self::GivenUp => "given_up",
            Self::NotStarted => "not_started",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for ServiceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ServiceStatus {
    /// Why it will never run again, for people; none: it may.
    pub fn failure(&self) -> Option<String> {
        match (self.state, &self.last_failure) {
            (ServiceState::GivenUp, Some(failure)) => Some(given_up(&self.id, self.restarts, failure)),
            _ => None,
        }
    }
}
