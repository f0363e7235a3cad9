//! What the end of a process promises.

use std::time::Duration;

use crate::testing::{FEW, NOW, Node, completed, due, effects, exec, failed, kernel, kill, settled, spawn, spec};
use crate::{Deadline, Effect, EntryId, ErrorKind, Event, Lifetime, Pid, Refusal, SpawnSpec, Tally, Timestamp, Uptime};

fn later(nanos: u64) -> Timestamp {
    NOW.saturating_add(Duration::from_nanos(nanos))
}

fn spawn_many(kernel: &mut Node, count: usize) -> Vec<Pid> {
    (0..count).map(|_| spawn(kernel)).collect()
}

#[test]
fn a_normal_end_is_no_concern_of_the_linked() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.link(&a, &b).unwrap();
    kernel.set_trap_links(&b, true);
    kernel.handle_exit(&a, completed(), NOW);
    assert_eq!(effects(&mut kernel), ["ended {h|0x00001}: [1]"]);
    assert!(kernel.is_alive(&b));
    assert_eq!(kernel.usage().links, 0);
}

#[test]
fn a_failure_runs_along_links_up_to_who_traps() {
    let mut kernel = kernel();
    let pids = spawn_many(&mut kernel, 4);
    for pair in pids.windows(2) {
        kernel.link(&pair[0], &pair[1]).unwrap();
    }
    kernel.set_trap_links(&pids[2], true);
    kernel.handle_exit(&pids[0], failed("boom"), NOW);
    assert_eq!(
        settled(&mut kernel),
        [
            "ended {h|0x00001}: Internal boom",
            "stop {h|0x00002}: Internal linked process failed: {h|0x00001}: boom",
            "{h|0x00003} LINK_DOWN {h|0x00002}: Internal linked process failed: {h|0x00001}: boom",
        ]
    );
    assert!(kernel.is_alive(&pids[3]));
}

#[test]
fn who_ends_too_lives_until_its_turn_and_is_told() {
    let mut kernel = kernel();
    let (a, b, c) = (spawn(&mut kernel), spawn(&mut kernel), spawn(&mut kernel));
    kernel.link(&a, &b).unwrap();
    kernel.monitor(&a, &b).unwrap();
    kernel.monitor(&b, &a).unwrap();
    kernel.monitor(&c, &b).unwrap();
    kernel.handle_exit(&a, failed("boom"), NOW);
    assert_eq!(
        settled(&mut kernel),
        [
            "ended {h|0x00001}: Internal boom",
            "{h|0x00002} EXIT {h|0x00001}: Internal boom",
            "stop {h|0x00002}: Internal linked process failed: {h|0x00001}: boom",
            "{h|0x00003} EXIT {h|0x00002}: Internal linked process failed: {h|0x00001}: boom",
        ]
    );
}

#[test]
fn exit_comes_before_link_down() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.set_trap_links(&b, true);
    kernel.link(&b, &a).unwrap();
    kernel.monitor(&b, &a).unwrap();
    kernel.terminate(Some(&b), &a, NOW).unwrap();
    assert_eq!(
        effects(&mut kernel),
        [
            "stop {h|0x00001}: Canceled process terminated",
            "{h|0x00002} EXIT {h|0x00001}: Canceled process terminated",
            "{h|0x00002} LINK_DOWN {h|0x00001}: Canceled process terminated",
        ]
    );
}

#[test]
fn an_event_tells_when() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.monitor(&b, &a).unwrap();
    kernel.handle_exit(&a, completed(), later(7));
    kernel.poll_effect();
    let event = Event::Exit { from: a, outcome: completed(), at: later(7) };
    assert_eq!(kernel.poll_effect(), Some(Effect::Deliver { to: b, event }));
}

