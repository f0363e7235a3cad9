//! What goes on at a site: how much it may have at once and in a second, and what was answered.
//!
//! Owns the counts, which outlive the exchange of a site. Touches no lock but for a body that doesn't come at once, and for an answer that
//! a connection's own buffers don't take: many requests come at once.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::refusal::Refusal;
use crate::clients::{Addresses, Key};
use crate::metrics::{HttpReading, buckets};

/// The upper ends of the steps in which the time of answers is counted; what takes longer is in a last one. From what a call takes to what
/// people wait.
pub const LATENCIES: [Duration; 14] = [
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(10),
];

/// With the last.
const STEPS: usize = LATENCIES.len() + 1;

/// How answers are told apart.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

const SECOND: u64 = 1_000_000_000;

/// Lines in a second that tell of what a site couldn't answer. At the limit: they are left out.
const FAILURE_LINES: u64 = 100;

/// Lines in a second that tell of what its clients did wrong, who could write without end else.
const MISTAKE_LINES: u64 = 20;

/// Of the requests that a site may have under way, one address may have a part whose bodies are waited for, and a part whose answers are
/// waited to be read: so many addresses at least have to come together to hold all of them.
const SLOW_PART: u32 = 8;

/// So many of one address are waited for in any case: what a browser or a proxy has open.
const SLOW_LEAST: u32 = 16;

/// What a request may be refused for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    PerSecond,
    AtOnce,
    Bytes,
    SlowBodies,
    UnreadAnswers,
}

impl Bound {
    /// As the metrics name them, in their order.
    const NAMES: [&str; 5] = ["requests_per_second", "requests_at_once", "body_bytes", "slow_bodies", "unread_answers"];
}

/// What a site may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrafficLimits {
    /// Requests in a second; 20,000 by default, more than two cores answer. At the limit: 429. After a pause as many come at once.
    pub requests_per_second: u32,
    /// Requests under way, until their answers are written, or are no more than 4 KiB to be written; 1,000 by default: those that come would
    /// wait longer than they are worth. At the limit: 503.
    pub requests_at_once: u32,
    /// Bytes of bodies that were read and wait for a process, and of answers that wait to be written; 64 MiB by default. They count to the
    /// node's memory, too. At the limit: 503.
    pub body_bytes: u64,
}

impl TrafficLimits {
    /// Requests of one address (of a network of 64 bits for IPv6) whose bodies are waited for at once, and as many whose answers wait to be
    /// read: an eighth of those under way, 16 at least. A body that comes together with its head isn't waited for, nor is an answer that a
    /// connection's buffers take. At the limit: 429.
    pub fn slow_per_address(&self) -> u32 {
        (self.requests_at_once / SLOW_PART).max(SLOW_LEAST)
    }
}

impl Default for TrafficLimits {
    fn default() -> Self {
        Self { requests_per_second: 20_000, requests_at_once: 1_000, body_bytes: 64 << 20 }
    }
}

/// What goes on at a site. Keep it for as long as the tenant is the same, however often its site is made anew.
#[derive(Debug)]
pub struct Traffic {
    limits: TrafficLimits,
    origin: Instant,
    /// Nanoseconds from the origin at which all that was let in would be worked off.
    due: AtomicU64,
    failure_lines: AtomicU64,
    mistake_lines: AtomicU64,
    under_way: AtomicU32,
    bytes: AtomicU64,
    /// Requests whose bodies are waited for, by whom they come from.
    slow: Mutex<Addresses>,
    /// Requests whose answers wait to be read, in the same way.
    unread: Mutex<Addresses>,
    refusals: [AtomicU64; Bound::NAMES.len()],
    /// Answers by the hundreds of their status, 2 to 5.
    answers: [AtomicU64; 4],
    latencies: [AtomicU64; STEPS],
    nanos: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
}

/// What a site has done and holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrafficUsage {
    /// Answers by the hundreds of their status: 2, 3, 4, 5.
    pub answers: [u64; 4],
    /// Answers by the time they took, in the steps of [`LATENCIES`], each without those before; the last is what took longer.
    pub latencies: Vec<u64>,
    /// What all of them took together.
    pub total: Duration,
    /// Bytes of bodies that came.
    pub received: u64,
    /// Bytes of bodies that were sent.
    pub sent: u64,
    /// Requests under way.
    pub under_way: u32,
    /// Those of them whose bodies are waited for.
    pub slow_bodies: u64,
    /// Those of them whose answers wait to be read.
    pub unread_answers: u64,
    /// Requests that were refused: for their number in a second, at once, for bytes of bodies, for bodies that don't come, for
    /// answers that aren't read.
    pub refusals: [u64; 5],
    /// Bytes of bodies that are held.
    pub held: u64,
}

