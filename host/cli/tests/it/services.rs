//! Services as those see them who run an application: what is said of them, how the run ends, and a signal's effect.

use expect_test::{Expect, expect};
use tempfile::TempDir;

use crate::{Running, app};

/// Programs, by the names of their entries; the argument is the service's name.
const PROGRAMS: [(&str, &str); 5] = [
    (
        "polite",
        "return function(name)
           print(name .. ' is up')
           local event = process.events():receive()
           print(name .. ' got', event.kind, event.from, event.deadline ~= nil)
         end",
    ),
    // Never looks at its events.
    ("deaf", "return function() process.listen('never'):receive() end"),
    ("stuck", "return function() while true do end end"),
    ("ends", "return function(name) print(name .. ' ends') end"),
    ("fails", "return function() error('broken', 0) end"),
];

/// An application with the programs above and these services: name, program, lifecycle.
fn services(services: &[(&str, &str, &str)]) -> TempDir {
    let mut entries = String::new();
    for (name, _) in PROGRAMS {
        entries.push_str(&format!("  - {{name: {name}, kind: process.lua, source: 'file://{name}.lua'}}\n"));
    }
    for (name, program, lifecycle) in services {
        let process = format!("process: {program}, host: 'app:processes', input: [{name}]");
        entries.push_str(&format!(
            "  - {{name: the_{name}, kind: process.service, {process}, lifecycle: {{{lifecycle}}}}}\n"
        ));
    }
    let folder = app(&entries);
    for (name, text) in PROGRAMS {
        std::fs::write(folder.path().join(format!("app/{name}.lua")), text).unwrap();
    }
    folder
}

/// Runs services to their end.
fn check(list: &[(&str, &str, &str)], expected: Expect) {
    expected.assert_eq(&Running::start(&services(list), &["run", "app"]).finish());
}

