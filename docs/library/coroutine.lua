---@meta coroutine

--- Coroutines that run beside each other, and Lua's own. `coroutine.spawn` is added to Lua's module; everything else in it
--- works as in Lua 5.4.
---
--- **Waiting.** `time.sleep`, a channel's `receive` and `send`, `channel.select`, `process.exec`, the functions of `fs` and
--- `process.upgrade` may wait. Only the coroutine that calls them waits; the others of the process go on. They can wait
--- everywhere Lua can yield: in `pcall`, in metamethods of operators, in iterators, in `__close` and `__pairs`. Inside a
--- library function's callback (a comparator of `table.sort`, a function of `string.gsub`, `__tostring`, a message
--- handler of `xpcall`, `__gc`, a reader of `load`) they raise "attempt to yield across a C-call boundary".
--- `process.send` and the spawns never wait.
---
--- **Plain coroutines** (`coroutine.create`, `wrap`) may wait, too: that suspends the whole spawned coroutine around them.
--- Meanwhile their status is `normal`, and resuming or closing them fails as for a normal one. `coroutine.yield` outside a
--- plain coroutine raises "attempt to yield from outside a coroutine".
---
--- When every coroutine waits and nothing can ever wake one, the process ends abnormally: "all coroutines blocked".
---@class coroutinelib
coroutine = {}

--- Runs a function at once, up to its first wait; then it goes on beside its caller. Its results are dropped. An error that
--- leaves it ends the process: the caller's `pcall` doesn't see it. When `main` returns, it ends.
---
--- A process may have 10,000 unfinished ones (limit `coroutines`); plain coroutines don't count. Beyond that it raises an
--- error object of kind `RESOURCE_EXHAUSTED`.
---
--- ```lua
--- coroutine.spawn(function(name)
---   print("one", name)
---   --> one Ada
---   time.sleep("1ms")
---   print("three")
--- end, "Ada")
--- print("two") --> two
--- time.sleep("50ms") --> three
--- ```
---@param f fun(...: any)
---@param ... any arguments of `f`
function coroutine.spawn(f, ...) end

return coroutine
