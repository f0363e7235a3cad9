//! What happens to services, on a real node with the real guest.
//!
//! Owns what is told and in which order. Delays are a millisecond or none, and no test looks at a clock.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};
use std::task::Waker;

use expect_test::{Expect, expect};
use futures_lite::future::block_on;
use lunarium_app::{App, ServiceChange, ServiceEvent, Services};
use lunarium_engine::{
    Ending, Engine, EngineConfig, Events, Failure, Level, LogField, Node, NodeConfig, NodeEvent, Outcome, Output,
    ProcessLabel, ServiceStep, Value,
};

use crate::app;

/// Nobody reads what these processes print.
struct Silence;

impl Output for Silence {
    fn print(&self, _: &ProcessLabel, _: &str) -> bool {
        true
    }

    fn on_ready(&self, waker: Waker) {
        waker.wake();
    }

    fn log(&self, _: &ProcessLabel, _: Level, _: &str, _: &[LogField]) {}
}

/// An application that runs.
struct Run {
    node: Node,
    services: Services,
    /// Those of the node, from before the services start.
    events: Events,
    told: String,
}

/// Programs of the services here, by the name of their entry.
const PROGRAMS: &[(&str, &str)] = &[
    ("waits", "return function() process.events():receive() end"),
    ("deaf", "return function() process.listen('never'):receive() end"),
    ("stuck", "return function() while true do end end"),
    ("ends", "return function() return false end"),
    ("fails", "return function() error('broken', 0) end"),
    ("dies", "return function() process.events():receive() error('last words', 0) end"),
    // Is known by its name once it has started, and fails when it is told to.
    (
        "mortal",
        "return function(name)
           for _ = 1, 100000 do end
           process.registry.register(name)
           local picked = channel.select {
             process.events():case_receive(), process.listen('die'):case_receive()
           }
           if picked.channel ~= process.events() then error('told to', 0) end
         end",
    ),
    // Fails unless the one it needs is there.
    (
        "needs",
        "return function(name)
           assert(process.registry.lookup(name))
           process.events():receive()
         end",
    ),
];

/// An application with the programs above, a host and these services: name, program, and further fields.
fn application(services: &[(&str, &str, &str)]) -> App {
    let mut index = concat!(
        "version: \"1.0\"\nnamespace: app\nentries:\n  - {name: host, kind: process.host}\n",
        "  - {name: tiny, kind: process.host, host: {max_processes: 1}}\n"
    )
    .to_owned();
    let mut files = Vec::new();
    for (name, text) in PROGRAMS {
        index.push_str(&format!("  - {{name: {name}, kind: process.lua, source: 'file://{name}.lua'}}\n"));
        files.push((format!("{name}.lua"), *text));
    }
    for (name, program, more) in services {
        let host = if more.contains("host:") { "" } else { "host: host, " };
        index.push_str(&format!("  - {{name: s_{name}, kind: process.service, process: {program}, {host}{more}}}\n",));
    }
    let mut files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    files.push(("_index.yaml", &index));
    app(&files)
}

impl Run {
    fn start(services: &[(&str, &str, &str)]) -> Run {
        static ENGINE: OnceLock<Engine> = OnceLock::new();
        let engine = ENGINE.get_or_init(|| Engine::new(EngineConfig::new(100)).unwrap());
        let app = application(services);
        let node = Node::start_on(engine, NodeConfig::new(Arc::new(Silence)).with_max_processes(100)).unwrap();
        app.install(&node, None).unwrap();
        let events = node.events();
        Run { services: Services::start(&node, &app), events, node, told: String::new() }
    }

    /// Takes events up to the first that begins so.
    fn until(&mut self, last: &str) {
        loop {
            let event = block_on(self.services.next_event()).unwrap_or_else(|| panic!("never: {last}"));
            let line = shown(&event);
            self.told.push_str(&line);
            self.told.push('\n');
            if line.starts_with(last) {
                return;
            }
        }
    }

    /// Takes events until there is none, and checks all that were told.
    fn finish(mut self, expected: Expect) {
        while let Some(event) = block_on(self.services.next_event()) {
            self.told.push_str(&shown(&event));
            self.told.push('\n');
        }
        expected.assert_eq(&self.told);
        assert_eq!(self.node.process_count(), 0);
    }

    fn stop(&mut self) {
        self.told.push_str("--- stop\n");
        self.services.begin_stop();
    }

    fn kill(&self, name: &str) {
        self.node.send(name, "die", &Value::Nil).unwrap();
    }
}

fn shown(event: &ServiceEvent) -> String {
    let name = event.service.as_str().trim_start_matches("app:s_");
    let why = |failure: &Failure| format!("{} ({})", failure.message, failure.kind);
    match &event.change {
        ServiceChange::Started { .. } => format!("{name} has started"),
        ServiceChange::Ended { .. } => format!("{name} has ended"),
        ServiceChange::Restarting { failure, delay, attempt, max_attempts, .. } => {
            format!("{name} restarts in {delay:?}, {attempt} of {max_attempts}: {}", why(failure))
        }
        ServiceChange::GivenUp { failure, attempts, delays, .. } => {
            format!("{name} is given up after {attempts}, {delays:?}: {}", why(failure))
        }
        ServiceChange::NotStarted { needs } => format!("{name} does not start: {needs}"),
        ServiceChange::Replaced { .. } => "replaced".to_owned(),
        ServiceChange::Upgraded { .. } => "upgraded".to_owned(),
        ServiceChange::Stopped { outcome: Outcome::Completed(_), .. } => format!("{name} has stopped"),
        ServiceChange::Stopped { outcome: Outcome::Failed(failure), .. } => {
            format!("{name} has stopped: {}", why(failure))
        }
    }
}

