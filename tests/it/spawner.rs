//! `process.with_context`: children with context, a name and first messages.

use expect_test::expect;
use lunarium_engine::Limits;
use lunarium_tests::Lab;

use crate::check::{check, check_main, check_main_in};

#[test]
fn a_child_has_its_parents_values_and_those_it_was_given() {
    check(
        r#"
return { main = function()
    local outer = process.with_context { request = "r1", tags = { "a", "b" } }
    outer:spawn_monitored("app:child", "app:processes", "first")
    process.events():receive()
    local inner = outer:with_context { request = "r2", depth = 1 }
    inner:spawn_monitored("app:child", "app:processes", "second")
    process.events():receive()
    outer:spawn_monitored("app:child", "app:processes", "third")
    process.events():receive()
    print(ctx.get("request"))
end }
-- entry: child
return { main = function(name)
    print(name, ctx.get("request"), #ctx.get("tags"), (ctx.get("depth")))
    if name == "second" then
        -- What is inherited needs no spawner.
        process.spawn_monitored("app:child", "app:processes", "grandchild")
        process.events():receive()
    end
end }
        "#,
        expect![[r#"
            first	r1	2	nil
            second	r2	2	1
            grandchild	r2	2	1
            third	r1	2	nil
            nil	context has no value `request`
            => nil
        "#]],
    );
}

#[test]
fn all_variants_spawn_as_the_modules_functions_do() {
    check_main(
        r#"
        process.set_options { trap_links = true }
        local s = process.with_context {}
        for _, name in ipairs { "spawn", "spawn_monitored", "spawn_linked", "spawn_linked_monitored" } do
            local pid = s[name](s, "app:fails", "app:processes")
            while process.send(pid, "t") do time.sleep("1ms") end
            local fence, learned = process.spawn_monitored("app:gives", "app:processes"), ""
            local event = process.events():receive()
            while event.from ~= fence do
                learned = learned .. " " .. event.kind
                event = process.events():receive()
            end
            print(name .. learned)
        end
        print(s:spawn("app:absent", "app:processes"))
        print(s:spawn("app:gives", "app:absent"))
        print(s:spawn(nil, "app:processes"))
        print(s:spawn("app:gives", "app:processes", print))
        print(pcall(function() return s:spawn({}, "app:processes") end))
        "#,
        expect![[r#"
            spawn
            spawn_monitored pid.exit
            spawn_linked pid.link.down
            spawn_linked_monitored pid.exit pid.link.down
            nil	entry `app:absent` not found
            nil	host `app:absent` not found
            nil	process id is missing
            nil	arguments[1] is a function
            false	main.lua:19: bad argument #1 to 'spawn' (string expected, got table)
            => nil
        "#]],
    );
}

#[test]
fn first_messages_come_first_and_in_order_from_the_spawner() {
    check(
        r#"
return { main = function()
    local s = process.with_context {}:with_message("a", 1):with_message("b"):with_message("a", 2, 3)
    local pid = s:spawn_monitored("app:child", "app:processes")
    process.send(pid, "a", "later")
    process.events():receive()
end }
-- entry: child
return { main = function(name)
    local inbox = process.inbox()
    for _ = 1, 4 do
        local msg = inbox:receive()
        local value = msg:payload()
        print(msg:topic(), msg:from(), type(value) == "table" and value.n or value)
    end
end }
        "#,
        expect![[r#"
            a	{app:processes|0x00001}	1
            b	{app:processes|0x00001}	nil
            a	{app:processes|0x00001}	2
            a	{app:processes|0x00001}	later
            => nil
        "#]],
    );
}

#[test]
fn a_named_child_has_its_name_before_its_first_instruction() {
    check(
        r#"
return { main = function()
    local pid = process.with_context {}:with_name("worker"):spawn_monitored("app:child", "app:processes")
    print(process.registry.lookup("worker") == pid)
    process.send(pid, "end")
    print(process.events():receive().result)
    print(process.registry.lookup("worker"))
end }
-- entry: child
local was_there = process.registry.lookup("worker") == process.pid()
return { main = function() process.inbox():receive() return was_there and "was there" end }
        "#,
        expect![[r#"
            true
            was there
            nil	name `worker` not found
            => nil
        "#]],
    );
}

#[test]
fn a_taken_name_gives_its_holder_what_the_child_would_have_had() {
    check(
        r#"
return { main = function()
    process.set_options { trap_links = true }
    local s = process.with_context {}:with_name("worker")
    local holder = s:spawn_monitored("app:child", "app:processes", "first")
    local again = s:with_message("job", 1):with_message("job", 2)
    -- The monitor stands already: no error.
    print(again:spawn_linked_monitored("app:child", "app:processes", "second") == holder)
    print(again:spawn("app:absent", "app:processes"))
    print(again:spawn("app:child", "app:absent"))
    process.send("worker", "job", "end")
    local events = process.events()
    for _ = 1, 2 do
        local event = events:receive()
        print(event.kind, event.from == holder, event.error)
    end
end }
-- entry: child
return { main = function(name)
    local jobs, sum = process.listen("job"), 0
    for job in function() return jobs:receive() end do
        if job == "end" then error(name .. " " .. sum, 0) end
        sum = sum + job
    end
end }
        "#,
        expect![[r#"
            true
            nil	entry `app:absent` not found
            nil	host `app:absent` not found
            pid.exit	true	first 3
            pid.link.down	true	first 3
            => nil
        "#]],
    );
}

#[test]
fn a_holder_gets_all_or_nothing() {
    let lab = Lab::new(Limits { mailbox_messages: 6, links: 1, ..Limits::default() });
    check_main_in(
        &lab,
        r#"
        local s = process.with_context {}:with_name("worker")
        local holder = s:spawn("app:sleeps", "app:processes")
        local three = s:with_message("a"):with_message("a"):with_message("a")
        local pid, err = three:with_message("a"):spawn_monitored("app:sleeps", "app:processes")
        print(pid, err, err:kind(), err:retryable())
        print(process.monitor(holder)) -- not set by the refused spawn
        process.spawn_linked("app:sleeps", "app:processes")
        pid, err = three:spawn_linked("app:sleeps", "app:processes")
        print(pid, err, err:kind())
        print(three:spawn("app:sleeps", "app:processes") == holder) -- no message was delivered before
        print(process.send(holder, "a"))
        -- Neither is a child started whose messages don't fit, which have no share.
        local many = process.with_context {}
        for _ = 1, 6 do many = many:with_message("a") end
        print(many:spawn("app:sleeps", "app:processes") ~= nil)
        pid, err = many:with_message("a"):spawn("app:sleeps", "app:processes")
        print(pid, err)
-- entry: sleeps
return { main = function() process.listen("a") time.sleep("1h") end }
        "#,
        expect![[r#"
            nil	sender's share of the mailbox is full: 3 messages of 3 are unread; the receiver has to receive some	RateLimited	true
            true	nil
            nil	{app:processes|0x00001} is at its limit of 1 links	ResourceExhausted
            true
            nil	sender's share of the mailbox is full: 3 messages of 3 are unread; the receiver has to receive some
            true
            nil	mailbox is full: 6 messages of 6 are unread
            => nil
        "#]],
    );
}

#[test]
fn one_cannot_join_oneself() {
    check_main(
        r#"
        process.registry.register("me")
        local s = process.with_context {}:with_name("me"):with_message("t", "to myself")
        print(s:spawn("app:waits", "app:processes") == process.pid())
        print(process.listen("t"):receive())
        local pid, err = s:spawn_monitored("app:waits", "app:processes")
        print(pid, err, err:kind())
        pid, err = s:spawn_linked("app:waits", "app:processes")
        print(pid, err, err:kind())
        "#,
        expect![[r#"
            true
            to myself	true
            nil	{app:processes|0x00001} can't monitor itself	Invalid
            nil	{app:processes|0x00001} can't be linked with itself	Invalid
            => nil
        "#]],
    );
}

#[test]
fn a_context_is_no_larger_than_a_message() {
    check_main(
        r#"
        local half = ("x"):rep(600000)
        local s = process.with_context { a = half }
        local ok, err = pcall(s.with_context, s, { b = half })
        print(ok, err, err:kind())
        print(s:spawn("app:waits", "app:processes"))
        "#,
        expect![[r#"
            false	context exceeds the message limit of 1048576 bytes	Invalid
            {app:processes|0x00002}	nil
            => nil
        "#]],
    );
}

#[test]
fn a_hundred_spawners_race_for_one_name() {
    check(
        r#"
return { main = function()
    for _ = 1, 100 do process.spawn_monitored("app:racer", "app:processes") end
    local holders, count = {}, 0
    for _ = 1, 100 do
        local pid = process.events():receive().result.value
        if not holders[pid] then holders[pid], count = true, count + 1 end
    end
    print(count)
    print(process.send("only", "count", process.pid()))
    print(process.listen("counted"):receive())
end }
-- entry: racer
return { main = function()
    return assert(process.with_context {}:with_name("only"):with_message("hello"):spawn("app:only", "app:processes"))
end }
-- entry: only
return { main = function()
    local hellos, count = process.listen("hello"), process.listen("count")
    local asker, greeted = count:receive(), 0
    while channel.select { hellos:case_receive(), default = true }.channel do greeted = greeted + 1 end
    process.send(asker, "counted", greeted)
end }
        "#,
        expect![[r#"
            1
            true	nil
            100	true
            => nil
        "#]],
    );
}

#[test]
fn every_method_makes_a_new_spawner() {
    check_main(
        r#"
        local base = process.with_context { key = "base" }
        local named, told = base:with_name("name"), base:with_message("t", "first")
        local more = told:with_message("t", "second")
        base:with_context { key = "changed" }
        local function ask(spawner)
            spawner:spawn_monitored("app:tells", "app:processes")
            return process.events():receive().result
        end
        for _, spawner in ipairs { more, named, told, base } do print(ask(spawner)) end
-- entry: tells
return { main = function()
    local text, inbox = ctx.get("key"), process.inbox()
    if process.registry.lookup("name") == process.pid() then text = text .. " named" end
    -- What it was started with came before this.
    process.send(process.pid(), "t", false)
    for message in function() return inbox:receive():payload() or nil end do text = text .. " " .. message end
    return text
end }
        "#,
        expect![[r#"
            base first second
            base named
            base first
            base
            => nil
        "#]],
    );
}

#[test]
fn a_bad_argument_raises_an_error_object() {
    check_main(
        r#"
        local s, huge = process.with_context {}, ("x"):rep(1024 * 1024)
        local calls = {
            { process.with_context }, { process.with_context, 5 }, { process.with_context, { [1] = "a" } },
            { process.with_context, { f = print } }, { s.with_context, s }, { s.with_context, s, "x" },
            { s.with_context, s, { f = channel.new() } }, { s.with_context, {}, {} },
            { s.with_name, s }, { s.with_name, s, "" }, { s.with_name, s, ("x"):rep(256) }, { s.with_name, s, "{a|b}" },
            { s.with_name, s, {} }, { s.with_name, {}, "x" }, { s.with_message, s }, { s.with_message, s, "" },
            { s.with_message, s, ("x"):rep(256) }, { s.with_message, s, "@x" }, { s.with_message, s, {} },
            { s.with_message, s, "t", print }, { s.with_message, s, "t", huge }, { s.with_message, {}, "t" },
        }
        local kinds = {}
        for i, call in ipairs(calls) do
            local ok, err = pcall(table.unpack(call))
            assert(not ok, i)
            kinds[err:kind()] = (kinds[err:kind()] or 0) + 1
        end
        assert(s:with_name(("x"):rep(255)) and s:with_message(("x"):rep(255)) and s:with_name(5))
        return kinds
        "#,
        expect![[r#"
            => {"Invalid" = 22}
        "#]],
    );
}

#[test]
fn a_child_reads_its_values_as_copies() {
    check_main(
        r#"
        print(next(ctx.all()), kind(ctx.get("list")))
        local values = { list = { 1, { 2 } }, no = false, n = 1.0, when = time.unix(7), err = errors.new("e"), ["5"] = "five" }
        local s = process.with_context(values)
        values.list[1], values.late = "changed", true
        s:spawn_monitored("app:reads", "app:processes")
        print(process.events():receive().result)
-- entry: reads
return { main = function()
    local list = ctx.get("list")
    print(list[1], list[2][1], ctx.get("no"), ctx.get("n"), ctx.get("when"):unix(), ctx.get("err"), ctx.get(5))
    list[1] = "mine"
    local all, names = ctx.all(), {}
    for name in pairs(all) do names[#names + 1] = name end
    table.sort(names)
    print(ctx.get("list")[1], all.list[1], table.concat(names, " "))
    all.list[1], all.more = "mine", true
    print(ctx.all().list[1], ctx.all().more)
    local _, absent = ctx.get("late")
    local _, missing = ctx.get()
    print(absent:kind(), missing:kind())
    return pcall(ctx.get, {})
end }
        "#,
        expect![[r#"
            nil	nil	NotFound
            1	2	false	1.0	7	e	five	nil
            1	1	5 err list n no when
            1	nil
            NotFound	Invalid
            bad argument #1 to 'get' (string expected, got table)
            => nil
        "#]],
    );
}

#[test]
fn a_spawner_never_waits() {
    check_main(
        r#"
        local s = process.with_context { key = "value" }:with_message("t", "there")
        return (("x"):gsub("x", function() return (s:spawn("app:waits", "app:processes")) end))
        "#,
        expect![[r#"
            => "{app:processes|0x00002}"
        "#]],
    );
}
