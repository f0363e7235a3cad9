---@meta ctx

--- Context values: what a process was started with beside its arguments, read-only. They are set by
--- [`process.with_context`](process.md#starting-with-context) and inherited by everything a process starts. The module is
--- always there, also as a global.
---
--- The process guide's errors "context not found" and "frame context not found" can't arise here: a chunk already runs
--- inside its process, which has a context, be it an empty one.
---@class ctxlib
ctx = {}

--- The value under a key. A table is a fresh copy each time.
---
--- Errors:
--- * `INVALID`: the key is missing or empty
--- * `NOT_FOUND`: there is no such value
---
--- ```lua
--- local value, err = ctx.get("request")
--- print(value, err:kind() == errors.NOT_FOUND) --> nil true
---
--- process.with_context({ request = "r-1" }):spawn_monitored("app:child", "app:processes")
--- print(process.events():receive().result) --> r-1
--- -- entry: child
--- return { main = function() return (ctx.get("request")) end }
--- ```
---@param key string
---@return any value
---@return errors.Error? err
---@nodiscard
function ctx.get(key) end

--- All values. A fresh table each time: changing it changes nothing.
---
--- ```lua
--- print(next(ctx.all())) --> nil
---
--- process.with_context({ user = "ada" }):spawn_monitored("app:child", "app:processes")
--- print(process.events():receive().result.value.user) --> ada
--- -- entry: child
--- return { main = function() return ctx.all() end }
--- ```
---@return table<string, any> values
---@nodiscard
function ctx.all() end

return ctx
