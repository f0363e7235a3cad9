-- Error objects: a table with kind, message, retryable, details, stack at 1 to 5 (Rust makes and reads them too, in
-- error.rs and the codec). Owns what a script can do with one, the module `errors`, and how the prelude complains.
local rt = ...
local type, tostring, error, setmetatable, pairs, rawget = type, tostring, error, setmetatable, pairs, rawget
local metatable_of, native_traceback, sub = debug.getmetatable, debug.traceback, string.sub

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
function methods.message(err) check(err, "message") return text(err) end
function methods.retryable(err) check(err, "retryable") return err[3] or false end
function methods.details(err) check(err, "details") return err[4] end
function methods.stack(err) check(err, "stack") return err[5] end
Error.__index = methods

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

function errors.new(what)
  local kind = type(what)
  if kind == "string" or kind == "number" then return raised("", tostring(what), false, nil) end
  if what == nil then return invalid("message is missing") end
  if kind ~= "table" then bad_argument(1, "new", "string or table", what) end
  local message, retryable, details = what.message, what.retryable, what.details
  if type(message) == "number" then message = tostring(message) end
  if message == nil then return invalid("message is missing") end
  if type(message) ~= "string" then return invalid("message is a " .. type_name(message) .. ", not a string") end
  kind = what.kind or ""
  if not known[kind] then return invalid("kind `" .. shown(tostring(kind)) .. "` is not one of errors' kinds") end
  if retryable ~= nil and type(retryable) ~= "boolean" then
    return invalid("retryable is a " .. type_name(retryable) .. ", not a boolean")
  end
  if details ~= nil and type(details) ~= "table" then
    return invalid("details is a " .. type_name(details) .. ", not a table")
  end
  return raised(kind, message, retryable or false, details)
end

-- The same error with more words before it. What isn't an error object becomes one.
function errors.wrap(err, words)
  if err == nil then return invalid("error is missing") end
  if words == nil then return invalid("text is missing") end
  if type(words) ~= "string" and type(words) ~= "number" then bad_argument(2, "wrap", "string", words) end
  if metatable_of(err) == Error then
    local wrapped = setmetatable({ err[1], words .. ": " .. text(err), err[3], err[4], err[5] }, Error)
    if wrapped[5] == nil then wrapped[5] = traceback(nil, 1) end
    return wrapped
  end
  return raised("", words .. ": " .. tostring(err), false, nil)
end

function errors.is(err, kind)
  return metatable_of(err) == Error and (err[1] or "") == kind
end

rt.errors = errors