/// Thousands end because of one failure; the stack for it must not depend on the shape, and no call ends two.
#[test]
fn a_ring_and_a_star_of_8000_end_one_by_one() {
    for star in [false, true] {
        let mut kernel = kernel();
        let pids = spawn_many(&mut kernel, 8_000);
        for at in 0..pids.len() {
            let far = if star { 0 } else { (at + 1) % pids.len() };
            if far != at {
                kernel.link(&pids[at], &pids[far]).unwrap();
            }
        }
        kernel.handle_exit(&pids[4_000], failed(&"x".repeat(1 << 20)), NOW);
        let (mut calls, mut ended) = (1, 0);
        loop {
            while let Some(effect) = kernel.poll_effect() {
                let Effect::Ended { outcome, forced, .. } = effect else { continue };
                assert!(!forced || outcome.failure().unwrap().message.len() < 1_200, "messages don't grow on the way");
                ended += 1;
            }
            assert_eq!(ended, calls);
            if !kernel.owes_consequences() {
                break;
            }
            kernel.handle_consequence(NOW);
            calls += 1;
        }
        assert_eq!(ended, 8_000);
        assert_eq!(kernel.usage(), Tally::default());
        kernel.check_invariants().unwrap();
    }
}

#[test]
fn densely_linked_processes_end_once_each() {
    let mut kernel = kernel();
    let pids = spawn_many(&mut kernel, 60);
    for a in &pids {
        for b in pids.iter().filter(|b| *b != a) {
            kernel.link(a, b).unwrap();
        }
    }
    kernel.terminate(None, &pids[0], NOW).unwrap();
    assert_eq!((kernel.process_count(), effects(&mut kernel).len()), (59, 1));
    assert_eq!(settled(&mut kernel).len(), 59);
    assert_eq!(kernel.usage(), Tally::default());
}

#[test]
fn one_may_terminate_oneself_and_nobody_twice() {
    let mut kernel = kernel();
    let a = spawn(&mut kernel);
    kernel.terminate(Some(&a), &a, NOW).unwrap();
    assert_eq!(effects(&mut kernel), ["stop {h|0x00001}: Canceled process terminated"]);
    assert_eq!(kernel.terminate(None, &a, NOW).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(kernel.cancel(None, &a, None, NOW).unwrap_err().kind(), ErrorKind::NotFound);
    kernel.handle_exit(&a, completed(), NOW);
    assert!(effects(&mut kernel).is_empty());
}

#[test]
fn a_cancel_without_deadline_forces_nothing() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.cancel(Some(&a), &b, None, NOW).unwrap();
    kernel.cancel(None, &b, None, NOW).unwrap();
    assert_eq!(effects(&mut kernel), ["{h|0x00002} CANCEL {h|0x00001}", "{h|0x00002} CANCEL"]);
    assert_eq!(kernel.next_deadline(), None);
    kernel.handle_timeout(Uptime::from_nanos(u64::MAX), NOW);
    assert!(kernel.is_alive(&b));
}

#[test]
fn who_is_there_when_the_deadline_passes_is_terminated() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.cancel(None, &a, Some(due(10)), NOW).unwrap();
    kernel.cancel(None, &b, Some(due(11)), NOW).unwrap();
    effects(&mut kernel);
    assert_eq!(kernel.next_deadline(), Some(due(10).due));
    kernel.handle_timeout(due(9).due, NOW);
    assert!(effects(&mut kernel).is_empty());
    kernel.handle_timeout(due(10).due, NOW);
    assert_eq!(effects(&mut kernel), ["stop {h|0x00001}: Canceled process terminated"]);
    kill(&mut kernel, &b);
    assert_eq!(kernel.next_deadline(), None, "a deadline ends with its process");
}

#[test]
fn of_several_deadlines_the_earliest_counts() {
    let mut kernel = kernel();
    let a = spawn(&mut kernel);
    for nanos in [10, 5, 20] {
        kernel.cancel(None, &a, Some(due(nanos)), NOW).unwrap();
    }
    kernel.cancel(None, &a, None, NOW).unwrap();
    assert_eq!((kernel.next_deadline(), kernel.usage().deadlines), (Some(due(5).due), 1));
    effects(&mut kernel);
    kernel.handle_timeout(due(30).due, NOW);
    assert_eq!(effects(&mut kernel).len(), 1);
}

