//! The run queues, and the rule that says which task a worker takes next.
//!
//! Owns the order. Pure: time is an argument, and nothing here waits or knows a thread, so the rule can be tested by
//! count. Refuses to know what a task is.
//!
//! The rule has three levels. Of the shares that have something to run, the one that has used least for its weight is next:
//! whatever one does, another waits for the pieces under way. So it is among those inside of it. Within the innermost, who
//! was woken comes before who used up its slice, and both before starts and ends ([`Group`]).
//!
//! A share that has spent its allowance is put aside until that has grown again, with all that waits of it. Whoever has ended
//! waits for no allowance: it gives back memory, on the time of a share of its own.

mod group;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::group::Group;
use crate::clock::TICK;
use crate::share::{Member, Portion, Share};

#[cfg(test)]
pub(crate) use self::group::{PATIENCE, YIELDS};

/// How often in a row a worker takes from its slot before it looks at the queues: two processes that talk to each
/// other must not keep the rest waiting.
const SLOT_STREAK: u32 = 32;

pub(crate) const SLICE: u64 = TICK.as_nanos() as u64;

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
    tops: Level<Top<T>>,
    /// Virtual time: that of the share served last.
    now: u64,
    /// Tells the order in which tasks came.
    next_ticket: u64,
    /// Nanoseconds that all tasks have used.
    used: u64,
    /// Whose time ends take that wait for no allowance.
    ends: Arc<Share>,
}

/// What a worker takes, and on whose account.
pub(crate) struct Next<T> {
    pub(crate) task: T,
    pub(crate) urgency: Urgency,
    /// A rest may just have ended: several tasks are ready at once, and nobody was woken for them.
    pub(crate) rested: bool,
    /// Its own share doesn't pay for it.
    expedited: bool,
}

/// Shares beside each other of which something waits.
struct Level<G> {
    /// By their place. Whoever changes that moves them.
    ready: BTreeMap<(u64, u64), Box<G>>,
    /// Those put aside, by when their rest is over, and their id.
    resting: BTreeMap<(u64, u64), Box<G>>,
    /// Tasks of those that are ready.
    len: usize,
    /// Some may have come back from their rest since somebody asked.
    rested: bool,
}

/// What waits of a share.
trait Waiting {
    fn share(&self) -> &Arc<Share>;

    /// Tasks, but for those of whom it is known that they rest.
    fn len(&self) -> usize;

    /// Nothing waits of it.
    fn is_empty(&self) -> bool;

    /// Until when nothing of it may run; none: something may.
    fn rests_until(&mut self, now: u64) -> Option<u64>;
}

/// What waits of a share that stands beside all others.
struct Top<T> {
    share: Arc<Share>,
    groups: Level<Group<T>>,
}

/// What a worker remembers from one task to the next.
#[derive(Default)]
pub(crate) struct Turn {
    /// Tasks it took from its slot since it looked at the queues.
    streak: u32,
    /// The tick at which it looked at the queues.
    looked: u64,
    /// What it took from the queues then. What it took from its slot since counts as the same.
    running: Option<Running>,
    /// When that began, in nanoseconds.
    since: u64,
}

struct Running {
    share: Arc<Share>,
    urgency: Urgency,
    expedited: bool,
}

impl<T> Default for Queues<T> {
    fn default() -> Queues<T> {
        let ends = Share::inside(&Share::new(Portion::WEIGHT), Portion::WEIGHT);
        Queues { tops: Level::default(), now: 0, next_ticket: 0, used: 0, ends }
    }
}

impl<T: Task> Queues<T> {
    /// `ticks`: what time it is.
    pub(crate) fn push(&mut self, task: T, urgency: Urgency, ticks: u64) {
        let member = Arc::clone(task.member());
        let (share, urgency) = match member.is_expedited() {
            true => (&self.ends, Urgency::Background),
            false => (member.share(), urgency),
        };
        let place = (ticks.saturating_mul(SLICE).saturating_add(group::yields(&member)), self.next_ticket);
        self.next_ticket = self.next_ticket.wrapping_add(1);
        if share.is_capped() {
            member.set_place(place);
        }
        let outer = share.top();
        let top = self.tops.enter(outer, self.now, || Top::new(outer));
        top.groups.enter(share, outer.inner_now(), || Group::new(share)).push(task, urgency, place);
        top.groups.len = top.groups.len.saturating_add(1);
        self.tops.len = self.tops.len.saturating_add(1);
    }

