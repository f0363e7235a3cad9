//! Busy processes don't keep the others waiting.

use std::sync::atomic::{AtomicBool, Ordering};

use lunarium_tests::{Lab, show_outcome};

const BUSY: &str = "-- entry: busy\nreturn { main = function() while true do end end }";

const TICKER: &str = r#"
-- entry: ticker
return { main = function()
  for _ = 1, 200 do time.sleep("5ms") end
  return "ticked"
end }"#;

#[test]
fn two_hundred_busy_loops_do_not_stop_a_neighbour_that_ticks() {
    let lab = Lab::default();
    lab.define(BUSY);
    lab.define(TICKER);
    let busy: Vec<_> = (0..200).map(|_| lab.spawn("busy", Vec::new())).collect();
    let ticker = lab.spawn("ticker", Vec::new());
    assert_eq!(show_outcome(&ticker.wait_blocking()), "=> \"ticked\"");
    // None of them has used 10 s yet: they ran beside it, each for a part of the time.
    assert!(busy.iter().all(|handle| handle.outcome().is_none()));
}

#[test]
fn busy_loops_all_get_their_share() {
    let lab = Lab::default();
    lab.define(
        r#"
-- entry: counter
return { main = function(name)
  for i = 1, 20 do
    for _ = 1, 300000 do end
  end
  return name
end }"#,
    );
    let handles: Vec<_> = (0..20).map(|_| lab.spawn("counter", Vec::new())).collect();
    for handle in handles {
        assert_eq!(show_outcome(&handle.wait_blocking()), "=> nil");
    }
}

#[test]
fn two_that_talk_do_not_keep_a_third_waiting() {
    let lab = Lab::default();
    lab.define(
        r#"
-- entry: pong
return { main = function(other)
  local ch = process.listen("ball")
  while true do process.send(other or ch:receive(), "ball", process.pid()) other = ch:receive() end
end }"#,
    );
    lab.define(TICKER);
    let talkers: Vec<_> = (0..8)
        .map(|_| {
            let first = lab.spawn("pong", Vec::new());
            let pid = lunarium_engine::Value::from(first.pid().as_str());
            (first, lab.spawn("pong", vec![pid]))
        })
        .collect();
    let ticker = lab.spawn("ticker", Vec::new());
    assert_eq!(show_outcome(&ticker.wait_blocking()), "=> \"ticked\"");
    assert!(talkers.iter().all(|(first, second)| first.outcome().is_none() && second.outcome().is_none()));
}

#[test]
fn a_kill_reaches_loops_and_library_calls() {
    let lab = Lab::default();
    lab.define(BUSY);
    for (name, body) in [
        ("bomb", r#"return ("a"):rep(40):match(("a-"):rep(40) .. "b")"#),
        ("protected", "while true do pcall(function() while true do end end) end"),
        ("inner", "coroutine.wrap(function() while true do end end)()"),
        ("meta", "return setmetatable({}, { __index = function() while true do end end }).x"),
        ("sorted", "local t = {} for i = 1, 100 do t[i] = -i end table.sort(t, function() while true do end end)"),
        ("replaced", r#"return ("x"):gsub("x", function() while true do end end)"#),
        ("closed", "local c <close> = setmetatable({}, { __close = function() while true do end end })"),
    ] {
        lab.define(&format!("-- entry: {name}\nreturn {{ main = function() print('in') {body} end }}"));
    }
    let stopped = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for name in ["bomb", "protected", "inner", "meta", "sorted", "replaced", "closed"] {
            let (lab, stopped) = (&lab, &stopped);
            scope.spawn(move || {
                let handle = lab.spawn(name, Vec::new());
                while lab.printed().is_empty() && !stopped.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
                lab.node.terminate(handle.pid()).expect("it runs");
                assert_eq!(show_outcome(&handle.wait_blocking()), "failed Canceled: process terminated");
                stopped.store(true, Ordering::Relaxed);
            });
        }
    });
    lab.settle();
}
