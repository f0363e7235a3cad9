//! How a process ends: by what `main` returns, by an error anywhere, by force.

use expect_test::expect;
use lunarium_tests::Lab;

use crate::check::{check, check_main};

/// Runs `main` with this body and shows only how it ended.
fn ends(body: &str, expect: expect_test::Expect) {
    check(&format!("return {{ main = function() {body} end }}"), expect);
}

#[test]
fn the_first_value_is_the_result() {
    ends("", expect![["=> nil\n"]]);
    ends("return", expect![["=> nil\n"]]);
    ends("return 5", expect![["=> 5\n"]]);
    ends("return 5.0", expect![["=> 5.0\n"]]);
    ends("return 'text'", expect![["=> \"text\"\n"]]);
    ends("return { a = { 1, 2 } }", expect![["=> {\"a\" = {1, 2}}\n"]]);
    ends("return 1, 2, 3", expect![["=> 1\n"]]);
    ends("return 1, nil, 'third'", expect![["=> 1\n"]]);
}

#[test]
fn false_alone_is_a_normal_end() {
    ends("return false", expect![["=> false\n"]]);
    ends("return false, nil", expect![["=> false\n"]]);
    ends("return false, false", expect![["=> false\n"]]);
    ends("return false, 5", expect![["=> false\n"]]);
    ends("return nil, {}", expect![["=> nil\n"]]);
}

#[test]
fn a_second_value_that_is_text_or_an_error_makes_it_abnormal() {
    ends("return false, 'why'", expect![["failed Internal: why\n"]]);
    ends("return nil, 'why'", expect![["failed Internal: why\n"]]);
    ends("return 5, 'why'", expect![["failed Internal: why\n"]]);
    ends("return nil, errors.new('why')", expect![["failed : why\n"]]);
    ends("return nil, errors.new { message = 'why', kind = errors.CONFLICT }", expect![["failed Conflict: why\n"]]);
    ends(
        "return nil, errors.new { message = 'why', kind = errors.TIMEOUT, details = { after = 5 } }",
        expect![["failed Timeout: why {\"after\" = 5}\n"]],
    );
    ends("return process.registry.lookup('x')", expect![["failed NotFound: name `x` not found\n"]]);
}

#[test]
fn an_error_that_leaves_main_is_abnormal() {
    ends("error('boom')", expect![["failed Internal: main.lua:1: boom\n"]]);
    ends("error('boom', 0)", expect![["failed Internal: boom\n"]]);
    ends("local x = nil .. 'x'", expect![["failed Internal: main.lua:1: attempt to concatenate a nil value\n"]]);
    ends("time.sleep(1) error('later', 0)", expect![["failed Internal: later\n"]]);
}

#[test]
fn an_error_object_keeps_its_kind_and_details() {
    ends("error(errors.new { message = 'gone', kind = errors.NOT_FOUND })", expect![["failed NotFound: gone\n"]]);
    ends("error(errors.new('plain'))", expect![["failed : plain\n"]]);
    ends(
        "error(errors.new { message = 'busy', kind = errors.UNAVAILABLE, retryable = true, details = { n = 1 } })",
        expect![["failed Unavailable: busy {\"n\" = 1}\n"]],
    );
    ends(
        "error(errors.wrap(errors.new { message = 'm', kind = errors.TIMEOUT }, 'outer'))",
        expect![["failed Timeout: outer: m\n"]],
    );
}

#[test]
fn another_uncaught_value_is_its_tostring_with_tables_as_details() {
    ends("error(42)", expect![["failed Internal: 42\n"]]);
    ends("error(true)", expect![["failed Internal: true\n"]]);
    ends("error(nil)", expect![["failed Internal: nil\n"]]);
    ends("error(time.SECOND)", expect![["failed Internal: 1s\n"]]);
    ends(
        "error(setmetatable({ code = 7 }, { __tostring = function(e) return 'code ' .. e.code end }))",
        expect![["failed Internal: code 7 {\"code\" = 7}\n"]],
    );
    ends(
        "error(setmetatable({ print }, { __tostring = function() return 'does not travel' end }))",
        expect![["failed Internal: does not travel\n"]],
    );
}

