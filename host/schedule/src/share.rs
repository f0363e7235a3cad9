//! Whose a task is: shares of the workers' time, how much of it each has had, and how much it may have.
//!
//! Owns the arithmetic: which share is inside of which, the virtual time of one by its weight, until when one rests that has a
//! most, and how long a member runs from one wait to the next. Refuses to know what waits: the queues do.

use std::ops::RangeInclusive;
use std::sync::Arc;
// Numbers that nobody waits for: the standard library's, under test too.
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::clock::{TICK, nanoseconds};
use crate::watch::Watch;

/// What a share gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion {
    /// Beside others it gets time by it, one of [`Portion::WEIGHTS`].
    pub weight: u32,
    /// CPU time that it gets in a second at most, one of [`Portion::MOSTS`], also when nobody else wants it: half a second is
    /// half a core. None: all that there is.
    pub most: Option<Duration>,
}

/// A share of the workers. One that is made by [`Share::new`] stands beside all others and holds those that are inside of
/// it; tasks are of these. Beside others it gets time by its weight, and what these leave, up to its most. Two shares of
/// the same weight get the same, however many tasks each has. All tasks below one are of one scheduler.
#[derive(Debug)]
pub struct Share {
    id: u64,
    weight: AtomicU64,
    parent: Option<Arc<Share>>,
    most: Most,
    /// Counts what is under way of it and of what is inside; none: nobody wants to know.
    watch: Option<Arc<Watch>>,
    /// Virtual time: nanoseconds used, divided by the weight. Changed under the queues' lock, as all below.
    time: AtomicU64,
    /// Nanoseconds that the weight hasn't divided yet.
    rest: AtomicU64,
    /// Of those inside of it: the virtual time of the one served last.
    now: AtomicU64,
    /// Nanoseconds it has used.
    used: AtomicU64,
    /// Until when it was put aside; 0: it wasn't.
    aside: AtomicU64,
}

/// The most that a share gets: an allowance that grows with time, and is spent by what it uses.
#[derive(Debug)]
struct Most {
    /// Nanoseconds in a second; 0: there is no most.
    rate: AtomicU64,
    /// By when the allowance has paid for all that was used.
    paid: AtomicU64,
}

/// A task as one of a share.
#[derive(Debug)]
pub struct Member {
    share: Arc<Share>,
    /// The share's, here for who looks at each poll.
    watch: Option<Arc<Watch>>,
    /// Nanoseconds that it runs from one wait to the next: a quarter of the last time, and three of what it was before. So
    /// who runs for long every second time is long, and one that was held up once, by the machine, isn't.
    burst: AtomicU64,
    /// It has nothing to do any more but to end.
    ended: AtomicBool,
    /// Since when it waits for a worker; 0: not known.
    waits_since: AtomicU64,
    /// Where it was put into the queues last. Kept for those only whose share may have to rest.
    place: (AtomicU64, AtomicU64),
}

/// The longest burst, in nanoseconds: a slice. What is longer says nothing about how fast it reacts.
const LONGEST_BURST: u64 = 2 * TICK.as_nanos() as u64;

/// How much allowance one can save up: that of so many nanoseconds. As the period by which Linux bounds groups of threads:
/// who wakes now and then, and uses less than its allowance over that time, never has to rest.
const SAVED: u64 = 100_000_000;

const SECOND: u64 = 1_000_000_000;

impl Portion {
    /// Of those who have no reason for another.
    pub const WEIGHT: u32 = 100;
    /// What a weight can be; a number outside counts as the nearest. One may want a hundred times what is usual, or a
    /// hundredth.
    pub const WEIGHTS: RangeInclusive<u32> = 1..=10_000;
    /// What a most can be, in a second; what is outside counts as the nearest: from a hundredth of a core, by which a slice is paid
    /// for after a fifth of a second, to a thousand cores.
    pub const MOSTS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(1000);
}

impl Portion {
    fn weight(self) -> u64 {
        self.weight.clamp(*Portion::WEIGHTS.start(), *Portion::WEIGHTS.end()).into()
    }

    /// Nanoseconds in a second; 0: all that there is.
    fn rate(self) -> u64 {
        self.most.map_or(0, |most| nanoseconds(most.clamp(*Portion::MOSTS.start(), *Portion::MOSTS.end())))
    }
}

impl Default for Portion {
    fn default() -> Portion {
        Portion { weight: Portion::WEIGHT, most: None }
    }
}

impl From<u32> for Portion {
    fn from(weight: u32) -> Portion {
        Portion { weight, most: None }
    }
}

impl Share {
    /// A share beside all others.
    pub fn new(portion: impl Into<Portion>) -> Arc<Share> {
        Share::make(None, portion.into(), None)
    }

    /// The same, with a count of what is under way of it.
    pub fn watched(portion: impl Into<Portion>, watch: Arc<Watch>) -> Arc<Share> {
        Share::make(None, portion.into(), Some(watch))
    }

