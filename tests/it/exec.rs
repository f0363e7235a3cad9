//! `process.exec`: a child that belongs to its caller, and its result as a value.

use expect_test::expect;
use lunarium_engine::{HostDefinition, HostId};
use lunarium_tests::{Lab, show_outcome};

use crate::check::{check_main, check_main_in, program};

#[test]
fn gives_the_childs_result() {
    check_main(
        r#"
        print(process.exec("app:gives", "app:processes", "text"))
        print(process.exec("app:gives", "app:processes"))
        print(process.exec("app:gives", "app:processes", false))
        print(process.exec("app:gives", "app:processes", { 1, 2, a = { b = 3.0 } }).a.b)
        print(process.exec("app:lists", "app:processes", nil, 2, nil).n)
-- entry: lists
return { main = function(...) return table.pack(...) end }
        "#,
        expect![[r#"
            text	nil
            nil	nil
            false	nil
            3.0
            3
            => nil
        "#]],
    );
}

#[test]
fn gives_the_childs_error() {
    check_main(
        r#"
        local function try(name, ...)
            local result, err = process.exec("app:" .. name, "app:processes", ...)
            local details = err:details()
            print(name, result, err, err:kind(), err:retryable(), details and (details.limit or details.code or details.reason))
        end
        try("fails")
        try("refuses")
        try("fails_well")
        try("blocks")
        try("hoards")
        try("broken")
        try("returns_nothing")
        try("gives_a_function")
        try("dies")
        local _, err = process.exec("app:fails_well", "app:processes")
        print(err:stack() ~= nil)
-- entry: refuses
return { main = function() return false, "why" end }
-- entry: fails_well
return { main = function()
    error(errors.new { message = "busy", kind = errors.UNAVAILABLE, retryable = true, details = { code = 7 } })
end }
-- entry: blocks
return { main = function() channel.new():receive() end }
-- entry: hoards
return { main = function() local t = {} while true do t[#t + 1] = ("x"):rep(100000) .. #t end end }
-- entry: broken
this is not Lua
-- entry: returns_nothing
local main = print
-- entry: gives_a_function
return { main = function() return print end }
-- entry: dies
return { main = function() process.terminate(process.pid()) end }
        "#,
        expect![[r#"
            fails	nil	boom	Internal	nil	nil
            refuses	nil	why	Internal	nil	nil
            fails_well	nil	busy	Unavailable	true	7
            blocks	nil	all coroutines blocked	Internal	false	deadlock
            hoards	nil	not enough memory	ResourceExhausted	false	memory
            broken	nil	broken.lua:1: syntax error near 'is'	Invalid	false	nil
            returns_nothing	nil	the chunk returned nil, not a function or a table of functions	Invalid	false	nothing_to_run
            gives_a_function	nil	result is a function	Invalid	false	nil
            dies	nil	process terminated	Canceled	false	nil
            true
            => nil
        "#]],
    );
}

#[test]
fn a_refusal_comes_at_once_and_starts_nothing() {
    let lab = Lab::default();
    lab.node.add_host(HostDefinition::new(HostId::new("app:full")).with_max_processes(0)).unwrap();
    let stopped = HostId::new("app:stopped");
    lab.node.add_host(HostDefinition::new(stopped.clone()).with_max_processes(9)).unwrap();
    lab.node.stop_host(&stopped).unwrap();
    check_main_in(
        &lab,
        r#"
        print(kind(process.exec("app:nobody", "app:processes")))
        print(kind(process.exec("app:gives", "app:nowhere")))
        print(kind(process.exec("app:gives", "app:full")))
        print(kind(process.exec("app:gives", "app:stopped")))
        print(kind(process.exec("app:gives", "app:processes", ("x"):rep(2 ^ 20))))
        print(kind(process.exec("app:gives", "app:processes", print)))
        print(kind(process.exec("app:gives")))
        print(kind(process.exec()))
        print(raised(process.exec, "app:gives", {}))
        assert(spawn("waits") == "{app:processes|0x00002}", "a pid was used up")
        "#,
        expect![[r#"
            nil	NotFound
            nil	NotFound
            nil	ResourceExhausted
            nil	Unavailable
            nil	Invalid
            nil	Invalid
            nil	Invalid
            nil	Invalid
            bad argument #2 to 'process.exec' (string expected, got table)
            => nil
        "#]],
    );
}

#[test]
fn the_child_is_on_the_callers_chain() {
    check_main(
        r#"
        print(process.id(), process.exec("app:who", "app:processes"))
        print(process.exec("app:relays", "app:processes"))
-- entry: who
return { main = function() return process.id() .. " " .. process.pid() end }
-- entry: relays
return { main = function() return process.exec("app:who", "app:processes") end }
        "#,
        expect![[r#"
            app:main#00001	app:who#00001 {app:processes|0x00002}	nil
            app:who#00001 {app:processes|0x00004}	nil
            => nil
        "#]],
    );
}

#[test]
fn only_the_calling_coroutine_waits() {
    check_main(
        r#"
        local results, done = channel.new(10), 0
        for i = 1, 3 do
            coroutine.spawn(function()
                results:send(i .. ": " .. process.exec("app:waits_for", "app:processes", i))
            end)
        end
        for i = 3, 1, -1 do
            while not process.registry.lookup("w" .. i) do time.sleep("1ms") end
            process.send("w" .. i, "go", "result " .. i)
            print(results:receive())
        end
-- entry: waits_for
return { main = function(i)
    process.registry.register("w" .. i)
    return (process.inbox():receive():payload())
end }
        "#,
        expect![[r#"
            3: result 3	true
            2: result 2	true
            1: result 1	true
            => nil
        "#]],
    );
}

#[test]
fn works_wherever_lua_can_yield_and_nowhere_else() {
    check_main(
        r#"
        local function call(...) return (process.exec("app:gives", "app:processes", ...)) end
        print(pcall(call, 1))
        print(coroutine.wrap(function() return call(2) end)())
        for v in function(_, last) return not last and call(3) or nil end do print(v) end
        print(setmetatable({}, { __index = function(_, key) return call(key) end })[4])
        do local closing <close> = setmetatable({}, { __close = function() print(call(5)) end }) end
        print(raised(table.sort, { 2, 1 }, function() call(6) end))
        print(raised(string.gsub, "x", "x", function() call(7) end))
        print(raised(tostring, setmetatable({}, { __tostring = function() return call(8) end })))
        assert(spawn("waits") == "{app:processes|0x00007}", "something was started")
        "#,
        expect![[r#"
            true	1
            2
            3
            4
            5
            attempt to yield across a C-call boundary
            attempt to yield across a C-call boundary
            attempt to yield across a C-call boundary
            => nil
        "#]],
    );
}

#[test]
fn when_the_caller_ends_the_child_is_terminated() {
    check_main(
        r#"
        for _, how in ipairs { "returns", "raises", "is killed" } do
            local caller = spawn("calls", how)
            local inbox = process.inbox()
            local child = inbox:receive():payload()
            assert(process.monitor(child))
            if how == "is killed" then process.terminate(caller) else process.send(caller, "end") end
            local event = process.events():receive()
            print(how, event.from == child, event.error, event.error:kind())
        end
-- entry: calls
return { main = function(how)
    coroutine.spawn(process.exec, "app:child", "app:processes", "{app:processes|0x00001}")
    process.inbox():receive()
    if how == "raises" then error("boom") end
end }
-- entry: child
return { main = function(reader)
    process.send(reader, "pid", process.pid())
    while true do pcall(time.sleep, "1h") end
end }
        "#,
        expect![[r#"
            returns	true	process terminated	Canceled
            raises	true	process terminated	Canceled
            is killed	true	process terminated	Canceled
            => nil
        "#]],
    );
}

#[test]
fn a_chain_of_callees_ends_with_its_root() {
    check_main(
        r#"
        local root = spawn("nests", 20, process.pid())
        local inbox, pids = process.inbox(), {}
        for i = 1, 20 do
            pids[i] = inbox:receive():payload()
            assert(process.monitor(pids[i]))
        end
        process.terminate(root)
        for _ = 1, 20 do
            local event = process.events():receive()
            assert(tostring(event.error) == "process terminated", event.error)
        end
        for i = 1, 20 do assert(not process.send(pids[i], "anybody")) end
        print("all gone")
-- entry: nests
return { main = function(left, reader)
    process.send(reader, "pid", process.pid())
    if left > 1 then return process.exec("app:nests", "app:processes", left - 1, reader) end
    time.sleep("1h")
end }
        "#,
        expect![[r#"
            all gone
            => nil
        "#]],
    );
}

#[test]
fn a_result_comes_back_through_a_chain() {
    check_main(
        r#"
        print(process.exec("app:counts", "app:processes", 30))
        print(kind(process.exec("app:counts", "app:processes", 5, "deep")))
-- entry: counts
return { main = function(left, why)
    if left == 0 then return why and error(errors.new { message = why, kind = errors.CONFLICT }) or 0 end
    local below, err = process.exec("app:counts", "app:processes", left - 1, why)
    if not below then return nil, err end
    return below + 1
end }
        "#,
        expect![[r#"
            30	nil
            nil	Conflict
            => nil
        "#]],
    );
}

#[test]
fn a_child_terminated_by_others_is_an_error() {
    check_main(
        r#"
        coroutine.spawn(function() print("exec", kind(process.exec("app:registers", "app:processes"))) end)
        while not process.registry.lookup("child") do time.sleep("1ms") end
        process.terminate("child")
        time.sleep("1ms")
-- entry: registers
return { main = function() process.registry.register("child") time.sleep("1h") end }
        "#,
        expect![[r#"
            exec	nil	Canceled
            => nil
        "#]],
    );
}

#[test]
fn the_caller_learns_nothing_else_of_the_child() {
    check_main(
        r#"
        local events, inbox = process.events(), process.inbox()
        process.set_options { trap_links = true }
        print(process.exec("app:fails", "app:processes"))
        print(channel.select { events:case_receive(), inbox:case_receive(), default = true }.default)
        "#,
        expect![[r#"
            nil	boom
            true
            => nil
        "#]],
    );
}

#[test]
fn requests_under_way_are_limited() {
    check_main(
        r#"
        local refused
        for i = 1, 1001 do
            coroutine.spawn(function()
                local result, err = process.exec("app:waits", "app:processes")
                if err then refused = err end
            end)
        end
        print(refused, refused:kind())
        "#,
        expect![[r#"
            process has 1000 requests under way, the limit is 1000	ResourceExhausted
            => nil
        "#]],
    );
}

#[test]
fn who_never_takes_its_replies_is_ended() {
    check_main(
        r#"
        for _ = 1, 20 do coroutine.spawn(process.exec, "app:large", "app:processes") end
        while true do end
-- entry: large
return { main = function() return ("x"):rep(2 ^ 20 - 10) end }
        "#,
        expect![[r#"
            failed ResourceExhausted: mailbox_bytes limit reached by unread events {"limit" = "mailbox_bytes"}
        "#]],
    );
}

#[test]
fn large_results_come_one_by_one() {
    check_main(
        r#"
        local results = channel.new(20)
        for i = 1, 10 do
            coroutine.spawn(function() results:send(#process.exec("app:large", "app:processes", i)) end)
        end
        local sum = 0
        for _ = 1, 10 do sum = sum + results:receive() end
        print(sum)
-- entry: large
return { main = function(i) return ("x"):rep(1000000 + i) end }
        "#,
        expect![[r#"
            10000055
            => nil
        "#]],
    );
}

#[test]
fn a_storm_of_kills_leaves_nothing_behind() {
    let lab = Lab::default();
    lab.define(&program(
        r#"
        -- Again and again: kills that are meant for others would leave the last main with none.
        for _ = 1, 20 do
            coroutine.spawn(function() while true do process.exec("app:nests", "app:processes", 3) end end)
        end
        time.sleep("1h")
-- entry: nests
return { main = function(left)
    if left == 0 then return process.pid() end
    while true do
        process.exec("app:nests", "app:processes", left - 1)
        if left == 1 then time.sleep("1ms") end
    end
end }
        "#,
    ));
    let mains: Vec<_> = (0..10).map(|_| lab.spawn("main", Vec::new())).collect();
    for main in mains {
        while lab.node.process_count() < 30 && main.outcome().is_none() {
            std::thread::yield_now();
        }
        for pid in lab.node.pids().iter().step_by(3) {
            // It may have ended with its caller.
            let _ = lab.node.terminate(pid);
        }
        let _ = lab.node.terminate(main.pid());
        assert_eq!(show_outcome(&main.wait_blocking()), "failed Canceled: process terminated");
    }
    lab.settle();
    assert_eq!((lab.node.process_count(), lab.node.instance_count()), (0, 0));
}
