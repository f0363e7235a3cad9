//! Workers in many orders: nothing that is scheduled is lost, and what is left in the end is dropped.

mod delay;
mod rest;

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Weak};
use std::task::{Poll, Waker};

use super::Scheduler;
use crate::clock::{TICK, nanoseconds};
use crate::queues::{PATIENCE, Urgency};
use crate::share::{Member, Portion, Share};
use crate::sync::{Mutex, advance, thread};
use crate::trial::{Bell, Token, check, dawdle, draw, panic_twice};

// All of shuttle's threads of one test are on one thread of the operating system.
std::thread_local! {
    /// Of who says no other.
    static SHARE: Arc<Share> = share(Portion::default());
}

/// All that is inside of a share of this portion.
fn share(portion: Portion) -> Arc<Share> {
    Share::inside(&Share::new(portion), 1)
}

/// A process as the scheduler sees one: it says itself when it has used up its slice.
#[derive(Clone)]
struct Process {
    preempted: Arc<AtomicBool>,
    member: Arc<Member>,
}

impl Process {
    fn start<F: Future<Output = ()> + Send + 'static>(scheduler: &Arc<Scheduler>, body: impl FnOnce(Process) -> F) {
        Process::start_of(&SHARE.with(Arc::clone), scheduler, body);
    }

    fn start_of<F: Future<Output = ()> + Send + 'static>(
        share: &Arc<Share>,
        scheduler: &Arc<Scheduler>,
        body: impl FnOnce(Process) -> F,
    ) {
        let process = Process { preempted: Arc::default(), member: Member::of(share) };
        let preempted = Arc::clone(&process.preempted);
        let urgency = move || if preempted.swap(false, SeqCst) { Urgency::Preempted } else { Urgency::Woken };
        scheduler.spawn(&Arc::clone(&process.member), body(process), urgency);
    }

    async fn end_slice(&self) {
        // An order that keeps to one thread would else never leave a busy one.
        thread::yield_now();
        self.preempted.store(true, SeqCst);
        requeue().await;
    }
}

