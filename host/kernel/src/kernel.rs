//! The kernel: the one owner of the control plane's state. Owns who is found, and the queue of effects.
//! Each noun's file adds its own commands to it. Holds no lock and waits for nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::budget::Room;
use crate::group::Group;
use crate::text::{SHOWN, cut};
use crate::{Destination, Effect, ErrorKind, GroupName, Name, NameError, NodeLimits, Pid, Process, Refusal, Uptime};

/// Processes, links, monitors, names and deadlines of one node. Everything is ordered, so that the same calls
/// give the same effects on every machine.
#[derive(Debug)]
pub struct Kernel {
    /// How many processes there may be.
    pub(crate) places: Room,
    pub(crate) limits: NodeLimits,
    /// The living, by number. Boxed: a place in the tree that is taken or given back moves those beside it.
    pub(crate) processes: BTreeMap<u64, Box<Process>>,
    /// Who has which name.
    pub(crate) names: BTreeMap<Name, Pid>,
    /// Those that somebody is in or watches.
    pub(crate) groups: BTreeMap<GroupName, Group>,
    /// How often a group has changed.
    pub(crate) group_changes: u64,
    /// Cancel deadlines of the living, with their numbers.
    pub(crate) deadlines: BTreeSet<(Uptime, u64)>,
    /// Until when those of the living may live that have an end, with their numbers.
    pub(crate) lifetimes: BTreeSet<(Uptime, u64)>,
    /// Links of the whole node, each counted once, until their failure is told.
    pub(crate) links: usize,
    /// Monitors of the whole node.
    pub(crate) monitors: usize,
    /// For whom a consequence waits: its turn, and the process's number.
    pub(crate) turns: BTreeSet<(u64, u64)>,
    pub(crate) last_turn: u64,
    pub(crate) effects: VecDeque<Effect>,
    pub(crate) last_number: u64,
    /// Nothing is spawned any more.
    pub(crate) stopped: bool,
}

/// What the whole node holds. All zero when nothing lives and all effects are drained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
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
    /// Memberships of groups, and who waits for a change of one.
    pub groups: usize,
    /// Cancel deadlines, and ends of lifetimes.
    pub deadlines: usize,
    /// Processes for which a consequence waits.
    pub consequences: usize,
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
    /// Dead, or never there.
    #[error("process {pid} not found")]
    UnknownPid {
        /// The beginning of the destination.
        pid: String,
    },
    /// Nobody has the name.
    #[error("name `{name}` not found")]
    UnknownName {
        /// The destination.
        name: String,
    },
}

impl ResolveError {
    /// The refusal for a pid's text behind which nobody lives.
    pub fn unknown_pid(text: &str) -> Self {
        Self::UnknownPid { pid: cut(text, SHOWN) }
    }
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
            places: Room::new(limits.max_processes.into()),
            limits,
            processes: BTreeMap::new(),
            names: BTreeMap::new(),
            groups: BTreeMap::new(),
            group_changes: 0,
            deadlines: BTreeSet::new(),
            lifetimes: BTreeSet::new(),
            links: 0,
            monitors: 0,
            turns: BTreeSet::new(),
            last_turn: 0,
            effects: VecDeque::new(),
            last_number: 0,
            stopped: false,
        }
    }

    /// A node that has stopped for good: nothing lives on it, and every spawn is refused. It takes the place of a kernel
    /// whose state can't be trusted.
    pub fn stopped() -> Self {
        Self { stopped: true, ..Self::new(NodeLimits::default()) }
    }

    /// The living process that a destination leads to. Without a caller the runtime asks.
    /// Errors: `Canceled` (the caller has ended), `NotFound`.
    pub fn resolve(&self, caller: Option<&Pid>, destination: &Destination<'_>) -> Result<Pid, ResolveError> {
        self.check_caller(caller)?;
        match *destination {
            Destination::Name(name) => {
                self.holder(name).cloned().ok_or_else(|| ResolveError::UnknownName { name: name.to_owned() })
            }
            Destination::Pid { number, text } => {
                let process = self.processes.get(&number).filter(|process| process.pid().as_str() == text);
                let pid = process.map(|process| process.pid().clone());
                pid.ok_or_else(|| ResolveError::unknown_pid(text))
            }
        }
    }

    /// A living process, or none. A pid counts as a whole: one that claims another host than its number's is nobody's.
    pub fn process(&self, pid: &Pid) -> Option<&Process> {
        self.processes.get(&pid.number()).map(Box::as_ref).filter(|process| process.pid().as_str() == pid.as_str())
    }

    /// A process that a command is about. Errors: `NotFound`.
    pub(crate) fn living(&self, pid: &Pid) -> Result<&Process, ResolveError> {
        self.process(pid).ok_or_else(|| ResolveError::unknown_pid(pid.as_str()))
    }

    pub(crate) fn living_mut(&mut self, pid: &Pid) -> Option<&mut Process> {
        self.processes.get_mut(&pid.number()).map(Box::as_mut).filter(|process| process.pid().as_str() == pid.as_str())
    }

    /// Only the living, and the runtime, may ask for anything. Errors: `Canceled`.
    pub(crate) fn check_caller(&self, caller: Option<&Pid>) -> Result<(), ResolveError> {
        match caller {
            Some(caller) if !self.is_alive(caller) => Err(ResolveError::CallerEnded { caller: caller.clone() }),
            _ => Ok(()),
        }
    }

    /// Whether a process lives.
    pub fn is_alive(&self, pid: &Pid) -> bool {
        self.process(pid).is_some()
    }

    /// Whether anybody learns of the process's end: who monitors it, is linked with it or executes it.
    pub fn is_watched(&self, pid: &Pid) -> bool {
        let watched =
            |process: &Process| !process.watchers.is_empty() || !process.links.is_empty() || process.call.is_some();
        self.process(pid).is_some_and(watched)
    }

    /// How many processes live.
    pub fn process_count(&self) -> usize {
        self.processes.len()
    }

    /// Links of the whole node, each counted once, until its failure is told; kept where they change, so reading it costs nothing.
    pub fn link_count(&self) -> usize {
        self.links
    }

    /// Monitors of the whole node, kept in the same way.
    pub fn monitor_count(&self) -> usize {
        self.monitors
    }

    /// The next thing to do, in order; none: everything is done.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// What the whole node may hold.
    pub fn limits(&self) -> &NodeLimits {
        &self.limits
    }

    /// From now on so many processes may live at once. If more do, none is started until enough have ended.
    pub fn set_max_processes(&mut self, most: u32) {
        self.limits.max_processes = most;
        self.places.set_limit(most.into());
    }

    /// The sum over all processes.
    pub(crate) fn sum(&self, count: fn(&Process) -> usize) -> usize {
        self.processes.values().map(|process| count(process)).sum()
    }

    /// What the node holds, counted afresh: a walk over all processes, for tests and audits.
    pub fn usage(&self) -> Tally {
        Tally {
            processes: self.processes.len(),
            links: self.sum(|process| process.links.len()) / 2,
            monitors: self.sum(|process| process.monitors.len()),
            calls: self.sum(|process| process.callees.len()),
            names: self.names.len(),
            groups: self.sum(Process::held_groups),
            deadlines: self.deadlines.len().saturating_add(self.lifetimes.len()),
            consequences: self.turns.len(),
            effects: self.effects.len(),
        }
    }
}

#[cfg(test)]
mod tests;
