//! The instances an engine can hold: pools in segments, each made before it is needed, and gone when it isn't any more.
//!
//! Owns who gets an instance, and that a start never fails for want of one: it waits. A slot once used keeps some memory for whoever
//! has it next, so a crowd that has gone would leave half a megabyte for each of it: a segment in which nobody has been for a while
//! is given back whole. How many there may be changes meanwhile: a permit stands for a free slot that may be taken, and where there are to
//! be fewer slots than are made, permits are withheld. A pool costs a system call for
//! each of its stacks when it is made, so one pool of 8,000 would take longer than the rest of a short program; and a
//! segment is made by a thread of its own, because its 5 ms would hold up whoever needs it.
//! Refuses to know what an instance is for.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use futures_lite::future;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
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

/// Instances for checks of sources, which are of the first segment and of nobody else: they end soon, whatever is checked, and a host that is full of
/// processes must be able to check what would make it less so.
const CHECKS: u32 = 4;

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
    /// As many as there are free slots that may be taken.
    permits: Semaphore,
    segments: RwLock<Vec<Arc<Segment<T>>>>,
    /// Locked before `segments`.
    growth: Mutex<Growth>,
    /// With fewer permits there is something to do: to make a segment, or to withhold them; 0 while a segment is made, and when none is left
    /// to make. Written under the lock of `growth`, read without.
    wanted: AtomicUsize,
    /// Permits that are to be withheld yet, of slots that are held. Written and read in the same way.
    owed: AtomicU32,
    /// Told when a segment can't be made.
    failed: Notify,
    /// Of [`CHECKS`].
    checks: Semaphore,
}

/// What is made, and what may be. Of the slots that are made, the permits of those withheld are nobody's; each of the others is free, held
/// or about to be given out. Those numbers change here alone, under one lock.
struct Growth {
    /// The instances that there may be.
    most: u32,
    /// Those of all segments.
    made: u32,
    /// As many permits as are made beyond `most`; fewer while too many slots are held.
    withheld: u32,
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
    /// The instances that later segments may have.
    fn left(&self) -> u32 {
        self.most.saturating_sub(self.made)
    }

    /// Instances that are made and may not be.
    fn beyond(&self) -> u32 {
        self.made.saturating_sub(self.most)
    }

    /// Permits that are to be withheld yet.
    fn owed(&self) -> u32 {
        self.beyond().saturating_sub(self.withheld)
    }

    /// Nobody has to make a segment.
    fn is_settled(&self) -> bool {
        self.left() == 0 || self.under_way
    }

    /// With fewer permits there is something to do.
    fn wanted(&self) -> usize {
        match self.owed() {
            0 if self.is_settled() => 0,
            0 => low(self.last),
            _ => usize::MAX,
        }
    }

    /// Instances of the next segment. None: there may be no more, and nobody makes one.
    fn next(&mut self) -> Option<u32> {
        let count = self.last.max(FIRST).saturating_mul(FACTOR).min(MOST).min(self.left());
        self.under_way = count > 0;
        self.under_way.then_some(count)
    }

    /// So many slots more, whose permits nobody has yet.
    fn add(&mut self, count: u32) {
        self.made = self.made.saturating_add(count);
        self.withheld = self.withheld.saturating_add(count);
        self.last = count;
    }
}

/// With fewer permits a segment is made, where the last has so many slots. The last one before there may be no more can be as small
/// as one, and says nothing.
fn low(last: u32) -> usize {
    (size(last.max(FIRST)) / 2).min(LOW)
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
    /// Whose permit it has.
    shared: Arc<Shared<T>>,
    /// One of [`CHECKS`].
    is_check: bool,
}

