//! Processes: starting them, and what the kernel holds for each. Owns the counter of pids and the check of every limit
//! before a spawn. Does not start anything: the engine does when it has the pid.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::consequence::Consequence;
use crate::text::{SHOWN, cut};
use crate::{
    CountLimits, ErrorKind, GroupName, Host, HostId, Kernel, LimitName, LinkError, MonitorError, Name, NodeLimits,
    Outcome, Pid, Rank, Refusal, ResolveError, Uptime,
};

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
    /// What it runs.
    pub entry: EntryId,
    /// The parent monitors it.
    pub monitored: bool,
    /// The parent and it are linked.
    pub linked: bool,
    /// The parent executes it: it belongs to the parent, ends with it, and its end answers this request of the parent.
    pub exec: Option<u64>,
    /// Its name from the start on.
    pub name: Option<Name>,
    /// What it may hold.
    pub limits: CountLimits,
    /// How long it may live; none: for ever.
    pub lifetime: Option<Lifetime>,
    /// It ends below what is kept for services, though it has no parent: somebody outside of the node has asked for it.
    pub ordinary: bool,
}

impl SpawnSpec {
    fn rank(&self, has_parent: bool) -> Rank {
        if has_parent || self.ordinary { Rank::Ordinary } else { Rank::Service }
    }
}

/// Until when a process may live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// When it is ended.
    pub until: Uptime,
    /// How it ends then.
    pub outcome: Outcome,
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
    /// The node has stopped after a bug of its own.
    #[error("the node has stopped")]
    NodeStopped,
    /// Monitored, linked or executed, but by whom?
    #[error("a process without a parent can be neither monitored nor linked nor executed")]
    NoParent,
    /// No such host. Which there are is the engine's: it says so by [`SpawnError::unknown_host`].
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
    /// Linked, and the node has no room for a link.
    #[error("the node is at its limit of {limit} links")]
    NodeLinksFull {
        /// Its limit.
        limit: u32,
    },
    /// Monitored, and the node has no room for a monitor.
    #[error("the node is at its limit of {limit} monitors")]
    NodeMonitorsFull {
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

impl SpawnError {
    /// The refusal for a host that isn't there.
    pub fn unknown_host(id: &str) -> Self {
        Self::UnknownHost { host: cut(id, SHOWN) }
    }
}

impl Refusal for SpawnError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::CallerEnded { .. } => ErrorKind::Canceled,
            Self::NoParent => ErrorKind::Invalid,
            Self::UnknownHost { .. } => ErrorKind::NotFound,
            Self::NodeStopped | Self::HostStopped { .. } => ErrorKind::Unavailable,
            Self::HostFull { .. }
            | Self::NodeFull { .. }
            | Self::PidsUsedUp
            | Self::LinksFull { .. }
            | Self::MonitorsFull { .. }
            | Self::NodeLinksFull { .. }
            | Self::NodeMonitorsFull { .. }
            | Self::NamesFull => ErrorKind::ResourceExhausted,
            Self::NameTaken { .. } => ErrorKind::AlreadyExists,
        }
    }

    fn limit(&self) -> Option<&'static str> {
        match self {
            Self::HostFull { .. } => Some(Host::PROCESSES),
            Self::NodeFull { .. } => Some(NodeLimits::PROCESSES),
            Self::LinksFull { .. } => Some(LimitName::Links.as_str()),
            Self::MonitorsFull { .. } => Some(LimitName::Monitors.as_str()),
            Self::NodeLinksFull { .. } => Some(NodeLimits::LINKS),
            Self::NodeMonitorsFull { .. } => Some(NodeLimits::MONITORS),
            Self::NamesFull => Some(LimitName::Names.as_str()),
            _ => None,
        }
    }
}

