//! A share comes to rest when its last task does, in whatever order.

use std::sync::Arc;
use std::task::Context;

use super::Watch;
use crate::queues::Urgency;
use crate::scheduler::Scheduler;
use crate::share::{Member, Portion, Share};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::trial::{Bell, check, waker};

/// Blocks until it has settled.
fn wait(watch: &Watch) {
    let bell = Arc::new(Bell::default());
    loop {
        let (rung, rings) = (bell.rung(), Arc::clone(&bell));
        if watch.poll_settled(&Context::from_waker(&waker(move || rings.ring()))).is_ready() {
            return;
        }
        bell.wait(rung + 1);
    }
}

#[test]
fn it_has_settled_when_nothing_runs_and_nothing_is_woken() {
    check(300, || {
        let watch = Arc::<Watch>::default();
        let share = Share::inside(&Share::watched(Portion::default(), Arc::clone(&watch)), 1);
        let scheduler = Scheduler::start(2).unwrap();
        let steps = Arc::new(AtomicUsize::new(0));
        for _ in 0..2 {
            let steps = Arc::clone(&steps);
            let task = async move {
                for _ in 0..2 {
                    // Woken while it is polled.
                    futures_yield().await;
                    steps.fetch_add(1, Ordering::SeqCst);
                }
            };
            scheduler.spawn(&Member::of(&share), task, || Urgency::Woken);
        }
        wait(&watch);
        assert_eq!(steps.load(Ordering::SeqCst), 4);
        scheduler.stop();
    });
}

async fn futures_yield() {
    let mut polled = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut polled, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

#[test]
fn what_is_held_is_waited_for() {
    check(50, || {
        let watch = Arc::<Watch>::default();
        let held = watch.hold();
        let over = Arc::new(AtomicUsize::new(0));
        let sees = Arc::clone(&over);
        let thread = crate::sync::thread::spawn(move || {
            sees.store(1, Ordering::SeqCst);
            drop(held);
        });
        wait(&watch);
        assert_eq!(over.load(Ordering::SeqCst), 1);
        thread.join().unwrap();
    });
}
