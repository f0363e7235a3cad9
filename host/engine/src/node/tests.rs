//! What a node keeps in order outside of its processes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use futures_lite::future::block_on;
use lunarium_kernel::{Deadline, EntryId, HostId, Limits, Outcome, Pid, Uptime};
use parking_lot::Mutex;

use crate::process::{Level, LogField, Output, ProcessLabel};
use crate::{Chunk, Definition, Engine, EngineConfig, Handle, HostDefinition, Node, NodeConfig, SpawnRequest, Value};

/// Keeps what is logged.
#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Output for Log {
    fn print(&self, _: &ProcessLabel, _: &str) -> bool {
        true
    }

    fn on_ready(&self, waker: Waker) {
        waker.wake();
    }

    fn log(&self, process: &ProcessLabel, level: Level, message: &str, _: &[LogField]) {
        self.0.lock().push(format!("{level:?} {}: {message}", process.frame));
    }
}

const SLEEPER: &str = "return { main = function() process.inbox():receive() end }";

/// Ends with the ends that it was told of, once it was told of as many as it is given.
const TRAPS: &str = r#"return { main = function(count)
    local list = {}
    for i = 1, count do
        local event = process.events():receive()
        list[i] = event.kind .. " " .. tostring(event.error)
    end
    return table.concat(list, "; ")
end }"#;

fn node(engine: &Engine, output: &Arc<Log>) -> Node {
    let node = Node::start_on(engine, NodeConfig::new(Arc::<Log>::clone(output))).unwrap();
    node.add_host(HostDefinition::new(HostId::new("h"))).unwrap();
    node.define(Definition::new(EntryId::new("app:main"), Chunk::new("@main.lua", SLEEPER)));
    node.define(Definition::new(EntryId::new("app:traps"), Chunk::new("@traps.lua", TRAPS)));
    node
}

fn spawn(node: &Node) -> Handle {
    node.spawn(SpawnRequest::new(EntryId::new("app:main"), HostId::new("h"))).unwrap()
}

fn pid(node: &Node) -> Pid {
    let handle = spawn(node);
    assert!(block_on(handle.started()));
    handle.pid().clone()
}

#[test]
fn deadlines_that_change_leave_one_timer() {
    let engine = Engine::new(EngineConfig::new(4)).unwrap();
    let node = node(&engine, &Arc::default());
    let (a, b) = (pid(&node), pid(&node));
    let timers = || engine.machine().clock.timers();
    for hours in (1..=100).rev() {
        node.cancel(&a, Some(Duration::from_secs(hours * 3600))).unwrap();
        node.cancel(&b, Some(Duration::from_secs(hours * 3600))).unwrap();
    }
    assert_eq!(timers(), 1);
    node.terminate(&a).unwrap();
    assert_eq!(timers(), 1);
    node.terminate(&b).unwrap();
    assert_eq!(timers(), 0);
}

#[test]
fn a_panic_under_the_lock_stops_the_node_and_says_so() {
    let engine = Engine::new(EngineConfig::new(4)).unwrap();
    let output = Arc::<Log>::default();
    let node = node(&engine, &output);
    let sleeper = spawn(&node);
    assert!(block_on(sleeper.started()));
    let broken = catch_unwind(AssertUnwindSafe(|| node.inner().kernel(|_| panic!("half-changed"))));
    assert!(broken.is_err());
    let outcome = sleeper.wait_blocking();
    let text = "host bug: the node's state is broken, and it has stopped";
    assert_eq!(outcome.failure().unwrap().message, text);
    assert_eq!(node.process_count(), 0);
    assert!(output.0.lock().iter().any(|line| line.starts_with("Error node: the node has stopped")));
    // Whatever is asked of it now is refused, and nothing panics.
    let request = SpawnRequest::new(EntryId::new("app:main"), HostId::new("h"));
    assert_eq!(node.spawn(request).err().unwrap().to_string(), "the node has stopped");
    assert!(node.send(sleeper.pid().as_str(), "t", &Value::Nil).is_err());
    assert!(node.terminate(sleeper.pid()).is_err());
    block_on(node.shutdown(Duration::ZERO));
}

