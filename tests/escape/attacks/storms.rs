//! Storms: what many processes can do to the time of others. Most never end by themselves: they are terminated from
//! outside, after so many ticks of the neighbour.

use crate::case::Case;

const TERMINATED: &str = "Canceled: process terminated";

pub fn cases() -> Vec<Case> {
    vec![
        storm("a fork bomb", "while true do process.spawn('app:main', 'app:processes') end", 60),
        script(
            "a flood of children that end at once",
            60,
            r#"
return { main = function() while true do process.spawn("app:child", "app:processes") end end }
-- entry: child
return { main = function() end }"#,
        ),
        script(
            "three hundred children, killed again and again",
            80,
            r#"
return { main = function()
    while true do
        local pids = {}
        for i = 1, 300 do pids[i] = process.spawn("app:child", "app:processes") end
        time.sleep("5ms")
        for i = 1, 300 do process.terminate(pids[i]) end
    end
end }
-- entry: child
return { main = function() process.registry.register(process.pid()) time.sleep("1h") end }"#,
        ),
        script(
            "three hundred linked children that fall together, again and again",
            80,
            r#"
return { main = function()
    process.set_options { trap_links = true }
    while true do
        local events = process.events()
        for i = 1, 300 do process.spawn_linked("app:child", "app:processes") end
        for i = 1, 300 do events:receive() end
    end
end }
-- entry: child
return { main = function() error("falls") end }"#,
        ),
        many("twelve hundred busy loops", 60, 1_200, "while true do end"),
        many("two hundred that wake after a microsecond", 60, 200, "while true do time.sleep('1us') end"),
        many(
            "two hundred that compute a little and wait a little",
            60,
            200,
            "while true do for i = 1, 20000 do end time.sleep('1us') end",
        ),
        many("two hundred that log as fast as they may", 60, 200, "while true do logger:info(('x'):rep(8000)) end"),
        many(
            "two hundred that print",
            60,
            200,
            "while true do for i = 1, 100 do print(('x'):rep(1000)) end time.sleep('1ms') end",
        ),
        many("two hundred that upgrade without end", 60, 200, "process.upgrade()"),
        many(
            "two hundred with a hundred timers each",
            60,
            200,
            "for _ = 1, 100 do time.ticker('1us') end time.sleep('1h')",
        ),
        many(
            "two hundred that collect garbage",
            60,
            200,
            "local t = {} for i = 1, 20000 do t[i] = {} end while true do collectgarbage() end",
        ),
        many("two hundred that throw and catch", 60, 200, "while true do pcall(error, {}) end"),
        many(
            "a hundred that fill all of their memory, again and again",
            60,
            100,
            r#"
    while true do pcall(function() local t = {} while true do t[#t + 1] = ("x"):rep(100000) .. #t end end) end"#,
        ),
        many("two hundred that write to all their memory", 60, 200, "while true do local s = ('x'):rep(3000000) end"),
        script(
            "two hundred that send to each other",
            60,
            r#"
return { main = function()
    local all = {}
    for i = 1, 200 do all[i] = process.spawn("app:child", "app:processes", all[i - 1]) end
    time.sleep("1h")
end }
-- entry: child
return { main = function(other)
    local inbox = process.inbox()
    if other then process.send(other, "hello", process.pid()) end
    while true do
        local from = inbox:receive():from()
        process.send(from, "again", { ("x"):rep(100) })
        if other then process.send(other, "again", 1) end
    end
end }"#,
        ),
        script(
            "messages of a megabyte, encoded and decoded without end",
            60,
            r#"
return { main = function()
    local t, ch = {}, process.listen("t")
    for i = 1, 20000 do t[i] = { i, tostring(i) } end
    while true do process.send(process.pid(), "t", t) ch:receive() end
end }"#,
        ),
        script(
            "programs executed without end, with large arguments and results",
            60,
            r#"
return { main = function()
    local big = ("x"):rep(500000)
    for i = 1, 20 do coroutine.spawn(function() while true do process.exec("app:child", "app:processes", big) end end) end
    time.sleep("1h")
end }
-- entry: child
return { main = function(big) return big end }"#,
        ),
        script(
            "calls, timers, spawns and upgrades, killed on the way",
            80,
            r#"
return { main = function()
    while true do
        local pids = {}
        for i = 1, 100 do pids[i] = process.spawn("app:child", "app:processes", i) end
        time.sleep("3ms")
        for i = 1, 100 do process.terminate(pids[i]) end
    end
end }
-- entry: child
return { main = function(i)
    process.registry.register("child " .. process.pid())
    time.ticker("1us") time.after("1h")
    coroutine.spawn(function() while true do process.exec("app:grandchild", "app:processes", i) end end)
    coroutine.spawn(function() while true do fs.read("data/inner/kept") fs.write("data/file" .. i, "x") end end)
    process.spawn_linked_monitored("app:grandchild", "app:processes", i)
    for _ = 1, i do process.send(process.pid(), "t", ("x"):rep(1000)) end
    if i % 3 == 0 then process.upgrade(nil, i) end
    while true do time.sleep("1us") end
end }
-- entry: grandchild
return { main = function(i) if i % 2 == 0 then error("odd") end return i end }"#,
        )
        .with_files(),
    ]
}

fn script(tried: &'static str, ticks: u64, script: &'static str) -> Case {
    Case::script(tried, TERMINATED, script).ended_after(ticks)
}

/// One that never ends.
fn storm(tried: &'static str, body: &str, ticks: u64) -> Case {
    Case::body(tried, TERMINATED, body).ended_after(ticks)
}

/// So many that do the same.
fn many(tried: &'static str, ticks: u64, count: u32, body: &str) -> Case {
    let script = format!(
        r#"
return {{ main = function()
    for i = 1, {count} - 1 do process.spawn("app:child", "app:processes") end
    time.sleep("1h")
end }}
-- entry: child
return {{ main = function() {body} end }}"#
    );
    script_of(tried, ticks, script).with_processes(count)
}

fn script_of(tried: &'static str, ticks: u64, text: String) -> Case {
    script(tried, ticks, text.leak())
}
