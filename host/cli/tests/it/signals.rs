//! The first signal asks, the second doesn't wait.

use expect_test::expect;

use crate::{Running, app, folder};

/// Ends when it is asked to, and says so.
const POLITE: &str = r#"return function(name)
    local events = process.events()
    print((name or "process") .. " is up")
    local event = events:receive()
    print((name or "process") .. " got", event.kind, event.from, event.deadline ~= nil)
    return 3
end
"#;

/// Waits for ever without being deadlocked, and never looks at its events.
const PATIENT: &str = "return function() print('up') process.listen('never'):receive() end";

#[test]
fn the_first_signal_asks_the_process_to_end() {
    let transcript = |signal| {
        let folder = folder(&[("file.lua", POLITE)]);
        let mut running = Running::start(&folder, &["run", "file.lua"]);
        assert_eq!(running.line(), "process is up");
        running.signal(signal);
        running.finish()
    };
    expect![[r#"
        exit code: 3
        --- stdout
        process got	pid.cancel	nil	true
        --- stderr
        stopping; a second interrupt stops at once
    "#]]
    .assert_eq(&transcript("INT"));
    assert_eq!(transcript("TERM"), transcript("INT"));
}

#[test]
fn the_second_signal_ends_at_once() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let folder = folder(&[("file.lua", PATIENT)]);
        let mut running = Running::start(&folder, &["run", "file.lua"]);
        assert_eq!(running.line(), "up");
        running.signal(signal);
        // Two signals of a kind that are pending together are one: the first must have been seen.
        running.wait_for_error("stopping");
        running.signal(signal);
        assert_eq!(running.finish(), format!("exit code: {code}\n"));
    }
}

#[test]
fn the_second_signal_ends_a_run_that_nobody_reads() {
    let text = "return function() print('up') while true do print(('x'):rep(1000)) end end";
    let folder = folder(&[("file.lua", text)]);
    let mut running = Running::start(&folder, &["run", "--limit", "cpu=1000h", "file.lua"]);
    assert_eq!(running.line(), "up");
    running.signal("INT");
    running.wait_for_error("stopping");
    running.signal("TERM");
    assert_eq!(running.child.wait().unwrap().code(), Some(143));
}

#[test]
fn services_stop_dependants_first() {
    let folder = app(concat!(
        "  - {name: job, kind: process.lua, source: 'file://polite.lua'}\n",
        "  - {name: processes, kind: process.host}\n",
        "  - {name: web, kind: process.service, process: job, host: processes, input: [web], ",
        "lifecycle: {depends_on: [store]}}\n",
        "  - {name: store, kind: process.service, process: job, host: processes, input: [store], ",
        "lifecycle: {depends_on: [disk]}}\n",
        "  - {name: disk, kind: process.service, process: job, host: processes, input: [disk]}\n",
    ));
    std::fs::write(folder.path().join("app/polite.lua"), POLITE).unwrap();
    let mut running = Running::start(&folder, &["run", "app"]);
    let mut up = [running.line(), running.line(), running.line()];
    up.sort();
    assert_eq!(up, ["disk is up", "store is up", "web is up"]);
    running.signal("TERM");
    expect![[r#"
        exit code: 0
        --- stdout
        web got	pid.cancel	nil	true
        store got	pid.cancel	nil	true
        disk got	pid.cancel	nil	true
        --- stderr
        stopping; a second interrupt stops at once
        <time> INFO  service app:web has ended pid={app:processes|0x00003}
        <time> INFO  service app:store has ended pid={app:processes|0x00002}
        <time> INFO  service app:disk has ended pid={app:processes|0x00001}
    "#]]
    .assert_eq(&running.finish());
}

#[test]
fn a_service_that_does_not_listen_is_terminated_after_its_timeout() {
    let folder = app(concat!(
        "  - {name: job, kind: process.lua, source: 'file://patient.lua'}\n",
        "  - {name: web, kind: process.service, process: job, host: 'app:processes', lifecycle: {stop_timeout: 20ms}}\n",
    ));
    std::fs::write(folder.path().join("app/patient.lua"), PATIENT).unwrap();
    let mut running = Running::start(&folder, &["run", "app"]);
    assert_eq!(running.line(), "up");
    running.signal("INT");
    expect![[r#"
        exit code: 0
        --- stderr
        stopping; a second interrupt stops at once
        <time> ERROR service app:web has failed pid={app:processes|0x00001} error="process terminated" kind=Canceled
    "#]]
    .assert_eq(&running.finish());
}

#[test]
fn a_service_that_fails_is_told_and_the_others_go_on() {
    let folder = app(concat!(
        "  - {name: bad, kind: process.lua, source: \"return function() error('broken', 0) end\"}\n",
        "  - {name: good, kind: process.lua, source: 'file://polite.lua'}\n",
        "  - {name: one, kind: process.service, process: bad, host: 'app:processes'}\n",
        "  - {name: two, kind: process.service, process: good, host: 'app:processes', input: [two]}\n",
    ));
    std::fs::write(folder.path().join("app/polite.lua"), POLITE).unwrap();
    let mut running = Running::start(&folder, &["run", "app"]);
    assert_eq!(running.line(), "two is up");
    running.wait_for_error("service app:one has failed");
    running.signal("INT");
    expect![[r#"
        exit code: 0
        --- stdout
        two got	pid.cancel	nil	true
        --- stderr
          error: broken (Internal)
           --> app/_index.yaml:4:44
            |
          4 |   - {name: bad, kind: process.lua, source: "return function() error('broken', 0) end"}
            |                                            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          stack traceback:
              app/_index.yaml:4: in function <app/_index.yaml:4>
        stopping; a second interrupt stops at once
        <time> INFO  service app:two has ended pid={app:processes|0x00002}
    "#]]
    .assert_eq(&running.finish());
}