/// What the kernel holds for a living process. Relations are kept by number and at both ends, so that an end costs what
/// the process holds and not what the node holds.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    host: Arc<Host>,
    entry: EntryId,
    chain: u64,
    pub(crate) rank: Rank,
    pub(crate) limits: CountLimits,
    /// What it held when it last upgraded: that may be above its limits.
    pub(crate) carried: CountLimits,
    pub(crate) trap_links: bool,
    pub(crate) links: BTreeSet<u64>,
    /// Whom it monitors.
    pub(crate) monitors: BTreeSet<u64>,
    /// Who monitors it.
    pub(crate) watchers: BTreeSet<u64>,
    /// Who executes it.
    pub(crate) call: Option<Call>,
    /// Whom it executes.
    pub(crate) callees: BTreeSet<u64>,
    pub(crate) names: BTreeSet<Name>,
    /// Which it is in.
    pub(crate) groups: BTreeSet<GroupName>,
    /// Of which it waits for a change, each with its request.
    pub(crate) watched_groups: BTreeSet<(GroupName, u64)>,
    pub(crate) deadline: Option<Uptime>,
    pub(crate) lifetime: Option<Lifetime>,
    /// What the ends of others still have to mean for it.
    pub(crate) consequence: Option<Consequence>,
}

/// The request that a process's end answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// Number of the process that asked.
    pub(crate) caller: u64,
    pub(crate) request: u64,
}

impl Process {
    /// Its pid.
    pub fn pid(&self) -> &Pid {
        &self.pid
    }

    /// Where it lives.
    pub fn host(&self) -> &Arc<Host> {
        &self.host
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
        // None of these passes its limit, which is a u32.
        let count = |held: usize| u32::try_from(held).unwrap_or(u32::MAX);
        CountLimits {
            links: count(self.held_links()),
            monitors: count(self.monitors.len()),
            names: count(self.names.len()),
            groups: count(self.held_groups()),
        }
    }

    /// Groups that it is in, and those of which it waits for a change.
    pub(crate) fn held_groups(&self) -> usize {
        self.groups.len().saturating_add(self.watched_groups.len())
    }

    /// Whom it is linked with, by number.
    pub fn links(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.links.iter().copied()
    }

    /// Whom it monitors, by number.
    pub fn monitors(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.monitors.iter().copied()
    }

    /// Who monitors it, by number.
    pub fn watchers(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.watchers.iter().copied()
    }

    /// It goes on as another entry, within other limits.
    pub(crate) fn start_over(&mut self, entry: EntryId, limits: CountLimits) {
        self.carried = self.usage();
        self.entry = entry;
        self.limits = limits;
        self.trap_links = false;
    }

    /// When it will be terminated, or none.
    pub fn deadline(&self) -> Option<Uptime> {
        self.deadline
    }
}

impl Kernel {
    /// Accepts a process on a host. It has the parent's chain; monitor, link and name stand when this returns.
    ///
    /// Errors: `Canceled` (the parent has ended), `Unavailable` (host stopped), `ResourceExhausted` (processes of host or
    /// node, links of either or of the node, monitors of the parent or of the node, names of the child), `AlreadyExists` (the name), `Invalid`
    /// (monitored, linked or executed without a parent). Nothing is changed then, and no pid is used.
    pub fn spawn(&mut self, parent: Option<&Pid>, host: &Arc<Host>, spec: SpawnSpec) -> Result<Spawned, SpawnError> {
        let number = self.check_spawn(parent, host, &spec)?;
        let rank = spec.rank(parent.is_some());
        let SpawnSpec { entry, monitored, linked, exec, name, limits, lifetime, ordinary: _ } = spec;
        let pid = Pid::new(host.id(), number);
        let mut process = Process {
            pid: pid.clone(),
            host: Arc::clone(host),
            entry,
            chain: number,
            rank,
            limits,
            carried: CountLimits { links: 0, monitors: 0, names: 0, groups: 0 },
            trap_links: false,
            links: BTreeSet::new(),
            monitors: BTreeSet::new(),
            watchers: BTreeSet::new(),
            call: None,
            callees: BTreeSet::new(),
            names: BTreeSet::from_iter(name.clone()),
            groups: BTreeSet::new(),
            watched_groups: BTreeSet::new(),
            deadline: None,
            lifetime: None,
            consequence: None,
        };
        if let Some(name) = name {
            self.give_name(name, pid.clone());
        }
        if let Some(parent) = parent.and_then(|parent| self.processes.get_mut(&parent.number())) {
            process.chain = parent.chain;
            if monitored {
                parent.monitors.insert(number);
                process.watchers.insert(parent.pid.number());
                self.monitors = self.monitors.saturating_add(1);
            }
            if linked {
                parent.links.insert(number);
                process.links.insert(parent.pid.number());
                self.links = self.links.saturating_add(1);
            }
            if let Some(request) = exec {
                parent.callees.insert(number);
                process.call = Some(Call { caller: parent.pid.number(), request });
            }
        }
        host.enter(process.rank);
        self.places.take(1, process.rank);
        self.last_number = number;
        let chain = process.chain;
        self.processes.insert(number, Box::new(process));
        self.set_lifetime(number, lifetime);
        Ok(Spawned { pid, chain })
    }

