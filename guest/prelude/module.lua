-- Modules of the embedding program, which a process has by grants. Owns what one is to a script: a table of functions, as
-- there were when it was required first. The host looks again at each call, so one that was replaced or removed is so here too.
local rt = ...
local type, next, error, setmetatable = type, next, error, setmetatable
local find, decode, make, shown = rt.module_find, rt.decode, rt.module_function, rt.shown

-- A name that isn't there (yet): a function that was added since, or a mistake, about which the host knows best.
local function look_up(name)
  return function(module, key)
    if type(key) ~= "string" then return nil end
    if #key > MAX_WORD then error("module '" .. name .. "' has no function '" .. shown(key) .. "'", 2) end
    local found, err = find(name, key)
    if not found then error(err[2], 2) end
    found = decode(found)[key]
    local made = make(found[1], found[2])
    module[key] = made
    return made
  end
end

-- The module, or nil and what is wrong.
function rt.find_module(name)
  if #name > MAX_WORD then return nil, "module '" .. shown(name) .. "' not found" end
  local found, err = find(name)
  if not found then return nil, err[2] end
  local module = {}
  for key, one in next, decode(found) do module[key] = make(one[1], one[2]) end
  return setmetatable(module, { __index = look_up(name), __name = "module", __metatable = false })
end
