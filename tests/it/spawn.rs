//! Spawning: the variants, their arguments, and what an entry may be.

use std::time::Duration;

use expect_test::expect;
use lunarium_engine::{Chunk, Definition, EntryId, HostDefinition, HostId, Limits};
use lunarium_tests::{Lab, show_outcome};

use crate::check::{check, check_main, check_main_in, program};

#[test]
fn every_variant_returns_the_pid_at_once() {
    check_main(
        r#"
        for _, name in ipairs { "spawn", "spawn_monitored", "spawn_linked", "spawn_linked_monitored" } do
            print(process[name]("app:waits", "app:processes"))
        end
        "#,
        expect![[r#"
            {app:processes|0x00002}	nil
            {app:processes|0x00003}	nil
            {app:processes|0x00004}	nil
            {app:processes|0x00005}	nil
            => nil
        "#]],
    );
}

#[test]
fn the_variants_differ_in_what_the_parent_learns() {
    check_main(
        r#"
        process.set_options { trap_links = true }
        for _, name in ipairs { "spawn", "spawn_monitored", "spawn_linked", "spawn_linked_monitored" } do
            local pid = process[name]("app:fails", "app:processes")
            while process.send(pid, "t") do time.sleep("1ms") end
            -- What there is to learn of a death comes before anything that happens after it.
            local fence, learned = process.spawn_monitored("app:gives", "app:processes"), ""
            local event = process.events():receive()
            while event.from ~= fence do
                learned = learned .. " " .. event.kind
                event = process.events():receive()
            end
            print(name .. learned)
        end
        "#,
        expect![[r#"
            spawn
            spawn_monitored pid.exit
            spawn_linked pid.link.down
            spawn_linked_monitored pid.exit pid.link.down
            => nil
        "#]],
    );
}

#[test]
fn monitor_and_link_stand_before_the_first_instruction() {
    check_main(
        r#"
        for _ = 1, 50 do
            assert(process.spawn_monitored("app:broken", "app:processes"))
            assert(process.events():receive().error:kind() == errors.INVALID)
        end
        process.spawn_linked("app:broken", "app:processes")
        time.sleep("1h")
-- entry: broken
this is not Lua
        "#,
        expect![[r#"
            failed Internal: linked process failed: {app:processes|0x00034}: broken.lua:1: syntax error near 'is'
        "#]],
    );
}

#[test]
fn an_unknown_entry_or_host_is_not_found() {
    check_main(
        r#"
        for _, name in ipairs { "spawn", "spawn_monitored", "spawn_linked", "spawn_linked_monitored" } do
            print(kind(process[name]("app:nothing", "app:processes")))
            print(kind(process[name]("app:waits", "app:nowhere")))
        end
        return spawn("waits")
        "#,
        expect![[r#"
            nil	NotFound
            nil	NotFound
            nil	NotFound
            nil	NotFound
            nil	NotFound
            nil	NotFound
            nil	NotFound
            nil	NotFound
            => "{app:processes|0x00002}"
        "#]],
    );
}

#[test]
fn a_stopped_host_is_unavailable_and_a_full_one_exhausted() {
    let lab = Lab::default();
    for (name, max_processes) in [("app:stopped", 10), ("app:full", 1)] {
        let host = HostDefinition::new(HostId::new(name)).with_max_processes(max_processes);
        lab.node.add_host(host).expect("a new host");
    }
    lab.node.stop_host(&HostId::new("app:stopped")).expect("it is there");
    check_main_in(
        &lab,
        r#"
        print(kind(process.spawn("app:waits", "app:stopped")))
        local first = process.spawn_monitored("app:waits", "app:full")
        print(first)
        print(kind(process.spawn("app:waits", "app:full")))
        process.terminate(first)
        print(process.spawn("app:waits", "app:full"))
        "#,
        expect![[r#"
            nil	Unavailable
            {app:full|0x00002}
            nil	ResourceExhausted
            {app:full|0x00003}	nil
            => nil
        "#]],
    );
}

#[test]
fn arguments_are_handed_over_with_their_nils() {
    check_main(
        r#"
        print(exit_of("count").result)
        print(exit_of("count", nil).result)
        print(exit_of("count", nil, 2, nil).result)
        print(exit_of("count", 1, 2.0, "three", { list = 4 }, false, time.SECOND, errors.new("seven")).result)
-- entry: count
return { main = function(...)
    local text = "" .. select('#', ...)
    for i = 1, select('#', ...) do
        local v = select(i, ...)
        text = text .. " " .. (type(v) == "table" and v.list and "{" .. v.list .. "}" or tostring(v))
    end
    return text
end }
        "#,
        expect![[r#"
            0
            1 nil
            3 nil 2 nil
            7 1 2.0 three {4} false 1s seven
            => nil
        "#]],
    );
}

#[test]
fn arguments_obey_the_limits_of_a_message() {
    check_main(
        r#"
        local pid, err = process.spawn("app:gives", "app:processes", 1, { handlers = { print } })
        print(pid, err:kind(), err:message():match("%[2%]%.handlers%[1%] is a function"))
        print(kind(process.spawn("app:gives", "app:processes", ("x"):rep(1024 * 1024))))
        print(#exit_of("gives", ("x"):rep(1024 * 1024 - 16)).result.value)
        local deep = {}
        for _ = 1, 100 do deep = { deep } end
        print(kind(process.spawn("app:gives", "app:processes", deep)))
        "#,
        expect![[r#"
            nil	Invalid	[2].handlers[1] is a function
            nil	Invalid
            1048560
            nil	Invalid
            => nil
        "#]],
    );
}

#[test]
fn an_entry_may_be_one_function() {
    check("return function(...) return select('#', ...) end", expect![["=> 0\n"]]);
}

#[test]
fn a_definition_may_name_another_method() {
    let lab = Lab::default();
    for method in ["work", "main"] {
        let source = "return { main = function() return 'main' end, work = function() return 'work' end }";
        let definition = Definition::new(EntryId::new(format!("app:{method}")), Chunk::new("@both.lua", source));
        lab.node.define(definition.with_method(method));
    }
    let ends = ["work", "main"].map(|name| show_outcome(&lab.spawn(name, Vec::new()).wait_blocking()));
    assert_eq!(ends, [r#"=> "work""#, r#"=> "main""#]);
}

#[test]
fn a_chunk_runs_inside_its_process_and_may_wait() {
    check(
        r#"
        local me, ch = process.pid(), process.listen("t")
        process.send(me, "t", "sent")
        time.sleep("1ms")
        local got = ch:receive()
        return { main = function() return got .. " from " .. process.pid() end }"#,
        expect![[r#"
            => "sent from {app:processes|0x00001}"
        "#]],
    );
}

#[test]
fn a_chunk_that_does_not_compile_is_invalid_with_luas_message() {
    check(
        "\nreturn { main = function() local = 1 end }",
        expect![[r#"
            failed Invalid: main.lua:2: <name> expected near '='
        "#]],
    );
}

#[test]
fn a_chunk_that_raises_is_invalid_with_luas_message() {
    check("\nerror('boom')", expect![["failed Invalid: main.lua:2: boom\n"]]);
    check("local x = nil + 1", expect![["failed Invalid: main.lua:1: attempt to perform arithmetic on a nil value\n"]]);
    check("time.sleep(1) error('late', 0)", expect![["failed Invalid: late\n"]]);
}

#[test]
fn a_chunk_that_returns_no_method_is_invalid() {
    for chunk in [
        "return 5",
        "return 'main'",
        "return nil",
        "local x = 1",
        "return {}",
        "return { start = 'main' }",
        "return { main = 5 }",
        "return function() end, 5 -- fine",
    ] {
        let kind = lunarium_tests::transcript(chunk);
        let expected = if chunk.ends_with("fine") { "=> nil" } else { "failed Invalid: " };
        assert!(kind.starts_with(expected), "{chunk}: {kind}");
    }
}

#[test]
fn a_parent_may_end_before_its_child_starts() {
    let lab = Lab::default();
    check_main_in(
        &lab,
        r#"
        for _ = 1, 20 do spawn("gives") end
        "#,
        expect![[r#"
            => nil
        "#]],
    );
    lab.settle();
}

#[test]
fn time_before_the_start_is_not_the_process_own() {
    let lab = Lab::new(Limits { cpu: Duration::from_millis(500), ..Limits::default() });
    lab.define(&program("time.sleep('600ms') -- entry: gives\nreturn function(...) return ... end"));
    lab.spawn("main", Vec::new()).wait_blocking();
    // Ticks fall into some of these starts.
    for _ in 0..10 {
        let handles: Vec<_> = (0..300).map(|_| lab.spawn("gives", Vec::new())).collect();
        for handle in handles {
            assert_eq!(show_outcome(&handle.wait_blocking()), "=> nil");
        }
    }
}

#[test]
fn the_first_process_of_an_entry_and_later_ones_do_not_differ() {
    // From the second on they run what was compiled once.
    check_main(
        r#"
        local first
        for i = 1, 4 do
            local err = exit_of("broken_inside", i).error
            local seen = err:kind() .. " " .. err:message() .. "\n" .. err:stack()
            first = first or seen
            assert(seen == first, seen)
        end
        print(first)
        for i = 1, 3 do print(i, exit_of("no_lua").error) end
        for i = 1, 3 do print(i, exit_of("counts").result) end
-- entry: broken_inside
local function deep(t)
    return t.missing.field
end
return {
    main = function()
        deep {}
        print "never"
    end,
}
-- entry: no_lua
return {
-- entry: counts
local n = 0
return function() n = n + 1 return ("%d %s %.1f"):format(n, "\0\xff" == "\0\xff", 0.1 + 2^53) end
        "#,
        expect![[r#"
            Internal broken_inside.lua:2: attempt to index a nil value (field 'missing')
            stack traceback:
            	broken_inside.lua:2: in upvalue 'deep'
            	broken_inside.lua:6: in function <broken_inside.lua:5>
            1	no_lua.lua:2: unexpected symbol near <eof>
            2	no_lua.lua:2: unexpected symbol near <eof>
            3	no_lua.lua:2: unexpected symbol near <eof>
            1	1 true 9007199254740992.0
            2	1 true 9007199254740992.0
            3	1 true 9007199254740992.0
            => nil
        "#]],
    );
}
