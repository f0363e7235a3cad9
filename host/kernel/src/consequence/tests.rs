//! What a process that waits for its turn can still do, and what its turn does.

use crate::testing::{NOW, Node, completed, effects, exec, failed, kernel, kill, name, settled, spawn};
use crate::{Pid, Tally};

/// Two linked processes, the first of which has failed.
fn failed_pair(kernel: &mut Node) -> (Pid, Pid) {
    let (a, b) = (spawn(kernel), spawn(kernel));
    kernel.link(&a, &b).unwrap();
    kernel.handle_exit(&a, failed("boom"), NOW);
    assert_eq!(effects(kernel), [format!("ended {a}: Internal boom")]);
    (a, b)
}

#[test]
fn until_its_turn_a_process_lives() {
    let mut kernel = kernel();
    let (_, b) = failed_pair(&mut kernel);
    let c = spawn(&mut kernel);
    assert!(kernel.owes_consequences() && kernel.is_alive(&b));
    kernel.register(&b, name("b"), &b).unwrap();
    kernel.monitor(&c, &b).unwrap();
    kernel.link(&c, &b).unwrap();
    let child = exec(&mut kernel, &b, 1);
    assert_eq!(
        settled(&mut kernel),
        [
            "b is {h|0x00002}",
            "b is free",
            "stop {h|0x00002}: Internal linked process failed: {h|0x00001}: boom",
            "{h|0x00003} EXIT {h|0x00002}: Internal linked process failed: {h|0x00001}: boom",
            "stop {h|0x00004}: Canceled process terminated",
            "stop {h|0x00003}: Internal linked process failed: {h|0x00002}: boom",
        ]
    );
    assert!(!kernel.is_alive(&child));
}

#[test]
fn who_traps_links_in_time_is_told_of_every_failure_in_order() {
    let mut kernel = kernel();
    let (a, b) = failed_pair(&mut kernel);
    let (second, third) = (spawn(&mut kernel), spawn(&mut kernel));
    for pid in [&second, &third] {
        kernel.link(&b, pid).unwrap();
    }
    kernel.handle_exit(&second, failed("too"), NOW);
    kernel.set_trap_links(&b, true);
    // Also one that fails when links are trapped already waits behind the others.
    kernel.handle_exit(&third, failed("three"), NOW);
    assert_eq!(effects(&mut kernel).len(), 2);
    kernel.handle_consequence(NOW);
    assert_eq!(
        effects(&mut kernel),
        [
            format!("{b} LINK_DOWN {a}: Internal boom"),
            format!("{b} LINK_DOWN {second}: Internal too"),
            format!("{b} LINK_DOWN {third}: Internal three"),
        ]
    );
    assert_eq!(kernel.usage(), Tally { processes: 1, ..Tally::default() });
}

#[test]
fn the_first_failure_ends_it() {
    let mut kernel = kernel();
    let (_, b) = failed_pair(&mut kernel);
    let second = spawn(&mut kernel);
    kernel.link(&b, &second).unwrap();
    kernel.handle_exit(&second, failed("too"), NOW);
    effects(&mut kernel);
    assert_eq!(settled(&mut kernel), ["stop {h|0x00002}: Internal linked process failed: {h|0x00001}: boom"]);
}

#[test]
fn an_unlink_comes_too_late() {
    let mut kernel = kernel();
    let (a, b) = failed_pair(&mut kernel);
    kernel.unlink(&b, &a).unwrap();
    settled(&mut kernel);
    assert!(!kernel.is_alive(&b));
}

#[test]
fn who_ends_before_its_turn_leaves_no_turn() {
    let mut kernel = kernel();
    let (_, b) = failed_pair(&mut kernel);
    kill(&mut kernel, &b);
    assert!(!kernel.owes_consequences());
    kernel.handle_consequence(NOW);
    assert!(effects(&mut kernel).is_empty());
    assert_eq!(kernel.usage(), Tally::default());
}

#[test]
fn turns_come_in_the_order_of_their_causes() {
    let mut kernel = kernel();
    let (_, first) = failed_pair(&mut kernel);
    let caller = spawn(&mut kernel);
    let callee = exec(&mut kernel, &caller, 1);
    kernel.handle_exit(&caller, completed(), NOW);
    let (_, last) = {
        let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
        kernel.link(&a, &b).unwrap();
        kernel.handle_exit(&a, failed("boom"), NOW);
        (a, b)
    };
    // Another failure gives no other turn.
    let more = spawn(&mut kernel);
    kernel.link(&more, &first).unwrap();
    kernel.handle_exit(&more, failed("boom"), NOW);
    for expected in [first, callee, last] {
        assert!(kernel.is_alive(&expected));
        kernel.handle_consequence(NOW);
        assert!(!kernel.is_alive(&expected));
    }
}
