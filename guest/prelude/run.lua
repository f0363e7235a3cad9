-- Running: resumes ready tasks until all wait, and tells how it went. Owns `coroutine.spawn`, the order in which tasks
-- run, and what happens when one fails: the process ends, whatever the others are doing.
local rt = ...
local type, error = type, error
local S, step, wait, can_wait, condemn = rt.state, rt.step, rt.wait, rt.can_wait, rt.condemn
local new_base, new_task, fire_due, next_due = rt.new_base, rt.new_task, rt.fire_due, rt.next_due
local fault, bad_argument = rt.fault, rt.bad_argument

-- How many resumes may pass before timers are looked at again: tasks that keep each other busy mustn't stop the clock.
local GLANCE <const> = 63

local main, first, turns, spawned, limit = false, 1, 0, 0, 0
-- Set when a task has failed beneath another that can't be left: its coroutine, and whether it was the memory limit.
local failed, failed_memory = false, false

function rt.limit_coroutines(count) limit = count end

function rt.set_main(task)
  main = task
  rt.ready(task)
end

-- Tasks that let the host have a look at its mailbox and then go on.
local pollers, polling = {}, 0

function rt.yield_to_host()
  pollers[polling + 1] = S[CURRENT]
  polling = polling + 1
  S[LIVE] = S[LIVE] + 1
  wait()
end

local function next_task()
  local depth = S[DEPTH]
  if depth > 0 then
    local task = S[STACK][depth]
    S[STACK][depth], S[DEPTH] = nil, depth - 1
    return task
  end
  local head = first
  if head > S[LAST] then return nil end
  local queue = S[QUEUE]
  local task = queue[head]
  queue[head] = nil
  if head == S[LAST] then
    first, S[LAST] = 1, 0
  else
    first = head + 1
  end
  return task
end

-- Runs until everything waits. Returns a code and what belongs to it:
-- 0: all wait; when the next timer is due, or nil
-- 1: the program's method has returned; its coroutine, the number of results
-- 2: a task has failed; its coroutine, whether it was the memory limit, whether the chunk was still running
-- 3: all wait, and nothing can wake one; the main coroutine
function rt.run()
  for i = 1, polling do
    rt.ready(pollers[i])
    pollers[i] = nil
    S[LIVE] = S[LIVE] - 1
  end
  polling = 0
  fire_due()
  local task = next_task()
  while task do
    S[CURRENT] = task
    local done, more = step(task[CO])
    if failed then return 2, failed, failed_memory, false end
    if done then
      if task == main then return 1, task[CO], more end
      spawned = spawned - 1
    elseif done == false then
      return 2, task[CO], more, task == main and rt.starting
    end
    turns = turns + 1
    if turns & GLANCE == 0 then fire_due() end
    task = next_task()
  end
  S[CURRENT] = false
  if polling > 0 then return 0, 0 end
  if S[LIVE] > 0 then return 0, next_due() end
  return 3, main[CO]
end

-- Runs a new task until it waits, on top of a coroutine that can't (it is inside a C function's callback).
local function run_here(task)
  local floor, before = S[DEPTH], S[CURRENT]
  S[STACK][floor + 1], S[DEPTH] = task, floor + 1
  repeat
    local now = next_task()
    S[CURRENT] = now
    local done, more = step(now[CO])
    if failed or done == false then
      if not failed then failed, failed_memory = now[CO], more end
      S[CURRENT] = before
      condemn(before and before[CO])
      error("process ended", 0)
    elseif done then
      spawned = spawned - 1
    end
  until S[DEPTH] == floor
  S[CURRENT] = before
end

-- The new task runs at once, then its spawner goes on: both get in before the queue. So spawning nests no deeper.
local function spawn(f, ...)
  if type(f) ~= "function" then bad_argument(1, "spawn", "function", f) end
  if spawned >= limit then
    error(fault("ResourceExhausted", "process has " .. spawned .. " coroutines, the limit is " .. limit))
  end
  local task = new_task(new_base(f, ...))
  if not can_wait() then
    spawned = spawned + 1
    return run_here(task)
  end
  local depth, stack = S[DEPTH], S[STACK]
  stack[depth + 1] = S[CURRENT]
  stack[depth + 2] = task
  S[DEPTH] = depth + 2
  spawned = spawned + 1
  wait()
end

rt.coroutine_spawn = spawn