impl From<TrafficUsage> for HttpReading {
    fn from(usage: TrafficUsage) -> Self {
        Self {
            answers: CLASSES.into_iter().zip(usage.answers).collect(),
            latencies: buckets(&LATENCIES, usage.latencies),
            total: usage.total,
            refusals: Bound::NAMES.into_iter().zip(usage.refusals).collect(),
            under_way: usage.under_way.into(),
            slow: (usage.slow_bodies, usage.unread_answers),
            bodies: (usage.received, usage.sent),
        }
    }
}

impl Traffic {
    /// Nothing has happened yet.
    pub fn new(limits: TrafficLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            origin: Instant::now(),
            due: AtomicU64::new(0),
            failure_lines: AtomicU64::new(0),
            mistake_lines: AtomicU64::new(0),
            under_way: AtomicU32::new(0),
            bytes: AtomicU64::new(0),
            slow: Mutex::default(),
            unread: Mutex::default(),
            refusals: Default::default(),
            answers: Default::default(),
            latencies: Default::default(),
            nanos: AtomicU64::new(0),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        })
    }

    /// What the site may have.
    pub fn limits(&self) -> &TrafficLimits {
        &self.limits
    }

    /// What was done, and what is held now.
    pub fn usage(&self) -> TrafficUsage {
        let read = |count: &AtomicU64| count.load(Relaxed);
        TrafficUsage {
            answers: self.answers.each_ref().map(read),
            latencies: self.latencies.iter().map(read).collect(),
            total: Duration::from_nanos(read(&self.nanos)),
            received: read(&self.received),
            sent: read(&self.sent),
            under_way: self.under_way.load(Relaxed),
            slow_bodies: self.slow.lock().sum(),
            unread_answers: self.unread.lock().sum(),
            refusals: self.refusals.each_ref().map(read),
            held: read(&self.bytes),
        }
    }

    /// Whether one request more fits into this second.
    pub(super) fn admit(&self) -> bool {
        passes(&self.due, self.now(), self.limits.requests_per_second.into())
    }

    /// A place for a request. None: too many are under way.
    pub(super) fn enter(self: &Arc<Self>) -> Option<UnderWay> {
        let most = self.limits.requests_at_once;
        let entered =
            self.under_way.fetch_update(Relaxed, Relaxed, |count| (count < most).then(|| count.saturating_add(1)));
        entered.ok().map(|_| UnderWay { traffic: Arc::clone(self), bytes: 0, unread: None })
    }

    /// A place for a request of this address whose body is waited for. None: it has as many as it may.
    pub(super) fn wait_for_body(&self, remote: IpAddr) -> Option<SlowBody<'_>> {
        let key = self.slow.lock().enter(remote, self.limits.slow_per_address())?;
        Some(SlowBody { traffic: self, key })
    }

    /// Whether a line may be written that tells of what the site couldn't answer, or else of what a client did wrong.
    pub(super) fn may_tell(&self, is_failure: bool) -> bool {
        match is_failure {
            true => passes(&self.failure_lines, self.now(), FAILURE_LINES),
            false => passes(&self.mistake_lines, self.now(), MISTAKE_LINES),
        }
    }

    /// A request was refused.
    pub(super) fn note_refusal(&self, bound: Bound) {
        if let Some(count) = self.refusals.get(bound as usize) {
            count.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn note_received(&self, bytes: usize) {
        self.received.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Relaxed);
    }

    pub(super) fn note_answer(&self, status: u16, took: Duration, bytes: usize) {
        let class = usize::from(status / 100).saturating_sub(2);
        if let Some(count) = self.answers.get(class) {
            count.fetch_add(1, Relaxed);
        }
        let step = LATENCIES.partition_point(|end| *end < took);
        if let Some(count) = self.latencies.get(step) {
            count.fetch_add(1, Relaxed);
        }
        self.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        self.sent.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Whether one more of so many in a second passes. What has passed puts `due` ahead, a second's worth at most.
fn passes(due: &AtomicU64, now: u64, per_second: u64) -> bool {
    let cost = SECOND / per_second.max(1);
    let latest = now.saturating_add(SECOND);
    due.fetch_update(Relaxed, Relaxed, |due| {
        let next = due.max(now).saturating_add(cost);
        (next <= latest).then_some(next)
    })
    .is_ok()
}

/// A body that is waited for, until this is dropped.
#[derive(Debug)]
pub(super) struct SlowBody<'t> {
    traffic: &'t Traffic,
    key: Key,
}

impl Drop for SlowBody<'_> {
    fn drop(&mut self) {
        self.traffic.slow.lock().leave(self.key);
    }
}

/// A request under way, until this is dropped, and the bytes that are held for it.
#[derive(Debug)]
pub(super) struct UnderWay {
    traffic: Arc<Traffic>,
    bytes: u64,
    /// Its answer waits to be read.
    unread: Option<Key>,
}

