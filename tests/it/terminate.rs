//! Ending others: `terminate` by force, `cancel` by request.

use std::time::Duration;

use expect_test::expect;
use lunarium_tests::{Lab, show_outcome};

use crate::check::{check_main, program};

#[test]
fn terminate_ends_whatever_the_process_is_doing() {
    check_main(
        r#"
        for _, name in ipairs { "waits", "loops", "sleeps", "protected" } do
            local pid = process.spawn_monitored("app:" .. name, "app:processes")
            print(process.terminate(pid))
            local event = process.events():receive()
            print(name, event.from == pid, event.error, event.error:kind())
        end
-- entry: sleeps
return { main = function() time.sleep("1h") end }
-- entry: protected
return { main = function() while true do pcall(function() while true do end end) end end }
        "#,
        expect![[r#"
            true	nil
            waits	true	process terminated	Canceled
            true	nil
            loops	true	process terminated	Canceled
            true	nil
            sleeps	true	process terminated	Canceled
            true	nil
            protected	true	process terminated	Canceled
            => nil
        "#]],
    );
}

#[test]
fn the_dead_and_the_unknown_are_not_found() {
    check_main(
        r#"
        local dead = exit_of("gives").from
        local killed = spawn("loops")
        print(process.terminate(killed))
        for _, dest in ipairs { dead, killed, "nobody", "{app:processes|0x09999}" } do
            print(kind(process.terminate(dest)))
            print(kind(process.cancel(dest)))
            print(kind(process.cancel(dest, "1s")))
        end
        "#,
        expect![[r#"
            true	nil
            nil	NotFound
            nil	NotFound
            nil	NotFound
            nil	NotFound
            nil	NotFound
            nil	NotFound
            nil	NotFound
            nil	NotFound
            nil	NotFound
            nil	NotFound
            nil	NotFound
            nil	NotFound
            => nil
        "#]],
    );
}

#[test]
fn a_process_can_be_terminated_by_name_and_by_itself() {
    check_main(
        r#"
        local pid = process.spawn_monitored("app:waits", "app:processes")
        process.registry.register("victim", pid)
        print(process.terminate("victim"))
        print(process.events():receive().error)
        pcall(process.terminate, process.pid())
        while true do end
        "#,
        expect![[r#"
            true	nil
            process terminated
            failed Canceled: process terminated
        "#]],
    );
}

#[test]
fn a_terminated_process_is_dead_at_once() {
    check_main(
        r#"
        local pid = spawn("loops")
        process.registry.register("looper", pid)
        process.terminate(pid)
        print(kind(process.send(pid, "t")))
        print(kind(process.registry.lookup("looper")))
        print(kind(process.monitor(pid)))
        print(kind(process.link(pid)))
        print(kind(process.registry.register("again", pid)))
        "#,
        expect![[r#"
            nil	NotFound
            nil	NotFound
            nil	NotFound
            nil	NotFound
            nil	NotFound
            => nil
        "#]],
    );
}

#[test]
fn cancel_is_an_event_with_its_sender_and_deadline() {
    check_main(
        r#"
        local pid = process.spawn_monitored("app:target", "app:processes")
        print(process.cancel(pid, "1h"))
        local got = process.events():receive().result.value
        print(got.kind == process.event.CANCEL, got.kind, got.from == process.pid(), math.type(got.at))
        local y, m, d, h, mi, s = got.deadline:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):(%d%d)[.%d]*Z$")
        local deadline = os.time { year = y, month = m, day = d, hour = h, min = mi, sec = s }
        print(deadline - math.floor(got.at + 3600))
        pid = process.spawn_monitored("app:target", "app:processes")
        print(process.cancel(pid))
        return process.events():receive().result.value.deadline
-- entry: target
return { main = function() return (process.events():receive()) end }
        "#,
        expect![[r#"
            true	nil
            true	pid.cancel	true	float
            0
            true	nil
            => nil
        "#]],
    );
}

#[test]
fn after_the_deadline_the_target_is_terminated() {
    check_main(
        r#"
        for _, name in ipairs { "waits", "loops" } do
            local pid = process.spawn_monitored("app:" .. name, "app:processes")
            print(process.cancel(pid, "10ms"))
            local event = process.events():receive()
            print(event.from == pid, event.error, event.error:kind())
        end
        "#,
        expect![[r#"
            true	nil
            true	process terminated	Canceled
            true	nil
            true	process terminated	Canceled
            => nil
        "#]],
    );
}

#[test]
fn a_target_that_ends_in_time_ends_normally() {
    check_main(
        r#"
        local pid = process.spawn_monitored("app:polite", "app:processes")
        process.cancel(pid, "1h")
        local event = process.events():receive()
        return tostring(event.error) .. " " .. event.result.value
-- entry: polite
return { main = function()
    repeat local event = process.events():receive() until event.kind == process.event.CANCEL
    return "cleaned up"
end }
        "#,
        expect![[r#"
            => "nil cleaned up"
        "#]],
    );
}

#[test]
fn without_a_deadline_nothing_is_forced() {
    check_main(
        r#"
        local pid = process.spawn_monitored("app:waits", "app:processes")
        process.cancel(pid)
        time.sleep("30ms")
        process.send(pid, "t", "still here")
        return process.events():receive().result.value
        "#,
        expect![[r#"
            => "still here"
        "#]],
    );
}

#[test]
fn a_second_unread_cancel_of_the_same_sender_replaces_the_first() {
    check_main(
        r#"
        local me = process.pid()
        local child = process.spawn_monitored("app:canceller", "app:processes", me)
        process.listen("done"):receive()
        while process.send(child, "t") do time.sleep("1ms") end
        process.cancel(me)
        for _ = 1, 3 do
            local event = process.events():receive()
            print(event.kind, event.from == child and "child" or "me", event.deadline)
        end
        process.cancel(me, "1h")
        print(process.events():receive().deadline ~= nil)
-- entry: canceller
return { main = function(to)
    process.cancel(to, "1h")
    process.cancel(to)
    process.send(to, "done")
end }
        "#,
        expect![[r#"
            pid.cancel	child	nil
            pid.exit	child	nil
            pid.cancel	me	nil
            true
            => nil
        "#]],
    );
}

#[test]
fn a_cancel_by_the_runtime_comes_from_nobody() {
    let lab = Lab::default();
    lab.define(&program("local event = process.events():receive() return { event.kind, tostring(event.from) }"));
    let handle = lab.spawn("main", Vec::new());
    lab.node.cancel(handle.pid(), Some(Duration::from_secs(3600))).expect("it lives");
    assert_eq!(show_outcome(&handle.wait_blocking()), r#"=> {"pid.cancel", "nil"}"#);
}

#[test]
fn a_deadline_is_any_duration() {
    check_main(
        r#"
        for _, duration in ipairs { "1h", 3600000, time.HOUR } do
            assert(process.cancel(process.pid(), duration))
            local event = process.events():receive()
            local y, m, d, h, mi, s = event.deadline:match("^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)")
            local deadline = os.time { year = y, month = m, day = d, hour = h, min = mi, sec = s }
            print(deadline - math.floor(event.at))
        end
        "#,
        expect![[r#"
            3600
            3600
            3600
            => nil
        "#]],
    );
}

#[test]
fn a_cancel_that_waits_in_the_events_channel_is_replaced_too() {
    check_main(
        r#"
        local child, told = spawn("canceller", process.pid()), process.listen("told")
        told:receive()
        -- The first was handed over by now, and nobody has read it.
        process.send(child, "t", "go on")
        told:receive()
        local events = process.events()
        print(events:receive().deadline)
        print(channel.select { events:case_receive(), default = true }.default)
-- entry: canceller
return { main = function(to)
    process.cancel(to, "1h")
    process.send(to, "told")
    process.inbox():receive()
    process.cancel(to)
    process.send(to, "told")
end }
        "#,
        expect![[r#"
            nil
            true
            => nil
        "#]],
    );
}

#[test]
fn a_kill_while_the_definition_is_compiled_is_nobody_elses_loss() {
    let lab = Lab::default();
    // The second process of a definition compiles it for all; this one takes some milliseconds.
    let source = format!("return function() return 'ran' end, function() {} end", "x = x + 1; do end ".repeat(20_000));
    for round in 0..4 {
        lab.define(&source);
        assert_eq!(show_outcome(&lab.spawn("main", Vec::new()).wait_blocking()), r#"=> "ran""#);
        let killed: Vec<_> = (0..3).map(|_| lab.spawn("main", Vec::new())).collect();
        // It has an instance, and then runs for as long as it may be.
        while round > 0 && lab.node.instance_count() == 0 && killed.iter().all(|one| one.outcome().is_none()) {
            std::thread::yield_now();
        }
        for one in &killed {
            // It may have ended already.
            let _ = lab.node.terminate(one.pid());
        }
        let whole = lab.spawn("main", Vec::new());
        assert_eq!(show_outcome(&whole.wait_blocking()), r#"=> "ran""#);
        lab.settle();
    }
}
