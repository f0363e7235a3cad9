//! What processes cost: spawn, idle, messages, kill.

use std::hint::spin_loop;
use std::time::{Duration, Instant};

use lunarium_engine::{EntryId, Value};

use crate::bench::{Bench, Footprint, fail, median};
use crate::report::Report;

/// The chunk whose first line is waited for, in a process and natively.
const HELLO: &str = "print('hello')\nreturn { main = function() end }";

/// Prints, then waits for ever: its slot stays taken.
const STAY: &str = "print('here')\nreturn { main = function() process.inbox():receive() end }";

const SEQUENTIAL: &str = r#"
return { main = function(n, child)
  local inbox = process.inbox()
  for _ = 1, n do
    assert(process.spawn(child, "bench:processes", process.pid()))
    inbox:receive()
  end
end }"#;

const CHILD: &str = "return { main = function(parent) process.send(parent, 'up', 1) end }";

const STORM: &str = r#"
return { main = function(n, child)
  local events, open = process.events(), 0
  for _ = 1, n do
    assert(process.spawn_monitored(child, "bench:processes"))
    open = open + 1
    if open == 100 then events:receive() open = open - 1 end
  end
  for _ = 1, open do events:receive() end
end }"#;

const NOTHING: &str = "return { main = function() end }";

/// With a size it sends so many bytes each time, else a number.
const PING: &str = r#"
return { main = function(n, ponger, size)
  local ch, load = process.listen("pong"), size and ("x"):rep(size)
  local pid = assert(process.spawn(ponger, "bench:processes", process.pid()))
  ch:receive()
  local start = time.now()
  for i = 1, n do process.send(pid, "ping", load or i) ch:receive() end
  return time.now():sub(start):nanoseconds()
end }"#;

const PONG: &str = r#"
return { main = function(pinger)
  local ch = process.listen("ping")
  process.send(pinger, "pong", 0)
  while true do process.send(pinger, "pong", (ch:receive())) end
end }"#;

const SINK: &str = r#"
return { main = function(senders, each, sender)
  local ch = process.listen("m")
  for _ = 1, senders do assert(process.spawn(sender, "bench:processes", process.pid(), each)) end
  ch:receive()
  local start = time.now()
  for _ = 2, senders * each do ch:receive() end
  return time.now():sub(start):nanoseconds()
end }"#;

const SENDER: &str = r#"
return { main = function(sink, n)
  for i = 1, n do
    while true do
      local ok, err = process.send(sink, "m", i)
      if ok then break end
      if not err:retryable() then error(err) end
      time.sleep("1ms")
    end
  end
end }"#;

const BUSY: &str = "print('busy')\nreturn { main = function() while true do end end }";

const BOMB: &str = r#"
print('bomb')
return { main = function() return ("a"):rep(40):match(("a-"):rep(40) .. "b") end }"#;

pub(crate) fn fresh(bench: &Bench, report: &mut Report) {
    let stay = bench.define("bench:stay", STAY);
    let fresh = first_lines(bench, 300, |bench| drop(bench.spawn(&stay, Vec::new())));
    terminate_all(bench);
    report.ratio("spawn to first Lua line, fresh slot", fresh, native_first_lines(1000));
}

pub(crate) fn spawn(bench: &Bench, report: &mut Report) {
    let hello = bench.define("bench:hello", HELLO);
    let recycled = first_lines(bench, 2000, |bench| drop(bench.spawn(&hello, Vec::new())));
    let native = native_first_lines(2000);
    report.ratio("spawn to first Lua line, recycled slot", recycled, native);
    let child = bench.define("bench:child", CHILD);
    let entry = bench.define("bench:sequential", SEQUENTIAL);
    let time = per_item(bench, &entry, 5000, child.as_str());
    report.ratio("spawn, message to the parent, end (in Lua)", time, native);
    let nothing = bench.define("bench:nothing", NOTHING);
    let entry = bench.define("bench:storm", STORM);
    let time = per_item(bench, &entry, 20_000, nothing.as_str());
    report.number("spawns and ends per second", 1.0 / time.as_secs_f64(), "1/s, 100 at a time");
}

fn first_lines(bench: &Bench, rounds: usize, spawn: impl Fn(&Bench)) -> Duration {
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        bench.output.take();
        let live = bench.node.instance_count();
        let start = Instant::now();
        spawn(bench);
        let printed = loop {
            if let Some(printed) = bench.output.take() {
                break printed;
            }
            spin_loop();
        };
        times.push(printed.saturating_duration_since(start));
        // The next one shall find the slot free, or this one at rest.
        let settle = Instant::now();
        while bench.node.instance_count() > live && settle.elapsed() < Duration::from_micros(300) {
            spin_loop();
        }
    }
    median(&mut times)
}

fn native_first_lines(rounds: usize) -> Duration {
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let start = Instant::now();
        let lua = mlua::Lua::new();
        let print =
            lua.create_function(move |_, _: mlua::LuaString| Ok(())).and_then(|f| lua.globals().set("print", f));
        let run = print.and_then(|()| lua.load(HELLO).eval::<mlua::Table>());
        times.push(start.elapsed());
        drop(run.unwrap_or_else(|error| fail(&format!("native hello: {error}"))));
    }
    median(&mut times)
}

fn per_item(bench: &Bench, entry: &EntryId, n: u32, other: &str) -> Duration {
    let start = Instant::now();
    bench.finish(&bench.spawn(entry, vec![Value::Integer(n.into()), Value::from(other)]));
    start.elapsed() / n
}