/// Wakes itself.
async fn requeue() {
    let mut polled = false;
    poll_fn(|context| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Where one waits for another.
#[derive(Default)]
struct Letter(Mutex<(bool, Option<Waker>)>);

impl Letter {
    fn send(&self) {
        let waker = {
            let mut state = self.0.lock();
            state.0 = true;
            state.1.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// Wakes under the lock, as some do.
    fn send_locked(&self) {
        let mut state = self.0.lock();
        state.0 = true;
        state.1.take().into_iter().for_each(Waker::wake);
    }

    async fn receive(&self) {
        poll_fn(|context| {
            let mut state = self.0.lock();
            if std::mem::take(&mut state.0) {
                return Poll::Ready(());
            }
            let earlier = state.1.replace(context.waker().clone());
            drop(state);
            drop(earlier);
            Poll::Pending
        })
        .await;
    }
}

/// Waits until no thread, task or waker holds the scheduler any more: for ever if one does.
fn wait_until_freed(scheduler: &Weak<Scheduler>) {
    while scheduler.strong_count() > 0 {
        thread::yield_now();
    }
}

fn end(scheduler: Arc<Scheduler>) {
    scheduler.stop();
    let weak = Arc::downgrade(&scheduler);
    drop(scheduler);
    wait_until_freed(&weak);
}

#[test]
fn whatever_is_scheduled_runs() {
    check(400, || {
        let scheduler = Scheduler::start(2).unwrap();
        let done = Arc::new(Bell::default());
        for _ in 0..2 {
            let (there, back) = (Arc::new(Letter::default()), Arc::new(Letter::default()));
            let (first, second) = ((Arc::clone(&there), Arc::clone(&back)), (there, back));
            let (done_first, done_second) = (Arc::clone(&done), Arc::clone(&done));
            Process::start(&scheduler, |process| async move {
                for _ in 0..2 {
                    first.0.send();
                    process.end_slice().await;
                    first.1.receive().await;
                }
                done_first.ring();
            });
            dawdle(4);
            Process::start(&scheduler, |_| async move {
                for _ in 0..2 {
                    second.0.receive().await;
                    second.1.send();
                }
                done_second.ring();
            });
        }
        done.wait(4);
        end(scheduler);
    });
}

#[test]
fn a_task_from_elsewhere_wakes_a_worker_however_urgent_it_is() {
    check(300, || {
        let scheduler = Scheduler::start(1).unwrap();
        let done = Arc::new(Bell::default());
        dawdle(8);
        let rings = Arc::clone(&done);
        let urgency = [Urgency::Preempted, Urgency::Background][draw(2)];
        scheduler.spawn(&SHARE.with(Member::of), async move { rings.ring() }, move || urgency);
        done.wait(1);
        end(scheduler);
    });
}

#[test]
fn what_lies_in_the_slot_of_a_busy_worker_is_handed_over_at_the_second_tick() {
    check(300, || {
        let scheduler = Scheduler::start(2).unwrap();
        let (inside, done) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
        let letter = Arc::new(Letter::default());
        let (received, rings) = (Arc::clone(&letter), Arc::clone(&done));
        Process::start(&scheduler, |_| async move {
            received.receive().await;
            rings.ring();
        });
        let (sent, waits) = (Arc::clone(&inside), Arc::clone(&done));
        Process::start(&scheduler, |_| async move {
            letter.send();
            sent.ring();
            // Doesn't leave its worker until the other one has run.
            waits.wait(1);
            waits.ring();
        });
        inside.wait(1);
        scheduler.tick();
        scheduler.tick();
        done.wait(2);
        end(scheduler);
    });
}

#[test]
fn what_is_displaced_from_a_slot_wakes_another_worker() {
    check(200, || {
        let scheduler = Scheduler::start(2).unwrap();
        let done = Arc::new(Bell::default());
        let (target, waits) = (Arc::clone(&scheduler), Arc::clone(&done));
        Process::start(&scheduler, |_| async move {
            for _ in 0..2 {
                let rings = Arc::clone(&waits);
                Process::start(&target, |_| async move { rings.ring() });
            }
            // Doesn't leave its worker until the first of them has run.
            waits.wait(1);
            waits.ring();
        });
        done.wait(3);
        end(scheduler);
    });
}

#[test]
fn a_woken_task_stays_in_the_slot_of_its_worker_for_a_tick() {
    check(100, || {
        let scheduler = Scheduler::start(2).unwrap();
        let (inside, done) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
        let (sent, waits) = (Arc::clone(&inside), Arc::clone(&done));
        let target = Arc::clone(&scheduler);
        Process::start(&scheduler, |_| async move {
            let here = thread::current().id();
            let rings = Arc::clone(&waits);
            Process::start(&target, |_| async move {
                assert_eq!(thread::current().id(), here);
                rings.ring();
            });
            target.tick();
            assert_eq!(waits.rung(), 0);
            sent.ring();
        });
        done.wait(1);
        end(scheduler);
    });
}

#[test]
fn what_is_queued_or_woken_after_the_end_is_dropped() {
    check(400, || {
        let scheduler = Scheduler::start(2).unwrap();
        let dropped = Arc::new(Bell::default());
        let letters: Vec<_> = (0..3).map(|_| Arc::new(Letter::default())).collect();
        for letter in &letters {
            let (letter, token) = (Arc::clone(letter), Token(Arc::clone(&dropped)));
            Process::start(&scheduler, |process| async move {
                let _token = token;
                loop {
                    letter.receive().await;
                    process.end_slice().await;
                }
            });
        }
        dawdle(8);
        letters[0].send();
        let (stopper, waker) = (Arc::clone(&scheduler), Arc::clone(&letters[1]));
        let stops = thread::spawn(move || stopper.stop());
        let wakes = thread::spawn(move || waker.send());
        scheduler.tick();
        scheduler.tick();
        stops.join().unwrap();
        wakes.join().unwrap();
        // Some wait still: these two sends are after the end.
        letters.iter().for_each(|letter| letter.send());
        dropped.wait(3);
        end(scheduler);
    });
}

#[test]
fn whoever_wakes_after_the_end_may_hold_a_lock_that_the_end_of_the_task_needs() {
    struct Locks(Arc<Letter>, Arc<Bell>);
    impl Drop for Locks {
        fn drop(&mut self) {
            let _state = self.0.0.lock();
            self.1.ring();
        }
    }
    check(300, || {
        let scheduler = Scheduler::start(1).unwrap();
        let (letter, dropped) = (Arc::new(Letter::default()), Arc::new(Bell::default()));
        let locks = Locks(Arc::clone(&letter), Arc::clone(&dropped));
        Process::start(&scheduler, |_| async move {
            loop {
                locks.0.receive().await;
            }
        });
        dawdle(8);
        scheduler.stop();
        // Again and again: the poll under way may still receive one, and wait for the next.
        while dropped.rung() == 0 {
            letter.send_locked();
            thread::yield_now();
        }
        end(scheduler);
    });
}

#[test]
fn a_task_may_end_the_scheduler_and_hold_it_last() {
    check(200, || {
        let scheduler = Scheduler::start(2).unwrap();
        let weak = Arc::downgrade(&scheduler);
        let dropped = Arc::new(Bell::default());
        let token = Token(Arc::clone(&dropped));
        let last = Arc::clone(&scheduler);
        Process::start(&scheduler, |_| async move {
            let token = token;
            // Into the slot; with a tick, the worker doesn't take from there any more.
            Process::start(&last, |_| async move { drop(token) });
            (0..draw(3)).for_each(|_| last.tick());
            last.stop();
        });
        drop(scheduler);
        dropped.wait(1);
        wait_until_freed(&weak);
    });
}

#[test]
fn what_is_woken_by_the_end_of_another_is_dropped_too() {
    /// Sends when it is dropped.
    struct Last(Arc<Letter>);
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.send();
        }
    }
    check(200, || {
        let scheduler = Scheduler::start(2).unwrap();
        let dropped = Arc::new(Bell::default());
        let letters: Vec<_> = (0..3).map(|_| Arc::new(Letter::default())).collect();
        for pair in letters.windows(2) {
            let (letter, next, token) = (Arc::clone(&pair[0]), Last(Arc::clone(&pair[1])), Token(Arc::clone(&dropped)));
            Process::start(&scheduler, |_| async move {
                let _held = (next, token);
                loop {
                    letter.receive().await;
                }
            });
        }
        dawdle(8);
        scheduler.stop();
        // Again and again: a poll under way may still receive one, and wait for the next.
        while dropped.rung() < 2 {
            letters[draw(2)].send();
            thread::yield_now();
        }
        end(scheduler);
    });
}

#[test]
fn a_panic_of_a_task_stops_no_worker() {
    check(200, || {
        let scheduler = Scheduler::start(1).unwrap();
        let done = Arc::new(Bell::default());
        for _ in 0..2 {
            let token = Token(Arc::clone(&done));
            Process::start(&scheduler, |_| async move {
                let _token = token;
                panic_twice();
            });
        }
        let rings = Arc::clone(&done);
        Process::start(&scheduler, |_| async move { rings.ring() });
        done.wait(3);
        end(scheduler);
    });
}

#[test]
fn one_that_is_woken_runs_after_the_slices_under_way() {
    const BUSY: usize = 6;
    for workers in 1..=2 {
        check(100, move || {
            let scheduler = Scheduler::start(workers).unwrap();
            let (slices, woken) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
            for _ in 0..BUSY {
                let (slices, woken) = (Arc::clone(&slices), Arc::clone(&woken));
                Process::start(&scheduler, |process| async move {
                    while woken.rung() == 0 {
                        slices.ring();
                        process.end_slice().await;
                    }
                });
            }
            slices.wait(BUSY + draw(4));
            let rings = Arc::clone(&woken);
            let counts = Arc::clone(&slices);
            let seen = Arc::new(Bell::default());
            let saw = Arc::clone(&seen);
            Process::start(&scheduler, |_| async move {
                (0..counts.rung()).for_each(|_| saw.ring());
                rings.ring();
            });
            let before = slices.rung();
            woken.wait(1);
            // The slice that the worker had taken and not yet counted. Where there are two, the other may go on between the taking of this one
            // and its run.
            assert!(workers > 1 || seen.rung() <= before + 1, "{} slices between", seen.rung() - before);
            end(scheduler);
        });
    }
}

#[test]
fn busy_ones_take_turns() {
    check(100, || {
        const BUSY: usize = 5;
        let scheduler = Scheduler::start(1).unwrap();
        let (turns, done) = (Arc::new(Mutex::default()), Arc::new(Bell::default()));
        let all = Arc::new(Bell::default());
        let gate = Arc::clone(&all);
        Process::start(&scheduler, |_| async move { gate.wait(1) });
        for task in 0..BUSY {
            let (turns, done) = (Arc::clone(&turns), Arc::clone(&done));
            Process::start(&scheduler, |process| async move {
                for _ in 0..4 {
                    process.end_slice().await;
                    let turns: &Mutex<Vec<usize>> = &turns;
                    turns.lock().push(task);
                }
                done.ring();
            });
        }
        all.ring();
        done.wait(BUSY);
        let turns = turns.lock().clone();
        assert!(turns.chunks(BUSY).all(|round| round == turns.get(..BUSY).unwrap()), "{turns:?}");
        end(scheduler);
    });
}

#[test]
fn under_constant_load_the_busy_are_served() {
    const WORKERS: usize = 2;
    check(60, || {
        let scheduler = Scheduler::start(WORKERS).unwrap();
        let log: Arc<Mutex<Vec<bool>>> = Arc::default();
        let done = Arc::new(Bell::default());
        let start = |busy: bool, times: usize| {
            let (log, done, ticker) = (Arc::clone(&log), Arc::clone(&done), Arc::downgrade(&scheduler));
            Process::start(&scheduler, |process| async move {
                for _ in 0..times {
                    let Some(ticker) = ticker.upgrade() else { return };
                    log.lock().push(busy);
                    // Each run takes a tick.
                    advance(TICK);
                    ticker.tick();
                    drop(ticker);
                    if busy { process.end_slice().await } else { requeue().await }
                }
                done.ring();
            });
        };
        // The busy ones never end, so that some wait whenever a worker looks.
        (0..5).for_each(|_| start(true, usize::MAX));
        (0..4).for_each(|_| start(false, 20));
        done.wait(4);
        let log = log.lock().clone();
        // A patience of woken ones; and of each worker the one that isn't counted yet, and the one it had taken before.
        let most = usize::try_from(PATIENCE / nanoseconds(TICK)).unwrap() + 2 * WORKERS;
        let passed = log.split(|busy| *busy).map(<[bool]>::len).max();
        assert!(passed <= Some(most), "{log:?}");
        end(scheduler);
    });
}

#[test]
fn a_quiet_share_waits_for_what_runs_and_not_for_what_another_has_woken() {
    const WAKERS: usize = 8;
    for workers in 1..=2 {
        check(100, move || {
            let scheduler = Scheduler::start(workers).unwrap();
            let (runs, quiet) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
            let (loud_share, quiet_share) = (share(Portion::default()), share(Portion::default()));
            for _ in 0..WAKERS {
                let (runs, quiet) = (Arc::clone(&runs), Arc::clone(&quiet));
                let ticker = Arc::downgrade(&scheduler);
                Process::start_of(&loud_share, &scheduler, |_| async move {
                    while quiet.rung() == 0 {
                        runs.ring();
                        advance(TICK);
                        if let Some(ticker) = ticker.upgrade() {
                            ticker.tick();
                        }
                        thread::yield_now();
                        requeue().await;
                    }
                });
            }
            runs.wait(WAKERS + draw(4));
            let (counts, rings) = (Arc::clone(&runs), Arc::clone(&quiet));
            let seen = Arc::new(Bell::default());
            let saw = Arc::clone(&seen);
            let before = runs.rung();
            Process::start_of(&quiet_share, &scheduler, |_| async move {
                (0..counts.rung()).for_each(|_| saw.ring());
                rings.ring();
            });
            quiet.wait(1);
            // Of each worker, what it had taken and not yet counted; and one more: what ran isn't charged before its end.
            assert!(seen.rung() <= before + 2 * workers, "{} runs between", seen.rung() - before);
            end(scheduler);
        });
    }
}

#[test]
fn what_begins_stays_with_its_worker_while_nothing_waits() {
    check(100, || {
        let scheduler = Scheduler::start(2).unwrap();
        let done = Arc::new(Bell::default());
        let (target, waits) = (Arc::clone(&scheduler), Arc::clone(&done));
        Process::start(&scheduler, |_| async move {
            let here = thread::current().id();
            let first = Arc::clone(&waits);
            let member = SHARE.with(Member::of);
            let urgency = || Urgency::Background;
            let same = async move {
                assert_eq!(thread::current().id(), here);
                first.ring();
            };
            target.spawn(&member, same, urgency);
            assert!(!target.is_crowded());
            // A second one would wait for the first: another worker is woken for it.
            let second = Arc::clone(&waits);
            target.spawn(&member, async move { second.ring() }, urgency);
            while waits.rung() == 0 {
                thread::yield_now();
            }
        });
        done.wait(2);
        end(scheduler);
    });
}

#[test]
fn of_two_that_are_woken_who_runs_shortly_comes_first() {
    check(100, || {
        let scheduler = Scheduler::start(1).unwrap();
        let (order, ready, done) = (Arc::new(Mutex::default()), Arc::new(Bell::default()), Arc::new(Bell::default()));
        let letters = [TICK, TICK / 100].map(|time| {
            let letter = Arc::new(Letter::default());
            let (receives, order) = (Arc::clone(&letter), Arc::clone(&order));
            let (ready, done) = (Arc::clone(&ready), Arc::clone(&done));
            Process::start(&scheduler, |process| async move {
                process.member.waits(time);
                ready.ring();
                receives.receive().await;
                let order: &Mutex<Vec<_>> = &order;
                order.lock().push(time);
                done.ring();
            });
            letter
        });
        ready.wait(2);
        let (inside, gate) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
        let (holds, opens) = (Arc::clone(&inside), Arc::clone(&gate));
        Process::start(&scheduler, |_| async move {
            holds.ring();
            opens.wait(1);
        });
        inside.wait(1);
        letters.iter().for_each(|letter| letter.send());
        gate.ring();
        done.wait(2);
        assert_eq!(*order.lock(), [TICK / 100, TICK]);
        end(scheduler);
    });
}

#[test]
fn a_share_pays_for_what_it_runs_and_not_for_a_worker_that_waits() {
    check(100, || {
        let scheduler = Scheduler::start(1).unwrap();
        let (share, done) = (share(1.into()), Arc::new(Bell::default()));
        let rest = || {
            while scheduler.state.lock().idle == 0 {
                thread::yield_now();
            }
            advance(1000 * TICK);
        };
        for round in 1..=2 {
            rest();
            let rings = Arc::clone(&done);
            Process::start_of(&share, &scheduler, |_| async move {
                advance(TICK);
                rings.ring();
            });
            done.wait(round);
        }
        rest();
        assert_eq!(share.place().0, 2 * nanoseconds(TICK));
        assert_eq!([share.used(), share.top().used(), scheduler.used()], [2 * TICK; 3]);
        end(scheduler);
    });
}
