-- Channels and select (channel.rs does receiving with a wait, on the same tables). Owns the queues of waiting receivers and senders (doubly linked, first come first served) and the
-- buffer: one value a slot, or four (payload, topic, sender, number of arrival) for channels of the mailbox, whose KIND is set.
-- Does not know who fills a channel of the runtime's own (OWNED: scripts can't send to it or close it).
local rt = ...
local type, error, rawlen, setmetatable = type, error, rawlen, setmetatable
local math_type, tointeger = math.type, math.tointeger
local metatable_of = debug.getmetatable
local S, can_wait, wait, check_wait = rt.state, rt.can_wait, rt.wait, rt.check_wait
local decode, new_message, new_event = rt.decode, rt.new_message, rt.new_event
local unread = rt.unread
local bad_argument, type_name, arrived = rt.bad_argument, rt.type_name, rt.arrived
local BOUNDARY <const> = "attempt to yield across a C-call boundary"

local Channel = { __name = "channel", __metatable = false }
local Case = { __name = "case", __metatable = false }
rt.define("channel", Channel)
rt.define("case", Case)

local function new(size, kind, source, owned)
  return setmetatable({ {}, 1, 0, size, false, kind, source, false, false, false, false, owned }, Channel)
end
rt.new_channel = new

-- Makes one of the mailbox's own of a table that has all else already.
function rt.finish_channel(ch, kind)
  ch[KIND] = kind
  return setmetatable(ch, Channel)
end

local function link(node, ch)
  if node[SENDS] then
    local last = ch[SLAST]
    node[PREV], node[NEXT] = last, false
    if last then last[NEXT] = node else ch[SFIRST] = node end
    ch[SLAST] = node
  else
    local last = ch[RLAST]
    node[PREV], node[NEXT] = last, false
    if last then last[NEXT] = node else ch[RFIRST] = node end
    ch[RLAST] = node
    if ch[SOURCE] then S[LIVE] = S[LIVE] + 1 end
  end
end

local function unlink(node)
  local ch, before, after = node[CH], node[PREV], node[NEXT]
  if node[SENDS] then
    if before then before[NEXT] = after else ch[SFIRST] = after end
    if after then after[PREV] = before else ch[SLAST] = before end
  else
    if before then before[NEXT] = after else ch[RFIRST] = after end
    if after then after[PREV] = before else ch[RLAST] = before end
    if ch[SOURCE] then S[LIVE] = S[LIVE] - 1 end
  end
end

-- Takes a waiting node out of its queue, with the other cases of its select, and makes its task ready.
local function take(node, ok)
  local task = node[TASK]
  local last = S[LAST] + 1
  S[QUEUE][last] = task
  S[LAST] = last
  task[OK], task[FROM] = ok, node
  local case = task[CASES]
  if case then
    task[CASES] = false
    repeat
      unlink(case)
      case[TASK] = false
      case = case[MORE]
    until not case
  else
    unlink(node)
  end
  return task
end
rt.take = take

-- Takes a waiting task out of the queues that it is in, if it is in any, and makes it ready.
function rt.leave(task)
  if task[CASES] then return take(task, false) end
  local ch = task[CH]
  if not ch then return end
  local node = ch[task[SENDS] and SFIRST or RFIRST]
  while node and node ~= task do node = node[NEXT] end
  if node then take(task, false) end
end

-- Whether its receivers count as wakeable: some of them may be waiting when that changes.
function rt.set_source(ch, source)
  if ch[SOURCE] == source then return end
  ch[SOURCE] = source
  local change, node = source and 1 or -1, ch[RFIRST]
  while node do
    S[LIVE] = S[LIVE] + change
    node = node[NEXT]
  end
end

local function close(ch)
  ch[CLOSED] = true
  local node = ch[RFIRST]
  while node do
    take(node, false)[GOT] = nil
    node = ch[RFIRST]
  end
  node = ch[SFIRST]
  while node do
    take(node, false)
    node = ch[SFIRST]
  end
  ch[SOURCE] = false
end
rt.close = close

-- A buffered value; there is one. A waiting sender's value moves up, first: only that can fail.
local function pop(ch)
  local buf, head, node = ch[BUF], ch[HEAD], ch[SFIRST]
  if node then
    local tail = ch[TAIL] + 1
    buf[tail] = node[VALUE]
    take(node, true)
    ch[TAIL] = tail
  end
  local value = buf[head]
  buf[head] = nil
  if head == ch[TAIL] then
    ch[HEAD], ch[TAIL] = 1, 0
  else
    ch[HEAD] = head + 1
  end
  return value
end

