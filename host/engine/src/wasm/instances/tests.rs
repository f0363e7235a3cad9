//! Segments are made in the background: whoever starts while one is made waits for it only when no slot is left.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, ThreadId};

use futures_lite::future::{block_on, poll_once};
use wasmtime::component::{Component, Linker};

use super::{CHECKS, FIRST, Growth, Instances, PoolError, Slot, grow, low};
use crate::wasm::{GuestCode, MemoryLimiter, Occupant, Stopped};

struct Nobody(MemoryLimiter);

impl Occupant for Nobody {
    fn memory(&mut self) -> &mut MemoryLimiter {
        &mut self.0
    }

    fn slice_over(&self) -> Result<(), Stopped> {
        Ok(())
    }
}

/// The making of segments, as `link` sees it: each but the first stops there until it may go on.
#[derive(Default)]
struct Making {
    /// On which threads, in order.
    begun: Vec<ThreadId>,
    may_end: bool,
}

static MAKING: Mutex<Making> = Mutex::new(Making { begun: Vec::new(), may_end: false });
static CHANGED: Condvar = Condvar::new();

fn link(_: &mut Linker<Nobody>, _: &Component) -> wasmtime::Result<()> {
    let mut making = MAKING.lock().unwrap();
    making.begun.push(thread::current().id());
    CHANGED.notify_all();
    // Whoever made one by himself would wait for ever: he is found by his thread.
    let waits = making.begun.len() > 1 && making.begun.first() != making.begun.last();
    drop(CHANGED.wait_while(making, |making| waits && !making.may_end).unwrap());
    Ok(())
}

#[test]
fn the_making_of_a_segment_holds_up_nobody_who_finds_a_slot() {
    let instances = Instances::new(FIRST + 500, GuestCode::default(), link).unwrap();
    let mut slots = Vec::new();
    for held in 0..FIRST as usize {
        slots.push(block_on(instances.acquire()).unwrap());
        if held == FIRST as usize - low(FIRST) + 1 {
            drop(CHANGED.wait_while(MAKING.lock().unwrap(), |making| making.begun.len() < 2).unwrap());
        }
    }
    // All of the first are held, and the second is still being made.
    let mut next = Box::pin(instances.acquire());
    assert!(block_on(poll_once(next.as_mut())).is_none());
    let begun = MAKING.lock().unwrap().begun.clone();
    assert_eq!(begun.len(), 2, "one at a time, and before the slots are used up");
    assert_ne!(begun.first(), begun.last(), "whoever asks for a slot doesn't make it");
    MAKING.lock().unwrap().may_end = true;
    CHANGED.notify_all();
    slots.push(block_on(next).unwrap());
    // A slot that is given back is the next one's.
    slots.truncate(1);
    assert!(block_on(poll_once(instances.acquire())).is_some());
}

fn link_nothing(_: &mut Linker<Nobody>, _: &Component) -> wasmtime::Result<()> {
    Ok(())
}

fn made(count: u32) -> Instances<Nobody> {
    Instances::new(count, GuestCode::default(), link_nothing).unwrap()
}

fn hold(instances: &Instances<Nobody>, count: u32) -> Vec<Slot<Nobody>> {
    (0..count).map(|_| block_on(instances.acquire()).unwrap()).collect()
}

#[test]
fn a_segment_that_nobody_is_in_is_given_back_and_made_again() {
    let instances = made(FIRST + 500);
    let shared = &instances.shared;
    let segments = || shared.segments.read().len();
    for _ in 0..2 {
        let mut slots = hold(&instances, FIRST + 100);
        assert_eq!(segments(), 2);
        // Held, and then held a moment ago.
        assert!(!shared.give_back() && segments() == 2);
        slots.truncate(FIRST as usize);
        drop(hold(&instances, 1));
        assert!(!shared.give_back() && segments() == 2);
        // Too few would stay free.
        assert!(!shared.give_back() && segments() == 2);
        slots.clear();
        // Whether anybody keeps on looking depends on how far the thread is that has made it.
        shared.give_back();
        assert_eq!(segments(), 1);
        assert_eq!(shared.permits.available_permits(), FIRST as usize);
    }
}

#[test]
fn checks_have_instances_that_no_process_can_take() {
    let instances = made(1);
    let most = hold(&instances, 65);
    let mut waiting = Box::pin(instances.acquire());
    assert!(block_on(poll_once(waiting.as_mut())).is_none());
    let check = || block_on(poll_once(instances.acquire_check())).map(Result::unwrap);
    for _ in 0..3 {
        let checks: Vec<_> = (0..CHECKS).filter_map(|_| check()).collect();
        assert_eq!(checks.len(), CHECKS as usize);
        assert!(check().is_none());
        assert_eq!(instances.count(), (65 + CHECKS as usize, 0));
    }
    // Nor do processes get one of theirs.
    assert!(block_on(poll_once(waiting.as_mut())).is_none());
    drop(most);
    drop(block_on(waiting).unwrap());
    settle(&instances, 0);
}

