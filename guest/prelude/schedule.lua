-- Tasks: the coroutines the scheduler resumes (`main`, and each `coroutine.spawn`). Owns the run queue and the count of
-- those that something outside of them can still wake; `turn` resumes them.
--
-- A task is also its own node in a channel's queue while it waits there: no allocation on the way.
-- The state is a table with these slots (see slots.lua; Rust uses them too):
-- * CURRENT: the running task, or false;
-- * LIVE: waiting for a pending timer, an open channel of the mailbox, the output or a reply; zero at rest means deadlock;
-- * QUEUE from FIRST to LAST: ready tasks, first come first served; STACK up to DEPTH: those that run before them;
-- * TIMERS: how many are pending; POLLING: tasks that let the host look at its mailbox; SPAWNED: unfinished ones;
-- * MAIN: the program's own task; STARTING: its chunk has not returned yet;
-- * FAILED, FAILED_MEMORY: a coroutine that failed beneath a task that could not be left, and whether it was the memory;
--   FAILED is true when the process goes on elsewhere: then nothing runs here any more either.
-- * PID, FRAME, CONTEXT (a payload or false), MOST_…: limits, as the host gave them; HEAP of timers and their LAST_SERIAL.
-- * UNSEEN: since it started, or since it began to listen on something, nobody has looked at what waits with the host.
-- * INBOX_ASKED, EVENTS_ASKED: the script has called `inbox`, `events`.
-- * FUNCTIONS, OWN, EARLY: see call.lua.
-- What a task got of the mailbox has a number in ARRIVED until the task has received it.
-- Nothing here may fail half way: at the memory limit each step is done or not, and a script may catch that error.
local rt = ...
local error = error
local can_wait = rt.can_wait

local S = {
  false, 0, {}, 0, 0, {}, 1, 0, 0, false, 0, false, false, true,
  "", "", false, 0, 0, 0, 0, {}, true,
  false, false,
  false, false, false,
}
-- What else every process writes to as it starts: it is made here, so that it lies on one page with the state (vm/heap.rs). Its channels are
-- finished by mailbox.lua.
rt.inbox = { {}, 1, 0, 0, false, false, true, false, false, false, false, true }
rt.events = { {}, 1, 0, 0, false, false, true, false, false, false, false, true }
-- Messages and bytes handed over and not yet received: Rust reads them at every send. Then how many were received since the
-- process last waited, and by which numbers they had arrived: Rust takes them away when it waits.
rt.unread = { 0, 0, 0, {} }
rt.state = S
rt.keep_state(S)
rt.count_unread(rt.unread)

-- TURNS of a task is made by its first fair select (channel.lua).
function rt.new_task(co)
  local task = { false, false, false, false, false, false, co, false, false, false, false, false, false, false }
  task[TASK] = task
  return task
end

function rt.ready(task)
  local last = S[LAST] + 1
  S[QUEUE][last] = task
  S[LAST] = last
end

-- To be called before anything is prepared for a wait.
function rt.check_wait()
  if not can_wait() then error("attempt to yield across a C-call boundary", 0) end
end
