//! When a process counts as started, and the waits of those who start it.

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use futures_lite::future::block_on;
use lunarium_engine::Handle;
use lunarium_tests::{Lab, show_outcome};

fn start(lab: &Lab, script: &str) -> Handle {
    lab.define(script);
    lab.spawn("main", Vec::new())
}

fn has_started_or_ended(handle: &Handle) -> bool {
    pin!(handle.started()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn a_process_has_started_when_it_waits() {
    let lab = Lab::default();
    for wait in
        ["process.inbox():receive()", "time.sleep('1h')", "pcall(channel.select, {time.after('1h'):case_receive()})"]
    {
        let handle = start(&lab, &format!("return function() {wait} end"));
        assert!(block_on(handle.started()), "{wait}");
        assert!(handle.outcome().is_none(), "{wait}");
    }
}

#[test]
fn a_process_that_only_works_has_not_started() {
    let lab = Lab::default();
    let handle = start(&lab, "return function() print('busy') while true do end end");
    while lab.printed().is_empty() {
        std::thread::yield_now();
    }
    assert!(!has_started_or_ended(&handle));
    lab.node.terminate(handle.pid()).unwrap();
    assert!(!block_on(handle.started()));
}

#[test]
fn one_that_ends_without_waiting_never_started() {
    let lab = Lab::default();
    for (script, outcome) in [
        ("return function() return 1 end", "=> 1"),
        ("return function() error('no', 0) end", "failed Internal: no"),
        ("return 5", "failed Invalid: the chunk returned number, not a function or a table of functions"),
    ] {
        let handle = start(&lab, script);
        assert!(!block_on(handle.started()), "{script}");
        assert_eq!(show_outcome(&handle.wait_blocking()), outcome);
    }
}

#[test]
fn one_that_has_waited_has_started_also_when_it_is_asked_late() {
    let lab = Lab::default();
    let handle = start(&lab, "return function() time.sleep('1ms') end");
    assert_eq!(show_outcome(&handle.wait_blocking()), "=> nil");
    assert!(block_on(handle.started()));
}

#[test]
fn a_sleep_lasts_its_time_by_the_clock_it_is_on() {
    let lab = Lab::default();
    for duration in [Duration::ZERO, Duration::from_millis(3)] {
        let before = lab.node.uptime();
        block_on(lab.node.sleep(duration));
        assert!(lab.node.uptime() >= before + duration);
    }
}

#[test]
fn chance_is_spread_from_zero_to_one() {
    let lab = Lab::default();
    let drawn: Vec<f64> = (0..1000).map(|_| lab.node.chance()).collect();
    assert!(drawn.iter().all(|chance| (0.0..1.0).contains(chance)));
    // Each tenth is missed by a thousand draws once in 10^45 runs.
    for tenth in 0..10 {
        assert!(drawn.iter().any(|chance| (chance * 10.0) as u32 == tenth), "{tenth}");
    }
}
