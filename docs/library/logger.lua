---@meta logger

--- Log lines, with fields. Every line carries the process's frame id. Lines go where the node sends them: `lunarium run`
--- writes them to standard error (`--log-level`, `--log-format text|json`). Text is cut when it is long, and what can't
--- be seen in it is spelled out, as by `print`.
---
--- Beyond 1,000 lines a second (limit `log_lines`) lines are dropped and counted; the next line that goes through says how
--- many. A line has at most 8 KiB, its fields included. Logging never waits.
---
--- A message may be anything that prints: text, a number, an error object. Fields are written in the order of their names:
--- strings as they are, tables as JSON, everything else as `tostring` says. For programs (`--log-format json`, `lunarium logs --json`)
--- numbers, booleans and tables keep their types; what is cut at a line's end is a text.
---
--- The global `logger` is a logger without fields; `logger:with(fields)` makes others. A dot works like a colon: `logger.warn("x")`.
---@class logger.Logger
logger = {}

--- For whoever writes the script; not shown by default.
---
--- ```lua
--- logger:debug("cache looked up", { key = "user:1", hit = true })
--- ```
---@param message any what prints
---@param fields? table<string, any>
---@return nil none
---@return errors.Error? err only when there is no message
function logger:debug(message, fields) end

--- Normal operation.
---
--- ```lua
--- logger:info("order accepted", { order = 7, items = { "tea", "milk" } })
--- ```
---@param message any what prints
---@param fields? table<string, any>
---@return nil none
---@return errors.Error? err only when there is no message
function logger:info(message, fields) end

--- Something is odd.
---
--- ```lua
--- logger:warn("mailbox is nearly full", { unread = 9000 })
--- ```
---@param message any what prints
---@param fields? table<string, any>
---@return nil none
---@return errors.Error? err only when there is no message
function logger:warn(message, fields) end

--- Something failed.
---
--- ```lua
--- local _, err = process.send("db", "query")
--- logger:error("no answer", { why = err })
--- ```
---@param message any what prints
---@param fields? table<string, any>
---@return nil none
---@return errors.Error? err only when there is no message
function logger:error(message, fields) end

--- A logger whose fields stand on each of its lines, beside the line's own. Fields of the same name are replaced. Their text
--- is made now.
---
--- Errors:
--- * `INVALID`: no fields
---
--- ```lua
--- local log = logger:with({ request = "r-1" })
--- log:info("started")
--- log:with({ step = 2 }):info("went on")
--- ```
---@param fields table<string, any>
---@return logger.Logger? logger
---@return errors.Error? err
---@nodiscard
function logger:with(fields) end

--- A logger with a name, which is the field `logger` of its lines; behind a dot, when it has one already.
---
--- Errors:
--- * `INVALID`: the name is missing or empty
---
--- ```lua
--- local log = logger:named("shop")
--- log:named("orders"):info("accepted") -- logger=shop.orders
--- ```
---@param name string
---@return logger.Logger? logger
---@return errors.Error? err
---@nodiscard
function logger:named(name) end

return logger
