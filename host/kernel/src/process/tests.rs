//! What spawning promises.

use std::sync::Arc;

use crate::testing::{FEW, NOW, Node, completed, effects, failed, host, kernel, kill, name, spawn, spawn_few, spec};
use crate::{CountLimits, ErrorKind, JoinError, NodeLimits, Refusal, SpawnError, SpawnSpec};

fn watched() -> SpawnSpec {
    SpawnSpec { monitored: true, linked: true, ..spec() }
}

#[test]
fn a_pid_is_never_used_again() {
    let mut kernel = kernel();
    let first = spawn(&mut kernel);
    kill(&mut kernel, &first);
    let second = spawn(&mut kernel);
    assert_eq!((first.as_str(), second.as_str()), ("{h|0x00001}", "{h|0x00002}"));
}

#[test]
fn one_counter_serves_all_hosts() {
    let mut kernel = kernel();
    spawn(&mut kernel);
    let other = kernel.kernel.spawn(None, &host("g", 1), spec()).unwrap();
    assert_eq!(other.pid.as_str(), "{g|0x00002}");
}

#[test]
fn the_chain_is_the_number_of_its_root() {
    let mut kernel = kernel();
    spawn(&mut kernel);
    let root = kernel.spawn(None, spec()).unwrap();
    let child = kernel.spawn(Some(&root.pid), spec()).unwrap();
    kill(&mut kernel, &root.pid);
    let grandchild = kernel.spawn(Some(&child.pid), spec()).unwrap();
    assert_eq!((root.chain, child.chain, grandchild.chain), (2, 2, 2));
}

#[test]
fn monitor_and_link_stand_when_spawn_returns() {
    let mut kernel = kernel();
    let parent = spawn(&mut kernel);
    let child = kernel.spawn(Some(&parent), watched()).unwrap().pid;
    kernel.set_trap_links(&parent, true);
    kernel.handle_exit(&child, failed("boom"), NOW);
    assert_eq!(
        effects(&mut kernel),
        [
            "ended {h|0x00002}: Internal boom",
            "{h|0x00001} EXIT {h|0x00002}: Internal boom",
            "{h|0x00001} LINK_DOWN {h|0x00002}: Internal boom",
        ]
    );
}

#[test]
fn without_a_parent_nobody_watches() {
    let mut kernel = kernel();
    assert_eq!(kernel.spawn(None, watched()).unwrap_err().kind(), ErrorKind::Invalid);
    let linked = SpawnSpec { linked: true, ..spec() };
    assert_eq!(kernel.spawn(None, linked), Err(SpawnError::NoParent));
    let executed = SpawnSpec { exec: Some(1), ..spec() };
    assert_eq!(kernel.spawn(None, executed), Err(SpawnError::NoParent));
    assert_eq!(kernel.process_count(), 0);
}

#[test]
fn a_dead_parent_has_no_children() {
    let mut kernel = kernel();
    let parent = spawn(&mut kernel);
    kill(&mut kernel, &parent);
    let refusal = kernel.spawn(Some(&parent), spec()).unwrap_err();
    assert_eq!(refusal.to_string(), "caller {h|0x00001} has ended");
}

#[test]
fn the_8000th_process_is_accepted_and_the_next_refused() {
    let mut kernel = kernel();
    for _ in 0..8_000 {
        spawn(&mut kernel);
    }
    let refusal = kernel.spawn(None, spec()).unwrap_err();
    assert_eq!(refusal, SpawnError::NodeFull { limit: 8_000 });
    assert_eq!(refusal.kind(), ErrorKind::ResourceExhausted);
}

/// The parent `FEW` has one relation left, or none, of each; a refusal for one must not have made the other.
#[test]
fn a_refused_spawn_changes_nothing() {
    for (monitors, links) in [(2, 0), (0, 2), (2, 2)] {
        let mut kernel = kernel();
        let parent = spawn_few(&mut kernel);
        for _ in 0..monitors {
            kernel.spawn(Some(&parent), SpawnSpec { monitored: true, ..spec() }).unwrap();
        }
        for _ in 0..links {
            kernel.spawn(Some(&parent), SpawnSpec { linked: true, ..spec() }).unwrap();
        }
        let before = (kernel.usage(), kernel.process(&parent).unwrap().usage());
        assert_eq!(kernel.spawn(Some(&parent), watched()).unwrap_err().kind(), ErrorKind::ResourceExhausted);
        assert_eq!((kernel.usage(), kernel.process(&parent).unwrap().usage()), before);
        let next = spawn(&mut kernel);
        assert_eq!(next.number(), 2 + monitors + links, "no pid was used");
        effects(&mut kernel);
    }
}

#[test]
fn a_child_without_room_for_links_is_refused() {
    let mut kernel = kernel();
    let parent = spawn(&mut kernel);
    let spec = SpawnSpec { limits: CountLimits { links: 0, ..FEW }, ..watched() };
    let refusal = kernel.spawn(Some(&parent), spec).unwrap_err();
    assert_eq!(refusal.to_string(), "child is at its limit of 0 links");
    assert_eq!(kernel.usage().monitors, 0);
}

#[test]
fn an_end_makes_room_for_relations() {
    let mut kernel = kernel();
    let parent = spawn_few(&mut kernel);
    for _ in 0..5 {
        let child = kernel.spawn(Some(&parent), watched()).unwrap().pid;
        kernel.handle_exit(&child, completed(), NOW);
        effects(&mut kernel);
    }
    assert_eq!(kernel.process(&parent).unwrap().usage(), CountLimits { links: 0, monitors: 0, names: 0, groups: 0 });
}

