-- `process.group`: joining, listing and sending are Rust's (group.rs). Owns `members`, which asks the host for some at a time, and
-- `monitor`: a coroutine that waits until the group has changed and tells what is different. So who doesn't read learns of many
-- changes at once, and costs nobody anything.
local rt = ...
local type = type
local S, ready = rt.state, rt.ready
local new_channel, close, is_channel = rt.new_channel, rt.close, rt.is_channel
local new_task, new_base, full = rt.new_task, rt.new_base, rt.coroutines_full
local some_members, watch, unwatch = rt.group_members, rt.group_watch, rt.group_unwatch
local fault, bad_argument = rt.fault, rt.bad_argument

-- The pids in order, and the version of the group that they are; or nil and why not.
local function members(name)
  local all, count, version = {}, 0, nil
  repeat
    local some, version_now = some_members(name, all[count])
    if not some then return nil, version_now end
    -- That of the first look: a change after it is told.
    version = version or version_now
    for i = 1, #some do all[count + i] = some[i] end
    count = count + #some
  until #some < GROUP_SLICE
  return all, version
end

-- What is in one list of pids and not in the other.
local function beyond(list, other)
  local known, more, count = {}, {}, 0
  for i = 1, #other do known[other[i]] = true end
  for i = 1, #list do
    if not known[list[i]] then
      count = count + 1
      more[count] = list[i]
    end
  end
  return more
end

-- Channels of monitors that go on, and the names of their groups.
local names = {}

-- Tells of each difference until the channel is closed.
local function tell(ch, name, before, version)
  while not ch[CLOSED] do
    local changed = watch(name, version)
    if not changed or ch[CLOSED] then break end
    local now
    now, version = members(name)
    if not now then break end
    local joined, left = beyond(now, before), beyond(before, now)
    if #joined > 0 or #left > 0 then
      before = now
      rt.channel_send(ch, { group = name, joined = joined, left = left })
    end
  end
  names[ch] = nil
  if not ch[CLOSED] then close(ch) end
end

local group = { join = rt.group_join, leave = rt.group_leave, send = rt.group_send }
rt.group = group

function group.members(name)
  local list, wrong = members(name)
  if not list then return nil, wrong end
  return list, nil
end

-- The channel, and who is in the group now.
function group.monitor(name)
  if type(name) == "number" then name = name .. "" end
  local now, version = members(name)
  if not now then return nil, version end
  local err = full()
  if err then return nil, err end
  local ch = new_channel(1, false, false, true)
  local copy = {}
  for i = 1, #now do copy[i] = now[i] end
  names[ch] = name
  ready(new_task(new_base(tell, ch, name, copy, version)))
  S[SPAWNED] = S[SPAWNED] + 1
  return ch, now
end

function group.unmonitor(ch)
  if ch == nil then return false, fault("Invalid", "channel is missing") end
  if not is_channel(ch) then bad_argument(1, "unmonitor", "channel", ch) end
  local name = names[ch]
  if not name then return false, fault("Invalid", "channel is none of a group's monitor") end
  names[ch] = nil
  close(ch)
  unwatch(name)
  return true, nil
end
