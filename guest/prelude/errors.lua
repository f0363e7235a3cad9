-- Error objects: a table with kind, text, retryable, details, stack at 1 to 5 (Rust makes and reads them too, in
-- error.rs and the codec), and at 6 the text of what was wrapped, which doesn't travel. Owns what a script can do with one, the module `errors`, and how the prelude complains.
local rt = ...
local type, tostring, error, setmetatable, pairs, next, rawget = type, tostring, error, setmetatable, pairs, next, rawget
local metatable_of, native_traceback = debug.getmetatable, debug.traceback
local sub, match, gmatch, tointeger = string.sub, string.match, string.gmatch, math.tointeger

local kinds, known = rt.kinds, {}
for _, kind in pairs(kinds) do known[kind] = true end

local traceback = rt.wrap_traceback(native_traceback)
rt.traceback = traceback

-- The type as Lua's own messages name it.
local function type_name(value)
  local meta = metatable_of(value)
  local name = type(meta) == "table" and rawget(meta, "__name")
  return type(name) == "string" and name or type(value)
end

-- "bad argument", with the position of whoever called the function that complains.
local function bad_argument(number, name, expected, value, level)
  error("bad argument #" .. number .. " to '" .. name .. "' (" .. expected .. " expected, got "
    .. (value == nil and "no value" or type_name(value)) .. ")", (level or 1) + 2)
end
rt.type_name, rt.bad_argument = type_name, bad_argument

local Error = { __name = "error", __metatable = false }
rt.define("error", Error)

-- As much of a script's text as a message repeats.
local function shown(text)
  return #text > MAX_SHOWN and sub(text, 1, MAX_SHOWN) .. "…" or text
end
rt.shown = shown

-- What is said of the name among a table's keys that was probably meant, or nothing.
function rt.did_you_mean(wrong, names, prefix)
  local found = type(wrong) == "string" and rt.near(wrong, names)
  return found and ": did you mean `" .. (prefix or "") .. found .. "`?" or ""
end

local function text(err)
  local message = err[2]
  return type(message) == "string" and message or ""
end

-- Joins two operands of `..` once the runtime's own wrappings are off; complains as Lua does, at the script's line.
local function join(a, b)
  for i = 1, 2 do
    local value = i == 1 and a
    if i == 2 then value = b end
    local kind = type(value)
    if kind ~= "string" and kind ~= "number" then
      local meta = metatable_of(value)
      if type(meta) ~= "table" or rawget(meta, "__concat") == nil then
        error("attempt to concatenate a " .. type_name(value) .. " value", 2) -- callers tail-call
      end
    end
  end
  return a .. b
end
rt.join = join

Error.__tostring = text

-- Lua's own functions take an error object where they want a string, as its text (lua.patch, part 7); these do the rest.
function Error.__len(err) return #text(err) end

function Error.__concat(a, b)
  if metatable_of(a) == Error then a = text(a) end
  if metatable_of(b) == Error then b = text(b) end
  return join(a, b)
end

local function check(err, method)
  if metatable_of(err) ~= Error then bad_argument(1, method, "error", err, 2) end
end

local methods = {}
function methods.kind(err) check(err, "kind") return err[1] or "" end
function methods.message(err)
  check(err, "message")
  local wrapped = err[6]
  return type(wrapped) == "string" and wrapped or text(err)
end
function methods.retryable(err) check(err, "retryable") return err[3] end
-- An empty table says nothing.
function methods.details(err)
  check(err, "details")
  local details = err[4]
  if type(details) == "table" and next(details) == nil then return nil end
  return details
end
function methods.stack(err) check(err, "stack") return err[5] end
-- What a string can do, an error object can as its text: `err:find("…")`.
Error.__index = setmetatable(methods, { __index = string, __metatable = false })

-- An error object without a stack, as calls return it.
local function fault(kind, message)
  return setmetatable({ kind, message, false, nil, nil }, Error)
end
rt.fault = fault

local function invalid(message) return nil, fault("Invalid", message) end
rt.invalid = invalid

