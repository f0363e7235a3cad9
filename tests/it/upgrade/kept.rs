//! What an upgrade keeps, and that it keeps nothing else: order, deadlines, a fresh memory.

use expect_test::expect;
use lunarium_engine::Limits;
use lunarium_tests::Lab;

use crate::check::{check_main, check_main_in};

#[test]
fn starts_in_a_fresh_instance() {
    check_main_in(
        &Lab::new(Limits { memory: 4 << 20, ..Limits::default() }),
        r#"
        local round = ... or 1
        print(round, mark, string.mark, pcall == nil, collectgarbage("count") < 1000)
        mark, string.mark, pcall = round, round, nil
        kept = ("x"):rep(1 << 20)
        if round < 4 then process.upgrade(nil, round + 1) end
        "#,
        expect![[r#"
            1	nil	nil	false	true
            2	nil	nil	false	true
            3	nil	nil	false	true
            4	nil	nil	false	true
            => nil
        "#]],
    );
}

#[test]
fn unread_events_keep_their_order() {
    check_main(
        r#"
        process.set_options { trap_links = true }
        local children = {}
        for i = 1, 200 do
            children[i] = process.spawn_linked_monitored("app:waits_to_fail", "app:processes")
            time.sleep(0)
        end
        for i = 200, 1, -1 do
            process.terminate(children[i])
            if i % 50 == 0 then time.sleep("1ms") end
        end
        process.upgrade("app:reads", children)
-- entry: waits_to_fail
return { main = function() time.sleep("1h") end }
-- entry: reads
return { main = function(children)
    local events = process.events()
    for i = 200, 1, -1 do
        local exit, down = events:receive(), events:receive()
        assert(exit.kind == "pid.exit" and exit.from == children[i], i)
        assert(down.kind == "pid.link.down" and down.from == children[i], i)
    end
    print("in order", channel.select { events:case_receive(), default = true }.default)
end }
        "#,
        expect![[r#"
            in order	true
            => nil
        "#]],
    );
}

#[test]
fn what_it_was_handed_and_what_waits_beyond_its_memory_stay_in_order() {
    // A quarter of the memory is handed over, the rest waits in the host; both is more than one batch.
    check_main_in(
        &Lab::new(Limits { memory: 4 << 20, mailbox_bytes: 8 << 20, ..Limits::default() }),
        r#"
        local me, filler = process.pid(), ("x"):rep(40000)
        local other = process.listen("t3")
        for i = 1, 150 do assert(process.send(me, "t" .. i % 5, { i, filler })) end
        time.sleep("1ms")
        assert(other:receive()[1] == 3)
        process.send(me, "t0", { 151 })
        process.upgrade("app:reads")
-- entry: reads
return { main = function()
    local inbox = process.inbox()
    for i = 1, 151 do
        if i ~= 3 then
            local message = inbox:receive()
            local got = message:payload()[1]
            if got ~= i or message:topic() ~= "t" .. (i == 151 and 0 or i % 5) then error(got .. " for " .. i, 0) end
        end
    end
    print("in order", channel.select { inbox:case_receive(), default = true }.default)
end }
        "#,
        expect![[r#"
            in order	true
            => nil
        "#]],
    );
}

#[test]
fn a_cancel_and_its_deadline_hold_for_the_next_incarnation() {
    check_main(
        r#"
        local pid = process.spawn_monitored("app:first", "app:processes")
        local inbox = process.inbox()
        inbox:receive()
        process.cancel(pid, "1h")
        process.send(pid, "go", "app:second")
        inbox:receive()
        -- It is still unread there: the second replaces it.
        process.cancel(pid, "2h")
        process.send(pid, "go")
        print(inbox:receive():payload())
        process.cancel(pid, "5ms")
        process.send(pid, "go")
        print(process.events():receive().error)
-- entry: first
return { main = function()
    process.send("{app:processes|0x00001}", "ready")
    process.inbox():receive()
    process.upgrade("app:second")
end }
-- entry: second
return { main = function()
    process.send("{app:processes|0x00001}", "ready")
    local go, events, seen = process.listen("go"), process.events(), {}
    go:receive()
    local result = channel.select { events:case_receive(), default = true }
    while not result.default do
        local hours = time.parse(result.value.deadline):sub(time.now()):hours()
        seen[#seen + 1] = math.floor(hours + 0.5) .. "h"
        result = channel.select { events:case_receive(), default = true }
    end
    process.send("{app:processes|0x00001}", "seen", table.concat(seen, " "))
    go:receive()
    process.upgrade("app:waits")
end }
        "#,
        expect![[r#"
            2h
            process terminated
            => nil
        "#]],
    );
}
