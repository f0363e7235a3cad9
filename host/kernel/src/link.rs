//! Links: when one end ends abnormally, so does the other, unless it traps links. Owns making and undoing them, at both
//! ends at once. What happens at an end is `end.rs`; a failure that waits for its turn isn't called back.

use crate::{ErrorKind, Kernel, LimitName, NodeLimits, Pid, Refusal, ResolveError};

/// Why two processes aren't linked or unlinked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The destination can't be found.
    #[error(transparent)]
    Destination(#[from] ResolveError),
    /// The caller itself.
    #[error("{pid} can't be linked with itself")]
    Oneself {
        /// Who.
        pid: Pid,
    },
    /// At either end's limit of links.
    #[error("{pid} is at its limit of {limit} links")]
    LinksFull {
        /// Which end.
        pid: Pid,
        /// Its limit.
        limit: u32,
    },
    /// At the node's limit of links.
    #[error("the node is at its limit of {limit} links")]
    NodeFull {
        /// Its limit.
        limit: u32,
    },
}

impl Refusal for LinkError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Destination(refusal) => refusal.kind(),
            Self::Oneself { .. } => ErrorKind::Invalid,
            Self::LinksFull { .. } | Self::NodeFull { .. } => ErrorKind::ResourceExhausted,
        }
    }

    fn limit(&self) -> Option<&'static str> {
        match self {
            Self::LinksFull { .. } => Some(LimitName::Links.as_str()),
            Self::NodeFull { .. } => Some(NodeLimits::LINKS),
            Self::Destination(_) | Self::Oneself { .. } => None,
        }
    }
}

impl Kernel {
    /// Links the caller with another process; linking twice is one link.
    /// Errors: `Canceled` (the caller has ended), `NotFound`, `Invalid` (oneself), `ResourceExhausted` (either end's
    /// `links` limit, or the node's).
    pub fn link(&mut self, caller: &Pid, other: &Pid) -> Result<(), LinkError> {
        self.check_caller(Some(caller))?;
        self.living(other)?;
        self.check_link(caller, other)?;
        self.set_link(caller, other);
        Ok(())
    }

    /// Whether two living processes can be linked, or are.
    pub(crate) fn check_link(&self, caller: &Pid, other: &Pid) -> Result<(), LinkError> {
        if other == caller {
            return Err(LinkError::Oneself { pid: other.clone() });
        }
        if self.process(caller).is_some_and(|process| process.links.contains(&other.number())) {
            return Ok(());
        }
        for end in [caller, other] {
            let Some(process) = self.process(end) else { continue };
            let limit = process.limits.links;
            if process.held_links() >= limit as usize {
                return Err(LinkError::LinksFull { pid: end.clone(), limit });
            }
        }
        let limit = self.limits.max_links;
        if self.links >= limit as usize {
            return Err(LinkError::NodeFull { limit });
        }
        Ok(())
    }

    /// Links two living processes, unless they are.
    pub(crate) fn set_link(&mut self, caller: &Pid, other: &Pid) {
        let mut added = false;
        for (end, far) in [(caller, other), (other, caller)] {
            if let Some(process) = self.processes.get_mut(&end.number()) {
                added = process.links.insert(far.number());
            }
        }
        self.links = self.links.saturating_add(usize::from(added));
    }

    /// Undoes a link between two numbers, if there is one.
    pub(crate) fn take_link(&mut self, one: u64, other: u64) {
        let mut removed = false;
        for (end, far) in [(one, other), (other, one)] {
            if let Some(process) = self.processes.get_mut(&end) {
                removed = process.links.remove(&far);
            }
        }
        self.links = self.links.saturating_sub(usize::from(removed));
    }

    /// Undoes a link. Succeeds for every pid: dead, unknown or never linked, and for oneself. A failure that the caller hasn't
    /// been told of yet stays one.
    /// Errors: `Canceled` (the caller has ended).
    pub fn unlink(&mut self, caller: &Pid, other: &Pid) -> Result<(), LinkError> {
        self.check_caller(Some(caller))?;
        if !self.is_alive(other) {
            return Ok(());
        }
        self.take_link(caller.number(), other.number());
        Ok(())
    }

    /// Whether the failures of linked processes are events for this process, or its end. It counts from now on, also for
    /// failures that it hasn't been told of yet. Nothing happens to the dead.
    pub fn set_trap_links(&mut self, pid: &Pid, trap_links: bool) {
        if let Some(process) = self.living_mut(pid) {
            process.trap_links = trap_links;
        }
    }

    /// Whether it traps links; false for the dead.
    pub fn trap_links(&self, pid: &Pid) -> bool {
        self.process(pid).is_some_and(|process| process.trap_links)
    }
}

#[cfg(test)]
mod tests;
