//! The instances an engine can hold: pools in segments, each made before it is needed, and gone when it isn't any more.
//!
//! Owns who gets an instance, and that a start never fails for want of one: it waits. A slot once used keeps some memory for whoever
//! has it next, so a crowd that has gone would leave half a megabyte for each of it: a segment in which nobody has been for a while
//! is given back whole. A pool costs a system call for
//! each of its stacks when it is made, so one pool of 8,000 would take longer than the rest of a short program; and a
//! segment is made by a thread of its own, because its 5 ms would hold up whoever needs it.
//! Refuses to know what an instance is for.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use futures_lite::future;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Config, InstanceAllocationStrategy};

use super::exports::Exports;
use super::guest_code::GuestCode;
use super::instance::Occupant;
use super::pool::{self, PoolError};
use super::tunables;

/// Instances of the first segment: enough for most programs. A start waits for it, and each of its stacks takes four microseconds.
const FIRST: u32 = 64;

/// How many times as many the next segment has.
const FACTOR: u32 = 4;

/// Instances of a segment at most: about 5 ms for every thousand processes more.
const MOST: u32 = 1024;

/// A segment is made when fewer are free than half of the last one, and than this: what starts meanwhile finds one.
const LOW: usize = 128;

/// A segment but the first is given back when none of it was held for as long, once more at most. Long beside the 5 ms that it takes to
/// make one, short beside what operators look at.
const IDLE: Duration = Duration::from_secs(10);

/// What links the imports of a guest.
pub(crate) type Link<T> = fn(&mut Linker<T>, &Component) -> wasmtime::Result<()>;

/// Why there are no instances.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstancesError {
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error("{0}")]
    Wasm(String),
}

pub(crate) struct Instances<T: Occupant> {
    shared: Arc<Shared<T>>,
}

struct Shared<T: Occupant> {
    guest: GuestCode,
    link: Link<T>,
    /// As many as there are free slots.
    permits: Arc<Semaphore>,
    segments: RwLock<Vec<Arc<Segment<T>>>>,
    growth: Mutex<Growth>,
    /// With fewer free slots a segment is to be made; 0 while one is made, and when none is left to make. Written under the lock of
    /// `growth`, read without.
    wanted: AtomicUsize,
    /// Told when a segment can't be made.
    failed: Notify,
}

struct Growth {
    /// The instances that later segments may have.
    left: u32,
    /// Those of the last segment.
    last: u32,
    /// A thread makes one.
    under_way: bool,
    /// Why the last one wasn't made.
    failure: Option<Arc<str>>,
    /// A thread looks for segments that are idle.
    kept: bool,
}

impl Growth {
    /// Nobody has to make a segment.
    fn is_settled(&self) -> bool {
        self.left == 0 || self.under_way
    }

    /// With fewer free slots a segment is to be made.
    fn wanted(&self) -> usize {
        if self.is_settled() { 0 } else { low(self.last) }
    }

    /// Instances of the next segment.
    fn next(&self) -> u32 {
        self.last.saturating_mul(FACTOR).min(MOST).min(self.left)
    }
}

/// With fewer free slots a segment is made, where the last has so many.
fn low(last: u32) -> usize {
    (size(last) / 2).min(LOW)
}

struct Segment<T: Occupant> {
    pre: InstancePre<T>,
    exports: Arc<Exports>,
    size: u32,
    free: AtomicU32,
    /// A slot was taken since the keeper looked.
    touched: AtomicBool,
}

/// The right to one instance; give it back after the instance is gone.
pub(crate) struct Slot<T: Occupant> {
    segment: Arc<Segment<T>>,
    _permit: OwnedSemaphorePermit,
}

impl<T: Occupant> Instances<T> {
    /// Checks that this machine can hold `max_processes`, and makes the first segment.
    pub(crate) fn new(max_processes: u32, guest: GuestCode, link: Link<T>) -> Result<Instances<T>, InstancesError> {
        pool::check(max_processes)?;
        let count = pool::instances(max_processes);
        let first = count.min(FIRST);
        let segment = Segment::new(first, guest, link).map_err(|error| InstancesError::Wasm(told(&error)))?;
        let left = count.saturating_sub(first);
        let growth = Growth { left, last: first, under_way: false, failure: None, kept: false };
        let shared = Shared {
            guest,
            link,
            permits: Arc::new(Semaphore::new(size(first))),
            segments: RwLock::new(vec![segment]),
            wanted: AtomicUsize::new(growth.wanted()),
            growth: Mutex::new(growth),
            failed: Notify::new(),
        };
        Ok(Instances { shared: Arc::new(shared) })
    }

