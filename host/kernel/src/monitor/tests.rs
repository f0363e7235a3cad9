//! What monitors promise while both ends live.

use crate::testing::{NOW, completed, effects, failed, kernel, kill, spawn, spawn_few};
use crate::{ErrorKind, MonitorError, Refusal};

#[test]
fn a_monitor_yields_exactly_one_exit() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.monitor(&a, b.as_str()).unwrap();
    kernel.handle_exit(&b, completed(), NOW);
    kernel.handle_exit(&b, failed("late"), NOW);
    assert_eq!(effects(&mut kernel), ["ended {h|0x00002}: [1]", "{h|0x00001} EXIT {h|0x00002}: [1]"]);
}

#[test]
fn monitoring_twice_is_refused_and_both_ways_is_fine() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.monitor(&a, b.as_str()).unwrap();
    let refusal = kernel.monitor(&a, b.as_str()).unwrap_err();
    assert_eq!(refusal, MonitorError::Exists { pid: b.clone() });
    assert_eq!(refusal.kind(), ErrorKind::AlreadyExists);
    kernel.monitor(&b, a.as_str()).unwrap();
    assert_eq!(kernel.usage().monitors, 2);
}

#[test]
fn monitoring_oneself_is_invalid_and_unmonitoring_oneself_is_fine() {
    let mut kernel = kernel();
    let a = spawn(&mut kernel);
    assert_eq!(kernel.monitor(&a, a.as_str()).unwrap_err().kind(), ErrorKind::Invalid);
    kernel.unmonitor(&a, a.as_str()).unwrap();
}

#[test]
fn only_the_living_can_be_monitored_and_anybody_unmonitored() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kill(&mut kernel, &b);
    assert_eq!(kernel.monitor(&a, b.as_str()).unwrap_err().kind(), ErrorKind::NotFound);
    for text in [b.as_str(), "{never|0x00009}", "{|}"] {
        kernel.unmonitor(&a, text).unwrap();
    }
    assert_eq!(kernel.unmonitor(&a, "b").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn an_exit_under_way_survives_unmonitor() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.monitor(&a, b.as_str()).unwrap();
    kernel.handle_exit(&b, completed(), NOW);
    kernel.unmonitor(&a, b.as_str()).unwrap();
    assert_eq!(effects(&mut kernel).len(), 2);
}

#[test]
fn unmonitor_undoes_the_callers_monitor_only() {
    let mut kernel = kernel();
    let (a, b, c) = (spawn(&mut kernel), spawn(&mut kernel), spawn(&mut kernel));
    kernel.monitor(&a, c.as_str()).unwrap();
    kernel.monitor(&b, c.as_str()).unwrap();
    kernel.monitor(&c, a.as_str()).unwrap();
    kernel.unmonitor(&a, c.as_str()).unwrap();
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
        kernel.monitor(other, few.as_str()).unwrap();
    }
    kernel.monitor(&few, others[0].as_str()).unwrap();
    kernel.monitor(&few, others[1].as_str()).unwrap();
    let refusal = kernel.monitor(&few, others[2].as_str()).unwrap_err();
    assert_eq!(refusal.to_string(), "{h|0x00001} is at its limit of 2 monitors");
    assert_eq!(refusal.kind(), ErrorKind::ResourceExhausted);
    kill(&mut kernel, &others[0]);
    kernel.monitor(&few, others[2].as_str()).unwrap();
}
