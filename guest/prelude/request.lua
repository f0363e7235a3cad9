-- Requests: what takes time is started by a host function that gives an id, and answered by an event. Owns who waits for which
-- reply; request.rs does the waiting. Does not know what was asked for.
local rt = ...
local S, ready = rt.state, rt.ready

local waiting = {}
rt.keep_requests(waiting, S)

-- From the host: a payload, or the text that it is. Nobody waits for the reply when there was no memory to wait.
function rt.replied(request, failed, payload, is_text)
  local task = waiting[request]
  if not task then return end
  ready(task)
  waiting[request] = nil
  task[OK], task[GOT], task[TOPIC] = not failed, payload, is_text
  S[LIVE] = S[LIVE] - 1
end