    /// Waits for an instance, first come first served.
    ///
    /// Errors: none is free, and a further segment can't be made (out of address space or threads).
    pub(crate) async fn acquire(&self) -> Result<Slot<T>, Arc<str>> {
        self.grow_early();
        let shared = &self.shared;
        if let Ok(permit) = Arc::clone(&shared.permits).try_acquire_owned() {
            return shared.slot(permit).ok_or_else(no_slot);
        }
        let permit = Arc::clone(&shared.permits).acquire_owned();
        // Never closed.
        let acquired = async { permit.await.ok().and_then(|permit| shared.slot(permit)).ok_or_else(no_slot) };
        future::or(acquired, async { Err(shared.growth_failed().await) }).await
    }

    /// How many the segments have that are made, and how many of them nobody has.
    pub(crate) fn count(&self) -> (usize, usize) {
        let segments = self.shared.segments.read();
        segments.iter().fold((0, 0), |(made, free), segment| {
            let unused = size(segment.free.load(Ordering::Relaxed));
            (made.saturating_add(size(segment.size)), free.saturating_add(unused))
        })
    }

    /// Ticks the epoch of every segment.
    pub(crate) fn tick(&self) {
        let segments = self.shared.segments.read();
        segments.iter().for_each(|segment| segment.pre.engine().increment_epoch());
    }

    /// Lets a thread make a segment when few slots are free.
    fn grow_early(&self) {
        let shared = &self.shared;
        if shared.permits.available_permits() >= shared.wanted.load(Ordering::Relaxed) {
            return;
        }
        let begins = shared.change_growth(|growth| {
            let begins = !growth.is_settled();
            if begins {
                growth.under_way = true;
                growth.failure = None;
            }
            begins
        });
        if !begins {
            return;
        }
        let shared = Arc::downgrade(&self.shared);
        let work = move || {
            grow(&shared);
            keep(&shared);
        };
        let thread = thread::Builder::new().name("lunarium-pool".into()).spawn(work);
        if let Err(error) = thread {
            self.shared.finish_growth(Err(format!("cannot start a thread: {error}")));
        }
    }
}

/// Makes segments until enough is free: more may wait than one segment has.
fn grow<T: Occupant>(shared: &Weak<Shared<T>>) {
    let mut goes_on = true;
    while goes_on {
        let Some(shared) = shared.upgrade() else { return };
        let count = shared.growth.lock().next();
        let segment = Segment::new(count, shared.guest, shared.link).map_err(|error| told(&error));
        goes_on = shared.finish_growth(segment.map(|segment| (segment, count)));
    }
}

/// Gives back segments that are idle, until only the first is left. One thread at a time.
fn keep<T: Occupant>(shared: &Weak<Shared<T>>) {
    let begins = |shared: Arc<Shared<T>>| !std::mem::replace(&mut shared.growth.lock().kept, true);
    if !shared.upgrade().is_some_and(begins) {
        return;
    }
    loop {
        thread::sleep(IDLE);
        let Some(shared) = shared.upgrade() else { return };
        if shared.give_back() {
            return;
        }
    }
}

impl<T: Occupant> Shared<T> {
    /// Gives back each segment but the first of which no slot was held since the last look, as long as enough stay free.
    /// True: only the first is left, and nobody keeps the rest.
    fn give_back(&self) -> bool {
        let mut gone = Vec::new();
        let mut segments = self.segments.write();
        // Nobody takes a slot meanwhile. Who has a permit and no slot yet finds one: a segment goes with as many permits as it
        // has slots.
        let mut place = segments.len();
        while place > 1 {
            place = place.saturating_sub(1);
            let (Some(segment), Some(before)) = (segments.get(place), segments.get(place.saturating_sub(1))) else {
                continue;
            };
            let is_free = segment.free.load(Ordering::Acquire) == segment.size;
            let was_touched = segment.touched.swap(false, Ordering::AcqRel);
            let count = size(segment.size);
            if !is_free || was_touched || self.permits.available_permits() < count.saturating_add(2 * low(before.size))
            {
                continue;
            }
            let Ok(permits) = Arc::clone(&self.permits).try_acquire_many_owned(segment.size) else { continue };
            permits.forget();
            gone.push(segments.remove(place));
        }
        let last = segments.last().map_or(FIRST, |segment| segment.size);
        drop(segments);
        self.change_growth(|growth| {
            growth.last = last;
            growth.left = gone.iter().map(|segment| segment.size).fold(growth.left, u32::saturating_add);
            // Whoever makes one from here on finds that nobody keeps it.
            let ends = !growth.under_way && self.segments.read().len() == 1;
            growth.kept = !ends;
            ends
        })
    }