#[test]
fn one_that_depends_on_another_starts_when_that_has_started_and_stops_before() {
    let mut run = Run::start(&[
        ("top", "needs", "input: [middle], lifecycle: {depends_on: [s_middle]}"),
        ("middle", "mortal", "input: [middle], lifecycle: {depends_on: [s_bottom, host]}"),
        ("bottom", "mortal", "input: [bottom], lifecycle: {auto_start: false}"),
    ]);
    run.until("top has started");
    run.stop();
    run.finish(expect![[r#"
        bottom has started
        middle has started
        top has started
        --- stop
        top has stopped
        middle has stopped
        bottom has stopped
    "#]]);
}

#[test]
fn a_normal_end_is_not_restarted_and_lets_others_start() {
    let run = Run::start(&[("after", "ends", "lifecycle: {depends_on: [s_before]}"), ("before", "ends", "")]);
    run.finish(expect![[r#"
        before has ended
        after has ended
    "#]]);
}

#[test]
fn who_attends_the_node_learns_of_its_services_between_the_lives_of_their_processes() {
    let lifecycle = "lifecycle: {restart: {initial_delay: 0, max_attempts: 1}}";
    let mut run = Run::start(&[("bad", "fails", lifecycle), ("fine", "ends", "lifecycle: {depends_on: [s_bad]}")]);
    while block_on(run.services.next_event()).is_some() {}
    let mut told = String::new();
    while let Some(event) = run.events.try_next() {
        let line = match &event {
            NodeEvent::Spawned { entry, .. } => format!("{entry} spawned"),
            NodeEvent::Ended { entry, ending: Ending::Failed { message, .. }, .. } => {
                format!("{entry} failed: {message}")
            }
            NodeEvent::Service { service, change: ServiceStep::Restarting { attempt, .. } } => {
                format!("{service} restarts, {attempt}")
            }
            NodeEvent::Service { service, change: ServiceStep::GivenUp { attempts, .. } } => {
                format!("{service} is given up after {attempts}")
            }
            NodeEvent::Service { service, change: ServiceStep::NotStarted { needs } } => {
                format!("{service} does not start: {needs}")
            }
            event => format!("{event:?}"),
        };
        told.push_str(&(line + "\n"));
    }
    expect![[r#"
        app:fails spawned
        app:fails failed: broken
        app:s_bad restarts, 1
        app:fails spawned
        app:fails failed: broken
        app:s_bad is given up after 1
        app:s_fine does not start: app:s_bad
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_service_that_fails_is_restarted_until_it_is_given_up() {
    let restart = "{initial_delay: 1ms, backoff_factor: 1.5, max_delay: 2ms, jitter: 0, max_attempts: 4}";
    let lifecycle = format!("lifecycle: {{restart: {restart}}}");
    let run = Run::start(&[("bad", "fails", &lifecycle)]);
    run.finish(expect![[r#"
        bad restarts in 1ms, 1 of 4: broken (Internal)
        bad restarts in 1.5ms, 2 of 4: broken (Internal)
        bad restarts in 2ms, 3 of 4: broken (Internal)
        bad restarts in 2ms, 4 of 4: broken (Internal)
        bad is given up after 4, [1ms, 1.5ms, 2ms, 2ms]: broken (Internal)
    "#]]);
}

#[test]
fn delays_are_told_as_far_as_they_tell_something() {
    let lifecycle = "lifecycle: {restart: {initial_delay: 0, max_attempts: 20}}";
    let mut run = Run::start(&[("bad", "fails", lifecycle)]);
    run.until("bad restarts in 0ns, 20 of 20: broken (Internal)");
    run.told.clear();
    run.finish(expect![[r#"
        bad is given up after 20, [0ns, 0ns, 0ns, 0ns, 0ns, 0ns, 0ns, 0ns]: broken (Internal)
    "#]]);
}

#[test]
fn nothing_starts_that_depends_on_one_that_was_given_up() {
    let mut run = Run::start(&[
        ("other", "waits", ""),
        ("top", "waits", "lifecycle: {depends_on: [s_other, s_middle]}"),
        ("middle", "waits", "lifecycle: {depends_on: [s_bad]}"),
        ("bad", "fails", "lifecycle: {restart: {initial_delay: 0, max_attempts: 1}}"),
    ]);
    run.until("top does not start: app:s_middle");
    assert!(run.told.contains("bad is given up after 1, [0ns]: broken (Internal)\nmiddle does not start: app:s_bad\n"));
    // The others run on.
    if !run.told.contains("other has started") {
        run.until("other has started");
    }
    run.told.clear();
    run.stop();
    run.finish(expect![[r#"
        --- stop
        other has stopped
    "#]]);
}

#[test]
fn a_start_that_takes_too_long_has_failed() {
    let run = Run::start(&[(
        "slow",
        "stuck",
        "lifecycle: {start_timeout: 5ms, restart: {initial_delay: 0, max_attempts: 1, stable_threshold: 0}}",
    )]);
    run.finish(expect![[r#"
        slow restarts in 0ns, 1 of 1: service `app:s_slow` has not waited for anything within its start_timeout of 5ms (Timeout)
        slow is given up after 1, [0ns]: service `app:s_slow` has not waited for anything within its start_timeout of 5ms (Timeout)
    "#]]);
}

#[test]
fn a_start_that_is_refused_is_tried_again() {
    let mut run = Run::start(&[
        ("first", "waits", "host: tiny"),
        (
            "second",
            "waits",
            "host: tiny, lifecycle: {depends_on: [s_first], restart: {initial_delay: 0, max_attempts: 1}}",
        ),
    ]);
    run.until("first has started");
    run.until("second is given up");
    run.stop();
    run.finish(expect![[r#"
        first has started
        second restarts in 0ns, 1 of 1: host `app:tiny` is at its limit of 1 processes (ResourceExhausted)
        second is given up after 1, [0ns]: host `app:tiny` is at its limit of 1 processes (ResourceExhausted)
        --- stop
        first has stopped
    "#]]);
}

#[test]
fn a_restart_restarts_nobody_else() {
    let mut run = Run::start(&[
        ("top", "needs", "input: [bottom], lifecycle: {depends_on: [s_bottom]}"),
        ("bottom", "mortal", "input: [bottom], lifecycle: {restart: {initial_delay: 0}}"),
    ]);
    run.until("top has started");
    run.kill("bottom");
    run.until("bottom has started");
    run.stop();
    run.finish(expect![[r#"
        bottom has started
        top has started
        bottom restarts in 0ns, 1 of 0: told to (Internal)
        bottom has started
        --- stop
        top has stopped
        bottom has stopped
    "#]]);
}

#[test]
fn attempts_are_forgotten_once_a_service_has_run_long_enough() {
    let lifecycle = "lifecycle: {restart: {initial_delay: 0, max_attempts: 1, stable_threshold: 0}}";
    let mut run = Run::start(&[("one", "mortal", &format!("input: [one], {lifecycle}"))]);
    for _ in 0..3 {
        run.until("one has started");
        run.kill("one");
    }
    run.until("one has started");
    run.stop();
    run.finish(expect![[r#"
        one has started
        one restarts in 0ns, 1 of 1: told to (Internal)
        one has started
        one restarts in 0ns, 1 of 1: told to (Internal)
        one has started
        one restarts in 0ns, 1 of 1: told to (Internal)
        one has started
        --- stop
        one has stopped
    "#]]);
}

#[test]
fn a_stop_drops_restarts_that_are_pending_and_starts_that_wait() {
    let mut run = Run::start(&[
        ("bad", "fails", "lifecycle: {restart: {initial_delay: 1h, max_delay: 1h, jitter: 0}}"),
        ("never", "waits", "lifecycle: {depends_on: [s_bad]}"),
    ]);
    run.until("bad restarts in 3600s, 1 of 0: broken (Internal)");
    run.stop();
    run.finish(expect![[r#"
        bad restarts in 3600s, 1 of 0: broken (Internal)
        --- stop
    "#]]);
}

#[test]
fn a_stop_ends_what_does_not_listen_and_what_has_not_started() {
    let mut run = Run::start(&[
        ("deaf", "deaf", "lifecycle: {stop_timeout: 1ms}"),
        ("stuck", "stuck", "lifecycle: {stop_timeout: 1ms, depends_on: [s_deaf]}"),
        ("never", "waits", "lifecycle: {depends_on: [s_stuck]}"),
    ]);
    run.until("deaf has started");
    run.stop();
    run.finish(expect![[r#"
        deaf has started
        --- stop
        stuck has stopped: process terminated (Canceled)
        deaf has stopped: process terminated (Canceled)
    "#]]);
}

#[test]
fn a_service_that_fails_while_all_stop_is_not_restarted() {
    let mut run = Run::start(&[("one", "dies", "lifecycle: {restart: {initial_delay: 0}}")]);
    run.until("one has started");
    run.stop();
    run.finish(expect![[r#"
        one has started
        --- stop
        one has stopped: last words (Internal)
    "#]]);
}

#[test]
fn jitter_is_random() {
    let restart = "{initial_delay: 1ms, backoff_factor: 1, jitter: 1, max_attempts: 8}";
    let lifecycle = format!("lifecycle: {{restart: {restart}}}");
    let mut run = Run::start(&[("bad", "fails", &lifecycle)]);
    let mut seen = HashSet::new();
    while let Some(event) = block_on(run.services.next_event()) {
        if let ServiceChange::Restarting { delay, .. } = event.change {
            seen.insert(delay);
        }
    }
    assert!(seen.len() > 1, "{seen:?}");
}
