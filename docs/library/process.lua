---@meta process

--- Processes: start them, talk to them, watch them, end them. A process is one running script in its own WebAssembly
--- instance, with its own memory; processes share nothing and talk by messages. The module is always there, also as a
--- global.
---
--- Where a parameter is called `destination`, it is a pid or a registered name: text of the form `{…|…}` is a pid,
--- everything else a name. Arguments are checked first, then the destination is looked up, then the permission is
--- checked, then the call acts.
---
--- Further pages: [values and messages](../messages.md), [ends and errors](../ends.md),
--- [permissions](../permissions.md), [limits](../limits.md).
---@class processlib
process = {}

-- # Identity

--- The pid of this process, `{host|0x00001}`: the id of its host, and a number in lower-case hexadecimal, five digits at
--- least, that the node never uses again. A pid is a plain string: compare it, send it, use it as a key. It stays the same
--- across `upgrade`.
---
--- ```lua
--- print(process.pid()) --> {app:processes|0x00001}
--- ```
---@return string pid
---@nodiscard
function process.pid() end

--- The frame id of this process, `entry id#chain`: which entry runs, and on behalf of which root process. The chain is the
--- same for everything that one root process started, by spawn or exec, and stands on every log line.
---
--- ```lua
--- print(process.id():match("^app:main#") ~= nil) --> true
---
--- -- A child's frame names its own entry, on the same chain.
--- process.spawn_monitored("app:child", "app:processes")
--- local frame = process.events():receive().result.value
--- print(frame:match("^[^#]+")) --> app:child
--- print(frame:match("#.*") == process.id():match("#.*")) --> true
--- -- entry: child
--- return { main = function() return process.id() end }
--- ```
---@return string frame
---@nodiscard
function process.id() end

-- # Messages

