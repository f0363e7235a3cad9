-- The module `ctx`: the context values a process was given. Owns reading them: each is kept encoded, so that every `get` gives a
-- copy of its own and a value nobody asks for costs nothing.
local rt = ...
local type, next = type, next
local decode, fault, invalid, bad_argument, shown = rt.decode, rt.fault, rt.invalid, rt.bad_argument, rt.shown

local S = rt.state

local values

-- Key to encoded value. Not to be changed.
local function own()
  if not values then
    local encoded = S[CONTEXT]
    values = encoded and decode(encoded) or {}
  end
  return values
end
rt.context_values = own

rt.ctx = {
  get = function(key)
    if type(key) == "number" then key = key .. "" end
    if key == nil then return invalid("key is missing") end
    if type(key) ~= "string" then bad_argument(1, "get", "string", key) end
    if key == "" then return invalid("key is empty") end
    local value = own()[key]
    if value == nil then return nil, fault("NotFound", "context has no value `" .. shown(key) .. "`") end
    return decode(value), nil
  end,

  all = function()
    local copy = {}
    for key, value in next, own() do copy[key] = decode(value) end
    return copy
  end,
}
