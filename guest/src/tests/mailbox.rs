//! Messages: routing, order, what is unread, Message objects.

use expect_test::expect;

use super::*;
use crate::host::{Cancel, Ended, Outcome};

#[test]
fn payloads_are_none_one_or_several() {
    check(
        "local me, ch = process.pid(), process.listen('t')
        print(process.send(me, 't')) print(process.send(me, 't', nil)) process.send(me, 't', 'one')
        process.send(me, 't', 1, nil, 3, nil)
        print(ch:receive()) print(ch:receive()) print(ch:receive())
        local several = ch:receive()
        print(several.n, several[1], several[2], several[3], several[4])",
        expect![[r#"
            true	nil
            true	nil
            nil	true
            nil	true
            one	true
            4	1	nil	3	nil
            => nil
        "#]],
    );
}

#[test]
fn wrong_arguments_are_refused_or_raise() {
    check(
        "local me = process.pid()
        print(process.send()) print(process.send(me)) print(process.send(me, '')) print(process.send(me, '@inbox'))
        print(process.send(me, ('x'):rep(256))) print((process.send(me, ('x'):rep(255))))
        print(process.send(me, '\\xff')) print(process.send('\\xff', 't'))
        print(process.send('nobody', 't')) print(process.send('{x|0x1}', 't'))
        print(pcall(process.send, {}, 't')) print(pcall(process.send, me, {}))
        print(pcall(function() process.send(me, print) end))
        print(select(2, process.send(me, nil)):kind())
        print(process.send(me, 5, 'number as topic')) print((process.listen('5'):receive()))",
        expect![[r#"
            nil	destination is missing
            nil	topic is missing
            nil	topic has 0 bytes, not 1 to 255
            nil	topic `@inbox` is reserved: it begins with @
            nil	topic has 256 bytes, not 1 to 255
            true
            nil	topic is not valid UTF-8
            nil	destination is not valid UTF-8
            nil	process `nobody` not found
            nil	process `{x|0x1}` not found
            false	bad argument #1 to 'process.send' (string expected, got table)
            false	bad argument #2 to 'process.send' (string expected, got table)
            false	main.lua:7: bad argument #2 to 'send' (string expected, got function)
            Invalid
            true	nil
            number as topic
            => nil
        "#]],
    );
}

#[test]
fn listen_gives_one_channel_a_topic() {
    check(
        "local ch = process.listen('t')
        print(ch == process.listen('t'), ch == process.listen('u'), process.inbox() == process.inbox(),
          process.events() == process.events())
        print(process.listen()) print(process.listen('')) print(process.listen('@x'))
        print(process.listen(('x'):rep(256))) print(pcall(process.listen, {})) print(pcall(process.listen, 't', 1))
        print(process.listen('t', { message = 1 })) print(process.listen(5) == process.listen('5'))",
        expect![[r#"
            true	false	true	true
            nil	topic is missing
            nil	topic has 0 bytes, not 1 to 255
            nil	topic `@x` is reserved: it begins with @
            nil	topic has 256 bytes, not 1 to 255
            false	bad argument #1 to 'listen' (string expected, got table)
            false	bad argument #2 to 'listen' (table expected, got number)
            nil	message is a number, not a boolean
            true
            => nil
        "#]],
    );
}

#[test]
fn nothing_sent_before_a_subscription_is_lost() {
    check(
        "local me = process.pid()
        for i = 1, 3 do process.send(me, 'a', i) process.send(me, 'b', i) end
        time.sleep(1)
        local a = process.listen('a')
        print(a:receive()) print(a:receive()) print(a:receive())
        local inbox = process.inbox()
        process.send(me, 'b', 4) time.sleep(1)
        print((inbox:receive()):payload())
        local b = process.listen('b')
        print(b:receive()) print(b:receive()) print(b:receive())
        print(channel.select{ inbox:case_receive(), default = true }.default)",
        expect![[r#"
            1	true
            2	true
            3	true
            1
            2	true
            3	true
            4	true
            true
            => nil
        "#]],
    );
}

#[test]
fn after_unlisten_the_buffer_is_readable_and_the_topic_goes_to_the_inbox() {
    check(
        "local me, ch = process.pid(), process.listen('t')
        process.send(me, 't', 1) process.send(me, 't', 2) time.sleep(1)
        print(process.unlisten(ch)) print(process.unlisten(ch)) print(process.unlisten())
        print(process.unlisten(process.inbox())) print(process.unlisten(channel.new())) print(pcall(process.unlisten, 1))
        process.send(me, 't', 3) time.sleep(1)
        print(ch:receive()) print(ch:receive()) print(ch:receive())
        local again = process.listen('t')
        print(again ~= ch, again:receive())",
        expect![[r#"
            true	nil
            false	channel isn't listened on
            false	channel is missing
            false	channel isn't listened on
            false	channel isn't listened on
            false	bad argument #1 to 'unlisten' (channel expected, got number)
            1	true
            2	true
            nil	false
            true	3	true
            => nil
        "#]],
    );
}

#[test]
fn unlisten_wakes_who_waits() {
    check(
        "local ch = process.listen('t')
        coroutine.spawn(function() print('woken', ch:receive()) end)
        coroutine.spawn(function() local r = channel.select{ ch:case_receive() } print('select', r.value, r.ok) end)
        process.unlisten(ch) time.sleep(1)",
        expect![[r#"
            woken	nil	false
            select	nil	false
            => nil
        "#]],
    );
}

#[test]
fn message_mode_holds_from_the_next_receive() {
    check(
        "local me, ch = process.pid(), process.listen('t')
        for i = 1, 4 do process.send(me, 't', i) end
        print(ch:receive())
        process.listen('t', { message = true }) print(ch:receive())
        process.listen('t') print(ch:receive())
        process.listen('t', { message = false }) print(ch:receive())",
        expect![[r#"
            1	true
            message `t` from {app:processes|0x00001}	true
            message `t` from {app:processes|0x00001}	true
            4	true
            => nil
        "#]],
    );
}

#[test]
fn a_message_reads_with_and_without_calls() {
    check(
        "local me, ch = process.pid(), process.listen('t', { message = true })
        process.send(me, 't', 'text') process.send(me, 't', { 1, key = 'v' }) process.send(me, 't')
        local m = ch:receive()
        print(m:topic(), m:from(), m:payload(), m.topic, m.payload, m.other)
        print(m, 'topic: ' .. m.topic, m.payload .. '!', m.topic .. m.payload, m.payload == m.payload)
        m = ch:receive()
        print(m:payload().key, m:payload() == m:payload(), m.payload.key, #m.payload, type(m.payload()))
        print(pcall(function() return m.payload .. 'x' end))
        m = ch:receive() print(m:payload(), m.payload, tostring(m.payload))
        process.send(me, 't', m.topic, m.payload) process.send(me, 't', { m.topic })
        print(table.unpack(ch:receive():payload(), 1, 2)) print(ch:receive():payload()[1] == 't')
        print(process.send(me, 't', m))",
        expect![[r#"
            t	{app:processes|0x00001}	text	t	text	nil
            message `t` from {app:processes|0x00001}	topic: t	text!	ttext	true
            v	true	v	1	table
            false	main.lua:8: attempt to concatenate a table value
            nil	nil	nil
            t	nil
            true
            nil	payload is a message
            => nil
        "#]],
    );
}

#[test]
fn without_a_sender_from_is_nil() {
    Case::body("local m = process.inbox():receive() print(m:from(), m)").message(None, "t", b"\x01").check(expect![[
        r#"
            nil	message `t` from nobody
            => nil
        "#
    ]]);
}

#[test]
fn one_stuck_topic_holds_up_nothing() {
    check(
        "local me = process.pid()
        process.listen('stuck') local ch = process.listen('t')
        for i = 1, 100 do process.send(me, 'stuck', i) end
        process.send(me, 't', 'through') print(ch:receive())",
        expect![[r#"
            through	true
            => nil
        "#]],
    );
}

#[test]
fn what_is_handed_over_and_not_received_is_unread() {
    let case = Case::body(
        "local ch = process.listen('t')
        local function show() process.send('peer', 'show') end
        process.registry.register('peer', '{app:processes|0x00002}')
        show() ch:receive() show() ch:receive() show() process.unlisten(ch) show()
        process.inbox():receive() show() time.sleep(1)",
    );
    case.host.log_sends.set(true);
    let case = case.message(None, "t", b"\xa5hello").message(None, "t", b"\x01").message(None, "other", b"\x02");
    let case = case.message(None, "t", b"\x03").message(None, "t", b"\x04");
    let case = case.event(Event::Cancel(Cancel { sender: None, at: 0.0, deadline: None }));
    case.check(expect![[r#"
        -- send show nil (unread 0, 0)
        -- send show nil (unread 4, 12)
        -- send show nil (unread 3, 10)
        -- send show nil (unread 3, 10)
        -- send show nil (unread 2, 4)
        => nil
    "#]]);
    Case::body("channel.select{ process.events():case_receive(), process.listen('none'):case_receive() } process.listen('none'):receive()")
        .message(None, "waits", b"\xa3xyz")
        .event(Event::Cancel(Cancel { sender: None, at: 0.0, deadline: None }))
        .check(expect![[r#"
            -- waits; unread 1 (9 bytes)
        "#]]);
}

#[test]
fn events_wait_for_their_subscription() {
    Case::body("time.sleep(1) local e = process.events():receive() print(e.kind, e.result.value)")
        .event(Event::Exit(Ended { sender: PEER.to_owned(), at: 1.0, outcome: Outcome::Completed(vec![7]) }))
        .check(expect![[r#"
            pid.exit	7
            => nil
        "#]]);
}

#[test]
fn a_second_unread_cancel_replaces_the_first() {
    let cancel =
        |sender: Option<&str>, at| Event::Cancel(Cancel { sender: sender.map(str::to_owned), at, deadline: None });
    Case::body(
        "time.sleep(1)
        local events = process.events()
        while true do
          local r = channel.select{ events:case_receive(), default = true }
          if r.default then break end
          print(r.value.kind, r.value.from, r.value.at)
        end",
    )
    .event(cancel(Some(PEER), 1.0))
    .event(cancel(None, 2.0))
    .event(cancel(Some(PEER), 3.0))
    .event(cancel(None, 4.0))
    .check(expect![[r#"
        pid.cancel	{app:processes|0x00002}	3.0
        pid.cancel	nil	4.0
        => nil
    "#]]);
}

#[test]
fn a_script_that_polls_hears_its_messages() {
    check(
        "local ch, polls = process.listen('t'), 0
        process.send(process.pid(), 't', 'heard')
        while true do
          local r = channel.select{ ch:case_receive(), default = true }
          if not r.default then print(r.value) break end
          polls = polls + 1
        end
        print(polls < 20)",
        expect![[r#"
            heard
            true
            => nil
        "#]],
    );
}

#[test]
fn messages_come_in_order_across_topics() {
    check(
        "local me, inbox = process.pid(), process.inbox()
        for i = 1, 5 do process.send(me, i % 2 == 0 and 'even' or 'odd', i) end
        for i = 1, 5 do local m = inbox:receive() print(m:topic(), m:payload()) end",
        expect![[r#"
            odd	1
            even	2
            odd	3
            even	4
            odd	5
            => nil
        "#]],
    );
}

#[test]
fn many_hops_leave_nothing_behind() {
    check(
        "local me, ch = process.pid(), process.listen('t')
        local function held()
          for i = 1, 20000 do process.send(me, 't', i) ch:receive() end
          for i = 1, 5 do collectgarbage() end
          return collectgarbage('count')
        end
        held() print(held() - held())",
        expect![[r#"
            0.0
            => nil
        "#]],
    );
}

#[test]
fn a_select_right_after_listen_sees_what_waits_already() {
    let poll = "local function poll(ch) local got = channel.select { ch:case_receive(), default = true } return got.value end ";
    // Waiting when the process starts; sent while it runs; claimed from the inbox.
    Case::body(&format!(
        "{poll} print(poll(process.listen('first')))
        process.send(process.pid(), 'second', 2) print(poll(process.listen('second')))
        process.send(process.pid(), 'third', 3) process.send(process.pid(), 'fourth', 4)
        process.listen('third'):receive() print(poll(process.listen('fourth')), poll(process.listen('fifth')))
        local ch = process.listen('many') for i = 1, 3 do process.send(process.pid(), 'many', i) end
        print(poll(ch), poll(ch), poll(ch), poll(ch))"
    ))
    .message(None, "other", b"\x01")
    .message(None, "first", b"\x01")
    .check(expect![[r#"
        1
        2
        4	nil
        1	2	3	nil
        => nil
    "#]]);
}
