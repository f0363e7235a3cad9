//! What a restart policy promises, in virtual time.

use std::time::Duration;

use super::{RestartDecision, RestartPolicy, Restarts};
use crate::{ErrorKind, Failure, Outcome};

fn failed() -> Outcome {
    Outcome::failed(Failure::new(ErrorKind::Internal, "broken"))
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A policy without chance.
const EXACT: RestartPolicy = RestartPolicy {
    initial_delay: Duration::from_millis(100),
    max_delay: Duration::from_millis(1000),
    backoff_factor: 2.0,
    jitter: 0.0,
    max_attempts: 0,
    stable_threshold: Duration::from_secs(5),
};

/// The delays of a service that always ends as soon as it runs, or until it is given up.
fn delays(policy: &RestartPolicy, ends: usize, chance: f64) -> Vec<Duration> {
    let mut restarts = Restarts::default();
    let decide = |_| match restarts.after(policy, &failed(), Some(Duration::ZERO), chance) {
        RestartDecision::Restart { delay, .. } => Some(delay),
        RestartDecision::Done | RestartDecision::GiveUp { .. } => None,
    };
    (0..ends).map_while(decide).collect()
}

#[test]
fn delays_grow_by_the_factor_up_to_the_longest() {
    assert_eq!(delays(&EXACT, 6, 0.7), [100, 200, 400, 800, 1000, 1000].map(ms));
    let slow = RestartPolicy { backoff_factor: 1.5, ..EXACT };
    assert_eq!(delays(&slow, 4, 0.7), [100_000, 150_000, 225_000, 337_500].map(Duration::from_micros));
    let even = RestartPolicy { backoff_factor: 1.0, ..EXACT };
    assert_eq!(delays(&even, 3, 0.7), [100, 100, 100].map(ms));
}

#[test]
fn the_longest_delay_bounds_the_first_too() {
    let policy = RestartPolicy { initial_delay: ms(2000), ..EXACT };
    assert_eq!(delays(&policy, 2, 0.0), [1000, 1000].map(ms));
}

#[test]
fn no_delay_stays_none() {
    let policy = RestartPolicy { initial_delay: Duration::ZERO, jitter: 1.0, ..EXACT };
    assert_eq!(delays(&policy, 3, 0.5), [Duration::ZERO; 3]);
}

#[test]
fn a_normal_end_is_not_restarted() {
    let mut restarts = Restarts::default();
    let done = Outcome::Completed(Default::default());
    assert_eq!(restarts.after(&EXACT, &done, Some(ms(1)), 0.0), RestartDecision::Done);
    assert_eq!(restarts.after(&EXACT, &done, None, 0.0), RestartDecision::Done);
}

#[test]
fn it_is_given_up_after_the_last_attempt() {
    for max_attempts in [1, 2, 7] {
        let policy = RestartPolicy { max_attempts, ..EXACT };
        let mut restarts = Restarts::default();
        for expected in 1..=max_attempts {
            let decision = restarts.after(&policy, &failed(), None, 0.0);
            assert!(matches!(decision, RestartDecision::Restart { attempt, .. } if attempt == expected));
        }
        let given_up = RestartDecision::GiveUp { attempts: max_attempts };
        assert_eq!(restarts.after(&policy, &failed(), None, 0.0), given_up);
        // Asking again changes nothing.
        assert_eq!(restarts.after(&policy, &failed(), None, 0.0), given_up);
    }
}

#[test]
fn zero_attempts_is_always_another() {
    let mut restarts = Restarts { attempts: u32::MAX - 1, delay: ms(1) };
    for _ in 0..3 {
        let decision = restarts.after(&EXACT, &failed(), None, 0.0);
        assert!(matches!(decision, RestartDecision::Restart { attempt: u32::MAX, .. }), "{decision:?}");
    }
}

#[test]
fn running_long_enough_forgets_the_attempts() {
    let policy = RestartPolicy { max_attempts: 2, ..EXACT };
    // How long each run lasts, and what follows: attempt and delay in milliseconds; none: given up.
    let runs = [
        (Some(0), Some((1, 100))),
        (Some(4999), Some((2, 200))),
        (Some(5000), Some((1, 100))),
        (Some(7000), Some((1, 100))),
        // It never got as far as running, however long that took.
        (None, Some((2, 200))),
        (Some(10), None),
    ];
    let mut restarts = Restarts::default();
    for (number, (ran, expected)) in runs.into_iter().enumerate() {
        let expected = match expected {
            Some((attempt, delay)) => RestartDecision::Restart { delay: ms(delay), attempt },
            None => RestartDecision::GiveUp { attempts: 2 },
        };
        assert_eq!(restarts.after(&policy, &failed(), ran.map(ms), 0.0), expected, "run {number}");
    }
}

#[test]
fn a_service_that_is_stable_now_and_then_is_never_given_up() {
    let policy = RestartPolicy { max_attempts: 3, ..EXACT };
    let mut restarts = Restarts::default();
    let mut now = Duration::ZERO;
    let mut starts = 1;
    // An hour of a service that fails at once twice, and then runs for six seconds.
    while now < Duration::from_secs(3600) {
        let ran = if starts % 3 == 0 { Duration::from_secs(6) } else { ms(3) };
        let RestartDecision::Restart { delay, .. } = restarts.after(&policy, &failed(), Some(ran), 0.0) else {
            panic!("given up at {now:?}");
        };
        now += ran + delay;
        starts += 1;
    }
    assert!(starts > 1000, "{starts}");
}

#[test]
fn jitter_only_shortens_and_by_no_more_than_its_part() {
    for jitter in [0.0, 0.1, 0.5, 1.0] {
        let policy = RestartPolicy { jitter, ..EXACT };
        let longest = delays(&EXACT, 6, 0.0);
        for step in 0..100 {
            let chance = f64::from(step) / 100.0;
            for (delay, longest) in delays(&policy, 6, chance).into_iter().zip(&longest) {
                let least = longest.mul_f64(1.0 - jitter);
                assert!((least..=*longest).contains(&delay), "{delay:?} of {longest:?}, {jitter}, {chance}");
            }
        }
    }
    // It doesn't build up: the next delay grows from the whole one.
    let policy = RestartPolicy { jitter: 0.5, ..EXACT };
    assert_eq!(delays(&policy, 3, 0.5), [75, 150, 300].map(ms));
}

#[test]
fn no_number_is_too_strange() {
    let strange = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE, -1.0, 0.0, 0.5, 1e300];
    let durations = [Duration::ZERO, Duration::from_nanos(1), ms(1), Duration::MAX];
    for backoff_factor in strange {
        for jitter in strange {
            for chance in strange {
                for initial_delay in durations {
                    for max_delay in durations {
                        let policy = RestartPolicy { initial_delay, max_delay, backoff_factor, jitter, ..EXACT };
                        let delays = delays(&policy, 4, chance);
                        assert_eq!(delays.len(), 4);
                        assert!(delays.iter().all(|delay| *delay <= max_delay), "{policy:?}");
                    }
                }
            }
        }
    }
}
