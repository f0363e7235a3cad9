-- Actors, policies and scopes as objects, and the module `security`. Owns what a script can do with them; what they mean
-- is the host's. An actor is {id, its meta's payload or false}, a policy {id}, a scope {policy ids…}: nothing in them
-- gives a power, the host looks up what they name.
local rt = ...
local type, tostring, setmetatable, next = type, tostring, setmetatable, next
local metatable_of = debug.getmetatable
local decode, invalid, bad_argument, type_name = rt.decode, rt.invalid, rt.bad_argument, rt.type_name
local own_actor, own_scope, encode_meta = rt.own_actor, rt.own_scope, rt.encode_meta
local check_policy, group_policies, host_evaluate = rt.check_policy, rt.group_policies, rt.evaluate

local Actor = { __name = "actor", __metatable = false }
local Policy = { __name = "policy", __metatable = false }
local Scope = { __name = "scope", __metatable = false }
rt.define("actor", Actor)
rt.define("policy", Policy)
rt.define("scope", Scope)

local function check(object, meta, method)
  if metatable_of(object) ~= meta then bad_argument(1, method, meta.__name, object, 2) end
end

-- What was written over in an object is not there.
local function text(value) return type(value) == "string" and value or "" end

-- ---- Actors

local function new_actor(id, payload) return setmetatable({ id, payload }, Actor) end

local actor_methods = {}
function actor_methods.id(actor) check(actor, Actor, "id") return text(actor[1]) end
-- A copy each time: nobody's changes reach anybody else.
function actor_methods.meta(actor)
  check(actor, Actor, "meta")
  local payload = actor[2]
  if type(payload) ~= "string" then return {} end
  return decode(payload)
end
Actor.__index = actor_methods
function Actor.__tostring(actor) return "actor `" .. text(actor[1]) .. "`" end

-- The id of an actor object, and the payload of its meta or nil; nil for anything else.
function rt.actor_parts(actor)
  if metatable_of(actor) ~= Actor then return nil end
  local payload = actor[2]
  return text(actor[1]), type(payload) == "string" and payload or nil
end

-- ---- Policies

-- What these policies say of an actor (nil: of nobody), an action and a resource; or nil and what is wrong with them.
local function evaluate(ids, actor, action, resource, attributes)
  local id, meta
  if actor ~= nil then
    id, meta = rt.actor_parts(actor)
    if not id then bad_argument(1, "evaluate", "actor", actor, 2) end
  end
  return host_evaluate(ids, id, meta, action, resource, attributes)
end

local function new_policy(id) return setmetatable({ id }, Policy) end

local policy_methods = {}
function policy_methods.id(policy) check(policy, Policy, "id") return text(policy[1]) end
-- "allow", "deny" or "undefined": what it says of somebody, whoever asks.
function policy_methods.evaluate(policy, ...)
  check(policy, Policy, "evaluate")
  return evaluate({ text(policy[1]) }, ...)
end
Policy.__index = policy_methods
function Policy.__tostring(policy) return "policy `" .. text(policy[1]) .. "`" end

-- ---- Scopes

local function new_scope(ids) return setmetatable(ids, Scope) end

-- The ids of a scope, but for this one.
local function ids_without(scope, id)
  local ids = {}
  for i = 1, #scope do
    local known = text(scope[i])
    if known ~= id then ids[#ids + 1] = known end
  end
  return ids
end

-- The id that a policy object or a text names; nil with nothing: `nil, err` is to be returned.
local function policy_id(policy, method)
  if metatable_of(policy) == Policy then return text(policy[1]) end
  if policy == nil then return nil end
  if type(policy) ~= "string" then bad_argument(1, method, "policy", policy, 2) end
  return policy
end

local scope_methods = {}
function scope_methods.policies(scope)
  check(scope, Scope, "policies")
  local policies = ids_without(scope, nil)
  for i = 1, #policies do policies[i] = new_policy(policies[i]) end
  return policies
end

-- What its policies say together: "deny" when any does, else "allow" when any does, else "undefined".
function scope_methods.evaluate(scope, ...)
  check(scope, Scope, "evaluate")
  return evaluate(ids_without(scope, nil), ...)
end

function scope_methods.contains(scope, policy)
  check(scope, Scope, "contains")
  local id = policy_id(policy, "contains")
  if id == nil then return invalid("policy is missing") end
  for i = 1, #scope do
    if scope[i] == id then return true end
  end
  return false
end

-- A new scope with one more policy.
function scope_methods.with(scope, policy)
  check(scope, Scope, "with")
  if policy == nil then return invalid("policy is missing") end
  if metatable_of(policy) ~= Policy then bad_argument(1, "with", "policy", policy) end
  local id = text(policy[1])
  local ids = ids_without(scope, id)
  ids[#ids + 1] = id
  return new_scope(ids)
end

-- A new scope with one policy less.
function scope_methods.without(scope, policy)
  check(scope, Scope, "without")
  local id = policy_id(policy, "without")
  if id == nil then return invalid("policy is missing") end
  return new_scope(ids_without(scope, id))
end
Scope.__index = scope_methods
function Scope.__tostring(scope) return "scope of " .. #scope .. " policies" end

-- The policy ids of a scope object in a plain table; nil for anything else.
function rt.scope_ids(scope)
  if metatable_of(scope) ~= Scope then return nil end
  return ids_without(scope, nil)
end

-- ---- The module

local security = { can = rt.can }
rt.security = security

function security.actor()
  local id, payload = own_actor()
  return id and new_actor(id, payload or false)
end

function security.scope()
  local ids = own_scope()
  return ids and new_scope(ids)
end

function security.new_actor(id, meta)
  if id == nil then return invalid("actor id is missing") end
  if type(id) == "number" then id = tostring(id) end
  if type(id) ~= "string" then bad_argument(1, "new_actor", "string", id) end
  if #id < 1 or #id > MAX_ACTOR then return invalid("actor id has " .. #id .. " bytes, not 1 to " .. MAX_ACTOR) end
  if meta ~= nil then
    if type(meta) ~= "table" then bad_argument(2, "new_actor", "table", meta) end
    for key in next, meta do
      if type(key) ~= "string" then return invalid("meta has a key that is a " .. type_name(key) .. ", not a string") end
    end
  end
  local payload, fault = encode_meta(id, meta)
  if payload == nil then return nil, fault end
  return new_actor(id, payload)
end

function security.policy(id)
  if type(id) == "number" then id = tostring(id) end
  if id ~= nil and type(id) ~= "string" then bad_argument(1, "policy", "string", id) end
  local known, fault = check_policy(id)
  if not known then return nil, fault end
  return new_policy(id)
end

-- Without policies an empty one, which allows nothing.
function security.new_scope(policies)
  if policies == nil then return new_scope({}) end
  if type(policies) ~= "table" then bad_argument(1, "new_scope", "table", policies) end
  local ids, seen = {}, {}
  for i = 1, #policies do
    local policy = policies[i]
    if metatable_of(policy) ~= Policy then
      return invalid("policies[" .. i .. "] is a " .. type_name(policy) .. ", not a policy")
    end
    local id = text(policy[1])
    if not seen[id] then
      seen[id] = true
      ids[#ids + 1] = id
    end
  end
  return new_scope(ids)
end

function security.named_scope(group)
  if type(group) == "number" then group = tostring(group) end
  if group ~= nil and type(group) ~= "string" then bad_argument(1, "named_scope", "string", group) end
  local ids, fault = group_policies(group)
  if not ids then return nil, fault end
  return new_scope(ids)
end
