-- What comes out of the mailbox: Message objects and events. Owns how they read; they are made when a script receives
-- them, so that what nobody wants costs nothing but its bytes.
local rt = ...
local type, tostring, setmetatable = type, tostring, setmetatable
local metatable_of = debug.getmetatable
local decode, try_decode, rfc3339, join = rt.decode, rt.try_decode, rt.rfc3339, rt.join

-- What `msg.topic` and `msg.payload` are without a call: a callable that stands for the value it has under the key
-- `false` (one that hardly any payload uses: other keys are looked up in the payload).
local Field = { __name = "field", __metatable = false }
rt.define("field", Field)
rt.Field = Field

-- The value itself. What `:data()` of it gives is Lua's (lua.patch, part 10).
function Field.__call(field) return field[false] end
function Field.__tostring(field) return tostring(field[false]) end
function Field.__len(field) return #field[false] end
function Field.__index(field, key)
  if key == false then return nil end
  local value = field[false]
  if type(value) == "table" then return value[key] end
end
function Field.__concat(a, b)
  if metatable_of(a) == Field then a = a[false] end
  if metatable_of(b) == Field then b = b[false] end
  return join(a, b)
end

-- A message: sender (or false), topic, encoded payload, then the two fields once they were asked for.
local Message = { __name = "message", __metatable = false }
rt.define("message", Message)

local function from(message) return message[1] or nil end

function Message.__index(message, key)
  if key == "payload" then
    local field = message[4]
    if not field then
      field = setmetatable({ [false] = decode(message[3]) }, Field)
      message[4], message[3] = field, false
    end
    return field
  elseif key == "topic" then
    local field = message[5]
    if not field then
      field = setmetatable({ [false] = message[2] }, Field)
      message[5] = field
    end
    return field
  elseif key == "from" then
    return from
  end
end

function Message.__tostring(message)
  return "message `" .. message[2] .. "` from " .. (message[1] or "nobody")
end

function rt.new_message(bytes, topic, sender)
  return setmetatable({ sender, topic, bytes, false, false }, Message)
end

-- The result of an EXIT or LINK_DOWN: a table with `value` or `error`, that prints as what it holds.
local Result = { __name = "result", __metatable = false }

local function held(result)
  local err = result.error
  if err ~= nil then return err end
  return result.value
end
function Result.__tostring(result) return tostring(held(result)) end
function Result.__concat(a, b)
  if metatable_of(a) == Result then a = held(a) end
  if metatable_of(b) == Result then b = held(b) end
  return join(a, b)
end

-- Makes the event a script sees of what the mailbox holds: {kind, sender, at, failed, payload} or, for a CANCEL,
-- {kind, sender, at, deadline}.
function rt.new_event(record)
  local kind, sender, at = record[1], record[2] or nil, record[3]
  if kind == "pid.cancel" then
    return { kind = kind, from = sender, at = at, deadline = record[4] and rfc3339(record[4]) or nil }
  end
  -- Who ended must be known, also when there is no memory for the result: then that is the error.
  local read, outcome = try_decode(record[5])
  if record[4] or not read then
    return { kind = kind, from = sender, at = at, result = setmetatable({ error = outcome }, Result), error = outcome }
  end
  return { kind = kind, from = sender, at = at, result = setmetatable({ value = outcome }, Result) }
end
