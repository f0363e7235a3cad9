//! Sending, listening, the inbox, and what happens to what nobody has asked for yet.

use expect_test::expect;
use lunarium_engine::{Limits, Value};
use lunarium_tests::{Lab, show_outcome};

use crate::check::{check_main, check_main_in};

mod shares;

#[test]
fn send_returns_true_and_the_message_arrives() {
    check_main(
        r#"
        print(process.send(process.pid(), "t", "hello"))
        print(process.listen("t"):receive())
        process.registry.register("me")
        print(process.send("me", "t", "by name"))
        print(process.listen("t"):receive())
        local child = process.spawn_monitored("app:waits", "app:processes")
        print(process.send(child, "any", 42))
        return process.events():receive().result.value
        "#,
        expect![[r#"
            true	nil
            hello	true
            true	nil
            by name	true
            true	nil
            => 42
        "#]],
    );
}

#[test]
fn no_payload_is_nil_one_is_itself_and_several_are_an_array_with_n() {
    check_main(
        r#"
        local me, ch = process.pid(), process.listen("t")
        process.send(me, "t")
        print(ch:receive())
        process.send(me, "t", nil)
        print(ch:receive())
        process.send(me, "t", false)
        print(ch:receive())
        process.send(me, "t", 1, nil, "three", nil)
        local several = ch:receive()
        print(several.n, several[1], several[2], several[3], several[4])
        process.send(me, "t", nil, nil)
        return ch:receive()
        "#,
        expect![[r#"
            nil	true
            nil	true
            false	true
            4	1	nil	three	nil
            => {"n" = 2}
        "#]],
    );
}

#[test]
fn a_dead_or_unknown_destination_is_not_found() {
    check_main(
        r#"
        local event = exit_of("gives")
        local function refused(dest)
            local ok, err = process.send(dest, "t", 1)
            print(ok, err:kind(), err:retryable())
        end
        refused(event.from)
        refused("{app:processes|0x01000}")
        refused("nobody")
        "#,
        expect![[r#"
            nil	NotFound	false
            nil	NotFound	false
            nil	NotFound	false
            => nil
        "#]],
    );
}

#[test]
fn a_message_of_more_than_1_mib_is_invalid() {
    check_main(
        r#"
        local me, ch = process.pid(), process.listen("t")
        print(kind(process.send(me, "t", ("x"):rep(1024 * 1024))))
        print(process.send(me, "t", ("x"):rep(1024 * 1024 - 16)))
        return #ch:receive()
        "#,
        expect![[r#"
            nil	Invalid
            true	nil
            => 1048560
        "#]],
    );
}

#[test]
fn messages_of_one_sender_keep_their_order_across_topics() {
    check_main(
        r#"
        spawn("sender", process.pid())
        local inbox, right = process.inbox(), 0
        for i = 1, 3000 do
            local msg = inbox:receive()
            if msg:payload() == i and msg:topic() == "topic " .. i % 7 then right = right + 1 end
        end
        return right
-- entry: sender
return { main = function(to)
    for i = 1, 3000 do assert(process.send(to, "topic " .. i % 7, i)) end
end }
        "#,
        expect![[r#"
            => 3000
        "#]],
    );
}

#[test]
fn each_of_many_senders_keeps_its_order() {
    check_main(
        r#"
        for who = 1, 10 do spawn("sender", process.pid(), who) end
        local ch, last = process.listen("t"), {}
        for _ = 1, 2000 do
            local got = ch:receive()
            assert(got.i == (last[got.who] or 0) + 1, "out of order")
            last[got.who] = got.i
        end
        return last
-- entry: sender
return { main = function(to, who)
    for i = 1, 200 do assert(process.send(to, "t", { who = who, i = i })) end
end }
        "#,
        expect![[r#"
            => {200, 200, 200, 200, 200, 200, 200, 200, 200, 200}
        "#]],
    );
}

#[test]
fn listen_inbox_and_events_give_the_same_channel_every_time() {
    check_main(
        r#"
        print(process.listen("t") == process.listen("t"), process.listen("t") == process.listen("u"))
        print(process.inbox() == process.inbox(), process.events() == process.events())
        print(process.inbox() == process.events())
        "#,
        expect![[r#"
            true	false
            true	true
            false
            => nil
        "#]],
    );
}

#[test]
fn a_listener_gets_its_topic_exactly() {
    check_main(
        r#"
        local me, ch, inbox = process.pid(), process.listen("a"), process.inbox()
        for _, topic in ipairs { "A", "a.b", "a ", "", "aa", "a" } do process.send(me, topic, topic) end
        print(ch:receive())
        for _ = 1, 4 do print(inbox:receive():topic()) end
        print(channel.select { ch:case_receive(), inbox:case_receive(), default = true }.default)
        "#,
        expect![[r#"
            a	true
            A
            a.b
            a 
            aa
            true
            => nil
        "#]],
    );
}

#[test]
fn the_message_option_holds_from_the_next_receive() {
    check_main(
        r#"
        local me, ch = process.pid(), process.listen("t")
        for i = 1, 5 do process.send(me, "t", i) end
        print(ch:receive())
        process.listen("t", { message = true })
        print(ch:receive():payload())
        process.listen("t")
        print(ch:receive():payload())
        process.listen("t", {})
        print(ch:receive():payload())
        process.listen("t", { message = false })
        print(ch:receive())
        "#,
        expect![[r#"
            1	true
            2
            3
            4
            5	true
            => nil
        "#]],
    );
}

#[test]
fn unlisten_closes_the_channel_and_what_was_routed_stays_readable_there() {
    check_main(
        r#"
        local me, ch = process.pid(), process.listen("t")
        process.send(me, "t", 1) process.send(me, "t", 2)
        print(ch:receive())
        print(process.unlisten(ch))
        process.send(me, "t", "later")
        print(ch:receive())
        print(ch:receive())
        print(process.inbox():receive():payload())
        print(process.listen("t") == ch)
        "#,
        expect![[r#"
            1	true
            true	nil
            2	true
            nil	false
            later
            false
            => nil
        "#]],
    );
}

#[test]
fn unlisten_wakes_who_waits_there() {
    check_main(
        r#"
        local ch = process.listen("t")
        coroutine.spawn(function() print("received", ch:receive()) end)
        coroutine.spawn(function()
            local got = channel.select { ch:case_receive() }
            print("selected", got.channel == ch, got.value, got.ok)
        end)
        print(process.unlisten(ch))
        time.sleep(0)
        "#,
        expect![[r#"
            true	nil
            received	nil	false
            selected	true	nil	false
            => nil
        "#]],
    );
}

#[test]
fn unlisten_of_what_is_not_listened_on_fails() {
    check_main(
        r#"
        local ch = process.listen("t")
        process.unlisten(ch)
        for _, ch in ipairs { ch, channel.new(), process.inbox(), process.events() } do
            local ok, err = process.unlisten(ch)
            print(ok, err:kind() ~= nil)
        end
        "#,
        expect![[r#"
            false	true
            false	true
            false	true
            false	true
            => nil
        "#]],
    );
}

#[test]
fn nothing_sent_before_listen_is_lost() {
    check_main(
        r#"
        local child = process.spawn_monitored("app:late", "app:processes")
        for i = 1, 3 do process.send(child, "a", i) process.send(child, "b", -i) end
        return process.events():receive().result.value
-- entry: late
return { main = function()
    time.sleep("20ms")
    local got, b = {}, process.listen("b")
    for i = 1, 3 do got[i] = b:receive() end
    local a = process.listen("a")
    for i = 4, 6 do got[i] = a:receive() end
    return got
end }
        "#,
        expect![[r#"
            => {-1, -2, -3, 1, 2, 3}
        "#]],
    );
}

#[test]
fn a_message_that_waits_for_the_inbox_goes_to_a_listener_that_comes_first() {
    check_main(
        r#"
        local me = process.pid()
        process.send(me, "a", 1) process.send(me, "b", 2) process.send(me, "a", 3)
        local inbox = process.inbox()
        time.sleep("5ms")
        local a = process.listen("a")
        print(a:receive())
        print(a:receive())
        print(inbox:receive():payload())
        return channel.select { a:case_receive(), inbox:case_receive(), default = true }
        "#,
        expect![[r#"
            1	true
            3	true
            2
            => {"default" = true, "ok" = true}
        "#]],
    );
}

#[test]
fn a_stuck_topic_does_not_hold_up_the_others() {
    check_main(
        r#"
        local go, stuck, count = process.listen("go"), process.listen("stuck"), 0
        spawn("sender", process.pid())
        print(go:receive())
        repeat count = count + 1 until stuck:receive() == 4500
        return count
-- entry: sender
return { main = function(to)
    for i = 1, 4500 do assert(process.send(to, "stuck", i)) end
    process.send(to, "go", "went")
end }
        "#,
        expect![[r#"
            went	true
            => 4500
        "#]],
    );
}

#[test]
fn what_a_listener_holds_is_unread_and_counted() {
    let lab = Lab::new(Limits { mailbox_messages: 3, ..Limits::default() });
    check_main_in(
        &lab,
        r#"
        local me, ch = process.pid(), process.listen("t")
        for i = 1, 3 do assert(process.send(me, "t", i)) end
        time.sleep("5ms")
        local ok, err = process.send(me, "other")
        print(ok, err:kind(), err:retryable())
        process.unlisten(ch)
        print(kind(process.send(me, "other")))
        print(ch:receive())
        print(process.send(me, "other"))
        "#,
        expect![[r#"
            nil	RateLimited	true
            nil	RateLimited
            1	true
            true	nil
            => nil
        "#]],
    );
}

#[test]
fn events_are_never_refused_and_do_not_count() {
    let lab = Lab::new(Limits { mailbox_messages: 2, ..Limits::default() });
    check_main_in(
        &lab,
        r#"
        local me = process.pid()
        for _ = 1, 5 do process.spawn_monitored("app:gives", "app:processes") end
        assert(process.send(me, "t") and process.send(me, "t"))
        print(kind(process.send(me, "t")))
        for _ = 1, 5 do print(process.events():receive().kind) end
        print(kind(process.send(me, "t")))
        "#,
        expect![[r#"
            nil	RateLimited
            pid.exit
            pid.exit
            pid.exit
            pid.exit
            pid.exit
            nil	RateLimited
            => nil
        "#]],
    );
}

#[test]
fn sending_never_waits() {
    check_main(
        r#"
        local me, t = process.pid(), { 2, 1 }
        table.sort(t, function(a, b) process.send(me, "t", "sorted") return a < b end)
        print(process.listen("t"):receive())
        local child = ("x"):gsub("x", function() return spawn("gives") end)
        return child
        "#,
        expect![[r#"
            sorted	true
            => "{app:processes|0x00002}"
        "#]],
    );
}

#[test]
fn two_that_talk_wake_each_other() {
    check_main(
        r#"
        local pong, ball = spawn("pong", process.pid()), process.listen("ping")
        local n = 0
        for _ = 1, 200 do
            process.send(pong, "pong", n)
            n = ball:receive()
        end
        return n
-- entry: pong
return { main = function(ping)
    local ball = process.listen("pong")
    while true do process.send(ping, "ping", ball:receive() + 1) end
end }
        "#,
        expect![[r#"
            => 200
        "#]],
    );
}

#[test]
fn a_message_without_a_sender_comes_from_nobody() {
    let lab = Lab::default();
    lab.define(
        r#"return { main = function()
            local msg = process.inbox():receive()
            return { msg:topic(), msg:payload(), tostring(msg:from()) }
        end }"#,
    );
    let handle = lab.spawn("main", Vec::new());
    lab.node.send(handle.pid().as_str(), "news", &Value::from("good")).expect("it lives");
    assert_eq!(show_outcome(&handle.wait_blocking()), r#"=> {"news", "good", "nil"}"#);
}

#[test]
fn a_full_mailbox_takes_every_event() {
    let lab = Lab::new(Limits { mailbox_messages: 1, ..Limits::default() });
    check_main_in(
        &lab,
        r#"
        local me = process.pid()
        process.set_options { trap_links = true }
        assert(process.send(me, "t", "kept"))
        for _ = 1, 3 do
            process.spawn_linked_monitored("app:fails", "app:processes")
            process.spawn_monitored("app:cancels", "app:processes", me)
        end
        local seen = {}
        for _ = 1, 12 do
            local kind = process.events():receive().kind
            seen[kind] = (seen[kind] or 0) + 1
        end
        print(kind(process.send(me, "t")))
        print(process.listen("t"):receive())
        return seen
-- entry: cancels
return { main = function(dest) assert(process.cancel(dest)) end }
        "#,
        expect![[r#"
            nil	RateLimited
            kept	true
            => {"pid.cancel" = 3, "pid.exit" = 6, "pid.link.down" = 3}
        "#]],
    );
}

#[test]
fn a_sender_with_its_share_is_refused_until_some_is_read() {
    let lab = Lab::new(Limits { mailbox_messages: 6, ..Limits::default() });
    check_main_in(
        &lab,
        r#"
        local pid = spawn("reads one", process.pid())
        for i = 1, 3 do assert(process.send(pid, "t", i)) end
        print(kind(process.send(pid, "t", "refused")))
        print(kind(process.send(pid, "another topic", "refused")))
        process.cancel(pid)
        print(process.listen("got"):receive())
        -- The reader may not have waited yet since it answered.
        while not process.send(pid, "t", "taken") do time.sleep("1ms") end
        print(kind(process.send(pid, "t", "refused")))
        process.cancel(pid)
        for _ = 1, 3 do print(process.listen("got"):receive()) end
-- entry: reads one
return { main = function(parent)
    local ch, events = process.listen("t"), process.events()
    events:receive()
    process.send(parent, "got", (ch:receive()))
    events:receive()
    for _ = 1, 3 do process.send(parent, "got", (ch:receive())) end
end }
        "#,
        expect![[r#"
            nil	RateLimited
            nil	RateLimited
            1	true
            nil	RateLimited
            2	true
            3	true
            taken	true
            => nil
        "#]],
    );
}