--- Sends a message. Never waits; `true` means that the receiver's mailbox has accepted it. Without a value the payload is
--- `nil`, one value is the payload itself, several are an array with a field `n`. Values are copied
--- ([which can travel](../messages.md)). Messages from one sender to one receiver keep their order, across topics. A
--- process may send to itself.
---
--- Errors:
--- * `INVALID`: the destination or the topic is missing; the topic is empty, longer than 255 bytes, or begins with `@`; a
---   value can't travel (the text says where it stands); the message is larger than the limit `message`, this process's
---   or the receiver's
--- * `NOT_FOUND`: no such process or name; a process that has ended
--- * `RATE_LIMITED`: the mailbox is full, or [a share of it](../messages.md#full-mailboxes) is: this process's (half of the mailbox),
---   or that of topics on which the receiver doesn't listen (an eighth); the text says which. Retryable when the receiver has
---   received some or listens; nothing was queued
---
--- Permission: `process.send` on the pid.
---
--- ```lua
--- local ch = process.listen("greeting")
--- print(process.send(process.pid(), "greeting", "hello")) --> true nil
--- print(ch:receive()) --> hello true
---
--- process.send(process.pid(), "greeting", "a", nil, "c")
--- local several = ch:receive()
--- print(several.n, several[1], several[2], several[3]) --> 3 a nil c
---
--- local ok, err = process.send("nobody", "greeting")
--- print(ok, err:kind() == errors.NOT_FOUND) --> nil true
--- ```
---@param destination string pid or registered name
---@param topic string 1 to 255 bytes, not beginning with `@`
---@param ... any the payload
---@return true? ok
---@return errors.Error? err
function process.send(destination, topic, ...) end

--- Subscribes to a topic, which is matched exactly. The channel gives payloads, or [messages](#type-processmessage) with
--- `message = true`. Listening again gives the very same channel; `message`, when it is given again, holds from the next
--- receive.
---
--- What was sent before is not lost: it comes first. A process may listen on 1,024 topics (limit `listeners`). Scripts
--- can't send to the channel or close it; `unlisten` does.
---
--- Errors:
--- * `INVALID`: the topic is missing or unusable; `message` is not a boolean
--- * `RESOURCE_EXHAUSTED`: limit `listeners`, or a budget
---
--- ```lua
--- process.send(process.pid(), "jobs", { id = 7 })
--- local jobs = process.listen("jobs")
--- print(jobs:receive().id) --> 7
---
--- process.listen("jobs", { message = true })
--- process.send(process.pid(), "jobs", { id = 8 })
--- local message = jobs:receive()
--- print(message:topic(), message:payload().id) --> jobs 8
--- ```
---@overload fun(topic: string, options: { message: true }): channel<process.Message>?, errors.Error?
---@param topic string 1 to 255 bytes, not beginning with `@`
---@param options? process.ListenOptions
---@return channel<any>? ch
---@return errors.Error? err
function process.listen(topic, options) end

--- Options of `process.listen`.
---@class process.ListenOptions
---@field message? boolean receive Message objects; without it, payloads
local listen_options = {}

--- Ends a subscription and closes its channel. What the channel already holds can still be received from it; what comes
--- later goes to the inbox.
---
--- Errors:
--- * `INVALID`: no channel, or one that isn't listened on; the first result is `false` then
---
--- ```lua
--- local ch = process.listen("news")
--- process.send(process.pid(), "news", "last")
--- time.sleep(0)
--- print(process.unlisten(ch)) --> true nil
--- print(ch:receive()) --> last true
--- print(ch:receive()) --> nil false
--- print((process.unlisten(ch))) --> false
--- ```
---@param ch channel<any> what `listen` returned
---@return boolean ok
---@return errors.Error? err
function process.unlisten(ch) end

--- The channel of all messages on topics that nobody listens on. Gives [messages](#type-processmessage); the same channel
--- every time. A message that waits for the inbox goes to a listener of its topic that comes first.
---
--- ```lua
--- process.send(process.pid(), "anything", 1)
--- local message = process.inbox():receive()
--- print(message:topic(), message:payload(), message:from() == process.pid()) --> anything 1 true
--- ```
---@return channel<process.Message> inbox
---@nodiscard
function process.inbox() end

--- A message, as the inbox gives it and a listener with `message = true`. It prints with its topic and its sender.
---
--- `message.topic` and `message.payload` without a call are callables which print, concatenate and travel as the value; a
--- table's fields can be read through `message.payload`. Don't use `type` or `==` on them: call them.
---@class process.Message
local message = {}

--- The topic it was sent to.
---
--- ```lua
--- process.send(process.pid(), "greeting", "hello")
--- local message = process.inbox():receive()
--- print(message:topic()) --> greeting
--- print("topic: " .. message.topic) --> topic: greeting
--- ```
---@return string topic
---@nodiscard
function message:topic() end

--- The pid of the sender, or `nil` where there is none: the message came from the program that embeds Lunarium.
---
--- ```lua
--- process.send(process.pid(), "ping")
--- local message = process.inbox():receive()
--- print(message:from()) --> {app:processes|0x00001}
--- ```
---@return string? pid
---@nodiscard
function message:from() end

--- The value that was sent. The same table every time. `:data()` of it is the value again, for programs [from
--- Wippy](../coming-from-wippy.md).
---
--- ```lua
--- process.send(process.pid(), "job", { id = 7 })
--- local message = process.inbox():receive()
--- print(message:payload().id, message.payload.id) --> 7 7
--- ```
---@return any value
---@nodiscard
function message:payload() end

-- # Starting

--- Starts a process. Returns as soon as the child is accepted and never waits for it. The arguments are copied like a
--- message, and obey its limits. The child inherits this process's context values, actor and scope.
---
--- A child that then can't start (its source doesn't compile, raises, or has no such method) ends abnormally with kind
--- `INVALID`; whoever watches it is told.
---
--- Errors:
--- * `INVALID`: an argument is missing, can't travel, or is too large
--- * `NOT_FOUND`: no such entry or host
--- * `UNAVAILABLE`: the host is stopped
--- * `RESOURCE_EXHAUSTED`: the most processes of the host or the node
---
--- Permission: `process.spawn` on the entry's id and `process.host` on the host's.
---
--- ```lua
--- local pid = process.spawn("app:child", "app:processes", process.pid(), 20)
--- print(pid) --> {app:processes|0x00002}
--- print(process.listen("answer"):receive()) --> 21 true
---
--- local none, err = process.spawn("app:nothing", "app:processes")
--- print(none, err:kind() == errors.NOT_FOUND) --> nil true
--- -- entry: child
--- return { main = function(parent, n) process.send(parent, "answer", n + 1) end }
--- ```
---@param id string id of the entry, `namespace:name`
---@param host string id of the process host
---@param ... any arguments of its `main`
---@return string? pid
---@return errors.Error? err
function process.spawn(id, host, ...) end

--- Starts a process and monitors it: its end arrives as an EXIT on `process.events()`. The monitor stands before the
--- child's first instruction.
---
--- Errors:
--- * as for `spawn`: and `RESOURCE_EXHAUSTED` at the limit `monitors`
---
--- Permission: those of `spawn`, and `process.spawn.monitored` on the entry's id.
---
--- ```lua
--- local pid = process.spawn_monitored("app:child", "app:processes", 21)
--- local event = process.events():receive()
--- print(event.kind == process.event.EXIT, event.from == pid, event.result.value) --> true true 42
--- -- entry: child
--- return { main = function(n) return 2 * n end }
--- ```
---@param id string id of the entry, `namespace:name`
---@param host string id of the process host
---@param ... any arguments of its `main`
---@return string? pid
---@return errors.Error? err
function process.spawn_monitored(id, host, ...) end

--- Starts a process and links it to this one: if one of them ends abnormally, so does the other, unless it traps links.
--- The link stands before the child's first instruction.
---
--- Errors:
--- * as for `spawn`: and `RESOURCE_EXHAUSTED` at the limit `links`
---
--- Permission: those of `spawn`, and `process.spawn.linked` on the entry's id.
---
--- ```lua
--- process.set_options({ trap_links = true })
--- local pid = process.spawn_linked("app:child", "app:processes")
--- local event = process.events():receive()
--- print(event.kind == process.event.LINK_DOWN, event.from == pid) --> true true
--- print("it failed: " .. event.error) --> it failed: broken
--- -- entry: child
--- return { main = function() error("broken", 0) end }
--- ```
---@param id string id of the entry, `namespace:name`
---@param host string id of the process host
---@param ... any arguments of its `main`
---@return string? pid
---@return errors.Error? err
function process.spawn_linked(id, host, ...) end

--- Starts a process, monitors it and links it to this one. If it fails and this process traps links, both events come:
--- EXIT first, then LINK_DOWN.
---
--- Errors:
--- * as for `spawn`: and `RESOURCE_EXHAUSTED` at the limits `links` and `monitors`
---
--- Permission: those of `spawn`, and `process.spawn.monitored` and `process.spawn.linked` on the entry's id.
---
--- ```lua
--- process.set_options({ trap_links = true })
--- process.spawn_linked_monitored("app:child", "app:processes")
--- print(process.events():receive().kind) --> pid.exit
--- print(process.events():receive().kind) --> pid.link.down
--- -- entry: child
--- return { main = function() error("broken", 0) end }
--- ```
---@param id string id of the entry, `namespace:name`
---@param host string id of the process host
---@param ... any arguments of its `main`
---@return string? pid
---@return errors.Error? err
function process.spawn_linked_monitored(id, host, ...) end

--- Starts a process, waits for its end and returns its result. Only the calling coroutine waits. When the child ends
--- abnormally, its error is returned: kind, message, `retryable` and details. If this process ends first, the child is
--- terminated, a moment later.
---
--- Waits, so it raises "attempt to yield across a C-call boundary" [where one can't wait](coroutine.md).
---
--- Errors:
--- * as for `spawn`: nothing was started
--- * `RESOURCE_EXHAUSTED`: this process waits for 1,000 calls already; nothing was started
--- * any: the child's own error
---
--- Permission: `process.exec` on the entry's id and `process.host` on the host's.
---
--- ```lua
--- print(process.exec("app:child", "app:processes", 21)) --> 42 nil
---
--- local result, err = process.exec("app:child", "app:processes", "x")
--- print(result, err:kind() == errors.CONFLICT, err) --> nil true not a number
--- -- entry: child
--- return { main = function(n)
---   if type(n) ~= "number" then error(errors.new({ message = "not a number", kind = errors.CONFLICT })) end
---   return 2 * n
--- end }
--- ```
---@param id string id of the entry, `namespace:name`
---@param host string id of the process host
---@param ... any arguments of its `main`
---@return any result
---@return errors.Error? err
function process.exec(id, host, ...) end

--- Calls a function of another process, or of this one: a function of the table that its chunk returned. Which functions there
--- are doesn't depend on `main`; the function that the process runs can't be called. It runs in a coroutine of its own there, beside
--- `main` and other calls, and may wait; arguments and results are copied like a message. Only the calling coroutine waits.
---
--- A process whose entry names no `method`, and whose table has functions but no `main`, serves calls until it is ended.
--- A call that comes before the chunk has returned waits for that. The caller's own end doesn't end the function.
---
--- Waits, so it raises "attempt to yield across a C-call boundary" [where one can't wait](coroutine.md).
---
--- Errors:
--- * as for `send`: nothing was called
--- * `RATE_LIMITED`: 1,000 calls of that process aren't answered, or 500 of this caller
--- * `RESOURCE_EXHAUSTED`: this process waits for 1,000 calls already; or that one runs as many coroutines as it may, or has no
---   [memory](../messages.md#more-than-the-memory) for the arguments
--- * `NOT_FOUND`: no such function; the message lists those that there are
--- * `INVALID`: the chunk calls its own process; it would wait until it has returned
--- * `CANCELED`: the process ended meanwhile (its error is `details().error`), or went on as another program
--- * any: what the function raised, with its traceback as `stack()`
---
--- Permission: `process.call` on the process's pid, with the function's name as attribute `method`.
---
--- ```lua
--- local calc = process.spawn("app:calc", "app:processes")
--- print(process.call(calc, "add", 2, 3)) --> 5
--- print(process.call(calc, "div", 1, 0)) --> nil division by zero
--- local _, err = process.call(calc, "mul", 2, 3)
--- print(err) --> no function `mul` to call: there are `add`, `div`
--- -- entry: calc
--- return {
---   add = function(a, b) return a + b end,
---   div = function(a, b)
---     if b == 0 then error("division by zero", 0) end
---     return a / b
---   end,
--- }
--- ```
---@param destination string pid or registered name
---@param method string name of the function
---@param ... any its arguments
---@return any result first of its results; nil when it failed
---@return errors.Error|any err the error; or the second result
---@return any ... its further results
function process.call(destination, method, ...) end

--- Calls with a limit of time: `process.with_timeout("2s"):call(destination, method, ...)` is `process.call`, and when there is no
--- answer in time, `nil` and an error `TIMEOUT`, retryable. The function runs on there, and its answer is dropped.
---
--- Errors:
--- * raises `INVALID`: the duration can't be read
---
--- ```lua
--- local slow = process.spawn("app:slow", "app:processes")
--- local result, err = process.with_timeout("5ms"):call(slow, "wait", "1h")
--- print(result, err, err:kind() == errors.TIMEOUT) --> nil no answer within 5ms true
--- print(process.with_timeout("10m"):call(slow, "wait", 0)) --> done
--- -- entry: slow
--- return { wait = function(time_to_wait) time.sleep(time_to_wait) return "done" end }
--- ```
---@param duration string|integer|time.Duration how long a call waits
---@return process.Bounded
function process.with_timeout(duration) end

--- What [`process.with_timeout`](#processwith_timeoutduration) gives.
---@class process.Bounded
local bounded = {}

--- `process.call` with the limit of time.
---
--- ```lua
--- print(process.with_timeout("1m"):call(process.pid(), "own")) --> nil no function `own` to call: there is none
--- ```
---@param destination string pid or registered name
---@param method string name of the function
---@param ... any its arguments
---@return any result first of its results; nil when it failed
---@return errors.Error|any err the error; or the second result
---@return any ... its further results
function bounded:call(destination, method, ...) end

--- Starts this process over in a fresh instance: of another entry, or of the same one in its newest definition. It keeps
--- its pid, names, links, monitors, all unread messages in their order, context values, actor and scope. It loses its
--- coroutines, subscriptions and options, so it listens again. The arguments are copied like a message. Limits and grants
--- are those of what it becomes; what it holds beyond such a limit, it keeps. What it waits for with `exec` is no longer linked with it, and is terminated.
---
--- Success doesn't return: nothing of the old instance runs any more, `__close` and `__gc` included. If the new
--- definition then fails to start, the process ends abnormally. Raises
--- [where one can't wait](coroutine.md).
---
--- Errors:
--- * `NOT_FOUND`: no such entry; nothing has changed
--- * `INVALID`: an argument can't travel or is too large; nothing has changed
---
--- Permission: `process.spawn` on the entry's id, unless it is the same entry.
---
--- ```lua
--- local count = ... or 0
--- print(process.pid(), count)
--- --> {app:processes|0x00001} 0
--- --> {app:processes|0x00001} 1
--- --> {app:processes|0x00001} 2
--- if count < 2 then process.upgrade(nil, count + 1) end
--- ```
---@param id string? id of the entry; `nil`: the same
---@param ... any arguments of its `main`
---@return nil none it returns only when it failed
---@return errors.Error err
function process.upgrade(id, ...) end

-- # Ending others

--- Ends a process by force, within 20 ms, whatever it is doing: also an endless loop or a long library call. Its end is
--- abnormal, "process terminated", kind `CANCELED`. Its `__close` and `__gc` don't run. A process may terminate itself.
---
--- Errors:
--- * `INVALID`: the destination is missing or unusable
--- * `NOT_FOUND`: no such process or name; a process that has ended
---
--- Permission: `process.terminate` on the pid.
---
--- ```lua
--- local pid = process.spawn_monitored("app:child", "app:processes")
--- print(process.terminate(pid)) --> true nil
--- print(process.events():receive().error) --> process terminated
--- -- entry: child
--- return { main = function() while true do end end }
--- ```
---@param destination string pid or registered name
---@return true? ok
---@return errors.Error? err
function process.terminate(destination) end

--- Asks a process to end: it gets a CANCEL event. With a deadline, a process that is still there when it passes is
--- terminated; without one, nothing is forced. A second unread CANCEL of the same sender replaces the first.
---
--- Errors:
--- * `INVALID`: the destination is missing or unusable; the deadline is unusable
--- * `NOT_FOUND`: no such process or name; a process that has ended
---
--- Permission: `process.cancel` on the pid.
---
--- ```lua
--- local pid = process.spawn_monitored("app:child", "app:processes")
--- print(process.cancel(pid, "5s")) --> true nil
--- print(process.events():receive().result.value) --> tidied up
--- -- entry: child
--- return { main = function()
---   local event = process.events():receive()
---   assert(event.kind == process.event.CANCEL and event.deadline)
---   return "tidied up"
--- end }
--- ```
---@param destination string pid or registered name
---@param deadline? string|integer|time.Duration a [duration](time.md) from now
---@return true? ok
---@return errors.Error? err
function process.cancel(destination, deadline) end

-- # Watching

--- The channel of events: EXIT of monitored processes, LINK_DOWN of linked ones, CANCEL. The same channel every time.
--- Events wait until they are received; they are never refused and don't count as messages.
---
--- ```lua
--- process.cancel(process.pid())
--- local event = process.events():receive()
--- print(event.kind == process.event.CANCEL, event.from == process.pid(), event.deadline) --> true true nil
--- ```
---@return channel<process.Event> events
---@nodiscard
function process.events() end

--- The kinds of events.
---@class process.event
---@field EXIT "pid.exit" a monitored process has ended, in whatever way
---@field LINK_DOWN "pid.link.down" a linked process has ended abnormally, and this one traps links
---@field CANCEL "pid.cancel" somebody asks this process to end
process.event = {}

--- An event: a plain table. A field that it lacks reads as nil.
---@class process.Event
---@field kind "pid.exit"|"pid.link.down"|"pid.cancel" one of `process.event`
---@field from string? who ended; for a CANCEL who cancelled, nil for the runtime
---@field at number when, in Unix seconds
---@field result process.Result? EXIT and LINK_DOWN only
---@field error errors.Error? why the process ended abnormally, as in `result`
---@field deadline string? CANCEL only: RFC 3339; nil when nothing is forced
local event = {}

--- How a process ended: a table with `value` or `error`, which prints and concatenates as the one it has.
---@class process.Result
---@field value any what `main` returned first
---@field error errors.Error? why it ended abnormally: an error object, which prints as its message
local result = {}

--- Watches a process: its end arrives as one EXIT. An EXIT that arrived before `unmonitor` is still delivered.
---
--- Errors:
--- * `INVALID`: the destination is missing or unusable, or this process itself
--- * `NOT_FOUND`: no such process or name; a process that has ended
--- * `ALREADY_EXISTS`: this process monitors it already
--- * `RESOURCE_EXHAUSTED`: limit `monitors`; or the node has 1,000,000
---
--- Permission: `process.monitor` on the pid.
---
--- ```lua
--- local pid = process.spawn("app:child", "app:processes")
--- print(process.monitor(pid)) --> true nil
--- local ok, err = process.monitor(pid)
--- print(ok, err:kind() == errors.ALREADY_EXISTS) --> nil true
--- process.send(pid, "stop")
--- print(process.events():receive().result) --> stopped
--- -- entry: child
--- return { main = function()
---   process.inbox():receive()
---   return "stopped"
--- end }
--- ```
---@param destination string pid or registered name
---@return true? ok
---@return errors.Error? err
function process.monitor(destination) end

--- Watches a process no longer. Succeeds, too, for a pid that isn't monitored, a dead one, and this process itself.
---
--- Errors:
--- * `INVALID`: the destination is missing or unusable
--- * `NOT_FOUND`: no such name
---
--- Permission: `process.unmonitor` on the pid.
---
--- ```lua
--- local pid = process.spawn_monitored("app:child", "app:processes")
--- print(process.unmonitor(pid)) --> true nil
--- process.terminate(pid)
--- time.sleep("5ms")
--- print(channel.select({ process.events():case_receive(), default = true }).default) --> true
--- -- entry: child
--- return { main = function() process.inbox():receive() end }
--- ```
---@param destination string pid or registered name
---@return true? ok
---@return errors.Error? err
function process.unmonitor(destination) end

--- Links this process and another, both ways: when one ends abnormally, the other ends too ("linked process failed: …"),
--- whatever it waits for, and so on along the links; with `trap_links` it gets a LINK_DOWN instead. They end one by one, a
--- moment later ([who hears of an end](../ends.md#who-hears-of-it)). A normal end does nothing. Linking twice succeeds and
--- is one link.
---
--- Errors:
--- * `INVALID`: the destination is missing or unusable, or this process itself
--- * `NOT_FOUND`: no such process or name; a process that has ended
--- * `RESOURCE_EXHAUSTED`: limit `links`, of either; or the node has 1,000,000
---
--- Permission: `process.link` on the pid.
---
--- ```lua
--- process.set_options({ trap_links = true })
--- local pid = process.spawn("app:child", "app:processes")
--- print(process.link(pid)) --> true nil
--- process.terminate(pid)
--- local event = process.events():receive()
--- print(event.kind, event.error) --> pid.link.down process terminated
--- -- entry: child
--- return { main = function() process.inbox():receive() end }
--- ```
---@param destination string pid or registered name
---@return true? ok
---@return errors.Error? err
function process.link(destination) end

--- Takes a link away. Succeeds, too, for a pid that isn't linked, a dead one, and this process itself.
---
--- Errors:
--- * `INVALID`: the destination is missing or unusable
--- * `NOT_FOUND`: no such name
---
--- Permission: `process.unlink` on the pid.
---
--- ```lua
--- local pid = process.spawn_linked("app:child", "app:processes")
--- print(process.unlink(pid)) --> true nil
--- process.terminate(pid)
--- print("still here") --> still here
--- -- entry: child
--- return { main = function() process.inbox():receive() end }
--- ```
---@param destination string pid or registered name
---@return true? ok
---@return errors.Error? err
function process.unlink(destination) end

-- # Options

--- The options of this process. A fresh table each time: changing it changes nothing.
---
--- ```lua
--- print(process.get_options().trap_links) --> false
--- ```
---@return process.Options options
---@nodiscard
function process.get_options() end

--- Changes options. Those that are not named stay as they are. All or nothing.
---
--- Errors:
--- * `INVALID`: not a table, an unknown option, or a wrong type; the first result is `false` then, and nothing was applied
---
--- ```lua
--- print(process.set_options({ trap_links = true })) --> true nil
--- print(process.get_options().trap_links) --> true
--- local ok, err = process.set_options({ trap_linkz = true })
--- print(ok, err) --> false unknown option `trap_linkz`
--- ```
---@param options process.Options
---@return boolean ok
---@return errors.Error? err
function process.set_options(options) end

--- Options of a process.
---@class process.Options
---@field trap_links? boolean a linked process that fails is an event instead of the end; `false` at first
local options = {}

-- # Limits

--- What this process may hold, and how much of it it does: a table by the names of the [limits](../limits.md), as
--- `details().limit` has them. It is made anew by each call. Sizes are bytes; of `cpu`, `cpu_total` and `lifetime` both are
--- [Durations](time.md). A limit that is nil is none; `message` has only a limit.
---
--- ```lua
--- local all = process.limits()
--- print(all.memory.used < all.memory.limit, all.memory.limit) --> true 16777216
--- print(all.cpu.limit, all.lifetime.limit) --> 10s nil
---
--- process.listen("jobs")
--- print(process.limits().listeners.used) --> 1
--- ```
---@return process.Limits limits
---@nodiscard
function process.limits() end

--- What `process.limits` gives.
---@class process.Limits
---@field memory process.Limit bytes that its Lua holds, garbage too
---@field cpu process.Limit of Durations: CPU time since it last waited
---@field cpu_total process.Limit of Durations: CPU time of its whole life
---@field lifetime process.Limit of Durations: time since it was started
---@field mailbox_messages process.Limit messages not yet received
---@field mailbox_bytes process.Limit their bytes
---@field message process.Limit bytes of one message
---@field links process.Limit
---@field monitors process.Limit
---@field timers process.Limit
---@field coroutines process.Limit
---@field names process.Limit
---@field groups process.Limit groups that it is in or watches
---@field listeners process.Limit topics
---@field log_lines process.Limit of this second
local limits = {}

--- What is held of one limit.
---@class process.Limit
---@field used? integer|time.Duration
---@field limit? integer|time.Duration
local limit = {}

-- # Names

--- Names of processes. A name belongs to the application and is freed when its process ends, before anybody hears of the
--- end. A process may hold 1,024 names (limit `names`).
---@class process.registry
---@field LOCAL "local" the scope of every name here: this node
---@field EVENTUAL "eventual" refused: it needs a cluster
---@field CONSISTENT "consistent" refused: it needs a cluster
---@field STRONG "strong" refused: it needs a cluster
process.registry = {}

--- Gives a process a name. The same name for the same process again succeeds.
---
--- Errors:
--- * `INVALID`: the name is missing, empty, longer than 255 bytes, or looks like a pid; a scope other than `LOCAL`
--- * `ALREADY_EXISTS`: another process holds it
--- * `NOT_FOUND`: the process has ended
--- * `RESOURCE_EXHAUSTED`: limit `names`, or a budget of who gets it
---
--- Permission: `process.registry.register` on the name; for another process also `process.registry.foreign` on its pid.
---
--- ```lua
--- print(process.registry.register("greeter")) --> true nil
--- print(process.registry.lookup("greeter") == process.pid()) --> true
--- process.send("greeter", "hello")
--- print(process.inbox():receive():topic()) --> hello
--- ```
---@param name string 1 to 255 bytes
---@param pid? string this process by default
---@param scope? "local"|"eventual"|"consistent"|"strong" one of the constants; `LOCAL` by default
---@return true? ok
---@return errors.Error? err
function process.registry.register(name, pid, scope) end

--- Who holds a name.
---
--- Errors:
--- * `INVALID`: the name is missing or unusable
--- * `NOT_FOUND`: nobody holds it
---
--- ```lua
--- local pid, err = process.registry.lookup("nobody")
--- print(pid, err) --> nil name `nobody` not found
--- ```
---@param name string
---@return string? pid
---@return errors.Error? err
function process.registry.lookup(name) end

--- Frees a name. `false` when nobody held it. Another process's name is never freed without an explicit permission.
---
--- Errors:
--- * `INVALID`: the name is missing or unusable
--- * `PERMISSION_DENIED`: another process holds it
---
--- Permission: `process.registry.unregister` on the name; for another's name also `process.registry.foreign` on its
--- holder's pid.
---
--- ```lua
--- process.registry.register("greeter")
--- print(process.registry.unregister("greeter")) --> true nil
--- print((process.registry.unregister("greeter"))) --> false
--- ```
---@param name string
---@param scope? "local"|"eventual"|"consistent"|"strong" as for `register`
---@return boolean? freed
---@return errors.Error? err
function process.registry.unregister(name, scope) end

-- # Groups

--- Groups of processes, by names of their own: whoever has joined gets what is sent to the group. A process leaves with its end, and stays
--- across `upgrade`. Groups belong to a node, as names do. A process is in, or watches, at most as many as its limit `groups`
--- says; a group has at most 10,000 members, and 64 who watch it.
---@class process.group
process.group = {}

--- Joins a group, which needn't be there before. Joining again succeeds, once.
---
--- Errors:
--- * `INVALID`: the name is missing, empty or longer than 255 bytes
--- * `RESOURCE_EXHAUSTED`: limit `groups`, a full group (`details().limit` is `group.members`), or a budget
---
--- Permission: `process.group.join` on the group.
---
--- ```lua
--- print(process.group.join("workers")) --> true nil
--- print(process.group.members("workers")[1] == process.pid()) --> true
--- ```
---@param name string 1 to 255 bytes
---@return true? ok
---@return errors.Error? err
function process.group.join(name) end

--- Leaves a group. `false` when this process wasn't in it.
---
--- Errors:
--- * `INVALID`: the name is missing or unusable
---
--- ```lua
--- process.group.join("workers")
--- print(process.group.leave("workers")) --> true nil
--- print((process.group.leave("workers"))) --> false
--- ```
---@param name string
---@return boolean? left
---@return errors.Error? err
function process.group.leave(name) end

--- The pids of a group's members, in the order in which the processes were started. Empty when there is none.
---
--- Errors:
--- * `INVALID`: the name is missing or unusable
---
--- ```lua
--- print(#process.group.members("nobody's")) --> 0
--- ```
---@param name string
---@return string[]? pids
---@return errors.Error? err
---@nodiscard
function process.group.members(name) end

--- Sends a message to every member, itself too when it is one, as `process.send` does. Never waits. Members that this process may not
--- send to, or whose mailbox is full, are left out: what it returns is how many have accepted it.
---
--- Errors:
--- * `INVALID`: group or topic is unusable; a value can't travel; the message is too large
--- * `RESOURCE_EXHAUSTED`: the payload's bytes, once for each member, exceed 64 MiB (`details().limit` is `group.bytes`); nobody has got
---   it then
---
--- Permission: `process.send` on each member's pid.
---
--- ```lua
--- process.group.join("news")
--- print(process.group.send("news", "headline", "rain")) --> 1 nil
--- local message = process.inbox():receive()
--- print(message:topic(), message:payload(), message:from() == process.pid()) --> headline rain true
--- print(process.group.send("nobody's", "headline", "rain")) --> 0 nil
--- ```
---@param name string
---@param topic string 1 to 255 bytes, not beginning with `@`
---@param ... any the payload, as for `send`
---@return integer? accepted
---@return errors.Error? err
function process.group.send(name, topic, ...) end

--- Watches a group: a channel that tells of every difference, and who is in it now. Differences are told by looking again: who doesn't
--- read for a while gets one table for many changes, and of who came and went in between nothing. A monitor takes one
--- coroutine (limit `coroutines`), and one of the limit `groups`. The channel is closed when the group can't be watched (any more): at
--- that limit, or when too many watch it.
---
--- Errors:
--- * `INVALID`: the name is missing or unusable
--- * `RESOURCE_EXHAUSTED`: limit `coroutines`
---
--- ```lua
--- local changes, members = process.group.monitor("workers")
--- print(#members) --> 0
--- local pid = process.spawn("app:child", "app:processes")
--- local change = changes:receive()
--- print(change.group, change.joined[1] == pid, #change.left) --> workers true 0
--- process.terminate(pid)
--- print(changes:receive().left[1] == pid) --> true
--- -- entry: child
--- return { main = function()
---   process.group.join("workers")
---   process.inbox():receive()
--- end }
--- ```
---@param name string
---@return channel<process.GroupChange>? changes
---@return string[]|errors.Error members or what is wrong
---@nodiscard
function process.group.monitor(name) end

--- Stops a monitor: its channel is closed.
---
--- Errors:
--- * `INVALID`: the channel is missing, or none of a monitor that goes on
---
--- ```lua
--- local changes = process.group.monitor("workers")
--- print(process.group.unmonitor(changes)) --> true nil
--- print(changes:receive()) --> nil false
--- ```
---@param changes channel<process.GroupChange>
---@return boolean ok
---@return errors.Error? err
function process.group.unmonitor(changes) end

--- What a group's monitor tells.
---@class process.GroupChange
---@field group string
---@field joined string[] pids that weren't in it when it was told last
---@field left string[] pids that were
local group_change = {}

-- # Starting with context

--- Makes a builder that starts processes with context values, an actor, a scope, a name or first messages. The child reads
--- the values with [`ctx`](ctx.md); it also inherits this process's own, which the builder's values replace key by key.
---
--- Keys are strings; all values together are no larger than a message (limit `message`). Raises an error object, as all
--- `with_…` methods do, when an argument is unusable or the permission is missing.
---
--- Permission: `process.context` on `context`.
---
--- ```lua
--- local spawner = process.with_context({ request = "r-1" })
--- spawner:spawn_monitored("app:child", "app:processes")
--- print(process.events():receive().result) --> r-1
--- -- entry: child
--- return { main = function() return ctx.get("request") end }
--- ```
---@param values table<string, any> context values; they travel like a message
---@return process.Spawner spawner
---@nodiscard
function process.with_context(values) end

--- The same without values. There is no option: what another runtime has is refused, by an error object that is raised.
---
--- Permission: `process.context` on `context`.
---
--- ```lua
--- print(pcall(process.with_options, { network = "app:proxy" }))
--- --> false option `network` isn't there: a process has no network but what modules give it (`grants: {http: …}`)
--- ```
---@param options table
---@return process.Spawner spawner
---@nodiscard
function process.with_options(options) end

--- A builder of processes. Immutable: every `with_…` method returns a new one.
---@class process.Spawner
local spawner = {}

--- Adds context values; one under the same key is replaced. Raises an error object when they are unusable.
---
--- Permission: `process.context` on `context`.
---
--- ```lua
--- local base = process.with_context({ user = "ada", lang = "en" })
--- local french = base:with_context({ lang = "fr" })
--- for _, spawner in ipairs({ base, french }) do
---   spawner:spawn_monitored("app:child", "app:processes")
---   print(process.events():receive().result)
--- end
--- --> ada en
--- --> ada fr
--- -- entry: child
--- return { main = function() return ctx.get("user") .. " " .. ctx.get("lang") end }
--- ```
---@param values table<string, any>
---@return process.Spawner spawner
---@nodiscard
function spawner:with_context(values) end

--- Sets on whose behalf the children act. Raises an error object when the actor is unusable or the permission is missing.
---
--- Permission: `process.security` on `security`.
---
--- ```lua
--- local spawner = process.with_context({}):with_actor(security.new_actor("user:ada"))
--- spawner:spawn_monitored("app:child", "app:processes")
--- print(process.events():receive().result) --> user:ada
--- -- entry: child
--- return { main = function() return security.actor():id() end }
--- ```
---@param actor security.Actor
---@return process.Spawner spawner
---@nodiscard
function spawner:with_actor(actor) end

--- Sets which policies decide what the children may do. An empty scope allows nothing. Raises an error object when the
--- scope is unusable or the permission is missing.
---
--- Permission: `process.security` on `security`.
---
--- ```lua
--- local spawner = process.with_context({}):with_scope(security.new_scope({}))
--- spawner:spawn_monitored("app:child", "app:processes", process.pid())
--- print(process.events():receive().result.value == errors.PERMISSION_DENIED) --> true
--- -- entry: child
--- return { main = function(parent)
---   local _, err = process.send(parent, "hello")
---   return err:kind()
--- end }
--- ```
---@param scope security.Scope
---@return process.Spawner spawner
---@nodiscard
function spawner:with_scope(scope) end

--- Gives the child a name before its first instruction. When the name is taken, nothing is spawned: the spawn returns the
--- holder's pid, the builder's messages are delivered to the holder, and monitor or link are set on it (an existing monitor
--- is no error): all of it, or nothing when one of them is refused. Entry and host must exist all the same. The holder may
--- be this process itself, which can't be monitored or linked, though. Then the spawn needs `process.send`,
--- `process.monitor` and `process.link` on the holder, as far as they apply. When the name changes hands too often
--- meanwhile, the spawn is refused: `CONFLICT`, retryable. Raises an error object when the name is unusable.
---
--- Permission: `process.registry.register` on the name, when it is spawned.
---
--- ```lua
--- local spawner = process.with_context({}):with_name("counter")
--- local first = spawner:spawn("app:child", "app:processes")
--- local second = spawner:spawn("app:child", "app:processes")
--- print(first == second, process.registry.lookup("counter") == first) --> true true
--- process.terminate("counter")
--- -- entry: child
--- return { main = function() process.inbox():receive() end }
--- ```
---@param name string 1 to 255 bytes
---@return process.Spawner spawner
---@nodiscard
function spawner:with_name(name) end

--- Adds a message that is delivered to the child before any other. Repeatable: they arrive in order, and `from()` is this
--- process. Raises an error object when the topic or a value is unusable.
---
--- ```lua
--- local spawner = process.with_context({}):with_message("step", "one"):with_message("step", "two")
--- spawner:spawn_monitored("app:child", "app:processes")
--- print(process.events():receive().result) --> one, two
--- -- entry: child
--- return { main = function()
---   local steps = process.listen("step")
---   local one, two = steps:receive(), steps:receive()
---   return one .. ", " .. two
--- end }
--- ```
---@param topic string 1 to 255 bytes, not beginning with `@`
---@param ... any the payload, as for `send`
---@return process.Spawner spawner
---@nodiscard
function spawner:with_message(topic, ...) end

--- Starts a process as `process.spawn` does, with what the builder holds.
---
--- Errors:
--- * as for `process.spawn`: nothing was started, named or sent
--- * `RATE_LIMITED`: the messages don't fit into the mailbox; retryable
---
--- Permission: those of `process.spawn`.
---
--- ```lua
--- local spawner = process.with_context({ answer = 42 })
--- spawner:spawn("app:child", "app:processes", process.pid())
--- print(process.inbox():receive():payload()) --> 42
--- -- entry: child
--- return { main = function(parent) process.send(parent, "answer", (ctx.get("answer"))) end }
--- ```
---@param id string id of the entry, `namespace:name`
---@param host string id of the process host
---@param ... any arguments of its `main`
---@return string? pid
---@return errors.Error? err
function spawner:spawn(id, host, ...) end

--- Starts a process and monitors it, as `process.spawn_monitored` does.
---
--- Errors:
--- * as for `process.spawn_monitored`: nothing was started, named or sent
--- * `RATE_LIMITED`: the messages don't fit into the mailbox; retryable
---
--- Permission: those of `process.spawn_monitored`.
---
--- ```lua
--- local pid = process.with_context({ n = 21 }):spawn_monitored("app:child", "app:processes")
--- local event = process.events():receive()
--- print(event.from == pid, event.result) --> true 42
--- -- entry: child
--- return { main = function() return 2 * ctx.get("n") end }
--- ```
---@param id string id of the entry, `namespace:name`
---@param host string id of the process host
---@param ... any arguments of its `main`
---@return string? pid
---@return errors.Error? err
function spawner:spawn_monitored(id, host, ...) end

--- Starts a process and links it, as `process.spawn_linked` does.
---
--- Errors:
--- * as for `process.spawn_linked`: nothing was started, named or sent
--- * `RATE_LIMITED`: the messages don't fit into the mailbox; retryable
---
--- Permission: those of `process.spawn_linked`.
---
--- ```lua
--- process.set_options({ trap_links = true })
--- process.with_context({ why = "no disk" }):spawn_linked("app:child", "app:processes")
--- print(process.events():receive().error) --> no disk
--- -- entry: child
--- return { main = function() error((ctx.get("why")), 0) end }
--- ```
---@param id string id of the entry, `namespace:name`
---@param host string id of the process host
---@param ... any arguments of its `main`
---@return string? pid
---@return errors.Error? err
function spawner:spawn_linked(id, host, ...) end

--- Starts a process, monitors and links it, as `process.spawn_linked_monitored` does.
---
--- Errors:
--- * as for `process.spawn_linked_monitored`: nothing was started, named or sent
--- * `RATE_LIMITED`: the messages don't fit into the mailbox; retryable
---
--- Permission: those of `process.spawn_linked_monitored`.
---
--- ```lua
--- process.with_context({ n = 1 }):spawn_linked_monitored("app:child", "app:processes")
--- print(process.events():receive().result) --> 2
--- -- entry: child
--- return { main = function() return ctx.get("n") + 1 end }
--- ```
---@param id string id of the entry, `namespace:name`
---@param host string id of the process host
---@param ... any arguments of its `main`
---@return string? pid
---@return errors.Error? err
function spawner:spawn_linked_monitored(id, host, ...) end

--- Runs a process and waits for its result, as `process.exec` does. A builder with a name or first messages can't.
---
--- Errors:
--- * as for `process.exec`: the child's own error among them
--- * `INVALID`: the builder has a name or first messages
---
--- Permission: those of `process.exec`.
---
--- ```lua
--- print(process.with_context({ n = 21 }):exec("app:child", "app:processes")) --> 42 nil
--- -- entry: child
--- return { main = function() return 2 * ctx.get("n") end }
--- ```
---@param id string id of the entry, `namespace:name`
---@param host string id of the process host
---@param ... any arguments of its `main`
---@return any result
---@return errors.Error? err
function spawner:exec(id, host, ...) end

--- The same builder: see `process.with_options`.
---
--- ```lua
--- print(process.with_context({}):with_options({}) ~= nil) --> true
--- ```
---@param options table
---@return process.Spawner spawner
---@nodiscard
function spawner:with_options(options) end

return process
