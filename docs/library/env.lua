---@meta env

--- Environment variables that were granted. The module is there, as a global and for `require`, only in a process whose
--- entry or host has a [grant](../applications.md#grants), or that was started with one; elsewhere `env` is nil. Values are
--- those of the start of the application.
---
--- The example has the variable `GREETING`, set to `hello`.
---@class envlib
env = {}

--- The value of a variable. One that wasn't granted looks like one that isn't set. An entry of kind `env.variable` gives a
--- granted variable a default.
---
--- Errors:
--- * `INVALID`: the name is missing, empty or longer than 255 bytes
--- * `NOT_FOUND`: it isn't set and has no default, or isn't granted
---
--- Permission: `env.get` on the variable's name.
---
--- ```lua
--- print((env.get("GREETING"))) --> hello
---
--- local value, err = env.get("HOME_OF_NOBODY")
--- print(value, err:kind() == errors.NOT_FOUND) --> nil true
--- ```
---@param name string
---@return string? value
---@return errors.Error? err
---@nodiscard
function env.get(name) end

--- All granted variables that are set, or have a default, and that the policies allow (`env.get` on each), by name. A fresh table each
--- time.
---
--- ```lua
--- print(env.get_all().GREETING) --> hello
--- ```
---@return table<string, string> values
---@nodiscard
function env.get_all() end

return env
