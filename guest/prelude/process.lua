-- The module `process`: a table of functions that other files own.
local rt = ...
local mailbox, S = rt.mailbox, rt.state
local host_limits, listener_count = rt.limits, rt.listener_count

-- What the process holds of its limits: the host counts some, the others are counted here.
local function limits()
  local all, message = host_limits()
  all.message = { limit = message }
  all.timers = { used = S[TIMERS], limit = S[MOST_TIMERS] }
  all.coroutines = { used = S[SPAWNED], limit = S[MOST_COROUTINES] }
  all.listeners = { used = listener_count(), limit = S[MOST_LISTENERS] }
  return all
end

-- The scopes that names have elsewhere: here all are the node's, and the others are refused (registry.rs).
local registry = {
  LOCAL = "local",
  EVENTUAL = "eventual",
  CONSISTENT = "consistent",
  STRONG = "strong",
  register = rt.register,
  lookup = rt.lookup,
  unregister = rt.unregister,
}

rt.process = {
  pid = function() return S[PID] end,
  id = function() return S[FRAME] end,
  send = rt.send,
  listen = mailbox.listen,
  unlisten = mailbox.unlisten,
  inbox = mailbox.inbox,
  events = mailbox.events,
  spawn = rt.spawn,
  spawn_monitored = rt.spawn_monitored,
  spawn_linked = rt.spawn_linked,
  spawn_linked_monitored = rt.spawn_linked_monitored,
  exec = rt.exec,
  call = rt.call,
  with_timeout = rt.with_timeout,
  upgrade = rt.upgrade,
  limits = limits,
  with_context = rt.with_context,
  with_options = rt.with_options,
  terminate = rt.terminate,
  cancel = rt.cancel,
  monitor = rt.monitor,
  unmonitor = rt.unmonitor,
  link = rt.link,
  unlink = rt.unlink,
  get_options = rt.get_options,
  set_options = rt.set_options,
  event = { EXIT = "pid.exit", LINK_DOWN = "pid.link.down", CANCEL = "pid.cancel" },
  registry = registry,
  group = rt.group,
}