#[test]
fn an_error_in_any_spawned_coroutine_ends_the_process_at_once() {
    check_main(
        r#"
        coroutine.spawn(function()
            time.sleep("1ms")
            error("in a coroutine")
        end)
        time.sleep("1h")
        "#,
        expect![[r#"
            failed Internal: main.lua:4: in a coroutine
        "#]],
    );
    check_main(
        r#"
        print(pcall(coroutine.spawn, function() error("before the first wait", 0) end))
        print("never")
        "#,
        expect![[r#"
            failed Internal: before the first wait
        "#]],
    );
    check_main(
        r#"
        local co = coroutine.wrap(function()
            pcall(function()
                coroutine.spawn(function() coroutine.spawn(function() error(errors.new { message = "deep", kind = "Timeout" }) end) end)
            end)
            print("never")
        end)
        pcall(co)
        print("never")
        "#,
        expect![[r#"
            failed Timeout: deep
        "#]],
    );
}

#[test]
fn a_coroutine_that_returns_ends_only_itself() {
    check_main(
        r#"
        coroutine.spawn(function() return false, "ignored" end)
        coroutine.spawn(function() time.sleep("1ms") return print end)
        time.sleep("20ms")
        return "well"
        "#,
        expect![[r#"
            => "well"
        "#]],
    );
}

#[test]
fn when_main_returns_its_other_coroutines_end_with_it() {
    check_main(
        r#"
        coroutine.spawn(function() time.sleep("1h") print("never") end)
        coroutine.spawn(function() process.inbox():receive() print("never") end)
        coroutine.spawn(function() while true do time.sleep(0) end end)
        time.sleep("5ms")
        return "main"
        "#,
        expect![[r#"
            => "main"
        "#]],
    );
}

#[test]
fn a_result_that_cannot_travel_is_invalid() {
    ends("return print", expect![["failed Invalid: result is a function\n"]]);
    ends("return { list = { 1, channel.new() } }", expect![["failed Invalid: result.list[2] is a channel\n"]]);
    ends("return coroutine.create(print)", expect![["failed Invalid: result is a coroutine\n"]]);
}

#[test]
fn the_watcher_gets_the_result_as_it_was() {
    check_main(
        r#"
        local function result(...) return exit_of("gives", ...).result.value end
        print(result(), result(1), result(1.0), result("x"), result(false), result(nil))
        print(result({ a = { b = 1 } }).a.b, result(time.SECOND), result(errors.new("an error as a value")))
        "#,
        expect![[r#"
            nil	1	1.0	x	false	nil
            1	1s	an error as a value
            => nil
        "#]],
    );
}

#[test]
fn the_watcher_gets_the_error_as_it_was() {
    check_main(
        r#"
        local err = exit_of("child").error
        print(err, err:kind(), err:message(), err:retryable(), err:details().n, type(err:stack()))
        err = exit_of("fails", "text").error
        print(err, err:kind(), err:retryable(), err:details(), type(err:stack()))
-- entry: child
return { main = function()
    error(errors.new { message = "busy", kind = errors.UNAVAILABLE, retryable = true, details = { n = 1 } })
end }
        "#,
        expect![[r#"
            busy	Unavailable	busy	true	1	string
            text	Internal	nil	nil	string
            => nil
        "#]],
    );
}

#[test]
fn an_uncaught_error_carries_a_traceback() {
    check_main(
        r#"
        local err = exit_of("child").error
        print(err)
        print(err:stack():find("child.lua:3", 1, true) ~= nil, err:stack():find("child.lua:4", 1, true) ~= nil)
-- entry: child

return { main = function()
    local function inner() error("boom") end
    inner()
    return nil
end }
        "#,
        expect![[r#"
            child.lua:3: boom
            true	true
            => nil
        "#]],
    );
}

#[test]
fn close_and_gc_do_not_run_on_a_forced_end() {
    check_main(
        r#"
        local pid = process.spawn_monitored("app:holds", "app:processes")
        process.inbox():receive()
        process.send(pid, "show")
        print(process.inbox():receive():payload())
        process.terminate(pid)
        print(process.events():receive().error)
        time.sleep("5ms")
-- entry: holds
return { main = function()
    local parent = "{app:processes|0x00001}"
    local function never() print("ran") end
    local c <close> = setmetatable({}, { __close = never, __gc = never })
    local inbox = process.inbox()
    process.send(parent, "ready")
    inbox:receive()
    process.send(parent, "t", "holding")
    inbox:receive()
end }
        "#,
        expect![[r#"
            holding
            process terminated
            => nil
        "#]],
    );
}

#[test]
fn close_runs_when_an_error_leaves_main() {
    check_main(
        r#"
        local c <close> = setmetatable({}, { __close = function(_, err) print("closed", err) end })
        error("boom", 0)
        "#,
        expect![[r#"
            closed	boom
            failed Internal: boom
        "#]],
    );
}

#[test]
fn a_process_in_which_nothing_can_wake_a_coroutine_ends() {
    for body in [
        "channel.new():receive()",
        "channel.new():send(1)",
        "channel.select {}",
        "local ch = channel.new() channel.select { ch:case_send(1), ch:case_receive() }",
        "local ch = channel.new(1) ch:send(1) ch:send(2)",
        "local a, b = channel.new(), channel.new() \
         coroutine.spawn(function() a:receive() b:send(1) end) b:receive() a:send(1)",
        "coroutine.wrap(function() channel.new():receive() end)()",
        "pcall(function() channel.new():receive() end)",
        "local t = time.timer('1h') t:stop() t:channel():receive()",
        "local ch = process.listen('t') process.unlisten(ch) channel.new():receive()",
        "process.listen('t') process.inbox() process.events() channel.new():receive()",
        "local a = time.after(0) a:receive() time.timer('1h'):stop() channel.new():receive()",
    ] {
        ends(body, expect![["failed Internal: all coroutines blocked {\"reason\" = \"deadlock\"}\n"]]);
    }
}

#[test]
fn a_process_that_something_can_still_wake_goes_on() {
    check_main(
        r#"
        local function go(wait)
            local done = channel.new()
            coroutine.spawn(function() wait() done:send("done") end)
            return (done:receive())
        end
        local me = process.pid()
        print(go(function() time.sleep("5ms") end))
        print(go(function() time.after("5ms"):receive() end))
        print(go(function() time.timer("5ms"):channel():receive() end))
        print(go(function() time.ticker("5ms"):channel():receive() end))
        spawn("later", me, "t")
        print(go(function() process.listen("t"):receive() end))
        spawn("later", me, "for the inbox")
        print(go(function() channel.select { channel.new():case_receive(), process.inbox():case_receive() } end))
        process.spawn_monitored("app:later", "app:processes", me, "t")
        print(go(function() process.events():receive() end))
-- entry: later
return { main = function(to, topic) time.sleep("5ms") process.send(to, topic) end }
        "#,
        expect![[r#"
            done
            done
            done
            done
            done
            done
            done
            => nil
        "#]],
    );
}

#[test]
fn nothing_of_the_script_runs_after_a_forced_end() {
    let never = "local never = { __close = function() print('closed') end, __gc = function() print('collected') end } \
        local c <close>, g = setmetatable({}, never), setmetatable({}, never)";
    for (body, expected) in [
        ("process.terminate(process.pid())", expect![["failed Canceled: process terminated\n"]]),
        ("process.cancel(process.pid(), 1) time.sleep('1h')", expect![["failed Canceled: process terminated\n"]]),
        ("channel.new():receive()", expect![["failed Internal: all coroutines blocked {\"reason\" = \"deadlock\"}\n"]]),
        ("coroutine.spawn(error, 'elsewhere', 0)", expect![["failed Internal: elsewhere\n"]]),
        (
            "process.spawn_linked('app:fails', 'app:processes') time.sleep('1h')",
            expect![["failed Internal: linked process failed: {app:processes|0x00002}: boom\n"]],
        ),
    ] {
        check_main(&format!("{never} {body} time.sleep('1h')"), expected);
    }
    check_main(
        &format!(
            "coroutine.spawn(function() {never} time.sleep('1h') end) coroutine.wrap(function() {never} coroutine.yield() end)() \
             return 'main'"
        ),
        expect![["=> \"main\"\n"]],
    );
}

#[test]
fn a_failure_that_nobody_watches_leaves_a_line() {
    let lab = Lab::default();
    lab.define(
        r#"
return { main = function()
    for _, how in ipairs { "fails", "returns", "ends" } do
        process.spawn("app:child", "app:processes", how)
        process.spawn_monitored("app:child", "app:processes", how)
    end
    process.exec("app:child", "app:processes", "fails")
    process.terminate(process.spawn("app:waits", "app:processes"))
    time.sleep("1h")
end }
-- entry: child
return { main = function(how)
    if how == "fails" then error("broken") end
    if how == "returns" then return false, "why" end
end }
-- entry: waits
return { main = function() process.inbox():receive() end }
        "#,
    );
    let main = lab.spawn("main", Vec::new());
    let mut lines = Vec::new();
    while lines.len() < 2 || lab.node.process_count() > 1 {
        lines.extend(lab.logged());
        std::thread::yield_now();
    }
    lines.extend(lab.logged());
    lines.sort();
    expect![[r#"
        Warn app:child#00001 failed, and nobody watches: child.lua:2: broken (Internal) [("stack", "stack traceback:\n\t[C]: in function 'error'\n\tchild.lua:2: in function <child.lua:1>")]
        Warn app:child#00001 failed, and nobody watches: why (Internal) []
    "#]]
    .assert_eq(&(lines.join("\n") + "\n"));
    lab.node.terminate(main.pid()).unwrap();
}
