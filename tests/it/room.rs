//! What comes to a process whose memory is used up to a few KiB: whoever it is for gets an error, and nobody ends.

use expect_test::expect;
use lunarium_engine::Limits;
use lunarium_tests::Lab;

use crate::check::check_main_in;

/// Stands before what comes: uses up the memory to some two KiB, and gives it back. Nothing is printed in between, which would need some.
const FILL: &str = r#"
local held
local function fill()
    held = {}
    for i = 1, 1000 do held[i] = false end
    local size, count = 65536, 0
    while size >= 2048 do
        local ok, text = pcall(string.rep, "x", size)
        if ok then
            count = count + 1
            held[count] = text
        else
            size = size // 2
        end
    end
end
local function free() held = nil collectgarbage() end
"#;

fn check(body: &str, expect: expect_test::Expect) {
    let lab = Lab::new(Limits { memory: 2 << 20, ..Limits::default() });
    check_main_in(&lab, &body.replace("FILL", &FILL.replace('\n', " ")), expect);
}

#[test]
fn a_message_is_an_error_for_who_receives_it() {
    check(
        r#"
        local pid = process.spawn_monitored("app:full", "app:processes")
        for _, topic in ipairs { "t", "select", "messages", "other" } do
            process.send(pid, topic, ("y"):rep(4000))
        end
        process.send(pid, "t", ("y"):rep(40000))
        process.send(pid, "t", { ("z"):rep(2000), ("z"):rep(2000) })
        process.send(pid, "t", "small")
        return tostring(process.events():receive().result)
-- entry: full
FILL return { main = function()
    local ch, other, inbox = process.listen("t"), process.listen("select"), process.inbox()
    local messages = process.listen("messages", { message = true })
    local function try(f, ...)
        local ok, err = pcall(f, ...)
        free()
        print(ok, errors.is(err, errors.RESOURCE_EXHAUSTED), err:details().limit, err:details().needed)
        fill()
    end
    fill()
    try(ch.receive, ch)
    try(ch.receive, ch)
    try(channel.select, { other:case_receive() })
    local one, two = messages:receive(), inbox:receive()
    try(function() return one.payload end)
    try(function() return two:payload() end)
    try(ch.receive, ch)
    free()
    print(one:topic(), two:topic(), ch:receive())
    return "well"
end }
        "#,
        expect![[r#"
            false	true	memory	4017
            false	true	memory	40017
            false	true	memory	4017
            false	true	memory	4017
            false	true	memory	4017
            false	true	memory	4102
            messages	other	small	true
            => "well"
        "#]],
    );
}

#[test]
fn a_call_is_refused_to_who_calls() {
    check(
        r#"
        local pid = process.spawn_monitored("app:full", "app:processes")
        local function try(...)
            local size, err = process.call(pid, "size", ...)
            print(size, err and err:kind(), err, err and err:details().limit, err and err:details().needed)
        end
        try(("y"):rep(4000))
        try(("y"):rep(40000))
        process.send(pid, "free", process.pid())
        process.listen("freed"):receive()
        try(("y"):rep(4000))
        process.send(pid, "end")
        return tostring(process.events():receive().result)
-- entry: full
FILL return {
    main = function()
        local inbox = process.inbox()
        fill()
        local caller = inbox:receive():payload()
        free()
        process.send(caller, "freed")
        inbox:receive()
        return "well"
    end,
    size = function(text) return #text end,
}
        "#,
        expect![[r#"
            nil	ResourceExhausted	call needs at least 6117 bytes of memory: too little is left of the process's 2097152	memory	6117
            nil	ResourceExhausted	call needs at least 42117 bytes of memory: too little is left of the process's 2097152	memory	42117
            4000	nil	nil	nil	nil
            => "well"
        "#]],
    );
}

#[test]
fn a_result_is_an_error_of_who_asked_and_of_the_event() {
    check(
        r#"
        process.spawn_monitored("app:full", "app:processes")
        return tostring(process.events():receive().result)
-- entry: full
FILL return { main = function()
    local text, list, other = ("y"):rep(4000), { ("y"):rep(2000), ("y"):rep(2000) }, process.spawn("app:other", "app:processes")
    local function try(f, ...)
        fill()
        local value, err = f(...)
        free()
        print(value, err:kind(), err:details().limit, err:details().needed)
    end
    try(process.exec, "app:gives", "app:processes", text)
    try(process.exec, "app:gives", "app:processes", list)
    try(process.call, other, "echo", text)
    local pid, events = process.spawn_monitored("app:gives", "app:processes", text), process.events()
    fill()
    local event = events:receive()
    free()
    print(event.kind, event.from == pid, event.result.value, event.error:kind(), event.error:details().limit)
    return "well"
end }
-- entry: other
return { main = function() process.inbox():receive() end, echo = function(...) return ... end }
        "#,
        expect![[r#"
            nil	ResourceExhausted	memory	4017
            nil	ResourceExhausted	memory	4102
            nil	ResourceExhausted	memory	4069
            pid.exit	true	nil	ResourceExhausted	memory
            => "well"
        "#]],
    );
}

/// The memory is the next incarnation's, what came before is lost: whoever receives it is told.
#[test]
fn an_upgrade_keeps_the_error() {
    check(
        r#"
        local watched = process.spawn_monitored("app:waits", "app:processes")
        local pid, events = process.spawn_monitored("app:full", "app:processes", watched), process.events()
        process.listen("ready"):receive()
        process.send(watched, "end", ("y"):rep(4000))
        print(#events:receive().result.value)
        process.send(pid, "t", ("y"):rep(4000))
        process.send(pid, "t", "small")
        process.send(pid, "go")
        return tostring(events:receive().result)
-- entry: full
FILL return { main = function(watched)
    local ch, go = process.listen("t"), process.listen("go")
    process.monitor(watched)
    process.send("{app:processes|0x00001}", "ready")
    fill()
    go:receive()
    process.upgrade("app:next")
end }
-- entry: next
return { main = function()
    local ch = process.listen("t")
    local ok, err = pcall(ch.receive, ch)
    print(ok, errors.is(err, errors.RESOURCE_EXHAUSTED), err:details().limit, err:details().needed)
    print(ch:receive())
    local event = process.events():receive()
    print(event.kind, event.result.value, event.error:kind(), event.error:details().limit)
    return "well"
end }
        "#,
        expect![[r#"
            4000
            false	true	memory	4017
            small	true
            pid.exit	nil	ResourceExhausted	memory
            => "well"
        "#]],
    );
}

/// Neither queues nor tables nor who ended can be refused: they get what was lent.
#[test]
fn a_crowd_ends_nobody() {
    check(
        r#"
        local pid = process.spawn_monitored("app:full", "app:processes")
        local answers = channel.new(200)
        for i = 1, 200 do
            process.send(pid, "t", { i })
            coroutine.spawn(function() answers:send((select(2, process.call(pid, "size", ("y"):rep(i))))) end)
        end
        local refused = 0
        for _ = 1, 200 do
            local err = answers:receive()
            if err and err:details().limit == "memory" then refused = refused + 1 end
        end
        process.send(pid, "go")
        print(refused > 0)
        return tostring(process.events():receive().result)
-- entry: full
FILL return { main = function()
    local ch, go = process.listen("t"), process.listen("go")
    for _ = 1, 200 do process.spawn_monitored("app:gives", "app:processes", "ended") end
    fill()
    go:receive()
    free()
    for _ = 1, 200 do
        pcall(ch.receive, ch)
        process.events():receive()
    end
    return "well"
end, size = function(text) return #text end }
        "#,
        expect![[r#"
            true
            => "well"
        "#]],
    );
}
