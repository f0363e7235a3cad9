---@meta channel

--- Channels between the coroutines of one process, as in Go. A channel hands values over by reference, within the process
--- only: it can't be sent to another process. Those who wait are served first come, first served.
---
--- The runtime's own channels (of `listen`, `inbox`, `events`, `time.after`, timers) can be received from, not sent to or
--- closed: that raises "send on a receive-only channel", or "close of a receive-only channel".
---@class channellib
channel = {}

--- Makes a channel. Without a size, a sender waits until somebody receives; with one, that many values wait in the channel
--- first.
---
--- Errors:
--- * `INVALID`: the size is negative
---
--- ```lua
--- local ch = channel.new(1)
--- ch:send("kept until somebody receives it")
--- print(ch:receive()) --> kept until somebody receives it true
--- ```
---@param size? integer how many values it holds; 0 by default
---@return channel<any>? ch
---@return errors.Error? err
---@nodiscard
function channel.new(size) end

--- Waits until one of several cases can be done, does it, and says which. With `default = true` it doesn't wait. A closed channel is ready to
--- receive. Without cases and default it waits for ever.
---
--- **The order of the list is the priority**: of several cases that are ready the first is done, always, so that a run can be replayed. In a
--- loop, a channel that is never empty keeps all that are listed behind it from ever being looked at. Where each should get its
--- turn, write `fair = true`: then it is the one whose channel this coroutine has chosen least recently.
---
--- Raises "send on closed channel" for a send case on a closed channel, and "bad argument" for what isn't a case. Raises
--- [where one can't wait](coroutine.md), unless it needn't.
---
--- ```lua
--- local data, timeout = channel.new(1), time.after("1h")
--- data:send("first")
--- local got = channel.select({ data:case_receive(), timeout:case_receive() })
--- print(got.channel == data, got.value, got.ok) --> true first true
---
--- local none = channel.select({ data:case_receive(), default = true })
--- print(none.default, none.channel, none.ok) --> true nil true
---
--- data:close()
--- local closed = channel.select({ data:case_receive() })
--- print(closed.value, closed.ok) --> nil false
--- ```
---@param cases channel.Cases a list of cases, and `default`
---@return channel.Selected selected
function channel.select(cases) end

--- What `channel.select` takes: a list of cases.
---@class channel.Cases
---@field [integer] channel.Case in the order of their priority
---@field default? boolean don't wait
---@field fair? boolean of those that are ready, the channel that this coroutine has chosen least recently by a fair `select`; else the first
local cases = {}

--- What `channel.select` did.
---@class channel.Selected
---@field channel channel<any>? the case's channel; nil for the default
---@field value any what was received, or what was sent
---@field ok boolean false when the channel is closed and drained
---@field default true? nothing was ready
local selected = {}

--- A case for `channel.select`. It may be used again and again.
---@class channel.Case
local case = {}

--- A channel of values of type `T`.
---@class channel<T>
local ch = {}

--- Sends a value: hands it to who waits, puts it into the channel, or waits for a receiver. `nil` can be sent.
---
--- Raises "send on closed channel", also when the channel is closed while it waits.
---
--- ```lua
--- local ch = channel.new()
--- coroutine.spawn(function()
---   print(ch:send("hello"))
--- end)
--- print(ch:receive())
--- --> hello true
--- time.sleep(0)
--- --> true
--- ```
---@param value T
---@return true sent
function ch:send(value) end

--- Receives a value: waits until there is one. When the channel is closed and drained, `nil` and `false`, at once.
---
--- A message whose value takes [more memory than there is](../messages.md#more-than-the-memory) raises an error of kind
--- `RESOURCE_EXHAUSTED`; in `channel.select`, too.
---
--- ```lua
--- local ch = channel.new(2)
--- ch:send(nil)
--- ch:close()
--- print(ch:receive()) --> nil true
--- print(ch:receive()) --> nil false
--- ```
---@return T? value
---@return boolean ok `false` when the channel is closed and drained
function ch:receive() end

--- Closes the channel: what it holds can still be received, then receivers get `nil, false`. Senders that wait get an
--- error raised. Closing twice is fine.
---
--- ```lua
--- local ch = channel.new()
--- coroutine.spawn(function()
---   print(pcall(ch.send, ch, "nobody receives this"))
--- end)
--- ch:close()
--- ch:close()
--- time.sleep(0)
--- --> false send on closed channel
--- ```
function ch:close() end

--- A case that receives, for `channel.select`.
---
--- ```lua
--- local a, b = channel.new(1), channel.new(1)
--- b:send("from b")
--- print(channel.select({ a:case_receive(), b:case_receive() }).value) --> from b
--- ```
---@return channel.Case case
---@nodiscard
function ch:case_receive() end

--- A case that sends a value, for `channel.select`. The selected `value` is what was sent.
---
--- ```lua
--- local ch = channel.new(1)
--- print(channel.select({ ch:case_send("hello") }).value) --> hello
--- print(channel.select({ ch:case_send("full"), default = true }).default) --> true
--- ```
---@param value T
---@return channel.Case case
---@nodiscard
function ch:case_send(value) end

return channel
