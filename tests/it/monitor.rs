//! Monitors: one EXIT for each, whatever the end.

use expect_test::expect;

use crate::check::check_main;

#[test]
fn exit_tells_who_when_and_how() {
    check_main(
        r#"
        local before = os.time()
        local pid = spawn("waits")
        print(process.monitor(pid))
        process.send(pid, "t", { answer = 42 })
        local event = process.events():receive()
        print(event.kind, event.kind == process.event.EXIT, event.from == pid)
        print(math.type(event.at), event.at >= before, event.at < before + 3600)
        print(type(event.result), event.result.value.answer, event.result.error, event.error)
        "#,
        expect![[r#"
            true	nil
            pid.exit	true	true
            float	true	true
            table	42	nil	nil
            => nil
        "#]],
    );
}

#[test]
fn an_abnormal_exit_has_the_error_in_both_places() {
    check_main(
        r#"
        local event = exit_of("fails", "why")
        print(event.kind, event.result.value, event.result.error, event.error)
        print(event.error:kind(), event.result.error:kind(), event.error:message())
        print("worker failed: " .. event.error)
        "#,
        expect![[r#"
            pid.exit	nil	why	why
            Internal	Internal	why
            worker failed: why
            => nil
        "#]],
    );
}

#[test]
fn a_result_prints_and_concatenates_as_what_it_holds() {
    check_main(
        r#"
        local function result(...) return exit_of("gives", ...).result end
        print(result("text"), result(5), result(2.0), result(nil), result(false))
        print("got " .. result("text") .. "!", "got " .. result(5), result("a") .. result("b"))
        local failed = exit_of("fails", "why").result
        print(failed, "because " .. failed, tostring(failed))
        "#,
        expect![[r#"
            text	5	2.0	nil	false
            got text!	got 5	ab
            why	because why	why
            => nil
        "#]],
    );
}

#[test]
fn an_unknown_or_dead_target_is_not_found() {
    check_main(
        r#"
        local dead = exit_of("gives").from
        for _, dest in ipairs { dead, "{app:processes|0x09999}", "nobody" } do print(kind(process.monitor(dest))) end
        "#,
        expect![[r#"
            nil	NotFound
            nil	NotFound
            nil	NotFound
            => nil
        "#]],
    );
}

#[test]
fn monitoring_twice_already_exists_and_oneself_is_invalid() {
    check_main(
        r#"
        local pid = spawn("waits")
        print(process.monitor(pid))
        print(kind(process.monitor(pid)))
        process.registry.register("other name", pid)
        print(kind(process.monitor("other name")))
        local born_watched = process.spawn_monitored("app:waits", "app:processes")
        print(kind(process.monitor(born_watched)))
        print(kind(process.monitor(process.pid())))
        process.terminate(pid)
        print(process.events():receive().from == pid)
        process.terminate(born_watched)
        print(process.events():receive().from == born_watched)
        "#,
        expect![[r#"
            true	nil
            nil	AlreadyExists
            nil	AlreadyExists
            nil	AlreadyExists
            nil	Invalid
            true
            true
            => nil
        "#]],
    );
}

#[test]
fn unmonitor_ends_it_and_monitoring_again_begins_it() {
    check_main(
        r#"
        local first, second = spawn("waits"), spawn("waits")
        process.monitor(first) process.monitor(second)
        print(process.unmonitor(first))
        print(process.unmonitor(first))
        process.terminate(first) process.terminate(second)
        print(process.events():receive().from == second)
        local third = process.spawn_monitored("app:waits", "app:processes")
        print(process.unmonitor(third))
        print(process.monitor(third))
        process.terminate(third)
        print(process.events():receive().from == third)
        print(channel.select { process.events():case_receive(), default = true }.default)
        "#,
        expect![[r#"
            true	nil
            true	nil
            true
            true	nil
            true	nil
            true
            true
            => nil
        "#]],
    );
}

#[test]
fn unmonitor_succeeds_for_the_dead_and_for_oneself_but_not_for_an_unknown_name() {
    check_main(
        r#"
        print(process.unmonitor(exit_of("gives").from))
        print(process.unmonitor("{app:processes|0x09999}"))
        print(process.unmonitor(spawn("waits")))
        print(process.unmonitor(process.pid()))
        print(kind(process.unmonitor("nobody")))
        "#,
        expect![[r#"
            true	nil
            true	nil
            true	nil
            true	nil
            nil	NotFound
            => nil
        "#]],
    );
}

#[test]
fn an_exit_that_arrived_before_unmonitor_is_still_delivered() {
    check_main(
        r#"
        local pid = spawn("waits")
        process.monitor(pid)
        process.terminate(pid)
        print(process.unmonitor(pid))
        print(process.events():receive().from == pid)
        pid = process.spawn_monitored("app:gives", "app:processes")
        time.sleep("20ms")
        while process.send(pid, "t") do time.sleep("1ms") end
        print(process.unmonitor(pid))
        print(process.events():receive().from == pid)
        "#,
        expect![[r#"
            true	nil
            true
            true	nil
            true
            => nil
        "#]],
    );
}

#[test]
fn two_watchers_of_one_process_both_learn_of_its_end() {
    check_main(
        r#"
        local target = spawn("waits")
        local ready, seen = process.listen("ready"), process.listen("seen")
        for _ = 1, 2 do spawn("watcher", process.pid(), target) end
        for _ = 1, 2 do ready:receive() end
        process.monitor(target)
        process.send(target, "t", "over")
        for _ = 1, 2 do print(seen:receive()) end
        print(process.events():receive().result)
-- entry: watcher
return { main = function(parent, target)
    process.monitor(target)
    process.send(parent, "ready")
    local event = process.events():receive()
    process.send(parent, "seen", event.result.value)
end }
        "#,
        expect![[r#"
            over	true
            over	true
            over
            => nil
        "#]],
    );
}

#[test]
fn a_dead_watcher_is_forgotten() {
    check_main(
        r#"
        local target = spawn("waits")
        print(exit_of("watcher", target).result)
        process.monitor(target)
        process.terminate(target)
        print(process.events():receive().from == target)
-- entry: watcher
return { main = function(target) return process.monitor(target) end }
        "#,
        expect![[r#"
            true
            true
            => nil
        "#]],
    );
}

#[test]
fn events_that_came_before_events_was_called_wait() {
    check_main(
        r#"
        local pid = process.spawn_monitored("app:gives", "app:processes", "early")
        while process.send(pid, "t") do time.sleep("1ms") end
        time.sleep("5ms")
        print(process.events():receive().result)
        "#,
        expect![[r#"
            early
            => nil
        "#]],
    );
}

#[test]
fn names_are_free_before_the_exit_is_sent() {
    check_main(
        r#"
        for i = 1, 100 do
            process.spawn_monitored("app:named", "app:processes")
            process.events():receive()
            assert(process.registry.lookup("the name") == nil, "still held")
        end
        print(process.registry.register("the name"))
-- entry: named
return { main = function() assert(process.registry.register("the name")) end }
        "#,
        expect![[r#"
            true	nil
            => nil
        "#]],
    );
}

#[test]
fn a_normal_end_of_false_is_no_error() {
    check_main(
        r#"
        local event = exit_of("gives", false)
        print(event.error, event.result.value, event.result)
        event = exit_of("gives", false, "why")
        print(event.error, event.result.value, event.result)
        "#,
        expect![[r#"
            nil	false	false
            why	nil	why
            => nil
        "#]],
    );
}