impl<T: Occupant> Instances<T> {
    /// Checks that this machine can hold `max_processes`, and makes the first segment.
    pub(crate) fn new(max_processes: u32, guest: GuestCode, link: Link<T>) -> Result<Instances<T>, InstancesError> {
        pool::check(max_processes)?;
        let count = pool::instances(max_processes);
        let first = count.min(FIRST);
        let segment = Segment::new(first, CHECKS, guest, link).map_err(|error| InstancesError::Wasm(told(&error)))?;
        let growth =
            Growth { most: count, made: first, withheld: 0, last: first, under_way: false, failure: None, kept: false };
        let shared = Shared {
            guest,
            link,
            permits: Semaphore::new(size(first)),
            segments: RwLock::new(vec![segment]),
            wanted: AtomicUsize::new(growth.wanted()),
            growth: Mutex::new(growth),
            owed: AtomicU32::new(0),
            failed: Notify::new(),
            checks: Semaphore::new(size(CHECKS)),
        };
        Ok(Instances { shared: Arc::new(shared) })
    }

    /// Waits for an instance, first come first served.
    ///
    /// Errors: none is free, and a further segment can't be made (out of address space or threads).
    pub(crate) async fn acquire(&self) -> Result<Slot<T>, Arc<str>> {
        self.grow_early();
        let shared = &self.shared;
        if let Ok(permit) = shared.permits.try_acquire() {
            return shared.slot(permit, false).ok_or_else(no_slot);
        }
        let permit = shared.permits.acquire();
        // Never closed.
        let acquired = async { permit.await.ok().and_then(|permit| shared.slot(permit, false)).ok_or_else(no_slot) };
        future::or(acquired, async { Err(shared.growth_failed().await) }).await
    }

    /// Waits for an instance for the check of a source, which is there also when processes have all others.
    ///
    /// Errors: as above; there always is one.
    pub(crate) async fn acquire_check(&self) -> Result<Slot<T>, Arc<str>> {
        // Never closed.
        let permit = self.shared.checks.acquire().await.ok();
        permit.and_then(|permit| self.shared.slot(permit, true)).ok_or_else(no_slot)
    }

    /// From now on there may be as many as `max_processes` need. Fewer: who holds one keeps it, and whoever waits gets one when enough have
    /// come back. More: whoever waits gets one. `also` is done with it, under the same lock: of two changes the later counts as a whole.
    ///
    /// Errors: this machine can't hold as many; nothing is changed then.
    pub(crate) fn set_most(&self, max_processes: u32, also: impl FnOnce()) -> Result<(), PoolError> {
        pool::check(max_processes)?;
        self.shared.change_growth(|growth| {
            also();
            growth.most = pool::instances(max_processes);
            // Where none is left to make nobody tries again, and who waits for a slot would fail of it.
            growth.failure = None;
        });
        // Who waits already doesn't ask again.
        self.grow_early();
        Ok(())
    }

    /// For how many processes there may be instances.
    pub(crate) fn max_processes(&self) -> u32 {
        pool::processes(self.shared.growth.lock().most)
    }

    /// How many the segments have that are made, and how many of them nobody has.
    pub(crate) fn count(&self) -> (usize, usize) {
        let segments = self.shared.segments.read();
        segments.iter().fold((size(CHECKS), 0), |(made, free), segment| {
            let unused = size(segment.free.load(Ordering::Relaxed));
            (made.saturating_add(size(segment.size)), free.saturating_add(unused))
        })
    }

    /// Ticks the epoch of every segment.
    pub(crate) fn tick(&self) {
        let segments = self.shared.segments.read();
        segments.iter().for_each(|segment| segment.pre.engine().increment_epoch());
    }

