//! Processes: starting them, and what the kernel holds for each. Owns the counter of pids and the check of every limit
//! before a spawn. Does not start anything: the engine does when it has the pid.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::host::Host;
use crate::text::{SHOWN, cut};
use crate::{CountLimits, ErrorKind, HostId, Kernel, LinkError, MonitorError, Name, Pid, Refusal, TenantId, Timestamp};

/// The id of an entry, `namespace:name`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(Arc<str>);

impl EntryId {
    /// Any text; definitions check it.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a process is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpawnSpec {
    /// Where it lives.
    pub host: HostId,
    /// What it runs.
    pub entry: EntryId,
    /// The parent monitors it.
    pub monitored: bool,
    /// The parent and it are linked.
    pub linked: bool,
    /// Its name from the start on.
    pub name: Option<Name>,
    /// What it may hold.
    pub limits: CountLimits,
}

/// An accepted process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spawned {
    /// Its pid.
    pub pid: Pid,
    /// The number of the process at the root of its call chain; its own when it has no parent.
    pub chain: u64,
}

/// Why a process isn't started. Nothing is changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpawnError {
    /// The parent has ended.
    #[error("caller {caller} has ended")]
    CallerEnded {
        /// Who asked.
        caller: Pid,
    },
    /// Monitored or linked, but by whom?
    #[error("a process without a parent can be neither monitored nor linked")]
    NoParent,
    /// No such host, or another tenant's.
    #[error("host `{host}` not found")]
    UnknownHost {
        /// The beginning of its id.
        host: String,
    },
    /// The host accepts no more.
    #[error("host `{host}` is stopped")]
    HostStopped {
        /// Which.
        host: HostId,
    },
    /// The host is full.
    #[error("host `{host}` is at its limit of {limit} processes")]
    HostFull {
        /// Which.
        host: HostId,
        /// Its limit.
        limit: u32,
    },
    /// The node is full.
    #[error("the node is at its limit of {limit} processes")]
    NodeFull {
        /// Its limit.
        limit: u32,
    },
    /// The counter has reached its end, after 2^64 processes.
    #[error("the node has used up all {} pids", u64::MAX)]
    PidsUsedUp,
    /// Linked, and the parent or the child has no room for a link.
    #[error("{end} is at its limit of {limit} links")]
    LinksFull {
        /// `parent` or `child`.
        end: &'static str,
        /// Its limit.
        limit: u32,
    },
    /// Monitored, and the parent has no room for a monitor.
    #[error("parent is at its limit of {limit} monitors")]
    MonitorsFull {
        /// Its limit.
        limit: u32,
    },
    /// Another process has the name. Who wants its holder instead asks [`Kernel::holder`] first.
    #[error("name `{name}` is already held by {holder}")]
    NameTaken {
        /// Which name.
        name: Name,
        /// Who has it.
        holder: Pid,
    },
    /// Named, and the child may have no names.
    #[error("child is at its limit of 0 names")]
    NamesFull,
}

impl Refusal for SpawnError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::CallerEnded { .. } => ErrorKind::Canceled,
            Self::NoParent => ErrorKind::Invalid,
            Self::UnknownHost { .. } => ErrorKind::NotFound,
            Self::HostStopped { .. } => ErrorKind::Unavailable,
            Self::HostFull { .. }
            | Self::NodeFull { .. }
            | Self::PidsUsedUp
            | Self::LinksFull { .. }
            | Self::MonitorsFull { .. }
            | Self::NamesFull => ErrorKind::ResourceExhausted,
            Self::NameTaken { .. } => ErrorKind::AlreadyExists,
        }
    }
}

/// What the kernel holds for a living process. Relations are kept by number and at both ends, so that an end costs what
/// the process holds and not what the node holds.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    host: HostId,
    tenant: TenantId,
    entry: EntryId,
    chain: u64,
    pub(crate) limits: CountLimits,
    pub(crate) trap_links: bool,
    pub(crate) links: BTreeSet<u64>,
    /// Whom it monitors.
    pub(crate) monitors: BTreeSet<u64>,
    /// Who monitors it.
    pub(crate) watchers: BTreeSet<u64>,
    pub(crate) names: BTreeSet<Name>,
    pub(crate) deadline: Option<Timestamp>,
}

impl Process {
    /// Its pid.
    pub fn pid(&self) -> &Pid {
        &self.pid
    }

    /// Where it lives.
    pub fn host(&self) -> &HostId {
        &self.host
    }

    /// Whose it is.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// What it runs.
    pub fn entry(&self) -> &EntryId {
        &self.entry
    }

    /// The number of the process at the root of its call chain.
    pub fn chain(&self) -> u64 {
        self.chain
    }

    /// What it holds.
    pub fn usage(&self) -> CountLimits {
        // None of the three passes its limit, which is a u32.
        let count = |held: usize| u32::try_from(held).unwrap_or(u32::MAX);
        CountLimits {
            links: count(self.links.len()),
            monitors: count(self.monitors.len()),
            names: count(self.names.len()),
        }
    }

    /// When it will be terminated, or none.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }
}

