//! The thread for time: it ticks while something runs, and wakes who set a timer that is due.
//!
//! Owns both because they are one wait. Refuses to know what runs: a run is a guard, a timer a waker. Rests completely
//! while nothing runs, until the next timer. A clock that stands still has no thread: it goes on when it is told to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use crate::contain::contain;
use crate::sleep::Sleep;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Guard, Instant, Monitor, thread};

/// The time slice. A process that runs longer than one to two ticks yields to the others; a kill takes as long.
pub const TICK: Duration = Duration::from_millis(1);

/// Timers are due at the multiples of this on the clock, the next one after their deadline: however short a wait is, the
/// machine wakes 4,000 times a second for whoever repeats it.
pub const GRAIN: Duration = Duration::from_micros(250);

/// Ticks without any run before the thread stops ticking. Waking it costs the waker a system call, so a busy node
/// keeps it awake through short pauses.
const IDLE_TICKS: u32 = 10;

/// What happens at each tick: the epoch, and work that waits too long for its worker. Called on the clock's thread.
pub type OnTick = Box<dyn Fn() + Send + Sync>;

/// Ticks and timers, on a thread of its own. Dropping it ends the thread at once; timers that are set are forgotten.
pub struct Clock {
    shared: Arc<Shared>,
}

struct Shared {
    timers: Monitor<Timers>,
    /// Runs under way.
    running: AtomicUsize,
    /// Runs begun, ever: tells activity between two ticks.
    runs: AtomicU64,
    /// The thread doesn't tick, or is about to look whether it may stop; whoever begins a run wakes it.
    resting: AtomicBool,
    origin: Instant,
    /// What a clock that stands still shows; none: time goes by.
    told: Option<AtomicU64>,
    on_tick: OnTick,
}

#[derive(Default)]
struct Timers {
    queue: BTreeMap<(u64, u64), Waker>,
    next_key: u64,
    /// When the thread will look by itself; `u64::MAX`: not at all.
    looks_at: u64,
    stopped: bool,
}

/// A timer that is set. Ordered by deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimerKey(u64, u64);

impl TimerKey {
    /// When it is due, in nanoseconds of the clock.
    pub fn deadline(self) -> u64 {
        self.0
    }
}

/// A run under way: the clock ticks until this is dropped.
#[must_use = "the run is over when this is dropped"]
pub struct Run<'a>(&'a Shared);

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Clock {
    /// Starts the thread.
    ///
    /// `on_tick` is called once a [`TICK`] while something runs, and never more often: neither timers nor runs that
    /// begin add one. Its panic is contained: the next tick comes.
    ///
    /// Errors: the system gives no more threads.
    pub fn start(on_tick: OnTick) -> std::io::Result<Arc<Clock>> {
        let shared = Arc::new(Shared {
            timers: Monitor::default(),
            running: AtomicUsize::new(0),
            runs: AtomicU64::new(0),
            resting: AtomicBool::new(false),
            origin: Instant::now(),
            told: None,
            on_tick,
        });
        let thread = Arc::clone(&shared);
        thread::Builder::new().name("lunarium-clock".into()).spawn(move || thread.work())?;
        Ok(Arc::new(Clock { shared }))
    }

    /// A clock that stands still at 0, without a thread: it goes on by [`Clock::go_on`] alone.
    pub fn still() -> Arc<Clock> {
        let shared = Shared {
            timers: Monitor::default(),
            running: AtomicUsize::new(0),
            runs: AtomicU64::new(0),
            resting: AtomicBool::new(false),
            origin: Instant::now(),
            told: Some(AtomicU64::new(0)),
            on_tick: Box::new(|| ()),
        };
        Arc::new(Clock { shared: Arc::new(shared) })
    }

    /// Lets a clock that stands still show `time`, and wakes what is due then, in the order of the deadlines. It never goes back.
    pub fn go_on(&self, time: u64) {
        let Some(told) = &self.shared.told else { return };
        let now = told.fetch_max(time, Ordering::SeqCst).max(time);
        let due = self.shared.timers.lock().due(now);
        due.into_iter().for_each(|waker| contain(|| waker.wake()));
    }

    /// When the earliest timer is due. None: no timer is set.
    pub fn next_due(&self) -> Option<u64> {
        self.shared.timers.lock().queue.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    /// Nanoseconds since the clock started.
    pub fn now(&self) -> u64 {
        self.shared.now()
    }

    /// Tells that a process enters its instance: the next tick comes within a [`TICK`], and more until the guard is
    /// dropped, by a panic too.
    pub fn begin_run(&self) -> Run<'_> {
        let shared = &*self.shared;
        shared.running.fetch_add(1, Ordering::SeqCst);
        shared.runs.fetch_add(1, Ordering::Relaxed);
        if shared.resting.load(Ordering::SeqCst) {
            // The thread set the flag under the lock, and gives that away only to wait.
            drop(shared.timers.lock());
            shared.timers.notify_one();
        }
        Run(shared)
    }

    /// When a timer with this deadline is due: at the next [`GRAIN`].
    pub fn due(deadline: u64) -> u64 {
        let grain = nanoseconds(GRAIN);
        deadline.div_ceil(grain).saturating_mul(grain)
    }

    /// Wakes `waker` when `deadline` (nanoseconds of [`Clock::now`]) is due, once, on the clock's thread. Its panic is
    /// contained.
    pub fn set(&self, deadline: u64, waker: Waker) -> TimerKey {
        let deadline = Clock::due(deadline);
        let mut timers = self.shared.timers.lock();
        let key = timers.next_key;
        timers.next_key = key.wrapping_add(1);
        timers.queue.insert((deadline, key), waker);
        let sooner = deadline < timers.looks_at;
        if sooner {
            timers.looks_at = deadline;
        }
        drop(timers);
        if sooner {
            self.shared.timers.notify_one();
        }
        TimerKey(deadline, key)
    }

    /// Forgets a timer; one that has fired is fine.
    pub fn cancel(&self, key: TimerKey) {
        let waker = self.shared.timers.lock().queue.remove(&(key.0, key.1));
        // Not under the lock: it may be a task's last one, and end it.
        drop(waker);
    }

    /// How many timers are set.
    pub fn timers(&self) -> usize {
        self.shared.timers.lock().queue.len()
    }

    /// A wait of that long from now.
    pub fn sleep(self: &Arc<Self>, duration: Duration) -> Sleep {
        Sleep::new(Arc::clone(self), duration)
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.shared.timers.lock().stopped = true;
        self.shared.timers.notify_one();
    }
}

