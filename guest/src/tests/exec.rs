//! `process.exec`, and waiting for replies.

use expect_test::{Expect, expect};

use super::Case;
use crate::host::{ErrorKind, Event, Failure, Outcome, Reply};

/// Runs the body of a `main`; executed children end like this, then never.
fn check(callees: Vec<Outcome>, body: &str, expect: Expect) {
    let case = Case::body(body);
    case.host.callees.borrow_mut().extend(callees);
    case.check(expect);
}

fn completed(payload: &[u8]) -> Outcome {
    Outcome::Completed(payload.to_vec())
}

fn failed(failure: Failure) -> Outcome {
    Outcome::Failed(failure)
}

fn boom() -> Failure {
    Failure { kind: ErrorKind::Timeout, message: "boom".to_owned(), retryable: Some(false), details: None, stack: None }
}

#[test]
fn gives_the_childs_result() {
    check(
        vec![completed(b"\x05"), completed(b"\xc0"), completed(b"\xc2"), completed(b"\x92\x01\x02")],
        r#"
        print(process.exec("app:child", "app:processes", 1, nil, { a = "b" }))
        print(process.exec("app:child", "app:processes"))
        print(process.exec("app:child", "app:processes"))
        local pair = process.exec("app:child", "app:processes")
        return #pair
        "#,
        expect![[r#"
            -- exec app:child app:processes [1, nil, {"a": "b"}]
            5	nil
            -- exec app:child app:processes []
            nil	nil
            -- exec app:child app:processes []
            false	nil
            -- exec app:child app:processes []
            => 2
        "#]],
    );
}

#[test]
fn gives_the_childs_error() {
    let full = Failure {
        retryable: Some(true),
        details: Some(b"\x81\xa5limit\xa3cpu".to_vec()),
        stack: Some("stack traceback:".to_owned()),
        ..boom()
    };
    check(
        vec![failed(full), failed(boom())],
        r#"
        local result, err = process.exec("app:child", "app:processes")
        print(result, err, err:kind(), err:retryable(), err:details().limit, err:stack())
        local result, err = process.exec("app:child", "app:processes")
        print(result, err, err:kind(), err:retryable(), err:details(), err:stack())
        "#,
        expect![[r#"
            -- exec app:child app:processes []
            nil	boom	Timeout	true	cpu	stack traceback:
            -- exec app:child app:processes []
            nil	boom	Timeout	false	nil	nil
            => nil
        "#]],
    );
}

#[test]
fn a_refusal_comes_at_once() {
    check(
        vec![],
        r#"
        local result, err = process.exec("app:nobody", "app:processes")
        print(result, err, err:kind())
        for _, arguments in ipairs { {}, { "app:child" }, { "\xff", "h" }, { "app:child", "h", print } } do
            local result, err = process.exec(table.unpack(arguments))
            print(result, err, err:kind())
        end
        print(pcall(process.exec, {}, "h"))
        print(pcall(process.exec, "app:child", print))
        "#,
        expect![[r#"
            nil	entry `app:nobody` not found	NotFound
            nil	process id is missing	Invalid
            nil	host is missing	Invalid
            nil	process id is not valid UTF-8	Invalid
            nil	arguments[1] is a function	Invalid
            false	bad argument #1 to 'process.exec' (string expected, got table)
            false	bad argument #2 to 'process.exec' (string expected, got function)
            => nil
        "#]],
    );
}

#[test]
fn only_the_calling_coroutine_waits() {
    check(
        vec![completed(b"\xa5first"), completed(b"\xa6second")],
        r#"
        local done = channel.new()
        for i = 1, 2 do
            coroutine.spawn(function() done:send(i .. process.exec("app:child", "h")) end)
            print("goes on", i)
        end
        print(done:receive(), done:receive())
        "#,
        expect![[r#"
            -- exec app:child h []
            goes on	1
            -- exec app:child h []
            goes on	2
            1first	2second	true
            => nil
        "#]],
    );
}

#[test]
fn works_wherever_lua_can_yield() {
    check(
        vec![completed(b"\x01"), completed(b"\x02"), completed(b"\x03"), completed(b"\x04")],
        r#"
        print(pcall(process.exec, "app:child", "h"))
        print(coroutine.wrap(function() return process.exec("app:child", "h") end)())
        for value in function(_, last) if not last then return process.exec("app:child", "h") end end do print(value) end
        local object = setmetatable({}, { __add = function() return (process.exec("app:child", "h")) end })
        print(object + 1)
        "#,
        expect![[r#"
            -- exec app:child h []
            true	1	nil
            -- exec app:child h []
            2	nil
            -- exec app:child h []
            3
            -- exec app:child h []
            4
            => nil
        "#]],
    );
}

#[test]
fn starts_nothing_where_one_can_not_wait() {
    check(
        vec![],
        r#"
        local function try() print(pcall(process.exec, "app:child", "h")) end
        table.sort({ 2, 1 }, function(a, b) try() return a < b end)
        string.gsub("x", "x", try)
        "#,
        expect![[r#"
            false	attempt to yield across a C-call boundary
            false	attempt to yield across a C-call boundary
            => nil
        "#]],
    );
}

#[test]
fn a_wait_for_a_reply_is_no_deadlock() {
    check(
        vec![],
        r#"process.exec("app:child", "h")"#,
        expect![[r#"
        -- exec app:child h []
        -- waits; unread 0 (0 bytes)
    "#]],
    );
}

#[test]
fn a_reply_nobody_waits_for_is_dropped() {
    let reply = |request| Event::Reply(Reply { request, outcome: completed(b"\x01") });
    Case::body(r#"time.sleep("1ms") return "goes on""#)
        .event(reply(1))
        .event(reply(u64::MAX))
        .event(Event::Reply(Reply { request: 3, outcome: failed(boom()) }))
        .check(expect![[r#"
            => "goes on"
        "#]]);
}

#[test]
fn a_reply_without_memory_to_read_it_is_an_error() {
    // A text in a list: one by itself needs no reading.
    let mut payload = vec![0x91, 0xc6, 0, 0x20, 0, 0];
    payload.resize(6 + (2 << 20), b'x');
    let case = Case::body(
        r#"
        print(pcall(process.exec, "app:child", "h"))
        collectgarbage()
        return "goes on"
        "#,
    )
    .with(|program| program.limits.memory = 3 << 20);
    case.host.callees.borrow_mut().push_back(completed(&payload));
    case.check(expect![[r#"
        -- exec app:child h []
        true	nil	payload needs at least 2097221 bytes of memory: too little is left of the process's 3145728
        => "goes on"
    "#]]);
}

#[test]
fn a_text_takes_its_size_once() {
    let mut payload = vec![0xc6, 0, 0x20, 0, 0];
    payload.resize(5 + (2 << 20), b'x');
    let case = Case::body("return #process.exec('app:child', 'h')").with(|program| program.limits.memory = 3 << 20);
    case.host.callees.borrow_mut().push_back(completed(&payload));
    case.check(expect![[r#"
        -- exec app:child h []
        => 2097152
    "#]]);
}
