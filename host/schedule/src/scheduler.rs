//! The worker threads, and how a task comes to one.
//!
//! Owns the workers with their slots, who waits for work, and the end; and measures what each share uses. Which task is
//! next is the queues' rule (`queues`), and which share has to rest. Refuses to know what a task does: it polls it.
//!
//! A woken task goes into the slot of the worker that woke it and runs there next, without waking another thread:
//! sender and receiver of a message share a cache, and a futex call would cost as much as the message. So does one that
//! begins, while nothing else waits.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::nanoseconds;
use crate::contain::contain;
use crate::delay::{Delay, Delays, Sample};
use crate::queues::{Queues, Task, Turn, Urgency};
use crate::share::Member;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Guard, Instant, Monitor, Mutex, thread, thread_local};
use crate::watch::Watch;

type Runnable = async_task::Runnable<Arc<Member>>;

/// Runs tasks on threads of its own. Whoever started it ends it by [`Scheduler::stop`].
pub struct Scheduler {
    state: Monitor<State>,
    slots: Box<[Slot]>,
    ticks: AtomicU64,
    /// Tasks in the queues, as they were when the lock was last released.
    waiting: AtomicUsize,
    /// Of those that other threads queue.
    sample: Sample,
    origin: Instant,
}

#[derive(Default)]
struct State {
    queues: Queues<Runnable>,
    /// Workers that wait for work.
    idle: usize,
    /// When one of these looks by itself, because a share's rest is over then; none: none does.
    looks_at: Option<u64>,
    /// Workers whose thread hasn't ended.
    workers: usize,
    stopped: bool,
}

#[derive(Default)]
struct Slot {
    task: Mutex<Option<(Runnable, Urgency)>>,
    /// Set while a task lies in the slot; the clock clears it, and finds it clear at the next tick when it is the same.
    fresh: AtomicBool,
    /// Of those that the worker queues.
    sample: Sample,
    /// How long those waited that it took.
    delays: Delays,
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
            waiting: AtomicUsize::new(0),
            sample: Sample::default(),
            origin: Instant::now(),
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
    /// What is queued is dropped, and so is what is woken later: on a worker's thread, never by whoever wakes it,
    /// because whoever wakes a task may hold a lock that its end needs.
    pub fn stop(&self) {
        self.state.lock().stopped = true;
        self.state.notify_all();
    }

