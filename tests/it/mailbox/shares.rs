//! Shares of a mailbox: nobody fills it for the others.

use expect_test::expect;
use lunarium_engine::Limits;
use lunarium_tests::Lab;

use crate::check::{check_main, check_main_in};

/// Entries for the shares: one that listens and reads when told to, and one that sends until it is refused.
const SHARES: &str = r#"
-- entry: reads
return { main = function(parent)
    local t, slow, events = process.listen("t"), process.listen("slow"), process.events()
    process.send(parent, "ready")
    while true do
        local ok = channel.select { t:case_receive(), events:case_receive() }
        if ok.channel == events then break end
        process.send(parent, "got", ok.value)
    end
    local late, count = process.listen("nobody's"), 0
    while not channel.select { late:case_receive(), default = true }.default do count = count + 1 end
    process.send(parent, "late", count)
    process.inbox():receive()
end }
-- entry: floods
return { main = function(to, parent, topic)
    local count = 0
    while true do
        local ok, err = process.send(to, topic)
        if not ok then
            process.send(parent, "refused", count, tostring(err), err:kind(), err:retryable(), err:details().limit)
            return
        end
        count = count + 1
    end
end }
"#;

#[test]
fn what_nobody_listens_for_does_not_fill_a_mailbox() {
    let lab = Lab::default();
    lab.define(SHARES);
    check_main_in(
        &lab,
        r#"
        local refused, got = process.listen("refused"), process.listen("got")
        local pid = spawn("reads", process.pid())
        process.listen("ready"):receive()
        time.sleep("5ms") -- it waits
        for _ = 1, 2 do
            spawn("floods", pid, process.pid(), "nobody's")
            print(table.unpack((refused:receive())))
        end
        for i = 1, 3000 do
            while not process.send(pid, "t", i) do time.sleep("1ms") end
            assert(got:receive() == i)
        end
        process.cancel(pid)
        print(process.listen("late"):receive())
        print(process.send(pid, "nobody's"))
        "#,
        expect![[r#"
            1250	share of the mailbox for topics without a listener is full: 1250 messages of 1250 are unread; nobody listens on `nobody's`	RateLimited	true	mailbox_messages
            0	share of the mailbox for topics without a listener is full: 1250 messages of 1250 are unread; nobody listens on `nobody's`	RateLimited	true	mailbox_messages
            1250	true
            true	nil
            => nil
        "#]],
    );
}

#[test]
fn one_sender_has_half_of_a_mailbox_and_others_the_rest() {
    let lab = Lab::new(Limits { mailbox_messages: 100, ..Limits::default() });
    lab.define(SHARES);
    check_main_in(
        &lab,
        r#"
        local refused, got = process.listen("refused"), process.listen("got")
        local pid = spawn("reads", process.pid())
        process.listen("ready"):receive()
        spawn("floods", pid, process.pid(), "slow")
        print(table.unpack((refused:receive())))
        -- What is read comes back to its sender, however long other messages lie.
        for i = 1, 1000 do
            while not process.send(pid, "t", i) do time.sleep("1ms") end
            assert(got:receive() == i)
        end
        for i = 1, 10 do
            -- The reader may not have waited yet since it answered.
            for j = 1, 40 do while not process.send(pid, "t", j) do time.sleep("1ms") end end
            for j = 1, 40 do assert(got:receive() == j) end
        end
        "#,
        expect![[r#"
            50	sender's share of the mailbox is full: 50 messages of 50 are unread; the receiver has to receive some	RateLimited	true	mailbox_messages
            => nil
        "#]],
    );
}

#[test]
fn oneself_has_no_share() {
    let lab = Lab::new(Limits { mailbox_messages: 16, ..Limits::default() });
    check_main_in(
        &lab,
        r#"
        local me, count = process.pid(), 0
        time.sleep("1ms")
        while process.send(me, "nobody's", count) do count = count + 1 end
        local ch, read = process.listen("nobody's"), 0
        while ch:receive() < count - 1 do read = read + 1 end
        return { count, read }
        "#,
        expect![[r#"
            => {16, 15}
        "#]],
    );
}

#[test]
fn a_listener_that_comes_and_goes_loses_nothing() {
    check_main(
        r#"
        local pid = spawn("comes and goes", process.pid())
        for i = 1, 500 do assert(process.send(pid, "go")) assert(process.send(pid, "t", i)) end
        return process.listen("sum"):receive()
-- entry: comes and goes
return { main = function(parent)
    local go, sum, last = process.listen("go"), 0, 0
    while last < 500 do
        go:receive()
        local ch = process.listen("t")
        local got, ok = ch:receive()
        process.unlisten(ch)
        -- What had come to the channel by then stays there.
        while ok do
            if got ~= last + 1 then return process.send(parent, "sum", "out of order") end
            sum, last = sum + got, got
            got, ok = ch:receive()
        end
    end
    process.send(parent, "sum", sum)
end }
        "#,
        expect![[r#"
            => 125250
        "#]],
    );
}