#[test]
fn a_node_that_is_dropped_ends_its_processes_and_is_freed() {
    let engine = Engine::new(EngineConfig::new(4)).unwrap();
    let node = node(&engine, &Arc::default());
    let sleeper = spawn(&node);
    assert!(block_on(sleeper.started()));
    let inner = Arc::downgrade(node.inner());
    let other = node.clone();
    drop(node);
    assert!(sleeper.outcome().is_none(), "a clone still reaches it");
    drop(other);
    assert_eq!(sleeper.wait_blocking().failure().unwrap().message, "process terminated");
    // Its worker gives the instance back first.
    while inner.strong_count() > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn who_looks_at_all_takes_the_lock_for_sixty_four_of_them() {
    let engine = Engine::new(EngineConfig::new(130)).unwrap();
    let node = node(&engine, &Arc::default());
    let handles: Vec<Handle> = (0..130).map(|_| spawn(&node)).collect();
    handles.iter().for_each(|handle| assert!(block_on(handle.started())));
    let takings = || node.inner().control.takings.load(Ordering::Relaxed);
    let before = takings();
    let seen: Vec<Pid> = node.processes().into_iter().map(|seen| seen.pid).collect();
    assert_eq!((takings() - before, seen), (3, handles.iter().map(|handle| handle.pid().clone()).collect()));
}

#[test]
fn who_has_ended_is_not_inspected() {
    let engine = Engine::new(EngineConfig::new(4)).unwrap();
    let node = node(&engine, &Arc::default());
    let sleeper = spawn(&node);
    assert!(block_on(sleeper.started()));
    let process = node.inner().control.table.get(sleeper.pid()).unwrap();
    assert!(node.at_rest_blocking(sleeper.pid()).is_some());
    node.terminate(sleeper.pid()).unwrap();
    sleeper.wait_blocking();
    // As if the question had come between the look into the table and the end.
    let (reply, inspection) = std::sync::mpsc::channel();
    process.inspect(reply);
    assert!(inspection.recv().is_err());
}

#[test]
fn a_reply_that_is_dropped_wakes_nobody() {
    let engine = Engine::new(EngineConfig::new(4)).unwrap();
    let node = node(&engine, &Arc::default());
    let process = node.inner().control.table.get(&pid(&node)).unwrap();
    let request = process.begin_request().unwrap();
    // As if it had upgraded since it asked.
    drop(process.restart(process.look().code, &Limits::default()));
    while !process.is_waiting() {
        std::thread::yield_now();
    }
    assert!(!process.reply(request, Outcome::Completed(Bytes::new())));
    assert!(process.is_waiting());
}

#[test]
fn idle_sets_no_timer_and_is_told() {
    let engine = Engine::new(EngineConfig::new(4)).unwrap();
    let node = node(&engine, &Arc::default());
    block_on(node.idle());
    let sleeper = spawn(&node);
    assert!(block_on(sleeper.started()));
    let mut idle = std::pin::pin!(node.idle());
    assert!(block_on(futures_lite::future::poll_once(idle.as_mut())).is_none());
    assert_eq!(engine.machine().clock.timers(), 0);
    node.terminate(sleeper.pid()).unwrap();
    block_on(idle);
}

/// In one look at the kernel: nobody else ends in the call, and who traps links before its turn is told instead.
#[test]
fn who_is_linked_lives_until_its_turn() {
    let engine = Engine::new(EngineConfig::new(64)).unwrap();
    let node = node(&engine, &Arc::default());
    let hub = pid(&node);
    let others: Vec<Handle> = (0..50).map(|_| spawn(&node)).collect();
    let request = SpawnRequest::new(EntryId::new("app:traps"), HostId::new("h"));
    let late = node.spawn(request.with_arguments(vec![Value::Integer(2)])).unwrap();
    let second = pid(&node);
    assert!(block_on(late.started()));
    let alive = node.inner().kernel(|kernel| {
        for other in others.iter().chain([&late]) {
            kernel.link(&hub, other.pid()).unwrap();
        }
        kernel.link(&second, late.pid()).unwrap();
        kernel.terminate(None, &hub, super::wall::now()).unwrap();
        kernel.terminate(None, &second, super::wall::now()).unwrap();
        let alive = kernel.process_count();
        kernel.set_trap_links(late.pid(), true);
        alive
    });
    assert_eq!(alive, 51);
    for other in &others {
        let text = format!("linked process failed: {hub}: process terminated");
        assert_eq!(other.wait_blocking().failure().unwrap().message, text);
    }
    let told = "pid.link.down process terminated; pid.link.down process terminated";
    assert_eq!(late.wait_blocking(), Outcome::Completed(Value::from(told).to_payload().unwrap().into()));
    // The task for it has ended, and the next one comes.
    let (a, b) = (spawn(&node), spawn(&node));
    node.inner().kernel(|kernel| kernel.link(a.pid(), b.pid())).unwrap();
    node.terminate(a.pid()).unwrap();
    b.wait_blocking();
}

#[test]
fn deadlines_that_pass_at_once_are_all_kept() {
    let engine = Engine::new(EngineConfig::new(64)).unwrap();
    let node = node(&engine, &Arc::default());
    let sleepers: Vec<Handle> = (0..50).map(|_| spawn(&node)).collect();
    node.inner().kernel(|kernel| {
        let at = super::wall::now();
        let due = Deadline::after(Uptime::from_nanos(0), at, Duration::from_nanos(1));
        sleepers.iter().for_each(|sleeper| kernel.cancel(None, sleeper.pid(), Some(due), at).unwrap());
    });
    for sleeper in sleepers {
        assert_eq!(sleeper.wait_blocking().failure().unwrap().message, "process terminated");
    }
    assert_eq!(engine.machine().clock.timers(), 0);
}
