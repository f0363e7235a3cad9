//! What an embedder reads of usage: now, and over time, of processes, hosts, nodes and the engine.

use std::time::Duration;

use lunarium_engine::{Count, EntryId, HostDefinition, HostId, Limits, Node, SpawnRequest, Usage, Value};
use lunarium_tests::{HOST, Lab};

const WORKER: &str = r#"
-- entry: worker
return { main = function(text)
  local ch = process.listen("t")
  process.registry.register("worker")
  process.spawn_linked_monitored("app:child", "app:processes")
  logger:info("a line")
  for _ = 1, 20000 do end
  print("ready")
  while ch:receive() ~= "end" do end
end }
-- entry: child
return { main = function() process.inbox():receive() end }"#;

fn used(usage: &Usage, name: &str) -> u64 {
    usage.of(name).unwrap_or_else(|| panic!("{name} in {usage:?}")).used
}

fn wait_until(seen: impl Fn() -> bool) {
    while !seen() {
        std::thread::yield_now();
    }
}

fn host(node: &Node) -> Usage {
    node.host_usage(&HostId::new(HOST)).unwrap()
}

#[test]
fn what_is_held_and_was_used_is_told_of_every_level_and_the_totals_survive() {
    let lab = Lab::default();
    let node = &lab.node;
    lab.define(WORKER);
    let engine = node.engine().usage();
    let worker = lab.spawn("worker", Vec::new());
    for _ in 0..7 {
        node.send(worker.pid().as_str(), "t", &Value::Nil).unwrap();
    }
    wait_until(|| lab.print_count() == 1 && node.waiting_count() == 2);

    let (whole, host_now) = (node.usage(), host(node));
    let process = node.process_usage(worker.pid()).unwrap();
    let held = |usage: &Usage| usage.held.iter().map(|held| (held.name, held.used)).collect::<Vec<_>>();
    assert_eq!(held(&whole)[1..4], [("node.processes", 2), ("node.links", 1), ("node.monitors", 1)]);
    assert_eq!(held(&host_now)[1], ("host.processes", 2));
    let of_process = ["links", "monitors", "names", "mailbox_messages", "log_lines"].map(|name| used(&process, name));
    assert_eq!(of_process[..4], [1, 1, 1, 0]);
    assert!(of_process[4] <= 1 && used(&whole, "node.log_bytes") <= 6, "of this second, or the one before");
    // Two processes, and nobody else on the node.
    let memory = [used(&process, "memory"), used(&host_now, "host.memory"), used(&whole, "node.memory")];
    assert!(memory[0] >= 256 << 10 && memory[0] < memory[1] && memory[1] == memory[2], "{memory:?}");
    assert!(used(&node.engine().usage(), "engine.memory") >= memory[2]);
    for usage in [&whole, &host_now] {
        assert_eq!((usage.messages, usage.spawns), (7, 2));
    }
    assert_eq!((process.messages, process.spawns), (7, 1));
    assert!(process.cpu > Duration::ZERO && process.cpu < whole.cpu, "{:?} of {:?}", process.cpu, whole.cpu);
    assert_eq!(node.process_usage(worker.pid()).unwrap().of("node.memory"), None);

    node.send(worker.pid().as_str(), "t", &Value::from("end")).unwrap();
    worker.wait_blocking();
    node.pids().iter().for_each(|pid| drop(node.terminate(pid)));
    lab.settle();
    assert_eq!(node.process_usage(worker.pid()), None);
    for (after, before) in [(node.usage(), whole), (host(node), host_now)] {
        assert_eq!((after.messages, after.spawns), (8, 2));
        assert!(after.cpu >= before.cpu && after.memory_seconds >= before.memory_seconds);
        assert!(after.held.iter().all(|held| held.used == 0 || held.name.ends_with("log_bytes")), "{:?}", after.held);
    }
    let total = node.engine().usage();
    assert!(total.messages >= engine.messages + 8 && total.spawns >= engine.spawns + 2 && total.cpu > engine.cpu);
}

#[test]
fn messages_without_end_are_counted_for_all_while_their_receiver_lives() {
    let lab = Lab::default();
    lab.define("-- entry: sink\nreturn { main = function() local ch = process.listen('t') while true do ch:receive() end end }");
    let sink = lab.spawn("sink", Vec::new());
    let before = lab.node.engine().usage().messages;
    for _ in 0..1000 {
        while lab.node.send(sink.pid().as_str(), "t", &Value::Nil).is_err() {
            std::thread::yield_now();
        }
    }
    // Those beyond a multiple of 256 aren't counted there yet.
    assert!(lab.node.engine().usage().messages >= before + 768);
    assert_eq!(lab.node.usage().messages, 1000);
}