local function raised(kind, message, retryable, details)
  return setmetatable({ kind, message, retryable, details, traceback(nil, 1) }, Error)
end

rt.raised = raised

local errors = {}
for name, kind in pairs(kinds) do errors[name] = kind end

-- A kind by its value, or by the name of its constant. Raises for another: a kind that nobody checks for is a slip of the fingers.
local function kind_of(kind, level)
  if kind == nil then return "" end
  local known_by = known[kind] and kind or kinds[kind]
  if known_by then return known_by end
  local shown_kind = type(kind) == "string" and "`" .. shown(kind) .. "`" or "a " .. type_name(kind)
  error("kind is " .. shown_kind .. ", which is none of errors' kinds" .. rt.did_you_mean(kind, kinds, "errors."), level)
end

-- A kind and a message, as texts.
local function of_kind(kind, message)
  if kind == nil then bad_argument(1, "new", "kind of error", kind, 2) end
  if type(kind) == "table" and metatable_of(kind) ~= Error then bad_argument(2, "new", "nothing after fields", message, 2) end
  if metatable_of(message) == Error then message = text(message) end
  if type(message) ~= "string" and type(message) ~= "number" then bad_argument(2, "new", "string", message, 2) end
  return kind_of(kind, 4), tostring(message)
end

-- A message; a kind and a message; or fields.
function errors.new(what, words)
  local kind = type(what)
  if words ~= nil then
    local message
    kind, message = of_kind(what, words)
    return raised(kind, message, nil, nil)
  end
  if kind == "string" or kind == "number" then return raised("", tostring(what), nil, nil) end
  if what == nil then return invalid("message is missing") end
  if kind ~= "table" then bad_argument(1, "new", "string or table", what) end
  local message, retryable, details = what.message, what.retryable, what.details
  if type(message) == "number" then message = tostring(message) end
  if message == nil then return invalid("message is missing") end
  if type(message) ~= "string" then return invalid("message is a " .. type_name(message) .. ", not a string") end
  kind = kind_of(what.kind, 3)
  if retryable ~= nil and type(retryable) ~= "boolean" then
    return invalid("retryable is a " .. type_name(retryable) .. ", not a boolean")
  end
  if details ~= nil and type(details) ~= "table" then
    return invalid("details is a " .. type_name(details) .. ", not a table")
  end
  return raised(kind, message, retryable, details)
end

-- The same error with more words before its text; its message is as it was. What isn't an error object becomes one.
function errors.wrap(err, words)
  if err == nil then return invalid("error is missing") end
  if words == nil then return invalid("text is missing") end
  if type(words) ~= "string" and type(words) ~= "number" then bad_argument(2, "wrap", "string", words) end
  if metatable_of(err) == Error then
    local wrapped = setmetatable({ err[1], words .. ": " .. text(err), err[3], err[4], err[5], text(err) }, Error)
    if wrapped[5] == nil then wrapped[5] = traceback(nil, 1) end
    return wrapped
  end
  local wrapped = raised("", words .. ": " .. tostring(err), nil, nil)
  wrapped[6] = tostring(err)
  return wrapped
end

function errors.is(err, kind)
  return metatable_of(err) == Error and (err[1] or "") == kind
end

-- The traceback as a table: from where it was raised outward, frames with `source`, `line` (nil: a function of C) and `name` (nil: none).
-- Nil: no error object, or one without a traceback.
function errors.call_stack(err)
  local stack = metatable_of(err) == Error and err[5]
  if type(stack) ~= "string" then return nil end
  local frames, count = {}, 0
  for frame in gmatch(stack, "\n\t([^\n]+)") do
    local source, line, what = match(frame, "^(.-):(%d+): in (.*)$")
    if not source then source, what = match(frame, "^(.-): in (.*)$") end
    if source then
      count = count + 1
      frames[count] = { source = source, line = tointeger(line), name = match(what, "'(.-)'") or match(what, "^main chunk$") }
    end
  end
  return { thread = rt.state[PID], frames = frames }
end

rt.errors = errors