pub(crate) fn terminate_all(bench: &Bench) {
    for pid in bench.node.pids() {
        // It may have ended in between.
        let _ = bench.node.terminate(&pid);
    }
    while bench.node.instance_count() > 0 {
        std::thread::yield_now();
    }
}

/// What the same costs with as many idle processes beside as a node has place for.
pub(crate) fn population(bench: &Bench, report: &mut Report) {
    const ROUNDS: u32 = 2_000;
    const BESIDE: usize = 7_900;
    let child = bench.define("bench:child", CHILD);
    let entry = bench.define("bench:sequential", SEQUENTIAL);
    let idle = bench.define("bench:idle", NOTHING_BUT_WAITING);
    let alone = per_item(bench, &entry, ROUNDS, child.as_str());
    let _beside: Vec<_> = (0..BESIDE).map(|_| bench.spawn(&idle, Vec::new())).collect();
    while bench.node.waiting_count() < BESIDE {
        std::thread::sleep(Duration::from_millis(5));
    }
    let beside = per_item(bench, &entry, ROUNDS, child.as_str());
    let times = beside.as_secs_f64() / alone.as_secs_f64();
    report.number("the same with 7,900 idle processes beside", times, "times as long");
    terminate_all(bench);
}

pub(crate) fn idle(bench: &Bench, report: &mut Report) {
    const COUNT: u32 = 5_000;
    let stay = bench.define("bench:idle", NOTHING_BUT_WAITING);
    let before = Footprint::now();
    let handles: Vec<_> = (0..COUNT).map(|_| bench.spawn(&stay, Vec::new())).collect();
    while bench.node.waiting_count() < handles.len() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let after = Footprint::now();
    let each = |after: u64, before: u64| after.saturating_sub(before) as f64 / f64::from(COUNT);
    report.number("idle process, private pages", each(after.private, before.private) / 1024.0, "KiB");
    report.number("idle process, page tables", each(after.tables, before.tables) / 1024.0, "KiB");
    let total = each(after.private + after.tables, before.private + before.tables) / 1024.0;
    report.number("idle process, both", total, "KiB");
    report.number("idle process, mappings", each(after.mappings, before.mappings), "");
    terminate_all(bench);
}

/// On a topic, as most do.
const NOTHING_BUT_WAITING: &str = "return { main = function() process.listen('work'):receive() end }";

/// Who asks, with a number of trips, the other's entry and perhaps a size as arguments, and gives the nanoseconds; and who answers.
pub(crate) fn ping_pong(bench: &Bench) -> (EntryId, EntryId) {
    (bench.define("bench:ping", PING), bench.define("bench:pong", PONG))
}

pub(crate) fn messages(bench: &Bench, report: &mut Report) {
    let native = native_first_lines(500);
    let (ping, ponger) = ping_pong(bench);
    let mut trips = Vec::new();
    for _ in 0..5 {
        const TRIPS: u32 = 50_000;
        let handle = bench.spawn(&ping, vec![Value::Integer(TRIPS.into()), Value::from(ponger.as_str())]);
        trips.push(nanos(&bench.finish(&handle)) / TRIPS);
        terminate_all(bench);
    }
    report.ratio("ping-pong round trip", median(&mut trips), native);
    const LOADED: u32 = 5_000;
    const LOAD: u32 = 100_000;
    let arguments = vec![Value::Integer(LOADED.into()), Value::from(ponger.as_str()), Value::Integer(LOAD.into())];
    let trip = nanos(&bench.finish(&bench.spawn(&ping, arguments))) / LOADED;
    report.number("payloads of 100 kB, both ways", f64::from(2 * LOAD) / trip.as_secs_f64() / 1e9, "GB/s");
    terminate_all(bench);
    let sender = bench.define("bench:sender", SENDER);
    let sink = bench.define("bench:sink", SINK);
    for senders in [1, 100] {
        let each = 300_000 / senders;
        let arguments = vec![Value::Integer(senders), Value::Integer(each), Value::from(sender.as_str())];
        let time = nanos(&bench.finish(&bench.spawn(&sink, arguments)));
        let rate = (senders * each) as f64 / time.as_secs_f64();
        report.number(&format!("messages per second, {senders} sender(s)"), rate, "1/s");
        terminate_all(bench);
    }
}

pub(crate) fn nanos(value: &Value) -> Duration {
    match value {
        Value::Integer(nanos) => Duration::from_nanos(u64::try_from(*nanos).unwrap_or_default()),
        other => fail(&format!("not a time: {other:?}")),
    }
}

pub(crate) fn kill(bench: &Bench, report: &mut Report) {
    for (name, source) in [("busy loop", BUSY), ("pattern bomb", BOMB)] {
        let entry = bench.define(&format!("bench:{name}"), source);
        let mut times = Vec::new();
        for _ in 0..50 {
            bench.output.take();
            let handle = bench.spawn(&entry, Vec::new());
            while bench.output.take().is_none() {
                spin_loop();
            }
            std::thread::sleep(Duration::from_millis(3));
            let start = Instant::now();
            if let Err(error) = bench.node.terminate(handle.pid()) {
                fail(&format!("{name} is gone: {error}"));
            }
            while bench.node.instance_count() > 0 {
                spin_loop();
            }
            times.push(start.elapsed());
        }
        times.sort_unstable();
        report.time(&format!("kill of a {name}, memory given back"), median(&mut times));
        report.time(&format!("kill of a {name}, slowest of 50"), times.last().copied().unwrap_or_default());
    }
}
