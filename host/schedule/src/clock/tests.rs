//! The clock in many orders and in virtual time: no tick and no timer is lost, and nothing foreign stops it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Duration;

use super::{Clock, GRAIN, IDLE_TICKS, Shared, TICK, nanoseconds};
use crate::sync::{Mutex, advance, thread};
use crate::trial::{Bell, Token, check, dawdle, panic_twice, waker};

/// Longer than any test ticks.
const LONG: Duration = Duration::from_secs(3600);

fn start(on_tick: impl Fn() + Send + Sync + 'static) -> Arc<Clock> {
    Clock::start(Box::new(on_tick)).unwrap()
}

fn ticking() -> (Arc<Clock>, Arc<Bell>) {
    let ticks = Arc::new(Bell::default());
    let rings = Arc::clone(&ticks);
    (start(move || rings.ring()), ticks)
}

fn ringing(bell: &Arc<Bell>) -> Waker {
    let bell = Arc::clone(bell);
    waker(move || bell.ring())
}

/// Time passes, and the operating system ends the wait that has run out.
fn pass(clock: &Clock, time: Duration) {
    advance(time);
    drop(clock.shared.timers.lock());
    clock.shared.timers.notify_one();
}

/// Waits until neither the clock nor its thread is there any more: for ever if it doesn't end.
fn end(clock: Arc<Clock>) {
    let shared: Weak<Shared> = Arc::downgrade(&clock.shared);
    drop(clock);
    while shared.strong_count() > 0 {
        thread::yield_now();
    }
}

#[test]
fn a_run_that_begins_while_the_clock_goes_to_rest_is_ticked() {
    check(200, || {
        let (clock, ticks) = ticking();
        for _ in 0..2 {
            dawdle(60);
            let _run = clock.begin_run();
            ticks.wait(ticks.rung() + 2);
        }
        end(clock);
    });
}

#[test]
fn a_run_that_begins_just_when_the_clock_goes_to_rest_is_ticked() {
    check(300, || {
        let (clock, ticks) = ticking();
        for _ in 0..2 {
            drop(clock.begin_run());
            // The last ticks before it rests: from here on a few steps decide.
            ticks.wait(ticks.rung() + IDLE_TICKS as usize - 1);
            dawdle(30);
            let _run = clock.begin_run();
            ticks.wait(ticks.rung() + 2);
        }
        end(clock);
    });
}

#[test]
fn of_two_runs_each_is_ticked() {
    check(100, || {
        let (clock, ticks) = ticking();
        let other = (Arc::clone(&clock), Arc::clone(&ticks));
        let runs = thread::spawn(move || {
            dawdle(60);
            let _run = other.0.begin_run();
            other.1.wait(other.1.rung() + 2);
        });
        dawdle(60);
        let run = clock.begin_run();
        ticks.wait(ticks.rung() + 2);
        drop(run);
        runs.join().unwrap();
        end(clock);
    });
}

#[test]
fn without_a_run_it_rests() {
    check(50, || {
        let (clock, ticks) = ticking();
        drop(clock.begin_run());
        (0..500).for_each(|_| thread::yield_now());
        let limit = 2 * (IDLE_TICKS as usize + 1);
        assert!(ticks.rung() <= limit, "{} ticks", ticks.rung());
        end(clock);
    });
}

#[test]
fn a_timer_that_is_set_while_the_clock_goes_to_wait_fires() {
    check(200, || {
        let (clock, _) = ticking();
        let fired = Arc::new(Bell::default());
        for round in 0..3 {
            // The later ones are due before the first, for which the thread waits.
            let far = clock.set(clock.now() + nanoseconds(LONG), waker(|| panic!("not due")));
            dawdle(60);
            clock.set(clock.now() + nanoseconds(TICK) / 2, ringing(&fired));
            fired.wait(round + 1);
            clock.cancel(far);
        }
        end(clock);
    });
}

