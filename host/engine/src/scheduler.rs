//! Which process runs next, on which worker thread.
//!
//! Owns the run queues and the workers. A process that was woken runs before one that used up its time slice, so a
//! hundred busy loops don't delay a neighbour that only reacts; and a busy one runs at least every few ticks, so that
//! it isn't starved either. Refuses to know what a task does: it polls it.
//!
//! A woken task goes into the slot of the worker that woke it and runs there next, without waking another thread:
//! sender and receiver of a message share a cache, and a futex call would cost as much as the message.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use async_task::Runnable;

/// How often in a row a worker takes from its slot before it looks at the queues: two processes that talk to each
/// other must not keep the rest waiting.
const SLOT_STREAK: u32 = 32;

/// Ticks after which a busy process gets its turn even though woken ones wait.
const BUSY_PATIENCE: u64 = 3;

/// How urgently a task wants to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// It waited, and something has come for it.
    Woken,
    /// It used up its time slice.
    Preempted,
}

pub(crate) struct Scheduler {
    queues: Mutex<Queues>,
    work: Condvar,
    /// Workers that wait for work.
    idle: AtomicUsize,
    slots: Box<[Slot]>,
    ticks: AtomicU64,
    stopping: AtomicBool,
}

#[derive(Default)]
struct Queues {
    woken: VecDeque<Runnable>,
    busy: VecDeque<Runnable>,
    last_busy: u64,
}

#[derive(Default)]
struct Slot {
    task: Mutex<Option<Runnable>>,
    /// Set while a task lies in the slot; the clock clears it, and finds it clear at the next tick when it is the same.
    fresh: AtomicBool,
}

thread_local! {
    /// The scheduler (its address) and the slot of this worker thread.
    static WORKER: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

impl Scheduler {
    /// Starts `workers` threads. They end with `stop`.
    pub(crate) fn start(workers: usize) -> std::io::Result<Arc<Scheduler>> {
        let scheduler = Arc::new(Scheduler {
            queues: Mutex::default(),
            work: Condvar::new(),
            idle: AtomicUsize::new(0),
            slots: (0..workers).map(|_| Slot::default()).collect(),
            ticks: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
        });
        for index in 0..workers {
            let worker = Arc::clone(&scheduler);
            thread::Builder::new().name(format!("lunarium-{index}")).spawn(move || worker.work(index))?;
        }
        Ok(scheduler)
    }

    /// Lets the workers end after the task they run. Tasks still queued are dropped with the scheduler.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        let _queues = self.lock();
        self.work.notify_all();
    }

    /// Queues a task.
    pub(crate) fn schedule(&self, task: Runnable, urgency: Urgency) {
        if urgency == Urgency::Preempted {
            let mut queues = self.lock();
            queues.busy.push_back(task);
            // The worker that was running it takes from the queues next: another is needed only for what is more.
            let more = queues.busy.len() > 1 || !queues.woken.is_empty() || self.own_slot().is_some_and(Slot::is_full);
            drop(queues);
            if more {
                self.notify();
            }
            return;
        }
        let displaced = match self.own_slot() {
            Some(slot) => {
                slot.fresh.store(true, Ordering::Relaxed);
                slot.lock().replace(task)
            }
            None => Some(task),
        };
        if let Some(task) = displaced {
            self.lock().woken.push_back(task);
            self.notify();
        }
    }

    /// The clock's tick: a task that lies in the slot of a worker that is busy goes to one that is idle.
    pub(crate) fn tick(&self) {
        self.ticks.fetch_add(1, Ordering::Relaxed);
        for slot in &self.slots {
            if slot.fresh.swap(false, Ordering::Relaxed) {
                continue;
            }
            let Some(task) = slot.lock().take() else { continue };
            self.lock().woken.push_back(task);
            self.notify();
        }
    }

    fn notify(&self) {
        if self.idle.load(Ordering::SeqCst) > 0 {
            let _queues = self.lock();
            self.work.notify_one();
        }
    }

    fn own_slot(&self) -> Option<&Slot> {
        let (scheduler, index) = WORKER.get();
        if scheduler == std::ptr::from_ref(self).addr() { self.slots.get(index) } else { None }
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, index: usize) {
        WORKER.set((std::ptr::from_ref(self).addr(), index));
        let mut streak = 0;
        while let Some(task) = self.next(&mut streak) {
            // A panic in a host function ends its process: the task's own guard reports it while the stack unwinds.
            let _ = catch_unwind(AssertUnwindSafe(|| task.run()));
        }
    }

    /// The next task; none when the scheduler stops.
    fn next(&self, streak: &mut u32) -> Option<Runnable> {
        if self.stopping.load(Ordering::Relaxed) {
            return None;
        }
        if *streak < SLOT_STREAK
            && let Some(task) = self.own_slot().and_then(|slot| slot.lock().take())
        {
            *streak += 1;
            return Some(task);
        }
        *streak = 0;
        let mut queues = self.lock();
        loop {
            if let Some(task) = self.take(&mut queues) {
                return Some(task);
            }
            if self.stopping.load(Ordering::SeqCst) {
                return None;
            }
            self.idle.fetch_add(1, Ordering::SeqCst);
            queues = self.work.wait(queues).unwrap_or_else(PoisonError::into_inner);
            self.idle.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn take(&self, queues: &mut Queues) -> Option<Runnable> {
        let ticks = self.ticks.load(Ordering::Relaxed);
        let patience = ticks.saturating_sub(queues.last_busy) >= BUSY_PATIENCE;
        let busy_first = patience && !queues.busy.is_empty();
        if !busy_first {
            let woken = queues.woken.pop_front().or_else(|| self.own_slot().and_then(|slot| slot.lock().take()));
            if woken.is_some() {
                return woken;
            }
        }
        queues.last_busy = ticks;
        queues.busy.pop_front()
    }
}

impl Slot {
    fn is_full(&self) -> bool {
        self.lock().is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Runnable>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
