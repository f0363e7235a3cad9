//! What is measured of how long tasks wait, in many orders.

use std::time::Duration;

use super::*;
use crate::delay::Delay;

#[test]
fn how_long_tasks_wait_is_measured_of_one_in_so_many() {
    check(50, || {
        let scheduler = Scheduler::start(1).unwrap();
        let (begun, goes_on, done) = (Arc::new(Bell::default()), Arc::new(Bell::default()), Arc::new(Bell::default()));
        let (begins, waits) = (Arc::clone(&begun), Arc::clone(&goes_on));
        // The first is measured, and finds the worker free.
        Process::start(&scheduler, |_| async move {
            begins.ring();
            waits.wait(1);
        });
        begun.wait(1);
        advance(TICK);
        for _ in 0..61 {
            let rings = Arc::clone(&done);
            Process::start(&scheduler, |_| async move { rings.ring() });
        }
        // The last of these is the next, and waits for a second.
        advance(Duration::from_secs(1));
        goes_on.ring();
        done.wait(61);
        let delay = scheduler.delay(Urgency::Woken);
        assert_eq!((delay.counts.iter().sum::<u64>(), delay.sum), (2, Duration::from_secs(1)));
        assert_eq!(scheduler.delay(Urgency::Preempted), Delay::default());
        end(scheduler);
    });
}