#[test]
fn a_timer_fires_when_its_time_has_come_and_once() {
    check(100, || {
        let (clock, _) = ticking();
        let fired = Arc::new(Bell::default());
        let key = clock.set(clock.now() + nanoseconds(LONG), ringing(&fired));
        dawdle(40);
        assert_eq!(fired.rung(), 0);
        assert_eq!(clock.timers(), 1);
        pass(&clock, LONG);
        fired.wait(1);
        assert_eq!(clock.timers(), 0);
        clock.cancel(key);
        pass(&clock, LONG);
        end(clock);
        assert_eq!(fired.rung(), 1);
    });
}

#[test]
fn a_timer_that_is_cancelled_does_not_fire() {
    check(100, || {
        let (clock, _) = ticking();
        let (fired, dropped) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
        let (asks, token) = (Arc::downgrade(&clock), Token(Arc::clone(&dropped)));
        // What ends with a waker may use the clock.
        let uses = Uses(asks, token);
        let key = clock.set(clock.now() + nanoseconds(LONG), waker(move || assert!(uses.0.strong_count() == 0)));
        dawdle(40);
        clock.cancel(key);
        assert_eq!(dropped.rung(), 1);
        pass(&clock, LONG);
        clock.set(clock.now(), ringing(&fired));
        fired.wait(1);
        end(clock);
    });
}

/// Uses the clock when it is dropped.
struct Uses(Weak<Clock>, #[allow(dead_code, reason = "tells of its end")] Token);

impl Drop for Uses {
    fn drop(&mut self) {
        if let Some(clock) = self.0.upgrade() {
            clock.timers();
        }
    }
}

#[test]
fn a_panic_of_a_waker_or_of_the_tick_stops_neither_ticks_nor_timers() {
    check(100, || {
        let (ticks, fired) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
        let rings = Arc::clone(&ticks);
        let clock = start(move || {
            rings.ring();
            panic_twice();
        });
        clock.set(0, waker(panic_twice));
        clock.set(0, ringing(&fired));
        fired.wait(1);
        clock.set(clock.now() + nanoseconds(TICK), waker(panic_twice));
        let run = clock.begin_run();
        ticks.wait(ticks.rung() + 2);
        drop(run);
        clock.set(clock.now(), ringing(&fired));
        fired.wait(2);
        end(clock);
    });
}

#[test]
fn a_panic_in_a_run_ends_the_run() {
    check(10, || {
        let (clock, _) = ticking();
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let _run = clock.begin_run();
            std::panic::resume_unwind(Box::new(()));
        }));
        assert_eq!(clock.shared.running.load(super::Ordering::SeqCst), 0);
        end(clock);
    });
}

#[test]
fn ticks_are_a_tick_apart_whatever_timers_do() {
    check(50, || {
        let clock: Arc<Mutex<Option<Weak<Clock>>>> = Arc::default();
        let (times, ticks) = (Arc::new(Mutex::<Vec<u64>>::default()), Arc::new(Bell::default()));
        let (slot, pushes, rings) = (Arc::clone(&clock), Arc::clone(&times), Arc::clone(&ticks));
        let made = start(move || {
            if let Some(clock) = slot.lock().as_ref().and_then(Weak::upgrade) {
                pushes.lock().push(clock.now());
                rings.ring();
            }
        });
        *clock.lock() = Some(Arc::downgrade(&made));
        let fired = Arc::new(Bell::default());
        {
            let _run = made.begin_run();
            for round in 0..10 {
                made.set(made.now() + nanoseconds(TICK) / 10, ringing(&fired));
                fired.wait(round + 1);
            }
            ticks.wait(4);
        }
        let times = times.lock().clone();
        assert!(times.windows(2).all(|pair| pair[1] >= pair[0] + nanoseconds(TICK)), "{times:?}");
        end(made);
    });
}

