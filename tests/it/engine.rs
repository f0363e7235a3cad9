//! The limits that all nodes of an engine share, and that they change while it runs.

use std::pin::pin;
use std::task::{Context, Waker};

use expect_test::{Expect, expect};
use futures_lite::future::block_on;
use lunarium_engine::{Engine, EngineConfig, Handle, Held, Limits, Value};
use lunarium_tests::{Lab, PROCESSES, show_outcome};

/// Instances beyond `max_processes`: of what ends, and of sources that are compiled.
const SPARE: usize = 64;

/// An engine of so many processes, and a node on it that may have more.
fn lab(max_processes: u32, script: &str) -> (Engine, Lab) {
    let engine = Engine::new(EngineConfig::new(max_processes)).unwrap();
    let lab = Lab::on(&engine, Limits::default(), PROCESSES, |config| config);
    lab.define(script);
    (engine, lab)
}

fn spawn(lab: &Lab, count: usize) -> Vec<Handle> {
    (0..count).map(|_| lab.spawn("main", Vec::new())).collect()
}

fn has_started(handle: &Handle) -> bool {
    pin!(handle.started()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

fn wait_until(seen: impl Fn() -> bool) {
    while !seen() {
        std::thread::yield_now();
    }
}

#[test]
fn more_processes_let_in_who_waits_and_fewer_let_all_live_that_do() {
    let (engine, lab) = lab(2, "return function() return process.inbox():receive():payload() end");
    let answers = |handle: &Handle| {
        lab.node.send(handle.pid().as_str(), "t", &Value::from("bye")).unwrap();
        assert_eq!(show_outcome(&handle.wait_blocking()), r#"=> "bye""#);
    };
    let mut living = spawn(&lab, 2 + SPARE);
    assert!(living.iter().all(|handle| block_on(handle.started())));
    let waiting = spawn(&lab, 3);
    assert_eq!(engine.slots().held, 2 + SPARE);
    assert!(!waiting.iter().any(has_started));

    engine.set_limits(4, None).unwrap();
    assert_eq!((engine.max_processes(), engine.slots().most), (4, 4));
    let started = || waiting.iter().filter(|handle| has_started(handle)).count();
    wait_until(|| started() >= 2);
    assert_eq!((started(), engine.slots().held), (2, 4 + SPARE));
    engine.set_limits(5, None).unwrap();
    wait_until(|| started() == 3);
    living.extend(waiting);

    engine.set_limits(1, None).unwrap();
    assert_eq!((engine.max_processes(), engine.slots().held), (1, 5 + SPARE));
    let last = lab.spawn("main", Vec::new());
    // Who lives beyond the number works as before. Only the fifth that ends leaves room for another.
    for (handle, left) in living.iter().zip((1 + SPARE..5 + SPARE).rev()) {
        answers(handle);
        wait_until(|| engine.slots().held == left);
        assert!(!has_started(&last));
    }
    answers(&living[4]);
    assert!(block_on(last.started()));
    assert_eq!(engine.slots().held, 1 + SPARE);
    drop(lab);
}

#[test]
fn memory_of_all_is_lowered_below_what_is_held_and_raised_again() {
    let script = r#"return function()
        local held = ("x"):rep(2 << 20)
        while true do
            process.inbox():receive()
            local ok, err = pcall(string.rep, "y", 3 << 20)
            print(ok or err, #held)
        end
    end"#;
    let (engine, lab) = lab(2, script);
    let check = |handle: &Handle, expect: Expect| {
        lab.node.send(handle.pid().as_str(), "t", &Value::Nil).unwrap();
        wait_until(|| lab.print_count() == 1);
        expect.assert_eq(&lab.printed().join("\n"));
    };
    let memory = || engine.usage().of("engine.memory").unwrap();
    let before = memory().limit;
    let handle = lab.spawn("main", Vec::new());
    assert!(block_on(handle.started()));
    engine.set_limits(2, Some(1 << 20)).unwrap();
    let Held { used, limit, .. } = memory();
    assert!(used > 2 << 20 && limit == 1 << 20, "{used} of {limit}");
    check(&handle, expect!["not enough memory\t2097152"]);
    engine.set_limits(2, None).unwrap();
    assert_eq!(memory().limit, before);
    check(&handle, expect!["true\t2097152"]);
}

#[test]
fn limits_that_cant_be_are_refused_and_nothing_is_changed() {
    let (engine, _) = lab(2, "");
    let memory = engine.usage().held;
    let check = |most, expect: Expect| {
        expect.assert_eq(&engine.set_limits(most, Some(1)).unwrap_err().to_string());
        assert_eq!((engine.max_processes(), engine.usage().held), (2, memory.clone()));
    };
    check(0, expect!["max_processes must be at least 1"]);
    check(20_000, expect!["20000 processes don't fit into 47 bits of address space: at most 10500 do"]);
}
