//! The kernel: the one owner of the control plane's state. Owns resolving a destination, and the queue of effects.
//! Each noun's file adds its own commands to it. Holds no lock and waits for nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::host::Host;
use crate::registry::Registry;
use crate::text::{SHOWN, cut};
use crate::{Effect, ErrorKind, HostId, Name, NameError, NodeLimits, Pid, Process, Refusal, TenantId, Timestamp};

/// Processes, hosts, links, monitors, names and deadlines of one node. Everything is ordered, so that the same calls
/// give the same effects on every machine.
#[derive(Debug)]
pub struct Kernel {
    pub(crate) limits: NodeLimits,
    pub(crate) hosts: BTreeMap<HostId, Host>,
    /// The living, by number.
    pub(crate) processes: BTreeMap<u64, Process>,
    pub(crate) registry: Registry,
    /// Cancel deadlines of the living, with their numbers.
    pub(crate) deadlines: BTreeSet<(Timestamp, u64)>,
    pub(crate) effects: VecDeque<Effect>,
    pub(crate) last_number: u64,
}

/// What the whole node holds. All zero when nothing lives and all effects are drained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Living processes.
    pub processes: usize,
    /// Links, each counted once.
    pub links: usize,
    /// Monitors.
    pub monitors: usize,
    /// Executed processes.
    pub calls: usize,
    /// Names.
    pub names: usize,
    /// Cancel deadlines.
    pub deadlines: usize,
    /// Effects not yet polled.
    pub effects: usize,
}

/// Why a destination leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The caller has ended. Its guest may still run for a moment; whatever it asks for is refused.
    #[error("caller {caller} has ended")]
    CallerEnded {
        /// Who asked.
        caller: Pid,
    },
    /// Neither a pid nor a name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Dead, never there, or another tenant's.
    #[error("process {pid} not found")]
    UnknownPid {
        /// The beginning of the destination.
        pid: String,
    },
    /// Nobody in the caller's tenant has the name.
    #[error("name `{name}` not found")]
    UnknownName {
        /// The destination.
        name: String,
    },
}

impl Refusal for ResolveError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::CallerEnded { .. } => ErrorKind::Canceled,
            Self::Name(refusal) => refusal.kind(),
            Self::UnknownPid { .. } | Self::UnknownName { .. } => ErrorKind::NotFound,
        }
    }
}

impl Kernel {
    /// A node with nothing on it.
    pub fn new(limits: NodeLimits) -> Self {
        Self {
            limits,
            hosts: BTreeMap::new(),
            processes: BTreeMap::new(),
            registry: Registry::default(),
            deadlines: BTreeSet::new(),
            effects: VecDeque::new(),
            last_number: 0,
        }
    }

    /// The living process that a pid's text or a name stands for.
    ///
    /// A caller finds what is in its tenant; another tenant's processes look absent. Without a caller the runtime asks:
    /// it finds every pid, and the names of the default tenant.
    /// Errors: `NotFound`; `Invalid` (neither a pid nor a name); `Canceled` (the caller has ended).
    pub fn resolve(&self, caller: Option<&Pid>, destination: &str) -> Result<Pid, ResolveError> {
        let tenant = match caller {
            Some(caller) => Some(self.caller(caller)?.tenant()),
            None => None,
        };
        if !Pid::looks_like_pid(destination) {
            Name::check(destination)?;
            let holder = self.registry.holder(tenant.unwrap_or_default(), destination);
            return holder.cloned().ok_or_else(|| ResolveError::UnknownName { name: destination.to_owned() });
        }
        let process = self.find(destination, tenant).map(|process| process.pid().clone());
        process.ok_or_else(|| ResolveError::UnknownPid { pid: cut(destination, SHOWN) })
    }

    /// The process with exactly this pid text, in one tenant or in any.
    fn find(&self, text: &str, tenant: Option<TenantId>) -> Option<&Process> {
        let process = self.processes.get(&Pid::parse_number(text)?)?;
        let visible = tenant.is_none_or(|tenant| tenant == process.tenant());
        (visible && process.pid().as_str() == text).then_some(process)
    }

    /// A living process, or none.
    pub fn process(&self, pid: &Pid) -> Option<&Process> {
        self.processes.get(&pid.number())
    }

    /// The process behind a call. Only the living may ask for anything.
    pub(crate) fn caller(&self, caller: &Pid) -> Result<&Process, ResolveError> {
        self.process(caller).ok_or_else(|| ResolveError::CallerEnded { caller: caller.clone() })
    }

    /// Whether a process lives.
    pub fn is_alive(&self, pid: &Pid) -> bool {
        self.processes.contains_key(&pid.number())
    }

    /// How many processes live.
    pub fn process_count(&self) -> usize {
        self.processes.len()
    }

    /// The next thing to do, in order; none: everything is done.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// What the node holds, counted afresh.
    pub fn usage(&self) -> Usage {
        let held = |count: fn(&Process) -> usize| self.processes.values().map(count).sum::<usize>();
        Usage {
            processes: self.processes.len(),
            links: held(|process| process.links.len()) / 2,
            monitors: held(|process| process.monitors.len()),
            calls: held(|process| process.callees.len()),
            names: self.registry.iter().count(),
            deadlines: self.deadlines.len(),
            effects: self.effects.len(),
        }
    }
}

#[cfg(test)]
mod tests;
