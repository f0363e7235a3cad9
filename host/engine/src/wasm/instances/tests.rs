//! Segments are made in the background: whoever starts while one is made waits for it only when no slot is left.

use std::sync::{Condvar, Mutex};
use std::thread::{self, ThreadId};

use futures_lite::future::{block_on, poll_once};
use wasmtime::component::{Component, Linker};

use super::{FIRST, Instances, low};
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

#[test]
fn a_segment_that_nobody_is_in_is_given_back_and_made_again() {
    let instances = Instances::new(FIRST + 500, GuestCode::default(), link_nothing).unwrap();
    let shared = &instances.shared;
    let segments = || shared.segments.read().len();
    let hold = |count: u32| -> Vec<_> { (0..count).map(|_| block_on(instances.acquire()).unwrap()).collect() };
    for _ in 0..2 {
        let mut slots = hold(FIRST + 100);
        assert_eq!(segments(), 2);
        // Held, and then held a moment ago.
        assert!(!shared.give_back() && segments() == 2);
        slots.truncate(FIRST as usize);
        drop(hold(1));
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