    /// The slot that a permit stands for: of the oldest segment that has one, for slots that were used before are the
    /// cheapest.
    fn slot(&self, permit: OwnedSemaphorePermit) -> Option<Slot<T>> {
        let segments = self.segments.read();
        let segment = segments.iter().find(|segment| segment.take()).map(Arc::clone)?;
        Some(Slot { segment, _permit: permit })
    }

    /// True: another segment is wanted, and growth stays under way.
    fn finish_growth(&self, made: Result<(Arc<Segment<T>>, u32), String>) -> bool {
        match made {
            Ok((segment, count)) => {
                self.segments.write().push(segment);
                // After the segment: whoever gets a permit finds a slot.
                self.permits.add_permits(size(count));
                self.change_growth(|growth| {
                    growth.left = growth.left.saturating_sub(count);
                    growth.last = count;
                    growth.under_way = growth.left > 0 && self.permits.available_permits() < low(count);
                    growth.under_way
                })
            }
            Err(failure) => {
                self.change_growth(|growth| {
                    growth.under_way = false;
                    growth.failure = Some(failure.into());
                });
                self.failed.notify_waiters();
                false
            }
        }
    }

    fn change_growth<R>(&self, change: impl FnOnce(&mut Growth) -> R) -> R {
        let mut growth = self.growth.lock();
        let result = change(&mut growth);
        self.wanted.store(growth.wanted(), Ordering::Relaxed);
        result
    }

    /// Waits until a segment couldn't be made.
    async fn growth_failed(&self) -> Arc<str> {
        loop {
            let failed = self.failed.notified();
            if let Some(failure) = self.growth.lock().failure.clone() {
                return failure;
            }
            failed.await;
        }
    }
}

/// Why there is no segment, and the cure where the system refused memory: its number is all that it says.
fn told(error: &wasmtime::Error) -> String {
    let text = format!("{error:#}");
    match text.contains("(os error 12)") {
        true => format!(
            "{text}: raise what limits address space or mappings (ulimit -v, vm.max_map_count, vm.overcommit_memory), \
             or lower max_processes"
        ),
        false => text,
    }
}

fn no_slot() -> Arc<str> {
    "a permit without a slot".into()
}

fn size(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

impl<T: Occupant> Segment<T> {
    fn new(size: u32, guest: GuestCode, link: Link<T>) -> wasmtime::Result<Arc<Segment<T>>> {
        let mut config = Config::new();
        tunables::tune(&mut config);
        config.async_stack_zeroing(true);
        #[cfg(feature = "profile")]
        config.profiler(wasmtime::ProfilingStrategy::PerfMap);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool::pool(size)));
        let (wasm, component) = guest.load(config)?;
        let mut linker = Linker::new(&wasm);
        link(&mut linker, &component)?;
        linker.define_unknown_imports_as_traps(&component)?;
        let pre = linker.instantiate_pre(&component)?;
        let exports = Arc::new(Exports::new(&component)?);
        Ok(Arc::new(Segment { pre, exports, size, free: AtomicU32::new(size), touched: AtomicBool::new(true) }))
    }

    fn take(&self) -> bool {
        let taken = self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| free.checked_sub(1)).is_ok();
        if taken && !self.touched.load(Ordering::Relaxed) {
            self.touched.store(true, Ordering::Release);
        }
        taken
    }
}

impl<T: Occupant> Slot<T> {
    pub(super) fn pre(&self) -> &InstancePre<T> {
        &self.segment.pre
    }

    pub(super) fn exports(&self) -> &Arc<Exports> {
        &self.segment.exports
    }
}

impl<T: Occupant> Drop for Slot<T> {
    fn drop(&mut self) {
        // Before the permit, which is dropped after this: whoever gets that finds a slot.
        self.segment.free.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests;
