//! The run queues, and the rule that says which task a worker takes next.
//!
//! Owns the order. Pure: ticks are an argument, and nothing here waits or knows a thread, so the rule can be tested by
//! count. Refuses to know what a task is.
//!
//! The rule: who was woken before who used up its slice; but a worker that saw busy ones wait for `BUSY_PATIENCE` ticks
//! runs one of them, and then a woken one again. So a hundred busy loops cost one that reacts a slice at most, and no
//! load of woken ones starves the busy: each worker keeps count for itself.

use std::collections::VecDeque;

/// How often in a row a worker takes from its slot before it looks at the queues: two processes that talk to each
/// other must not keep the rest waiting.
const SLOT_STREAK: u32 = 32;

/// Ticks after which a worker gives a busy task its turn even though woken ones wait.
pub(crate) const BUSY_PATIENCE: u64 = 3;

/// How urgently a task wants to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// It waited, and something has come for it.
    Woken,
    /// It used up its time slice.
    Preempted,
}

/// What waits for a worker, whichever; each queue is first in, first out.
pub(crate) struct Queues<T> {
    woken: VecDeque<T>,
    busy: VecDeque<T>,
}

/// What a worker remembers from one task to the next. Times are in ticks.
#[derive(Default)]
pub(crate) struct Turn {
    /// Tasks it took from its slot since it looked at the queues.
    streak: u32,
    /// When it looked at the queues.
    looked: u64,
    /// When it began to run a busy task, or saw that none waits.
    served_busy: u64,
    /// Its last task was a busy one.
    was_busy: bool,
}

impl<T> Default for Queues<T> {
    fn default() -> Queues<T> {
        Queues { woken: VecDeque::new(), busy: VecDeque::new() }
    }
}

impl<T> Queues<T> {
    pub(crate) fn push(&mut self, task: T, urgency: Urgency) {
        match urgency {
            Urgency::Woken => self.woken.push_back(task),
            Urgency::Preempted => self.busy.push_back(task),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.woken.len().saturating_add(self.busy.len())
    }

    /// The next task for the worker whose `turn` it is. Its slot comes after those that were woken before.
    pub(crate) fn next(&mut self, turn: &mut Turn, ticks: u64, slot: impl FnOnce() -> Option<T>) -> Option<T> {
        turn.streak = 0;
        turn.looked = ticks;
        if self.busy.is_empty() {
            turn.served_busy = ticks;
        }
        let patience_ends = ticks.saturating_sub(turn.served_busy) >= BUSY_PATIENCE;
        if turn.was_busy || !patience_ends {
            let woken = self.woken.pop_front().or_else(slot);
            if woken.is_some() {
                turn.was_busy = false;
                return woken;
            }
        }
        let busy = self.busy.pop_front()?;
        turn.was_busy = true;
        turn.served_busy = ticks;
        Some(busy)
    }

    /// Any task: for the end, when none runs any more.
    pub(crate) fn pop(&mut self) -> Option<T> {
        self.woken.pop_front().or_else(|| self.busy.pop_front())
    }
}

impl Turn {
    /// Whether the worker may take from its slot without a look at the queues: for a number of tasks, and within a tick.
    pub(crate) fn may_stay(&self, ticks: u64) -> bool {
        self.streak < SLOT_STREAK && self.looked == ticks
    }

    /// The worker took from its slot.
    pub(crate) fn stays(&mut self) {
        self.streak = self.streak.saturating_add(1);
        self.was_busy = false;
    }
}

#[cfg(test)]
mod tests;
