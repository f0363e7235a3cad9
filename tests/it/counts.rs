//! Count limits: what is over counts no more, and what is refused leaves nothing behind.

use expect_test::expect;
use lunarium_engine::Limits;
use lunarium_tests::Lab;

use crate::check::check_main_in;

fn check(limits: Limits, body: &str) {
    check_main_in(
        &Lab::new(limits),
        body,
        expect![[r#"
            nil	ResourceExhausted
            room again
            => nil
        "#]],
    );
}

#[test]
fn links_count_for_both_ends_while_both_live() {
    let limits = Limits { links: 2, ..Limits::default() };
    check(
        limits.clone(),
        r#"
        local a, b, c = spawn("waits"), spawn("waits"), spawn("waits")
        assert(process.link(a) and process.link(b) and process.link(a))
        print(kind(process.link(c)))
        process.unlink(a)
        assert(process.link(c))
        process.send(b, "t")
        while process.send(b, "t") do time.sleep("1ms") end
        assert(process.link(a))
        print("room again")
        "#,
    );
    check(
        limits,
        r#"
        local hub = spawn("waits")
        for _ = 1, 2 do assert(exit_of("links and stays", hub, spawn("waits")).result) end
        local first = process.spawn_monitored("app:links", "app:processes", hub)
        local second = process.spawn_monitored("app:links", "app:processes", hub)
        local linked = process.listen("linked")
        for _ = 1, 2 do linked:receive() end
        print(kind(process.link(hub)))
        process.send(first, "go on")
        process.events():receive()
        assert(process.link(hub))
        print("room again")
-- entry: links and stays
return { main = function(hub, other) return process.link(other) and process.link(hub) end }
-- entry: links
return { main = function(hub)
    assert(process.link(hub))
    process.send("{app:processes|0x00001}", "linked")
    process.inbox():receive()
end }
        "#,
    );
}

#[test]
fn monitors_count_for_the_watcher_while_both_live() {
    check(
        Limits { monitors: 1, ..Limits::default() },
        r#"
        local a, b = spawn("waits"), spawn("waits")
        assert(process.monitor(a))
        print(kind(process.monitor(b)))
        assert(kind(process.spawn_monitored("app:waits", "app:processes")) == nil)
        process.unmonitor(a)
        assert(process.monitor(b))
        process.terminate(b)
        assert(process.monitor(a))
        print("room again")
        "#,
    );
}

#[test]
fn names_and_listeners_count_until_they_are_given_back() {
    check(
        Limits { names: 2, ..Limits::default() },
        r#"
        local r = process.registry
        assert(r.register("a") and r.register("b") and r.register("a"))
        print(kind(r.register("c")))
        r.unregister("a")
        assert(r.register("c") and r.lookup("a") == nil)
        print("room again")
        "#,
    );
    check(
        Limits { listeners: 2, ..Limits::default() },
        r#"
        local a, b = process.listen("a"), process.listen("b")
        assert(process.listen("a") == a and process.inbox() and process.events())
        print(kind(process.listen("c")))
        process.unlisten(a)
        assert(process.listen("c"))
        print("room again")
        "#,
    );
}

#[test]
fn timers_count_while_they_are_pending() {
    check(
        Limits { timers: 2, ..Limits::default() },
        r#"
        local a, b = time.timer("1h"), time.ticker("1h")
        print(kind(time.sleep("1ms")))
        for _, f in ipairs { time.after, time.timer, time.ticker } do assert(kind(f("1ms")) == nil) end
        a:stop()
        assert(time.sleep("1ms"))
        assert(a:reset("1ms") ~= nil)
        assert(kind(time.sleep("1ms")) == nil)
        a:channel():receive()
        assert(time.sleep("1ms"))
        print("room again")
        "#,
    );
}

#[test]
fn coroutines_count_until_they_have_finished_and_plain_ones_do_not() {
    check(
        Limits { coroutines: 2, ..Limits::default() },
        r#"
        local ch = channel.new()
        for _ = 1, 5 do coroutine.spawn(function() end) end
        for _ = 1, 2 do coroutine.spawn(function() ch:receive() end) end
        local ok, err = pcall(coroutine.spawn, function() print("never") end)
        print(ok or nil, err:kind())
        for _ = 1, 100 do coroutine.resume(coroutine.create(coroutine.yield)) end
        ch:send(1)
        time.sleep(0)
        coroutine.spawn(function() print("room again") end)
        "#,
    );
}

#[test]
fn a_spawn_that_is_refused_starts_nothing() {
    check(
        Limits { links: 1, ..Limits::default() },
        r#"
        process.set_options { trap_links = true }
        assert(process.spawn_linked("app:waits", "app:processes"))
        print(kind(process.spawn_linked("app:shouts", "app:processes")))
        print("room again")
        assert(spawn("waits") == "{app:processes|0x00003}", "a pid was used up")
-- entry: shouts
print("never")
return function() end
        "#,
    );
}
