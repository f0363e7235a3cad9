//! Links: an abnormal end goes along them, or is an event for who traps.

use expect_test::expect;

use lunarium_tests::Lab;

use crate::check::{check_main, check_main_in, run_main};

#[test]
fn an_unknown_or_dead_target_is_not_found_and_oneself_is_invalid() {
    check_main(
        r#"
        local dead = exit_of("gives").from
        for _, dest in ipairs { dead, "{app:processes|0x09999}", "nobody" } do print(kind(process.link(dest))) end
        print(kind(process.link(process.pid())))
        "#,
        expect![[r#"
            nil	NotFound
            nil	NotFound
            nil	NotFound
            nil	Invalid
            => nil
        "#]],
    );
}

#[test]
fn unlink_succeeds_for_the_dead_and_for_oneself_but_not_for_an_unknown_name() {
    check_main(
        r#"
        print(process.unlink(exit_of("gives").from))
        print(process.unlink("{app:processes|0x09999}"))
        print(process.unlink(spawn("waits")))
        print(process.unlink(process.pid()))
        print(kind(process.unlink("nobody")))
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
fn linking_twice_is_one_link() {
    check_main(
        r#"
        process.set_options { trap_links = true }
        local pid = spawn("waits")
        print(process.link(pid))
        print(process.link(pid))
        process.registry.register("also", pid)
        print(process.link("also"))
        process.terminate(pid)
        local event = process.events():receive()
        print(event.kind, event.from == pid)
        exit_of("gives")
        pid = process.spawn_linked("app:waits", "app:processes")
        print(process.link(pid), process.unlink(pid))
        process.terminate(pid)
        print(exit_of("gives", "no event of it").result)
        "#,
        expect![[r#"
            true	nil
            true	nil
            true	nil
            pid.link.down	true
            true	true	nil
            no event of it
            => nil
        "#]],
    );
}

#[test]
fn a_normal_end_does_not_go_along_a_link() {
    check_main(
        r#"
        for _, result in ipairs { 1, false } do
            local pid = process.spawn_linked_monitored("app:gives", "app:processes", result)
            print(process.events():receive().kind)
        end
        process.set_options { trap_links = true }
        process.spawn_linked_monitored("app:gives", "app:processes")
        print(process.events():receive().kind, exit_of("gives").kind)
        "#,
        expect![[r#"
            pid.exit
            pid.exit
            pid.exit	pid.exit
            => nil
        "#]],
    );
}

/// A process that is doing `what` when its linked child fails.
fn fails_while(what: &str) {
    check_main(
        &format!(
            r#"
        process.spawn_linked("app:fails", "app:processes")
        {what}
        return "survived"
        "#
        ),
        expect![[r#"
            failed Internal: linked process failed: {app:processes|0x00002}: boom
        "#]],
    );
}

#[test]
fn without_trap_links_it_ends_the_receiver_whatever_that_does() {
    for what in [
        "time.sleep('1h')",
        "time.after('1h'):receive()",
        "process.inbox():receive()",
        "process.listen('t'):receive()",
        "process.events():receive()",
        "channel.select { process.events():case_receive(), process.inbox():case_receive() }",
        "while true do end",
        "while true do pcall(time.sleep, '1h') end",
        "while true do channel.select { process.events():case_receive(), default = true } end",
        "coroutine.wrap(function() time.sleep('1h') end)()",
        "local ch = channel.new() coroutine.spawn(function() time.sleep('1h') end) ch:receive()",
        "local _ = (('a'):rep(40):match(('a-'):rep(40) .. 'b'))",
    ] {
        fails_while(what);
    }
}

#[test]
fn the_failing_kind_is_internal_and_names_the_cause() {
    check_main(
        r#"
        local pid = process.spawn_monitored("app:parent", "app:processes")
        local event = process.events():receive()
        print(event.error, event.error:kind())
-- entry: parent
return { main = function()
    process.terminate(process.spawn_linked("app:waits", "app:processes"))
    time.sleep("1h")
end }
        "#,
        expect![[r#"
            linked process failed: {app:processes|0x00003}: process terminated	Internal
            => nil
        "#]],
    );
}

#[test]
fn a_failure_goes_from_parent_to_child_too() {
    check_main(
        r#"
        local parent = process.spawn_monitored("app:parent", "app:processes", process.pid())
        local child = process.listen("child"):receive()
        process.monitor(child)
        process.send(parent, "fail")
        local seen = {}
        for _ = 1, 2 do
            local event = process.events():receive()
            seen[event.from] = tostring(event.error)
        end
        print(seen[parent])
        print(seen[child])
-- entry: parent
return { main = function(to)
    process.send(to, "child", (process.spawn_linked("app:waits", "app:processes")))
    process.listen("fail"):receive()
    error("parent failed", 0)
end }
        "#,
        expect![[r#"
            parent failed
            linked process failed: {app:processes|0x00002}: parent failed
            => nil
        "#]],
    );
}

#[test]
fn with_trap_links_it_is_an_event() {
    check_main(
        r#"
        process.set_options { trap_links = true }
        local pid = process.spawn_linked("app:fails", "app:processes", "why")
        local event = process.events():receive()
        print(event.kind, event.kind == process.event.LINK_DOWN, event.from == pid, math.type(event.at))
        print(event.error, event.error:kind(), event.result, event.result.error, event.result.value)
        print("down: " .. event.result)
        "#,
        expect![[r#"
            pid.link.down	true	true	float
            why	Internal	why	why	nil
            down: why
            => nil
        "#]],
    );
}

#[test]
fn a_link_down_is_received_after_the_sleep_it_came_in() {
    check_main(
        r#"
        process.set_options { trap_links = true }
        local pid = process.spawn_linked("app:fails", "app:processes")
        print(time.sleep("30ms"))
        print(process.events():receive().kind)
        print(process.send(pid, "t") == nil)
        "#,
        expect![[r#"
            true	nil
            pid.link.down
            true
            => nil
        "#]],
    );
}

#[test]
fn who_links_and_monitors_gets_the_exit_first() {
    check_main(
        r#"
        process.set_options { trap_links = true }
        local order = {}
        for _ = 1, 100 do
            process.spawn_linked_monitored("app:fails", "app:processes")
            local first, second = process.events():receive(), process.events():receive()
            local kinds = first.kind .. " then " .. second.kind
            assert(first.from == second.from)
            order[kinds] = (order[kinds] or 0) + 1
        end
        return order
        "#,
        expect![[r#"
            => {"pid.exit then pid.link.down" = 100}
        "#]],
    );
}

#[test]
fn names_are_free_before_link_down_is_sent() {
    check_main(
        r#"
        process.set_options { trap_links = true }
        for _ = 1, 50 do
            process.spawn_linked("app:named", "app:processes")
            assert(process.events():receive().kind == process.event.LINK_DOWN)
            assert(process.registry.lookup("the name") == nil, "still held")
        end
-- entry: named
return { main = function() assert(process.registry.register("the name")) error("boom", 0) end }
        "#,
        expect![[r#"
            => nil
        "#]],
    );
}

#[test]
fn trap_links_can_be_taken_back() {
    check_main(
        r#"
        process.set_options { trap_links = true }
        process.spawn_linked("app:fails", "app:processes")
        print(process.events():receive().kind)
        process.set_options { trap_links = false }
        process.spawn_linked("app:fails", "app:processes")
        time.sleep("1h")
        "#,
        expect![[r#"
            pid.link.down
            failed Internal: linked process failed: {app:processes|0x00003}: boom
        "#]],
    );
}

#[test]
fn unlink_from_either_end_takes_the_link_away() {
    check_main(
        r#"
        local pid = process.spawn_linked_monitored("app:waits", "app:processes")
        print(process.unlink(pid))
        process.terminate(pid)
        print(process.events():receive().kind)
        pid = process.spawn_linked_monitored("app:unlinks", "app:processes", process.pid())
        print(process.events():receive().error)
        time.sleep("5ms")
        return "survived"
-- entry: unlinks
return { main = function(parent)
    assert(process.unlink(parent))
    error("alone", 0)
end }
        "#,
        expect![[r#"
            true	nil
            pid.exit
            alone
            => "survived"
        "#]],
    );
}

#[test]
fn a_failure_goes_along_a_chain_and_stops_where_links_are_trapped() {
    check_main(
        r#"
        process.set_options { trap_links = true }
        local last = process.listen("last")
        process.spawn_linked("app:chain", "app:processes", process.pid(), 20)
        process.monitor(last:receive())
        process.send(last:receive(), "fail")
        local kinds = {}
        for i = 1, 2 do
            local event = process.events():receive()
            kinds[i] = event.kind
            assert(tostring(event.error):find("first failed", 1, true))
        end
        table.sort(kinds)
        return kinds
-- entry: chain
return { main = function(root, n)
    if n > 0 then
        process.spawn_linked("app:chain", "app:processes", root, n - 1)
    else
        process.send(root, "last", process.pid())
        process.send(root, "last", process.pid())
    end
    process.listen("fail"):receive()
    error("first failed", 0)
end }
        "#,
        expect![[r#"
            => {"pid.exit", "pid.link.down"}
        "#]],
    );
}

#[test]
fn a_ring_of_a_thousand_ends_whole() {
    check_main(
        r#"
        local count, pids = 1000, {}
        for i = 1, count do pids[i] = process.spawn_monitored("app:ring", "app:processes", process.pid()) end
        for i = 1, count do process.send(pids[i], "next", pids[i % count + 1]) end
        local linked, events = process.listen("linked"), process.events()
        for _ = 1, count do
            local got = channel.select { linked:case_receive(), events:case_receive() }
            if got.channel == events then return nil, got.value.error end
        end
        process.terminate(pids[500])
        local kinds = {}
        for _ = 1, count do
            local kind = process.events():receive().error:kind()
            kinds[kind] = (kinds[kind] or 0) + 1
        end
        return kinds
-- entry: ring
return { main = function(parent)
    assert(process.link(process.listen("next"):receive()))
    process.send(parent, "linked")
    process.inbox():receive()
end }
        "#,
        expect![[r#"
            => {"Canceled" = 1, "Internal" = 999}
        "#]],
    );
}

#[test]
fn a_star_of_a_thousand_ends_but_for_who_traps() {
    check_main(
        r#"
        local count = 1000
        local hub = process.spawn_monitored("app:waits", "app:processes")
        local linked, trapped = process.listen("linked"), process.listen("trapped")
        for i = 1, count do process.spawn_monitored("app:leaf", "app:processes", process.pid(), hub, i % 4 == 0) end
        for _ = 1, count do
            local got = channel.select { linked:case_receive(), process.events():case_receive() }
            if got.channel ~= linked then return nil, got.value.error end
        end
        process.terminate(hub)
        local ends = { normal = 0, linked = 0, hub = 0 }
        for _ = 1, count + 1 do
            local event = process.events():receive()
            local how = event.from == hub and "hub" or event.error and "linked" or "normal"
            ends[how] = ends[how] + 1
        end
        return ends
-- entry: leaf
return { main = function(parent, hub, trap)
    process.set_options { trap_links = trap }
    assert(process.link(hub))
    process.send(parent, "linked")
    local event = process.events():receive()
    assert(event.kind == process.event.LINK_DOWN and event.from == hub)
end }
        "#,
        expect![[r#"
            => {"hub" = 1, "linked" = 750, "normal" = 250}
        "#]],
    );
}

/// Members that link with whom they are told to, and wait. All of them are monitored, and one fails.
fn all_end(shape: &str, count: usize) {
    let transcript = run_main(&format!(
        r#"
        local count, shape = {count}, "{shape}"
        local ready, pids = process.listen("ready"), {{}}
        for i = 1, count do pids[i] = process.spawn_monitored("app:member", "app:processes", process.pid()) end
        for i, pid in ipairs(pids) do
            local others = {{}}
            for j = 1, count do
                if shape == "mesh" and j > i or shape == "ring" and j == i % count + 1 then others[#others + 1] = pids[j] end
            end
            process.send(pid, "link", others)
        end
        for _ = 1, count do ready:receive() end
        process.terminate(pids[7])
        local ended, texts = {{}}, {{}}
        for _ = 1, count do
            local event = process.events():receive()
            assert(not ended[event.from], "told twice")
            ended[event.from] = true
            local text = tostring(event.error):gsub("%b{{}}", "PID")
            texts[text] = (texts[text] or 0) + 1
        end
        return texts
-- entry: member
return {{ main = function(root)
    for _, other in ipairs((process.listen("link"):receive())) do assert(process.link(other)) end
    process.send(root, "ready")
    process.inbox():receive()
end }}
        "#
    ));
    let along = count - 1;
    let expected =
        format!(r#"=> {{"linked process failed: PID: process terminated" = {along}, "process terminated" = 1}}"#);
    assert_eq!(transcript.trim_end(), expected);
}

#[test]
fn a_mesh_ends_whole_and_everybody_once() {
    all_end("mesh", 60);
}

#[test]
fn a_ring_ends_whole_and_everybody_once() {
    all_end("ring", 300);
}

#[test]
fn the_node_has_a_budget_of_links_and_of_monitors() {
    check_main_in(
        &Lab::related(2),
        r#"
        local function full(ok, err) return ok and "ok" or err:kind() .. " " .. tostring(err) .. " " .. err:details().limit end
        local pids = {}
        for i = 1, 3 do pids[i] = spawn("waits") end
        for i = 1, 3 do print(full(process.link(pids[i]))) end
        for i = 1, 3 do print(full(process.monitor(pids[i]))) end
        print(full(process.spawn_linked("app:waits", "app:processes")))
        print(full(process.spawn_monitored("app:waits", "app:processes")))
        process.unlink(pids[1]) process.unmonitor(pids[1])
        print(full(process.spawn_linked_monitored("app:waits", "app:processes")))
        "#,
        expect![[r#"
            ok
            ok
            ResourceExhausted the node is at its limit of 2 links node.links
            ok
            ok
            ResourceExhausted the node is at its limit of 2 monitors node.monitors
            ResourceExhausted the node is at its limit of 2 links node.links
            ResourceExhausted the node is at its limit of 2 monitors node.monitors
            ok
            => nil
        "#]],
    );
}
