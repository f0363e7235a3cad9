//! Groups of processes. Owns who is in which, who waits for a change of which, and that both end with the process. Does not know what is
//! sent to a group: a message goes to each member as any other, and the kernel only lists them, some at a time.
//!
//! A change is told by the answer to a request, once, and whoever wants to know of the next one asks again: so who doesn't look costs
//! nobody anything, and a change tells at most [`GROUP_WATCHERS`](length::GROUP_WATCHERS) processes.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use lunarium_contract::length;

use crate::{Effect, ErrorKind, Kernel, LimitName, NAME_COST, Outcome, Pid, Refusal, ResolveError};

/// The name of a group: 1 to 255 bytes. Groups and processes are named apart: one name can be both.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName(Arc<str>);

impl GroupName {
    /// Checks and keeps a name. Errors: too short, or too long.
    pub fn new(text: &str) -> Result<Self, GroupError> {
        if !(1..=length::GROUP).contains(&text.len()) {
            return Err(GroupError::Name { length: text.len() });
        }
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a membership counts as: as a registered name does, since it stands in as many tables.
    pub fn bytes(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX).saturating_add(NAME_COST)
    }
}

// Sound because both order and compare as their text does.
impl Borrow<str> for GroupName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Why a process can't be in a group, or watch it. Nothing is changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// Empty or too long.
    #[error("group of {length} bytes is not 1 to {} bytes long", length::GROUP)]
    Name {
        /// Its bytes.
        length: usize,
    },
    /// The caller has ended.
    #[error(transparent)]
    Caller(#[from] ResolveError),
    /// At the caller's limit.
    #[error("{pid} is at its limit of {limit} groups that it is in or watches")]
    GroupsFull {
        /// Who asked.
        pid: Pid,
        /// Its limit.
        limit: u32,
    },
    /// The group has as many members as it may have.
    #[error("group `{group}` is at its limit of {} members", length::GROUP_MEMBERS)]
    MembersFull {
        /// Which.
        group: GroupName,
    },
    /// As many watch it as may.
    #[error("group `{group}` is at its limit of {} who watch it", length::GROUP_WATCHERS)]
    WatchersFull {
        /// Which.
        group: GroupName,
    },
}

impl GroupError {
    /// The name of the limit of one group's members.
    pub const MEMBERS: &str = "group.members";
    /// The name of the limit of those who watch one group.
    pub const WATCHERS: &str = "group.watchers";
}

impl Refusal for GroupError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Name { .. } => ErrorKind::Invalid,
            Self::Caller(refusal) => refusal.kind(),
            Self::GroupsFull { .. } | Self::MembersFull { .. } | Self::WatchersFull { .. } => {
                ErrorKind::ResourceExhausted
            }
        }
    }

    fn limit(&self) -> Option<&'static str> {
        match self {
            Self::GroupsFull { .. } => Some(LimitName::Groups.as_str()),
            Self::MembersFull { .. } => Some(Self::MEMBERS),
            Self::WatchersFull { .. } => Some(Self::WATCHERS),
            Self::Name { .. } | Self::Caller(_) => None,
        }
    }
}

/// A group that somebody is in or watches.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// By number.
    pub(crate) members: BTreeSet<u64>,
    /// Who waits for a change, with the number of its request.
    pub(crate) watchers: BTreeSet<(u64, u64)>,
    /// The number of its last change among all changes of groups.
    version: u64,
}

impl Group {
    pub(crate) fn is_idle(&self) -> bool {
        self.members.is_empty() && self.watchers.is_empty()
    }
}

impl Kernel {
    /// The caller is in the group from now on. False: it is already.
    ///
    /// Errors: `Canceled` (the caller has ended), `ResourceExhausted` (its `groups` limit, a full group).
    pub fn join_group(&mut self, caller: &Pid, name: &GroupName) -> Result<bool, GroupError> {
        let process = self.caller(caller)?;
        if process.groups.contains(name) {
            return Ok(false);
        }
        self.check_room(caller)?;
        if self.groups.get(name).is_some_and(|group| group.members.len() >= length::GROUP_MEMBERS) {
            return Err(GroupError::MembersFull { group: name.clone() });
        }
        if let Some(process) = self.living_mut(caller) {
            process.groups.insert(name.clone());
        }
        self.groups.entry(name.clone()).or_default().members.insert(caller.number());
        self.group_changed(name);
        Ok(true)
    }

    /// The caller isn't in the group any more. False: it wasn't. Errors: `Canceled` (the caller has ended).
    pub fn leave_group(&mut self, caller: &Pid, name: &GroupName) -> Result<bool, GroupError> {
        self.caller(caller)?;
        let was_in_it = self.living_mut(caller).is_some_and(|process| process.groups.remove(name));
        if was_in_it {
            self.remove_member(caller.number(), name);
        }
        Ok(was_in_it)
    }

