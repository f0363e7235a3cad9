-- Calls from outside: functions of the table that the chunk returned, each call in a coroutine of its own, which counts as one
-- that `coroutine.spawn` has started. Owns which functions those are, and that every call is answered. And `process.with_timeout`.
local rt = ...
local type, next, error, setmetatable = type, next, error, setmetatable
local sort, concat, format = table.sort, table.concat, string.format
local metatable_of = debug.getmetatable
local S, ready, unread, wait = rt.state, rt.ready, rt.unread, rt.wait
local new_task, new_base, spread = rt.new_task, rt.new_base, rt.spread
local answer_failed = rt.answer_failed
local fault, shown, bad_argument, nanoseconds = rt.fault, rt.shown, rt.bad_argument, rt.nanoseconds
local mailbox, note_received, full = rt.mailbox, rt.note_received, rt.coroutines_full

-- The chunk's table; empty as long as there is nothing to call.
local function functions() return S[FUNCTIONS] or {} end

local function names()
  local list, count = {}, 0
  for name, f in next, functions() do
    if type(f) == "function" and type(name) == "string" and name ~= S[OWN] then
      count = count + 1
      list[count] = name
    end
  end
  sort(list)
  local more = count > 20 and format(" and %d more", count - 20) or ""
  for i = 1, count do list[i] = i <= 20 and "`" .. shown(list[i]) .. "`" or nil end
  return count == 0 and "there is none" or "there are " .. concat(list, ", ") .. more
end

local function function_of(name)
  if name == (S[OWN] or "main") then
    error(fault("NotFound", "`" .. name .. "` is what the process runs, and can't be called: " .. names()))
  end
  local f = functions()[name]
  if type(f) ~= "function" then error(fault("NotFound", "no function `" .. shown(name) .. "` to call: " .. names())) end
  return f
end

-- For a function that the table itself doesn't have.
local function invoke(name, arguments)
  return function_of(name)(spread(arguments))
end
local serve = rt.make_serve(S, invoke)

local function begin(call, name, arguments)
  local err = full()
  if err then return answer_failed(call, err) end
  ready(new_task(new_base(serve, call, name, arguments)))
  S[SPAWNED] = S[SPAWNED] + 1
end

-- What the host counts them as.
local function bytes(name, arguments) return #"@call" + #name + #arguments end

-- From the host: whether the call counts as received.
function rt.called(call, name, arguments, arrived)
  if not S[STARTING] then
    begin(call, name, arguments)
    return true
  end
  local early = S[EARLY] or {}
  early[#early + 1] = { call, name, arguments, arrived }
  S[EARLY] = early
  unread[1], unread[2] = unread[1] + 1, unread[2] + bytes(name, arguments)
  return false
end

-- The chunk has returned `made`, of which the process runs the function `name`. Writes nothing where there is nothing else to call:
-- every page that is written to is the process's own.
function rt.begin_calls(made, name)
  if type(made) == "table" then
    for key, f in next, made do
      if type(f) == "function" and key ~= name then
        S[FUNCTIONS], S[OWN] = made, name
        -- A call can always come: such a process is never blocked for good.
        S[LIVE] = S[LIVE] + 1
        break
      end
    end
  end
  local early = S[EARLY]
  if not early then return end
  S[EARLY] = false
  for i = 1, #early do
    local record = early[i]
    note_received(record[4])
    unread[1], unread[2] = unread[1] - 1, unread[2] - bytes(record[2], record[3])
    begin(record[1], record[2], record[3])
  end
end

-- What runs where there is no main: until somebody asks the process to end.
function rt.serve()
  if S[EVENTS_ASKED] then wait() end
  local events = mailbox.events()
  while events:receive().kind ~= "pid.cancel" do end
end

-- ---- With a limit of time

local Bounded = { __name = "bounded", __metatable = false }
local call_within = rt.call_within
local methods = {}
Bounded.__index = methods

function methods.call(bounded, ...)
  if metatable_of(bounded) ~= Bounded then bad_argument(1, "call", "bounded", bounded) end
  return call_within(bounded[1], ...)
end

function rt.with_timeout(duration)
  local timeout, err = nanoseconds(duration)
  if timeout == false then bad_argument(1, "with_timeout", "duration", duration) end
  if not timeout then error(err) end
  return setmetatable({ timeout }, Bounded)
end
