//! Where one can wait: everywhere Lua can yield, and nowhere else.

use expect_test::expect;

use crate::check::check_main;

/// The four waits that are there today, each to be called as `wait()`, after which `"waited"` is its value.
const WAITS: &str = r#"
        local waits = {
            { "sleep", function() time.sleep(1) return "waited" end },
            { "receive", function()
                local ch = channel.new()
                coroutine.spawn(function() time.sleep(0) ch:send("waited") end)
                return (ch:receive())
            end },
            { "send", function()
                local ch, got = channel.new(), channel.new(1)
                coroutine.spawn(function() time.sleep(0) got:send((ch:receive())) end)
                ch:send("waited")
                return (got:receive())
            end },
            { "select", function()
                return channel.select { channel.new():case_receive(), time.after(1):case_receive() }.ok and "waited"
            end },
        }
"#;

/// Runs each wait at a place, which is an expression with `wait`.
fn check_place(place: &str) {
    check_main(
        &format!("{WAITS} for _, w in ipairs(waits) do local wait = w[2] print(w[1], ({place})) end"),
        expect![[r#"
            sleep	waited
            receive	waited
            send	waited
            select	waited
            => nil
        "#]],
    );
}

#[test]
fn in_protected_calls() {
    check_place("select(2, pcall(wait))");
    check_place("select(2, xpcall(wait, print))");
    check_place("select(3, pcall(pcall, wait))");
    check_place("select(2, pcall(error, wait()))");
}

#[test]
fn in_metamethods() {
    check_place("setmetatable({}, { __index = wait }).x");
    check_place("setmetatable({}, { __call = wait })()");
    check_place("setmetatable({}, { __add = wait }) + 1");
    check_place("1 - setmetatable({}, { __sub = wait })");
    check_place("-setmetatable({}, { __unm = wait })");
    check_place("setmetatable({}, { __concat = wait }) .. 'x'");
    check_place("('a' .. 'b' .. setmetatable({}, { __concat = wait })):sub(2)");
    for (event, operation) in [
        ("mul", "t * 1"),
        ("div", "t / 1"),
        ("mod", "1 % t"),
        ("pow", "t ^ 1"),
        ("bor", "t | 1"),
        ("bxor", "1 ~ t"),
        ("shl", "t << 1"),
        ("shr", "1 >> t"),
        ("bnot", "~t"),
    ] {
        check_place(&format!(
            "(function() local t = setmetatable({{}}, {{ __{event} = wait }}) return {operation} end)()"
        ));
    }
    check_place("#setmetatable({}, { __len = wait })");
    check_place("setmetatable({}, { __band = wait }) & 1");
    check_place("setmetatable({}, { __idiv = wait }) // 1");
    check_place("(setmetatable({}, { __eq = wait }) == {}) and 'waited'");
    check_place("(setmetatable({}, { __lt = wait }) < {}) and 'waited'");
    check_place("({} <= setmetatable({}, { __le = wait })) and 'waited'");
    check_place(
        "(function() local got local t = setmetatable({}, { __newindex = function(_, _, v) got = v end }) \
         t.x = wait() return got end)()",
    );
    check_place(
        "(function() local got local t = setmetatable({}, { __newindex = function() got = wait() end }) \
         t.x = 1 return got end)()",
    );
}

#[test]
fn in_iterators_close_and_pairs() {
    check_place("(function() for v in wait do return v end end)()");
    check_place("(function() for v in coroutine.wrap(function() coroutine.yield(wait()) end) do return v end end)()");
    check_place(
        "(function() local got do local c <close> = setmetatable({}, { __close = function() got = wait() end }) end \
         return got end)()",
    );
    check_place(
        "(function() local got pcall(function() \
         local c <close> = setmetatable({}, { __close = function() got = wait() end }) error('x') end) return got end)()",
    );
    check_place(
        "(function() for _, v in pairs(setmetatable({}, { __pairs = function() return next, { wait() } end })) do \
         return v end end)()",
    );
}

#[test]
fn in_the_closing_value_of_a_loop() {
    // However the loop is left.
    for body in ["", "break", "goto out", "error('x', 0)", "return"] {
        check_place(&format!(
            "(function() local got local closing = setmetatable({{}}, {{ __close = function() got = wait() end }}) \
             pcall(function() for _ in next, {{ 1 }}, nil, closing do {body} end ::out:: end) return got end)()"
        ));
    }
}

#[test]
fn in_coroutines_calls_and_loaded_chunks() {
    check_place("wait()");
    check_place("(function() return wait() end)()");
    check_place("(function(...) return ... end)(wait())");
    check_place("coroutine.wrap(wait)()");
    check_place("select(2, coroutine.resume(coroutine.create(wait)))");
    check_place("coroutine.wrap(function() return coroutine.wrap(function() return wait() end)() end)()");
    check_place("load('return (...)()')(wait)");
    check_place("select(2, pcall(coroutine.wrap(function() return setmetatable({}, { __index = wait }).x end)))");
}

/// Four waits for what never comes: a wait for what is there already is none.
const ENDLESS_WAITS: &str = r#"
        local waits = {
            { "sleep", function() time.sleep(1) end },
            { "receive", function() process.inbox():receive() end },
            { "send", function() channel.new():send(1) end },
            { "select", function() channel.select { process.inbox():case_receive() } end },
        }
"#;

/// Tries each wait at a place where there is none, a statement that calls `try`, which keeps what a wait raised.
fn check_no_place(place: &str) {
    check_main(
        &format!(
            r#"{ENDLESS_WAITS}
        for _, w in ipairs(waits) do
            local message
            local function try() message = raised(w[2]) end
            {place}
            print(w[1], message)
        end
        "#
        ),
        expect![[r#"
            sleep	attempt to yield across a C-call boundary
            receive	attempt to yield across a C-call boundary
            send	attempt to yield across a C-call boundary
            select	attempt to yield across a C-call boundary
            => nil
        "#]],
    );
}

#[test]
fn not_in_callbacks_of_library_functions() {
    check_no_place("table.sort({ 1, 2 }, function() try() return false end)");
    check_no_place("('x'):gsub('x', function() try() end)");
    check_no_place("tostring(setmetatable({}, { __tostring = function() try() return '' end }))");
    check_no_place("load(function() try() end)");
    check_no_place("xpcall(error, function() try() end)");
    check_no_place(
        "local co = coroutine.create(function() \
         local c <close> = setmetatable({}, { __close = function() try() end }) coroutine.yield() end) \
         coroutine.resume(co) coroutine.close(co)",
    );
    check_no_place("do setmetatable({}, { __gc = function() try() end }) end collectgarbage() collectgarbage()");
}

#[test]
fn a_wait_that_was_refused_harms_nothing() {
    check_main(
        r#"
        local ch = channel.new()
        table.sort({ 1, 2 }, function() pcall(ch.receive, ch) pcall(ch.send, ch, "ghost") return false end)
        table.sort({ 1, 2 }, function() pcall(channel.select, { ch:case_send("ghost"), ch:case_receive() }) return false end)
        print(channel.select { ch:case_receive(), default = true }.default)
        print(channel.select { ch:case_send(1), default = true }.default)
        print(pcall(table.sort, { 1, 2 }, function() time.sleep(1) end))
        print(time.sleep(1))
        coroutine.spawn(function() print(ch:receive()) end)
        print(ch:send("well"))
        time.sleep(0)
        "#,
        expect![[r#"
            true
            true
            false	attempt to yield across a C-call boundary
            true	nil
            true
            well	true
            => nil
        "#]],
    );
}

#[test]
fn what_never_waits_works_there_too() {
    check_main(
        r#"
        local me = process.pid()
        local ch = channel.new(1);
        ("x"):gsub("x", function()
            assert(process.send(me, "t", "sent"))
            assert(process.spawn_monitored("app:gives", "app:processes", "spawned"))
            assert(ch:send("buffered"))
        end)
        print(process.listen("t"):receive())
        print(process.events():receive().result)
        table.sort({ 1, 2 }, function() print(ch:receive()) return false end)
        "#,
        expect![[r#"
            sent	true
            spawned
            buffered	true
            => nil
        "#]],
    );
}

#[test]
fn a_coroutine_can_be_spawned_there() {
    check_main(
        r#"
        ("x"):gsub("x", function()
            coroutine.spawn(function() print("at once") time.sleep(1) print("later") end)
            print("spawned")
        end)
        print("beside")
        time.sleep("20ms")
        "#,
        expect![[r#"
            at once
            spawned
            beside
            later
            => nil
        "#]],
    );
}