    /// Tasks that wait for nothing but a worker, as far as is known: whose shares have to rest is found out when it
    /// would be their turn.
    pub(crate) fn len(&self) -> usize {
        self.tops.len
    }

    /// When the first share that was put aside may run again; none: none was.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.tops.next_due()
    }

    /// Nanoseconds that all tasks have used, but for what runs just now.
    pub(crate) fn used(&self) -> u64 {
        self.used
    }

    /// The worker whose `turn` it is looks at the queues, `now` in nanoseconds: what it ran is over, and its share pays.
    pub(crate) fn look(&mut self, turn: &mut Turn, now: u64, ticks: u64) {
        turn.streak = 0;
        turn.looked = ticks;
        let Some(Running { share, urgency, expedited }) = turn.running.take() else { return };
        let used = now.saturating_sub(turn.since);
        self.used = self.used.saturating_add(used);
        share.count(used);
        share.top().count(used);
        let share = if expedited { Arc::clone(&self.ends) } else { share };
        self.change(&share, |group| {
            share.charge(used, now);
            share.top().charge(used, now);
            if let Some(group) = group {
                group.charge(used, urgency);
            }
        });
    }

    /// The next task. With the latest time there is: whatever waits, be it put aside.
    pub(crate) fn next(&mut self, now: u64) -> Option<Next<T>> {
        let (time, mut first) = self.tops.first(now)?;
        self.now = self.now.max(time);
        let top = first.get_mut();
        let next = top.next(now);
        let inner_rested = std::mem::take(&mut top.groups.rested);
        let expedited = Arc::ptr_eq(&top.share, self.ends.top());
        if top.is_empty() {
            first.remove();
        }
        let rested = std::mem::take(&mut self.tops.rested) || inner_rested;
        let (task, urgency) = next?;
        self.tops.len = self.tops.len.saturating_sub(1);
        Some(Next { task, urgency, rested, expedited })
    }

    /// The member has ended: if it waits for an allowance, it does so no longer. True: it did.
    pub(crate) fn expedite(&mut self, member: &Member, ticks: u64) -> bool {
        let task = self.change(member.share(), |group| group?.remove(member.place()));
        let found = task.is_some();
        if let Some(task) = task {
            self.push(task, Urgency::Background, ticks);
        }
        found
    }

    /// Changes what waits of a share, with what its place depends on.
    fn change<R>(&mut self, share: &Arc<Share>, change: impl FnOnce(Option<&mut Group<T>>) -> R) -> R {
        let mut top = self.tops.take(share.top());
        let mut group = top.as_mut().and_then(|top| top.groups.take(share));
        let result = change(group.as_deref_mut());
        if let Some(mut top) = top {
            if let Some(group) = group {
                top.groups.put(group);
            }
            self.tops.put(top);
        }
        result
    }
}

impl<T> Top<T> {
    fn new(share: &Arc<Share>) -> Top<T> {
        Top { share: Arc::clone(share), groups: Level::default() }
    }

    fn next(&mut self, now: u64) -> Option<(T, Urgency)> {
        let (time, mut first) = self.groups.first(now)?;
        self.share.serve(time);
        let next = first.get_mut().next();
        if first.get().is_empty() {
            first.remove();
        }
        self.groups.len = self.groups.len.saturating_sub(usize::from(next.is_some()));
        next
    }
}

impl<T> Waiting for Top<T> {
    fn share(&self) -> &Arc<Share> {
        &self.share
    }

    fn len(&self) -> usize {
        self.groups.len
    }

    fn is_empty(&self) -> bool {
        self.groups.ready.is_empty() && self.groups.resting.is_empty()
    }

