-- The module `logger`: a logger is a table with its fields at 1, by their names: a text, or a table with a text that is JSON. Owns what
-- a line's message and fields may be, and how they become text. How many lines, and how long, is the host's.
local rt = ...
local type, tostring, next, setmetatable, rawget = type, tostring, next, setmetatable, rawget
local metatable_of = debug.getmetatable
local log, encode, null, Field = rt.log, rt.json.encode, rt.json.null, rt.Field
local bad_argument, invalid = rt.bad_argument, rt.invalid

local Logger = { __name = "logger", __metatable = false }
local methods = {}
-- A method that was asked for becomes the logger's own, for calls with a dot: `log.warn("x")` is `log:warn("x")`.
function Logger.__index(logger, key)
  local method = methods[key]
  if not method then return nil end
  local function own(first, second, third)
    if metatable_of(first) == Logger then return method(first, second, third) end
    return method(logger, first, second)
  end
  logger[key] = own
  return own
end

-- Whether `tostring` gives what its author, or the runtime, wants to be shown.
local function has_text(value)
  local kind = type(value)
  if kind == "string" or kind == "number" then return true end
  local meta = metatable_of(value)
  return type(meta) == "table" and rawget(meta, "__tostring") ~= nil
end

local function text_of(value)
  if metatable_of(value) == Field then value = value[false] end
  local kind = type(value)
  -- JSON has neither infinities nor NaN.
  if kind == "boolean" or kind == "number" and value - value == 0 or value == null then return { tostring(value) } end
  if kind == "table" and not has_text(value) then
    local text, err = encode(value)
    return text and { text } or "(" .. err[2] .. ")" -- a log line isn't lost because of one field
  end
  return tostring(value)
end

-- The fields of `logger` with those of the call, which win. Called (not tail-called) by the method `name`.
local function fields_of(logger, fields, name, number)
  if metatable_of(fields) == Field then fields = fields[false] end
  if fields == nil then return logger[1] end
  if type(fields) ~= "table" then bad_argument(number, name, "table", fields, 2) end
  local all = {}
  for key, text in next, logger[1] do all[key] = text end
  for key, value in next, fields do all[tostring(key)] = text_of(value) end
  return all
end

local levels <const> = { "debug", "info", "warn", "error" }
for number = 1, 4 do
  local name = levels[number]
  methods[name] = function(logger, message, fields)
    if message == nil then return invalid("message is missing") end
    if not has_text(message) then bad_argument(2, name, "string", message) end
    local all = fields_of(logger, fields, name, 3)
    log(number, tostring(message), all)
  end
end

methods["with"] = function(logger, fields)
  if fields == nil then return invalid("fields are missing") end
  local all = fields_of(logger, fields, "with", 2)
  return setmetatable({ all }, Logger), nil
end

-- The same with a name, behind that which it has: the field `logger`.
methods["named"] = function(logger, name)
  if name == nil then return invalid("name is missing") end
  if type(name) == "number" then name = tostring(name) end
  if type(name) ~= "string" then bad_argument(1, "named", "string", name) end
  if name == "" then return invalid("name is empty") end
  local all = {}
  for key, text in next, logger[1] do all[key] = text end
  local before = all.logger
  if type(before) == "table" then before = before[1] end
  all.logger = before and before .. "." .. name or name
  return setmetatable({ all }, Logger), nil
end

rt.logger = setmetatable({ {} }, Logger)
-- Not when a process asks first: what it writes to, it has for itself.
for name in next, methods do local _ = rt.logger[name] end