#[test]
fn a_run_ends_with_the_last_service() {
    check(
        &[("second", "ends", "depends_on: [the_first]"), ("first", "ends", "")],
        expect![[r#"
        exit code: 0
        --- stdout
        first ends
        second ends
        --- stderr
        <time> INFO  service app:the_first has ended pid={app:processes|0x00001}
        <time> INFO  service app:the_second has ended pid={app:processes|0x00002}
    "#]],
    );
}

#[test]
fn a_run_goes_on_while_a_process_lives() {
    let folder = app(concat!(
        "  - {name: starter, kind: process.lua, source: 'file://starter.lua'}\n",
        "  - {name: worker, kind: process.lua, source: 'file://worker.lua'}\n",
        "  - {name: one, kind: process.service, process: starter, host: 'app:processes'}\n",
    ));
    let starter = "return function() process.spawn('app:worker', 'app:processes', process.pid()) end";
    // Its starter is gone before it goes on.
    let worker = "return function(starter)
        while process.send(starter, 'are you there') do time.sleep('1ms') end
        print('the worker goes on alone')
    end";
    for (name, text) in [("starter", starter), ("worker", worker)] {
        std::fs::write(folder.path().join(format!("app/{name}.lua")), text).unwrap();
    }
    expect![[r#"
        exit code: 0
        --- stdout
        the worker goes on alone
        --- stderr
        <time> INFO  service app:one has ended pid={app:processes|0x00001}
    "#]]
    .assert_eq(&Running::start(&folder, &["run", "app"]).finish());
}

#[test]
fn a_service_that_can_not_stay_up_is_given_up_and_the_run_has_failed() {
    check(
        &[
            ("bad", "fails", "restart: {initial_delay: 1ms, jitter: 0, max_attempts: 3}"),
            ("web", "polite", "depends_on: [the_bad]"),
        ],
        expect![[r#"
            exit code: 1
            --- stderr
            <time> WARN  service app:the_bad has failed and restarts in 1ms, attempt 1 of 3 pid={app:processes|0x00001} error=broken kind=Internal
              error: broken (Internal)
               --> app/fails.lua:1:1
                |
              1 | return function() error('broken', 0) end
                | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              stack traceback:
                  app/fails.lua:1: in function <app/fails.lua:1>
            <time> WARN  service app:the_bad has failed and restarts in 2ms, attempt 2 of 3 pid={app:processes|0x00002} error=broken kind=Internal
              error: broken (Internal)
               --> app/fails.lua:1:1
                |
              1 | return function() error('broken', 0) end
                | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              stack traceback:
                  app/fails.lua:1: in function <app/fails.lua:1>
            <time> WARN  service app:the_bad has failed and restarts in 4ms, attempt 3 of 3 pid={app:processes|0x00003} error=broken kind=Internal
              error: broken (Internal)
               --> app/fails.lua:1:1
                |
              1 | return function() error('broken', 0) end
                | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              stack traceback:
                  app/fails.lua:1: in function <app/fails.lua:1>
            <time> ERROR service app:the_bad has failed and is given up after 3 restarts, delayed by 1ms, 2ms, 4ms pid={app:processes|0x00004} error=broken kind=Internal
              error: broken (Internal)
               --> app/fails.lua:1:1
                |
              1 | return function() error('broken', 0) end
                | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              stack traceback:
                  app/fails.lua:1: in function <app/fails.lua:1>
            <time> ERROR service app:the_web does not start: app:the_bad, which it depends on, never will
            error: service app:the_bad was given up after 3 restarts: broken (Internal)
        "#]],
    );
}

#[test]
fn a_service_that_does_not_start_in_time_is_given_up() {
    check(
        &[("slow", "stuck", "start_timeout: 20ms, restart: {initial_delay: 0, max_attempts: 1}")],
        expect![[r#"
            exit code: 1
            --- stderr
            <time> WARN  service app:the_slow has failed and restarts in 0s, attempt 1 of 1 pid={app:processes|0x00001} error="service `app:the_slow` has not waited for anything within its start_timeout of 20ms" kind=Timeout
            <time> ERROR service app:the_slow has failed and is given up after 1 restart, delayed by 0s pid={app:processes|0x00002} error="service `app:the_slow` has not waited for anything within its start_timeout of 20ms" kind=Timeout
            error: service app:the_slow was given up after 1 restart: service `app:the_slow` has not waited for anything within its start_timeout of 20ms (Timeout)
        "#]],
    );
}

#[test]
fn the_others_run_on_and_a_signal_stops_them() {
    let folder = services(&[
        ("bad", "fails", "restart: {initial_delay: 0, max_attempts: 1}, depends_on: [the_web]"),
        ("web", "polite", "depends_on: [the_init]"),
        ("init", "ends", ""),
    ]);
    let mut running = Running::start(&folder, &["run", "app"]);
    running.wait_for_error("service app:the_bad has failed and is given up");
    running.signal("INT");
    expect![[r#"
        exit code: 1
        --- stdout
        init ends
        web is up
        web got	pid.cancel	nil	true
        --- stderr
          error: broken (Internal)
           --> app/fails.lua:1:1
            |
          1 | return function() error('broken', 0) end
            | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          stack traceback:
              app/fails.lua:1: in function <app/fails.lua:1>
        stopping; a second interrupt stops at once
        <time> INFO  service app:the_web has stopped pid={app:processes|0x00002}
        error: service app:the_bad was given up after 1 restart: broken (Internal)
    "#]]
    .assert_eq(&running.finish());
}

#[test]
fn services_stop_dependants_first() {
    let folder = services(&[
        ("web", "polite", "depends_on: [the_store]"),
        ("store", "polite", "depends_on: [the_disk]"),
        ("disk", "polite", ""),
    ]);
    let mut running = Running::start(&folder, &["run", "app"]);
    running.wait_for_error("service app:the_web has started");
    running.signal("TERM");
    expect![[r#"
        exit code: 0
        --- stdout
        disk is up
        store is up
        web is up
        web got	pid.cancel	nil	true
        store got	pid.cancel	nil	true
        disk got	pid.cancel	nil	true
        --- stderr
        stopping; a second interrupt stops at once
        <time> INFO  service app:the_web has stopped pid={app:processes|0x00003}
        <time> INFO  service app:the_store has stopped pid={app:processes|0x00002}
        <time> INFO  service app:the_disk has stopped pid={app:processes|0x00001}
    "#]]
    .assert_eq(&running.finish());
}

#[test]
fn a_service_that_does_not_listen_is_terminated_after_its_timeout() {
    let folder = services(&[
        ("deaf", "deaf", "stop_timeout: 20ms"),
        ("stuck", "stuck", "stop_timeout: 20ms, depends_on: [the_deaf]"),
        ("never", "polite", "depends_on: [the_stuck]"),
    ]);
    let mut running = Running::start(&folder, &["run", "app"]);
    running.wait_for_error("service app:the_deaf has started");
    running.signal("INT");
    expect![[r#"
        exit code: 0
        --- stderr
        stopping; a second interrupt stops at once
        <time> WARN  service app:the_stuck did not stop within its stop_timeout of 20ms and was terminated pid={app:processes|0x00002} error="process terminated" kind=Canceled
        <time> WARN  service app:the_deaf did not stop within its stop_timeout of 20ms and was terminated pid={app:processes|0x00001} error="process terminated" kind=Canceled
    "#]].assert_eq(&running.finish());
}

#[test]
fn a_signal_comes_through_when_a_service_is_refused_again_and_again() {
    let folder = app(concat!(
        "  - {name: job, kind: process.lua, source: 'return function() process.events():receive() end'}\n",
        "  - {name: tiny, kind: process.host, host: {max_processes: 1}}\n",
        "  - {name: one, kind: process.service, process: job, host: tiny}\n",
        "  - {name: two, kind: process.service, process: job, host: tiny, ",
        "lifecycle: {depends_on: [one], restart: {initial_delay: 0}}}\n",
    ));
    let mut running = Running::start(&folder, &["run", "app"]);
    running.wait_for_error(
        "service app:two has failed and restarts in 0s, attempt 10 error=\"host `app:tiny` is at its limit",
    );
    running.signal("INT");
    // So many lines that the command waits until they are read.
    std::io::copy(&mut running.child.stderr.take().unwrap(), &mut std::io::sink()).unwrap();
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
}
