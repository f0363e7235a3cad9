//! The run queues, and the rule that says which task a worker takes next.
//!
//! Owns the order. Pure: time is an argument, and nothing here waits or knows a thread, so the rule can be tested by
//! count. Refuses to know what a task is.
//!
//! The rule has two levels. Of the shares that have something to run, the one that has used least for its weight is next:
//! whatever one does, another waits for the pieces under way. Within a share, who was woken comes before who used up its
//! slice, and both before starts and ends; of the woken, who runs shortly before who runs for long ([`YIELDS`]). But who is
//! less urgent isn't passed over for longer than [`PATIENCE`], and starts and ends take turns with the busy as if all of
//! them were one: a hundred busy loops cost one that reacts a slice at most, no load of woken ones starves the busy, and no
//! busy ones a start.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::clock::TICK;
use crate::share::{Member, Share};

/// How often in a row a worker takes from its slot before it looks at the queues: two processes that talk to each
/// other must not keep the rest waiting.
const SLOT_STREAK: u32 = 32;

const SLICE: u64 = TICK.as_nanos() as u64;

/// Nanoseconds that a share spends on woken tasks before a less urgent one of it has its turn.
pub(crate) const PATIENCE: u64 = 3 * SLICE;

/// How many times its own burst a woken task lets those go first that are woken after it. So one that runs for 20 µs
/// doesn't wait for two hundred that run for a millisecond, and these don't wait for ever.
const YIELDS: u64 = 512;

/// How urgently a task wants to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// It waited, and something has come for it.
    Woken,
    /// It used up its time slice.
    Preempted,
    /// It begins or ends: memory is prepared or given back, and nobody reacts to anything.
    Background,
}

/// Something to run, of a member of some share.
pub(crate) trait Task {
    fn member(&self) -> &Arc<Member>;
}

/// What waits for a worker, whichever.
pub(crate) struct Queues<T> {
    /// By their place. Whoever changes that moves them.
    groups: BTreeMap<(u64, u64), Box<Group<T>>>,
    /// Virtual time: that of the share served last.
    now: u64,
    len: usize,
    /// Tells the order in which tasks came.
    next_ticket: u64,
}

/// What waits of one share; nothing that waits, no group.
struct Group<T> {
    /// By the time at which nobody goes first any more, in nanoseconds, then in order.
    woken: BTreeMap<(u64, u64), T>,
    busy: VecDeque<T>,
    background: VecDeque<T>,
    /// Nanoseconds spent on woken tasks while others waited, since one of these has had its turn.
    passed: u64,
    /// Busy tasks that go before the next turn of the background.
    before: usize,
    /// Nanoseconds of the background's turn under way.
    turn: u64,
}

/// What a worker remembers from one task to the next.
#[derive(Default)]
pub(crate) struct Turn {
    /// Tasks it took from its slot since it looked at the queues.
    streak: u32,
    /// The tick at which it looked at the queues.
    looked: u64,
    /// What it took from the queues then, and whose that is. What it took from its slot since counts as the same.
    running: Option<(Arc<Share>, Urgency)>,
    /// When that began, in nanoseconds.
    since: u64,
}

impl<T> Default for Queues<T> {
    fn default() -> Queues<T> {
        Queues { groups: BTreeMap::new(), now: 0, len: 0, next_ticket: 0 }
    }
}