impl UnderWay {
    /// So many bytes more. False: the site has no room for them, and nothing is changed.
    pub(super) fn hold(&mut self, bytes: u64) -> bool {
        let most = self.traffic.limits.body_bytes;
        let fits = |held: u64| held.checked_add(bytes).filter(|held| *held <= most);
        let held = self.traffic.bytes.fetch_update(Relaxed, Relaxed, fits).is_ok();
        if held {
            self.bytes = self.bytes.saturating_add(bytes);
        }
        held
    }

    /// Its answer waits to be read by this address.
    ///
    /// Errors: it has as many of these as it may.
    ///
    /// An answer that is read at once is written before the thread that has made it does anything else, so it is hardly ever counted
    /// together with another one.
    pub(super) fn wait_for_reader(&mut self, remote: IpAddr) -> Result<(), Refusal> {
        let most = self.traffic.limits.slow_per_address();
        self.unread = self.traffic.unread.lock().enter(remote, most);
        self.unread.is_some().then_some(()).ok_or_else(|| Refusal::too_many_unread(most))
    }

    /// Gives back all bytes.
    pub(super) fn release(&mut self) {
        self.traffic.bytes.fetch_sub(std::mem::take(&mut self.bytes), Relaxed);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.release();
        if let Some(key) = self.unread.take() {
            self.traffic.unread.lock().leave(key);
        }
        self.traffic.under_way.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use std::sync::atomic::AtomicU64;
    use std::time::Duration;

    use super::{Bound, SECOND, Traffic, TrafficLimits, passes};
    use crate::metrics::HttpReading;

    #[test]
    fn as_many_pass_in_a_second_as_may() {
        let due = AtomicU64::new(0);
        let count = |now: u64| (0..1_000).filter(|_| passes(&due, now, 100)).count();
        assert_eq!(count(0), 100);
        assert_eq!(count(SECOND / 2), 50);
        assert_eq!(count(10 * SECOND), 100);
        assert_eq!(count(10 * SECOND), 0);
    }

    #[test]
    fn what_is_under_way_is_given_back() {
        let limits = TrafficLimits { requests_at_once: 2, body_bytes: 10, ..TrafficLimits::default() };
        let traffic = Traffic::new(limits);
        let (mut one, two) = (traffic.enter().unwrap(), traffic.enter().unwrap());
        assert!(traffic.enter().is_none());
        assert!(one.hold(6) && !one.hold(5) && one.hold(4));
        assert_eq!((traffic.usage().under_way, traffic.usage().held), (2, 10));
        drop((one, two));
        assert_eq!((traffic.usage().under_way, traffic.usage().held), (0, 0));
    }

    #[test]
    fn one_address_has_a_part_of_the_places_with_slow_bodies_and_with_unread_answers() {
        assert_eq!(
            [0, 100, 1_000].map(|requests_at_once| {
                TrafficLimits { requests_at_once, ..TrafficLimits::default() }.slow_per_address()
            }),
            [16, 16, 125]
        );
        let traffic = Traffic::new(TrafficLimits::default());
        let wait = |address: &str| traffic.wait_for_body(address.parse().unwrap());
        let mut held: Vec<_> = (0..125).map(|_| wait("2001:db8::1").unwrap()).collect();
        assert!(wait("2001:db8::2").is_none() && wait("10.0.0.1").is_some());
        held.pop();
        assert!(wait("2001:db8::2").is_some());
        drop(held);
        assert_eq!(traffic.usage().slow_bodies, 0);
        let unread = |address: &str| {
            let mut under_way = traffic.enter().unwrap();
            under_way.wait_for_reader(address.parse().unwrap()).ok().map(|()| under_way)
        };
        let held: Vec<_> = (0..125).map(|_| unread("2001:db8::1").unwrap()).collect();
        assert!(unread("2001:db8::2").is_none() && unread("10.0.0.1").is_some());
        assert_eq!((traffic.usage().unread_answers, traffic.usage().under_way), (125, 125));
        drop(held);
        assert_eq!((traffic.usage().unread_answers, traffic.usage().under_way), (0, 0));
    }

    #[test]
    fn what_was_refused_is_counted_by_the_bound() {
        let traffic = Traffic::new(TrafficLimits::default());
        [Bound::UnreadAnswers, Bound::PerSecond, Bound::UnreadAnswers]
            .into_iter()
            .for_each(|bound| traffic.note_refusal(bound));
        let told: Vec<_> =
            HttpReading::from(traffic.usage()).refusals.into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(told, [("requests_per_second", 1), ("unread_answers", 2)]);
    }

    #[test]
    fn answers_are_counted_by_status_and_time() {
        let traffic = Traffic::new(TrafficLimits::default());
        traffic.note_answer(200, Duration::from_micros(250), 5);
        traffic.note_answer(503, Duration::from_secs(60), 7);
        let usage = traffic.usage();
        assert_eq!((usage.answers, usage.sent, usage.total), ([1, 0, 0, 1], 12, Duration::from_micros(60_000_250)));
        assert_eq!((usage.latencies.first(), usage.latencies.last()), (Some(&1), Some(&1)));
    }
}
