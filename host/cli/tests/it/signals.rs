//! The first signal asks, the second doesn't wait. Of services: see `services`.

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

/// Prints more than a pipe holds, waits for its end, and says so.
const LOUD: &str = "return function()
    print('up')
    for _ = 1, 100 do print(('x'):rep(1000)) end
    process.events():receive()
    print('bye')
    return 3
end";

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
fn the_first_signal_ends_a_run_of_which_only_unread_output_is_left() {
    let text = "return function() print('up') for _ = 1, 100 do print(('x'):rep(1000)) end end";
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let folder = folder(&[("file.lua", text)]);
        let mut running = Running::start(&folder, &["run", "file.lua"]);
        assert_eq!(running.line(), "up");
        running.signal(signal);
        assert_eq!(running.child.wait().unwrap().code(), Some(code));
    }
}

#[test]
fn the_first_signal_ends_services_whose_output_nobody_reads() {
    let folder = app(concat!(
        "  - {name: loud, kind: process.lua, source: 'file://loud.lua'}\n",
        "  - {name: the_loud, kind: process.service, process: loud, host: 'app:processes'}\n",
    ));
    std::fs::write(folder.path().join("app/loud.lua"), LOUD).unwrap();
    let mut running = Running::start(&folder, &["run", "app"]);
    running.wait_for_error("service app:the_loud has started");
    running.signal("TERM");
    running.wait_for_error("service app:the_loud has stopped");
    assert_eq!(running.child.wait().unwrap().code(), Some(143));
}

#[test]
fn the_first_signal_reaches_who_waits_to_print_what_nobody_reads() {
    // Far more than the queue and the pipe hold together.
    let text = "return function()
        local events = process.events()
        print('up')
        for _ = 1, 5000 do print(('x'):rep(1000)) end
        logger:info('heard ' .. events:receive().kind)
        return 3
    end";
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let folder = folder(&[("file.lua", text)]);
        let mut running = Running::start(&folder, &["run", "file.lua"]);
        assert_eq!(running.line(), "up");
        running.signal(signal);
        running.wait_for_error("standard output is not read: what is printed from now on is lost");
        running.wait_for_error("heard pid.cancel");
        assert_eq!(running.child.wait().unwrap().code(), Some(code));
    }
}

#[test]
fn who_reads_after_a_signal_gets_everything() {
    let folder = folder(&[("file.lua", LOUD)]);
    let mut running = Running::start(&folder, &["run", "file.lua"]);
    assert_eq!(running.line(), "up");
    running.signal("TERM");
    running.wait_for_error("stopping");
    for _ in 0..100 {
        assert_eq!(running.line().len(), 1000);
    }
    expect![[r#"
        exit code: 3
        --- stdout
        bye
    "#]]
    .assert_eq(&running.finish());
}