impl<T: Task> Queues<T> {
    /// `ticks`: what time it is.
    pub(crate) fn push(&mut self, task: T, urgency: Urgency, ticks: u64) {
        let share = Arc::clone(task.member().share());
        if !self.groups.contains_key(&share.place()) {
            share.arrive(self.now);
        }
        let yields = task.member().burst().saturating_mul(YIELDS);
        let place = (ticks.saturating_mul(SLICE).saturating_add(yields), self.next_ticket);
        self.next_ticket = self.next_ticket.wrapping_add(1);
        self.len = self.len.saturating_add(1);
        self.groups.entry(share.place()).or_default().push(task, urgency, place);
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The worker whose `turn` it is looks at the queues, `now` in nanoseconds: what it ran is over, and its share pays.
    pub(crate) fn look(&mut self, turn: &mut Turn, now: u64, ticks: u64) {
        turn.streak = 0;
        turn.looked = ticks;
        let Some((share, urgency)) = turn.running.take() else { return };
        let used = now.saturating_sub(turn.since);
        let group = self.groups.remove(&share.place());
        share.charge(used);
        if let Some(mut group) = group {
            group.charge(used, urgency);
            self.groups.insert(share.place(), group);
        }
    }

    /// The next task, and how urgent it was.
    pub(crate) fn next(&mut self) -> Option<(T, Urgency)> {
        let mut first = self.groups.first_entry()?;
        self.now = self.now.max(first.key().0);
        let next = first.get_mut().next();
        if first.get().is_empty() {
            first.remove();
        }
        if next.is_some() {
            self.len = self.len.saturating_sub(1);
        }
        next
    }
}

impl<T> Default for Group<T> {
    fn default() -> Group<T> {
        Group {
            woken: BTreeMap::new(),
            busy: VecDeque::new(),
            background: VecDeque::new(),
            passed: 0,
            before: 0,
            turn: 0,
        }
    }
}

impl<T> Group<T> {
    /// `place`: where it stands, if it is woken.
    fn push(&mut self, task: T, urgency: Urgency, place: (u64, u64)) {
        match urgency {
            Urgency::Woken => drop(self.woken.insert(place, task)),
            Urgency::Preempted => self.busy.push_back(task),
            Urgency::Background => {
                if self.background.is_empty() {
                    self.end_background_turn();
                }
                self.background.push_back(task);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.woken.is_empty() && !self.has_less_urgent()
    }

    fn has_less_urgent(&self) -> bool {
        !self.busy.is_empty() || !self.background.is_empty()
    }

    fn next(&mut self) -> Option<(T, Urgency)> {
        let others_turn = self.passed >= PATIENCE && self.has_less_urgent();
        if !others_turn && let Some((_, task)) = self.woken.pop_first() {
            return Some((task, Urgency::Woken));
        }
        let backgrounds_turn = self.before == 0 || self.busy.is_empty();
        if backgrounds_turn && let Some(task) = self.background.pop_front() {
            return Some((task, Urgency::Background));
        }
        let task = self.busy.pop_front()?;
        self.before = self.before.saturating_sub(1);
        self.passed = 0;
        Some((task, Urgency::Preempted))
    }

    fn charge(&mut self, used: u64, urgency: Urgency) {
        match urgency {
            Urgency::Woken if self.has_less_urgent() => self.passed = self.passed.saturating_add(used),
            Urgency::Background => self.turn = self.turn.saturating_add(used),
            _ => {}
        }
        if self.turn >= SLICE {
            self.end_background_turn();
            self.passed = 0;
        }
    }

    /// The busy that wait now go before the next.
    fn end_background_turn(&mut self) {
        self.before = self.busy.len();
        self.turn = 0;
    }
}

impl Turn {
    /// Whether the worker may take from its slot without a look at the queues: for a number of tasks, within a tick, and
    /// what is of the share that pays.
    pub(crate) fn may_stay(&self, ticks: u64, next: &Member) -> bool {
        let same = |(share, _): &(Arc<Share>, _)| Arc::ptr_eq(share, next.share());
        self.streak < SLOT_STREAK && self.looked == ticks && self.running.as_ref().is_some_and(same)
    }

    /// The worker takes from its slot.
    pub(crate) fn stays(&mut self) {
        self.streak = self.streak.saturating_add(1);
    }

    /// A task from the queues, of `member`, begins to run.
    pub(crate) fn begin(&mut self, member: &Member, urgency: Urgency, now: u64) {
        self.running = Some((Arc::clone(member.share()), urgency));
        self.since = now;
    }
}

#[cfg(test)]
mod tests;
