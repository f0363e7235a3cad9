---@meta base

--- What a script finds of Lua itself: Lua 5.4, without what reaches the world outside. There is no module of this name; the
--- functions are globals.
---
--- The runtime's modules `process`, `channel`, `time`, `errors`, `ctx`, `security`, `json` and `logger` are always there, as
--- globals and for `require`; `env` and `fs` through [grants](../applications.md).
---
--- | of Lua | there |
--- |---|---|
--- | base library | `_G` `_VERSION` `assert` `collectgarbage` `error` `getmetatable` `ipairs` `load` `next` `pairs` `pcall` `print` `rawequal` `rawget` `rawlen` `rawset` `require` `select` `setmetatable` `tonumber` `tostring` `type` `unpack` `warn` `xpcall` |
--- | `string` | everything but `dump`; `string(x)` is `tostring(x)` |
--- | `table` `math` `utf8` | everything; `table.create(items, fields)`, a table with room for so many; `math.pow` |
--- | `coroutine` | everything, and [`spawn`](coroutine.md) |
--- | `os` | `clock` `date` `difftime` `time` |
--- | `debug` | `traceback` |
---
--- Not there: `io`, `package`, the rest of `os` and `debug`, `dofile`, `loadfile`, `string.dump`.
---
--- * `load` takes text only; a binary chunk is refused.
--- * `os.date` and `os.time` are in UTC. `os.clock` is the CPU time of this process.
--- * `math.random` starts differently in every process.
--- * `pairs` and `next` go through the same keys in another order in each process. A program that needs an order sorts.
--- * `warn` shows nothing.
--- * Each process has its own copies of everything. A script may change `string` or even `pcall`, and harms itself alone.
---
--- The runtime's objects (messages, channels, errors, timers, points in time and others) are opaque: don't rely on what
--- `type()` says of them, and use their methods only. A field that they lack reads as nil.
---@class baselib

--- Writes its arguments, separated by tabs as Lua does, as one line of the process's output. Nothing is dropped: when the
--- output is full, the coroutine that prints waits. Where it can't wait ([coroutines](coroutine.md)) the line is dropped and
--- counted. What can't be seen is spelled out, but for tab and newline: control characters as `\x1b`, format characters, which
--- turn, hide or join text, as `\u{202e}`.
---
--- ```lua
--- print("one", 2, nil, true) --> one 2 nil true
--- ```
---@param ... any
function print(...) end

--- Gives a module: one of the runtime's, one of the embedding program's that was [granted](../modules.md), or a library that the
--- entry imports, by its alias in `imports`. A library is loaded
--- once in a process, may wait while it loads, and has its own `require`, which knows its own imports. Everything else raises
--- "module 'x' not found".
---
--- ```lua
--- print(require("time") == time) --> true
--- print(pcall(require, "io")) --> false module 'io' not found (the entry has no `imports`)
--- ```
---@param name string
---@return any module
---@nodiscard
function require(name) end

--- Compiles a chunk, as in Lua 5.4; only text. Returns `nil` and a message when it doesn't compile.
---
--- ```lua
--- print(load("return 1 + 1")()) --> 2
--- print(load("return +", "=rule")) --> nil rule:1: unexpected symbol near '+'
--- ```
---@param chunk string|fun(): string?
---@param name? string what messages call it
---@param mode? "t"|"bt"|"b" `"b"` refuses everything
---@param env? table its globals
---@return function? compiled
---@return string? message
---@nodiscard
function load(chunk, name, mode, env) end

--- Of `os` there is the time.
---@class oslib
os = {}

--- CPU time that this process has used, in seconds. Waiting doesn't count.
---
--- ```lua
--- print(math.type(os.clock()), os.clock() >= 0) --> float true
--- ```
---@return number seconds
---@nodiscard
function os.clock() end

--- A time as text or, with the format `*t`, as a table; in UTC, whether the format begins with `!` or not. See Lua's manual.
---
--- ```lua
--- print(os.date("%Y-%m-%d %H:%M:%S", 86399)) --> 1970-01-01 23:59:59
--- ```
---@param format? string
---@param time? integer now by default
---@return string|osdate date
---@nodiscard
function os.date(format, time) end

--- The seconds from one time to another.
---
--- ```lua
--- print(os.difftime(5, 3)) --> 2.0
--- ```
---@param later integer
---@param earlier integer
---@return number seconds
---@nodiscard
function os.difftime(later, earlier) end

--- The time now, or that of a table, in Unix seconds; in UTC. See Lua's manual.
---
--- ```lua
--- print(os.time({ year = 1970, month = 1, day = 2, hour = 0 })) --> 86400
--- ```
---@param date? osdateparam
---@return integer seconds
---@nodiscard
function os.time(date) end

--- Of `debug` there is `traceback`.
---@class debuglib
debug = {}

--- A traceback in the script's own files; the runtime's own functions aren't shown. See Lua's manual.
---
--- ```lua
--- print(debug.traceback("here"):match("^here\nstack traceback:\n%s+main.lua:%d+") ~= nil) --> true
--- ```
---@param message? any
---@param level? integer
---@return string text
---@nodiscard
function debug.traceback(message, level) end

--- `table.unpack`, by its older name.
---
--- ```lua
--- print(unpack({ 1, 2, 3 })) --> 1 2 3
--- ```
---@param list table
---@param first? integer
---@param last? integer
---@return any ...
---@nodiscard
function unpack(list, first, last) end