    /// A share inside of one that [`Share::new`] has made: it gets a part of that one's time.
    pub fn inside(parent: &Arc<Share>, portion: impl Into<Portion>) -> Arc<Share> {
        // There are two levels.
        let parent = parent.parent.as_ref().unwrap_or(parent);
        Share::make(Some(Arc::clone(parent)), portion.into(), parent.watch.clone())
    }

    fn make(parent: Option<Arc<Share>>, portion: Portion, watch: Option<Arc<Watch>>) -> Arc<Share> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Arc::new(Share {
            id: NEXT.fetch_add(1, Relaxed),
            weight: AtomicU64::new(portion.weight()),
            parent,
            watch,
            most: Most { rate: AtomicU64::new(portion.rate()), paid: AtomicU64::new(0) },
            time: AtomicU64::new(0),
            rest: AtomicU64::new(0),
            now: AtomicU64::new(0),
            used: AtomicU64::new(0),
            aside: AtomicU64::new(0),
        })
    }

    /// From now on it gets this. What it has used counts as it did; one that has to rest by the old most does so. Tasks that were queued
    /// when it had no most, and whose members have ended, wait for the new one's allowance.
    pub fn set_portion(&self, portion: Portion) {
        self.weight.store(portion.weight(), Relaxed);
        self.most.rate.store(portion.rate(), Relaxed);
    }

    /// CPU time that its tasks have used, those of shares inside of it too, but for what runs just now.
    pub fn used(&self) -> Duration {
        Duration::from_nanos(self.used.load(Relaxed))
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// The share that it is inside of; its own for one that is inside of none.
    pub(crate) fn top(self: &Arc<Share>) -> &Arc<Share> {
        self.parent.as_ref().unwrap_or(self)
    }

    /// Its place among the shares beside it: the least is next.
    pub(crate) fn place(&self) -> (u64, u64) {
        (self.time.load(Relaxed), self.id)
    }

    /// It had nothing to run and has now, at this virtual time: what it didn't use meanwhile is gone.
    pub(crate) fn arrive(&self, now: u64) {
        self.time.fetch_max(now, Relaxed);
    }

    /// Virtual time of those inside of it.
    pub(crate) fn inner_now(&self) -> u64 {
        self.now.load(Relaxed)
    }

    /// One inside of it is served that stands at this virtual time.
    pub(crate) fn serve(&self, time: u64) {
        self.now.fetch_max(time, Relaxed);
    }

    /// It pays, at `now`, for so many nanoseconds.
    pub(crate) fn charge(&self, used: u64, now: u64) {
        let owed = self.rest.load(Relaxed).saturating_add(used);
        let weight = self.weight.load(Relaxed).max(1);
        let time = self.time.load(Relaxed).saturating_add(owed / weight);
        self.time.store(time, Relaxed);
        self.rest.store(owed % weight, Relaxed);
        self.most.charge(used, now);
    }

    /// It has used so many nanoseconds, whoever pays.
    pub(crate) fn count(&self, used: u64) {
        self.used.store(self.used.load(Relaxed).saturating_add(used), Relaxed);
    }

    /// Whether it, or the one that it is inside of, may have to rest.
    pub(crate) fn is_capped(&self) -> bool {
        self.most.is_one() || self.parent.as_ref().is_some_and(|parent| parent.most.is_one())
    }

    /// Until when it must not run: its allowance is spent. None: it may.
    pub(crate) fn rests_until(&self, now: u64) -> Option<u64> {
        let paid = self.most.paid.load(Relaxed);
        (self.most.is_one() && paid > now).then_some(paid)
    }

    /// Until when it was put aside; 0: it wasn't.
    pub(crate) fn aside(&self) -> u64 {
        self.aside.load(Relaxed)
    }

    pub(crate) fn put_aside(&self, until: u64) {
        self.aside.store(until, Relaxed);
    }
}

impl Most {
    fn is_one(&self) -> bool {
        self.rate.load(Relaxed) > 0
    }

    fn charge(&self, used: u64, now: u64) {
        let rate = self.rate.load(Relaxed);
        if rate == 0 {
            return;
        }
        let from = self.paid.load(Relaxed).max(now.saturating_sub(SAVED));
        let grows = u128::from(used).saturating_mul(SECOND.into()) / u128::from(rate);
        self.paid.store(from.saturating_add(u64::try_from(grows).unwrap_or(u64::MAX)), Relaxed);
    }
}

impl Member {
    /// Another one of this share. Of one that stands beside all others: of a share inside of it, for itself.
    pub fn of(share: &Arc<Share>) -> Arc<Member> {
        let share = match share.parent {
            Some(_) => Arc::clone(share),
            None => Share::inside(share, Portion::default()),
        };
        Arc::new(Member {
            watch: share.watch.clone(),
            share,
            burst: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            waits_since: AtomicU64::new(0),
            place: (AtomicU64::new(0), AtomicU64::new(0)),
        })
    }

