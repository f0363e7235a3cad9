//! Listeners that come and go: whose each message is.

use expect_test::expect;

use crate::check::check_main;

#[test]
fn a_listener_taken_and_given_up_while_messages_wait() {
    check_main(
        r#"
        local me = process.pid()
        local function send(...) for _, value in ipairs { ... } do assert(process.send(me, "t", value)) end end
        -- They wait for nobody, are routed to the first listener, and stay its own when it is given up.
        send(1, 2)
        time.sleep("1ms")
        local first = process.listen("t")
        time.sleep("1ms")
        process.unlisten(first)
        -- These find no listener and wait for the next one.
        send(3, 4)
        time.sleep("1ms")
        local second = process.listen("t")
        send(5)
        time.sleep("1ms")
        print(second ~= first, second:receive(), first:receive())
        process.unlisten(second)
        local third = process.listen("t")
        send(6)
        print(third:receive())
        for _, ch in ipairs { first, second } do
            local left = {}
            for value in function() return (ch:receive()) end do left[#left + 1] = value end
            print(table.concat(left, " "), ch:receive())
        end
        "#,
        expect![[r#"
            true	3	1	true
            6	true
            2	nil	false
            4 5	nil	false
            => nil
        "#]],
    );
}

#[test]
fn subscriptions_that_come_and_go_lose_nothing() {
    check_main(
        r#"
        spawn("sender", process.pid())
        local inbox, got, count = process.inbox(), {}, 0
        local function take(value)
            assert(not got[value], "twice")
            got[value], count = true, count + 1
        end
        while count < 2000 do
            local ch = process.listen("t")
            local result = channel.select { ch:case_receive(), inbox:case_receive(), time.after("1ms"):case_receive() }
            if result.channel == ch then take(result.value) end
            if result.channel == inbox then take(result.value:payload()) end
            process.unlisten(ch)
            for value in function() return (ch:receive()) end do take(value) end
            while true do
                result = channel.select { inbox:case_receive(), default = true }
                if result.default then break end
                take(result.value:payload())
            end
        end
        return count
-- entry: sender
return { main = function(to)
    for i = 1, 2000 do
        assert(process.send(to, "t", i))
        if i % 7 == 0 then time.sleep(0) end
    end
end }
        "#,
        expect![[r#"
            => 2000
        "#]],
    );
}
