-- `print`. Owns the order of lines when the output is full: who waits for it goes first.
local rt = ...
local S, wait, can_wait, ready = rt.state, rt.wait, rt.can_wait, rt.ready
local line_of, put, dropped = rt.line, rt.put, rt.dropped

local waiting, first, last = {}, 1, 0

-- The host says that the output takes lines again.
function rt.output_ready()
  for i = first, last do
    ready(waiting[i])
    waiting[i] = nil
    first = i + 1
    S[LIVE] = S[LIVE] - 1
  end
  first, last = 1, 0
end

function rt.print(...)
  local line = line_of(...)
  local taken = last == 0 and put(line)
  while not taken do
    if not can_wait() then
      dropped(1)
      return
    end
    waiting[last + 1] = S[CURRENT]
    last = last + 1
    S[LIVE] = S[LIVE] + 1
    wait()
    taken = put(line)
  end
end