    /// It waits now, and has run for `used` since it last did. Whoever polls a task measures that anyway; one of whom
    /// nothing is told counts as short.
    pub fn waits(&self, used: Duration) {
        let used = nanoseconds(used).min(LONGEST_BURST);
        let before = self.burst.load(Relaxed).saturating_mul(3);
        self.burst.store(before.saturating_add(used) / 4, Relaxed);
    }

    pub(crate) fn share(&self) -> &Arc<Share> {
        &self.share
    }

    /// Who counts what is under way of its share, if anybody does.
    pub fn watch(&self) -> Option<&Arc<Watch>> {
        self.watch.as_ref()
    }

    pub(crate) fn burst(&self) -> u64 {
        self.burst.load(Relaxed)
    }

    /// It is queued, and how long it waits is measured.
    pub(crate) fn waits_since(&self, now: u64) {
        self.waits_since.store(now.max(1), Relaxed);
    }

    /// A worker takes it: since when it was queued, if that is measured.
    pub(crate) fn waited_since(&self) -> Option<u64> {
        let since = self.waits_since.load(Relaxed);
        if since == 0 {
            return None;
        }
        self.waits_since.store(0, Relaxed);
        Some(since)
    }

    pub(crate) fn end(&self) {
        self.ended.store(true, Relaxed);
    }

    /// Its end is waited for by nobody's allowance: it has ended, and is of a share that may have to rest.
    pub(crate) fn is_expedited(&self) -> bool {
        self.ended.load(Relaxed) && self.share.is_capped()
    }

    /// Where it was put into the queues last.
    pub(crate) fn place(&self) -> (u64, u64) {
        (self.place.0.load(Relaxed), self.place.1.load(Relaxed))
    }

    pub(crate) fn set_place(&self, (time, ticket): (u64, u64)) {
        self.place.0.store(time, Relaxed);
        self.place.1.store(ticket, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Member, Portion, SAVED, SECOND, Share};

    const MS: u64 = 1_000_000;

    fn half() -> Portion {
        Portion { most: Some(Duration::from_millis(500)), ..Portion::default() }
    }

    #[test]
    fn an_allowance_grows_with_time_and_is_saved_up_for_a_while() {
        let share = Share::new(half());
        let now = 10 * SECOND;
        share.charge(SAVED / 2 - 1, now);
        assert_eq!(share.rests_until(now), None, "it had that saved up");
        share.charge(3 * MS, now);
        assert_eq!(share.rests_until(now), Some(now + 6 * MS - 2));
        assert_eq!(share.rests_until(now + 6 * MS), None);
        // However long it uses nothing.
        share.charge(SAVED, 100 * now);
        assert_eq!(share.rests_until(100 * now), Some(100 * now + SAVED));
    }

    #[test]
    fn a_portion_changes_and_what_was_used_counts() {
        let share = Share::new(100);
        share.charge(100 * MS, SECOND);
        assert!(!share.is_capped() && share.place().0 == MS);
        share.set_portion(Portion { weight: 50, ..half() });
        assert_eq!((share.is_capped(), share.rests_until(SECOND)), (true, None), "what it used before is paid for");
        share.charge(100 * MS, SECOND);
        assert_eq!(share.place().0, 3 * MS);
        assert_eq!(share.rests_until(SECOND), Some(SECOND - SAVED + 200 * MS));
        share.set_portion(Portion::default());
        assert_eq!((share.is_capped(), share.rests_until(SECOND)), (false, None));
        share.charge(100 * MS, SECOND);
        assert_eq!(share.place().0, 4 * MS);
    }

    #[test]
    fn a_portion_outside_counts_as_the_nearest() {
        let share = Share::new(Portion { weight: 0, most: Some(Duration::ZERO) });
        share.charge(MS, SECOND);
        assert_eq!(share.place().0, MS);
        assert_eq!(share.rests_until(SECOND), None);
        share.charge(MS, SECOND);
        assert_eq!(share.rests_until(SECOND), Some(SECOND + 100 * MS));
        let share = Share::new(u32::MAX);
        share.charge(20_000, SECOND);
        assert_eq!(share.place().0, 2);
        assert_eq!(share.rests_until(0), None);
    }

    #[test]
    fn a_share_inside_of_one_inside_is_beside_it() {
        let top = Share::new(100);
        let inner = Share::inside(&Share::inside(&top, 100), 100);
        assert_eq!(inner.top().id(), top.id());
        let member = Member::of(&top);
        assert!(member.share().id() != top.id() && member.share().top().id() == top.id());
        assert!(!member.share().is_capped() && Share::inside(&Share::new(half()), 1).is_capped());
    }
}
