//! Channels: sending, receiving, closing, and whose turn it is.

use expect_test::expect;

use crate::check::check_main;

#[test]
fn a_send_waits_for_its_receiver() {
    check_main(
        r#"
        local ch = channel.new()
        coroutine.spawn(function()
            print("sending")
            print("sent", ch:send("value"))
        end)
        print("receiving")
        print("received", ch:receive())
        time.sleep(0)
        "#,
        expect![[r#"
            sending
            receiving
            received	value	true
            sent	true
            => nil
        "#]],
    );
}

#[test]
fn a_receive_waits_for_its_sender() {
    check_main(
        r#"
        local ch = channel.new()
        coroutine.spawn(function()
            print("receiving")
            print("received", ch:receive())
        end)
        print("sending")
        print("sent", ch:send("value"))
        time.sleep(0)
        "#,
        expect![[r#"
            receiving
            sending
            sent	true
            received	value	true
            => nil
        "#]],
    );
}

#[test]
fn a_buffer_takes_as_many_values_as_it_has_room_for() {
    check_main(
        r#"
        local ch = channel.new(2)
        coroutine.spawn(function()
            for i = 1, 4 do ch:send(i) print("sent", i) end
        end)
        for _ = 1, 4 do print("received", ch:receive()) time.sleep(0) end
        "#,
        expect![[r#"
            sent	1
            sent	2
            received	1	true
            sent	3
            received	2	true
            sent	4
            received	3	true
            received	4	true
            => nil
        "#]],
    );
}

#[test]
fn values_of_every_type_pass_uncopied() {
    check_main(
        r#"
        local ch, t, f = channel.new(9), {}, function() end
        for _, v in ipairs { t, f, false, 1, 1.0, "x", ch } do
            ch:send(v)
            local got, ok = ch:receive()
            assert(rawequal(got, v) and math.type(got) == math.type(v) and ok == true)
        end
        ch:send(nil)
        print(ch:receive())
        print(ch:send())
        print(ch:receive())
        "#,
        expect![[r#"
            nil	true
            true
            nil	true
            => nil
        "#]],
    );
}

#[test]
fn a_closed_channel_is_drained_and_then_empty() {
    check_main(
        r#"
        local ch = channel.new(3)
        ch:send(1) ch:send(nil)
        ch:close()
        ch:close()
        print(ch:receive())
        print(ch:receive())
        print(ch:receive())
        print(ch:receive())
        print(raised(ch.send, ch, 2))
        print(select(2, pcall(function() ch:send(2) end)))
        "#,
        expect![[r#"
            1	true
            nil	true
            nil	false
            nil	false
            send on closed channel
            main.lua:11: send on closed channel
            => nil
        "#]],
    );
}

#[test]
fn close_wakes_receivers_and_raises_in_senders_that_wait() {
    check_main(
        r#"
        local ch = channel.new()
        for i = 1, 2 do coroutine.spawn(function() print("receiver", i, ch:receive()) end) end
        ch:close()
        local full = channel.new(1)
        full:send("kept")
        for i = 1, 2 do coroutine.spawn(function() print("sender", i, raised(full.send, full, i)) end) end
        full:close()
        time.sleep(0)
        print(full:receive())
        print(full:receive())
        "#,
        expect![[r#"
            receiver	1	nil	false
            receiver	2	nil	false
            sender	1	send on closed channel
            sender	2	send on closed channel
            kept	true
            nil	false
            => nil
        "#]],
    );
}

#[test]
fn who_waits_longest_is_served_first() {
    check_main(
        r#"
        local ch = channel.new()
        for i = 1, 4 do coroutine.spawn(function() print("receiver", i, ch:receive()) end) end
        for i = 1, 4 do ch:send(i * 10) end
        time.sleep(0)
        for i = 1, 4 do coroutine.spawn(function() ch:send(i) end) end
        for _ = 1, 4 do print(ch:receive()) end
        "#,
        expect![[r#"
            receiver	1	10	true
            receiver	2	20	true
            receiver	3	30	true
            receiver	4	40	true
            1	true
            2	true
            3	true
            4	true
            => nil
        "#]],
    );
}

#[test]
fn senders_that_wait_move_into_a_buffer_in_order() {
    check_main(
        r#"
        local ch = channel.new(2)
        for i = 1, 6 do coroutine.spawn(function() ch:send(i) end) end
        local got = {}
        for i = 1, 6 do got[i] = ch:receive() end
        return got
        "#,
        expect![[r#"
            => {1, 2, 3, 4, 5, 6}
        "#]],
    );
}

#[test]
fn a_bad_size_is_refused_and_a_wrong_object_raises() {
    check_main(
        r#"
        print(kind(channel.new(-1)))
        print(kind(channel.new(1.5)))
        print(kind(channel.new(0/0)))
        print(raised(function() channel.new("x") end):match("^bad argument #1 to 'new'"))
        print(raised(function() channel.new({}) end):match("^bad argument #1 to 'new'"))
        local ch = channel.new()
        for _, method in ipairs { "send", "receive", "close", "case_receive", "case_send" } do
            print(raised(function() ch[method]({}) end):match("^bad argument #1 to") or method)
        end
        "#,
        expect![[r#"
            nil	Invalid
            nil	Invalid
            nil	Invalid
            bad argument #1 to 'new'
            bad argument #1 to 'new'
            bad argument #1 to
            bad argument #1 to
            bad argument #1 to
            bad argument #1 to
            bad argument #1 to
            => nil
        "#]],
    );
}

#[test]
fn a_pipeline_of_coroutines_carries_everything() {
    check_main(
        r#"
        local function stage(source)
            local out = channel.new()
            coroutine.spawn(function()
                for v in function() return (source:receive()) end do out:send(v + 1) end
                out:close()
            end)
            return out
        end
        local first = channel.new()
        coroutine.spawn(function() for i = 1, 100 do first:send(i) end first:close() end)
        local last = first
        for _ = 1, 50 do last = stage(last) end
        local sum = 0
        for v in function() return (last:receive()) end do sum = sum + v end
        return sum
        "#,
        expect![[r#"
            => 10050
        "#]],
    );
}
