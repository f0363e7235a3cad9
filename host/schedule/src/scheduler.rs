//! The worker threads, and how a task comes to one.
//!
//! Owns the workers with their slots, who waits for work, and the end. Which task is next is the queues' rule
//! (`queues`). Refuses to know what a task does: it polls it.
//!
//! A woken task goes into the slot of the worker that woke it and runs there next, without waking another thread:
//! sender and receiver of a message share a cache, and a futex call would cost as much as the message.

use std::cell::Cell;
use std::io;
use std::sync::Arc;

use async_task::Runnable;

use crate::contain::contain;
use crate::queues::{Queues, Turn, Urgency};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Guard, Monitor, Mutex, thread, thread_local};

/// Runs tasks on threads of its own. Whoever started it ends it by [`Scheduler::stop`].
pub struct Scheduler {
    state: Monitor<State>,
    slots: Box<[Slot]>,
    ticks: AtomicU64,
}

#[derive(Default)]
struct State {
    queues: Queues<Runnable>,
    /// Workers that wait for work.
    idle: usize,
    /// Workers whose thread hasn't ended.
    workers: usize,
    stopped: bool,
}

#[derive(Default)]
struct Slot {
    task: Mutex<Option<Runnable>>,
    /// Set while a task lies in the slot; the clock clears it, and finds it clear at the next tick when it is the same.
    fresh: AtomicBool,
}

/// Of no scheduler.
const NOBODY: (usize, usize) = (0, 0);

thread_local! {
    /// The scheduler (its address) and the slot of this worker thread.
    static WORKER: Cell<(usize, usize)> = const { Cell::new(NOBODY) };
}

impl Scheduler {
    /// Starts `workers` threads.
    ///
    /// Errors: the system gives no more threads; those that were started end.
    pub fn start(workers: usize) -> io::Result<Arc<Scheduler>> {
        let scheduler = Arc::new(Scheduler {
            state: Monitor::default(),
            slots: (0..workers).map(|_| Slot::default()).collect(),
            ticks: AtomicU64::new(0),
        });
        for index in 0..workers {
            scheduler.state.lock().workers += 1;
            let worker = Arc::clone(&scheduler);
            if let Err(error) =
                thread::Builder::new().name(format!("lunarium-{index}")).spawn(move || worker.work(index))
            {
                scheduler.state.lock().workers -= 1;
                scheduler.stop();
                return Err(error);
            }
        }
        Ok(scheduler)
    }

    /// Lets no task run any more: each worker ends after the one it polls, or after those in its slot that it hasn't
    /// looked up from. Waits for none of them, so a task may call it too.
    ///
    /// What is queued is dropped, and so is what is woken later: on a worker's thread, never in [`Scheduler::schedule`],
    /// because whoever wakes a task may hold a lock that its end needs.
    pub fn stop(&self) {
        self.state.lock().stopped = true;
        self.state.notify_all();
    }

    /// Queues a task; from a worker and woken, into that worker's slot, which takes no system call. Every task that is
    /// queued runs, unless the scheduler is stopped: then it is dropped.
    ///
    /// [`Urgency::Preempted`] is what a task says of itself: its worker is expected to look for work next.
    pub fn schedule(self: &Arc<Self>, task: Runnable, urgency: Urgency) {
        let slot = self.own_slot();
        match (urgency, slot) {
            (Urgency::Woken, Some(slot)) => {
                slot.fresh.store(true, Ordering::Relaxed);
                let displaced = slot.task.lock().replace(task);
                if let Some(task) = displaced {
                    self.queue(task, urgency, |_| true);
                }
            }
            // This worker takes from the queues next: another is needed only for what is more.
            (Urgency::Preempted, Some(slot)) => self.queue(task, urgency, |queued| queued > 1 || slot.is_full()),
            (_, None) => self.queue(task, urgency, |_| true),
        }
    }

    /// The clock's tick: a task that has lain in the slot of a busy worker since the tick before goes to any worker.
    pub fn tick(self: &Arc<Self>) {
        self.ticks.fetch_add(1, Ordering::Relaxed);
        for slot in &self.slots {
            if slot.fresh.swap(false, Ordering::Relaxed) {
                continue;
            }
            if let Some(task) = slot.take() {
                self.queue(task, Urgency::Woken, |_| true);
            }
        }
    }

    /// Queues a task for any worker, and wakes one that waits if `needed`, given the number of queued tasks.
    fn queue(self: &Arc<Self>, task: Runnable, urgency: Urgency, needed: impl FnOnce(usize) -> bool) {
        let mut state = self.state.lock();
        state.queues.push(task, urgency);
        let wakes = state.idle > 0 && needed(state.queues.len());
        if state.workers == 0 {
            return self.clear(state);
        }
        drop(state);
        if wakes {
            self.state.notify_one();
        }
    }

    /// Starts a thread that drops what was queued after the last worker ended.
    fn clear(self: &Arc<Self>, mut state: Guard<'_, State>) {
        state.workers = 1;
        drop(state);
        let worker = Arc::clone(self);
        if thread::Builder::new().name("lunarium-end".into()).spawn(move || worker.drop_tasks(None)).is_err() {
            // Better here than never.
            self.drop_tasks(None);
        }
    }

    fn own_slot(&self) -> Option<&Slot> {
        let (scheduler, index) = WORKER.with(Cell::get);
        if scheduler == std::ptr::from_ref(self).addr() { self.slots.get(index) } else { None }
    }

    fn work(&self, index: usize) {
        let Some(slot) = self.slots.get(index) else { return };
        WORKER.with(|worker| worker.set((std::ptr::from_ref(self).addr(), index)));
        let mut turn = Turn::default();
        while let Some(task) = self.next(slot, &mut turn) {
            // A panic in a host function ends its process: the task's own guard reports it while the stack unwinds.
            contain(|| {
                task.run();
            });
        }
        // From here on what this thread wakes goes to the queues: nobody would look into the slot again.
        WORKER.with(|worker| worker.set(NOBODY));
        self.drop_tasks(Some(slot));
    }

    /// The next task; none when the scheduler has stopped.
    fn next(&self, slot: &Slot, turn: &mut Turn) -> Option<Runnable> {
        if turn.may_stay(self.ticks.load(Ordering::Relaxed))
            && let Some(task) = slot.take()
        {
            turn.stays();
            return Some(task);
        }
        let mut state = self.state.lock();
        loop {
            if state.stopped {
                return None;
            }
            let task = state.queues.next(turn, self.ticks.load(Ordering::Relaxed), || slot.take());
            if task.is_some() {
                return task;
            }
            state.idle += 1;
            state = self.state.wait(state);
            state.idle -= 1;
        }
    }

    /// Drops what is left, and ends this thread as a worker: the last thing it does here.
    fn drop_tasks(&self, slot: Option<&Slot>) {
        let mut left = slot.and_then(Slot::take);
        loop {
            if let Some(task) = left {
                contain(|| drop(task));
            }
            let mut state = self.state.lock();
            left = state.queues.pop();
            if left.is_none() {
                state.workers -= 1;
                return;
            }
        }
    }
}

impl Slot {
    fn is_full(&self) -> bool {
        self.task.lock().is_some()
    }

    fn take(&self) -> Option<Runnable> {
        self.task.lock().take()
    }
}

#[cfg(test)]
mod tests;
