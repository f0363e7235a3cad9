//! Consequences: what the end of one process still has to mean for those that were linked with it or executed by it.
//! Owns that each of them comes in its turn, one process at a time, in the order of the causes. Does not end anybody: who is
//! told and who ends is `end.rs`.
//!
//! One failure can end thousands (a ring, a mesh, a chain of `exec`). All at once they would hold up everybody who needs the
//! kernel, for seconds. So a death only notes its consequences, at the cost of its own links, and whoever owns the kernel
//! carries them out one by one ([`Kernel::handle_consequence`]), with others in between. Until its turn a process lives.

use std::sync::Arc;

use crate::{Event, Kernel, Outcome, Pid, Process, Timestamp};

/// What waits for a process until its turn.
#[derive(Debug)]
pub(crate) struct Consequence {
    /// Its place among those that wait.
    pub(crate) turn: u64,
    /// Its caller has ended or upgraded: it ends, whatever its options are.
    pub(crate) orphaned: bool,
    /// Failures of linked processes that it hasn't been told of, oldest first. Each counts as the link that it was.
    pub(crate) failures: Vec<Arc<LinkFailure>>,
}

/// A process that failed while it was linked. Shared between all who were linked with it.
#[derive(Debug)]
pub(crate) struct LinkFailure {
    pub(crate) from: Pid,
    pub(crate) outcome: Outcome,
    /// The message of the first failure on the way here, cut.
    pub(crate) cause: Arc<str>,
    pub(crate) at: Timestamp,
}

impl LinkFailure {
    /// What a linked process is told of it that traps links.
    pub(crate) fn event(&self) -> Event {
        Event::LinkDown { from: self.from.clone(), outcome: self.outcome.clone(), at: self.at }
    }
}

impl Kernel {
    /// Whether anybody waits for [`Kernel::handle_consequence`].
    pub fn owes_consequences(&self) -> bool {
        !self.turns.is_empty()
    }

    /// Carries out what waits for the one process whose turn it is: it ends, because who executed it or one it was linked
    /// with did; or, when it traps links by now, it gets a LINK_DOWN for each failure that it was not told of. Does
    /// nothing when nobody waits. Costs what that process holds. `at` is what others are told of its end.
    pub fn handle_consequence(&mut self, at: Timestamp) {
        let Some((_, number)) = self.turns.first().copied() else { return };
        let Some(consequence) = self.take_consequence(number) else { return };
        let first = consequence.failures.first();
        match (self.processes.get(&number), first) {
            _ if consequence.orphaned => self.end_orphan(number, at),
            (Some(process), Some(failure)) if !process.trap_links => self.end_along(number, failure, at),
            (Some(process), _) => {
                let to = process.pid().clone();
                consequence.failures.iter().for_each(|failure| self.deliver(to.clone(), failure.event()));
            }
            (None, _) => {}
        }
    }

    /// A process ends in its turn, as one that belongs to another.
    pub(crate) fn note_orphan(&mut self, number: u64) {
        if let Some(consequence) = self.consequence_of(number) {
            consequence.orphaned = true;
        }
    }

    /// A process learns of a failure in its turn.
    pub(crate) fn note_failure(&mut self, number: u64, failure: &Arc<LinkFailure>) {
        if let Some(consequence) = self.consequence_of(number) {
            consequence.failures.push(Arc::clone(failure));
            self.links = self.links.saturating_add(1);
        }
    }

    /// What waits for a living process: in the turn that it has, or in the last.
    fn consequence_of(&mut self, number: u64) -> Option<&mut Consequence> {
        let process = self.processes.get_mut(&number)?;
        let next = self.last_turn.saturating_add(1);
        let consequence = process.consequence.get_or_insert_with(|| {
            self.last_turn = next;
            self.turns.insert((next, number));
            Consequence { turn: next, orphaned: false, failures: Vec::new() }
        });
        Some(consequence)
    }

    /// It is about to be carried out.
    fn take_consequence(&mut self, number: u64) -> Option<Consequence> {
        let consequence = self.processes.get_mut(&number).and_then(|process| process.consequence.take());
        self.forget_consequence(number, consequence.as_ref());
        consequence
    }

    /// Nothing waits for a process any more: it was carried out, or the process has ended.
    pub(crate) fn forget_consequence(&mut self, number: u64, consequence: Option<&Consequence>) {
        let Some(consequence) = consequence else { return };
        self.turns.remove(&(consequence.turn, number));
        self.links = self.links.saturating_sub(consequence.failures.len());
    }
}

impl Process {
    /// Links, and those whose failure it hasn't been told of.
    pub(crate) fn held_links(&self) -> usize {
        let untold = self.consequence.as_ref().map_or(0, |consequence| consequence.failures.len());
        self.links.len().saturating_add(untold)
    }
}

#[cfg(test)]
mod tests;
