-- Timers: a heap by time due, then by age, and what waits on it: sleep, after, timer, ticker. Owns `time` as far as it
-- waits. The clock is the host's; a parked process tells it the earliest time due.
local rt = ...
local setmetatable = setmetatable
local metatable_of = debug.getmetatable
local S, wait, check_wait, ready = rt.state, rt.wait, rt.check_wait, rt.ready
local nanoseconds, now, wall = rt.nanoseconds, rt.now, rt.wall
local new_channel, take, try_send, close, set_source = rt.new_channel, rt.take, rt.try_send, rt.close, rt.set_source
local bad_argument, fault, invalid = rt.bad_argument, rt.fault, rt.invalid
local FOREVER <const> = 0x7fffffffffffffff

local heap = S[HEAP]

local function earlier(a, b)
  return a[DUE] < b[DUE] or a[DUE] == b[DUE] and a[SERIAL] < b[SERIAL]
end

local function rise(entry, place)
  while place > 1 do
    local up = place // 2
    local parent = heap[up]
    if not earlier(entry, parent) then break end
    heap[place], parent[PLACE] = parent, place
    place = up
  end
  heap[place], entry[PLACE] = entry, place
end

local function sink(entry, place)
  local size = S[TIMERS]
  while true do
    local down = 2 * place
    if down > size then break end
    if down < size and earlier(heap[down + 1], heap[down]) then down = down + 1 end
    local child = heap[down]
    if not earlier(child, entry) then break end
    heap[place], child[PLACE] = child, place
    place = down
  end
  heap[place], entry[PLACE] = entry, place
end

-- Nothing, or what a call returns at the limit.
local function full()
  local pending, limit = S[TIMERS], S[MOST_TIMERS]
  if pending >= limit then
    return fault("ResourceExhausted", "process has " .. pending .. " timers pending, the limit is " .. limit)
  end
end

-- Puts an entry that isn't pending into the heap. There is room: the caller has asked `full`.
local function arm_at(entry, due)
  if due < 0 then due = FOREVER end -- delays go up to 292 years
  local size, serial = S[TIMERS] + 1, S[LAST_SERIAL] + 1
  entry[DUE], entry[SERIAL] = due, serial
  heap[size] = entry
  S[TIMERS], S[LAST_SERIAL] = size, serial
  rise(entry, size)
end

local function arm(entry, delay)
  arm_at(entry, now() + delay)
end

-- Takes an entry out; false when it wasn't pending.
local function disarm(entry)
  local place = entry[PLACE]
  if not place then return false end
  local size = S[TIMERS]
  local last = heap[size]
  heap[size] = nil
  S[TIMERS] = size - 1
  entry[PLACE] = false
  if last ~= entry then
    rise(last, place)
    sink(last, last[PLACE])
  end
  return true
end

-- Does what is due; something is pending.
function rt.fire_due()
  local time = now()
  local entry = heap[1]
  while entry and entry[DUE] <= time do
    disarm(entry)
    entry[ACT](entry, time)
    entry = heap[1]
  end
end

-- When the next timer is due; one is pending.
function rt.next_due()
  return heap[1][DUE]
end

-- ---- What can be due

local function wake(entry)
  ready(entry[TARGET])
  S[LIVE] = S[LIVE] - 1
end

-- Wakes a task that sleeps, if it does.
function rt.wake_early(task)
  for place = 1, S[TIMERS] do
    local entry = heap[place]
    if entry[TARGET] == task then
      disarm(entry)
      return wake(entry)
    end
  end
end

local function deliver_last(entry)
  local ch = entry[TARGET]
  try_send(ch, wall())
  close(ch)
end

local function deliver_once(entry)
  local ch = entry[TARGET]
  try_send(ch, wall())
  set_source(ch, false)
end

-- A tick that nobody has taken yet makes the next one drop; ticks that are late already are skipped.
local function tick(entry, time)
  local every, due = entry[EVERY], entry[DUE]
  try_send(entry[TARGET], wall())
  arm_at(entry, due + every * ((time - due) // every + 1))
end

-- ---- The module

-- The delay in nanoseconds, or nil and an error object. Called (not tail-called) by the function `name`.
local function delay_of(duration, name, number)
  local delay, err = nanoseconds(duration)
  if delay == false then bad_argument(number or 1, name, "duration", duration, 2) end
  return delay, err
end

local time = rt.durations

function time.sleep(duration)
  local delay, err = delay_of(duration, "sleep")
  if not delay then return nil, err end
  check_wait()
  err = full()
  if err then return nil, err end
  arm({ 0, 0, false, wake, S[CURRENT], false }, delay)
  S[LIVE] = S[LIVE] + 1
  wait()
  return true, nil
end

local function start(act, delay, every)
  local ch = new_channel(1, false, true, true)
  local entry = { 0, 0, false, act, ch, every }
  arm(entry, delay)
  return ch, entry
end

function time.after(duration)
  local delay, err = delay_of(duration, "after")
  if not delay then return nil, err end
  err = full()
  if err then return nil, err end
  local ch = start(deliver_last, delay, false)
  return ch, nil
end

local Timer = { __name = "timer", __metatable = false }
rt.define("timer", Timer)
local methods = {}
Timer.__index = methods

local function entry_of(timer, name)
  if metatable_of(timer) ~= Timer then bad_argument(1, name, "timer", timer, 2) end
  return timer[1]
end

-- Never zero: a ticker would never rest, and a timer has `after`.
local function positive_delay(duration, name, number)
  local delay, err = nanoseconds(duration)
  if delay == false then bad_argument(number, name, "duration", duration, 2) end
  if delay == 0 then return invalid("duration is zero") end
  return delay, err
end

function time.timer(duration)
  local delay, err = positive_delay(duration, "timer", 1)
  if not delay then return nil, err end
  err = full()
  if err then return nil, err end
  local timer = setmetatable({ false }, Timer)
  local _, entry = start(deliver_once, delay, false)
  timer[1] = entry
  return timer, nil
end

function time.ticker(duration)
  local delay, err = positive_delay(duration, "ticker", 1)
  if not delay then return nil, err end
  err = full()
  if err then return nil, err end
  local ticker = setmetatable({ false }, Timer)
  local _, entry = start(tick, delay, delay)
  ticker[1] = entry
  return ticker, nil
end

local function channel_of(timer)
  return entry_of(timer, "channel")[TARGET]
end
methods.channel, methods.response = channel_of, channel_of

-- A time that came before `stop` or `reset` and wasn't received would be mistaken for a later one.
local function drain(ch)
  ch[BUF][1], ch[HEAD], ch[TAIL] = nil, 1, 0
end

function methods.stop(timer)
  local entry = entry_of(timer, "stop")
  local pending, ch = disarm(entry), entry[TARGET]
  drain(ch)
  if entry[EVERY] then close(ch) else set_source(ch, false) end
  return pending
end

function methods.reset(timer, duration)
  local entry = entry_of(timer, "reset")
  local delay, err = positive_delay(duration, "reset", 2)
  if not delay then return nil, err end
  local ch = entry[TARGET]
  if ch[CLOSED] then return invalid("ticker is stopped") end
  local pending = entry[PLACE] ~= false
  if not pending then
    err = full()
    if err then return nil, err end
  end
  disarm(entry)
  drain(ch)
  if entry[EVERY] then entry[EVERY] = delay end
  arm(entry, delay)
  set_source(ch, true)
  return pending
end

time.now, time.unix, time.date, time.parse = wall, rt.unix, rt.date, rt.parse_time
time.parse_duration = rt.parse_duration
rt.time = time
