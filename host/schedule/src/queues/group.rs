//! What waits of one share, and which of it is next.
//!
//! Owns the innermost order. Who was woken comes before who used up its slice, and both before starts and ends; of the
//! woken, who runs shortly before who runs for long ([`YIELDS`]). But who is less urgent isn't passed over for longer than
//! [`PATIENCE`], and starts and ends take turns with the busy as if all of them were one: a hundred busy loops cost one that
//! reacts a slice at most, no load of woken ones starves the busy, and no busy ones a start. Refuses to know other shares.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::{SLICE, Urgency};
use crate::share::{Member, Share};

/// Nanoseconds that a share spends on woken tasks before a less urgent one of it has its turn.
pub(crate) const PATIENCE: u64 = 3 * SLICE;

/// How many times its own burst a woken task lets those go first that are woken after it. So one that runs for 20 µs
/// doesn't wait for two hundred that run for a millisecond, and these don't wait for ever.
pub(crate) const YIELDS: u64 = 512;

/// How long a woken task lets others go first, in nanoseconds.
pub(super) fn yields(member: &Member) -> u64 {
    member.burst().saturating_mul(YIELDS)
}

pub(super) struct Group<T> {
    share: Arc<Share>,
    /// By the time at which nobody goes first any more, in nanoseconds, then in order.
    woken: BTreeMap<(u64, u64), T>,
    busy: Line<T>,
    background: Line<T>,
    len: usize,
    /// Nanoseconds spent on woken tasks while others waited, since one of these has had its turn.
    passed: u64,
    /// Busy tasks that go before the next turn of the background.
    before: usize,
    /// Nanoseconds of the background's turn under way.
    turn: u64,
}

/// First in, first out, by tickets that grow. Who is taken out leaves a gap; the first is never one.
struct Line<T>(VecDeque<(u64, Option<T>)>);

impl<T> Group<T> {
    pub(super) fn new(share: &Arc<Share>) -> Group<T> {
        Group {
            share: Arc::clone(share),
            woken: BTreeMap::new(),
            busy: Line(VecDeque::new()),
            background: Line(VecDeque::new()),
            len: 0,
            passed: 0,
            before: 0,
            turn: 0,
        }
    }

    pub(super) fn share(&self) -> &Arc<Share> {
        &self.share
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// `place`: where it stands, if it is woken, and its ticket.
    pub(super) fn push(&mut self, task: T, urgency: Urgency, place: (u64, u64)) {
        self.len = self.len.saturating_add(1);
        match urgency {
            Urgency::Woken => drop(self.woken.insert(place, task)),
            Urgency::Preempted => self.busy.push(place.1, task),
            Urgency::Background => {
                if self.background.is_empty() {
                    self.end_background_turn();
                }
                self.background.push(place.1, task);
            }
        }
    }

    /// Takes out what was pushed with this place and still waits.
    pub(super) fn remove(&mut self, place: (u64, u64)) -> Option<T> {
        let woken = self.woken.remove(&place);
        let found = woken.or_else(|| self.busy.remove(place.1)).or_else(|| self.background.remove(place.1));
        self.len = self.len.saturating_sub(usize::from(found.is_some()));
        found
    }

    fn has_less_urgent(&self) -> bool {
        !self.busy.is_empty() || !self.background.is_empty()
    }

    pub(super) fn next(&mut self) -> Option<(T, Urgency)> {
        let next = self.choose();
        self.len = self.len.saturating_sub(usize::from(next.is_some()));
        next
    }

    fn choose(&mut self) -> Option<(T, Urgency)> {
        let others_turn = self.passed >= PATIENCE && self.has_less_urgent();
        if !others_turn && let Some((_, task)) = self.woken.pop_first() {
            return Some((task, Urgency::Woken));
        }
        let backgrounds_turn = self.before == 0 || self.busy.is_empty();
        if backgrounds_turn && let Some(task) = self.background.pop() {
            return Some((task, Urgency::Background));
        }
        let task = self.busy.pop()?;
        self.before = self.before.saturating_sub(1);
        self.passed = 0;
        Some((task, Urgency::Preempted))
    }

    pub(super) fn charge(&mut self, used: u64, urgency: Urgency) {
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
        self.before = self.busy.0.len();
        self.turn = 0;
    }
}

impl<T> Line<T> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn push(&mut self, ticket: u64, task: T) {
        self.0.push_back((ticket, Some(task)));
    }

    fn pop(&mut self) -> Option<T> {
        let (_, task) = self.0.pop_front()?;
        self.skip_gaps();
        task
    }

    fn remove(&mut self, ticket: u64) -> Option<T> {
        let index = self.0.binary_search_by_key(&ticket, |(ticket, _)| *ticket).ok()?;
        let task = self.0.get_mut(index)?.1.take();
        self.skip_gaps();
        task
    }

    fn skip_gaps(&mut self) {
        while self.0.front().is_some_and(|(_, task)| task.is_none()) {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Group, Urgency};
    use crate::share::Share;

    #[test]
    fn who_is_taken_out_leaves_no_trace() {
        let share = Share::inside(&Share::new(1), 1);
        let kinds = [Urgency::Woken, Urgency::Preempted, Urgency::Background];
        for taken in 0..9 {
            let mut group = Group::new(&share);
            for number in 0..9_u64 {
                group.push(number, kinds[number as usize % 3], (100 - number, number));
            }
            assert_eq!(group.remove((100 - taken, taken)), Some(taken));
            assert_eq!(group.remove((100 - taken, taken)), None);
            assert_eq!(group.remove((7, 77)), None);
            let left: Vec<_> = std::iter::from_fn(|| group.next()).map(|(number, _)| number).collect();
            let all = [6, 3, 0, 1, 2, 5, 8, 4, 7];
            let mut expected: Vec<_> = all.into_iter().filter(|number| *number != taken).collect();
            // In which order busy and background take turns is told elsewhere.
            let (mut left, woken) = (left, expected.iter().filter(|number| *number % 3 == 0).count());
            left[woken..].sort_unstable();
            expected[woken..].sort_unstable();
            assert_eq!((left, group.len()), (expected, 0));
        }
        assert_eq!(Arc::strong_count(&share), 1);
    }
}
