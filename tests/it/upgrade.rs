//! `process.upgrade`: the process starts over as another program, and keeps who it is and what it hasn't read.

use expect_test::expect;
use lunarium_engine::{Chunk, Definition, EntryId, Grants, HostId, Limits, LimitsOverride, SpawnRequest, Value};
use lunarium_tests::{Lab, show_outcome};

use crate::check::{check_main, check_main_in, program};

mod kept;

#[test]
fn goes_on_as_the_other_entry_with_the_arguments() {
    check_main(
        r#"
        local pid = process.pid()
        print(process.pid(), process.id())
        process.upgrade("app:next", 1, nil, { a = { "b" } })
        print("never")
-- entry: next
return { main = function(...)
    print(process.pid(), process.id(), select('#', ...), (...), (select(3, ...)).a[1])
    return "done"
end }
        "#,
        expect![[r#"
            {app:processes|0x00001}	app:main#00001
            {app:processes|0x00001}	app:next#00001	3	1	b
            => "done"
        "#]],
    );
}

#[test]
fn nil_is_the_same_entry_in_its_newest_definition() {
    let lab = Lab::default();
    lab.define("-- entry: grows\nreturn function() process.inbox():receive() process.upgrade(nil, 'state') end");
    let handle = lab.spawn("grows", Vec::new());
    while lab.node.waiting_count() == 0 {
        std::thread::yield_now();
    }
    lab.define("-- entry: grows\nreturn function(state) return 'new with ' .. state end");
    lab.node.send(handle.pid().as_str(), "go", &Value::Nil).unwrap();
    assert_eq!(show_outcome(&handle.wait_blocking()), r#"=> "new with state""#);
    assert_eq!(show_outcome(&lab.spawn("grows", vec![Value::from("x")]).wait_blocking()), r#"=> "new with x""#);
}

#[test]
fn a_refusal_changes_nothing() {
    check_main(
        r#"
        process.set_options { trap_links = true }
        print(kind(process.upgrade("app:nobody")))
        print(kind(process.upgrade("app:gives", print)))
        print(kind(process.upgrade("app:gives", ("x"):rep(2 ^ 20))))
        print(raised(process.upgrade, {}))
        print(raised(table.sort, { 2, 1 }, function() process.upgrade("app:gives") end))
        print(process.get_options().trap_links, process.id())
        return "goes on"
        "#,
        expect![[r#"
            nil	NotFound
            nil	Invalid
            nil	Invalid
            bad argument #1 to 'process.upgrade' (string expected, got table)
            attempt to yield across a C-call boundary
            true	app:main#00001
            => "goes on"
        "#]],
    );
}

#[test]
fn a_definition_that_does_not_start_ends_the_process() {
    check_main(
        r#"
        for _, entry in ipairs { "app:broken", "app:raises", "app:no_main" } do
            local event = exit_of("becomes", entry)
            print(event.error, event.error:kind())
        end
-- entry: becomes
return { main = function(entry) process.upgrade(entry) end }
-- entry: broken
this is not Lua
-- entry: raises
error("boom")
-- entry: no_main
return {}
        "#,
        expect![[r#"
            broken.lua:1: syntax error near 'is'	Invalid
            raises.lua:1: boom	Invalid
            the chunk returned no function `main`: its table has nothing by a name	Invalid
            => nil
        "#]],
    );
}

#[test]
fn unread_messages_of_every_kind_are_kept_in_order() {
    check_main(
        r#"
        local a, b, gone = process.listen("a"), process.listen("b", { message = true }), process.listen("gone")
        for i = 1, 3 do
            for _, topic in ipairs { "a", "b", "gone", "nobody", "read" } do
                process.send(process.pid(), topic, topic .. i)
            end
        end
        local read = process.listen("read")
        for i = 1, 3 do assert(read:receive() == "read" .. i) end
        process.unlisten(gone)
        process.send(process.pid(), "late", { 1, 2.5, "x" })
        process.upgrade("app:reads")
-- entry: reads
return { main = function()
    local inbox, me = process.inbox(), process.pid()
    for _ = 1, 12 do
        local message = inbox:receive()
        assert(message:from() == me and message:topic() == message:payload():match("%a+"))
        print(message:payload())
    end
    local late = inbox:receive():payload()
    print(late[1], late[2], late[3])
    print(channel.select { inbox:case_receive(), default = true }.default)
end }
        "#,
        expect![[r#"
            a1
            b1
            gone1
            nobody1
            a2
            b2
            gone2
            nobody2
            a3
            b3
            gone3
            nobody3
            1	2.5	x
            true
            => nil
        "#]],
    );
}

#[test]
fn unread_events_are_kept() {
    check_main(
        r#"
        process.set_options { trap_links = true }
        assert(process.spawn_monitored("app:gives", "app:processes", { answer = 42 }))
        local failing = process.spawn_linked_monitored("app:fails_well", "app:processes")
        while process.send(failing, "t") do time.sleep("1ms") end
        process.cancel(process.pid(), "1h")
        time.sleep("5ms")
        process.upgrade("app:reads", process.pid())
-- entry: fails_well
return { main = function()
    error(errors.new { message = "busy", kind = errors.UNAVAILABLE, retryable = true, details = { code = 7 } })
end }
-- entry: reads
return { main = function(me)
    local events, seen = process.events(), {}
    for _ = 1, 4 do
        local event = events:receive()
        local result, err = event.result, event.error
        if err then
            table.insert(seen, event.kind .. ": " .. err:message() .. " " .. err:kind() .. " " .. err:details().code
                .. " " .. tostring(err:retryable()) .. " " .. tostring(err:stack() ~= nil))
        elseif result then
            table.insert(seen, event.kind .. ": " .. result.value.answer)
        else
            table.insert(seen, event.kind .. ": " .. tostring(event.from == me) .. " " .. tostring(event.deadline ~= nil))
        end
    end
    table.sort(seen)
    print(table.concat(seen, "\n"))
end }
        "#,
        expect![[r#"
            pid.cancel: true true
            pid.exit: 42
            pid.exit: busy Unavailable 7 true true
            pid.link.down: busy Unavailable 7 true true
            => nil
        "#]],
    );
}

#[test]
fn names_monitors_links_and_context_are_kept_and_options_are_not() {
    check_main(
        r#"
        process.registry.register("watcher")
        local pid = process.with_context({ tenant = "acme" }):with_name("named"):spawn("app:first", "app:processes")
        assert(process.monitor(pid))
        assert(process.link(pid))
        process.set_options { trap_links = true }
        process.send("named", "go")
        print(process.inbox():receive():payload())
        print(process.registry.lookup("named") == pid)
        process.send("named", "fail")
        local exit, down = process.events():receive(), process.events():receive()
        print(exit.kind, exit.from == pid, exit.error, down.kind, down.from == pid)
        print(process.registry.lookup("named"))
-- entry: first
return { main = function()
    process.set_options { trap_links = true }
    process.spawn_monitored("app:waits", "app:processes")
    process.inbox():receive()
    process.upgrade("app:second")
end }
-- entry: second
return { main = function()
    local text = tostring(process.get_options().trap_links) .. " " .. ctx.get("tenant")
    process.send("watcher", "t", text)
    process.inbox():receive()
    error("failed anew", 0)
end }
        "#,
        expect![[r#"
            false acme
            true
            pid.exit	true	failed anew	pid.link.down	true
            nil	name `named` not found
            => nil
        "#]],
    );
}

#[test]
fn a_monitor_it_held_tells_the_new_incarnation() {
    check_main(
        r#"
        local child = process.spawn_monitored("app:waits", "app:processes")
        process.upgrade("app:second", child)
-- entry: second
return { main = function(child)
    process.send(child, "go", "result")
    local event = process.events():receive()
    print(event.kind, event.from == child, event.result)
end }
        "#,
        expect![[r#"
            pid.exit	true	result
            => nil
        "#]],
    );
}

#[test]
fn coroutines_timers_and_calls_of_the_old_incarnation_are_gone() {
    check_main(
        r#"
        local old = process.listen("old")
        coroutine.spawn(function() old:receive() print("never") end)
        coroutine.spawn(function() time.sleep("1h") print("never") end)
        coroutine.spawn(function()
            local closing <close> = setmetatable({}, { __close = function() print("never") end })
            process.exec("app:registers", "app:processes")
            print("never")
        end)
        while not process.registry.lookup("callee") do time.sleep("1us") end
        process.upgrade("app:next")
-- entry: registers
return { main = function() process.registry.register("callee") time.sleep("1h") end }
-- entry: next
return { main = function()
    -- The callee's end is a consequence, which has its own turn.
    while process.registry.lookup("callee") do time.sleep("1us") end
    process.send(process.pid(), "old", "to the new one")
    print(process.inbox():receive():payload())
    print(process.exec("app:gives", "app:processes", "mine"))
end }
        "#,
        expect![[r#"
            to the new one
            mine	nil
            => nil
        "#]],
    );
}

#[test]
fn a_callee_that_upgrades_still_answers_its_caller() {
    check_main(
        r#"
        print(process.exec("app:first", "app:processes"))
-- entry: first
return { main = function() process.upgrade("app:second", "result") end }
-- entry: second
return { main = function(value) return value end }
        "#,
        expect![[r#"
            result	nil
            => nil
        "#]],
    );
}

#[test]
fn no_message_is_lost_while_a_process_upgrades_under_load() {
    check_main(
        r#"
        process.registry.register("main")
        local target = spawn("target", 50)
        for i = 1, 4 do spawn("sends", target, i, 500) end
        print(process.inbox():receive():payload())
-- entry: sends
return { main = function(target, me, count)
    for i = 1, count do
        while true do
            local ok, err = process.send(target, "from" .. me % 3, { me, i })
            if ok then break end
            assert(err:retryable(), err)
            time.sleep("1ms")
        end
        if i % 7 == 0 then time.sleep("100us") end
    end
end }
-- entry: target
return { main = function(upgrades, seen)
    seen = seen or { 0, 0, 0, 0 }
    local inbox = process.inbox()
    local listening = upgrades % 2 == 0 and process.listen("from1") or inbox
    -- Some wait in coroutines of their own: what these were handed and didn't get to is kept too.
    local got = channel.new()
    local function read(ch)
        while true do
            local message = ch:receive()
            local pair = ch == inbox and message:payload() or message
            if pair[2] ~= seen[pair[1]] + 1 then error(pair[2] .. " after " .. seen[pair[1]], 0) end
            seen[pair[1]] = pair[2]
            got:send(true)
        end
    end
    coroutine.spawn(read, inbox)
    if listening ~= inbox then coroutine.spawn(read, listening) end
    local count = 0
    while true do
        got:receive()
        count = count + 1
        local all = seen[1] + seen[2] + seen[3] + seen[4]
        if all == 2000 then
            process.send("main", "done", "all, with " .. upgrades .. " upgrades left")
            return
        end
        if upgrades > 0 and count >= 20 then process.upgrade(nil, upgrades - 1, seen) end
    end
end }
        "#,
        expect![[r#"
            all, with 0 upgrades left
            => nil
        "#]],
    );
}

#[test]
fn a_handed_message_is_kept_when_another_coroutine_upgrades_first() {
    check_main(
        r#"
        local a, b = process.listen("a"), process.listen("b")
        coroutine.spawn(function()
            a:receive()
            -- The report of what is unread leaves out what the other one was handed.
            process.send(process.pid(), "c", "later")
            process.upgrade("app:reads")
        end)
        coroutine.spawn(function() b:receive() print("never") end)
        process.send(process.pid(), "a", 1)
        process.send(process.pid(), "b", "handed")
        time.sleep("1h")
-- entry: reads
return { main = function()
    local inbox = process.inbox()
    print(inbox:receive():payload(), inbox:receive():payload())
end }
        "#,
        expect![[r#"
            handed	later
            => nil
        "#]],
    );
}

#[test]
fn the_new_limits_hold_and_what_is_held_beyond_them_stays() {
    let lab = Lab::default();
    let few = LimitsOverride { mailbox_messages: Some(2), memory: Some(4 << 20), ..LimitsOverride::default() };
    lab.define(
        r#"
        return function()
            for i = 1, 5 do process.send(process.pid(), "t", i) end
            process.upgrade("app:small")
        end
        "#,
    );
    let source = r#"
        return function()
            local _, err = process.send(process.pid(), "t", 6)
            local inbox, sum = process.inbox(), 0
            for _ = 1, 5 do sum = sum + inbox:receive():payload() end
            assert(process.send(process.pid(), "t", 7))
            local ok, memory = pcall(string.rep, "x", 8 * 2 ^ 20)
            return { sum, err:kind(), memory }
        end
    "#;
    let small = Definition::new(EntryId::new("app:small"), Chunk::new("@small.lua", source));
    lab.node.define(small.with_limits(few));
    let outcome = lab.spawn("main", Vec::new()).wait_blocking();
    expect![[r#"=> {15, "RateLimited", "not enough memory"}"#]].assert_eq(&show_outcome(&outcome));
}

#[test]
fn the_limits_of_who_started_it_hold_for_all_incarnations() {
    let lab = Lab::default();
    lab.define(
        "return function() process.upgrade('app:next') end\n-- entry: next\nreturn function() while true do end end",
    );
    let limits = LimitsOverride { cpu: Some(std::time::Duration::from_millis(50)), ..LimitsOverride::default() };
    let (entry, host) = (EntryId::new("app:main"), HostId::new(lunarium_tests::HOST));
    let request = SpawnRequest::new(entry, host).with_limits(limits);
    let outcome = lab.node.spawn(request).unwrap().wait_blocking();
    expect![[r#"failed ResourceExhausted: cpu limit of 50ms reached without waiting {"limit" = "cpu"}"#]]
        .assert_eq(&show_outcome(&outcome));
}

#[test]
fn one_that_upgrades_for_ever_lets_others_run_and_can_be_killed() {
    check_main_in(
        &Lab::new(Limits::default()),
        r#"
        local pids = {}
        for i = 1, 4 do pids[i] = process.spawn_monitored("app:restless", "app:processes") end
        for _ = 1, 20 do time.sleep("1ms") end
        for i = 1, 4 do process.terminate(pids[i]) end
        for _ = 1, 4 do print(process.events():receive().error) end
-- entry: restless
return { main = function() process.upgrade() end }
        "#,
        expect![[r#"
            process terminated
            process terminated
            process terminated
            process terminated
            => nil
        "#]],
    );
}

#[test]
fn a_storm_of_kills_leaves_nothing_behind() {
    let lab = Lab::default();
    lab.define(&program(
        r#"
        for _ = 1, 10 do coroutine.spawn(process.exec, "app:changes", "app:processes") end
        time.sleep("1ms")
        process.upgrade()
-- entry: changes
return { main = function()
    coroutine.spawn(process.exec, "app:changes_too", "app:processes")
    process.send(process.pid(), "t", 1)
    time.sleep("200us")
    process.upgrade()
end }
-- entry: changes_too
return { main = function() process.upgrade() end }
        "#,
    ));
    let mains: Vec<_> = (0..10).map(|_| lab.spawn("main", Vec::new())).collect();
    for main in mains {
        for _ in 0..20 {
            for pid in lab.node.pids().iter().rev().step_by(3).filter(|pid| *pid != main.pid()) {
                // It may have ended with its caller.
                let _ = lab.node.terminate(pid);
            }
            std::thread::yield_now();
        }
        let _ = lab.node.terminate(main.pid());
        assert_eq!(show_outcome(&main.wait_blocking()), "failed Canceled: process terminated");
    }
    lab.settle();
    assert_eq!((lab.node.process_count(), lab.node.instance_count()), (0, 0));
}

#[test]
fn grants_are_those_of_the_new_entry() {
    let mut lab = Lab::default();
    for name in ["one", "two"] {
        lab.grants = Grants::new().with_variable(format!("V_{name}"), Some(name.to_owned())).into();
        lab.define(&format!(
            r#"
-- entry: {name}
return function(next)
    local env = require("env")
    print((env.get("V_one")), (env.get("V_two")))
    if next then process.upgrade(next) end
end
"#
        ));
    }
    let handle = lab.spawn("one", vec![Value::from("app:two")]);
    assert_eq!(show_outcome(&handle.wait_blocking()), "=> nil");
    assert_eq!(lab.printed(), ["one\tnil", "nil\ttwo"]);
}