/// A clock that is set neither kills nor spares anybody.
#[test]
fn the_wall_clock_is_only_shown() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.monitor(&b, &a).unwrap();
    let deadline = Deadline::after(Uptime::from_nanos(5), later(0), Duration::from_nanos(10));
    kernel.cancel(None, &a, Some(deadline), later(0)).unwrap();
    let event = Event::Cancel { from: None, deadline: Some(later(10)), at: later(0) };
    assert_eq!(kernel.poll_effect(), Some(Effect::Deliver { to: a.clone(), event }));
    kernel.handle_timeout(Uptime::from_nanos(14), later(1_000_000));
    assert!(kernel.is_alive(&a));
    kernel.handle_timeout(Uptime::from_nanos(15), Timestamp::from_nanos(-9));
    assert!(!kernel.is_alive(&a));
    kernel.poll_effect();
    let told = kernel.poll_effect();
    assert!(
        matches!(told, Some(Effect::Deliver { event: Event::Exit { at, .. }, .. }) if at == Timestamp::from_nanos(-9))
    );
}

#[test]
fn a_deadline_may_be_over_already() {
    let mut kernel = kernel();
    let a = spawn(&mut kernel);
    kernel.cancel(None, &a, Some(due(0)), NOW).unwrap();
    kernel.handle_timeout(due(0).due, NOW);
    assert_eq!(effects(&mut kernel), ["{h|0x00001} CANCEL", "stop {h|0x00001}: Canceled process terminated"]);
}

#[test]
fn deadlines_that_pass_together_end_one_at_a_time() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.link(&a, &b).unwrap();
    for pid in [&a, &b] {
        kernel.cancel(None, pid, Some(due(1)), NOW).unwrap();
    }
    effects(&mut kernel);
    for _ in 0..2 {
        assert_eq!(kernel.next_deadline(), Some(due(1).due));
        kernel.handle_timeout(due(1).due, NOW);
        assert_eq!(effects(&mut kernel).len(), 1);
    }
    assert_eq!((kernel.next_deadline(), kernel.usage()), (None, Tally::default()));
}

#[test]
fn the_end_of_a_callee_answers_its_caller_last() {
    let mut kernel = kernel();
    let caller = spawn(&mut kernel);
    let callee = exec(&mut kernel, &caller, 7);
    kernel.monitor(&caller, &callee).unwrap();
    kernel.link(&caller, &callee).unwrap();
    kernel.set_trap_links(&caller, true);
    assert_eq!(kernel.usage().calls, 1);
    kernel.handle_exit(&callee, failed("boom"), NOW);
    assert_eq!(
        effects(&mut kernel),
        [
            "ended {h|0x00002}: Internal boom",
            "{h|0x00001} EXIT {h|0x00002}: Internal boom",
            "{h|0x00001} LINK_DOWN {h|0x00002}: Internal boom",
            "{h|0x00001} reply 7: Internal boom",
        ]
    );
    assert_eq!(kernel.usage().calls, 0);
    kernel.handle_exit(&callee, completed(), NOW);
    assert!(effects(&mut kernel).is_empty(), "it is answered once");
}

#[test]
fn callees_end_after_their_caller_and_theirs_too() {
    let mut kernel = kernel();
    let caller = spawn(&mut kernel);
    let (first, second) = (exec(&mut kernel, &caller, 1), exec(&mut kernel, &caller, 2));
    let grandchild = exec(&mut kernel, &first, 1);
    let (linked, trapping) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.link(&grandchild, &linked).unwrap();
    kernel.link(&second, &trapping).unwrap();
    kernel.set_trap_links(&trapping, true);
    kernel.handle_exit(&caller, completed(), NOW);
    assert_eq!(
        settled(&mut kernel),
        [
            "ended {h|0x00001}: [1]",
            "stop {h|0x00002}: Canceled process terminated",
            "stop {h|0x00003}: Canceled process terminated",
            "{h|0x00006} LINK_DOWN {h|0x00003}: Canceled process terminated",
            "stop {h|0x00004}: Canceled process terminated",
            "stop {h|0x00005}: Internal linked process failed: {h|0x00004}: process terminated",
        ]
    );
    assert_eq!(kernel.usage(), Tally { processes: 1, ..Tally::default() });
}

