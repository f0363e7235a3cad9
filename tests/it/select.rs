//! `channel.select`: which case wins, and what it leaves behind.

use expect_test::expect;

use crate::check::check_main;

#[test]
fn the_first_ready_case_in_listing_order_wins() {
    check_main(
        r#"
        local a, b, c = channel.new(1), channel.new(1), channel.new(1)
        b:send("b") c:send("c")
        local function show(result)
            local name = result.channel == a and "a" or result.channel == b and "b" or result.channel == c and "c"
            print(name, result.value, result.ok, result.default)
        end
        local function all() return channel.select { a:case_receive(), c:case_receive(), b:case_receive() } end
        show(all())
        show(all())
        a:send("a") b:send("b") c:send("c")
        show(all()) show(all()) show(all())
        show(channel.select { a:case_receive(), b:case_send("sent") })
        show(channel.select { b:case_receive(), c:case_send("not sent") })
        show(channel.select { b:case_receive(), c:case_receive(), default = true })
        "#,
        expect![[r#"
            c	c	true	nil
            b	b	true	nil
            a	a	true	nil
            c	c	true	nil
            b	b	true	nil
            b	sent	true	nil
            b	sent	true	nil
            false	nil	true	true
            => nil
        "#]],
    );
}

#[test]
fn the_result_has_exactly_what_is_promised() {
    check_main(
        r#"
        local ch = channel.new(1)
        local function keys(result)
            local keys = {}
            for k in pairs(result) do keys[#keys + 1] = k end
            table.sort(keys)
            print(table.concat(keys, " "))
        end
        keys(channel.select { default = true })
        keys(channel.select { ch:case_receive(), default = true })
        keys(channel.select { ch:case_send(1), default = true })
        keys(channel.select { ch:case_receive(), default = true })
        "#,
        expect![[r#"
            default ok
            default ok
            channel ok value
            channel ok value
            => nil
        "#]],
    );
}

#[test]
fn a_select_waits_until_a_case_is_ready() {
    check_main(
        r#"
        local a, b = channel.new(), channel.new()
        coroutine.spawn(function()
            local result = channel.select { a:case_receive(), b:case_receive() }
            print("received", result.channel == b, result.value, result.ok)
            result = channel.select { a:case_receive(), b:case_send("back") }
            print("sent", result.channel == b, result.value, result.ok)
        end)
        print(b:send("there"))
        print(b:receive())
        time.sleep(0)
        "#,
        expect![[r#"
            true
            received	true	there	true
            sent	true	back	true
            back	true
            => nil
        "#]],
    );
}

#[test]
fn the_cases_that_lose_take_nothing() {
    check_main(
        r#"
        local a, b, c = channel.new(), channel.new(), channel.new()
        coroutine.spawn(function()
            channel.select { a:case_receive(), b:case_receive(), c:case_send("lost") }
        end)
        a:send("won")
        -- Its cases on b and c must be gone.
        coroutine.spawn(function() b:send("for another") end)
        print(b:receive())
        print(channel.select { c:case_receive(), default = true }.default)
        print(channel.select { a:case_send(1), b:case_send(1), default = true }.default)
        coroutine.spawn(function() b:send("waits") end)
        a = channel.new(1)
        a:send("ready")
        print(channel.select { a:case_receive(), b:case_receive() }.value)
        print(b:receive())
        "#,
        expect![[r#"
            for another	true
            true
            true
            ready
            waits	true
            => nil
        "#]],
    );
}

#[test]
fn a_closed_channel_is_ready_to_receive_and_raises_to_send() {
    check_main(
        r#"
        local ch, other = channel.new(1), channel.new(1)
        ch:send("last")
        ch:close()
        for _ = 1, 2 do
            local result = channel.select { ch:case_receive() }
            print(result.channel == ch, result.value, result.ok)
        end
        print(raised(channel.select, { ch:case_send(1) }))
        print(raised(channel.select, { ch:case_send(1), default = true }))
        print(select(2, pcall(function() channel.select { ch:case_send(1) } end)))
        other:send("first")
        print(channel.select { other:case_receive(), ch:case_send(1) }.value)
        "#,
        expect![[r#"
            true	last	true
            true	nil	false
            send on closed channel
            send on closed channel
            main.lua:11: send on closed channel
            first
            => nil
        "#]],
    );
}

#[test]
fn close_wakes_a_select_that_waits() {
    check_main(
        r#"
        local a, b, c = channel.new(), channel.new(), channel.new()
        coroutine.spawn(function()
            local result = channel.select { a:case_receive(), b:case_receive() }
            print("received", result.channel == b, result.value, result.ok)
        end)
        coroutine.spawn(function() print("sent", raised(channel.select, { c:case_send(1), a:case_receive() })) end)
        b:close()
        c:close()
        time.sleep(0)
        "#,
        expect![[r#"
            received	true	nil	false
            sent	send on closed channel
            => nil
        "#]],
    );
}

#[test]
fn what_is_no_case_is_a_bad_argument() {
    check_main(
        r#"
        local ch = channel.new(1)
        ch:send("still there")
        for _, cases in ipairs { { 5 }, { ch }, { ch:case_receive(), "x" }, { {} }, { print, default = true } } do
            print(raised(function() channel.select(cases) end):match("^bad argument #1 to 'select'"))
        end
        print(raised(function() channel.select(5) end))
        print(ch:receive())
        "#,
        expect![[r#"
            bad argument #1 to 'select'
            bad argument #1 to 'select'
            bad argument #1 to 'select'
            bad argument #1 to 'select'
            bad argument #1 to 'select'
            bad argument #1 to 'select' (table expected, got number)
            still there	true
            => nil
        "#]],
    );
}

#[test]
fn no_case_and_no_default_waits_for_ever() {
    check_main(
        r#"
        coroutine.spawn(function() channel.select {} print("never") end)
        time.sleep("5ms")
        return channel.select { default = true }
        "#,
        expect![[r#"
            => {"default" = true, "ok" = true}
        "#]],
    );
}

#[test]
fn a_select_does_not_serve_itself() {
    check_main(
        r#"
        local ch = channel.new()
        print(channel.select { ch:case_send(1), ch:case_receive(), default = true }.default)
        coroutine.spawn(function()
            local result = channel.select { ch:case_send("from one"), ch:case_receive() }
            print("one", result.value)
        end)
        local result = channel.select { ch:case_receive(), ch:case_send("from two") }
        print("two", result.value)
        time.sleep(0)
        "#,
        expect![[r#"
            true
            two	from one
            one	from one
            => nil
        "#]],
    );
}

#[test]
fn cases_can_be_used_again_and_twice() {
    check_main(
        r#"
        local ch = channel.new()
        local case = ch:case_receive()
        local cases = { case, case }
        coroutine.spawn(function() for i = 1, 3 do ch:send(i) end end)
        for _ = 1, 3 do print(channel.select(cases).value) end
        for i = 1, 2 do coroutine.spawn(function() print("select", i, channel.select(cases).value) end) end
        ch:send("a") ch:send("b")
        time.sleep(0)
        print(channel.select { case, default = true }.default)
        "#,
        expect![[r#"
            1
            2
            3
            select	1	a
            select	2	b
            true
            => nil
        "#]],
    );
}

#[test]
fn waiting_selects_and_receivers_are_served_in_order() {
    check_main(
        r#"
        local ch = channel.new()
        coroutine.spawn(function() print(1, ch:receive()) end)
        coroutine.spawn(function() print(2, channel.select { ch:case_receive() }.value) end)
        coroutine.spawn(function() print(3, ch:receive()) end)
        for i = 1, 3 do ch:send(i) end
        time.sleep(0)
        "#,
        expect![[r#"
            1	1	true
            2	2
            3	3	true
            => nil
        "#]],
    );
}

#[test]
fn a_select_over_mailbox_channels_and_timers() {
    check_main(
        r#"
        local me, t, inbox, events = process.pid(), process.listen("t"), process.inbox(), process.events()
        local function next(timeout)
            local after = time.after(timeout)
            local result = channel.select {
                t:case_receive(), inbox:case_receive(), events:case_receive(), after:case_receive(),
            }
            if result.channel == t then return "topic " .. result.value end
            if result.channel == inbox then return "inbox " .. result.value:topic() end
            if result.channel == events then return "event " .. result.value.kind end
            return "timeout " .. tostring(result.ok)
        end
        print(next("2ms"))
        process.send(me, "other", 1) process.send(me, "t", 2)
        time.sleep("5ms")
        print(next("1h")) print(next("1h"))
        process.spawn_monitored("app:gives", "app:processes")
        print(next("1h"))
        print(next("0s"))
        "#,
        expect![[r#"
            timeout true
            topic 2
            inbox other
            event pid.exit
            timeout true
            => nil
        "#]],
    );
}

#[test]
fn a_loop_that_polls_hears_of_its_messages() {
    check_main(
        r#"
        local ch, turns = process.listen("t"), 0
        spawn("sender", process.pid())
        while true do
            local result = channel.select { ch:case_receive(), default = true }
            if not result.default then return result.value end
        end
-- entry: sender
return { main = function(to) time.sleep("5ms") process.send(to, "t", "heard") end }
        "#,
        expect![[r#"
            => "heard"
        "#]],
    );
}

#[test]
fn waiting_selects_and_senders_are_served_in_order() {
    check_main(
        r#"
        local ch = channel.new()
        coroutine.spawn(function() ch:send(1) end)
        coroutine.spawn(function() channel.select { ch:case_send(2) } end)
        coroutine.spawn(function() ch:send(3) end)
        for _ = 1, 3 do print(ch:receive()) end
        "#,
        expect![[r#"
            1	true
            2	true
            3	true
            => nil
        "#]],
    );
}

#[test]
fn only_a_true_default_keeps_a_select_from_waiting() {
    check_main(
        r#"
        local ch = channel.new()
        coroutine.spawn(function()
            print(channel.select { ch:case_receive(), default = false }.value)
            print(channel.select { ch:case_receive(), default = nil }.value)
        end)
        ch:send("waited") ch:send("again")
        time.sleep(0)
        "#,
        expect![[r#"
            waited
            again
            => nil
        "#]],
    );
}