    /// Members of a group, in the order of their numbers, from behind `after` on and so many at most; and the version of the group, 0
    /// when nobody is in it or watches it.
    pub fn members(&self, name: &str, after: Option<u64>, most: usize) -> (Vec<Pid>, u64) {
        let Some(group) = self.groups.get(name) else { return (Vec::new(), 0) };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let numbers = group.members.range((from, Bound::Unbounded)).take(most);
        let members = numbers.filter_map(|number| self.processes.get(number)).map(|process| process.pid().clone());
        (members.collect(), group.version)
    }

    /// How many are in a group.
    pub fn member_count(&self, name: &str) -> usize {
        self.groups.get(name).map_or(0, |group| group.members.len())
    }

    /// Answers this request of the caller with `true` as soon as the group isn't as it was at this version, which may be now.
    ///
    /// Errors: `Canceled` (the caller has ended), `ResourceExhausted` (its `groups` limit, too many who watch).
    pub fn watch_group(
        &mut self,
        caller: &Pid,
        name: &GroupName,
        version: u64,
        request: u64,
    ) -> Result<(), GroupError> {
        self.caller(caller)?;
        if self.groups.get(name).map_or(0, |group| group.version) != version {
            self.answer_watcher(caller.number(), request);
            return Ok(());
        }
        self.check_room(caller)?;
        if self.groups.get(name).is_some_and(|group| group.watchers.len() >= length::GROUP_WATCHERS) {
            return Err(GroupError::WatchersFull { group: name.clone() });
        }
        if let Some(process) = self.living_mut(caller) {
            process.watched_groups.insert((name.clone(), request));
        }
        self.groups.entry(name.clone()).or_default().watchers.insert((caller.number(), request));
        Ok(())
    }

    /// Answers all that the caller waits for with this group, as if it had changed. Errors: `Canceled` (the caller has ended).
    pub fn unwatch_group(&mut self, caller: &Pid, name: &GroupName) -> Result<(), GroupError> {
        self.caller(caller)?;
        let number = caller.number();
        let Some(group) = self.groups.get_mut(name) else { return Ok(()) };
        let (from, to) = ((number, u64::MIN), (number, u64::MAX));
        let requests: Vec<u64> = group.watchers.range(from..=to).map(|(_, request)| *request).collect();
        for request in requests {
            group.watchers.remove(&(number, request));
            if let Some(process) = self.processes.get_mut(&number) {
                process.watched_groups.remove(&(name.clone(), request));
            }
            self.effects.push_back(answer(caller.clone(), request));
        }
        self.drop_idle(name);
        Ok(())
    }

    /// A process has ended: it is in no group and waits for none.
    pub(crate) fn forget_groups(
        &mut self,
        number: u64,
        groups: &BTreeSet<GroupName>,
        watched: &BTreeSet<(GroupName, u64)>,
    ) {
        self.forget_watched(number, watched);
        for name in groups {
            self.remove_member(number, name);
        }
    }

    /// A process waits for no change of these groups any more, and isn't told.
    pub(crate) fn forget_watched(&mut self, number: u64, watched: &BTreeSet<(GroupName, u64)>) {
        for (name, request) in watched {
            if let Some(group) = self.groups.get_mut(name) {
                group.watchers.remove(&(number, *request));
            }
            self.drop_idle(name);
        }
    }

    fn remove_member(&mut self, number: u64, name: &GroupName) {
        if let Some(group) = self.groups.get_mut(name) {
            group.members.remove(&number);
        }
        self.group_changed(name);
    }

    /// Tells who waits.
    fn group_changed(&mut self, name: &GroupName) {
        self.group_changes = self.group_changes.saturating_add(1);
        let Some(group) = self.groups.get_mut(name) else { return };
        group.version = self.group_changes;
        for (number, request) in std::mem::take(&mut group.watchers) {
            if let Some(process) = self.processes.get_mut(&number) {
                process.watched_groups.remove(&(name.clone(), request));
            }
            self.answer_watcher(number, request);
        }
        self.drop_idle(name);
    }

    fn answer_watcher(&mut self, number: u64, request: u64) {
        if let Some(process) = self.processes.get(&number) {
            self.effects.push_back(answer(process.pid().clone(), request));
        }
    }

    fn drop_idle(&mut self, name: &GroupName) {
        if self.groups.get(name).is_some_and(Group::is_idle) {
            self.groups.remove(name);
        }
    }

    fn caller(&self, caller: &Pid) -> Result<&crate::Process, GroupError> {
        self.process(caller).ok_or_else(|| ResolveError::CallerEnded { caller: caller.clone() }.into())
    }

    /// Whether a living process may be in one more group, or watch one more.
    fn check_room(&self, caller: &Pid) -> Result<(), GroupError> {
        let Some(process) = self.process(caller) else { return Ok(()) };
        let limit = process.limits.groups;
        if process.held_groups() >= limit as usize {
            return Err(GroupError::GroupsFull { pid: caller.clone(), limit });
        }
        Ok(())
    }
}

/// `true`, encoded.
fn answer(to: Pid, request: u64) -> Effect {
    Effect::Reply { to, request, outcome: Outcome::Completed([0xc3].as_slice().into()) }
}

#[cfg(test)]
mod tests;
