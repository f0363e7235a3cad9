//! Message objects: their methods, and how they read without a call.

use expect_test::expect;

use crate::check::check_main;

#[test]
fn a_message_has_topic_sender_and_payload() {
    check_main(
        r#"
        local child = spawn("sender", process.pid())
        local msg = process.listen("greeting", { message = true }):receive()
        print(msg:topic(), msg:from() == child, msg:payload().text, msg:payload() == msg:payload())
        process.send(process.pid(), "other")
        msg = process.inbox():receive()
        print(msg:topic(), msg:from() == process.pid(), msg:payload())
-- entry: sender
return { main = function(to) process.send(to, "greeting", { text = "hello" }) end }
        "#,
        expect![[r#"
            greeting	true	hello	true
            other	true	nil
            => nil
        "#]],
    );
}

#[test]
fn tostring_shows_topic_and_sender() {
    check_main(
        r#"
        process.send(process.pid(), "greeting", 1)
        local text = tostring(process.inbox():receive())
        print(text:find("greeting", 1, true) ~= nil, text:find(process.pid(), 1, true) ~= nil)
        "#,
        expect![[r#"
            true	true
            => nil
        "#]],
    );
}

#[test]
fn topic_and_payload_read_without_a_call_stand_for_the_value() {
    check_main(
        r#"
        process.send(process.pid(), "greeting", "hello")
        local msg = process.inbox():receive()
        print("Inbox got:", msg.topic, msg.payload)
        print("<" .. msg.topic .. "|" .. msg.payload .. ">", msg.topic .. msg.payload)
        print(msg.topic(msg), msg.payload(msg), msg:topic(), msg:payload())
        print(tostring(msg.topic), tostring(msg.payload))
        process.send(process.pid(), "copy", msg.topic, msg.payload, { msg.payload })
        local copy = process.listen("copy"):receive()
        return copy
        "#,
        expect![[r#"
            Inbox got:	greeting	hello
            <greeting|hello>	greetinghello
            greeting	hello	greeting	hello
            greeting	hello
            => {"n" = 3, 1 = "greeting", 2 = "hello", 3 = {"hello"}}
        "#]],
    );
}

#[test]
fn payloads_of_every_type_read_without_a_call() {
    check_main(
        r#"
        local me, inbox = process.pid(), process.inbox()
        for _, value in ipairs { 1, 1.0, false, "", errors.new("wrong"), time.SECOND } do
            process.send(me, "t", value)
            print(inbox:receive().payload)
        end
        process.send(me, "t")
        print(inbox:receive().payload)
        process.send(me, "t", 7)
        print("n = " .. inbox:receive().payload)
        process.send(me, "t", { "a", { "b" } })
        return inbox:receive().payload
        "#,
        expect![[r#"
            1
            1.0
            false

            wrong
            1s
            nil
            n = 7
            => {"a", {"b"}}
        "#]],
    );
}

#[test]
fn a_field_that_is_not_there_is_nil() {
    check_main(
        r#"
        process.send(process.pid(), "t", 1)
        local msg = process.inbox():receive()
        print(msg.nothing, time.now().nothing, time.SECOND.nothing, exit_of("gives").nothing)
        "#,
        expect![[r#"
            nil	nil	nil	nil
            => nil
        "#]],
    );
}

#[test]
fn a_message_itself_does_not_travel() {
    check_main(
        r#"
        process.send(process.pid(), "t", 1)
        print(kind(process.send(process.pid(), "t", process.inbox():receive())))
        "#,
        expect![[r#"
            nil	Invalid
            => nil
        "#]],
    );
}

#[test]
fn a_select_over_a_message_listener_gives_message_objects() {
    check_main(
        r#"
        local me, ch = process.pid(), process.listen("t", { message = true })
        for i = 1, 2 do process.send(me, "t", i) end
        print(channel.select { ch:case_receive() }.value:payload())
        process.listen("t", { message = false })
        print(channel.select { ch:case_receive() }.value)
        "#,
        expect![[r#"
            1
            2
            => nil
        "#]],
    );
}