#[test]
fn a_callee_that_is_linked_too_ends_as_a_callee() {
    let mut kernel = kernel();
    let caller = spawn(&mut kernel);
    let callee = exec(&mut kernel, &caller, 1);
    kernel.link(&caller, &callee).unwrap();
    kernel.set_trap_links(&callee, true);
    kernel.handle_exit(&caller, failed("boom"), NOW);
    assert_eq!(
        settled(&mut kernel),
        ["ended {h|0x00001}: Internal boom", "stop {h|0x00002}: Canceled process terminated"]
    );
}

#[test]
fn a_failing_callee_answers_a_linked_caller_and_then_takes_it_along() {
    let mut kernel = kernel();
    let caller = spawn(&mut kernel);
    let callee = exec(&mut kernel, &caller, 1);
    kernel.link(&callee, &caller).unwrap();
    kernel.handle_exit(&callee, failed("boom"), NOW);
    assert_eq!(
        settled(&mut kernel),
        [
            "ended {h|0x00002}: Internal boom",
            "{h|0x00001} reply 1: Internal boom",
            "stop {h|0x00001}: Internal linked process failed: {h|0x00002}: boom",
        ]
    );
}

#[test]
fn a_long_chain_of_callees_ends_link_by_link() {
    let mut kernel = kernel();
    let first = spawn(&mut kernel);
    let mut last = first.clone();
    for request in 1..5_000 {
        last = exec(&mut kernel, &last, request);
    }
    kernel.terminate(None, &first, NOW).unwrap();
    for left in (0..5_000).rev() {
        assert_eq!(kernel.process_count(), left);
        assert!(matches!(kernel.poll_effect(), Some(Effect::Ended { .. })) && kernel.poll_effect().is_none());
        kernel.handle_consequence(NOW);
    }
    assert_eq!(kernel.usage(), Tally::default());
}

fn lasting(nanos: u64) -> Lifetime {
    Lifetime { until: Uptime::from_nanos(nanos), outcome: failed("too old") }
}

fn spawn_lasting(kernel: &mut Node, nanos: u64) -> Pid {
    kernel.spawn(None, SpawnSpec { lifetime: Some(lasting(nanos)), ..spec() }).unwrap().pid
}

#[test]
fn who_has_a_lifetime_ends_with_it_as_was_said_when_it_began() {
    let mut kernel = kernel();
    let (old, young, other) = (spawn_lasting(&mut kernel, 10), spawn_lasting(&mut kernel, 20), spawn(&mut kernel));
    kernel.cancel(None, &other, Some(due(15)), NOW).unwrap();
    effects(&mut kernel);
    assert_eq!((kernel.next_deadline(), kernel.usage().deadlines), (Some(Uptime::from_nanos(10)), 3));
    kernel.handle_timeout(Uptime::from_nanos(9), NOW);
    assert!(kernel.is_alive(&old));
    for _ in 0..4 {
        kernel.handle_timeout(Uptime::from_nanos(30), NOW);
        kernel.check_invariants().unwrap();
    }
    assert_eq!(
        effects(&mut kernel),
        [
            "stop {h|0x00001}: Internal too old",
            "stop {h|0x00003}: Canceled process terminated",
            "stop {h|0x00002}: Internal too old",
        ]
    );
    assert!(!kernel.is_alive(&young) && kernel.usage() == Tally::default());
}

#[test]
fn an_end_and_an_upgrade_take_a_lifetime_away() {
    let mut kernel = kernel();
    let (a, b) = (spawn_lasting(&mut kernel, 10), spawn_lasting(&mut kernel, 10));
    kill(&mut kernel, &a);
    let entry = EntryId::new("app:next");
    assert!(kernel.upgrade(&b, entry.clone(), FEW, Some(lasting(30))));
    kernel.check_invariants().unwrap();
    assert_eq!(kernel.next_deadline(), Some(Uptime::from_nanos(30)));
    assert!(kernel.upgrade(&b, entry, FEW, None));
    kernel.check_invariants().unwrap();
    assert_eq!(kernel.next_deadline(), None);
    kernel.handle_timeout(Uptime::from_nanos(u64::MAX), NOW);
    assert!(kernel.is_alive(&b));
}