-- What a script sees of a record of the mailbox.
local function open(kind, bytes, topic, sender)
  if kind == PAYLOADS then return decode(bytes) end
  if kind == MESSAGES then return new_message(bytes, topic, sender) end
  return new_event(bytes)
end

local function note_received(arrived)
  local count = unread[3] + 1
  unread[4][count] = arrived
  unread[3] = count
end
rt.note_received = note_received

-- A buffered record of the mailbox; there is one.
local function pop_record(ch)
  local buf, head, kind = ch[BUF], ch[HEAD], ch[KIND]
  local bytes, topic, sender = buf[head], buf[head + 1], buf[head + 2]
  if kind ~= EVENTS then note_received(buf[head + 3]) end -- first: only that can fail
  buf[head], buf[head + 1], buf[head + 2], buf[head + 3] = nil, nil, nil, nil
  if head + 3 == ch[TAIL] then
    ch[HEAD], ch[TAIL] = 1, 0
  else
    ch[HEAD] = head + 4
  end
  if kind == EVENTS then
    rt.event_received(bytes)
  else
    unread[1], unread[2] = unread[1] - 1, unread[2] - #bytes - #topic
  end
  return open(kind, bytes, topic, sender)
end

-- Puts a record of the mailbox where it is received next: to who waits, else into the buffer.
function rt.put_record(ch, bytes, topic, sender, arrived)
  local node = ch[RFIRST]
  if node then
    local task = take(node, true)
    task[GOT], task[TOPIC], task[SENDER], task[ARRIVED] = bytes, topic, sender, arrived
    return true
  end
  local buf, tail = ch[BUF], ch[TAIL]
  buf[tail + 1] = bytes
  buf[tail + 2] = topic
  buf[tail + 3] = sender
  buf[tail + 4] = arrived
  ch[TAIL] = tail + 4
  return false
end

-- What the task got while it waited to receive.
local function got(task, kind)
  local value = task[GOT]
  task[GOT], task[ARRIVED] = false, false
  if not kind then return value end
  if kind == EVENTS then rt.event_received(value) end
  return open(kind, value, task[TOPIC], task[SENDER])
end

local methods = {}
Channel.__index = methods

-- Receives without waiting: something is buffered, a sender waits, or the channel is closed.
local function receive_ready(ch)
  if ch[HEAD] <= ch[TAIL] then
    if ch[KIND] then return pop_record(ch), true end
    return pop(ch), true
  end
  local node = ch[SFIRST]
  if not node then return nil, false end
  local value = node[VALUE]
  take(node, true)
  return value, true
end

methods.receive = rt.make_receive(S, receive_ready, function(record)
  rt.event_received(record)
  return new_event(record)
end)

-- Sends without waiting; false where that can't be done.
local function try_send(ch, value)
  local node = ch[RFIRST]
  if node then
    local task = take(node, true)
    task[GOT], task[TOPIC] = value, false
    return true
  end
  local tail = ch[TAIL]
  if tail - ch[HEAD] + 1 >= ch[CAP] then return false end
  tail = tail + 1
  ch[BUF][tail] = value
  ch[TAIL] = tail
  return true
end
rt.try_send = try_send

-- Sends, waiting if need be; false: the channel was closed meanwhile.
local function send(ch, value)
  if try_send(ch, value) then return true end
  if not can_wait() then error(BOUNDARY, 0) end
  local task = S[CURRENT]
  task[SENDS], task[CH], task[VALUE] = true, ch, value
  link(task, ch)
  wait()
  task[VALUE] = false
  return task[OK]
end
rt.channel_send = send

function methods.send(ch, value)
  if metatable_of(ch) ~= Channel then bad_argument(1, "send", "channel", ch) end
  if ch[OWNED] then error("send on a receive-only channel", 2) end
  if ch[CLOSED] then error("send on closed channel", 2) end
  if not send(ch, value) then error("send on closed channel", 2) end
  return true
end

function methods.close(ch)
  if metatable_of(ch) ~= Channel then bad_argument(1, "close", "channel", ch) end
  if ch[OWNED] then error("close of a receive-only channel", 2) end
  close(ch)
end

function methods.case_receive(ch)
  if metatable_of(ch) ~= Channel then bad_argument(1, "case_receive", "channel", ch) end
  return setmetatable({ ch, false, false, false, false, false, false }, Case)
end

function methods.case_send(ch, value)
  if metatable_of(ch) ~= Channel then bad_argument(1, "case_send", "channel", ch) end
  if ch[OWNED] then error("send on a receive-only channel", 2) end
  return setmetatable({ ch, true, value, false, false, false, false }, Case)
end

local channel = {}

