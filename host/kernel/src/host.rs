//! Process hosts: groups of processes with a common maximum, each in one tenant. Owns which there are, how full they
//! are, and whether they accept more. Does not end processes: who stops a host decides what becomes of them.

use std::fmt;
use std::sync::Arc;

use crate::text::{SHOWN, cut};
use crate::{ErrorKind, Kernel, Pid, Refusal};

/// Longest id, in bytes: it stands in every pid.
const MAX_ID: usize = 255;

/// A tenant: an app's isolated world on a node. To others its processes and names look absent. The default, 0, is
/// where the runtime itself looks up names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(u32);

impl TenantId {
    /// The tenant with this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// The id of a process host, such as `app:processes`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(Arc<str>);

impl HostId {
    /// Any text; whether it can be a host's is checked by [`Kernel::add_host`].
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

/// What a process host is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSpec {
    /// Its id, unique on the node.
    pub id: HostId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Processes alive at once. At the limit: `spawn` is refused, `ResourceExhausted`.
    pub max_processes: u32,
}

/// Why a process host can't be added or stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// The id would make pids that can't be told apart.
    #[error("host id `{id}` must be 1 to {MAX_ID} bytes without control characters and `{{`, `}}`, `|`, `@`")]
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
}

impl Refusal for HostError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidId { .. } => ErrorKind::Invalid,
            Self::Exists { .. } => ErrorKind::AlreadyExists,
            Self::Unknown { .. } => ErrorKind::NotFound,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) tenant: TenantId,
    pub(crate) max_processes: u32,
    pub(crate) processes: u32,
    pub(crate) stopped: bool,
}

impl Kernel {
    /// Adds a process host. Hosts are never forgotten: they come from definitions, not from scripts.
    /// Errors: an id that can't stand in a pid, or that is taken (also by a stopped host).
    pub fn add_host(&mut self, spec: HostSpec) -> Result<(), HostError> {
        let HostSpec { id, tenant, max_processes } = spec;
        if !fits_in_a_pid(id.as_str()) {
            return Err(HostError::InvalidId { id: cut(id.as_str(), SHOWN) });
        }
        if self.hosts.contains_key(&id) {
            return Err(HostError::Exists { id });
        }
        self.hosts.insert(id, Host { tenant, max_processes, processes: 0, stopped: false });
        Ok(())
    }

    /// Closes a host for new processes, for good; stopping it again is fine. Those that run go on: cancel or
    /// terminate what [`Kernel::pids_on`] names. Errors: an unknown host.
    pub fn stop_host(&mut self, id: &HostId) -> Result<(), HostError> {
        let host = self.hosts.get_mut(id).ok_or_else(|| HostError::Unknown { id: id.clone() })?;
        host.stopped = true;
        Ok(())
    }

    /// The processes that live on a host, oldest first; none when it is unknown. Looks at every process of the node.
    pub fn pids_on(&self, id: &HostId) -> Vec<Pid> {
        let own = self.processes.values().filter(|process| process.host() == id);
        own.map(|process| process.pid().clone()).collect()
    }
}

fn fits_in_a_pid(id: &str) -> bool {
    let length = (1..=MAX_ID).contains(&id.len());
    length && !id.chars().any(|c| c.is_control() || matches!(c, '{' | '}' | '|' | '@'))
}

#[cfg(test)]
mod tests;
