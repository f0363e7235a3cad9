//! Mailboxes, names, links and monitors: what one process can do to another of its own node, and make the host hold.

use crate::case::Case;

const OUT_OF_MEMORY: &str = "ResourceExhausted memory";

pub fn cases() -> Vec<Case> {
    vec![
        Case::script(
            "a flood to who never listens",
            "=> {1250, \"RateLimited\"}",
            r#"
return { main = function()
    local up = process.listen("up")
    local victim, count = process.spawn("app:victim", "app:processes", process.pid()), 0
    -- What comes before its first wait is another matter.
    up:receive()
    while true do
        local ok, err = process.send(victim, "t", 1)
        if err then return { count, err:kind() } end
        count = count + 1
    end
end }
-- entry: victim
return { main = function(parent)
    time.sleep("1ms")
    process.send(parent, "up", 1)
    time.sleep("1h")
end }"#,
        ),
        Case::script(
            "a flood on a topic that nobody listens on, before what somebody does",
            "=> \"heard\"",
            r#"
return { main = function()
    local me = process.pid()
    local victim = process.spawn("app:victim", "app:processes", me)
    local heard = process.listen("heard")
    heard:receive()
    for i = 1, 20000 do process.send(victim, "nobody", i) end
    assert(process.send(victim, "ask"))
    return heard:receive()
end }
-- entry: victim
return { main = function(parent)
    local ask = process.listen("ask")
    process.send(parent, "heard", "ready")
    ask:receive()
    process.send(parent, "heard", "heard")
end }"#,
        ),
        Case::script(
            "twenty that flood one, and one that speaks to it",
            "=> \"heard\"",
            r#"
return { main = function()
    local victim = process.spawn("app:victim", "app:processes", process.pid())
    local heard = process.listen("heard")
    heard:receive()
    for i = 1, 20 do process.spawn("app:flooder", "app:processes", victim) end
    time.sleep("50ms")
    local tries = 0
    while not process.send(victim, "ask") do tries = tries + 1 time.sleep("1ms") end
    return heard:receive()
end }
-- entry: flooder
return { main = function(to) while true do process.send(to, "flood", ("x"):rep(1000)) time.sleep("1us") end end }
-- entry: victim
return { main = function(parent)
    process.send(parent, "heard", "ready")
    while true do if process.inbox():receive():topic() == "ask" then return process.send(parent, "heard", "heard") end end
end }"#,
        ),
        Case::script(
            "messages of a megabyte",
            "=> {true, \"RateLimited\", \"Invalid\"}",
            r#"
return { main = function()
    local victim, text, count = process.spawn("app:victim", "app:processes"), ("x"):rep(1000000), 0
    local _, long = process.send(victim, "t", ("x"):rep(1 << 20))
    while true do
        local ok, err = process.send(victim, "t", text)
        if err then return { count <= 4, err:kind(), long:kind() } end
        count = count + 1
    end
end }
-- entry: victim
return { main = function() process.listen("t") while true do end end }"#,
        ),
        Case::script(
            "three hundred that send and end at once",
            "=> 300",
            r#"
return { main = function()
    local got, count = process.listen("t"), 0
    for i = 1, 300 do process.spawn("app:child", "app:processes", process.pid()) end
    for i = 1, 300 do got:receive() count = count + 1 end
    return count
end }
-- entry: child
return { main = function(to) process.send(to, "t", ("x"):rep(10000)) end }"#,
        ),
        Case::body(
            "forty thousand numbers whose remainders collide",
            "=> 40000",
            r#"
            local t = {} for i = 1, 40000 do t[i * 65535] = true end
            process.send(process.pid(), "t", t)
            local count = 0
            for _ in pairs((process.listen("t"):receive())) do count = count + 1 end
            return count"#,
        )
        .with_memory(32 << 20),
        Case::body(
            "names by the thousand",
            "=> {1024, \"ResourceExhausted\"}",
            r#"
            for i = 1, 5000 do
                local ok, err = process.registry.register("name " .. i)
                if err then return { i - 1, err:kind() } end
            end"#,
        ),
        Case::script(
            "the name of another, taken",
            "=> {\"AlreadyExists\", \"PermissionDenied\"}",
            r#"
return { main = function()
    process.spawn_linked("app:holder", "app:processes", process.pid())
    process.listen("ready"):receive()
    local _, taken = process.registry.register("held")
    local _, foreign = process.registry.unregister("held")
    return { taken:kind(), foreign:kind() }
end }
-- entry: holder
return { main = function(to) process.registry.register("held") process.send(to, "ready") time.sleep("1h") end }"#,
        ),
        links(
            "a ring of four hundred, of which one fails",
            r#"
            for i = 1, #all do process.send(all[i], "link", { all[i % #all + 1] }) end"#,
        ),
        links(
            "a star of four hundred, whose middle fails",
            r#"
            process.send(all[1], "link", { table.unpack(all, 2) })"#,
        ),
        links(
            "a mesh of four hundred, of which one fails",
            r#"
            for i = 1, #all do process.send(all[i], "link", { table.unpack(all, i + 1) }) end"#,
        ),
        Case::script(
            "monitors on the dying",
            "=> 400",
            r#"
return { main = function()
    local events, pids, count = process.events(), {}, 0
    for i = 1, 400 do pids[i] = process.spawn("app:child", "app:processes") end
    for i = 1, 400 do process.terminate(pids[i]) end
    for i = 1, 400 do
        local ok, err = process.monitor(pids[i])
        if not ok and err:kind() == errors.NOT_FOUND then count = count + 1 end
    end
    return count
end }
-- entry: child
return { main = function() time.sleep("1h") end }"#,
        ),
        Case::script(
            "results of a megabyte, by the hundred, to who doesn't wait",
            "ResourceExhausted mailbox_bytes",
            r#"
return { main = function()
    for i = 1, 100 do process.spawn_monitored("app:child", "app:processes") end
    while true do end
end }
-- entry: child
return { main = function() return ("x"):rep(1000000) end }"#,
        ),
        Case::script(
            "a thousand and more programs executed at once",
            "=> \"ResourceExhausted\"",
            r#"
return { main = function()
    local kind
    for i = 1, 2000 do
        coroutine.spawn(function()
            local _, err = process.exec("app:sleeper", "app:processes")
            kind = kind or err and err:kind()
        end)
    end
    time.sleep("1ms")
    return kind or "none"
end }
-- entry: sleeper
return { main = function() time.sleep("1h") end }"#,
        ),
        Case::body(
            "the neighbour on another node, by its pid and by guesses",
            "=> 0",
            r#"
            local reached = 0
            for number = 1, 50 do
                local pid = ("{quiet:processes|0x%05x}"):format(number)
                for _, f in ipairs { process.terminate, process.cancel, process.link, process.monitor, process.registry.lookup } do
                    if f(pid) then reached = reached + 1 end
                end
                if process.send(pid, "t", 1) or process.registry.register("n" .. number, pid) then reached = reached + 1 end
            end
            return reached"#,
        ),
        Case::script(
            "arguments and context of a megabyte, for all children",
            "=> {\"ResourceExhausted\", \"node.memory\"}",
            r#"
return { main = function()
    local big = ("x"):rep(1000000)
    local with = process.with_context { v = big }
    while true do
        local _, err = with:spawn("app:child", "app:processes", big)
        if err then return { err:kind(), err:details().limit } end
    end
end }
-- entry: child
return { main = function() time.sleep("1h") end }"#,
        )
        .on_node(|config| config.with_memory(64 << 20, 0)),
        Case::script(
            "children until the node's memory ends",
            "=> \"node.memory\"",
            r#"
return { main = function()
    while true do
        local _, err = process.spawn("app:child", "app:processes")
        if err then return err:details().limit end
    end
end }
-- entry: child
return { main = function() local keep = ("x"):rep(4000000) time.sleep("1h") return keep end }"#,
        )
        .on_node(|config| config.with_memory(64 << 20, 0)),
        Case::body(
            "an actor's meta of many tiny tables",
            "Internal or Invalid",
            r#"
            local meta = {} for i = 1, 5000 do meta["k" .. i] = {} end
            local actor, err = security.new_actor("a", meta)
            if err then error(err) end
            local _, refused = process.with_context({}):with_actor(actor):spawn("app:main", "app:processes")
            error(refused)"#,
        ),
        Case::body(
            "a scope of a thousand policies",
            "=> \"NotFound\" or => \"Invalid\"",
            r#"
            local ids = {} for i = 1, 1000 do ids[i] = "app:p" .. i end
            local scope, err = security.new_scope(ids)
            return (err or select(2, process.with_context({}):with_scope(scope):spawn("app:main", "app:processes"))):kind()"#,
        ),
        Case::body(
            "a log line of megabytes, and fields by the thousand",
            "=> nil",
            r#"
            local fields = {} for i = 1, 20000 do fields["field " .. i] = ("v"):rep(10) end
            for _ = 1, 20 do logger:info(("x"):rep(1000000), fields) logger:error("\27[2J\u{202e}") end"#,
        )
        .with_memory(32 << 20),
        Case::body(
            "a process that receives what it sends itself, for ever",
            OUT_OF_MEMORY,
            r#"
            local kept, ch = {}, process.listen("t")
            while true do
                process.send(process.pid(), "t", ("x"):rep(10000) .. #kept)
                kept[#kept + 1] = ch:receive()
            end"#,
        ),
    ]
}

/// Children that link as they are told; then the first of them fails, and all have to end: the names they hold are free.
fn links(tried: &'static str, links: &str) -> Case {
    let script = format!(
        r#"
return {{ main = function()
    local all, events, ready = {{}}, process.events(), process.listen("ready")
    for i = 1, 400 do all[i] = process.spawn_monitored("app:child", "app:processes", process.pid()) end
    {links}
    for i = 1, #all do process.send(all[i], "done") end
    for i = 1, #all do ready:receive() end
    process.send(all[1], "fail")
    local ended = {{}}
    for i = 1, #all do ended[events:receive().from] = true end
    local count = 0
    for _ in pairs(ended) do count = count + 1 end
    return count
end }}
-- entry: child
return {{ main = function(parent)
    local link, done, fail = process.listen("link"), process.listen("done"), process.listen("fail")
    coroutine.spawn(function()
        for _, pid in ipairs(link:receive()) do process.link(pid) end
    end)
    done:receive()
    process.send(parent, "ready")
    fail:receive()
    error("fails")
end }}"#
    );
    Case::script(tried, "=> 400", script.leak())
}