    /// Also when each of those inside of it has to.
    fn rests_until(&mut self, now: u64) -> Option<u64> {
        if let Some(until) = self.share.rests_until(now) {
            return Some(until);
        }
        match self.groups.first(now) {
            Some(_) => None,
            None => self.groups.next_due(),
        }
    }
}

impl<T> Waiting for Group<T> {
    fn share(&self) -> &Arc<Share> {
        self.share()
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn rests_until(&mut self, now: u64) -> Option<u64> {
        self.share().rests_until(now)
    }
}

impl<G> Default for Level<G> {
    fn default() -> Level<G> {
        Level { ready: BTreeMap::new(), resting: BTreeMap::new(), len: 0, rested: false }
    }
}

/// The first of those that are ready.
type First<'l, G> = std::collections::btree_map::OccupiedEntry<'l, (u64, u64), Box<G>>;

impl<G: Waiting> Level<G> {
    /// What waits of a share to which something is added. Of which nothing waited, it comes in at the virtual time `now`. Whether
    /// it has to rest shows when it would be its turn.
    fn enter(&mut self, share: &Arc<Share>, now: u64, new: impl FnOnce() -> G) -> &mut G {
        if share.aside() > 0
            && let Some(back) = self.take(share)
        {
            self.put(back);
        } else if !self.ready.contains_key(&share.place()) {
            share.arrive(now);
        }
        self.ready.entry(share.place()).or_insert_with(|| Box::new(new()))
    }

    /// Takes out what waits of a share.
    fn take(&mut self, share: &Share) -> Option<Box<G>> {
        match share.aside() {
            0 => {
                let taken = self.ready.remove(&share.place())?;
                self.len = self.len.saturating_sub(taken.len());
                Some(taken)
            }
            until => {
                // Its rest may be over, and nobody has looked since.
                self.rested = true;
                share.put_aside(0);
                self.resting.remove(&(until, share.id()))
            }
        }
    }

    /// Puts in what still waits of a share.
    fn put(&mut self, waiting: Box<G>) {
        if !waiting.is_empty() {
            self.len = self.len.saturating_add(waiting.len());
            self.ready.insert(waiting.share().place(), waiting);
        }
    }

    /// The first of those that may run, and its virtual time. Whose rest is over comes back, and who has to rest is put
    /// aside.
    fn first(&mut self, now: u64) -> Option<(u64, First<'_, G>)> {
        while let Some(rested) = self.resting.first_entry().filter(|rested| rested.key().0 <= now) {
            let rested = rested.remove();
            rested.share().put_aside(0);
            self.put(rested);
            self.rested = true;
        }
        while let Some(mut first) = self.ready.first_entry() {
            let before = first.get().len();
            let rests = first.get_mut().rests_until(now);
            let after = if rests.is_some() { 0 } else { first.get().len() };
            self.len = self.len.saturating_sub(before).saturating_add(after);
            let Some(until) = rests else { break };
            let resting = first.remove();
            resting.share().put_aside(until);
            self.resting.insert((until, resting.share().id()), resting);
        }
        let first = self.ready.first_entry()?;
        Some((first.key().0, first))
    }

    fn next_due(&self) -> Option<u64> {
        self.resting.first_key_value().map(|((until, _), _)| *until)
    }
}

impl Turn {
    /// Whether the worker may take from its slot without a look at the queues: for a number of tasks, within a tick, and
    /// what is of the share that pays.
    pub(crate) fn may_stay(&self, ticks: u64, next: &Member) -> bool {
        let pays = |running: &Running| !running.expedited && Arc::ptr_eq(&running.share, next.share());
        self.streak < SLOT_STREAK && self.looked == ticks && self.running.as_ref().is_some_and(pays)
    }

    /// The worker takes from its slot.
    pub(crate) fn stays(&mut self) {
        self.streak = self.streak.saturating_add(1);
    }

    /// What came from the queues begins to run.
    pub(crate) fn begin<T: Task>(&mut self, next: &Next<T>, now: u64) {
        let share = Arc::clone(next.task.member().share());
        self.running = Some(Running { share, urgency: next.urgency, expedited: next.expedited });
        self.since = now;
    }
}

#[cfg(test)]
mod tests;