    /// Everything that can refuse a spawn, before anything is changed: the number it will have.
    fn check_spawn(&self, parent: Option<&Pid>, host: &Host, spec: &SpawnSpec) -> Result<u64, SpawnError> {
        let parent = match parent {
            Some(pid) => Some(self.process(pid).ok_or_else(|| SpawnError::CallerEnded { caller: pid.clone() })?),
            None if spec.monitored || spec.linked || spec.exec.is_some() => return Err(SpawnError::NoParent),
            None => None,
        };
        if self.stopped {
            return Err(SpawnError::NodeStopped);
        }
        if host.is_stopped() {
            return Err(SpawnError::HostStopped { host: host.id().clone() });
        }
        let rank = spec.rank(parent.is_some());
        if !host.has_place(rank) {
            return Err(SpawnError::HostFull { host: host.id().clone(), limit: host.max_processes() });
        }
        if !self.places.has(1, rank) {
            return Err(SpawnError::NodeFull { limit: self.limits.max_processes });
        }
        if let Some(parent) = parent {
            self.check_relations(parent, spec)?;
        }
        if let Some(name) = &spec.name {
            if let Some(holder) = self.names.get(name) {
                return Err(SpawnError::NameTaken { name: name.clone(), holder: holder.clone() });
            }
            if spec.limits.names == 0 {
                return Err(SpawnError::NamesFull);
            }
        }
        self.last_number.checked_add(1).ok_or(SpawnError::PidsUsedUp)
    }

    fn check_relations(&self, parent: &Process, spec: &SpawnSpec) -> Result<(), SpawnError> {
        let own = parent.limits;
        if spec.linked && parent.held_links() >= own.links as usize {
            return Err(SpawnError::LinksFull { end: "parent", limit: own.links });
        }
        if spec.linked && spec.limits.links == 0 {
            return Err(SpawnError::LinksFull { end: "child", limit: 0 });
        }
        if spec.linked && self.links >= self.limits.max_links as usize {
            return Err(SpawnError::NodeLinksFull { limit: self.limits.max_links });
        }
        if spec.monitored && parent.monitors.len() >= own.monitors as usize {
            return Err(SpawnError::MonitorsFull { limit: own.monitors });
        }
        if spec.monitored && self.monitors >= self.limits.max_monitors as usize {
            return Err(SpawnError::NodeMonitorsFull { limit: self.limits.max_monitors });
        }
        Ok(())
    }

    /// Whether [`Kernel::join`] would succeed. Errors: as it has them.
    pub fn check_join(&self, caller: &Pid, holder: &Pid, monitored: bool, linked: bool) -> Result<(), JoinError> {
        self.check_caller(Some(caller))?;
        self.living(holder)?;
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
    /// Errors: `Canceled` (the caller has ended), `NotFound`, `Invalid` (the caller itself), `ResourceExhausted` (links of
    /// either or of the node, monitors of the caller or of the node). Nothing is changed then.
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
    /// The caller has ended, or the holder has.
    #[error(transparent)]
    Process(#[from] ResolveError),
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
            Self::Process(refusal) => refusal.kind(),
            Self::Monitor(refusal) => refusal.kind(),
            Self::Link(refusal) => refusal.kind(),
        }
    }

    fn limit(&self) -> Option<&'static str> {
        match self {
            Self::Process(refusal) => refusal.limit(),
            Self::Monitor(refusal) => refusal.limit(),
            Self::Link(refusal) => refusal.limit(),
        }
    }
}

#[cfg(test)]
mod tests;
