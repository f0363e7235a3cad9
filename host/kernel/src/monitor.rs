//! Monitors: the watcher gets one EXIT when the watched process ends. Owns making and undoing them. What happens at an
//! end is `end.rs`; an EXIT that is under way isn't called back.

use crate::{ErrorKind, Kernel, LimitName, NodeLimits, Pid, Refusal, ResolveError};

/// Why a process isn't monitored, or no longer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MonitorError {
    /// The destination can't be found.
    #[error(transparent)]
    Destination(#[from] ResolveError),
    /// The caller itself.
    #[error("{pid} can't monitor itself")]
    Oneself {
        /// Who.
        pid: Pid,
    },
    /// It is monitored by the caller already.
    #[error("{pid} is already monitored")]
    Exists {
        /// Who.
        pid: Pid,
    },
    /// At the caller's limit of monitors.
    #[error("{pid} is at its limit of {limit} monitors")]
    MonitorsFull {
        /// The caller.
        pid: Pid,
        /// Its limit.
        limit: u32,
    },
    /// At the node's limit of monitors.
    #[error("the node is at its limit of {limit} monitors")]
    NodeFull {
        /// Its limit.
        limit: u32,
    },
}

impl Refusal for MonitorError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Destination(refusal) => refusal.kind(),
            Self::Oneself { .. } => ErrorKind::Invalid,
            Self::Exists { .. } => ErrorKind::AlreadyExists,
            Self::MonitorsFull { .. } | Self::NodeFull { .. } => ErrorKind::ResourceExhausted,
        }
    }

    fn limit(&self) -> Option<&'static str> {
        match self {
            Self::MonitorsFull { .. } => Some(LimitName::Monitors.as_str()),
            Self::NodeFull { .. } => Some(NodeLimits::MONITORS),
            Self::Destination(_) | Self::Oneself { .. } | Self::Exists { .. } => None,
        }
    }
}

impl Kernel {
    /// Lets the caller know of a process's end: exactly one EXIT, unless it is unmonitored or the caller ends first.
    /// Errors: `Canceled` (the caller has ended), `NotFound`, `Invalid` (oneself), `AlreadyExists`, `ResourceExhausted`
    /// (the caller's `monitors` limit, or the node's).
    pub fn monitor(&mut self, caller: &Pid, target: &Pid) -> Result<(), MonitorError> {
        self.check_caller(Some(caller))?;
        self.living(target)?;
        self.check_monitor(caller, target)?;
        self.set_monitor(caller, target);
        Ok(())
    }

    /// Whether the caller can monitor a living process.
    pub(crate) fn check_monitor(&self, caller: &Pid, target: &Pid) -> Result<(), MonitorError> {
        if target == caller {
            return Err(MonitorError::Oneself { pid: target.clone() });
        }
        let Some(watcher) = self.process(caller) else { return Ok(()) };
        if watcher.monitors.contains(&target.number()) {
            return Err(MonitorError::Exists { pid: target.clone() });
        }
        let limit = watcher.limits.monitors;
        if watcher.monitors.len() >= limit as usize {
            return Err(MonitorError::MonitorsFull { pid: caller.clone(), limit });
        }
        let limit = self.limits.max_monitors;
        if self.monitors >= limit as usize {
            return Err(MonitorError::NodeFull { limit });
        }
        Ok(())
    }

    /// Lets a living process watch another, unless it does.
    pub(crate) fn set_monitor(&mut self, caller: &Pid, target: &Pid) {
        if let Some(watcher) = self.processes.get_mut(&caller.number()) {
            let added = watcher.monitors.insert(target.number());
            self.monitors = self.monitors.saturating_add(usize::from(added));
        }
        if let Some(target) = self.processes.get_mut(&target.number()) {
            target.watchers.insert(caller.number());
        }
    }

    /// Undoes a monitor. Succeeds for every pid: dead, unknown or never monitored, and for oneself.
    /// Errors: `Canceled` (the caller has ended).
    pub fn unmonitor(&mut self, caller: &Pid, target: &Pid) -> Result<(), MonitorError> {
        self.check_caller(Some(caller))?;
        if !self.is_alive(target) {
            return Ok(());
        }
        if let Some(watcher) = self.processes.get_mut(&caller.number()) {
            let removed = watcher.monitors.remove(&target.number());
            self.monitors = self.monitors.saturating_sub(usize::from(removed));
        }
        if let Some(target) = self.processes.get_mut(&target.number()) {
            target.watchers.remove(&caller.number());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