fn set_most(instances: &Instances<Nobody>, most: u32) -> Result<(), PoolError> {
    instances.set_most(most, || {})
}

/// Waits until no segment is made, and looks whether everything agrees where so many are held.
fn settle(instances: &Instances<Nobody>, held: usize) {
    let shared = &instances.shared;
    while shared.growth.lock().under_way {
        thread::yield_now();
    }
    shared.change_growth(|_| {});
    let growth = shared.growth.lock();
    let Growth { most, made, withheld, .. } = *growth;
    let places = (made + CHECKS) as usize;
    assert_eq!(instances.count(), (places, places - held));
    let permits = held + shared.permits.available_permits();
    assert_eq!(permits, (made - withheld) as usize, "those withheld are nobody's");
    assert_eq!(permits, (most.min(made) as usize).max(held), "no more than there may be, and who holds one keeps it");
}

#[test]
fn where_fewer_may_be_who_holds_one_keeps_it_and_starts_wait() {
    let instances = made(500);
    let mut slots = hold(&instances, 100);
    settle(&instances, 100);
    assert_eq!(instances.count().0, 320 + CHECKS as usize);
    set_most(&instances, 10).unwrap();
    settle(&instances, 100);
    let mut next = Box::pin(instances.acquire());
    assert!(block_on(poll_once(next.as_mut())).is_none());
    // The last of those that are too many, and the first that isn't.
    slots.truncate(74);
    assert!(block_on(poll_once(next.as_mut())).is_none());
    assert!(block_on(poll_once(instances.acquire())).is_none());
    settle(&instances, 74);
    slots.truncate(73);
    slots.push(block_on(next).unwrap());
    settle(&instances, 74);
    // One that comes back as the number is lowered can look too early: who asks next withholds it.
    let shared = &instances.shared;
    set_most(&instances, 5).unwrap();
    shared.owed.store(0, Ordering::Relaxed);
    slots.truncate(73);
    assert_eq!(shared.permits.available_permits(), 1);
    assert!(block_on(poll_once(instances.acquire())).is_none());
    settle(&instances, 73);
    // Those that were withheld come first: no segment is made.
    set_most(&instances, 20).unwrap();
    slots.extend(hold(&instances, 11));
    assert!(block_on(poll_once(instances.acquire())).is_none());
    settle(&instances, 84);
    set_most(&instances, 500).unwrap();
    slots.extend(hold(&instances, 100));
    settle(&instances, 184);
    assert_eq!(instances.count().0, 320 + CHECKS as usize);
    slots.clear();
    settle(&instances, 0);
}

#[test]
fn where_fewer_may_be_and_then_more_nothing_is_owed() {
    let instances = made(500);
    let slots = hold(&instances, 100);
    set_most(&instances, 10).unwrap();
    set_most(&instances, 30).unwrap();
    settle(&instances, 100);
    set_most(&instances, 500).unwrap();
    drop(slots);
    settle(&instances, 0);
}

#[test]
fn who_waits_gets_one_when_more_may_be() {
    // The last segment has one slot.
    let instances = made(1);
    let mut slots = hold(&instances, 65);
    let mut waiting: Vec<_> = (0..100).map(|_| Box::pin(instances.acquire())).collect();
    for next in &mut waiting {
        assert!(block_on(poll_once(next.as_mut())).is_none());
    }
    set_most(&instances, 101).unwrap();
    slots.extend(waiting.into_iter().map(|next| block_on(next).unwrap()));
    assert!(block_on(poll_once(instances.acquire())).is_none());
    settle(&instances, 165);
}

#[test]
fn none_may_be_and_too_many_may_not_and_nothing_is_changed() {
    let instances = made(1);
    for (wrong, error) in [
        (0, "max_processes must be at least 1"),
        (20_000, "20000 processes don't fit into 47 bits of address space: at most 10500 do"),
    ] {
        assert_eq!(set_most(&instances, wrong).unwrap_err().to_string(), error);
        assert_eq!(instances.max_processes(), 1);
    }
}

#[test]
fn a_segment_goes_also_where_permits_are_withheld() {
    let instances = made(500);
    let shared = &instances.shared;
    let mut slots = hold(&instances, 164);
    settle(&instances, 164);
    set_most(&instances, 1).unwrap();
    assert!(!shared.give_back() && !shared.give_back(), "they are held");
    settle(&instances, 164);
    slots.clear();
    // 255 of its 256 are withheld, and enough others are free.
    settle(&instances, 0);
    shared.give_back();
    settle(&instances, 0);
    assert_eq!((instances.count().0, shared.growth.lock().left()), (64 + CHECKS as usize, 1));
    set_most(&instances, 500).unwrap();
    slots.extend(hold(&instances, 100));
    settle(&instances, 100);
    assert_eq!(instances.count().0, 320 + CHECKS as usize);

    // All of its are withheld: it goes though none is free.
    slots.truncate(40);
    shared.give_back();
    set_most(&instances, 1).unwrap();
    slots.extend(hold(&instances, 24));
    settle(&instances, 64);
    let last = hold(&instances, 1);
    assert!(!shared.give_back(), "one is held in it");
    drop(last);
    shared.change_growth(|growth| growth.most = 64);
    shared.give_back();
    shared.give_back();
    settle(&instances, 64);
    assert_eq!(instances.count().0, 64 + CHECKS as usize);
}

