//! The kernel's simulation as a test: 150 seeds, every time the same. `just sim` runs more.

#[path = "../examples/sim/simulation/mod.rs"]
mod simulation;

use simulation::{Stats, run, run_seed, script, shrink};

/// What a script must have got to for the run to mean anything.
const REACHED: &[&str] = &[
    "Spawn ok",
    "Spawn AlreadyExists",
    "Spawn Unavailable",
    "Spawn ResourceExhausted",
    "Spawn Invalid",
    "Spawn Canceled",
    "Link ok",
    "Link NotFound",
    "Link Invalid",
    "Link ResourceExhausted",
    "Link Canceled",
    "Unlink ok",
    "Unlink NotFound",
    "Monitor ok",
    "Monitor NotFound",
    "Monitor AlreadyExists",
    "Monitor Invalid",
    "Monitor ResourceExhausted",
    "Unmonitor ok",
    "Unmonitor NotFound",
    "Register ok",
    "Register NotFound",
    "Register AlreadyExists",
    "Register Invalid",
    "Register ResourceExhausted",
    "Register Canceled",
    "Lookup ok",
    "Lookup NotFound",
    "Unregister ok",
    "Unregister PermissionDenied",
    "Terminate ok",
    "Terminate NotFound",
    "Cancel ok",
    "Send ok",
    "Send NotFound",
    "Send Invalid",
    "Send RateLimited",
    "Send Canceled",
    "full: whole",
    "full: sender",
    "full: unlistened",
    "Foreign ok",
    "Exec ok",
    "Task ok",
    "Task ResourceExhausted",
    "Task Canceled",
    "Exec Canceled",
    "Foreign Canceled",
    "NextTask",
    "NextTask none",
    "Answer ok",
    "Answer to the dead",
    "replies 2",
    "Named",
    "Unnamed",
    "Ended",
    "Exit",
    "LinkDown",
    "Turn ends",
    "Turn ends nobody",
    "Cancel",
    "Reply",
    "Upgrade ok",
    "Upgrade dead",
    "take of 3",
    "read",
];

#[test]
fn the_invariants_hold_after_every_step() {
    let mut stats = Stats::new();
    for seed in 1..=150 {
        match run_seed(seed, 200) {
            Ok(run) => run.stats.into_iter().for_each(|(word, count)| *stats.entry(word).or_default() += count),
            Err(broken) => panic!("{broken}"),
        }
    }
    let missed: Vec<_> = REACHED.iter().filter(|word| !stats.contains_key(**word)).collect();
    assert!(missed.is_empty(), "never reached: {missed:?}");
}

#[test]
fn a_run_is_the_same_each_time() {
    let script = script::generate(7, 400);
    let (once, again) = (run(&script).unwrap(), run(&script).unwrap());
    assert!(once.trace.len() > 100);
    assert_eq!(once.trace, again.trace);
}

#[test]
fn a_failing_script_is_made_as_short_as_can_be() {
    let script: Vec<u32> = (0..1_000).collect();
    let fails = |script: &[u32]| [17, 500, 501, 999].iter().all(|step| script.contains(step));
    assert_eq!(shrink::shrink(&script, fails), [17, 500, 501, 999]);
    assert_eq!(shrink::shrink(&script, |_| true), Vec::<u32>::new());
}
