//! What an embedding program pays: calls into a plugin from its threads, a plugin from source, many at rest. Beside each
//! what it would cost without a boundary (mlua, in this process), or what two threads need anyway (a round trip by tokio's oneshot).
//!
//! Calls out of a plugin are in `calls.rs`.

use std::thread;
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use lunarium::{Node, NodeBuilder, Plugin};
use lunarium_engine::{EntryId, Value};
use tokio::runtime;
use tokio::sync::oneshot;

use crate::bench::{Bench, Footprint, fail, median};
use crate::processes::{nanos, terminate_all};
use crate::report::Report;

const ROUNDS: usize = 9;

/// Calls of a round.
const CALLS: u32 = 5_000;

const PLUGINS: u32 = 1_000;

/// How many are called at once where throughput is measured.
const TOGETHER: u32 = 100;

/// A small plugin of a customer's, with a number that makes each source another.
const PLUGIN: &str = r#"
local prices = { tea = 3, coffee = 4, cake = 5, number = $NUMBER }

local function reduced(price, count)
  if count >= 10 then return price * count * 9 // 10 end
  return price * count
end

return {
  price = function(count, what)
    local price = prices[what]
    if not price then error("no " .. what, 0) end
    return reduced(price, count)
  end,
}"#;

/// The time of a call from Lua to Lua; the callee is an entry that serves calls.
const CALLER: &str = r#"
return { main = function(n, callee)
  local pid = assert(process.spawn(callee, "bench:processes"))
  assert(process.call(pid, "price", 1, "tea"))
  local start = time.now()
  for i = 1, n do process.call(pid, "price", i, "tea") end
  local took = time.now():sub(start):nanoseconds()
  process.terminate(pid)
  return took
end }"#;

pub(crate) fn run(bench: &Bench, report: &mut Report) {
    let builder = || Node::builder().output(lunarium::output::to(|_| ()));
    let started = |node: NodeBuilder| node.start().unwrap_or_else(|error| fail(&error.to_string()));
    // In an engine of its own: whose slots were used before has their pages already.
    at_rest(&started(builder()), report);
    let node = started(builder().engine(bench.node.engine()));
    let between = between_scripts(bench, report);
    into(&node, between, report);
    together(&node, report);
    fresh(&node, report);
    node.shutdown_blocking(Duration::ZERO);
}

fn source(number: u32) -> String {
    PLUGIN.replace("$NUMBER", &number.to_string())
}

fn start(node: &Node, number: u32) -> Plugin {
    let plugin = node.plugin(&format!("shop{number}.lua"), &source(number)).start_blocking();
    plugin.unwrap_or_else(|error| fail(&error.to_string()))
}

fn check(price: Result<i64, lunarium::Error>) {
    match price {
        Ok(price) if price > 0 => {}
        other => fail(&format!("{other:?} is no price")),
    }
}

/// The same plugin in mlua, started.
fn native(number: u32) -> (mlua::Lua, mlua::Function) {
    let lua = mlua::Lua::new();
    let table = lua.load(source(number)).eval::<mlua::Table>();
    let price = table.and_then(|table| table.get("price")).unwrap_or_else(|error| fail(&error.to_string()));
    (lua, price)
}

fn check_native(price: mlua::Result<i64>) {
    check(price.map_err(|error| fail(&error.to_string())));
}

/// A thousand plugins, each called once.
fn at_rest(node: &Node, report: &mut Report) {
    let each = |before: Footprint| {
        let after = Footprint::now();
        let bytes = (after.private + after.tables).saturating_sub(before.private + before.tables);
        bytes as f64 / f64::from(PLUGINS) / 1024.0
    };
    let before = Footprint::now();
    let plugins: Vec<Plugin> = (0..PLUGINS).map(|number| start(node, number)).collect();
    plugins.iter().for_each(|plugin| check(plugin.call_blocking("price", (2, "tea"))));
    report.number("plugin at rest, pages and page tables", each(before), "KiB each of 1,000");
    for plugin in &plugins {
        // It can't have ended: it serves calls.
        let _ = plugin.terminate();
    }
    let before = Footprint::now();
    let natives: Vec<_> = (0..PLUGINS).map(native).collect();
    natives.iter().for_each(|(_, price)| check_native(price.call((2, "tea"))));
    report.number("state of mlua at rest, the same", each(before), "KiB each of 1,000");
}

/// A call from Lua to Lua beside ping-pong, in turns.
fn between_scripts(bench: &Bench, report: &mut Report) -> Duration {
    const TRIPS: u32 = 20_000;
    let callee = bench.define("bench:shop", &source(0));
    let caller = bench.define("bench:caller", CALLER);
    let (ping, pong) = crate::processes::ping_pong(bench);
    let trip = |entry: &EntryId, other: &EntryId| {
        let handle = bench.spawn(entry, vec![Value::Integer(TRIPS.into()), Value::from(other.as_str())]);
        let time = nanos(&bench.finish(&handle)) / TRIPS;
        terminate_all(bench);
        time
    };
    let [call, messages] = in_turns([&|| trip(&caller, &callee), &|| trip(&ping, &pong)]);
    report.beside("call from Lua to Lua", call, "ping-pong by messages", messages);
    call
}

