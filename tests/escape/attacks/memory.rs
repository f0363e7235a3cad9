//! Memory and recursion: the limit is that of everything a process holds, and a stack that ends is an error.

use crate::case::Case;

const OUT: &str = "ResourceExhausted memory";
const OVERFLOW: &str = "Internal: main.lua:1: stack overflow";

pub fn cases() -> Vec<Case> {
    vec![
        Case::body("one huge string", OUT, "return ('x'):rep(1 << 30)"),
        Case::body("a string that doubles", OUT, "local s = 'x' while true do s = s .. s end"),
        Case::body("many small tables", OUT, "local t = {} while true do t[#t + 1] = {} end"),
        Case::body(
            "closures that grow",
            OUT,
            "local f = print while true do local g = f f = function() return g end end",
        ),
        Case::body(
            "coroutines by the hundred thousand",
            OUT,
            "local t = {} for i = 1, 100000 do t[i] = coroutine.create(print) end",
        ),
        Case::body(
            "tasks by the hundred thousand",
            "ResourceExhausted or ResourceExhausted memory",
            "for i = 1, 100000 do coroutine.spawn(function() time.sleep('1h') end) end",
        )
        .with_memory(64 << 20),
        Case::body(
            "timers by the hundred thousand",
            "=> {10000, \"ResourceExhausted\"}",
            r#"
            for i = 1, 100000 do
                local timer, err = time.after("1h")
                if not timer then return { i - 1, err:kind() } end
            end"#,
        )
        .with_memory(64 << 20),
        Case::body(
            "string.rep in pcall, again and again",
            "=> \"well\"",
            r#"
            for _ = 1, 1000 do assert(not pcall(string.rep, "x", 1 << 30)) end
            return "well""#,
        ),
        Case::body(
            "memory that is released and asked for again",
            "=> \"well\"",
            r#"
            for _ = 1, 20 do
                local t = {}
                pcall(function() while true do t[#t + 1] = ("x"):rep(10000) .. #t end end)
            end
            return "well""#,
        ),
        Case::body(
            "everything kept in the global table",
            OUT,
            "local i = 0 while true do i = i + 1 _G['k' .. i] = i end",
        ),
        Case::body(
            "finalizers that make more",
            "=> nil or ResourceExhausted memory or ResourceExhausted cpu",
            r#"
            local function more() setmetatable({}, { __gc = function() more() more() end }) end
            for _ = 1, 1000 do more() end
            for _ = 1, 20 do collectgarbage() end"#,
        )
        .with_cpu(2_000),
        Case::body("recursion", OVERFLOW, "local function f() return 1 + f() end return f()"),
        Case::body(
            "recursion in string.gsub",
            "Internal",
            "local function f(s) return (s:gsub('.', f)) end return f('x')",
        ),
        Case::body(
            "recursion in a metamethod",
            "Internal",
            "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k .. 'x'] end return t.x",
        ),
        Case::body(
            "recursion in tostring",
            "Internal",
            "local t = setmetatable({}, {}) getmetatable(t).__tostring = tostring return tostring(t)",
        ),
        Case::body("recursion in pcall", "=> nil or Internal", "local function f() return pcall(f) end f()"),
        Case::body(
            "recursion over coroutines",
            "Internal or ResourceExhausted memory",
            "local function f() return coroutine.wrap(f)() end return f()",
        ),
        Case::body(
            "a chain of __index",
            "Internal",
            "local t = {} for _ = 1, 10000 do t = setmetatable({}, { __index = t }) end return t.x",
        ),
        Case::body(
            "a message that holds itself",
            "=> \"ok\"",
            r#"
            local t = {} t.t = t
            process.send(process.pid(), "t", t)
            local got = process.listen("t"):receive()
            return got.t == got and "ok""#,
        ),
        Case::body(
            "a message nested a million times",
            "=> \"Invalid\"",
            r#"
            local t = {} for _ = 1, 1000000 do t = { t } end
            local ok, err = process.send(process.pid(), "t", t)
            return err:kind()"#,
        )
        .with_memory(256 << 20),
        Case::body("JSON of what holds itself", "=> nil or Internal", "local t = {} t.t = t return (json.encode(t))"),
        Case::body(
            "the message of an error that holds itself",
            "no kind",
            r#"
            local err = errors.new("x") rawset(err, 4, { err }) rawset(err, 2, err) error(err)"#,
        ),
    ]
}