function channel.new(size)
  if size == nil then size = 0 end
  if math_type(size) ~= "integer" then
    if math_type(size) ~= "float" then bad_argument(1, "new", "integer", size) end
    local whole = tointeger(size)
    if not whole then return rt.invalid("size " .. size .. " is not an integer") end
    size = whole
  end
  if size < 0 then return rt.invalid("size " .. size .. " is negative") end
  return new(size, false, false, false)
end

-- Does a case if it is ready, and gives its result.
local function try(case)
  local ch = case[CH]
  if case[SENDS] then
    if ch[CLOSED] then error("send on closed channel", 3) end
    local value = case[VALUE]
    if try_send(ch, value) then return { channel = ch, value = value, ok = true } end
  elseif ch[HEAD] <= ch[TAIL] then
    local value
    if ch[KIND] then value = pop_record(ch) else value = pop(ch) end
    return { channel = ch, value = value, ok = true }
  elseif ch[SFIRST] then
    local node = ch[SFIRST]
    local value = node[VALUE]
    take(node, true)
    return { channel = ch, value = value, ok = true }
  elseif ch[CLOSED] then
    return { channel = ch, ok = false }
  end
end

-- Waits until one of the cases is served. A case object in use elsewhere (in this very list, even) is copied.
local function wait_for(cases, count)
  check_wait()
  local task, first = S[CURRENT], false
  -- The list first: only that can fail.
  for i = count, 1, -1 do
    local case = cases[i]
    if case[TASK] then case = { case[CH], case[SENDS], case[VALUE], false, false, false, false } end
    case[TASK], case[MORE] = task, first
    first = case
  end
  task[CASES] = first
  while first do
    link(first, first[CH])
    first = first[MORE]
  end
  wait()
  local node = task[FROM]
  local ch, kind, value = node[CH], node[CH][KIND], nil
  if node[SENDS] then
    if not task[OK] then error("send on closed channel", 3) end
    return { channel = ch, value = node[VALUE], ok = true }
  end
  if not task[OK] then return { channel = ch, ok = false } end
  value = got(task, kind)
  return { channel = ch, value = value, ok = true }
end

-- How many times in a row a script may find nothing ready before the host is asked whether there is something new: else
-- a script that polls would never hear of its messages, which arrive only when it waits.
local POLLS <const> = 16
local polls = 0
-- And how often it is asked at once when a process has started, or listens on something new, until it hands nothing over:
-- a select finds what waited before. The number: a full mailbox of the default size.
local LOOKS <const> = 64

-- When each channel was last chosen by a fair select of the task; a channel that is gone is forgotten.
local function turns_of(task)
  local turns = task[TURNS]
  if not turns then
    turns = setmetatable({}, { __mode = "k" })
    task[TURNS] = turns
  end
  return turns
end

local last_turn = 0

local function note_turn(turns, result)
  last_turn = last_turn + 1
  turns[result.channel] = last_turn
  return result
end

-- The same cases, those first whose channel was chosen least recently; else in their order. By insertion: they are few, and nearly
-- in order.
local function by_turn(cases, count, turns)
  local sorted = {}
  for i = 1, count do
    local case, place = cases[i], i
    local turn = turns[case[CH]] or 0
    while place > 1 and (turns[sorted[place - 1][CH]] or 0) > turn do
      sorted[place] = sorted[place - 1]
      place = place - 1
    end
    sorted[place] = case
  end
  return sorted
end

function channel.select(cases)
  if type(cases) ~= "table" then bad_argument(1, "select", "table", cases) end
  local count, source = rawlen(cases), false
  for i = 1, count do
    local case = cases[i]
    if metatable_of(case) ~= Case then
      error("bad argument #1 to 'select' (case expected at index " .. i .. ", got " .. type_name(case) .. ")", 2)
    end
    if case[CH][SOURCE] then source = true end
  end
  local default, turns = cases.default, cases.fair and turns_of(S[CURRENT])
  if turns then cases = by_turn(cases, count, turns) end
  for i = 1, count do
    local result = try(cases[i])
    if result then return turns and note_turn(turns, result) or result end
  end
  if not default then
    local result = wait_for(cases, count) -- no tail call: its errors count levels
    return turns and note_turn(turns, result) or result
  end
  polls = polls + 1
  local unseen = S[UNSEEN]
  if source and (unseen or polls >= POLLS) and can_wait() then
    polls = 0
    local looks = unseen and LOOKS or 1
    repeat
      local before = arrived()
      rt.yield_to_host()
      for i = 1, count do
        local result = try(cases[i])
        if result then return turns and note_turn(turns, result) or result end
      end
      looks = looks - 1
    until looks == 0 or arrived() == before
    S[UNSEEN] = false
  end
  return { default = true, ok = true }
end

rt.channel, rt.is_channel = channel, function(value) return metatable_of(value) == Channel end
