//! The engine's thread for time: it ticks epochs while processes run, and wakes processes whose timer is due.
//!
//! Owns both because they are one wait. Refuses to know processes: a timer is a waker. Rests completely while nothing
//! runs and no timer is set.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

/// The time slice. A process that runs longer than one to two ticks yields to the others; a kill takes as long.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// Ticks without any run before the thread stops ticking. Waking it costs the waker a system call, so a busy node
/// keeps it awake through short pauses.
const IDLE_TICKS: u32 = 10;

/// What happens at each tick: the epoch, and work that waits too long for its worker.
pub(crate) type OnTick = Box<dyn Fn() + Send + Sync>;

pub(crate) struct Clock {
    timers: Mutex<Timers>,
    changed: Condvar,
    /// Processes inside their instance right now.
    running: AtomicUsize,
    /// Runs begun, ever: tells activity between two ticks.
    runs: AtomicU64,
    /// The thread doesn't tick; whoever begins a run wakes it.
    resting: AtomicBool,
    origin: Instant,
    on_tick: OnTick,
}

#[derive(Default)]
struct Timers {
    queue: BTreeMap<(u64, u64), Waker>,
    next_key: u64,
    /// When the thread will look by itself; `u64::MAX`: not at all.
    looks_at: u64,
}

/// A timer that is set. Ordered by deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimerKey(u64, u64);

impl TimerKey {
    /// Nanoseconds of the engine's monotonic clock.
    pub(crate) fn deadline(self) -> u64 {
        self.0
    }
}

impl Clock {
    /// Starts the thread. It ends when the clock is dropped.
    pub(crate) fn start(on_tick: OnTick) -> std::io::Result<Arc<Clock>> {
        let clock = Arc::new(Clock {
            timers: Mutex::default(),
            changed: Condvar::new(),
            running: AtomicUsize::new(0),
            runs: AtomicU64::new(0),
            resting: AtomicBool::new(false),
            origin: Instant::now(),
            on_tick,
        });
        let weak = Arc::downgrade(&clock);
        thread::Builder::new().name("lunarium-clock".into()).spawn(move || tick(&weak))?;
        Ok(clock)
    }

    /// Nanoseconds since the engine started.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Tells that a process enters its instance: from now on epochs tick.
    pub(crate) fn begin_run(&self) {
        self.running.fetch_add(1, Ordering::SeqCst);
        self.runs.fetch_add(1, Ordering::Relaxed);
        if self.resting.load(Ordering::SeqCst) {
            let _timers = self.timers.lock().unwrap_or_else(PoisonError::into_inner);
            self.changed.notify_one();
        }
    }

    /// Tells that a process left its instance.
    pub(crate) fn end_run(&self) {
        self.running.fetch_sub(1, Ordering::SeqCst);
    }

    /// Wakes `waker` at `deadline` (nanoseconds of `now`), once.
    pub(crate) fn set(&self, deadline: u64, waker: Waker) -> TimerKey {
        let mut timers = self.timers.lock().unwrap_or_else(PoisonError::into_inner);
        let key = timers.next_key;
        timers.next_key = key.wrapping_add(1);
        timers.queue.insert((deadline, key), waker);
        if deadline < timers.looks_at {
            timers.looks_at = deadline;
            self.changed.notify_one();
        }
        TimerKey(deadline, key)
    }

    /// Forgets a timer; one that has fired is fine.
    pub(crate) fn cancel(&self, key: TimerKey) {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner).queue.remove(&(key.0, key.1));
    }

    /// How many timers are set.
    #[cfg(test)]
    pub(crate) fn timers(&self) -> usize {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner).queue.len()
    }

    fn due(&self, timers: &mut Timers, now: u64) -> Vec<Waker> {
        let later = timers.queue.split_off(&(now.saturating_add(1), 0));
        std::mem::replace(&mut timers.queue, later).into_values().collect()
    }
}

fn tick(clock: &Weak<Clock>) {
    let mut seen_runs = 0;
    let mut idle = 0;
    loop {
        // The clock is held for one wait at a time, so that dropping it ends the thread within a second.
        let Some(clock) = clock.upgrade() else { return };
        let mut timers = clock.timers.lock().unwrap_or_else(PoisonError::into_inner);
        let runs = clock.runs.load(Ordering::Relaxed);
        idle = if runs != seen_runs || clock.running.load(Ordering::SeqCst) > 0 { 0 } else { idle + 1 };
        seen_runs = runs;
        let now = clock.now();
        let next = timers.queue.first_key_value().map(|((deadline, _), _)| deadline.saturating_sub(now));
        let next = next.map_or(Duration::from_secs(1), Duration::from_nanos).min(Duration::from_secs(1));
        clock.resting.store(idle > IDLE_TICKS, Ordering::SeqCst);
        let rests = idle > IDLE_TICKS && clock.running.load(Ordering::SeqCst) == 0;
        let wait = if rests { next } else { next.min(TICK) };
        timers.looks_at = now.saturating_add(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX));
        let (mut timers, _) = clock.changed.wait_timeout(timers, wait).unwrap_or_else(PoisonError::into_inner);
        let due = clock.due(&mut timers, clock.now());
        drop(timers);
        clock.resting.store(false, Ordering::SeqCst);
        (clock.on_tick)();
        due.into_iter().for_each(Waker::wake);
    }
}
