//! Arguments: what is refused, what raises, and in which order they are looked at.

use expect_test::expect;

use crate::check::check_main;

#[test]
fn an_error_prints_concatenates_and_has_a_kind() {
    check_main(
        r#"
        local pid, err = process.registry.lookup("nobody")
        print(pid, "failed: " .. err, err .. "!", err .. err == tostring(err) .. tostring(err))
        return err:kind() == errors.NOT_FOUND
        "#,
        expect![[r#"
            nil	failed: name `nobody` not found	name `nobody` not found!	true
            => true
        "#]],
    );
}

#[test]
fn a_required_argument_that_is_absent_or_nil_is_invalid() {
    check_main(
        r#"
        local me = process.pid()
        local calls = {
            { "send", process.send }, { "send topic", process.send, me }, { "listen", process.listen },
            { "spawn", process.spawn }, { "spawn host", process.spawn, "app:waits" },
            { "spawn_monitored", process.spawn_monitored }, { "spawn_linked", process.spawn_linked },
            { "spawn_linked_monitored", process.spawn_linked_monitored, "app:waits" },
            { "terminate", process.terminate }, { "cancel", process.cancel },
            { "monitor", process.monitor }, { "unmonitor", process.unmonitor },
            { "link", process.link }, { "unlink", process.unlink },
            { "register", process.registry.register }, { "lookup", process.registry.lookup },
            { "unregister", process.registry.unregister },
            { "sleep", time.sleep }, { "after", time.after }, { "timer", time.timer }, { "ticker", time.ticker },
            { "unlisten", process.unlisten }, { "set_options", process.set_options },
        }
        for _, call in ipairs(calls) do
            local name, f, first = call[1], call[2], call[3]
            local value, err
            if first then value, err = f(first) else value, err = f() end
            local again, err2
            if first then again, err2 = f(first, nil) else again, err2 = f(nil) end
            assert(value == again and err2:kind() == err:kind(), name)
            print(name, value, err:kind())
        end
        "#,
        expect![[r#"
            send	nil	Invalid
            send topic	nil	Invalid
            listen	nil	Invalid
            spawn	nil	Invalid
            spawn host	nil	Invalid
            spawn_monitored	nil	Invalid
            spawn_linked	nil	Invalid
            spawn_linked_monitored	nil	Invalid
            terminate	nil	Invalid
            cancel	nil	Invalid
            monitor	nil	Invalid
            unmonitor	nil	Invalid
            link	nil	Invalid
            unlink	nil	Invalid
            register	nil	Invalid
            lookup	nil	Invalid
            unregister	nil	Invalid
            sleep	nil	Invalid
            after	nil	Invalid
            timer	nil	Invalid
            ticker	nil	Invalid
            unlisten	false	Invalid
            set_options	false	Invalid
            => nil
        "#]],
    );
}

#[test]
fn a_wrong_type_raises_as_luas_own_functions_do() {
    check_main(
        r#"
        local me, r = process.pid(), process.registry
        print(raised(function() process.send({}, "t") end))
        print(raised(function() process.send(me, true) end))
        print(raised(function() process.listen(print) end))
        print(raised(function() process.listen("t", 5) end))
        print(raised(function() process.unlisten("t") end))
        print(raised(function() process.spawn({}, "app:processes") end))
        print(raised(function() process.spawn("app:waits", {}) end))
        print(raised(function() process.spawn_monitored(true, "h") end))
        print(raised(function() process.spawn_linked(true, "h") end))
        print(raised(function() process.spawn_linked_monitored(true, "h") end))
        print(raised(function() process.terminate({}) end))
        print(raised(function() process.cancel({}) end))
        print(raised(function() process.monitor({}) end))
        print(raised(function() process.unmonitor({}) end))
        print(raised(function() process.link({}) end))
        print(raised(function() process.unlink({}) end))
        print(raised(function() r.register({}) end))
        print(raised(function() r.register("n", {}) end))
        print(raised(function() r.lookup({}) end))
        print(raised(function() r.unregister({}) end))
        print((select(2, pcall(function() process.send({}, "t") end))))
        "#,
        expect![[r#"
            bad argument #1 to 'send' (string expected, got table)
            bad argument #2 to 'send' (string expected, got boolean)
            bad argument #1 to 'listen' (string expected, got function)
            bad argument #2 to 'listen' (table expected, got number)
            bad argument #1 to 'unlisten' (channel expected, got string)
            bad argument #1 to 'spawn' (string expected, got table)
            bad argument #2 to 'spawn' (string expected, got table)
            bad argument #1 to 'spawn_monitored' (string expected, got boolean)
            bad argument #1 to 'spawn_linked' (string expected, got boolean)
            bad argument #1 to 'spawn_linked_monitored' (string expected, got boolean)
            bad argument #1 to 'terminate' (string expected, got table)
            bad argument #1 to 'cancel' (string expected, got table)
            bad argument #1 to 'monitor' (string expected, got table)
            bad argument #1 to 'unmonitor' (string expected, got table)
            bad argument #1 to 'link' (string expected, got table)
            bad argument #1 to 'unlink' (string expected, got table)
            bad argument #1 to 'register' (string expected, got table)
            bad argument #2 to 'register' (string expected, got table)
            bad argument #1 to 'lookup' (string expected, got table)
            bad argument #1 to 'unregister' (string expected, got table)
            main.lua:23: bad argument #1 to 'send' (string expected, got table)
            => nil
        "#]],
    );
}

#[test]
fn numbers_pass_for_strings() {
    check_main(
        r#"
        process.send(process.pid(), 5, "five")
        print(process.listen("5"):receive())
        print(process.listen(5) == process.listen("5"))
        print(process.registry.register(12))
        print(process.registry.lookup("12"))
        print(process.send(12, "t"))
        print(kind(process.spawn(1, 2)))
        "#,
        expect![[r#"
            five	true
            true
            true	nil
            {app:processes|0x00001}	nil
            true	nil
            nil	NotFound
            => nil
        "#]],
    );
}

#[test]
fn optional_arguments_may_be_nil() {
    check_main(
        r#"
        print(process.listen("t", nil) == process.listen("t"))
        print(process.listen("t", {}) == process.listen("t"))
        print(process.registry.register("me", nil))
        print(process.registry.lookup("me"))
        print(process.cancel(process.pid(), nil))
        print(channel.new(nil) ~= nil)
        "#,
        expect![[r#"
            true
            true
            true	nil
            {app:processes|0x00001}	nil
            true	nil
            true
            => nil
        "#]],
    );
}

#[test]
fn arguments_are_looked_at_before_the_destination() {
    check_main(
        r#"
        print(kind(process.send("nobody", "@t")))
        print(kind(process.send("nobody", "t", print)))
        print(kind(process.cancel("nobody", "soon")))
        print(kind(process.spawn("app:nothing", "app:processes", print)))
        print(kind(process.send("nobody", "t")))
        print(kind(process.cancel("nobody", "1s")))
        print(kind(process.spawn("app:nothing", "app:processes")))
        "#,
        expect![[r#"
            nil	Invalid
            nil	Invalid
            nil	Invalid
            nil	Invalid
            nil	NotFound
            nil	NotFound
            nil	NotFound
            => nil
        "#]],
    );
}

#[test]
fn text_of_a_pids_form_is_a_pid_and_everything_else_a_name() {
    check_main(
        r#"
        process.registry.register("{name}")
        process.registry.register("a|b")
        print(process.send("{name}", "t"), process.send("a|b", "t"))
        for _, dest in ipairs { "{x|y}", "{app:processes|0x0ffff}", "{app:other|0x00001}", "{|}", "nobody" } do
            print(dest, kind(process.send(dest, "t")))
        end
        "#,
        expect![[r#"
            true	true	nil
            {x|y}	nil	NotFound
            {app:processes|0x0ffff}	nil	NotFound
            {app:other|0x00001}	nil	NotFound
            {|}	nil	NotFound
            nobody	nil	NotFound
            => nil
        "#]],
    );
}

#[test]
fn topics_and_names_have_1_to_255_bytes() {
    check_main(
        r#"
        local me, r = process.pid(), process.registry
        local longest, longer, wide = ("x"):rep(255), ("x"):rep(256), ("\u{e9}"):rep(128)
        print(process.send(me, longest), process.listen(longest) ~= nil, r.register(longest))
        print(r.lookup(longest), r.unregister(longest))
        for _, text in ipairs { "", longer, wide } do
            local function invalid(value, err) return value == nil and err:kind() == errors.INVALID end
            print(invalid(process.send(me, text)), invalid(process.listen(text)), invalid(r.register(text)),
                invalid(r.lookup(text)), invalid(r.unregister(text)))
        end
        "#,
        expect![[r#"
            true	true	true	nil
            {app:processes|0x00001}	true	nil
            true	true	true	true	true
            true	true	true	true	true
            true	true	true	true	true
            => nil
        "#]],
    );
}

#[test]
fn a_topic_that_begins_with_an_at_sign_is_reserved() {
    check_main(
        r#"
        for _, topic in ipairs { "@", "@inbox", "@events", "@mine" } do
            local _, sent = process.send(process.pid(), topic, 1)
            local _, listened = process.listen(topic)
            print(topic, sent:kind(), listened:kind())
        end
        return process.send(process.pid(), "a@b")
        "#,
        expect![[r#"
            @	Invalid	Invalid
            @inbox	Invalid	Invalid
            @events	Invalid	Invalid
            @mine	Invalid	Invalid
            => true
        "#]],
    );
}

#[test]
fn a_name_of_a_pids_form_is_invalid() {
    check_main(
        r#"
        for _, f in ipairs { process.registry.register, process.registry.lookup, process.registry.unregister } do
            print(kind(f("{a|b}")))
            print(kind(f(process.pid())))
        end
        "#,
        expect![[r#"
            nil	Invalid
            nil	Invalid
            nil	Invalid
            nil	Invalid
            nil	Invalid
            nil	Invalid
            => nil
        "#]],
    );
}

#[test]
fn durations_are_text_in_gos_notation_milliseconds_or_objects() {
    check_main(
        r#"
        for _, d in ipairs { "300ms", "1.5h", "1h30m", "7ns", "7us", "7\u{b5}s", "0", "0s", ".5s", "2m3.25s" } do
            print(d, time.parse_duration(d):nanoseconds())
        end
        for _, d in ipairs { "0s", 0, 1, 2.0, "2", time.MILLISECOND, 2 * time.MILLISECOND, 0 * time.SECOND } do
            print(kind(time.sleep(d)))
        end
        "#,
        expect![[r#"
            300ms	300000000
            1.5h	5400000000000
            1h30m	5400000000000
            7ns	7
            7us	7000
            7µs	7000
            0	0
            0s	0
            .5s	500000000
            2m3.25s	123250000000
            true	nil
            true	nil
            true	nil
            true	nil
            nil	Invalid
            true	nil
            true	nil
            true	nil
            => nil
        "#]],
    );
}

#[test]
fn a_bad_duration_is_invalid_wherever_one_is_taken() {
    check_main(
        r#"
        local me = process.pid()
        local bad = { "", "s", "5", "5 s", "5x", "1s2", "soon", "-1s", -1, 1.5, 0/0, 1/0, -time.SECOND, "9999999h" }
        for _, d in ipairs(bad) do
            for name, f in pairs { sleep = time.sleep, after = time.after, timer = time.timer, ticker = time.ticker } do
                local value, err = f(d)
                assert(value == nil and err:kind() == errors.INVALID, name .. " takes " .. tostring(d))
            end
            local value, err = process.cancel(me, d)
            assert(value == nil and err:kind() == errors.INVALID, "cancel takes " .. tostring(d))
        end
        print(raised(function() time.sleep({}) end):match("^bad argument #1 to 'sleep'"))
        print(raised(function() time.after(true) end):match("^bad argument #1 to 'after'"))
        print(raised(function() process.cancel(me, {}) end):match("^bad argument #2 to 'cancel'"))
        "#,
        expect![[r#"
            bad argument #1 to 'sleep'
            bad argument #1 to 'after'
            bad argument #2 to 'cancel'
            => nil
        "#]],
    );
}

#[test]
fn zero_is_allowed_where_one_waits_once() {
    check_main(
        r#"
        print(time.sleep(0), time.after(0) ~= nil)
        local pid = process.spawn_monitored("app:waits", "app:processes")
        print(process.cancel(pid, 0))
        print(process.events():receive().error:kind())
        print(kind(time.timer(0)))
        print(kind(time.ticker("0s")))
        print(kind(time.timer("1h"):reset(0)))
        "#,
        expect![[r#"
            true	true
            true	nil
            Canceled
            nil	Invalid
            nil	Invalid
            nil	Invalid
            => nil
        "#]],
    );
}

#[test]
fn a_name_one_sends_to_has_1_to_255_bytes_too() {
    check_main(
        r#"
        local longest = ("x"):rep(255)
        for _, name in ipairs { "send", "terminate", "cancel", "monitor", "unmonitor", "link", "unlink" } do
            local function try(dest)
                local _, err
                if name == "send" then _, err = process.send(dest, "t") else _, err = process[name](dest) end
                return err:kind()
            end
            print(name, try(""), try(longest .. "x"), try(longest))
        end
        "#,
        expect![[r#"
            send	Invalid	Invalid	NotFound
            terminate	Invalid	Invalid	NotFound
            cancel	Invalid	Invalid	NotFound
            monitor	Invalid	Invalid	NotFound
            unmonitor	Invalid	Invalid	NotFound
            link	Invalid	Invalid	NotFound
            unlink	Invalid	Invalid	NotFound
            => nil
        "#]],
    );
}

#[test]
fn topics_and_names_are_utf_8() {
    check_main(
        r#"
        local me, r = process.pid(), process.registry
        for _, text in ipairs { "\xff", "a\xc3", "\xed\xa0\x80" } do
            for _, f in ipairs { process.listen, r.register, r.lookup, r.unregister } do
                assert(select(2, kind(f(text))) == errors.INVALID)
            end
            print(kind(process.send(me, text)))
        end
        "#,
        expect![[r#"
            nil	Invalid
            nil	Invalid
            nil	Invalid
            => nil
        "#]],
    );
}
