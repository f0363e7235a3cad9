//! Channels and select.

use expect_test::expect;

use super::*;

#[test]
fn a_buffered_channel_keeps_order_and_closes_drained() {
    check(
        "local ch = channel.new(2)
        print(ch:send(1), ch:send(nil))
        ch:close() ch:close()
        print(ch:receive()) print(ch:receive()) print(ch:receive()) print(ch:receive())
        print(pcall(ch.send, ch, 1))",
        expect![[r#"
            true	true
            1	true
            nil	true
            nil	false
            nil	false
            false	send on closed channel
            => nil
        "#]],
    );
}

#[test]
fn an_unbuffered_send_waits_for_its_receiver() {
    check(
        "local ch = channel.new()
        coroutine.spawn(function() print('sending') print('sent', ch:send('v')) end)
        print('receiving') print(ch:receive())",
        expect![[r#"
            sending
            receiving
            v	true
            => nil
        "#]],
    );
}

#[test]
fn waiting_ones_are_served_first_come_first_served() {
    check(
        "local ch = channel.new()
        for i = 1, 3 do coroutine.spawn(function() print('receiver', i, ch:receive()) end) end
        for i = 1, 3 do ch:send('v' .. i) end
        time.sleep(1)
        for i = 1, 3 do coroutine.spawn(function() ch:send('s' .. i) print('sender', i) end) end
        for i = 1, 3 do print(ch:receive()) end
        time.sleep(1)",
        expect![[r#"
            receiver	1	v1	true
            receiver	2	v2	true
            receiver	3	v3	true
            s1	true
            s2	true
            s3	true
            sender	1
            sender	2
            sender	3
            => nil
        "#]],
    );
}

#[test]
fn a_full_buffer_makes_senders_wait_in_order() {
    check(
        "local ch = channel.new(1)
        for i = 1, 4 do coroutine.spawn(function() ch:send(i) print('sent', i) end) end
        for i = 1, 4 do print('got', (ch:receive())) end
        time.sleep(1)",
        expect![[r#"
            sent	1
            got	1
            got	2
            got	3
            got	4
            sent	2
            sent	3
            sent	4
            => nil
        "#]],
    );
}

#[test]
fn close_wakes_receivers_and_raises_in_senders() {
    check(
        "local ch = channel.new()
        coroutine.spawn(function() print('receiver', ch:receive()) end)
        ch:close()
        local other = channel.new()
        coroutine.spawn(function()
          print('sender', pcall(function() other:send(1) end))
          print('select', pcall(function() channel.select{ other:case_send(1) } end))
        end)
        other:close()
        time.sleep(1)",
        expect![[r#"
            receiver	nil	false
            sender	false	main.lua:6: send on closed channel
            select	false	main.lua:7: send on closed channel
            => nil
        "#]],
    );
}

#[test]
fn select_takes_the_first_ready_case_in_order() {
    check(
        "local a, b, c = channel.new(1), channel.new(1), channel.new(1)
        local function show(r)
          print(r.channel == a and 'a' or r.channel == b and 'b' or r.channel == c and 'c', r.value, r.ok, r.default)
        end
        b:send(1) c:send(2)
        local cases = { a:case_receive(), b:case_receive(), c:case_receive(), default = true }
        show(channel.select(cases)) show(channel.select(cases)) show(channel.select(cases))
        show(channel.select{ a:case_send('x'), default = true })
        show(channel.select{ a:case_send('y'), default = true })
        show(channel.select(cases))
        b:close()
        show(channel.select(cases))
        print(pcall(function() channel.select{ b:case_send(1), default = true } end))",
        expect![[r#"
            b	1	true	nil
            c	2	true	nil
            false	nil	true	true
            a	x	true	nil
            false	nil	true	true
            a	x	true	nil
            b	nil	false	nil
            false	main.lua:13: send on closed channel
            => nil
        "#]],
    );
}

#[test]
fn select_waits_and_leaves_the_other_queues() {
    check(
        "local a, b = channel.new(), channel.new()
        coroutine.spawn(function()
          for i = 1, 2 do
            local r = channel.select{ a:case_receive(), b:case_receive() }
            print(r.channel == a and 'a' or 'b', r.value, r.ok)
          end
          local r = channel.select{ a:case_send('from select'), b:case_receive() }
          print(r.channel == a, r.value, r.ok)
        end)
        b:send(1) a:send(2)
        print(a:receive())
        print(channel.select{ a:case_send(1), b:case_send(1), default = true }.default)",
        expect![[r#"
            b	1	true
            a	2	true
            from select	true
            true
            => nil
        "#]],
    );
}

#[test]
fn a_case_object_may_be_used_again_and_twice_at_once() {
    check(
        "local ch, other = channel.new(), channel.new()
        local case = ch:case_receive()
        for i = 1, 2 do
          coroutine.spawn(function()
            print(i, channel.select{ case, case, other:case_receive() }.value)
          end)
        end
        ch:send('a') ch:send('b') time.sleep(1)
        coroutine.spawn(function() ch:send('c') end)
        print(channel.select{ case }.value)
        print(channel.select{ case, default = true }.default)",
        expect![[r#"
            1	a
            2	b
            c
            true
            => nil
        "#]],
    );
}

#[test]
fn wrong_arguments_are_named() {
    check(
        "local ch = channel.new()
        local function try(f, ...) print(select(2, pcall(f, ...))) end
        try(function() channel.select(1) end)
        try(function() channel.select{ ch } end)
        try(function() channel.select{ {} } end)
        try(function() channel.new('x') end)
        print(channel.new(1.5))
        print(channel.new(1/0))
        print(channel.new(-1))
        try(function() ch.receive() end)
        try(function() ch.receive('x') end)
        try(function() ch.send({}, 1) end)
        try(function() time.after(1):send(1) end)
        try(function() process.inbox():close() end)
        try(function() process.events():case_send(1) end)
        print(getmetatable(ch), type(ch), (tostring(ch):gsub('0x%x+', 'ADDRESS')), ch.nothing)",
        expect![[r#"
            main.lua:3: bad argument #1 to 'select' (table expected, got number)
            main.lua:4: bad argument #1 to 'select' (case expected at index 1, got channel)
            main.lua:5: bad argument #1 to 'select' (case expected at index 1, got table)
            main.lua:6: bad argument #1 to 'new' (integer expected, got string)
            nil	size 1.5 is not an integer
            nil	size inf is not an integer
            nil	size -1 is negative
            main.lua:10: bad argument #1 to 'receive' (channel expected, got no value)
            main.lua:11: bad argument #1 to 'receive' (channel expected, got string)
            main.lua:12: bad argument #1 to 'send' (channel expected, got table)
            main.lua:13: send on a receive-only channel
            main.lua:14: close of a receive-only channel
            main.lua:15: send on a receive-only channel
            false	table	channel: ADDRESS	nil
            => nil
        "#]],
    );
}

#[test]
fn no_case_and_no_default_waits_for_ever() {
    check(
        "channel.select{}",
        expect![[r#"
        !! ErrorKind::Internal: all coroutines blocked {"reason": "deadlock"}
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "print(channel.select{ default = true }.default)",
        expect![[r#"
        true
        => nil
    "#]],
    );
}

#[test]
fn a_select_that_loops_leaves_nothing_behind() {
    check(
        "local idle, busy = channel.new(), channel.new()
        coroutine.spawn(function() for i = 1, 20000 do busy:send(i) end busy:close() end)
        collectgarbage() local before = collectgarbage('count')
        while channel.select{ idle:case_receive(), busy:case_receive() }.ok do end
        collectgarbage() print(collectgarbage('count') - before < 20)",
        expect![[r#"
            true
            => nil
        "#]],
    );
}
