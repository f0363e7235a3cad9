---@meta stdin

--- Standard input of the command. `require("stdin")` finds it in what `lunarium run FILE`, `run -e` and `run -` start, and in an
--- application in a process whose entry or host has `grants: {modules: [stdin]}`; nothing else does.
---
--- There is one input for all processes: what one has taken no other gets, and what has come at once, up to 64 KiB, comes to one
--- of them. Only the coroutine that asks waits. When the script itself came from standard input (`run -`), nothing is left of it.
---@class stdinlib
local stdin = {}

--- Lines, without their ends, for a loop. The last one needs no end. A line that doesn't fit into the process's memory is Lua's error
--- `not enough memory`; so is an input that can't be read an error.
---
--- ```lua
--- -- input: three green bottles\nand one\n
--- local stdin = require("stdin")
--- local words = 0
--- for line in stdin.lines() do
---   for _ in line:gmatch("%S+") do words = words + 1 end
--- end
--- print(words) --> 5
--- ```
---@return fun(): string? line
function stdin.lines() end

--- So many bytes, fewer when the input ends before, nil when it has ended; without a number all that is left, which may be empty.
---
--- Errors:
--- * `UNAVAILABLE`: it can't be read
---
--- ```lua
--- -- input: head and tail
--- local stdin = require("stdin")
--- print(stdin.read(4)) --> head
--- print(stdin.read()) -->  and tail
--- print((stdin.read(1))) --> nil
--- ```
---@param count? integer 1 or more
---@return string? bytes
---@return errors.Error? err
function stdin.read(count) end

return stdin
