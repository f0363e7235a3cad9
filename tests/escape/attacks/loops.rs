//! Loops without end, and calls of the library that take long: no hook of Lua's stops those.

use crate::case::Case;

pub fn cases() -> Vec<Case> {
    vec![
        ends_by_cpu("a loop", "while true do end"),
        ends_by_cpu("a loop in pcall in a loop", "while true do pcall(function() while true do end end) end"),
        ends_by_cpu("a loop in a coroutine", "coroutine.wrap(function() while true do end end)()"),
        ends_by_cpu("a loop in __index", "return setmetatable({}, { __index = function() while true do end end }).x"),
        ends_by_cpu(
            "a loop in __gc",
            "setmetatable({}, { __gc = function() while true do end end }) collectgarbage() collectgarbage()",
        ),
        ends_by_cpu(
            "a loop in __close",
            "do local c <close> = setmetatable({}, { __close = function() while true do end end }) end",
        ),
        ends_by_cpu(
            "a loop in the comparator of table.sort",
            "local t = {} for i = 1, 100 do t[i] = -i end table.sort(t, function() while true do end end)",
        ),
        ends_by_cpu(
            "a loop in the callback of string.gsub",
            "return ('x'):gsub('x', function() while true do end end)",
        ),
        ends_by_cpu(
            "a loop in __tostring",
            "return tostring(setmetatable({}, { __tostring = function() while true do end end }))",
        ),
        ends_by_cpu("a loop in the reader of load", "return load(function() while true do end end)"),
        ends_by_cpu(
            "a loop that error handlers go on with",
            "local function f() xpcall(error, f) while true do end end f()",
        ),
    ]
}

fn ends_by_cpu(tried: &'static str, body: &str) -> Case {
    Case::body(tried, "ResourceExhausted cpu", body).with_cpu(100)
}
