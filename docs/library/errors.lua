---@meta errors

--- Error objects, with a kind that a program can decide by. Calls that can fail return `value, nil` or `nil, err`, where
--- `err` is one. An error object prints as its text, concatenates with `..` on either side, can be raised with `error`,
--- and survives `pcall`, sending and a process's end.
---@class errorslib
---@field NOT_FOUND "NotFound" no such process, name, entry, file; also what one may not see
---@field ALREADY_EXISTS "AlreadyExists" it is there already, or somebody else has it
---@field INVALID "Invalid" an argument is missing or unusable
---@field PERMISSION_DENIED "PermissionDenied" a policy doesn't allow it, or it wasn't granted
---@field UNAVAILABLE "Unavailable" not now: a host is stopped
---@field INTERNAL "Internal" an uncaught error of a script; a failed link; a deadlock
---@field CANCELED "Canceled" it was ended by force
---@field CONFLICT "Conflict" for scripts
---@field TIMEOUT "Timeout" it took too long
---@field RATE_LIMITED "RateLimited" a mailbox is full; try again
---@field RESOURCE_EXHAUSTED "ResourceExhausted" a limit is reached
---@field UNKNOWN "" no kind was given
errors = {}

--- The kinds of errors, by their values. Compare with the names: `err:kind() == errors.NOT_FOUND`.
---@alias errors.Kind
---| "NotFound" # `errors.NOT_FOUND`
---| "AlreadyExists" # `errors.ALREADY_EXISTS`
---| "Invalid" # `errors.INVALID`
---| "PermissionDenied" # `errors.PERMISSION_DENIED`
---| "Unavailable" # `errors.UNAVAILABLE`
---| "Internal" # `errors.INTERNAL`
---| "Canceled" # `errors.CANCELED`
---| "Conflict" # `errors.CONFLICT`
---| "Timeout" # `errors.TIMEOUT`
---| "RateLimited" # `errors.RATE_LIMITED`
---| "ResourceExhausted" # `errors.RESOURCE_EXHAUSTED`
---| "" # `errors.UNKNOWN`

--- Makes an error object: from a message, from a kind and a message, or from named fields. Raises for a kind that isn't one of `errors`'
--- constants, by its value or by its name: one that nobody checks for is a slip of the fingers.
---
--- Errors:
--- * `INVALID`: no message, or another field that is unusable
---
--- ```lua
--- local plain = errors.new("disk is full")
--- print(plain, plain:kind() == errors.UNKNOWN) --> disk is full true
---
--- local late = errors.new(errors.TIMEOUT, "took too long")
--- print(late, late:kind() == errors.TIMEOUT) --> took too long true
--- print(errors.is(errors.new("TIMEOUT", "took too long"), errors.TIMEOUT)) --> true
---
--- local err = errors.new({ message = "busy", kind = errors.CONFLICT, retryable = true, details = { holder = "ada" } })
--- print(pcall(error, err)) --> false busy
--- print(err:retryable(), err:details().holder) --> true ada
---
--- print(errors.new({ message = "late", kind = "TIMEOUT" }):kind() == errors.TIMEOUT) --> true
--- print(pcall(errors.new, { message = "late", kind = "TIMOUT" }))
--- --> false kind is `TIMOUT`, which is none of errors' kinds: did you mean `errors.TIMEOUT`?
--- ```
---@param what string|errors.Kind|errors.Fields the message; or, before one, its kind; or fields
---@param message? string behind a kind. An error object stands for its text
---@return errors.Error? err
---@return errors.Error? why only when it can't be made
---@nodiscard
function errors.new(what, message) end

--- What `errors.new` takes.
---@class errors.Fields
---@field message string
---@field kind? errors.Kind|string one of the constants, or the name of one; `errors.UNKNOWN` by default
---@field retryable? boolean whether the same call may succeed later; by default nobody knows
---@field details? table more for a program
local fields = {}

