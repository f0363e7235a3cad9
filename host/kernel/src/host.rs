//! Process hosts: groups of processes with common limits and a common maximum. Owns what a host is, how full it is and
//! whether it accepts more. Does not end processes: who stops a host decides what becomes of them. Does not know which
//! hosts there are: whoever makes one keeps it, and hands it in with every spawn.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lunarium_contract::{form, length};
use parking_lot::Mutex;

use crate::budget::Room;
use crate::text::{SHOWN, cut};
use crate::{ErrorKind, Exhausted, Kernel, Limits, Pid, Rank, Refusal};

/// The id of a process host, such as `app:processes`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(Arc<str>);

impl HostId {
    /// Any text; whether it can be a host's is checked by [`Host::new`].
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A process host. Made once, outside of the kernel, and shared by the processes that live on it: all of one kernel,
/// which counts them here.
#[derive(Debug)]
pub struct Host {
    id: HostId,
    limits: Limits,
    /// Changed by the kernel alone, which has one owner at a time; whoever else reads it sees what was true a moment ago.
    places: Mutex<Room>,
    /// As for `places`.
    stopped: AtomicBool,
}

impl Host {
    /// The name of the limit `max_processes`.
    pub const PROCESSES: &str = "host.processes";
    /// The name of the budget of bytes that its processes may log in a second.
    pub const LOG_BYTES: &str = "host.log_bytes";

    /// A host that accepts processes: at most `max_processes` alive at once, none of which has more than `limits`.
    /// At the limit: `spawn` is refused, `ResourceExhausted`.
    /// Errors: `Invalid` (an id that can't stand in a pid).
    pub fn new(id: HostId, max_processes: u32, limits: Limits) -> Result<Self, HostError> {
        if !form::is_host_id(id.as_str()) {
            return Err(HostError::InvalidId { id: cut(id.as_str(), SHOWN) });
        }
        Ok(Self { id, limits, places: Mutex::new(Room::new(max_processes.into())), stopped: AtomicBool::new(false) })
    }

    /// Its id.
    pub fn id(&self) -> &HostId {
        &self.id
    }

    /// Processes alive at once.
    pub fn max_processes(&self) -> u32 {
        count(self.places.lock().limit())
    }

    /// The most that a process on it may hold.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How many processes live on it.
    pub fn process_count(&self) -> u32 {
        count(self.places.lock().used())
    }

    /// Whether it is closed for new processes.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub(crate) fn has_place(&self, rank: Rank) -> bool {
        self.places.lock().has(1, rank)
    }

    /// One process more.
    pub(crate) fn enter(&self, rank: Rank) {
        self.places.lock().take(1, rank);
    }

    /// One process less.
    pub(crate) fn leave(&self, rank: Rank) {
        self.places.lock().give_back(1, rank);
    }
}

/// A number of processes, which was a `u32` or counts them.
fn count(processes: u64) -> u32 {
    u32::try_from(processes).unwrap_or(u32::MAX)
}

/// Why there is no such process host. The table of hosts is the engine's, and so are `Exists` and `Unknown`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// The id would make pids that can't be told apart.
    #[error("host id `{id}` must be 1 to {} bytes without control characters and `{{`, `}}`, `|`, `@`", length::ID)]
    InvalidId {
        /// The beginning of the id.
        id: String,
    },
    /// There is one already.
    #[error("host `{id}` exists already")]
    Exists {
        /// Which.
        id: HostId,
    },
    /// There is none.
    #[error("host `{id}` not found")]
    Unknown {
        /// Which.
        id: HostId,
    },
    /// The node can't keep so much free.
    #[error("no room for the host's reserve: {0}")]
    Reserve(#[from] Exhausted),
}

impl Refusal for HostError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidId { .. } => ErrorKind::Invalid,
            Self::Exists { .. } => ErrorKind::AlreadyExists,
            Self::Unknown { .. } => ErrorKind::NotFound,
            Self::Reserve(refusal) => refusal.kind(),
        }
    }
}

impl Kernel {
    /// Keeps a place on a host, and on the node, for one service more, whether it runs or not: scripts' children are
    /// refused before they take it.
    pub fn keep_place(&mut self, host: &Host) {
        host.places.lock().keep(1);
        self.places.keep(1);
    }

    /// Keeps so many places less, of those that [`Kernel::keep_place`] has kept.
    pub fn let_go_places(&mut self, host: &Host, places: u64) {
        host.places.lock().let_go(places);
        self.places.let_go(places);
    }

    /// Closes a host for new processes, for good; stopping it again is fine. Those that run go on: cancel or
    /// terminate what [`Kernel::pids_on`] names.
    pub fn stop_host(&mut self, host: &Host) {
        host.stopped.store(true, Ordering::Relaxed);
    }

    /// The processes that live on a host, oldest first. Looks at every process of the node.
    pub fn pids_on(&self, host: &Host) -> Vec<Pid> {
        let own = self.processes.values().filter(|process| std::ptr::eq(&**process.host(), host));
        own.map(|process| process.pid().clone()).collect()
    }
}

#[cfg(test)]
mod tests;
