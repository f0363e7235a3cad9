//! Shares that have to rest, in many orders: whatever waits of them runs when that is over, or ends before.

use std::time::Duration;

use super::*;

/// A share that may have a whole core, and has used it for so long when the scheduler starts.
fn spent(used: Duration) -> Arc<Share> {
    let spent = share(Portion { most: Some(Duration::from_secs(1)), ..Portion::default() });
    spent.top().charge(nanoseconds(used), 0);
    spent
}

/// A wait for an allowance that wouldn't end.
const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn what_rests_runs_when_its_rest_is_over_and_nothing_else_happens() {
    for workers in 1..=3 {
        check(100, move || {
            let scheduler = Scheduler::start(workers).unwrap();
            let done = Arc::new(Bell::default());
            let mut shares = [spent(TICK / 2), spent(TICK)];
            shares.rotate_left(draw(2));
            for share in &shares {
                let rings = Arc::clone(&done);
                Process::start_of(share, &scheduler, |_| async move { rings.ring() });
                dawdle(4);
            }
            done.wait(2);
            end(scheduler);
        });
    }
}

#[test]
fn who_has_ended_waits_for_no_allowance() {
    for workers in 1..=2 {
        check(100, move || {
            let scheduler = Scheduler::start(workers).unwrap();
            let (share, runs) = (spent(DAY), [0, 1].map(|_| Arc::new(Bell::default())));
            let members = runs.each_ref().map(|rings| {
                let (rings, mut member) = (Arc::clone(rings), None);
                Process::start_of(&share, &scheduler, |process| {
                    member = Some(process.member);
                    async move { rings.ring() }
                });
                member.unwrap()
            });
            dawdle(4);
            scheduler.end(&members[1]);
            runs[1].wait(1);
            assert_eq!(runs[0].rung(), 0);
            end(scheduler);
        });
    }
}

#[test]
fn what_rests_is_dropped_with_the_rest() {
    check(100, || {
        let scheduler = Scheduler::start(1).unwrap();
        let (share, dropped) = (spent(DAY), Arc::new(Bell::default()));
        let token = Token(Arc::clone(&dropped));
        Process::start_of(&share, &scheduler, |_| async move { drop(token) });
        dawdle(4);
        end(scheduler);
        dropped.wait(1);
    });
}

#[test]
fn all_that_has_rested_runs_at_once_if_there_are_workers() {
    const TASKS: usize = 3;
    check(100, || {
        let scheduler = Scheduler::start(TASKS).unwrap();
        let (share, here, done) = (spent(TICK), Arc::new(Bell::default()), Arc::new(Bell::default()));
        for _ in 0..TASKS {
            let (here, done) = (Arc::clone(&here), Arc::clone(&done));
            Process::start_of(&share, &scheduler, |_| async move {
                here.ring();
                // Holds its worker until all others run, too.
                here.wait(TASKS);
                done.ring();
            });
        }
        // Who was woken by what came waits again, for the rest to end.
        while scheduler.state.lock().idle < TASKS && here.rung() == 0 {
            thread::yield_now();
        }
        done.wait(TASKS);
        end(scheduler);
    });
}
