//! Groups, step by step: members, changes and who is told of them, limits.

use std::slice;

use lunarium_contract::length;

use super::{GroupError, GroupName};
use crate::testing::{FEW, NOW, completed, effects, kernel, kill, spawn, spawn_few, spec};
use crate::{CountLimits, EntryId, ErrorKind, Kernel, Pid, Refusal, SpawnSpec, Tally};

fn group(text: &str) -> GroupName {
    GroupName::new(text).unwrap()
}

fn members(kernel: &Kernel, name: &str) -> Vec<Pid> {
    kernel.members(name, None, usize::MAX).0
}

#[test]
fn members_are_who_has_joined_and_not_left() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    assert_eq!(members(&kernel, "workers"), []);
    assert_eq!(kernel.join_group(&b, &group("workers")), Ok(true));
    assert_eq!(kernel.join_group(&a, &group("workers")), Ok(true));
    assert_eq!(kernel.join_group(&a, &group("workers")), Ok(false));
    assert_eq!(members(&kernel, "workers"), [a.clone(), b.clone()]);
    assert_eq!(kernel.members("workers", Some(a.number()), 10).0, slice::from_ref(&b));
    assert_eq!(kernel.members("workers", None, 1).0, slice::from_ref(&a));
    assert_eq!(kernel.leave_group(&a, &group("workers")), Ok(true));
    assert_eq!(kernel.leave_group(&a, &group("workers")), Ok(false));
    kernel.check_invariants().unwrap();
    kill(&mut kernel, &b);
    assert_eq!(members(&kernel, "workers"), []);
    kernel.check_invariants().unwrap();
    kill(&mut kernel, &a);
    assert_eq!(kernel.usage(), Tally::default());
}

#[test]
fn a_change_is_told_once_to_who_waits() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    let version = |kernel: &Kernel| kernel.members("g", None, 0).1;
    assert_eq!(version(&kernel), 0);
    kernel.watch_group(&a, &group("g"), 0, 7).unwrap();
    assert_eq!(effects(&mut kernel), [""; 0]);
    kernel.join_group(&b, &group("g")).unwrap();
    let reply = format!("{a} reply 7: [195]");
    assert_eq!(effects(&mut kernel), [reply.as_str()]);
    // Nobody waits any more.
    kernel.leave_group(&b, &group("g")).unwrap();
    assert_eq!(effects(&mut kernel), [""; 0]);
    // What has changed before is told at once.
    kernel.join_group(&b, &group("g")).unwrap();
    kernel.watch_group(&a, &group("g"), 1, 8).unwrap();
    assert_eq!(effects(&mut kernel), [format!("{a} reply 8: [195]")]);
    // An end is a change as well, and told after it.
    let now = version(&kernel);
    kernel.watch_group(&a, &group("g"), now, 9).unwrap();
    kernel.handle_exit(&b, completed(), NOW);
    assert_eq!(effects(&mut kernel).last().map(String::as_str), Some(format!("{a} reply 9: [195]").as_str()));
    kernel.check_invariants().unwrap();
}

#[test]
fn who_stops_waiting_is_answered_and_who_starts_over_is_not() {
    let mut kernel = kernel();
    let a = spawn(&mut kernel);
    kernel.join_group(&a, &group("own")).unwrap();
    kernel.watch_group(&a, &group("g"), 0, 3).unwrap();
    kernel.unwatch_group(&a, &group("g")).unwrap();
    assert_eq!(effects(&mut kernel), [format!("{a} reply 3: [195]")]);
    kernel.unwatch_group(&a, &group("nobody's")).unwrap();
    kernel.watch_group(&a, &group("g"), 0, 4).unwrap();
    assert!(kernel.upgrade(&a, EntryId::new("app:next"), FEW, None));
    assert_eq!(effects(&mut kernel), [""; 0]);
    // It stays in its groups.
    assert_eq!(members(&kernel, "own"), slice::from_ref(&a));
    kernel.check_invariants().unwrap();
    kill(&mut kernel, &a);
    assert_eq!(kernel.usage(), Tally::default());
}

#[test]
fn each_limit_is_named() {
    let mut kernel = kernel();
    let a = spawn_few(&mut kernel);
    kernel.join_group(&a, &group("one")).unwrap();
    kernel.watch_group(&a, &group("two"), 0, 1).unwrap();
    let full = kernel.join_group(&a, &group("three")).unwrap_err();
    assert_eq!((full.kind(), full.limit()), (ErrorKind::ResourceExhausted, Some("groups")));
    assert_eq!(full.to_string(), format!("{a} is at its limit of 2 groups that it is in or watches"));
    assert_eq!(kernel.watch_group(&a, &group("three"), 0, 2).unwrap_err(), full);
    let many = CountLimits { groups: 1_000, ..FEW };
    let b = kernel.spawn(None, SpawnSpec { limits: many, ..spec() }).unwrap().pid;
    for request in 0..length::GROUP_WATCHERS as u64 {
        kernel.watch_group(&b, &group("seen"), 0, request).unwrap();
    }
    let full = kernel.watch_group(&b, &group("seen"), 0, 1_000).unwrap_err();
    assert_eq!(full.limit(), Some("group.watchers"));
    assert_eq!(full.to_string(), "group `seen` is at its limit of 64 who watch it");
    kernel.check_invariants().unwrap();
}

#[test]
fn names_have_a_length_and_the_dead_have_no_groups() {
    assert_eq!(GroupName::new(""), Err(GroupError::Name { length: 0 }));
    let long = "g".repeat(256);
    assert_eq!(GroupName::new(&long).unwrap_err().to_string(), "group of 256 bytes is not 1 to 255 bytes long");
    let mut kernel = kernel();
    let a = spawn(&mut kernel);
    kill(&mut kernel, &a);
    for refusal in [
        kernel.join_group(&a, &group("g")).unwrap_err(),
        kernel.leave_group(&a, &group("g")).unwrap_err(),
        kernel.watch_group(&a, &group("g"), 0, 1).unwrap_err(),
        kernel.unwatch_group(&a, &group("g")).unwrap_err(),
    ] {
        assert_eq!(refusal.kind(), ErrorKind::Canceled);
    }
}