static MAY_END: AtomicBool = AtomicBool::new(false);
static MADE: AtomicUsize = AtomicUsize::new(0);

/// The first segment is made at once, the others when they may.
fn link_later(_: &mut Linker<Nobody>, _: &Component) -> wasmtime::Result<()> {
    let first = MADE.fetch_add(1, Ordering::AcqRel) == 0;
    while !first && !MAY_END.load(Ordering::Acquire) {
        thread::yield_now();
    }
    Ok(())
}

#[test]
fn the_number_changes_while_a_segment_is_made() {
    let instances = Instances::new(500, GuestCode::default(), link_later).unwrap();
    let begun = |count| {
        while MADE.load(Ordering::Acquire) < count {
            thread::yield_now();
        }
    };
    let mut slots = hold(&instances, 64);
    begun(2);
    // One of its 256 may be had.
    set_most(&instances, 1).unwrap();
    let mut waiting: Vec<_> = (0..300).map(|_| Box::pin(instances.acquire())).collect();
    for next in &mut waiting {
        assert!(block_on(poll_once(next.as_mut())).is_none());
    }
    MAY_END.store(true, Ordering::Release);
    let mut waiting = waiting.into_iter();
    slots.push(block_on(waiting.next().unwrap()).unwrap());
    settle(&instances, 65);
    // More are wanted than one segment has, and a moment later still more.
    MAY_END.store(false, Ordering::Release);
    set_most(&instances, 257).unwrap();
    slots.extend(waiting.by_ref().take(255).map(|next| block_on(next).unwrap()));
    begun(3);
    set_most(&instances, 500).unwrap();
    MAY_END.store(true, Ordering::Release);
    slots.extend(waiting.map(|next| block_on(next).unwrap()));
    settle(&instances, 364);
}

#[test]
fn no_segment_is_made_where_fewer_may_be_before_it_was_begun() {
    let instances = made(500);
    let slots = hold(&instances, 100);
    settle(&instances, 100);
    let shared = &instances.shared;
    shared.change_growth(|growth| growth.under_way = true);
    set_most(&instances, 1).unwrap();
    grow(&Arc::downgrade(shared));
    settle(&instances, 100);
    assert_eq!((shared.segments.read().len(), shared.growth.lock().failure.as_deref()), (2, None));
    drop(slots);
    settle(&instances, 0);
}

static LINKED: AtomicUsize = AtomicUsize::new(0);

fn link_twice(_: &mut Linker<Nobody>, _: &Component) -> wasmtime::Result<()> {
    match LINKED.fetch_add(1, Ordering::AcqRel) {
        0 | 1 => Ok(()),
        _ => Err(wasmtime::Error::msg("no more")),
    }
}

#[test]
fn who_waits_where_no_more_may_be_doesnt_fail_of_what_failed_before() {
    let instances = Instances::new(500, GuestCode::default(), link_twice).unwrap();
    let mut slots = hold(&instances, 320);
    assert_eq!(block_on(instances.acquire()).err().as_deref(), Some("no more"));
    set_most(&instances, 256).unwrap();
    let mut next = Box::pin(instances.acquire());
    assert!(block_on(poll_once(next.as_mut())).is_none());
    slots.pop();
    slots.push(block_on(next).unwrap());
    settle(&instances, 320);
}

#[test]
fn the_number_changes_while_many_come_and_go() {
    let instances = made(1);
    let shared = &instances.shared;
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let users: Vec<_> = (0..3_u32)
            .map(|user| {
                let instances = &instances;
                scope.spawn(move || {
                    for turn in 0..300 {
                        // More than there may be at times, of all three together; nobody waits while he holds some.
                        let mut waiting: Vec<_> =
                            (0..(user * 7 + turn) % 60).map(|_| Box::pin(instances.acquire())).collect();
                        let mut slots = Vec::new();
                        for next in &mut waiting {
                            slots.extend(block_on(poll_once(next.as_mut())).map(Result::unwrap));
                        }
                        drop(waiting);
                        drop(slots);
                        drop(block_on(instances.acquire()).unwrap());
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            for turn in 0.. {
                if ended.load(Ordering::Acquire) {
                    break;
                }
                set_most(&instances, [1, 400, 30, 100, 2][turn % 5]).unwrap();
                if turn % 7 == 0 {
                    shared.give_back();
                }
                thread::yield_now();
            }
        });
        users.into_iter().for_each(|user| user.join().unwrap());
        ended.store(true, Ordering::Release);
    });
    settle(&instances, 0);
    for most in [1, 200] {
        set_most(&instances, most).unwrap();
        let slots = hold(&instances, most + 64);
        assert!(block_on(poll_once(instances.acquire())).is_none());
        settle(&instances, slots.len());
    }
}
