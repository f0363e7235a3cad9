//! Whether a process lives, and who waits to know: its flags, its voice and its outcome.
//!
//! Owns the promise that the dead are silent: when [`Life::end`] has returned, nothing that the process does is seen by
//! anybody. Refuses to know why a process lives or dies: the kernel decides.

use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use lunarium_kernel::Outcome;
use parking_lot::Mutex;
use tokio::sync::Notify;

use lunarium_schedule::{Urgency, contain};

#[derive(Debug)]
pub(crate) struct Life {
    /// Held while the process does what others can see; false: it has ended. A flag alone would not do: what began
    /// before the end could be seen after it.
    voice: Mutex<bool>,
    killed: AtomicBool,
    preempted: AtomicBool,
    /// It has an instance, or one is being made: not when it begins, or begins anew.
    running: AtomicBool,
    /// It hasn't begun, and begins as urgently as the busy go on.
    hurries: AtomicBool,
    /// It has waited once.
    started: AtomicBool,
    /// Which incarnation it is in.
    incarnation: AtomicU64,
    outcome: OnceLock<Outcome>,
    /// Notified when it has started, when another incarnation begins, and when it has ended.
    progress: Notify,
}

impl Life {
    /// `hurries`: it begins as urgently as the busy go on, and not behind all that begins.
    pub(crate) fn new(hurries: bool) -> Life {
        Life {
            voice: Mutex::new(true),
            killed: AtomicBool::new(false),
            preempted: AtomicBool::new(false),
            running: AtomicBool::new(false),
            hurries: AtomicBool::new(hurries),
            started: AtomicBool::new(false),
            incarnation: AtomicU64::new(0),
            outcome: OnceLock::new(),
            progress: Notify::new(),
        }
    }

    /// Does what others can see, unless the process has ended: then nothing is done. The end waits for it, under the
    /// kernel's lock, so it has to be short and must not ask for that lock.
    pub(crate) fn speak<R>(&self, act: impl FnOnce() -> R) -> Option<R> {
        let alive = self.voice.lock();
        alive.then(act)
    }

    /// The process is dead for everybody from here on; with `forced` its instance is stopped where it stands.
    pub(crate) fn end(&self, outcome: Outcome, forced: bool) {
        if forced {
            self.kill();
        }
        *self.voice.lock() = false;
        // Only the first outcome counts, and the kernel reports one.
        let _ = self.outcome.set(outcome);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.outcome.get().is_some()
    }

    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        self.outcome.get()
    }

    /// Lets the runner drop the instance as soon as it gets there.
    pub(crate) fn kill(&self) {
        self.killed.store(true, Ordering::Release);
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }

    /// Notes that the process used up its time slice.
    pub(crate) fn preempt(&self) {
        self.preempted.store(true, Ordering::Relaxed);
    }

    /// Whether it has an instance, or one is being made.
    pub(crate) fn set_running(&self, running: bool) {
        self.running.store(running, Ordering::Relaxed);
        self.hurries.store(false, Ordering::Relaxed);
    }

    /// Whether it has an instance, or one is being made.
    pub(crate) fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed)
    }

    /// How urgently its runner wants to be polled; asked once, when it is queued. What has ended has time.
    pub(crate) fn urgency(&self) -> Urgency {
        let preempted = self.preempted.swap(false, Ordering::Relaxed);
        if self.is_killed() || self.has_ended() {
            Urgency::Background
        } else if !self.running.load(Ordering::Relaxed) {
            if self.hurries.load(Ordering::Relaxed) { Urgency::Preempted } else { Urgency::Background }
        } else if preempted {
            Urgency::Preempted
        } else {
            Urgency::Woken
        }
    }

    /// The process waits for the first time.
    pub(crate) fn start(&self) {
        self.started.store(true, Ordering::Release);
        self.announce();
    }

    /// Whether it has waited once.
    pub(crate) fn has_started(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }

    /// Wakes whoever waits for the start or the end. Those wakers are the embedder's: a panic in one is not that of the
    /// process on whose thread it happens, and nothing of what follows from an end is left out for it.
    pub(crate) fn announce(&self) {
        contain(|| self.progress.notify_waiters());
    }

    /// Which incarnation it is in.
    pub(crate) fn incarnation(&self) -> u64 {
        self.incarnation.load(Ordering::Acquire)
    }

    /// The incarnation is over, and another begins.
    pub(crate) fn begin_anew(&self) {
        self.incarnation.fetch_add(1, Ordering::AcqRel);
        self.announce();
    }

    /// Whether the process has ended, or this incarnation of it has.
    pub(crate) fn is_over(&self, incarnation: u64) -> bool {
        self.has_ended() || self.incarnation() != incarnation
    }

    /// Waits until it is.
    pub(crate) async fn over(&self, incarnation: u64) {
        self.until(|| self.is_over(incarnation).then_some(())).await;
    }

    /// Waits for the first wait of the process; false: it ended before.
    pub(crate) async fn started(&self) -> bool {
        let look = || {
            // The end first: one that starts and ends between two looks has started.
            let ended = self.has_ended();
            let started = self.has_started();
            (started || ended).then_some(started)
        };
        self.until(look).await
    }

    /// Waits for the end.
    pub(crate) async fn ended(&self) -> Outcome {
        self.until(|| self.outcome().cloned()).await
    }

    /// Looks after each step of progress until there is something to see.
    async fn until<T>(&self, look: impl Fn() -> Option<T>) -> T {
        loop {
            let mut progress = pin!(self.progress.notified());
            // From here on nothing is missed.
            progress.as_mut().enable();
            if let Some(seen) = look() {
                return seen;
            }
            progress.await;
        }
    }
}