#[test]
fn a_node_for_no_processes_starts_none() {
    let mut kernel = Node::new(NodeLimits { max_processes: 0, ..NodeLimits::default() });
    assert_eq!(kernel.spawn(None, spec()), Err(SpawnError::NodeFull { limit: 0 }));
}

#[test]
fn a_node_with_more_processes_than_it_may_have_starts_none_until_enough_have_ended() {
    let mut kernel = kernel();
    let two = [spawn(&mut kernel), spawn(&mut kernel)];
    kernel.kernel.set_max_processes(1);
    assert_eq!(kernel.spawn(None, spec()), Err(SpawnError::NodeFull { limit: 1 }));
    kill(&mut kernel, &two[0]);
    assert_eq!(kernel.spawn(None, spec()), Err(SpawnError::NodeFull { limit: 1 }));
    kill(&mut kernel, &two[1]);
    spawn(&mut kernel);
    kernel.kernel.set_max_processes(2);
    spawn(&mut kernel);
    assert_eq!(kernel.kernel.limits().max_processes, 2);
}

fn named(text: &str) -> SpawnSpec {
    SpawnSpec { name: Some(name(text)), ..spec() }
}

#[test]
fn a_name_stands_when_spawn_returns_and_goes_with_its_process() {
    let mut kernel = kernel();
    let parent = spawn(&mut kernel);
    let child = kernel.spawn(Some(&parent), named("n")).unwrap().pid;
    assert_eq!(kernel.holder("n"), Some(&child));
    effects(&mut kernel);
    kill(&mut kernel, &child);
    assert_eq!(kernel.holder("n"), None);
}

#[test]
fn a_taken_name_refuses_the_spawn() {
    let mut kernel = kernel();
    let parent = spawn(&mut kernel);
    let holder = kernel.spawn(Some(&parent), named("n")).unwrap().pid;
    let refusal = kernel.spawn(Some(&parent), named("n")).unwrap_err();
    assert_eq!(
        (refusal.kind(), refusal.to_string()),
        (ErrorKind::AlreadyExists, format!("name `n` is already held by {holder}"))
    );
    let nameless = SpawnSpec { limits: CountLimits { names: 0, ..FEW }, ..named("m") };
    assert_eq!(kernel.spawn(Some(&parent), nameless), Err(SpawnError::NamesFull));
    assert_eq!(kernel.process_count(), 2);
}

#[test]
fn joining_a_holder_sets_what_a_spawn_would_have_set() {
    let mut kernel = kernel();
    let (parent, holder) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.monitor(&parent, &holder).unwrap();
    // What stands already is no error.
    kernel.join(&parent, &holder, true, true).unwrap();
    kernel.set_trap_links(&parent, true);
    kernel.handle_exit(&holder, failed("boom"), NOW);
    assert_eq!(effects(&mut kernel).len(), 3);
}

#[test]
fn joining_is_all_or_nothing() {
    let mut kernel = kernel();
    let parent = spawn_few(&mut kernel);
    let holder = spawn(&mut kernel);
    for _ in 0..FEW.links {
        kernel.spawn(Some(&parent), SpawnSpec { linked: true, ..spec() }).unwrap();
    }
    let refusal = kernel.join(&parent, &holder, true, true).unwrap_err();
    assert_eq!(refusal.kind(), ErrorKind::ResourceExhausted);
    assert_eq!(kernel.process(&parent).unwrap().usage().monitors, 0);
    let oneself = kernel.join(&parent, &parent, true, false).unwrap_err();
    assert!(matches!(&oneself, JoinError::Monitor(_)) && oneself.kind() == ErrorKind::Invalid);
    kill(&mut kernel, &holder);
    assert_eq!(kernel.join(&parent, &holder, true, false).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_place_that_is_kept_is_for_services() {
    let mut node = Node::new(NodeLimits { max_processes: 4, ..NodeLimits::default() });
    let host = Arc::clone(&node.host);
    node.kernel.keep_place(&host);
    let parent = spawn(&mut node);
    // The service runs: its place is taken, and scripts may have all the rest.
    let children: Vec<_> = (0..3).map(|_| node.spawn(Some(&parent), spec()).unwrap().pid).collect();
    let full = node.spawn(Some(&parent), spec()).unwrap_err();
    assert_eq!(
        (full.to_string().as_str(), full.limit()),
        ("the node is at its limit of 4 processes", Some("node.processes"))
    );
    // It has ended: its place is kept, whatever children come.
    kill(&mut node, &parent);
    let child = &children[0];
    assert!(node.spawn(Some(child), spec()).is_err());
    spawn(&mut node);
    kill(&mut node, child);
    node.spawn(Some(&children[1]), spec()).unwrap();
    node.kernel.check_invariants().unwrap();
}

#[test]
fn a_place_that_is_kept_on_a_host_is_for_services_there() {
    let mut node = kernel();
    let small = host("small", 2);
    node.kernel.keep_place(&small);
    let parent = spawn(&mut node);
    node.kernel.spawn(Some(&parent), &small, spec()).unwrap();
    let full = node.kernel.spawn(Some(&parent), &small, spec()).unwrap_err();
    assert_eq!(
        (full.to_string().as_str(), full.limit()),
        ("host `small` is at its limit of 2 processes", Some("host.processes"))
    );
    node.kernel.spawn(None, &small, spec()).unwrap();
}
