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
        ends_by_cpu("a pattern that tries everything", r#"return ("a"):rep(40):match(("a-"):rep(40) .. "b")"#),
        ends_by_cpu("a pattern that is quadratic in a megabyte", r#"return ("a"):rep(1000000):gsub("a*b", "")"#),
        ends_by_cpu("table.move of a thousand million", "return table.move({}, 1, 1 << 30, 2)"),
        Case::body(
            "table.concat of what claims a length",
            RAISED,
            "return table.concat(setmetatable({}, { __len = function() return 1 << 40 end }))",
        ),
        Case::body("table.unpack of a hundred million", RAISED, "return table.unpack({}, 1, 1e8)"),
        Case::body(
            "table.unpack across all integers",
            RAISED,
            "return table.unpack({}, math.mininteger, math.maxinteger)",
        ),
        Case::body(
            "table.move across all integers",
            RAISED,
            "return table.move({}, math.mininteger, math.maxinteger, 1)",
        ),
        Case::body("string.byte of a megabyte", RAISED, "return ('x'):rep(1000000):byte(1, -1)"),
        Case::body("widths beyond those of string.format", RAISED, "return string.format('%1000d', 1)"),
        Case::body("the widest numbers of string.format", "=> 500", "return #string.format('%99.99f%99d', 1e300, 1)"),
        Case::body(
            "a comparator that lies",
            "=> nil or Internal",
            "local t = {} for i = 1, 1000 do t[i] = i end table.sort(t, function() return true end)",
        ),
        Case::body("a source of ten megabytes", "=> true", "return load(('a = 1 '):rep(1700000)) ~= nil")
            .with_memory(256 << 20),
        Case::body("a source of ten megabytes in eight", OUT_OF_MEMORY, "return load(('a = 1 '):rep(1700000)) ~= nil"),
        Case::body(
            "a source nested a hundred thousand times",
            "=> nil",
            "return (load(('('):rep(100000) .. '1' .. (')'):rep(100000)))",
        ),
        Case::body(
            "functions nested a hundred thousand times",
            "=> nil",
            "return (load(('function f() '):rep(100000)))",
        ),
        Case::body(
            "a bracket of a million levels",
            "=> nil",
            "return (load('return [' .. ('='):rep(1000000) .. '[ x'))",
        ),
        Case::body(
            "utf8 over bytes that are none",
            "=> \"well\"",
            r#"
            local bad = ("\xff\xfe\x80"):rep(300000)
            pcall(utf8.len, bad) pcall(utf8.codepoint, bad, 1, -1) pcall(utf8.offset, bad, 1000) pcall(utf8.char, 1 << 31)
            pcall(function() for _ in utf8.codes(bad) do end end)
            return "well""#,
        ),
        Case::body("JSON nested a million times", "=> nil", "return (json.decode(('['):rep(1000000)))"),
        Case::body("a JSON number of a million digits", "=> nil", "return (json.decode(('9'):rep(1000000)))"),
        Case::body(
            "a duration and a date of a megabyte",
            "=> nil",
            "pcall(time.parse_duration, ('9'):rep(1000000)) pcall(time.parse, ('2006'):rep(1000), ('9'):rep(1000000))",
        ),
    ]
}

/// A Lua error that nobody catches.
const RAISED: &str = "Internal";

const OUT_OF_MEMORY: &str = "ResourceExhausted memory";

fn ends_by_cpu(tried: &'static str, body: &str) -> Case {
    Case::body(tried, "ResourceExhausted cpu", body).with_cpu(100)
}
