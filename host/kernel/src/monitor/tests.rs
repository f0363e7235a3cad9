//! What monitors promise while both ends live.

use crate::testing::{NOW, completed, effects, failed, kernel, kill, pid, spawn, spawn_few};
use crate::testing::{Node, spec};
use crate::{ErrorKind, MonitorError, NodeLimits, Pid, Refusal, SpawnError, SpawnSpec};

#[test]
fn a_monitor_yields_exactly_one_exit() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.monitor(&a, &b).unwrap();
    kernel.handle_exit(&b, completed(), NOW);
    kernel.handle_exit(&b, failed("late"), NOW);
    assert_eq!(effects(&mut kernel), ["ended {h|0x00002}: [1]", "{h|0x00001} EXIT {h|0x00002}: [1]"]);
}

#[test]
fn monitoring_twice_is_refused_and_both_ways_is_fine() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.monitor(&a, &b).unwrap();
    let refusal = kernel.monitor(&a, &b).unwrap_err();
    assert_eq!(refusal, MonitorError::Exists { pid: b.clone() });
    assert_eq!(refusal.kind(), ErrorKind::AlreadyExists);
    kernel.monitor(&b, &a).unwrap();
    assert_eq!(kernel.usage().monitors, 2);
}

#[test]
fn monitoring_oneself_is_invalid_and_unmonitoring_oneself_is_fine() {
    let mut kernel = kernel();
    let a = spawn(&mut kernel);
    assert_eq!(kernel.monitor(&a, &a).unwrap_err().kind(), ErrorKind::Invalid);
    kernel.unmonitor(&a, &a).unwrap();
}

#[test]
fn only_the_living_can_be_monitored_and_anybody_unmonitored() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kill(&mut kernel, &b);
    assert_eq!(kernel.monitor(&a, &b).unwrap_err().kind(), ErrorKind::NotFound);
    for pid in [&b, &pid("{never|0x00009}"), &Pid::nobody()] {
        kernel.unmonitor(&a, pid).unwrap();
    }
    assert_eq!(kernel.unmonitor(&b, &a).unwrap_err().kind(), ErrorKind::Canceled);
}

#[test]
fn an_exit_under_way_survives_unmonitor() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.monitor(&a, &b).unwrap();
    kernel.handle_exit(&b, completed(), NOW);
    kernel.unmonitor(&a, &b).unwrap();
    assert_eq!(effects(&mut kernel).len(), 2);
}

#[test]
fn unmonitor_undoes_the_callers_monitor_only() {
    let mut kernel = kernel();
    let (a, b, c) = (spawn(&mut kernel), spawn(&mut kernel), spawn(&mut kernel));
    kernel.monitor(&a, &c).unwrap();
    kernel.monitor(&b, &c).unwrap();
    kernel.monitor(&c, &a).unwrap();
    kernel.unmonitor(&a, &c).unwrap();
    kernel.handle_exit(&c, completed(), NOW);
    assert_eq!(effects(&mut kernel), ["ended {h|0x00003}: [1]", "{h|0x00002} EXIT {h|0x00003}: [1]"]);
    assert_eq!(kernel.usage().monitors, 0);
}

#[test]
fn a_monitor_counts_for_the_watcher_while_both_live() {
    let mut kernel = kernel();
    let few = spawn_few(&mut kernel);
    let others = [spawn(&mut kernel), spawn(&mut kernel), spawn(&mut kernel)];
    for other in &others {
        kernel.monitor(other, &few).unwrap();
    }
    kernel.monitor(&few, &others[0]).unwrap();
    kernel.monitor(&few, &others[1]).unwrap();
    let refusal = kernel.monitor(&few, &others[2]).unwrap_err();
    assert_eq!(refusal.to_string(), "{h|0x00001} is at its limit of 2 monitors");
    assert_eq!(refusal.kind(), ErrorKind::ResourceExhausted);
    kill(&mut kernel, &others[0]);
    kernel.monitor(&few, &others[2]).unwrap();
}

#[test]
fn the_node_has_a_budget_of_monitors() {
    let mut kernel = Node::new(NodeLimits { max_monitors: 1, ..NodeLimits::default() });
    let (a, b, c) = (spawn(&mut kernel), spawn(&mut kernel), spawn(&mut kernel));
    kernel.monitor(&a, &b).unwrap();
    let full = kernel.monitor(&c, &b).unwrap_err();
    let text = "the node is at its limit of 1 monitors";
    assert_eq!((full.kind(), full.to_string().as_str()), (ErrorKind::ResourceExhausted, text));
    let monitored = kernel.spawn(Some(&a), SpawnSpec { monitored: true, ..spec() });
    assert_eq!(monitored, Err(SpawnError::NodeMonitorsFull { limit: 1 }));
    kernel.unmonitor(&a, &b).unwrap();
    kernel.unmonitor(&a, &b).unwrap();
    kernel.monitor(&c, &b).unwrap();
    kill(&mut kernel, &b);
    kernel.monitor(&c, &a).unwrap();
    kill(&mut kernel, &c);
    let d = spawn(&mut kernel);
    kernel.monitor(&d, &a).unwrap();
    effects(&mut kernel);
}
