//! What links promise while both ends live.

use crate::testing::{NOW, effects, failed, kernel, kill, pid, spawn, spawn_few};
use crate::testing::{Node, spec};
use crate::{ErrorKind, LinkError, NodeLimits, Pid, Refusal, SpawnError, SpawnSpec};

#[test]
fn linking_twice_is_one_link_from_either_end() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.link(&a, &b).unwrap();
    kernel.link(&a, &b).unwrap();
    kernel.link(&b, &a).unwrap();
    assert_eq!(kernel.usage().links, 1);
    kernel.unlink(&b, &a).unwrap();
    assert_eq!(kernel.usage().links, 0);
}

#[test]
fn linking_oneself_is_invalid_and_unlinking_oneself_is_fine() {
    let mut kernel = kernel();
    let a = spawn(&mut kernel);
    assert_eq!(kernel.link(&a, &a).unwrap_err().kind(), ErrorKind::Invalid);
    kernel.unlink(&a, &a).unwrap();
}

#[test]
fn only_the_living_can_be_linked_and_anybody_unlinked() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kill(&mut kernel, &b);
    assert_eq!(kernel.link(&a, &b).unwrap_err().kind(), ErrorKind::NotFound);
    for pid in [&b, &pid("{never|0x00009}"), &Pid::nobody()] {
        kernel.unlink(&a, pid).unwrap();
    }
    assert_eq!(kernel.unlink(&b, &a).unwrap_err().kind(), ErrorKind::Canceled);
}

#[test]
fn a_link_counts_at_both_ends() {
    let mut kernel = kernel();
    let few = spawn_few(&mut kernel);
    let others = [spawn(&mut kernel), spawn(&mut kernel), spawn(&mut kernel)];
    kernel.link(&few, &others[0]).unwrap();
    kernel.link(&others[1], &few).unwrap();
    let full = LinkError::LinksFull { pid: few.clone(), limit: 2 };
    assert_eq!(kernel.link(&others[2], &few), Err(full.clone()));
    assert_eq!(kernel.link(&few, &others[2]), Err(full.clone()));
    assert_eq!(
        (full.kind(), full.to_string().as_str()),
        (ErrorKind::ResourceExhausted, "{h|0x00001} is at its limit of 2 links")
    );
    assert_eq!(kernel.usage().links, 2);
    kernel.link(&others[1], &few).unwrap();
    kill(&mut kernel, &others[0]);
    kernel.link(&few, &others[2]).unwrap();
    effects(&mut kernel);
}

#[test]
fn after_unlink_a_failure_is_no_concern() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.link(&a, &b).unwrap();
    kernel.unlink(&a, &b).unwrap();
    kernel.handle_exit(&b, failed("boom"), NOW);
    assert_eq!(effects(&mut kernel), ["ended {h|0x00002}: Internal boom"]);
}

#[test]
fn the_dead_trap_nothing() {
    let mut kernel = kernel();
    let a = spawn(&mut kernel);
    kernel.set_trap_links(&a, true);
    assert!(kernel.trap_links(&a));
    kill(&mut kernel, &a);
    kernel.set_trap_links(&a, true);
    assert!(!kernel.trap_links(&a));
}

#[test]
fn the_node_has_a_budget_of_links() {
    let mut kernel = Node::new(NodeLimits { max_links: 2, ..NodeLimits::default() });
    let (a, b, c) = (spawn(&mut kernel), spawn(&mut kernel), spawn(&mut kernel));
    kernel.link(&a, &b).unwrap();
    kernel.link(&b, &c).unwrap();
    let full = kernel.link(&a, &c).unwrap_err();
    assert_eq!(
        (full.kind(), full.to_string().as_str()),
        (ErrorKind::ResourceExhausted, "the node is at its limit of 2 links")
    );
    let linked = kernel.spawn(Some(&a), SpawnSpec { linked: true, ..spec() });
    assert_eq!(linked, Err(SpawnError::NodeLinksFull { limit: 2 }));
    assert!(kernel.join(&a, &c, false, true).is_err());
    kernel.link(&b, &a).unwrap();
    kernel.unlink(&a, &b).unwrap();
    kernel.unlink(&a, &b).unwrap();
    kernel.link(&a, &c).unwrap();
    effects(&mut kernel);
}

/// Or who lets its links fail could link anew, without bounds, until its turn.
#[test]
fn a_failure_counts_as_a_link_until_it_is_told() {
    let mut kernel = Node::new(NodeLimits { max_links: 3, ..NodeLimits::default() });
    let (few, other) = (spawn_few(&mut kernel), spawn(&mut kernel));
    let failing = [spawn(&mut kernel), spawn(&mut kernel)];
    for pid in &failing {
        kernel.link(&few, pid).unwrap();
        kernel.handle_exit(pid, failed("boom"), NOW);
    }
    assert_eq!(kernel.link(&few, &other), Err(LinkError::LinksFull { pid: few.clone(), limit: 2 }));
    let third = spawn(&mut kernel);
    kernel.link(&other, &third).unwrap();
    let fourth = spawn(&mut kernel);
    assert_eq!(kernel.link(&other, &fourth), Err(LinkError::NodeFull { limit: 3 }));
    kernel.set_trap_links(&few, true);
    kernel.handle_consequence(NOW);
    kernel.link(&few, &other).unwrap();
    effects(&mut kernel);
}