/// Calls from a thread that blocks, and from a task of tokio's; beside mlua, which is called on the thread itself.
fn into(node: &Node, between: Duration, report: &mut Report) {
    let plugin = start(node, 0);
    let runtime = &runtime();
    let (_lua, price) = native(0);
    let blocking = || each(|number| check(plugin.call_blocking("price", (number, "tea"))));
    let asynchronous = || {
        runtime.block_on(async {
            let start = Instant::now();
            for number in 1..=CALLS {
                check(plugin.call("price", (number, "tea")).await);
            }
            start.elapsed() / CALLS
        })
    };
    let direct = || each(|number| check_native(price.call((number, "tea"))));
    let [blocking, asynchronous, threads, tasks, direct] =
        in_turns([&blocking, &asynchronous, &between_threads, &|| between_tasks(runtime), &direct]);
    for (caller, call, trip) in [("thread that blocks", blocking, threads), ("task of tokio's", asynchronous, tasks)] {
        report.ratio(&format!("call into a plugin, {caller}"), call, direct);
        report.beside(&format!("{caller}: that and two threads"), call, "oneshot round trip", trip);
        let target = trip * 3 / 2 + between;
        report.beside(&format!("{caller}: that and its target"), call, "1.5 oneshots and a call in Lua", target);
    }
}

fn each(call: impl Fn(u32)) -> Duration {
    let start = Instant::now();
    (1..=CALLS).for_each(call);
    start.elapsed() / CALLS
}

/// Measures each once a round, so that what else the machine does meets all alike; medians.
fn in_turns<const N: usize>(measures: [&dyn Fn() -> Duration; N]) -> [Duration; N] {
    let mut times = [const { Vec::new() }; N];
    for _ in 0..ROUNDS {
        for (times, measure) in times.iter_mut().zip(measures) {
            times.push(measure());
        }
    }
    times.map(|mut times| median(&mut times))
}

fn runtime() -> runtime::Runtime {
    let runtime = runtime::Builder::new_current_thread().build();
    runtime.unwrap_or_else(|error| fail(&format!("no runtime: {error}")))
}

/// What one thread asks another: where the answer goes, and where the next request comes from.
struct Request {
    number: u32,
    answer: oneshot::Sender<u32>,
    next: oneshot::Receiver<Request>,
}

/// Answers until there is no next request.
async fn answer(mut next: oneshot::Receiver<Request>) {
    while let Ok(request) = next.await {
        // Who asked waits for it.
        let _ = request.answer.send(request.number);
        next = request.next;
    }
}

async fn ask(first: oneshot::Sender<Request>) -> Duration {
    let mut to = first;
    let start = Instant::now();
    for number in 0..CALLS {
        let (answer, answered) = oneshot::channel();
        let (following, next) = oneshot::channel();
        if to.send(Request { number, answer, next }).is_err() || answered.await != Ok(number) {
            fail("the other thread is gone");
        }
        to = following;
    }
    start.elapsed() / CALLS
}

/// A round trip by oneshot between two threads that block.
fn between_threads() -> Duration {
    let (first, next) = oneshot::channel();
    let other = thread::spawn(|| block_on(answer(next)));
    let time = block_on(ask(first));
    if other.join().is_err() {
        fail("the other thread has panicked");
    }
    time
}

/// The same between two runtimes of tokio's, each on a thread.
fn between_tasks(here: &runtime::Runtime) -> Duration {
    let (first, next) = oneshot::channel();
    let other = thread::spawn(|| runtime().block_on(answer(next)));
    let time = here.block_on(ask(first));
    if other.join().is_err() {
        fail("the other thread has panicked");
    }
    time
}

/// Many plugins called at once by tasks on one thread: where nobody waits for a thread to wake.
fn together(node: &Node, report: &mut Report) {
    const EACH: u32 = 100;
    let plugins: Vec<Plugin> = (0..TOGETHER).map(|number| start(node, number)).collect();
    let runtime = runtime();
    let round = || {
        runtime.block_on(async {
            let start = Instant::now();
            let tasks: Vec<_> = plugins
                .iter()
                .map(|plugin| {
                    let plugin = plugin.clone();
                    tokio::spawn(async move {
                        for number in 1..=EACH {
                            check(plugin.call("price", (number, "tea")).await);
                        }
                    })
                })
                .collect();
            for task in tasks {
                if task.await.is_err() {
                    fail("a caller has panicked");
                }
            }
            start.elapsed() / (EACH * TOGETHER)
        })
    };
    let [each] = in_turns([&round]);
    report.number("calls into 100 plugins at once", 1.0 / each.as_secs_f64(), "1/s, from one thread");
}

/// A plugin from a source that nobody has seen before, to its first answer.
fn fresh(node: &Node, report: &mut Report) {
    const FRESH: u32 = 500;
    let mut ours = Vec::new();
    let mut natives = Vec::new();
    for number in PLUGINS..PLUGINS + FRESH {
        let begin = Instant::now();
        let plugin = start(node, number);
        check(plugin.call_blocking("price", (2, "tea")));
        ours.push(begin.elapsed());
        // It serves calls, and can't have ended.
        let _ = plugin.terminate();
        let begin = Instant::now();
        let (lua, price) = native(number);
        check_native(price.call((2, "tea")));
        natives.push(begin.elapsed());
        drop(lua);
    }
    report.ratio("plugin from source to its first answer", median(&mut ours), median(&mut natives));
}
