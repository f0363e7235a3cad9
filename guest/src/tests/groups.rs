//! `process.group`: what scripts get, and what they hand to the host. The fake's groups all have the peer in them.

use expect_test::expect;

use super::check;

#[test]
fn members_join_leave_and_are_listed() {
    check(
        r#"
        local group = process.group
        print(group.join("g"))
        print(table.concat(group.members("g"), " "))
        print(group.leave("g"))
        print(group.leave("g"))
        print(#group.members("g"))
        print(group.join(7))
        local ok, err = group.join("full")
        print(ok, err, err:kind(), err:details().limit)
        print(group.join())
        print(group.join(""))
        print(group.members(("g"):rep(256)))
        print(pcall(group.join, {}))
        "#,
        expect![[r#"
            true	nil
            {app:processes|0x00001} {app:processes|0x00002}
            true	nil
            false	nil
            1
            true	nil
            nil	group `full` is full	ResourceExhausted	group.members
            nil	group is missing
            nil	group has 0 bytes, not 1 to 255
            nil	group has 256 bytes, not 1 to 255
            false	bad argument #1 to '?' (string expected, got table)
            => nil
        "#]],
    );
}

#[test]
fn a_message_goes_out_in_pieces_and_is_counted() {
    check(
        r#"
        print(process.group.send("g", "t", { 1 }))
        print(process.group.send("g", "t"))
        print(process.group.send("g", "t", 1, nil))
        print(process.group.send("g", "@t"))
        print(process.group.send("g", "t", print))
        print(process.group.send("g"))
        "#,
        expect![[r#"
            -- to g after None: t [1]
            -- to g after Some("{app:processes|0x00002}"): t [1]
            4	nil
            -- to g after None: t nil
            -- to g after Some("{app:processes|0x00002}"): t nil
            4	nil
            -- to g after None: t {"n": 2, 1: 1}
            -- to g after Some("{app:processes|0x00002}"): t {"n": 2, 1: 1}
            4	nil
            nil	topic `@t` is reserved: it begins with @
            nil	payload is a function
            nil	topic is missing
            => nil
        "#]],
    );
}

#[test]
fn a_monitor_tells_of_differences_until_it_is_stopped() {
    check(
        r#"
        local changes, members = process.group.monitor("g")
        print(#members)
        time.sleep("1ms")
        process.group.join("g")
        local change = changes:receive()
        print(change.group, #change.joined, change.joined[1] == process.pid(), #change.left)
        -- Both before it looks: no difference.
        process.group.leave("g")
        process.group.join("g")
        time.sleep("1ms")
        process.group.leave("g")
        change = changes:receive()
        print(#change.joined, change.left[1] == process.pid())
        print(process.group.unmonitor(changes))
        print(changes:receive())
        print(process.group.unmonitor(changes))
        print(process.group.unmonitor())
        print(pcall(process.group.unmonitor, "g"))
        print(pcall(changes.send, changes, 1))
        print(process.group.monitor(""))
        "#,
        expect![[r#"
            1
            g	1	true	0
            0	true
            true	nil
            nil	false
            false	channel is none of a group's monitor
            false	channel is missing
            false	bad argument #1 to 'unmonitor' (channel expected, got string)
            false	send on a receive-only channel
            nil	group has 0 bytes, not 1 to 255
            => nil
        "#]],
    );
}
