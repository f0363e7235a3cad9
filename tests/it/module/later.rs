//! Functions that answer later: who waits for them, where they run, what ends them, how many there may be.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::expect;
use futures_lite::future::block_on;
use lunarium_engine::{Caller, FunctionError, Grants, Handle, Limits, Module, Value};
use lunarium_tests::{Lab, node_memory, show_outcome};
use tokio::sync::{Notify, Semaphore};

use super::{Given, check, lab, lab_within};
use crate::check::{check_main_in, program};

/// Counts the futures that are alive.
#[derive(Default)]
struct Alive {
    count: AtomicUsize,
    changed: Notify,
}

struct Living(Arc<Alive>);

impl Alive {
    fn enter(self: &Arc<Alive>) -> Living {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_waiters();
        Living(Arc::clone(self))
    }

    /// Waits until so many are alive.
    fn wait_for(&self, count: usize) {
        while self.count.load(Ordering::SeqCst) != count {
            std::thread::yield_now();
        }
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A module whose `wait` never ends, and whose `gate` ends when the semaphore lets it through.
fn slow(alive: &Arc<Alive>, gate: &Arc<Semaphore>) -> Module {
    let (alive, other, gate) = (Arc::clone(alive), Arc::clone(alive), Arc::clone(gate));
    Module::new("slow")
        .function("wait", move |_, _: Vec<Value>| {
            let living = alive.enter();
            async move {
                let _living = living;
                std::future::pending::<Given<()>>().await
            }
        })
        .function("gate", move |_, (value,): (Value,)| {
            let (living, gate) = (other.enter(), Arc::clone(&gate));
            async move {
                let _living = living;
                gate.acquire().await?.forget();
                Ok::<_, FunctionError>(value)
            }
        })
}

#[test]
fn only_the_calling_coroutine_waits() {
    let (alive, gate) = (Arc::default(), Arc::new(Semaphore::new(0)));
    let lab = lab([slow(&alive, &gate)]);
    lab.define(&program(
        r#"
        local slow = require("slow")
        local got = channel.new(2)
        for i = 1, 2 do coroutine.spawn(function() got:send(slow.gate({ i })[1]) end) end
        print("goes on")
        print(got:receive() + got:receive())
        print(pcall(table.sort, { 1, 2 }, function() return slow.gate() end))
        "#,
    ));
    let handle = lab.spawn("main", Vec::new());
    alive.wait_for(2);
    // Both calls are under way, and the script prints beside them.
    let printed = std::iter::repeat_with(|| lab.printed()).find(|lines| !lines.is_empty());
    assert_eq!(printed.unwrap(), ["goes on"]);
    gate.add_permits(2);
    assert_eq!(show_outcome(&handle.wait_blocking()), "=> nil");
    expect![[r#"
        3
        false	attempt to yield across a C-call boundary"#]]
    .assert_eq(&lab.printed().join("\n"));
    alive.wait_for(0);
}

#[test]
fn an_answer_that_is_there_at_once_costs_no_turn() {
    let ready = Module::new("ready")
        .function("value", |_, (value,): (i64,)| async move { Ok::<_, FunctionError>(value) })
        .immediate("now", |_, (): ()| -> Given<()> { Ok(()) });
    // Who is ready would run in a turn, or whenever the caller waits.
    check(
        ready,
        r#"
        local ready = require("ready")
        local go, ran = channel.new(1), false
        coroutine.spawn(function() ran = go:receive() end)
        go:send("it ran")
        local sum = 0
        for i = 1, 8 do sum = sum + ready.value(i) ready.now() end
        print(sum, ran)
        time.sleep(0)
        print(ran)
        "#,
        expect![[r#"
            36	false
            it ran
            => nil
        "#]],
    );
}

/// Starts `body` and waits until `count` of its futures are alive.
fn start(lab: &Lab, alive: &Alive, count: usize, body: &str) -> Handle {
    lab.define(&program(body));
    let handle = lab.spawn("main", Vec::new());
    alive.wait_for(count);
    handle
}

const WAITS: &str = r#"
local slow = require("slow")
for _ = 1, 3 do coroutine.spawn(slow.wait, ("x"):rep(100000)) end
process.listen("end"):receive()
"#;

#[test]
fn a_process_that_ends_drops_its_futures() {
    let (alive, gate) = (Arc::default(), Arc::new(Semaphore::new(0)));
    let lab = lab([slow(&alive, &gate)]);
    let killed = start(&lab, &alive, 3, WAITS);
    lab.node.terminate(killed.pid()).unwrap();
    alive.wait_for(0);
    let ended = start(&lab, &alive, 3, WAITS);
    lab.node.send(ended.pid().as_str(), "end", &Value::Nil).unwrap();
    assert_eq!(show_outcome(&ended.wait_blocking()), "=> nil");
    alive.wait_for(0);
    lab.settle();
    while node_memory(&lab.node) > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn an_upgrade_drops_the_futures_of_who_asked() {
    let (alive, gate) = (Arc::default(), Arc::new(Semaphore::new(0)));
    let lab = lab([slow(&alive, &gate)]);
    let handle = start(
        &lab,
        &alive,
        3,
        r#"
        local slow = require("slow")
        for _ = 1, 3 do coroutine.spawn(slow.wait) end
        process.listen("end"):receive()
        process.upgrade("app:next")
-- entry: next
return function()
    print(require("slow").gate("in the next life"))
end
        "#,
    );
    lab.node.send(handle.pid().as_str(), "end", &Value::Nil).unwrap();
    alive.wait_for(1);
    gate.add_permits(1);
    assert_eq!(show_outcome(&handle.wait_blocking()), "=> nil");
    assert_eq!(lab.printed(), ["in the next life"]);
}

#[test]
fn a_node_that_is_dropped_drops_all_futures() {
    let (alive, gate) = (Arc::default(), Arc::new(Semaphore::new(0)));
    let lab = lab([slow(&alive, &gate)]);
    start(&lab, &alive, 3, WAITS);
    drop(lab);
    alive.wait_for(0);
}

#[test]
fn a_future_that_takes_too_long_is_dropped() {
    let alive: Arc<Alive> = Arc::default();
    let (never, blocked) = (Arc::clone(&alive), Arc::new(Semaphore::new(0)));
    let release = Arc::clone(&blocked);
    let module = Module::new("slow")
        .function("never", move |_, (): ()| {
            let living = never.enter();
            async move {
                let _living = living;
                std::future::pending::<Given<()>>().await
            }
        })
        .timeout(Duration::from_millis(20))
        .blocking("blocks", move |_, (): ()| -> Given<()> {
            block_on(blocked.acquire())?.forget();
            Ok(())
        })
        .timeout(Duration::from_millis(20));
    let lab = lab([module]);
    check_main_in(
        &lab,
        r#"
        local slow = require("slow")
        for _, f in ipairs { slow.never, slow.blocks } do
            local value, err = f()
            print(value, err, err:kind())
        end
        "#,
        expect![[r#"
            nil	function `slow.never` took longer than 20ms	Timeout
            nil	function `slow.blocks` took longer than 20ms	Timeout
            => nil
        "#]],
    );
    alive.wait_for(0);
    release.add_permits(1);
}

#[test]
fn calls_under_way_are_a_limit() {
    let (alive, gate) = (Arc::default(), Arc::new(Semaphore::new(0)));
    let limits = Limits { module_calls: 2, ..Limits::default() };
    let lab = lab_within(limits, [slow(&alive, &gate)]);
    let handle = start(
        &lab,
        &alive,
        2,
        r#"
        local slow = require("slow")
        local done = channel.new(2)
        for i = 1, 2 do coroutine.spawn(function() done:send(slow.gate(i)) end) end
        local value, err = slow.gate(3)
        print(value, err, err:kind(), err:retryable(), err:details().limit)
        print(done:receive() + done:receive())
        print(slow.gate(4))
        "#,
    );
    while lab.print_count() < 1 {
        std::thread::yield_now();
    }
    gate.add_permits(3);
    assert_eq!(show_outcome(&handle.wait_blocking()), "=> nil");
    expect![[r#"
        nil	process has 2 calls of modules under way, which is the limit	ResourceExhausted	true	module_calls
        3
        4"#]]
    .assert_eq(&lab.printed().join("\n"));
}

#[test]
fn bytes_in_and_out_are_a_limit() {
    let (alive, gate) = (Arc::default(), Arc::new(Semaphore::new(0)));
    let limits = Limits { module_bytes: 100_000, ..Limits::default() };
    let other = Module::new("other").function("grow", |_, (bytes,): (usize,)| async move {
        tokio::task::yield_now().await;
        Ok::<_, FunctionError>("x".repeat(bytes))
    });
    let lab = lab_within(limits, [slow(&alive, &gate), other]);
    let handle = start(
        &lab,
        &alive,
        1,
        r#"
        local slow, other = require("slow"), require("other")
        local done = channel.new(2)
        coroutine.spawn(function() done:send(#slow.gate(("x"):rep(60000))) end)
        local function show(value, err) print(value and #value, err, err and err:kind(), err and err:retryable(), err and err:details().limit) end
        show(slow.gate(("x"):rep(40000)))
        show(other.grow(39000))
        show(other.grow(40000))
        print("go on")
        print(done:receive())
        show(other.grow(99000))
        "#,
    );
    while lab.print_count() < 4 {
        std::thread::yield_now();
    }
    gate.add_permits(1);
    assert_eq!(show_outcome(&handle.wait_blocking()), "=> nil");
    expect![[r#"
        nil	calls of modules hold 60004 bytes of 100000, and there are 40004 more	ResourceExhausted	true	module_bytes
        39000	nil	nil	nil	nil
        nil	result is lost: calls of modules hold 60004 bytes of 100000, and there are 40004 more	ResourceExhausted	true	module_bytes
        go on
        60000	true
        99000	nil	nil	nil	nil"#]].assert_eq(&lab.printed().join("\n"));
}

#[test]
fn arguments_of_calls_are_charged_to_the_node() {
    let (alive, gate) = (Arc::default(), Arc::new(Semaphore::new(0)));
    let lab = lab([slow(&alive, &gate)]);
    let handle = start(
        &lab,
        &alive,
        1,
        r#"
        local slow = require("slow")
        local text = ("x"):rep(900000)
        coroutine.spawn(slow.gate)
        process.listen("go"):receive()
        for _ = 1, 3 do coroutine.spawn(slow.gate, text) end
        process.listen("end"):receive()
        "#,
    );
    let before = node_memory(&lab.node);
    lab.node.send(handle.pid().as_str(), "go", &Value::Nil).unwrap();
    alive.wait_for(4);
    assert!(node_memory(&lab.node) >= before + 2_700_000, "{before} {}", node_memory(&lab.node));
}

#[test]
fn few_bytes_are_charged_once_their_calls_wait() {
    let memory = Module::new("memory").immediate("held", |caller: Caller, (): ()| -> Given<u64> {
        Ok(caller.node().map_or(0, |node| node_memory(&node)))
    });
    let lab = lab([slow(&Arc::default(), &Arc::new(Semaphore::new(0))), memory]);
    check_main_in(
        &lab,
        // The instance grows by pages of 64 KiB; a payload has four bytes more than the text.
        r#"
        local slow, memory = require("slow"), require("memory")
        local text, before = ("x"):rep(996)
        coroutine.spawn(function() before = memory.held() end)
        for _ = 1, 8 do coroutine.spawn(slow.wait, text) end
        coroutine.spawn(function() print((memory.held() - before) % 65536) end)
        time.sleep(0)
        "#,
        expect![[r#"
            8000
            => nil
        "#]],
    );
}

#[test]
fn who_calls_is_known() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&seen);
    let module = Module::new("who").function("am_i", move |caller: Caller, (): ()| {
        let noted = Arc::clone(&noted);
        async move {
            let told = format!(
                "{} {} {:?} {} {} {} {}",
                caller.pid(),
                caller.entry(),
                caller.actor().map(|actor| actor.id().to_owned()),
                caller.scope().is_none(),
                caller.limits().message,
                caller.may("anything", "at all"),
                caller.node().is_some_and(|node| node.has_module("who")),
            );
            noted.lock().unwrap().push(told);
            let node = caller.node();
            tokio::spawn(async move {
                caller.cancelled().await;
                noted.lock().unwrap().push(format!("{} is gone: {}", caller.pid(), caller.is_cancelled()));
                drop(node);
            });
            Ok::<_, FunctionError>(())
        }
    });
    let lab = lab([module]);
    check_main_in(&lab, r#"require("who").am_i()"#, expect![["=> nil\n"]]);
    while seen.lock().unwrap().len() < 2 {
        std::thread::yield_now();
    }
    let seen = seen.lock().unwrap();
    assert!(seen[0].ends_with("app:main None true 1048576 true true"), "{}", seen[0]);
    assert!(seen[1].ends_with("is gone: true"), "{}", seen[1]);
}

#[test]
fn futures_run_on_the_runtime_that_the_node_was_started_in() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("ours").build().unwrap();
    let name = || std::thread::current().name().unwrap_or_default().to_owned();
    let module = || {
        Module::new("where").function("am_i", move |_, (): ()| async move {
            tokio::task::yield_now().await;
            Ok::<_, FunctionError>(name())
        })
    };
    let script = program(r#"print((require("where").am_i()))"#);
    let run = |mut lab: Lab| {
        lab.node.add_module(module()).unwrap();
        lab.grants = Arc::new(Grants::new().with_module("where"));
        lab.define(&script);
        lab.spawn("main", Vec::new()).wait_blocking();
        lab.printed()
    };
    let inside = {
        let _entered = runtime.enter();
        Lab::default()
    };
    assert_eq!(run(inside), ["ours"]);
    assert_eq!(run(Lab::default()), ["lunarium-modules"]);
    let entered = runtime.enter();
    let late = Lab::default();
    drop(entered);
    runtime.shutdown_background();
    assert_eq!(run(late), ["nil"]);
}

#[test]
fn blocking_functions_of_a_node_take_so_many_threads_and_no_more() {
    let (alive, gate): (Arc<Alive>, _) = (Arc::default(), Arc::new(Semaphore::new(0)));
    let (inside, through) = (Arc::clone(&alive), Arc::clone(&gate));
    let module = Module::new("slow").blocking("block", move |_, (): ()| -> Given<()> {
        let _living = inside.enter();
        block_on(through.acquire())?.forget();
        Ok(())
    });
    let lab = lab([module]);
    lab.define(&program(
        r#"
        local slow, done = require("slow"), channel.new(100)
        for _ = 1, 100 do coroutine.spawn(function() done:send(slow.block()) end) end
        print("all begun")
        for _ = 1, 100 do done:receive() end
        "#,
    ));
    let handle = lab.spawn("main", Vec::new());
    alive.wait_for(64);
    while lab.node.waiting_count() < 1 {
        std::thread::yield_now();
    }
    assert_eq!((lab.print_count(), alive.count.load(Ordering::SeqCst)), (1, 64));
    gate.add_permits(100);
    assert_eq!(show_outcome(&handle.wait_blocking()), "=> nil");
}
