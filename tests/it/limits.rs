//! Every limit that is the host's: what happens there.

use std::time::Duration;

use expect_test::{Expect, expect};
use lunarium_engine::{Chunk, Definition, EntryId, Limits, LimitsOverride, Value};
use lunarium_tests::{Lab, show_outcome, transcript_in};

fn check(limits: Limits, script: &str, expect: Expect) {
    let lab = Lab::new(limits);
    expect.assert_eq(&transcript_in(&lab, script));
}

#[test]
fn memory_ends_a_hog_and_can_be_caught() {
    let limits = Limits { memory: 4 << 20, ..Limits::default() };
    check(
        limits.clone(),
        r#"return { main = function() local t = {} while true do t[#t + 1] = ("x"):rep(1000) .. #t end end }"#,
        expect![[r#"
            failed ResourceExhausted: not enough memory {"limit" = "memory"}
        "#]],
    );
    check(
        limits.clone(),
        r#"return { main = function()
            local ok, err = pcall(string.rep, "x", 1 << 30)
            print(ok, err)
            ok, err = pcall(function() local t = {} while true do t[#t + 1] = {} end end)
            print(ok, err)
            print(pcall(error, "still well"))
            return #("x"):rep(1 << 20)
        end }"#,
        expect![[r#"
            false	not enough memory
            false	not enough memory
            false	still well
            => 1048576
        "#]],
    );
    check(
        limits,
        r#"return { main = function()
            local keep = {}
            for i = 1, 1e6 do keep[i] = coroutine.create(function() end) end
        end }"#,
        expect![[r#"
            failed ResourceExhausted: not enough memory {"limit" = "memory"}
        "#]],
    );
}

#[test]
fn a_message_that_decodes_to_more_than_the_memory_is_an_error_and_consumed() {
    let lab = Lab::new(Limits { memory: 4 << 20, ..Limits::default() });
    lab.define(
        r#"return { main = function()
            local ch, inbox = process.listen("t"), process.inbox()
            local function try(f, ...)
                local ok, err = pcall(f, ...)
                print(ok, errors.is(err, errors.RESOURCE_EXHAUSTED), err:details().limit, err:details().needed // 100000)
            end
            try(ch.receive, ch)
            print(ch:receive())
            try(channel.select, { ch:case_receive() })
            print(channel.select({ ch:case_receive() }).value)
            local msg = inbox:receive()
            print(msg:topic())
            try(function() return msg:payload() end)
            print(inbox:receive():payload())
            -- What isn't a payload at all is an error as well: here it is put where the channel has what arrived.
            rawset(ch, 1, { "\xc1", "t", false, 1 }) rawset(ch, 2, 1) rawset(ch, 3, 4)
            local ok, err = pcall(ch.receive, ch)
            print(ok, err, errors.is(err, errors.INVALID))
            process.send(process.pid(), "t", "goes on")
            return ch:receive()
        end }"#,
    );
    let process = lab.spawn("main", Vec::new());
    let send = |topic, value: &Value| lab.node.send(process.pid().as_str(), topic, value).expect("it lives");
    // 100 kB, in lists of a hundred.
    let list = Value::Array(vec![Value::Array(Vec::new()); 100]);
    let many = Value::Array(vec![list; 1000]);
    for (topic, value) in [
        ("t", &many),
        ("t", &Value::from("next")),
        ("t", &many),
        ("t", &Value::from("after select")),
        ("other", &many),
        ("other", &Value::from("last")),
    ] {
        send(topic, value);
    }
    let outcome = process.wait_blocking();
    expect![[r#"
        false	true	memory	52
        next	true
        false	true	memory	52
        after select
        other
        false	true	memory	52
        last
        false	corrupt payload	true
        => "goes on"
    "#]]
    .assert_eq(&format!("{}\n{}\n", lab.printed().join("\n"), show_outcome(&outcome)));
}

#[test]
fn cpu_ends_a_loop_that_never_waits() {
    let limits = Limits { cpu: Duration::from_millis(50), ..Limits::default() };
    for body in ["while true do end", r#"return ("a"):rep(40):match(("a-"):rep(40) .. "b")"#] {
        check(
            limits.clone(),
            &format!("return {{ main = function() {body} end }}"),
            expect![[r#"
                failed ResourceExhausted: cpu limit of 50ms reached without waiting {"limit" = "cpu"}
            "#]],
        );
    }
}

#[test]
fn every_wait_starts_the_cpu_limit_over() {
    check(
        Limits { cpu: Duration::from_millis(400), ..Limits::default() },
        r#"return { main = function()
            local used = os.clock()
            while os.clock() - used < 0.6 do
                for _ = 1, 1e5 do end
                time.sleep("1ms")
            end
            return "well"
        end }"#,
        expect![[r#"
            => "well"
        "#]],
    );
}

#[test]
fn a_full_mailbox_refuses_the_next_message_and_queues_nothing() {
    check(
        Limits { mailbox_messages: 10_000, ..Limits::default() },
        r#"return { main = function()
            local me, ch = process.pid(), process.listen("m")
            for i = 1, 10000 do assert(process.send(me, "m", i)) end
            local ok, err = process.send(me, "m", 10001)
            print(ok, err, err:kind(), err:retryable())
            print(ch:receive())
            print(process.send(me, "m", 10001))
            print(process.send(me, "m", 10002))
            local n = 1
            repeat n = n + 1 local v = ch:receive() assert(v == n, v) until n == 10001
            print(process.send(me, "m", "room again"))
            return (ch:receive())
        end }"#,
        expect![[r#"
            nil	mailbox is full: 10000 messages of 10000 are unread	RateLimited	true
            1	true
            true	nil
            nil	mailbox is full: 10000 messages of 10000 are unread
            true	nil
            => "room again"
        "#]],
    );
}

#[test]
fn a_full_mailbox_counts_bytes_too() {
    check(
        Limits { mailbox_bytes: 4_000, ..Limits::default() },
        r#"return { main = function()
            local me, n = process.pid(), 0
            while process.send(me, "m", ("x"):rep(997)) do n = n + 1 end
            local _, err = process.send(me, "m", ("x"):rep(997))
            print(n, err)
            return process.send(me, "m", "small") 
        end }"#,
        expect![[r#"
            3	mailbox is full: 3003 bytes of 4000 are unread, and the message has 1001
            => true
        "#]],
    );
}

#[test]
fn a_message_that_is_too_large_is_refused() {
    check(
        Limits { message: 1_000, ..Limits::default() },
        r#"return { main = function()
            local ok, err = process.send(process.pid(), "m", ("x"):rep(2000))
            print(ok, err:kind())
            local pid, err = process.spawn("app:main", "app:processes", ("x"):rep(2000))
            print(pid, err:kind())
            return ("x"):rep(2000)
        end }"#,
        expect![[r#"
            nil	Invalid
            nil	Invalid
            failed Invalid: result exceeds the message limit of 1000 bytes
        "#]],
    );
}

#[test]
fn a_mailbox_flood_does_not_exhaust_its_victim() {
    let lab = Lab::new(Limits { memory: 1 << 20, ..Limits::default() });
    lab.define(
        r#"
-- entry: victim
return { main = function()
    local ch = process.listen("stop")
    ch:receive()
    return "well"
end }
-- entry: flood
return { main = function(victim)
    local sent = 0
    while process.send(victim, "flood", ("x"):rep(1000)) do sent = sent + 1 end
    return sent
end }"#,
    );
    let victim = lab.spawn("victim", Vec::new());
    let pid = Value::from(victim.pid().as_str());
    let floods: Vec<_> = (0..4).map(|_| lab.spawn("flood", vec![pid.clone()])).collect();
    for flood in floods {
        flood.wait_blocking();
    }
    assert!(victim.outcome().is_none());
}

#[test]
fn the_process_limit_refuses_the_spawn() {
    let lab = Lab::sized(Limits::default(), 50);
    let expected = expect![[r#"
        49	ResourceExhausted	host `app:processes` is at its limit of 50 processes
        true
        => nil
    "#]];
    expected.assert_eq(&transcript_in(
        &lab,
        r#"
return { main = function()
    local pids = {}
    while true do
        local pid, err = process.spawn("app:waits", "app:processes")
        if not pid then
            print(#pids, err:kind(), err)
            break
        end
        pids[#pids + 1] = pid
    end
    process.terminate(pids[1])
    print(process.spawn("app:waits", "app:processes") ~= nil)
    for _, pid in ipairs(pids) do process.terminate(pid) end
end }
-- entry: waits
return { main = function() process.inbox():receive() end }"#,
    ));
}

#[test]
fn count_limits_return_an_error_that_names_them() {
    check(
        Limits { links: 1, monitors: 1, names: 1, timers: 2, listeners: 1, coroutines: 1, ..Limits::default() },
        r#"
return { main = function()
    local function spawn() return assert(process.spawn("app:waits", "app:processes")) end
    local a, b = spawn(), spawn()
    local function second(f, ...)
        local _, err = f(...)
        print(err:kind(), err)
    end
    assert(process.link(a)) second(process.link, b)
    assert(process.monitor(a)) second(process.monitor, b)
    assert(process.registry.register("one")) second(process.registry.register, "two")
    assert(process.listen("one")) second(process.listen, "two")
    assert(time.after("1h")) assert(time.after("1h")) second(time.after, "1h")
    coroutine.spawn(function() process.inbox():receive() end)
    local ok, err = pcall(coroutine.spawn, function() end)
    print(ok, err:kind(), err)
end }
-- entry: waits
return { main = function() process.inbox():receive() end }"#,
        expect![[r#"
            ResourceExhausted	{app:processes|0x00001} is at its limit of 1 links
            ResourceExhausted	{app:processes|0x00001} is at its limit of 1 monitors
            ResourceExhausted	{app:processes|0x00001} is at its limit of 1 names
            ResourceExhausted	process has 1 listeners, the limit is 1
            ResourceExhausted	process has 2 timers pending, the limit is 2
            false	ResourceExhausted	process has 1 coroutines, the limit is 1
            => nil
        "#]],
    );
}

#[test]
fn who_watches_learns_which_limit_it_was() {
    for (limits, body, expected) in [
        (
            Limits { memory: 4 << 20, ..Limits::default() },
            "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end",
            expect![[r#"
                true	memory
                => nil
            "#]],
        ),
        (
            Limits { cpu: Duration::from_millis(50), ..Limits::default() },
            "while true do end",
            expect![[r#"
                true	cpu
                => nil
            "#]],
        ),
    ] {
        let script = format!(
            r#"
return {{ main = function()
    process.spawn_monitored("app:exceeds", "app:processes")
    local err = process.events():receive().error
    print(err:kind() == errors.RESOURCE_EXHAUSTED, err:details().limit)
end }}
-- entry: exceeds
return {{ main = function() {body} end }}"#
        );
        check(limits, &script, expected);
    }
}

#[test]
fn cpu_total_goes_on_over_waits_and_upgrades() {
    let limits = Limits { cpu_total: Duration::from_millis(60), ..Limits::default() };
    let waits = r#"return { main = function()
        while true do for _ = 1, 20000 do end time.sleep("1ms") end
    end }"#;
    let upgrades = r#"return { main = function() for _ = 1, 20000 do end process.upgrade() end }"#;
    for script in [waits, upgrades] {
        check(
            limits.clone(),
            script,
            expect![[r#"
                failed ResourceExhausted: cpu_total limit of 60ms reached {"limit" = "cpu_total"}
            "#]],
        );
    }
}

#[test]
fn a_lifetime_ends_who_waits_who_computes_and_who_becomes_another() {
    let limits = Limits { lifetime: Duration::from_millis(80), ..Limits::default() };
    for script in [
        "return { main = function() process.inbox():receive() end }",
        "return { main = function() while true do end end }",
        "return { main = function() while true do time.sleep('1ms') end end }",
        "return { main = function() time.sleep('1ms') process.upgrade() end }",
    ] {
        check(
            limits.clone(),
            script,
            expect![[r#"
                failed ResourceExhausted: lifetime limit of 80ms reached {"limit" = "lifetime"}
            "#]],
        );
    }
    // Whoever ends before has nothing to do with it.
    check(
        limits,
        "return { main = function() return 7 end }",
        expect![[r#"
            => 7
        "#]],
    );
}

#[test]
fn the_lifetime_of_what_it_becomes_counts_from_its_own_beginning() {
    let lab = Lab::default();
    let define = |name: &str, source: &str, lifetime: Option<Duration>| {
        let limits = LimitsOverride { lifetime, ..LimitsOverride::default() };
        let chunk = Chunk::new(format!("@{name}.lua"), source);
        lab.node.define(Definition::new(EntryId::new(format!("app:{name}")), chunk).with_limits(limits));
    };
    let next = "return { main = function() print(process.limits().lifetime.limit) process.inbox():receive() end }";
    define("next", next, Some(Duration::from_millis(40)));
    let source = "return { main = function() time.sleep('60ms') process.upgrade('app:next') end }";
    define("main", source, None);
    let outcome = lab.spawn("main", Vec::new()).wait_blocking();
    let expected = r#"failed ResourceExhausted: lifetime limit of 40ms reached {"limit" = "lifetime"}"#;
    assert_eq!(show_outcome(&outcome), expected);
}

#[test]
fn a_script_sees_what_it_holds_of_its_limits() {
    let limits = Limits { lifetime: Duration::from_secs(3600), links: 7, ..Limits::default() };
    check(
        limits,
        r#"return { main = function()
            local me = process.pid()
            local at_first = process.limits()
            assert(process.registry.register("a name"))
            local child = process.spawn_linked_monitored("app:child", "app:processes")
            process.listen("t")
            process.send(me, "other", ("x"):rep(1000))
            process.send(me, "other", ("x"):rep(1000))
            local held = ("x"):rep(1000000)
            for _ = 1, 100000 do end
            local all = process.limits()
            for _, name in ipairs { "links", "monitors", "names", "listeners", "timers", "mailbox_messages", "log_lines" } do
                print(name, at_first[name].used, all[name].used, all[name].limit)
            end
            print(all.mailbox_bytes.used, all.message.limit, all.message.used)
            print(all.memory.used - at_first.memory.used > #held // 2, all.memory.limit)
            print(all.cpu.used > at_first.cpu.used, all.cpu_total.used >= all.cpu.used, all.cpu.limit, all.cpu_total.limit)
            print(all.lifetime.used > at_first.lifetime.used, all.lifetime.limit)
            time.sleep("1ms")
            local later = process.limits()
            print(later.cpu.used < all.cpu.used, later.cpu_total.used >= all.cpu_total.used)
        end }
        -- entry: child
        return { main = function() process.inbox():receive() end }"#,
        expect![[r#"
            links	0	1	7
            monitors	0	1	10000
            names	0	1	1024
            listeners	0	1	1024
            timers	0	0	10000
            mailbox_messages	0	2	10000
            log_lines	0	0	1000
            2016	1048576	nil
            true	16777216
            true	true	10s	nil
            true	1h0m0s
            true	true
            => nil
        "#]],
    );
}
