//! What a node keeps in order outside of its processes.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use lunarium_kernel::{EntryId, HostId, Limits, Pid, SpawnSpec};

use super::{Node, NodeConfig};
use crate::definition::HostDefinition;
use crate::engine::Engine;
use crate::output::{Level, Output, ProcessLabel};

struct Silent;

impl Output for Silent {
    fn print(&self, _: &ProcessLabel, _: &str) -> bool {
        true
    }

    fn on_ready(&self, waker: Waker) {
        waker.wake();
    }

    fn log(&self, _: &ProcessLabel, _: Level, _: &str, _: &[(String, String)]) {}
}

/// A process of the kernel's that no instance runs.
fn accept(node: &Node) -> Pid {
    let spec = SpawnSpec {
        host: HostId::new("h"),
        entry: EntryId::new("app:main"),
        monitored: false,
        linked: false,
        exec: None,
        name: None,
        limits: Limits::default().counts(),
    };
    node.inner.kernel(|kernel| kernel.spawn(None, spec)).unwrap().pid
}

#[test]
fn deadlines_that_change_leave_one_timer() {
    let engine = Engine::new(1).unwrap();
    let node = Node::start_on(&engine, NodeConfig::new(Arc::new(Silent)));
    node.add_host(HostDefinition::new(HostId::new("h"))).unwrap();
    let (a, b) = (accept(&node), accept(&node));
    for hours in (1..=100).rev() {
        node.cancel(&a, Some(Duration::from_secs(hours * 3600))).unwrap();
        node.cancel(&b, Some(Duration::from_secs(hours * 3600))).unwrap();
    }
    assert_eq!(engine.clock().timers(), 1);
    node.terminate(&a).unwrap();
    assert_eq!(engine.clock().timers(), 1);
    node.terminate(&b).unwrap();
    assert_eq!(engine.clock().timers(), 0);
}