#[test]
fn whoever_waits_for_a_nanosecond_again_and_again_wakes_once_a_grain() {
    const TIMES: u64 = 20;
    check(50, || {
        let (clock, _) = ticking();
        let fired = Arc::new(Bell::default());
        let begin = clock.now();
        for round in 0..TIMES {
            // Of several that want the same, too.
            let keys: Vec<_> = (1..=3).map(|after| clock.set(clock.now() + after, ringing(&fired))).collect();
            fired.wait((round as usize + 1) * keys.len());
            assert!(keys.iter().all(|key| key.deadline() % nanoseconds(GRAIN) == 0));
        }
        let took = clock.now() - begin;
        assert!(took >= (TIMES - 1) * nanoseconds(GRAIN), "{took} ns for {TIMES} waits");
        end(clock);
    });
}

#[test]
fn a_timer_is_due_at_the_next_grain_and_never_early() {
    let grain = nanoseconds(GRAIN);
    for (deadline, due) in [(0, 0), (1, grain), (grain, grain), (grain + 1, 2 * grain)] {
        assert_eq!(Clock::due(deadline), due);
    }
    assert_eq!(Clock::due(u64::MAX), u64::MAX);
    assert!(Clock::due(u64::MAX - 1) >= u64::MAX - 1);
}

#[test]
fn a_clock_that_is_dropped_ends_at_once_and_forgets_its_timers() {
    check(200, || {
        let (clock, _) = ticking();
        let dropped = Arc::new(Bell::default());
        for after in [Duration::ZERO, LONG] {
            let token = Token(Arc::clone(&dropped));
            clock.set(clock.now() + nanoseconds(after), waker(move || assert_eq!(token.0.rung(), 0)));
        }
        dawdle(60);
        end(clock);
        assert_eq!(dropped.rung(), 2);
    });
}

#[test]
fn a_waker_may_hold_the_clock_last() {
    check(100, || {
        let (clock, _) = ticking();
        let shared = Arc::downgrade(&clock.shared);
        let last = Mutex::default();
        *last.lock() = Some(Arc::clone(&clock));
        clock.set(0, waker(move || drop(last.lock().take())));
        drop(clock);
        while shared.strong_count() > 0 {
            thread::yield_now();
        }
    });
}

#[test]
fn a_sleep_is_over_when_its_time_has_passed_and_leaves_nothing_when_it_is_dropped() {
    check(100, || {
        let (clock, _) = ticking();
        let mut sleep = Box::pin(clock.sleep(LONG));
        let fired = Arc::new(Bell::default());
        let waker = ringing(&fired);
        let mut context = std::task::Context::from_waker(&waker);
        assert!(sleep.as_mut().poll(&mut context).is_pending());
        assert!(sleep.as_mut().poll(&mut context).is_pending());
        assert_eq!(clock.timers(), 1);
        dawdle(40);
        pass(&clock, LONG);
        fired.wait(1);
        assert!(sleep.as_mut().poll(&mut context).is_ready());
        let mut other = Box::pin(clock.sleep(LONG));
        assert!(other.as_mut().poll(&mut context).is_pending());
        drop(other);
        assert_eq!(clock.timers(), 0);
        drop(sleep);
        end(clock);
    });
}

#[test]
fn a_clock_that_stands_still_goes_on_when_it_is_told_to() {
    check(1, || {
        let clock = Clock::still();
        let rings: Vec<_> = (0..3).map(|_| Arc::new(Bell::default())).collect();
        let second = nanoseconds(Duration::from_secs(1));
        for (place, bell) in (1..).zip(&rings) {
            clock.set(place * second, ringing(bell));
        }
        advance(LONG);
        assert_eq!((clock.now(), clock.next_due()), (0, Some(second)));
        clock.go_on(2 * second);
        assert_eq!(rings.iter().map(|bell| bell.rung()).collect::<Vec<_>>(), [1, 1, 0]);
        // It never goes back.
        clock.go_on(second);
        assert_eq!((clock.now(), clock.next_due()), (2 * second, Some(3 * second)));
        // A clock that goes by isn't told.
        let (ticking, _) = ticking();
        ticking.go_on(u64::MAX);
        assert!(ticking.now() < u64::MAX);
        end(ticking);
    });
}
