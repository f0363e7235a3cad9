//! `process.upgrade`: what runs no more, and what is given back.

use expect_test::{Expect, expect};

use super::{Case, PEER};
use crate::host::{Cancel, Ended, ErrorKind, Event, Failure, Outcome};

fn check(body: &str, expect: Expect) {
    super::check(body, expect);
}

/// Messages that wait when the process starts: a string and a number from each sender.
fn with_messages(body: &str) -> Case {
    Case::body(body)
        .message(Some(PEER), "a", b"\xa3one")
        .message(None, "b", b"\x02")
        .message(Some(PEER), "c", b"\x93\x01\x02\x03")
        .message(Some(PEER), "a", b"\x04")
        .message(Some(PEER), "b", b"\xa4five")
}

#[test]
fn notes_entry_and_arguments_and_does_not_return() {
    check(
        r#"process.upgrade("app:next", 1, { a = "b" }, nil) print("never")"#,
        expect![[r#"
        -- upgrade app:next [1, {"a": "b"}, nil]
        -- gives back
    "#]],
    );
    check(
        r#"process.upgrade(nil, "state") print("never")"#,
        expect![[r#"
        -- upgrade itself ["state"]
        -- gives back
    "#]],
    );
    check(
        "process.upgrade()",
        expect![[r#"
        -- upgrade itself []
        -- gives back
    "#]],
    );
}

#[test]
fn a_refusal_changes_nothing() {
    check(
        r#"
        for _, arguments in ipairs { { "app:nobody" }, { "\xff" }, { "app:next", print }, { nil, ("x"):rep(2 ^ 21) } } do
            local result, err = process.upgrade(table.unpack(arguments, 1, 2))
            print(result, err, err:kind())
        end
        print(pcall(process.upgrade, {}))
        return "goes on"
        "#,
        expect![[r#"
            nil	entry `app:nobody` not found	NotFound
            nil	process id is not valid UTF-8	Invalid
            nil	arguments[1] is a function	Invalid
            nil	arguments exceed the message limit of 1048576 bytes	Invalid
            false	bad argument #1 to 'process.upgrade' (string expected, got table)
            => "goes on"
        "#]],
    );
}

#[test]
fn nothing_of_the_script_runs_any_more() {
    check(
        r#"
        coroutine.spawn(function()
            local closing <close> = setmetatable({}, { __close = function() print("closed") end })
            time.sleep(0)
            print("another coroutine")
        end)
        setmetatable({}, { __gc = function() print("collected") end })
        local closing <close> = setmetatable({}, { __close = function() print("closed") end })
        print(pcall(function()
            coroutine.wrap(function()
                local ok = pcall(process.upgrade, "app:next")
                print("never", ok)
            end)()
        end))
        print("never")
        "#,
        expect![[r#"
            -- upgrade app:next []
            -- gives back
        "#]],
    );
}

#[test]
fn nothing_runs_beneath_a_callback_either() {
    check(
        r#"
        print(pcall(table.sort, { 2, 1, 3 }, function(a, b)
            coroutine.spawn(function() process.upgrade("app:next") print("never") end)
            print("never")
            return a < b
        end))
        print("never")
        "#,
        expect![[r#"
            -- upgrade app:next []
            -- gives back
        "#]],
    );
}

#[test]
fn where_one_can_not_wait_nothing_is_noted() {
    check(
        r#"
        table.sort({ 2, 1 }, function(a, b) print(pcall(process.upgrade, "app:next")) return a < b end)
        print(pcall(string.gsub, "x", "x", function() process.upgrade() end))
        "#,
        expect![[r#"
            false	attempt to yield across a C-call boundary
            false	attempt to yield across a C-call boundary
            => nil
        "#]],
    );
}

#[test]
fn whatever_was_not_received_is_given_back_in_order() {
    with_messages(r#"time.sleep("1ms") process.upgrade()"#).check(expect![[r#"
        -- upgrade itself []
        -- gives back
        message {app:processes|0x00002} a "one"
        message nobody b 2
        message {app:processes|0x00002} c [1, 2, 3]
        message {app:processes|0x00002} a 4
        message {app:processes|0x00002} b "five"
    "#]]);
    with_messages(
        r#"
        local a, b, inbox = process.listen("a"), process.listen("b"), process.inbox()
        time.sleep("1ms")
        process.upgrade()
        "#,
    )
    .check(expect![[r#"
        -- upgrade itself []
        -- gives back
        message {app:processes|0x00002} a "one"
        message nobody b 2
        message {app:processes|0x00002} c [1, 2, 3]
        message {app:processes|0x00002} a 4
        message {app:processes|0x00002} b "five"
    "#]]);
    with_messages(
        r#"
        local a, b = process.listen("a"), process.listen("b", { message = true })
        time.sleep("1ms")
        print(a:receive(), b:receive():payload())
        process.unlisten(a)
        process.unlisten(b)
        process.upgrade()
        "#,
    )
    .check(expect![[r#"
        one	2
        -- upgrade itself []
        -- gives back
        message {app:processes|0x00002} c [1, 2, 3]
        message {app:processes|0x00002} a 4
        message {app:processes|0x00002} b "five"
    "#]]);
}

#[test]
fn what_waits_in_unlistened_channels_is_found_however_many_there_are() {
    check(
        r#"
        local closed = {}
        for i = 1, 100 do
            local ch = process.listen("t")
            process.send(process.pid(), "t", i)
            process.send(process.pid(), "t", -i)
            time.sleep("1ms")
            process.unlisten(ch)
            closed[i] = ch
        end
        for i, ch in ipairs(closed) do
            assert(ch:receive() == i)
            if i ~= 50 then assert(ch:receive() == -i) end
        end
        process.upgrade()
        "#,
        expect![[r#"
            -- upgrade itself []
            -- gives back
            message {app:processes|0x00001} t -50
        "#]],
    );
}

#[test]
fn what_was_handed_to_a_coroutine_that_has_not_run_is_given_back() {
    with_messages(
        r#"
        local a, b, c = process.listen("a"), process.listen("b"), process.listen("c", { message = true })
        coroutine.spawn(function() print("received", a:receive()) process.upgrade() end)
        coroutine.spawn(function() print("never", b:receive()) end)
        coroutine.spawn(function() print("never", c:receive()) end)
        time.sleep("1h")
        "#,
    )
    .check(expect![[r#"
        received	one	true
        -- upgrade itself []
        -- gives back
        message nobody b 2
        message {app:processes|0x00002} c [1, 2, 3]
        message {app:processes|0x00002} a 4
        message {app:processes|0x00002} b "five"
    "#]]);
    with_messages(
        r#"
        local a, b, c = process.listen("a"), process.listen("b"), process.listen("c")
        coroutine.spawn(function() a:receive() process.upgrade() end)
        print("never", channel.select { b:case_receive(), c:case_receive() })
        "#,
    )
    .check(expect![[r#"
        -- upgrade itself []
        -- gives back
        message nobody b 2
        message {app:processes|0x00002} c [1, 2, 3]
        message {app:processes|0x00002} a 4
        message {app:processes|0x00002} b "five"
    "#]]);
}

#[test]
fn long_texts_are_given_back_though_only_lua_has_them() {
    let text = "x".repeat(5_000);
    let payload = [&[0xda, 0x13, 0x88], text.as_bytes()].concat();
    let printed = Case::body(
        r#"
        local a, b = process.listen("a"), process.listen("b")
        coroutine.spawn(function() a:receive() process.upgrade() end)
        coroutine.spawn(function() print("never", b:receive()) end)
        time.sleep("1h")
        "#,
    )
    .message(Some(PEER), "a", b"\x01")
    .message(Some(PEER), "b", &payload)
    .message(Some(PEER), "a", &payload)
    .run();
    let left = format!("message {PEER} b \"{text}\"\nmessage {PEER} a \"{text}\"\n");
    assert_eq!(printed, format!("-- upgrade itself []\n-- gives back\n{left}"));
}

#[test]
fn events_are_given_back_as_they_came() {
    let failure = Failure {
        kind: ErrorKind::Timeout,
        message: "late".to_owned(),
        retryable: Some(true),
        details: Some(b"\x81\xa1a\x93\x01\xcb\x40\x00\x00\x00\x00\x00\x00\x00\xa1b".to_vec()),
        stack: Some("stack traceback:\n\tx.lua:1".to_owned()),
    };
    let bare = Failure { retryable: None, details: None, stack: None, ..failure.clone() };
    let ended = |outcome| Ended { sender: PEER.to_owned(), at: 12.5, outcome };
    let events = || {
        vec![
            Event::Exit(ended(Outcome::Completed(b"\xa6result".to_vec()))),
            Event::Cancel(Cancel { sender: Some(PEER.to_owned()), at: 1.25, deadline: Some(7) }),
            Event::LinkDown(ended(Outcome::Failed(failure.clone()))),
            Event::Cancel(Cancel { sender: None, at: 1.5, deadline: None }),
            Event::Exit(ended(Outcome::Failed(bare.clone()))),
            Event::Cancel(Cancel { sender: Some(PEER.to_owned()), at: 9.0, deadline: None }),
        ]
    };
    let body = r#"time.sleep("1ms") process.upgrade()"#;
    let case = events().into_iter().fold(with_messages(body), Case::event);
    case.check(expect![[r#"
        -- upgrade itself []
        -- gives back
        message {app:processes|0x00002} a "one"
        message nobody b 2
        message {app:processes|0x00002} c [1, 2, 3]
        message {app:processes|0x00002} a 4
        message {app:processes|0x00002} b "five"
        exit {app:processes|0x00002} 12.5 => "result"
        cancel {app:processes|0x00002} 9 None
        link-down {app:processes|0x00002} 12.5 !! ErrorKind::Timeout: late (retryable) {"a": [1, 2.0, "b"]}
           x.lua:1
        cancel nobody 1.5 None
        exit {app:processes|0x00002} 12.5 !! ErrorKind::Timeout: late
    "#]]);
    let body = r#"
        coroutine.spawn(function() time.sleep("1ms") process.upgrade() end)
        print(process.events():receive().result)
        time.sleep("1h")
    "#;
    events().into_iter().fold(Case::body(body), Case::event).check(expect![[r#"
        result
        -- upgrade itself []
        -- gives back
        cancel {app:processes|0x00002} 9 None
        link-down {app:processes|0x00002} 12.5 !! ErrorKind::Timeout: late (retryable) {"a": [1, 2.0, "b"]}
           x.lua:1
        cancel nobody 1.5 None
        exit {app:processes|0x00002} 12.5 !! ErrorKind::Timeout: late
    "#]]);
}

#[test]
fn much_is_given_back_at_the_memory_limit() {
    let body = r#"
        time.sleep("1ms")
        local hoard = {}
        pcall(function() while true do hoard[#hoard + 1] = ("x"):rep(1000) .. #hoard end end)
        process.upgrade()
    "#;
    let mut case = Case::body(body).with(|program| program.limits.memory = 4 << 20);
    for i in 0..1000 {
        let text = format!("{i:04}");
        case = case.message(Some(PEER), "t", &[b"\xa4", text.as_bytes()].concat());
    }
    let given_back = case.run();
    let numbers: Vec<&str> = given_back.lines().filter_map(|line| line.strip_prefix("message ")).collect();
    let expected: Vec<String> = (0..1000).map(|i| format!("{PEER} t \"{i:04}\"")).collect();
    assert!(numbers == expected, "{} messages, the first {:?}", numbers.len(), numbers.first());
}
