-- The router: what the host hands over goes to the topic's listener, else to the inbox. Owns the subscriptions, and tells the
-- host of them: what nobody listens for waits there. A listener that comes after the inbox takes its own out of the
-- inbox's buffer.
local rt = ...
local type, tostring, pairs, sort = type, tostring, pairs, table.sort
local new_channel, put_record, close, is_channel = rt.new_channel, rt.put_record, rt.close, rt.is_channel
local S = rt.state
local unread, fault, invalid, bad_argument = rt.unread, rt.fault, rt.invalid, rt.bad_argument
local topic_fault, type_name, note_received = rt.topic_fault, rt.type_name, rt.note_received
local host_listen, host_unlisten, host_listen_to_all = rt.host_listen, rt.host_unlisten, rt.host_listen_to_all

local listeners, topics, count = {}, {}, 0
local inbox = rt.finish_channel(rt.inbox, MESSAGES)
local events = rt.finish_channel(rt.events, EVENTS)

rt.listeners = listeners

function rt.listener_count() return count end

-- ---- From the host

function rt.deliver(sender, topic, bytes, arrived)
  if put_record(listeners[topic] or inbox, bytes, topic, sender, arrived) then
    note_received(arrived)
  else
    unread[1], unread[2] = unread[1] + 1, unread[2] + #bytes + #topic
  end
end

function rt.ended(kind, sender, at, failed, payload, arrived)
  put_record(events, { kind, sender, at, failed, payload }, false, false, arrived)
end

-- The unread CANCEL of each sender (false: the runtime's).
local cancels = {}

-- A second unread one from the same sender takes the first one's place.
function rt.canceled(sender, at, deadline, arrived)
  local record = cancels[sender]
  if record then
    record[3], record[4] = at, deadline
    return
  end
  record = { "pid.cancel", sender, at, deadline }
  cancels[sender] = record
  if put_record(events, record, false, false, arrived) then cancels[sender] = nil end
end

function rt.event_received(record)
  if cancels[record[2]] == record then cancels[record[2]] = nil end
end

-- ---- Subscriptions

-- Moves what waits for the topic from the inbox to its new listener. Everything new is made before anything changes.
local function claim(topic, ch)
  local buf, kept, taken = inbox[BUF], {}, ch[BUF]
  local last_kept, last_taken = 0, 0
  for i = inbox[HEAD], inbox[TAIL], 4 do
    local to, last = kept, last_kept
    if buf[i + 1] == topic then
      to, last = taken, last_taken
      last_taken = last + 4
    else
      last_kept = last + 4
    end
    to[last + 1], to[last + 2], to[last + 3], to[last + 4] = buf[i], buf[i + 1], buf[i + 2], buf[i + 3]
  end
  ch[TAIL] = last_taken
  inbox[BUF], inbox[HEAD], inbox[TAIL] = kept, 1, last_kept
end

-- What the options ask for: MESSAGES, PAYLOADS or nil; and what is wrong with them.
local function kind_of(options)
  if options == nil then return nil end
  local message = options.message
  if message == nil then return nil end
  if type(message) ~= "boolean" then return nil, "message is a " .. type_name(message) .. ", not a boolean" end
  return message and MESSAGES or PAYLOADS
end

local function listen(topic, options)
  if topic == nil then return invalid("topic is missing") end
  if type(topic) == "number" then topic = tostring(topic) end
  if type(topic) ~= "string" then bad_argument(1, "listen", "string", topic) end
  local wrong = topic_fault(topic)
  if wrong then return invalid(wrong) end
  if options ~= nil and type(options) ~= "table" then bad_argument(2, "listen", "table", options) end
  local kind
  kind, wrong = kind_of(options)
  if wrong then return invalid(wrong) end
  local ch = listeners[topic]
  if ch then
    if kind then ch[KIND] = kind end
    return ch, nil
  end
  local limit = S[MOST_LISTENERS]
  if count >= limit then
    return nil, fault("ResourceExhausted", "process has " .. count .. " listeners, the limit is " .. limit)
  end
  ch = new_channel(0, kind or PAYLOADS, true, true)
  local listened, refused = host_listen(topic)
  if not listened then return nil, refused end
  if inbox[TAIL] > 0 then claim(topic, ch) end
  topics[ch] = topic
  listeners[topic] = ch
  count = count + 1
  S[UNSEEN] = true
  return ch, nil
end

-- Channels that were unlistened and hold messages still. Those that were read since are let go of now and then.
local retired, retired_count, sweep_at = {}, 0, 16

local function retire(ch)
  if retired_count >= sweep_at then
    local kept, last = {}, 0
    for i = 1, retired_count do
      if retired[i][TAIL] > 0 then
        last = last + 1
        kept[last] = retired[i]
      end
    end
    retired, retired_count, sweep_at = kept, last, last < 8 and 16 or 2 * last
  end
  retired[retired_count + 1] = ch
  retired_count = retired_count + 1
end

local function unlisten(ch)
  if ch == nil then return false, fault("Invalid", "channel is missing") end
  if not is_channel(ch) then bad_argument(1, "unlisten", "channel", ch) end
  local topic = topics[ch]
  if not topic then return false, fault("Invalid", "channel isn't listened on") end
  if ch[TAIL] > 0 then retire(ch) end
  listeners[topic], topics[ch] = nil, nil
  count = count - 1
  host_unlisten(topic)
  close(ch)
  return true, nil
end

-- What the script hasn't received: the numbers of arrival in order, and by them record, topic and sender. A record of
-- an event is a table; one that is neither that nor a string was decoded already, and Rust has it. Nothing runs any more.
function rt.leftovers()
  local order, count, records, from_topics, senders = {}, 0, {}, {}, {}
  local function add(arrived, record, topic, sender)
    count = count + 1
    order[count] = arrived
    records[arrived], from_topics[arrived], senders[arrived] = record, topic, sender
  end
  local function add_all(ch)
    local buf = ch[BUF]
    for i = ch[HEAD], ch[TAIL], 4 do add(buf[i + 3], buf[i], buf[i + 1], buf[i + 2]) end
  end
  add_all(inbox)
  add_all(events)
  for _, ch in pairs(listeners) do add_all(ch) end
  for i = 1, retired_count do add_all(retired[i]) end
  for i = S[FIRST], S[LAST] do
    local task = S[QUEUE][i]
    if task[ARRIVED] then add(task[ARRIVED], task[GOT], task[TOPIC], task[SENDER]) end
  end
  sort(order)
  return order, records, from_topics, senders
end

-- The first call of each is a subscription like `listen`.
local function ask(slot)
  if S[slot] then return false end
  S[slot], S[UNSEEN] = true, true
  return true
end

rt.mailbox = {
  listen = listen,
  unlisten = unlisten,
  inbox = function()
    if ask(INBOX_ASKED) then host_listen_to_all() end
    return inbox
  end,
  events = function()
    ask(EVENTS_ASKED)
    return events
  end,
}
