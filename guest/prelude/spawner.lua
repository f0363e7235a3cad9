-- `process.with_context`: the immutable builder of children. Owns what its methods check; the spawns are Rust's, which reads the
-- builder by these slots: 1 the context's payload, 2 a name or false, 3 first messages (topic, payload, topic, …) or false,
-- 5 an actor's id and 6 its meta's payload, or false, 7 policy ids or false. The context's values stand in 4, by key and
-- encoded. What a permission is missing for is refused here for the script's sake; the host asks again.
local rt = ...
local type, next, error, setmetatable, tostring = type, next, error, setmetatable, tostring
local metatable_of = debug.getmetatable
local encode, raised, type_name = rt.encode, rt.raised, rt.type_name
local topic_fault, name_fault, authorize = rt.topic_fault, rt.name_fault, rt.authorize
local actor_parts, scope_ids = rt.actor_parts, rt.scope_ids

local Spawner = { __name = "spawner", __metatable = false }
rt.define("spawner", Spawner)

local function refuse(text) error(raised("Invalid", text, false, nil)) end

local function permit(action, resource)
  local allowed, err = authorize(action, resource)
  if not allowed then error(err) end
end

local function check(spawner, method)
  if metatable_of(spawner) ~= Spawner then
    refuse("bad argument #1 to '" .. method .. "' (spawner expected, got " .. type_name(spawner) .. ")")
  end
end

-- Text, as Lua's own functions take it.
local function text_of(value, what)
  if type(value) == "number" then return value .. "" end
  if type(value) == "string" then return value end
  refuse(value == nil and what .. " is missing" or what .. " is a " .. type_name(value) .. ", not a string")
end

local function with_values(before, values)
  if type(values) ~= "table" then
    refuse(values == nil and "values are missing" or "values are a " .. type_name(values) .. ", not a table")
  end
  local merged = {}
  for key, value in next, before do merged[key] = value end
  for key, value in next, values do
    if type(key) ~= "string" then refuse("values have a key that is a " .. type_name(key) .. ", not a string") end
    local payload, wrong = encode("values." .. key, value)
    if not payload then refuse(wrong) end
    merged[key] = payload
  end
  local payload, wrong = encode("context", merged)
  if not payload then refuse(wrong) end
  return payload, merged
end

local function copy(spawner)
  return setmetatable({
    spawner[1], spawner[2], spawner[3], spawner[4], spawner[5], spawner[6], spawner[7],
  }, Spawner)
end

local methods = {
  spawn = rt.spawner_spawn,
  spawn_monitored = rt.spawner_spawn_monitored,
  spawn_linked = rt.spawner_spawn_linked,
  spawn_linked_monitored = rt.spawner_spawn_linked_monitored,
  exec = rt.spawner_exec,
}
Spawner.__index = methods

function methods.with_context(spawner, values)
  check(spawner, "with_context")
  local payload, merged = with_values(spawner[4], values)
  permit("process.context", "context")
  local made = copy(spawner)
  made[1], made[4] = payload, merged
  return made
end

function methods.with_actor(spawner, actor)
  check(spawner, "with_actor")
  local id, meta = actor_parts(actor)
  if not id then refuse(actor == nil and "actor is missing" or "actor is a " .. type_name(actor) .. ", not an actor") end
  permit("process.security", "security")
  local made = copy(spawner)
  made[5], made[6] = id, meta or false
  return made
end

function methods.with_scope(spawner, scope)
  check(spawner, "with_scope")
  local ids = scope_ids(scope)
  if not ids then refuse(scope == nil and "scope is missing" or "scope is a " .. type_name(scope) .. ", not a scope") end
  permit("process.security", "security")
  local made = copy(spawner)
  made[7] = ids
  return made
end

function methods.with_name(spawner, name)
  check(spawner, "with_name")
  name = text_of(name, "name")
  local wrong = name_fault(name)
  if wrong then refuse(wrong) end
  local made = copy(spawner)
  made[2] = name
  return made
end

function methods.with_message(spawner, topic, ...)
  check(spawner, "with_message")
  topic = text_of(topic, "topic")
  local wrong = topic_fault(topic)
  if wrong then refuse(wrong) end
  local payload
  payload, wrong = encode("payload", ...)
  if not payload then refuse(wrong) end
  local made, messages = copy(spawner), {}
  for i = 1, spawner[3] and #spawner[3] or 0 do messages[i] = spawner[3][i] end
  messages[#messages + 1] = topic
  messages[#messages + 1] = payload
  made[3] = messages
  return made
end

-- Options of a spawn that another runtime has, and this one hasn't: refused, never passed over in silence.
local function check_options(options)
  if type(options) ~= "table" then
    refuse(options == nil and "options are missing" or "options are a " .. type_name(options) .. ", not a table")
  end
  local key = next(options)
  if key == "network" then
    refuse("option `network` isn't there: a process has no network but what modules give it (`grants: {http: …}`)")
  elseif key ~= nil then
    refuse("unknown option `" .. rt.shown(tostring(key)) .. "`: a spawner has none")
  end
end

function methods.with_options(spawner, options)
  check(spawner, "with_options")
  check_options(options)
  return copy(spawner)
end

function rt.with_options(options)
  check_options(options)
  permit("process.context", "context")
  return setmetatable({ false, false, false, rt.context_values(), false, false, false }, Spawner)
end

function rt.with_context(values)
  local payload, merged = with_values(rt.context_values(), values)
  permit("process.context", "context")
  return setmetatable({ payload, false, false, merged, false, false, false }, Spawner)
end
