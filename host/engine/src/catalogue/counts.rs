//! What has happened to the processes of a host, counted: how they ended, and what was refused to them.
//!
//! Owns that counting is one atomic, and that there are only so many counts, whatever a script chooses: kinds of errors, and limits
//! that we have named. Refuses to know what is worth counting.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lunarium_kernel::{Budget, ErrorKind, GroupError, Host, LimitName, NodeLimits};

const KINDS: usize = ErrorKind::ALL.len();
const LIMITS: usize = LimitName::ALL.len();

/// The limits that aren't one process's, and one that has no setting.
const OTHER_LIMITS: [&str; 13] = [
    Budget::ENGINE_MEMORY,
    Budget::NODE_MEMORY,
    Budget::HOST_MEMORY,
    NodeLimits::PROCESSES,
    NodeLimits::LINKS,
    NodeLimits::MONITORS,
    NodeLimits::LOG_BYTES,
    Host::PROCESSES,
    Host::LOG_BYTES,
    GroupError::MEMBERS,
    GroupError::WATCHERS,
    GROUP_BYTES,
    "calls",
];

/// The limit of what one message to a group may be, times its members.
pub(crate) const GROUP_BYTES: &str = "group.bytes";

/// How processes that have ended by themselves are counted.
const COMPLETED: &str = "completed";

/// How often something has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Count {
    /// What: one of a few texts, none of which a script chooses.
    pub what: &'static str,
    /// How often since the node started.
    pub times: u64,
}

/// The counts of one host, or of what comes from outside.
#[derive(Default)]
pub(crate) struct Counts {
    completed: AtomicU64,
    failed: [AtomicU64; KINDS],
    refused_by_kind: [AtomicU64; KINDS],
    refused_by_limit: [AtomicU64; LIMITS],
    refused_by_other: [AtomicU64; OTHER_LIMITS.len()],
}

impl Counts {
    /// A process has ended; none: normally.
    pub(crate) fn end(&self, failed: Option<ErrorKind>) {
        let count = match failed {
            Some(kind) => of_kind(&self.failed, kind),
            None => Some(&self.completed),
        };
        add(count);
    }

    /// Something was refused: by a limit, if it has one of ours, else it counts for its kind.
    pub(crate) fn refuse(&self, kind: ErrorKind, limit: Option<&str>) {
        let own = || self.refused_by_limit.get(LimitName::ALL.iter().position(|name| Some(name.as_str()) == limit)?);
        let other = || self.refused_by_other.get(OTHER_LIMITS.iter().position(|name| Some(*name) == limit)?);
        let by_limit = limit.and_then(|_| own().or_else(other));
        add(by_limit.or_else(|| of_kind(&self.refused_by_kind, kind)));
    }

    /// How processes have ended: `completed`, or the kind of the error. What hasn't happened is left out, but for the first.
    pub(crate) fn ends(&self) -> Vec<Count> {
        let completed = Count { what: COMPLETED, times: self.completed.load(Relaxed) };
        [completed].into_iter().chain(happened(kinds(), &self.failed)).collect()
    }

    /// What was refused: by the limit, or the kind of the error. What hasn't happened is left out.
    pub(crate) fn refusals(&self) -> Vec<Count> {
        let limits = LimitName::ALL.into_iter().map(LimitName::as_str);
        let by_kind = happened(kinds(), &self.refused_by_kind);
        let by_limit = happened(limits, &self.refused_by_limit);
        by_kind.chain(by_limit).chain(happened(OTHER_LIMITS.into_iter(), &self.refused_by_other)).collect()
    }
}

fn add(count: Option<&AtomicU64>) {
    if let Some(count) = count {
        count.fetch_add(1, Relaxed);
    }
}

fn of_kind(counts: &[AtomicU64; KINDS], kind: ErrorKind) -> Option<&AtomicU64> {
    counts.get(ErrorKind::ALL.iter().position(|known| *known == kind)?)
}

fn kinds() -> impl Iterator<Item = &'static str> {
    ErrorKind::ALL.into_iter().map(|kind| if kind == ErrorKind::Unknown { "Unknown" } else { kind.as_str() })
}

fn happened<'c>(
    names: impl Iterator<Item = &'static str> + 'c,
    counts: &'c [AtomicU64],
) -> impl Iterator<Item = Count> + 'c {
    names.zip(counts).map(|(what, times)| Count { what, times: times.load(Relaxed) }).filter(|count| count.times > 0)
}

#[cfg(test)]
mod tests {
    use lunarium_kernel::{Budget, ErrorKind};

    use super::{Count, Counts};

    fn pairs(counts: Vec<Count>) -> Vec<(&'static str, u64)> {
        counts.into_iter().map(|count| (count.what, count.times)).collect()
    }

    #[test]
    fn ends_are_counted_by_kind() {
        let counts = Counts::default();
        assert_eq!(pairs(counts.ends()), [("completed", 0)]);
        for failed in [None, Some(ErrorKind::Canceled), Some(ErrorKind::Unknown), None] {
            counts.end(failed);
        }
        assert_eq!(pairs(counts.ends()), [("completed", 2), ("Canceled", 1), ("Unknown", 1)]);
    }

    #[test]
    fn refusals_are_counted_by_limit_or_by_kind_and_no_text_makes_another_count() {
        let counts = Counts::default();
        counts.refuse(ErrorKind::PermissionDenied, None);
        counts.refuse(ErrorKind::RateLimited, Some("mailbox_messages"));
        counts.refuse(ErrorKind::RateLimited, Some("calls"));
        counts.refuse(ErrorKind::ResourceExhausted, Some("group.watchers"));
        counts.refuse(ErrorKind::ResourceExhausted, Some(Budget::NODE_MEMORY));
        counts.refuse(ErrorKind::ResourceExhausted, Some("a module's own"));
        counts.refuse(ErrorKind::ResourceExhausted, Some("<script>"));
        let refused = pairs(counts.refusals());
        let kinds = [("PermissionDenied", 1), ("ResourceExhausted", 2)];
        let limits = [("mailbox_messages", 1), ("node.memory", 1), ("group.watchers", 1), ("calls", 1)];
        assert_eq!(refused, [&kinds[..], &limits[..]].concat());
    }
}