    /// Starts a task, and queues it. `member`: of which share it is. How urgent it is, `urgency` is asked whenever it is queued, on the thread
    /// of whoever wakes it; [`Urgency::Preempted`] is what a task says of itself. Every task that is queued runs, unless
    /// the scheduler is stopped: then it is dropped.
    pub fn spawn<F: Future<Output = ()> + Send + 'static>(
        self: &Arc<Self>,
        member: &Arc<Member>,
        task: F,
        urgency: impl Fn() -> Urgency + Send + Sync + 'static,
    ) {
        let scheduler = Arc::clone(self);
        let schedule = move |task| scheduler.schedule(task, urgency());
        let (task, handle) = async_task::Builder::new().metadata(Arc::clone(member)).spawn(|_| task, schedule);
        handle.detach();
        task.schedule();
    }

    /// A task has nothing to do any more but to end: from now on it doesn't wait for its share's allowance. Whoever wakes it
    /// does so besides.
    pub fn end(self: &Arc<Self>, member: &Member) {
        member.end();
        if !member.is_expedited() {
            return;
        }
        let mut state = self.state.lock();
        let waits = state.queues.expedite(member, self.ticks.load(Ordering::Relaxed));
        self.note(&state);
        let wakes = waits && state.idle > 0;
        drop(state);
        if wakes {
            self.state.notify_one();
        }
    }

    /// CPU time that all tasks have used, but for what runs just now.
    pub fn used(&self) -> Duration {
        Duration::from_nanos(self.state.lock().queues.used())
    }

    /// How long tasks of an urgency have waited for a worker since the start: of one in 61, so that measuring costs nothing.
    pub fn delay(&self, urgency: Urgency) -> Delay {
        let mut delay = Delay::default();
        self.slots.iter().for_each(|slot| delay.add(slot.delays.of(urgency)));
        delay
    }

    /// Whether tasks wait for a worker: what isn't urgent gives way to them. One that a worker keeps for itself doesn't
    /// count.
    pub fn is_crowded(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Queues a task; from a worker and woken, into that worker's slot, which takes no system call.
    fn schedule(self: &Arc<Self>, task: Runnable, urgency: Urgency) {
        if let Some(watch) = task.member().watch() {
            watch.begin();
        }
        let slot = self.own_slot();
        if slot.map_or_else(|| self.sample.takes(), |slot| slot.sample.takes_alone()) {
            task.member().waits_since(self.now());
        }
        let Some(slot) = slot else { return self.queue(task, urgency, |_| true) };
        match urgency {
            // This worker takes from the queues next: another is needed only for what is more.
            Urgency::Preempted => self.queue(task, urgency, |queued| queued > 1 || slot.is_full()),
            Urgency::Background if self.is_crowded() || slot.is_full() => self.queue(task, urgency, |_| true),
            Urgency::Woken | Urgency::Background => {
                if let Some((task, urgency)) = slot.replace(task, urgency) {
                    self.queue(task, urgency, |_| true);
                }
            }
        }
    }

    /// The clock's tick: a task that has lain in the slot of a busy worker since the tick before goes to any worker.
    pub fn tick(self: &Arc<Self>) {
        self.ticks.fetch_add(1, Ordering::Relaxed);
        for slot in &self.slots {
            if slot.fresh.swap(false, Ordering::Relaxed) {
                continue;
            }
            if let Some((task, urgency)) = slot.take() {
                self.queue(task, urgency, |_| true);
            }
        }
    }

    /// Queues a task for any worker, and wakes one that waits if `needed`, given the number of queued tasks.
    fn queue(self: &Arc<Self>, task: Runnable, urgency: Urgency, needed: impl FnOnce(usize) -> bool) {
        let mut state = self.state.lock();
        state.queues.push(task, urgency, self.ticks.load(Ordering::Relaxed));
        self.note(&state);
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
            // Held until whom it wakes has begun.
            let _begun = task.member().watch().map(Watch::begun);
            // A panic in a host function ends its process: the task's own guard reports it while the stack unwinds.
            contain(|| {
                task.run();
            });
        }
        // From here on what this thread wakes goes to the queues: nobody would look into the slot again.
        WORKER.with(|worker| worker.set(NOBODY));
        self.drop_tasks(Some(slot));
    }

    /// The next task; none when the scheduler has stopped. The last one is over.
    fn next(&self, slot: &Slot, turn: &mut Turn) -> Option<Runnable> {
        let ticks = self.ticks.load(Ordering::Relaxed);
        if let Some((task, urgency)) = slot.take_if(|task| turn.may_stay(ticks, task.member())) {
            turn.stays();
            if let Some(since) = task.member().waited_since() {
                slot.delays.of(urgency).note(self.now().saturating_sub(since));
            }
            return Some(task);
        }
        let mut now = self.now();
        let mut state = self.state.lock();
        state.queues.look(turn, now, ticks);
        // It comes after those that were woken before. If it isn't what is taken here, a worker was woken for what is.
        if let Some((task, urgency)) = slot.take() {
            state.queues.push(task, urgency, ticks);
        }
        loop {
            if state.stopped {
                return None;
            }
            let next = state.queues.next(now);
            self.note(&state);
            if let Some(next) = next {
                turn.begin(&next, now);
                let unseen = usize::from(state.is_unseen());
                let ready = if next.rested { state.queues.len() } else { 0 };
                let wakes = state.idle.min(ready.max(unseen));
                drop(state);
                (0..wakes).for_each(|_| self.state.notify_one());
                if let Some(since) = next.task.member().waited_since() {
                    slot.delays.of(next.urgency).note(now.saturating_sub(since));
                }
                return Some(next.task);
            }
            state = self.wait(state, now);
            now = self.now();
        }
    }

    /// Waits for work, or until the rest of a share is over. One waits for that, and who goes wakes another for it.
    fn wait<'a>(&'a self, mut state: Guard<'a, State>, now: u64) -> Guard<'a, State> {
        state.idle += 1;
        let due = state.queues.next_due().filter(|_| state.is_unseen());
        state = match due {
            None => self.state.wait(state),
            Some(due) => {
                state.looks_at = Some(due);
                let mut state = self.state.wait_at_most(state, Duration::from_nanos(due.saturating_sub(now)));
                // Another may look earlier by now.
                state.looks_at.take_if(|at| *at == due);
                state
            }
        };
        state.idle -= 1;
        state
    }

    /// Notes how many tasks wait, for those who don't take the lock.
    fn note(&self, state: &State) {
        self.waiting.store(state.queues.len(), Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        nanoseconds(self.origin.elapsed())
    }

    /// Drops what is left, and ends this thread as a worker: the last thing it does here.
    fn drop_tasks(&self, slot: Option<&Slot>) {
        let mut left = slot.and_then(Slot::take).map(|(task, _)| task);
        loop {
            if let Some(task) = left {
                let _begun = task.member().watch().map(Watch::begun);
                contain(|| drop(task));
            }
            let mut state = self.state.lock();
            left = state.queues.next(u64::MAX).map(|next| next.task);
            self.note(&state);
            if left.is_none() {
                state.workers -= 1;
                return;
            }
        }
    }
}

impl State {
    /// A share rests, and no worker that waits looks when that is over.
    fn is_unseen(&self) -> bool {
        let due = self.queues.next_due();
        due.is_some_and(|due| self.looks_at.is_none_or(|at| at > due))
    }
}

impl Slot {
    fn is_full(&self) -> bool {
        self.task.lock().is_some()
    }

    /// Puts a task in, and gives back the one that lay here.
    fn replace(&self, task: Runnable, urgency: Urgency) -> Option<(Runnable, Urgency)> {
        self.fresh.store(true, Ordering::Relaxed);
        self.task.lock().replace((task, urgency))
    }

    fn take(&self) -> Option<(Runnable, Urgency)> {
        self.task.lock().take()
    }

    fn take_if(&self, wanted: impl FnOnce(&Runnable) -> bool) -> Option<(Runnable, Urgency)> {
        self.task.lock().take_if(|(task, _)| wanted(task))
    }
}

impl Task for Runnable {
    fn member(&self) -> &Arc<Member> {
        self.metadata()
    }
}

#[cfg(test)]
mod tests;
