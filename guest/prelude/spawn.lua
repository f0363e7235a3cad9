-- `coroutine.spawn`, and what happens when a spawned task fails where its spawner can't be left: the process ends,
-- whatever the others are doing. Owns the limit of unfinished ones, and how one that waits is stopped from outside of it.
local rt = ...
local type, error = type, error
local S, step, wait, can_wait, condemn = rt.state, rt.step, rt.wait, rt.can_wait, rt.condemn
local stop_coroutine, leave = rt.stop_coroutine, rt.leave
local new_base, new_task = rt.new_base, rt.new_task
local fault, bad_argument = rt.fault, rt.bad_argument

-- Tasks that let the host have a look at its mailbox and then go on.
local pollers = {}

function rt.yield_to_host()
  local place = S[POLLING] + 1
  pollers[place] = S[CURRENT]
  S[POLLING] = place
  wait()
end

function rt.release_pollers()
  for i = 1, S[POLLING] do
    rt.ready(pollers[i])
    pollers[i] = nil
  end
  S[POLLING] = 0
end

-- Runs a new task until it waits, on top of a coroutine that can't (it is inside a C function's callback).
local function run_here(task)
  local floor, before, stack = S[DEPTH], S[CURRENT], S[STACK]
  local depth = floor + 1
  stack[depth], S[DEPTH] = task, depth
  repeat
    local now = stack[depth]
    stack[depth], S[DEPTH] = nil, depth - 1
    S[CURRENT] = now
    local done, memory = step(now[CO])
    if S[FAILED] or done == false then
      if not S[FAILED] then S[FAILED], S[FAILED_MEMORY] = now[CO], memory end
      S[CURRENT] = before
      condemn(before and before[CO])
      error("process ended", 0)
    elseif done then
      S[SPAWNED] = S[SPAWNED] - 1
    end
    depth = S[DEPTH]
  until depth == floor
  S[CURRENT] = before
end

-- Nothing, or what is said at the limit.
function rt.coroutines_full()
  local spawned, limit = S[SPAWNED], S[MOST_COROUTINES]
  if spawned >= limit then
    return fault("ResourceExhausted", "process has " .. spawned .. " coroutines, the limit is " .. limit)
  end
end
local full = rt.coroutines_full

-- The new task runs at once, then its spawner goes on: both get in before the queue. So spawning nests no deeper.
local function spawn(f, ...)
  if type(f) ~= "function" then bad_argument(1, "spawn", "function", f) end
  local err = full()
  if err then error(err) end
  local task = new_task(new_base(f, ...))
  if not can_wait() then
    S[SPAWNED] = S[SPAWNED] + 1
    return run_here(task)
  end
  local depth, stack = S[DEPTH], S[STACK]
  stack[depth + 1] = S[CURRENT]
  stack[depth + 2] = task
  S[DEPTH] = depth + 2
  S[SPAWNED] = S[SPAWNED] + 1
  wait()
end

rt.coroutine_spawn = spawn

function rt.set_main(task)
  S[MAIN] = task
  rt.ready(task)
end

-- Who was stopped isn't counted any more, and whoever ends is counted out.
local function end_again() S[SPAWNED] = S[SPAWNED] + 1 end

-- Stops a spawned task: true when it waited; nil when it was over, or is beneath who asks; false when it is just about to go on. One that is
-- stopped gives its place back at once, and has a coroutine that ends as soon as it is woken: now, unless a reply is under way to it. Nobody
-- hands it anything more (no TASK).
local function stop(task)
  if task == S[CURRENT] then return nil end
  for i = S[FIRST], S[LAST] do
    if S[QUEUE][i] == task then return false end
  end
  if not stop_coroutine(task[CO]) then return nil end
  leave(task)
  rt.wake_early(task)
  task[CO], task[TASK] = new_base(end_again), false
  S[SPAWNED] = S[SPAWNED] - 1
  return true
end

-- What programs of the runtime's own are given besides, and no script.
rt.own = {
  -- A function that stops the coroutine which asks for it.
  stopper = function()
    local task = S[CURRENT]
    return function() return stop(task) end
  end,
  metatable = debug.getmetatable,
}
