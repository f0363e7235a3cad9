//! How a process ends.

use expect_test::expect;

use super::*;

#[test]
fn the_first_result_is_the_result() {
    check(
        "return 1, 2",
        expect![[r#"
        => 1
    "#]],
    );
    check(
        "return",
        expect![[r#"
        => nil
    "#]],
    );
    check(
        "return false",
        expect![[r#"
        => false
    "#]],
    );
    check(
        "return { a = { 1, 2 } }, nil, 'third is ignored'",
        expect![[r#"
        => {"a": [1, 2]}
    "#]],
    );
    check(
        "return nil, 5",
        expect![[r#"
        => nil
    "#]],
    );
    check(
        "return select(2, 1, 2, 3, 4)",
        expect![[r#"
        => 2
    "#]],
    );
}

#[test]
fn text_or_an_error_object_as_second_result_is_a_failure() {
    check(
        "return false, 'why'",
        expect![[r#"
        !! ErrorKind::Internal: why
    "#]],
    );
    check(
        "return nil, errors.new{message = 'm', kind = errors.TIMEOUT, retryable = true, details = {n = 1}}",
        expect![[r#"
        !! ErrorKind::Timeout: m (retryable) {"n": 1}
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "local ok, err = process.send('nobody', 't') return ok, err",
        expect![[r#"
        !! ErrorKind::NotFound: process `nobody` not found
    "#]],
    );
}

#[test]
fn a_result_that_cannot_travel_is_invalid() {
    check(
        "return print",
        expect![[r#"
        !! ErrorKind::Invalid: result is a function
    "#]],
    );
    check(
        "return { a = { [3] = { print } } }",
        expect![[r#"
        !! ErrorKind::Invalid: result.a[3][1] is a function
    "#]],
    );
}

#[test]
fn an_uncaught_error_keeps_its_text_and_its_place() {
    check(
        "local t\nprint(t.x)",
        expect![[r#"
        !! ErrorKind::Internal: main.lua:2: attempt to index a nil value (local 't')
           main.lua:2: in function <main.lua:1>
    "#]],
    );
    check(
        "local function f() error('in f') end\nlocal function g() f() end\ng()",
        expect![[r#"
        !! ErrorKind::Internal: main.lua:1: in f
           [C]: in function 'error'
           main.lua:1: in upvalue 'f'
           main.lua:2: in local 'g'
           main.lua:3: in function <main.lua:1>
    "#]],
    );
    check(
        "error('no position', 0)",
        expect![[r#"
        !! ErrorKind::Internal: no position
           [C]: in function 'error'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "error()",
        expect![[r#"
        !! ErrorKind::Internal: nil
           [C]: in function 'error'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "error(42)",
        expect![[r#"
        !! ErrorKind::Internal: 42
           [C]: in function 'error'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
}

#[test]
fn other_uncaught_values_are_described() {
    check(
        "error({ code = 5, list = { 1 } })",
        expect![[r#"
        !! ErrorKind::Internal: table: 0x {"code": 5, "list": [1]}
           [C]: in function 'error'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "error(setmetatable({ code = 5 }, { __tostring = function() return 'described' end }))",
        expect![[r#"
        !! ErrorKind::Internal: described {"code": 5}
           [C]: in function 'error'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "error({ f = print })",
        expect![[r#"
        !! ErrorKind::Internal: table: 0x
           [C]: in function 'error'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "error(setmetatable({}, { __tostring = function() error('worse') end }))",
        expect![[r#"
        !! ErrorKind::Internal: error value is a table []
           [C]: in function 'error'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "error(true)",
        expect![[r#"
        !! ErrorKind::Internal: true
           [C]: in function 'error'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "error(5 * time.SECOND)",
        expect![[r#"
        !! ErrorKind::Internal: 5s
           [C]: in function 'error'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
}

#[test]
fn an_uncaught_error_object_keeps_everything() {
    check(
        "local function deep() return errors.new{message = 'm', kind = errors.NOT_FOUND, details = { id = 7 }} end
        local err = deep()
        error(err)",
        expect![[r#"
            !! ErrorKind::NotFound: m {"id": 7}
               main.lua:2: in function <main.lua:1>
        "#]],
    );
    check(
        "local _, err = process.monitor('nobody')\nerror(err)",
        expect![[r#"
        !! ErrorKind::NotFound: process `nobody` not found
           [C]: in function 'error'
           main.lua:2: in function <main.lua:1>
    "#]],
    );
}

#[test]
fn a_failed_coroutine_closes_what_is_to_be_closed() {
    check(
        "local x <close> = setmetatable({}, { __close = function(_, err) print('closed', err) end })
        error('e', 0)",
        expect![[r#"
            closed	e
            !! ErrorKind::Internal: e
               [C]: in function 'error'
               main.lua:2: in function <main.lua:1>
        "#]],
    );
    check(
        "coroutine.spawn(function()
          local x <close> = setmetatable({}, { __close = function() print(pcall(time.sleep, 1)) error('in close') end })
          error('first', 0)
        end)",
        expect![[r#"
            false	attempt to yield across a C-call boundary
            !! ErrorKind::Internal: first
               [C]: in function 'error'
               main.lua:3: in function <main.lua:1>
        "#]],
    );
}

#[test]
fn a_deadlock_is_found() {
    check(
        "channel.new():receive()",
        expect![[r#"
        !! ErrorKind::Internal: all coroutines blocked {"reason": "deadlock"}
           [C]: in method 'receive'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "channel.new():send(1)",
        expect![[r#"
        !! ErrorKind::Internal: all coroutines blocked {"reason": "deadlock"}
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "local a, b = channel.new(), channel.new()
        coroutine.spawn(function() a:receive() end) b:receive()",
        expect![[r#"
            !! ErrorKind::Internal: all coroutines blocked {"reason": "deadlock"}
               [C]: in method 'receive'
               main.lua:2: in function <main.lua:1>
        "#]],
    );
}

#[test]
fn waiting_for_the_outside_is_no_deadlock() {
    check(
        "process.inbox():receive()",
        expect![[r#"
        -- waits; unread 0 (0 bytes)
    "#]],
    );
    check(
        "process.events():receive()",
        expect![[r#"
        -- waits; unread 0 (0 bytes)
    "#]],
    );
    check(
        "process.listen('t'):receive()",
        expect![[r#"
        -- waits; unread 0 (0 bytes)
    "#]],
    );
    check(
        "channel.select{ channel.new():case_receive(), process.listen('t'):case_receive() }",
        expect![[r#"
        -- waits; unread 0 (0 bytes)
    "#]],
    );
    check(
        "coroutine.spawn(function() process.inbox():receive() end) channel.new():receive()",
        expect![[r#"
        -- waits; unread 0 (0 bytes)
    "#]],
    );
    check(
        "coroutine.wrap(function() process.inbox():receive() end)()",
        expect![[r#"
        -- waits; unread 0 (0 bytes)
    "#]],
    );
}

#[test]
fn a_source_that_closes_leaves_a_deadlock() {
    check(
        "local ch = process.listen('t')
        coroutine.spawn(function() print(ch:receive()) end)
        process.unlisten(ch) channel.new():receive()",
        expect![[r#"
            nil	false
            !! ErrorKind::Internal: all coroutines blocked {"reason": "deadlock"}
               [C]: in method 'receive'
               main.lua:3: in function <main.lua:1>
        "#]],
    );
    check(
        "local t = time.timer('1s') t:stop() t:channel():receive()",
        expect![[r#"
        !! ErrorKind::Internal: all coroutines blocked {"reason": "deadlock"}
           [C]: in method 'receive'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "local t = time.timer('1s') print(t:channel():receive()) t:channel():receive()",
        expect![[r#"
        2026-01-02T03:04:06Z	true
        !! ErrorKind::Internal: all coroutines blocked {"reason": "deadlock"}
           [C]: in method 'receive'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "time.ticker('1s') channel.new():receive()",
        expect![[r#"
        !! ErrorKind::Internal: all coroutines blocked {"reason": "deadlock"}
           [C]: in method 'receive'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "coroutine.spawn(function() time.sleep('1s') end) channel.new():receive()",
        expect![[r#"
        !! ErrorKind::Internal: all coroutines blocked {"reason": "deadlock"}
           [C]: in method 'receive'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "local t = time.timer('1h')
        coroutine.spawn(function() time.sleep(1) t:stop() end)
        channel.select{ t:channel():case_receive(), channel.new():case_receive() }",
        expect![[r#"
            !! ErrorKind::Internal: all coroutines blocked {"reason": "deadlock"}
               main.lua:3: in function <main.lua:1>
        "#]],
    );
    check(
        "local t = time.timer('1h') t:stop()
        coroutine.spawn(function() print('woken', (t:channel():receive())) end)
        t:reset('1s') channel.new():receive()",
        expect![[r#"
            woken	2026-01-02T03:04:06Z
            !! ErrorKind::Internal: all coroutines blocked {"reason": "deadlock"}
               [C]: in method 'receive'
               main.lua:3: in function <main.lua:1>
        "#]],
    );
}
