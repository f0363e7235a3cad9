//! `process.call`: functions of another process, their results and errors, and what becomes of a call whose process ends.

use expect_test::expect;
use futures_lite::future::{block_on as block, poll_once};
use lunarium_engine::{ErrorKind, Value};
use lunarium_tests::Lab;

use crate::check::{check, check_main};

#[test]
fn a_call_gives_what_the_function_returns() {
    check_main(
        r#"
        local calc = process.spawn("app:calc", "app:processes")
        print(process.call(calc, "add", 2, 3))
        print(process.call("calc", "add", 0.5, 3))
        print(process.call(calc, "nothing"))
        print(select('#', process.call(calc, "three", nil, 1, nil)))
        print(process.call(calc, "three", nil, 1, nil))
        local t = process.call(calc, "first", { a = { 1, 2 } }, "x")
        print(t.a[2])
        local shared = {}
        local pair = { shared, shared }
        local back, again = process.call(calc, "three", pair, pair)
        print(back[1] == back[2], again[1] == back[1])
        print(process.call(process.pid(), "own", "me"))
-- entry: calc
process.registry.register("calc")
return {
    add = function(a, b) return a + b end,
    nothing = function() end,
    three = function(...) return ... end,
    first = function(value) return value end,
}
        "#,
        expect![[r#"
            5
            3.5

            3
            nil	1	nil
            2
            true	true
            nil	no function `own` to call: there is none
            => nil
        "#]],
    );
}

#[test]
fn an_error_is_the_callers_and_the_process_goes_on() {
    check_main(
        r#"
        local calc = process.spawn("app:calc", "app:processes")
        local function try(...)
            local value, err = process.call(...)
            local details = err and err:details()
            print(value, err and (err:message():gsub("0x%x+", "N")), err and err:kind(), err and err:retryable(), details and (details.code or details.limit))
            return err
        end
        local err = try(calc, "fail")
        print(err:stack())
        try(calc, "fail_well")
        try(calc, "fail_with_table")
        try(calc, "gives_a_function")
        try(calc, "too_much")
        try(calc, "hoards")
        try(calc, "recurses")
        try(calc, "nosuch")
        try(calc, "main")
        try(calc, "")
        try(calc, ("m"):rep(300))
        try(calc)
        try("nobody", "m")
        try("{app:processes|0x09999}", "m")
        try(calc, "fine", print)
        try(calc, "fine", ("x"):rep(2000000))
        print(pcall(process.call, calc, {}))
        print(process.call(calc, "fine"))
-- entry: calc
return {
    main = function() process.inbox():receive() end,
    fail = function() error("no luck") end,
    fail_well = function()
        error(errors.new { message = "busy", kind = errors.UNAVAILABLE, retryable = true, details = { code = 7 } })
    end,
    fail_with_table = function() error({ code = 8 }) end,
    gives_a_function = function() return print end,
    too_much = function() return ("x"):rep(2000000) end,
    hoards = function() local t = {} while true do t[#t + 1] = ("x"):rep(1000) .. #t end end,
    recurses = function() local function f() return 1 + f() end return f() end,
    fine = function() return "fine" end,
}
        "#,
        expect![[r#"
            nil	calc.lua:3: no luck	Internal	nil	nil
            stack traceback:
            	[C]: in function 'error'
            	calc.lua:3: in function <calc.lua:3>
            nil	busy	Unavailable	true	7
            nil	table: N	Internal	nil	8
            nil	results[1] is a function	Invalid	false	nil
            nil	results exceed the message limit of 1048576 bytes	Invalid	false	nil
            nil	not enough memory	ResourceExhausted	false	memory
            nil	calc.lua:11: stack overflow	Internal	nil	nil
            nil	no function `nosuch` to call: there are `fail`, `fail_well`, `fail_with_table`, `fine`, `gives_a_function`, `hoards`, `recurses`, `too_much`	NotFound	false	nil
            nil	`main` is what the process runs, and can't be called: there are `fail`, `fail_well`, `fail_with_table`, `fine`, `gives_a_function`, `hoards`, `recurses`, `too_much`	NotFound	false	nil
            nil	method of 0 bytes is not 1 to 255 bytes long	Invalid	false	nil
            nil	method of 300 bytes exceeds the limit of 255	Invalid	false	nil
            nil	method is missing	Invalid	false	nil
            nil	name `nobody` not found	NotFound	false	nil
            nil	process {app:processes|N} not found	NotFound	false	nil
            nil	arguments[1] is a function	Invalid	false	nil
            nil	arguments exceed the message limit of 1048576 bytes	Invalid	false	nil
            false	bad argument #2 to 'process.call' (string expected, got table)
            fine
            => nil
        "#]],
    );
}

/// Such a call would wait until the chunk has returned, and that for the call.
#[test]
fn a_chunk_does_not_wait_for_itself() {
    check(
        r#"
        local function try() print(process.call(process.pid(), "one")) end
        try()
        return { main = try, one = function() return 1 end }
        "#,
        expect![[r#"
            nil	the chunk calls its own process: such a call would wait until the chunk has returned
            1
            => nil
        "#]],
    );
}

#[test]
fn calls_run_beside_each_other_and_beside_main() {
    check_main(
        r#"
        local slow = process.spawn("app:slow", "app:processes")
        local done = channel.new(10)
        for _, name in ipairs { "a", "b", "c" } do
            coroutine.spawn(function()
                print(process.call(slow, "wait_for", name))
                done:send(name)
            end)
        end
        time.sleep("5ms")
        for _, name in ipairs { "c", "a", "b" } do
            print("release", name, process.call(slow, "release", name))
            done:receive()
        end
        process.send(slow, "end")
        print(process.call(slow, "release", "x"))
-- entry: slow
local channels = {}
return {
    main = function() process.listen("end"):receive() end,
    wait_for = function(name)
        channels[name] = channel.new()
        local value = channels[name]:receive()
        return name, value
    end,
    release = function(name) channels[name]:send("released") return true end,
}
        "#,
        expect![[r#"
            release	c	true
            c	released
            release	a	true
            a	released
            release	b	true
            b	released
            nil	process `{app:processes|0x00002}` has ended
            => nil
        "#]],
    );
}

#[test]
fn without_main_a_process_serves_until_it_is_ended() {
    check_main(
        r#"
        process.set_options { trap_links = true }
        local counter = process.spawn_monitored("app:counter", "app:processes")
        for _ = 1, 3 do process.call(counter, "up") end
        print(process.call(counter, "up"))
        local events = process.events()
        process.cancel(counter, "10s")
        print(events:receive().result.value)
        print(process.call(counter, "up"))
        for _, name in ipairs { "empty", "no_function", "named" } do
            process.spawn_monitored("app:" .. name, "app:processes")
            print(events:receive().result.error)
        end
-- entry: counter
local n = 0
return { up = function() n = n + 1 return n end }
-- entry: empty
return {}
-- entry: no_function
return { main = 1, other = "x" }
-- entry: named
error("first")
        "#,
        expect![[r#"
            4
            nil
            nil	process {app:processes|0x00002} not found
            the chunk returned no function `main`: its table has nothing by a name
            the chunk returned no function `main`: its table has `main` (a number), `other` (a string)
            named.lua:1: first
            => nil
        "#]],
    );
}

#[test]
fn who_waits_for_a_process_that_ends_is_told() {
    check_main(
        r#"
        local function ask(how)
            local callee = process.spawn("app:callee", "app:processes", how)
            coroutine.spawn(function()
                time.sleep("5ms")
                if how == "killed" then process.terminate(callee) else process.send(callee, "go") end
            end)
            local value, err = process.call(callee, "hang")
            local details = err:details()
            local cause = details and details.error
            print(value, err:kind(), err:retryable(), (err:message():gsub("0x%x+", "N")), cause and cause:kind(), cause)
        end
        ask("returns")
        ask("fails")
        ask("killed")
        ask("upgrades")
-- entry: callee
return {
    main = function(how)
        process.listen("go"):receive()
        if how == "fails" then error("broken") end
        if how == "upgrades" then process.upgrade() end
    end,
    hang = function() channel.new():receive() end,
}
        "#,
        expect![[r#"
            nil	Canceled	false	process `{app:processes|N}` has ended	nil	nil
            nil	Canceled	false	process `{app:processes|N}` has ended: callee.lua:4: broken	Internal	callee.lua:4: broken
            nil	Canceled	false	process `{app:processes|N}` has ended: process terminated	Canceled	process terminated
            nil	Canceled	true	process `{app:processes|N}` goes on as another program	nil	nil
            => nil
        "#]],
    );
}

#[test]
fn a_wait_can_have_a_limit() {
    check_main(
        r#"
        local callee = process.spawn("app:callee", "app:processes")
        local brief = process.with_timeout("5ms")
        for _ = 1, 1200 do
            local _, err = process.with_timeout("1ns"):call(callee, "hang")
            assert(err:kind() == errors.TIMEOUT, err)
        end
        local value, err = brief:call(callee, "hang")
        print(value, err, err:kind(), err:retryable())
        print(process.with_timeout(time.SECOND * 30):call(callee, "fine", 1))
        print(pcall(process.with_timeout))
        print(pcall(process.with_timeout, "soon"))
        print(pcall(brief.call, {}, callee, "fine"))
        print(process.call(callee, "fine", 2))
-- entry: callee
return {
    hang = function() channel.new():receive() end,
    fine = function(...) return "fine", ... end,
}
        "#,
        expect![[r#"
            nil	no answer within 5ms	Timeout	true
            fine	1
            false	duration is missing
            false	`soon` is not a duration
            false	bad argument #1 to 'call' (bounded expected, got table)
            fine	2
            => nil
        "#]],
    );
}

#[test]
fn a_call_waits_until_the_chunk_has_returned() {
    check_main(
        r#"
        local late = process.spawn("app:late", "app:processes")
        local done = channel.new(2)
        for i = 1, 2 do coroutine.spawn(function() done:send(process.call(late, "twice", i)) end) end
        time.sleep("2ms")
        process.send(late, "go")
        print(done:receive() + done:receive())
        local gone = process.spawn("app:gone", "app:processes")
        print((select(2, process.call(gone, "twice", 1))):kind())
-- entry: late
process.listen("go"):receive()
return { twice = function(n) return 2 * n end }
-- entry: gone
time.sleep("2ms")
error("never")
        "#,
        expect![[r#"
            6
            Canceled
            => nil
        "#]],
    );
}

#[test]
fn calls_have_a_limit_and_one_caller_half_of_it() {
    check_main(
        r#"
        local callee = process.spawn("app:callee", "app:processes")
        local refused = {}
        local function ask(count)
            for _ = 1, count do
                coroutine.spawn(function()
                    local _, err = process.call(callee, "hang")
                    local text = err:kind() .. " " .. err:message()
                    refused[text] = (refused[text] or 0) + 1
                end)
            end
        end
        ask(600)
        local other = process.spawn("app:other", "app:processes", callee)
        print(process.call(other, "ask", 100))
        for text, count in pairs(refused) do print(count, text) end
-- entry: other
local callee
return {
    main = function(pid) callee = pid process.inbox():receive() end,
    ask = function() return process.call(callee, "fine") end,
}
-- entry: callee
return { hang = function() channel.new():receive() end, fine = function() return "fine" end }
        "#,
        expect![[r#"
            fine
            100	RateLimited process has 500 calls of this caller under way, which is the limit
            => nil
        "#]],
    );
}

#[test]
fn an_embedder_calls_a_process() {
    let lab = Lab::default();
    lab.define(
        r#"
        local greeted = 0
        process.registry.register("greeter")
        return {
            greet = function(name) greeted = greeted + 1 return "hello, " .. name, greeted end,
            fail = function() error(errors.new { message = "no", kind = errors.CONFLICT }) end,
            hang = function() channel.new():receive() end,
        }
        "#,
    );
    let handle = lab.spawn("main", Vec::new());
    let greeted = block(handle.call("greet", &[Value::from("Ada")]));
    assert_eq!(greeted, Ok(vec![Value::from("hello, Ada"), Value::Integer(1)]));
    assert!(block(handle.started()));
    let greeted = block(lab.node.call("greeter", "greet", &[Value::from("Bob")]));
    assert_eq!(greeted, Ok(vec![Value::from("hello, Bob"), Value::Integer(2)]));
    let refused = block(handle.call("fail", &[])).unwrap_err();
    assert_eq!((refused.kind(), refused.to_string()), (ErrorKind::Conflict, "no".to_owned()));
    let refused = block(handle.call("nosuch", &[])).unwrap_err();
    assert_eq!(refused.to_string(), "no function `nosuch` to call: there are `fail`, `greet`, `hang`");
    // Nobody waits any more, so nothing counts.
    for _ in 0..1_200 {
        drop(block(poll_once(std::pin::pin!(handle.call("hang", &[])))));
    }
    let waits = handle.call("hang", &[]);
    lab.node.terminate(handle.pid()).unwrap();
    let refused = block(waits).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    block(handle.wait());
    let refused = block(handle.call("greet", &[])).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
}