--- The same error with more words before its text. Kind, `retryable`, details and stack stay, and `message()` gives the text without
--- them, as long as the error stays in its process. What isn't an error object becomes one, of kind `UNKNOWN`.
---
--- Errors:
--- * `INVALID`: the error or the text is missing
---
--- ```lua
--- local _, err = process.registry.lookup("db")
--- local wrapped = errors.wrap(err, "cannot connect")
--- print(wrapped) --> cannot connect: name `db` not found
--- print(wrapped:message()) --> name `db` not found
--- print(errors.is(wrapped, errors.NOT_FOUND)) --> true
--- ```
---@param err any
---@param text string
---@return errors.Error? err
---@return errors.Error? why only when it can't be made
---@nodiscard
function errors.wrap(err, text) end

--- Whether something is an error object of this kind. Anything else than an error object is `false`.
---
--- ```lua
--- local _, err = process.send("nobody", "topic")
--- print(errors.is(err, errors.NOT_FOUND), errors.is(err, errors.TIMEOUT)) --> true false
--- print(errors.is("text", errors.UNKNOWN)) --> false
--- ```
---@param err any
---@param kind errors.Kind
---@return boolean is
---@nodiscard
function errors.is(err, kind) end

--- The traceback of an error object as a table: `thread` is the pid, `frames` are from where it was made outward, each with its `source`,
--- its `line` (nil: a function of C) and the function's `name` (nil: none is known). Nil for what has no traceback.
---
--- ```lua
--- local function fail() return errors.new("here") end
--- local stack = errors.call_stack(fail())
--- print(stack.thread == process.pid(), #stack.frames > 0) --> true true
--- print(stack.frames[1].source, stack.frames[1].line) --> main.lua 3
--- print(errors.call_stack("text")) --> nil
--- ```
---@param err any
---@return errors.CallStack? stack
---@nodiscard
function errors.call_stack(err) end

--- What `errors.call_stack` gives.
---@class errors.CallStack
---@field thread string the pid
---@field frames errors.Frame[]
local call_stack = {}

--- A function that was running.
---@class errors.Frame
---@field source string
---@field line integer?
---@field name string?
local frame = {}

--- An error object. Where a string is wanted it stands for its text: `err:find("limit")`, `#err`, `string.upper(err)`,
--- `table.concat({ err })`.
---@class errors.Error: string
---@operator concat(any): string
local err = {}

--- Its kind, one of the constants of `errors`.
---
--- ```lua
--- local _, err = time.sleep("soon")
--- print(err:kind(), err:kind() == errors.INVALID) --> Invalid true
--- ```
---@return errors.Kind kind
---@nodiscard
function err:kind() end

--- Its message. `tostring(err)` is the same, unless the error was wrapped: then it has the words before it.
---
--- ```lua
--- local _, err = time.sleep("soon")
--- print(err:message()) --> `soon` is not a duration
--- print("can't sleep: " .. err) --> can't sleep: `soon` is not a duration
--- ```
---@return string message
---@nodiscard
function err:message() end

--- Whether the same call may succeed later; nil when nobody said.
---
--- ```lua
--- print(errors.new("no"):retryable()) --> nil
--- print(errors.new({ message = "full", retryable = true }):retryable()) --> true
--- ```
---@return boolean? retryable
---@nodiscard
function err:retryable() end

--- More for a program; nil when there is nothing, or an empty table. A process that a limit ended has `details().limit`, the name of the limit; so
--- has the refusal of a call at a limit that the host counts.
---
--- ```lua
--- local err = errors.new({ message = "taken", details = { holder = "ada" } })
--- print(err:details().holder, errors.new("plain"):details()) --> ada nil
---
--- process.spawn_monitored("app:hog", "app:processes")
--- local why = process.events():receive().error
--- print(why:kind(), why:details().limit) --> ResourceExhausted memory
--- -- entry: hog
--- return { main = function()
---   local list = {}
---   while true do list[#list + 1] = ("x"):rep(1000) .. #list end
--- end }
--- ```
---@return table? details
---@nodiscard
function err:details() end

--- Where it was made or raised: a traceback in the script's own files. `nil` for what a call of the runtime returned.
---
--- ```lua
--- print(errors.new("x"):stack():match("main.lua:%d+") ~= nil) --> true
--- print(select(2, time.sleep("soon")):stack()) --> nil
--- ```
---@return string? stack
---@nodiscard
function err:stack() end

return errors
