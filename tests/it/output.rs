//! `print`: one line each, never lost, and waiting where the output is full.

use std::sync::{Arc, Mutex};
use std::task::Waker;

use expect_test::expect;
use lunarium_engine::{
    Chunk, Definition, EntryId, HostDefinition, HostId, Level, LogField, Node, NodeConfig, Output, ProcessLabel,
    SpawnRequest,
};
use lunarium_tests::{HOST, engine, show_outcome};

use crate::check::check_main;

#[test]
fn print_writes_its_arguments_with_tabs_as_lua_does() {
    check_main(
        r#"
        print()
        print("")
        print(nil, true, 1, 1.0, -0.0, 1e100, "text", 1/0)
        print("a", nil, nil)
        print(setmetatable({}, { __tostring = function() return "mine" end }))
        print((tostring(setmetatable({}, { __name = "named" })):gsub(": .+", ":")))
        print((tostring(print):gsub(":.*", "")))
        print(raised(print, setmetatable({}, { __tostring = function() return {} end })))
        print("tab\tin text")
        "#,
        expect![[r#"


            nil	true	1	1.0	-0.0	1e+100	text	inf
            a	nil	nil
            mine
            named:
            function
            '__tostring' must return a string
            tab	in text
            => nil
        "#]],
    );
}

#[test]
fn thousands_of_lines_arrive_in_order() {
    let text = lunarium_tests::transcript("return function() for i = 1, 5000 do print(i) end end");
    let expected: String = (1..=5000).map(|i| format!("{i}\n")).chain(["=> nil\n".to_owned()]).collect();
    assert_eq!(text, expected);
}

/// Takes one line whenever the test says so.
#[derive(Default)]
struct Narrow {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lines: Vec<String>,
    room: usize,
    waiting: Vec<Waker>,
}

impl Narrow {
    fn allow(&self, lines: usize) {
        let waiting = {
            let mut state = self.state.lock().unwrap();
            state.room += lines;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    fn lines(&self) -> Vec<String> {
        self.state.lock().unwrap().lines.clone()
    }
}

impl Output for Narrow {
    fn print(&self, _: &ProcessLabel, line: &str) -> bool {
        let mut state = self.state.lock().unwrap();
        let taken = state.room > 0;
        if taken {
            state.room -= 1;
            state.lines.push(line.to_owned());
        }
        taken
    }

    fn on_ready(&self, waker: Waker) {
        let mut state = self.state.lock().unwrap();
        if state.room > 0 {
            drop(state);
            waker.wake();
        } else {
            state.waiting.push(waker);
        }
    }

    fn log(&self, _: &ProcessLabel, _: Level, message: &str, fields: &[LogField]) {
        self.state.lock().unwrap().lines.push(format!("log: {message} {fields:?}"));
    }
}

/// Runs a program on an output with no room, which `act` gives.
fn with_narrow_output(source: &str, act: impl FnOnce(&Narrow)) -> (Vec<String>, String) {
    let output = Arc::new(Narrow::default());
    let config = NodeConfig::new(Arc::<Narrow>::clone(&output)).with_max_processes(10);
    let node = Node::start_on(engine(), config).expect("a node");
    let host = HostDefinition::new(HostId::new(HOST)).with_max_processes(10);
    node.add_host(host).expect("a new host");
    node.define(Definition::new(EntryId::new("app:main"), Chunk::new("@main.lua", source)));
    let request = SpawnRequest::new(EntryId::new("app:main"), HostId::new(HOST));
    let handle = node.spawn(request).expect("a process");
    // It waits for room, or has ended.
    while node.waiting_count() == 0 && handle.outcome().is_none() {
        std::thread::yield_now();
    }
    act(&output);
    let outcome = show_outcome(&handle.wait_blocking());
    (output.lines(), outcome)
}

#[test]
fn a_full_output_makes_the_printer_wait_and_loses_nothing() {
    let source = r#"
        local turns = 0
        coroutine.spawn(function() while true do time.sleep(1) turns = turns + 1 end end)
        return function()
            for i = 1, 20 do print("line", i) end
            return turns > 0
        end"#;
    let (lines, outcome) = with_narrow_output(source, |output| {
        assert_eq!(output.lines(), Vec::<String>::new());
        for _ in 0..20 {
            output.allow(1);
        }
    });
    let expected: Vec<String> = (1..=20).map(|i| format!("line\t{i}")).collect();
    assert_eq!(lines, expected);
    assert!(outcome.starts_with("=> "), "{outcome}");
}

#[test]
fn where_a_printer_cannot_wait_the_line_is_dropped_and_counted() {
    let source = r#"
        return function()
            ("xxx"):gsub("x", function() print("dropped") end)
            logger:info("after three")
            print("kept")
            return "well"
        end"#;
    let (lines, outcome) = with_narrow_output(source, |output| output.allow(10));
    assert_eq!(lines, [r#"log: after three [("dropped_lines", 3)]"#, "kept"]);
    assert_eq!(outcome, "=> \"well\"");
}

#[test]
fn several_printers_wait_in_turn() {
    let source = r#"
        local done = channel.new()
        for i = 1, 5 do coroutine.spawn(function() print(i) print(-i) done:send(true) end) end
        return function() for _ = 1, 5 do done:receive() end end"#;
    let (mut lines, outcome) = with_narrow_output(source, |output| (0..10).for_each(|_| output.allow(1)));
    assert_eq!(lines.first().map(String::as_str), Some("1"));
    lines.sort();
    assert_eq!(lines, ["-1", "-2", "-3", "-4", "-5", "1", "2", "3", "4", "5"]);
    assert_eq!(outcome, "=> nil");
}