impl Kernel {
    /// Accepts a process. It has the parent's chain; monitor, link and name stand when this returns.
    ///
    /// Errors: `NotFound` (no such host in the parent's tenant), `Unavailable` (host stopped), `ResourceExhausted`
    /// (processes of host or node, links of either, monitors of the parent, names of the child), `AlreadyExists` (the
    /// name), `Invalid` (monitored or linked without a parent). Nothing is changed then, and no pid is used.
    pub fn spawn(&mut self, parent: Option<&Pid>, spec: SpawnSpec) -> Result<Spawned, SpawnError> {
        let (tenant, number) = self.check_spawn(parent, &spec)?;
        let SpawnSpec { host, entry, monitored, linked, name, limits } = spec;
        let pid = Pid::new(&host, number);
        let mut process = Process {
            pid: pid.clone(),
            host,
            tenant,
            entry,
            chain: number,
            limits,
            trap_links: false,
            links: BTreeSet::new(),
            monitors: BTreeSet::new(),
            watchers: BTreeSet::new(),
            names: BTreeSet::from_iter(name.clone()),
            deadline: None,
        };
        if let Some(name) = name {
            self.registry.insert(tenant, name, pid.clone());
        }
        if let Some(parent) = parent.and_then(|parent| self.processes.get_mut(&parent.number())) {
            process.chain = parent.chain;
            if monitored {
                parent.monitors.insert(number);
                process.watchers.insert(parent.pid.number());
            }
            if linked {
                parent.links.insert(number);
                process.links.insert(parent.pid.number());
            }
        }
        if let Some(host) = self.hosts.get_mut(&process.host) {
            host.processes = host.processes.saturating_add(1);
        }
        self.last_number = number;
        let chain = process.chain;
        self.processes.insert(number, process);
        Ok(Spawned { pid, chain })
    }

    /// Whether there is such a host in the caller's tenant. Errors: `NotFound`, `Canceled` (the caller has ended).
    pub fn find_host(&self, caller: &Pid, host: &HostId) -> Result<(), SpawnError> {
        let caller = self.process(caller).ok_or_else(|| SpawnError::CallerEnded { caller: caller.clone() })?;
        self.visible_host(Some(caller), host).map(drop)
    }

    fn visible_host(&self, parent: Option<&Process>, id: &HostId) -> Result<&Host, SpawnError> {
        let host = self.hosts.get(id).filter(|host| parent.is_none_or(|parent| parent.tenant == host.tenant));
        host.ok_or_else(|| SpawnError::UnknownHost { host: cut(id.as_str(), SHOWN) })
    }

    /// Everything that can refuse a spawn, before anything is changed: the tenant and the number it will have.
    fn check_spawn(&self, parent: Option<&Pid>, spec: &SpawnSpec) -> Result<(TenantId, u64), SpawnError> {
        let parent = match parent {
            Some(pid) => Some(self.process(pid).ok_or_else(|| SpawnError::CallerEnded { caller: pid.clone() })?),
            None if spec.monitored || spec.linked => return Err(SpawnError::NoParent),
            None => None,
        };
        let host = self.visible_host(parent, &spec.host)?;
        if host.stopped {
            return Err(SpawnError::HostStopped { host: spec.host.clone() });
        }
        if host.processes >= host.max_processes {
            return Err(SpawnError::HostFull { host: spec.host.clone(), limit: host.max_processes });
        }
        let limit = self.limits.max_processes;
        if self.processes.len() >= limit as usize {
            return Err(SpawnError::NodeFull { limit });
        }
        if let Some(parent) = parent {
            check_relations(parent, spec)?;
        }
        if let Some(name) = &spec.name {
            if let Some(holder) = self.registry.holder(host.tenant, name.as_str()) {
                return Err(SpawnError::NameTaken { name: name.clone(), holder: holder.clone() });
            }
            if spec.limits.names == 0 {
                return Err(SpawnError::NamesFull);
            }
        }
        let number = self.last_number.checked_add(1).ok_or(SpawnError::PidsUsedUp)?;
        Ok((host.tenant, number))
    }

    /// Who has a name in the caller's tenant.
    pub fn holder(&self, caller: &Pid, name: &Name) -> Option<Pid> {
        let tenant = self.process(caller)?.tenant();
        self.registry.holder(tenant, name.as_str()).cloned()
    }

    /// Whether [`Kernel::join`] would succeed. Errors: as it has them.
    pub fn check_join(&self, caller: &Pid, holder: &Pid, monitored: bool, linked: bool) -> Result<(), JoinError> {
        if monitored {
            match self.check_monitor(caller, holder) {
                Ok(()) | Err(MonitorError::Exists { .. }) => {}
                Err(refusal) => return Err(refusal.into()),
            }
        }
        if linked {
            self.check_link(caller, holder)?;
        }
        Ok(())
    }

    /// Sets what a spawn would have set, on the process that has the name already. What stands stays.
    /// Errors: `Invalid` (the caller itself), `ResourceExhausted` (links of either, monitors of the caller). Nothing is
    /// changed then.
    pub fn join(&mut self, caller: &Pid, holder: &Pid, monitored: bool, linked: bool) -> Result<(), JoinError> {
        self.check_join(caller, holder, monitored, linked)?;
        if monitored {
            self.set_monitor(caller, holder);
        }
        if linked {
            self.set_link(caller, holder);
        }
        Ok(())
    }
}

/// Why the holder of a name can't stand for a child.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// It can't be monitored.
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    /// It can't be linked.
    #[error(transparent)]
    Link(#[from] LinkError),
}

impl Refusal for JoinError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Monitor(refusal) => refusal.kind(),
            Self::Link(refusal) => refusal.kind(),
        }
    }
}

fn check_relations(parent: &Process, spec: &SpawnSpec) -> Result<(), SpawnError> {
    let own = parent.limits;
    if spec.linked && parent.links.len() >= own.links as usize {
        return Err(SpawnError::LinksFull { end: "parent", limit: own.links });
    }
    if spec.linked && spec.limits.links == 0 {
        return Err(SpawnError::LinksFull { end: "child", limit: 0 });
    }
    if spec.monitored && parent.monitors.len() >= own.monitors as usize {
        return Err(SpawnError::MonitorsFull { limit: own.monitors });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