#[test]
fn memory_is_summed_up_over_time() {
    let lab = Lab::default();
    let idle = HostId::new("app:kept");
    lab.node.add_host(HostDefinition::new(idle.clone()).with_memory(u64::MAX, 1 << 40)).unwrap_err();
    lab.node.add_host(HostDefinition::new(idle.clone()).with_memory(u64::MAX, 1 << 20)).unwrap();
    lab.define("-- entry: child\nreturn { main = function() process.inbox():receive() end }");
    let request = SpawnRequest::new(EntryId::new("app:child"), idle.clone());
    let child = lab.node.spawn(request).unwrap();
    wait_until(|| lab.node.host_usage(&idle).unwrap().memory_seconds > 100_000);
    let (process, node) = (lab.node.process_usage(child.pid()).unwrap(), lab.node.usage());
    assert!(process.memory_seconds > 50_000);
    // What is kept free for it counts for the node as if it were held.
    assert!(node.memory_seconds > 3 * process.memory_seconds, "{} and {}", node.memory_seconds, process.memory_seconds);
}

#[test]
fn usage_of_an_unknown_host_is_refused() {
    let lab = Lab::default();
    assert_eq!(lab.node.host_usage(&HostId::new("app:none")).unwrap_err().to_string(), "host `app:none` not found");
}

const ENDS: &str = r#"
-- entry: good
return { main = function() end }
-- entry: bad
return { main = function() error("no") end }
-- entry: full
return { main = function() process.listen("other") process.listen("never"):receive() end }
-- entry: asks
return { main = function(full)
  for _ = 1, 12 do process.send(full, "other", 1) end
  process.send("nobody", "t", 1)
end }"#;

#[test]
fn a_host_counts_how_its_processes_end_what_is_refused_to_them_and_what_lies_unread() {
    let lab = Lab::new(Limits { mailbox_messages: 16, ..Limits::default() });
    let node = &lab.node;
    lab.define(ENDS);
    let counted = |counts: &[Count]| counts.iter().map(|count| (count.what, count.times)).collect::<Vec<_>>();
    let of_host = || node.counts().hosts.into_iter().find(|counts| counts.host.as_str() == HOST).unwrap();
    assert_eq!((counted(&of_host().ends), counted(&of_host().refusals)), (vec![("completed", 0)], vec![]));

    for entry in ["good", "good", "bad"] {
        lab.spawn(entry, Vec::new()).wait_blocking();
    }
    let full = lab.spawn("full", Vec::new());
    wait_until(|| node.waiting_count() == 1);
    lab.spawn("asks", vec![Value::from(full.pid().as_str())]).wait_blocking();
    let counts = of_host();
    assert_eq!(counted(&counts.ends), [("completed", 3), ("Internal", 1)]);
    // One sender has half of a mailbox, and that there is nobody of a name is no refusal.
    assert_eq!(counted(&counts.refusals), [("mailbox_messages", 4)]);
    assert_eq!((counts.unread, counts.deepest, counts.messages, counts.spawns), (8, 8, 8, 5));
    assert!(counts.unread_bytes > 0 && counts.processes.used == 1 && counts.memory.used > 0, "{counts:?}");

    assert!(node.send(full.pid().as_str(), "other", &Value::from("x".repeat(2 << 20).as_str())).is_err());
    node.terminate(full.pid()).unwrap();
    lab.settle();
    let counts = of_host();
    assert_eq!(counted(&counts.ends), [("completed", 3), ("Internal", 1), ("Canceled", 1)]);
    assert_eq!((counts.unread, counts.deepest, counts.processes.used), (0, 0, 0));
    assert_eq!(counted(&node.counts().refusals), [("message", 1)], "of the program itself");
    assert_eq!(node.counts().usage.spawns, 5);
}

#[test]
fn an_engine_tells_its_slots_and_how_long_was_waited_for_a_worker() {
    let lab = Lab::default();
    lab.define(ENDS);
    for _ in 0..200 {
        lab.spawn("good", Vec::new()).wait_blocking();
    }
    lab.settle();
    let engine = lab.node.engine();
    let slots = engine.slots();
    assert_eq!(slots.most, engine.max_processes());
    assert!(slots.held <= slots.made && slots.made > 0, "{slots:?}");
    let delays = engine.delays();
    let measured = [delays.woken, delays.preempted, delays.background].map(|delay| delay.counts.iter().sum::<u64>());
    // Each start is queued once at least; others use the engine too.
    assert!(measured.iter().sum::<u64>() >= 3, "{measured:?}");
}