    /// Lets a thread make a segment when few slots are free. What is to be withheld is, by the change.
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
        let Some(count) = shared.change_growth(Growth::next) else { return };
        let segment = Segment::new(count, 0, shared.guest, shared.link).map_err(|error| told(&error));
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
        // Gone after the locks: it takes some time.
        let mut gone = Vec::new();
        self.change_growth(|growth| {
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
                if is_free && !was_touched && self.take_away(growth, segment.size, 2 * low(before.size)) {
                    gone.push(segments.remove(place));
                }
            }
            growth.last = segments.last().map_or(FIRST, |segment| segment.size);
            // Whoever makes one from here on finds that nobody keeps it.
            let ends = !growth.under_way && segments.len() == 1;
            growth.kept = !ends;
            ends
        })
    }

    /// Takes away the permits of so many slots: those that are withheld first, then free ones as long as so many stay. False: too few are
    /// free, and nothing is changed.
    fn take_away(&self, growth: &mut Growth, count: u32, stay: usize) -> bool {
        let withheld = growth.withheld.min(count);
        let free = count.saturating_sub(withheld);
        if free > 0 {
            if self.permits.available_permits() < size(free).saturating_add(stay) {
                return false;
            }
            let Ok(permits) = self.permits.try_acquire_many(free) else { return false };
            permits.forget();
        }
        growth.withheld = growth.withheld.saturating_sub(withheld);
        growth.made = growth.made.saturating_sub(count);
        true
    }

    /// The slot that a permit stands for: of the oldest segment that has one, for slots that were used before are the
    /// cheapest.
    fn slot(self: &Arc<Self>, permit: SemaphorePermit<'_>, is_check: bool) -> Option<Slot<T>> {
        let segments = self.segments.read();
        let segment = segments.iter().find(|segment| segment.take()).map(Arc::clone)?;
        // The slot gives it back.
        permit.forget();
        Some(Slot { segment, shared: Arc::clone(self), is_check })
    }

    /// True: another segment is wanted, and growth stays under way.
    fn finish_growth(&self, made: Result<(Arc<Segment<T>>, u32), String>) -> bool {
        match made {
            Ok((segment, count)) => {
                self.change_growth(|growth| {
                    self.segments.write().push(segment);
                    // After the segment: whoever gets a permit finds a slot. There may be fewer than when it was begun.
                    growth.add(count);
                });
                self.change_growth(|growth| {
                    // The keeper may have given back some already.
                    growth.under_way = growth.left() > 0 && self.permits.available_permits() < low(growth.last);
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
        let given = self.balance(&mut growth);
        drop(growth);
        // Not under the lock: who waits may be an embedder's, whose waker does what it likes.
        self.permits.add_permits(size(given));
        result
    }

    /// Withholds permits that are free and have to be. Returns how many needn't be any more: they are to be given out.
    fn balance(&self, growth: &mut Growth) -> u32 {
        let given = growth.withheld.saturating_sub(growth.beyond());
        growth.withheld = growth.withheld.saturating_sub(given);
        let forgotten = u32::try_from(self.permits.forget_permits(size(growth.owed()))).unwrap_or(u32::MAX);
        growth.withheld = growth.withheld.saturating_add(forgotten);
        self.owed.store(growth.owed(), Ordering::Relaxed);
        self.wanted.store(growth.wanted(), Ordering::Relaxed);
        given
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
    /// With `more` slots beside those of its size.
    fn new(size: u32, more: u32, guest: GuestCode, link: Link<T>) -> wasmtime::Result<Arc<Segment<T>>> {
        let slots = size.saturating_add(more);
        let mut config = Config::new();
        tunables::tune(&mut config);
        config.async_stack_zeroing(true);
        #[cfg(feature = "profile")]
        config.profiler(wasmtime::ProfilingStrategy::PerfMap);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool::pool(slots)));
        let (wasm, component) = guest.load(config)?;
        let mut linker = Linker::new(&wasm);
        link(&mut linker, &component)?;
        linker.define_unknown_imports_as_traps(&component)?;
        let pre = linker.instantiate_pre(&component)?;
        let exports = Arc::new(Exports::new(&component)?);
        Ok(Arc::new(Segment { pre, exports, size, free: AtomicU32::new(slots), touched: AtomicBool::new(true) }))
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
        // Before the permit: whoever gets that finds a slot.
        self.segment.free.fetch_add(1, Ordering::AcqRel);
        let shared = &self.shared;
        if self.is_check {
            return shared.checks.add_permits(1);
        }
        match shared.owed.load(Ordering::Relaxed) {
            // Also where one is owed since a moment ago: then who asks next withholds it.
            0 => shared.permits.add_permits(1),
            // Given out again where none is owed any more.
            _ => shared.change_growth(|growth| growth.withheld = growth.withheld.saturating_add(1)),
        }
    }
}

#[cfg(test)]
mod tests;