/// What the thread knows between two waits.
#[derive(Default)]
struct Pace {
    seen_runs: u64,
    /// Ticks without any run.
    idle: u32,
    /// When the next tick is due, by the clock.
    next_tick: u64,
}

impl Shared {
    fn now(&self) -> u64 {
        match &self.told {
            None => nanoseconds(self.origin.elapsed()),
            Some(told) => told.load(Ordering::SeqCst),
        }
    }

    fn work(&self) {
        let mut pace = Pace::default();
        loop {
            let timers = self.timers.lock();
            if timers.stopped {
                return forget(timers);
            }
            let (mut timers, rested) = self.wait(timers, &pace);
            let now = self.now();
            let due = timers.due(now);
            drop(timers);
            self.resting.store(false, Ordering::SeqCst);
            let ticks = pace.step(now, rested, self.activity(pace.seen_runs));
            if ticks {
                contain(|| (self.on_tick)());
            }
            due.into_iter().for_each(|waker| contain(|| waker.wake()));
        }
    }

    /// Waits until the next tick or timer, or a notification. True: it rested, and didn't wait for a tick.
    fn wait<'a>(&'a self, mut timers: Guard<'a, Timers>, pace: &Pace) -> (Guard<'a, Timers>, bool) {
        let tired = pace.idle > IDLE_TICKS;
        // In this order, and a run the other way round: either it sees the flag, or it is seen here.
        self.resting.store(tired, Ordering::SeqCst);
        let rests = tired && self.running.load(Ordering::SeqCst) == 0;
        let timer = timers.queue.first_key_value().map_or(u64::MAX, |((deadline, _), _)| *deadline);
        let until = if rests { timer } else { timer.min(pace.next_tick) };
        timers.looks_at = until;
        let timers = match until {
            u64::MAX => self.timers.wait(timers),
            until => self.timers.wait_at_most(timers, Duration::from_nanos(until.saturating_sub(self.now()))),
        };
        (timers, rests)
    }

    /// How many runs were begun, ever, when there has been one since `seen` or one is under way.
    fn activity(&self, seen: u64) -> Option<u64> {
        let runs = self.runs.load(Ordering::Relaxed);
        (runs != seen || self.running.load(Ordering::SeqCst) > 0).then_some(runs)
    }
}

impl Pace {
    /// After a wait: whether it ticks now.
    fn step(&mut self, now: u64, rested: bool, activity: Option<u64>) -> bool {
        if let Some(runs) = activity {
            self.seen_runs = runs;
            self.idle = 0;
        }
        if rested {
            // The first tick after a rest is a whole one away, or the first slice would be short.
            self.next_tick = now.saturating_add(nanoseconds(TICK));
            return false;
        }
        let ticks = now >= self.next_tick;
        if ticks {
            self.next_tick = now.saturating_add(nanoseconds(TICK));
            self.idle = self.idle.saturating_add(1);
        }
        ticks
    }
}

impl Timers {
    fn due(&mut self, now: u64) -> Vec<Waker> {
        let later = self.queue.split_off(&(now.saturating_add(1), 0));
        std::mem::replace(&mut self.queue, later).into_values().collect()
    }
}

/// Drops what nobody waits for any more, here: whoever dropped the clock may hold a lock that a waker's end needs.
fn forget(mut timers: Guard<'_, Timers>) {
    let left = std::mem::take(&mut timers.queue);
    drop(timers);
    left.into_values().for_each(|waker| contain(|| drop(waker)));
}

/// A duration as the clock counts it: what is longer than 584 years is as long.
pub fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
