-- What the programs of a storm have in common: whom they know, how they send so that a receiver can check it, and what no
-- script may ever see. A line that begins with VIOLATION ends the storm.
local S = { seq = 0, depth = 0, peers = {}, last = {}, ended = {} }
local me = process.pid()
local pack, unpack = table.pack, table.unpack

local function violation(text) print("VIOLATION " .. me .. ": " .. text) end

-- Nobody may learn of these by an error: they are ours.
local BUGS = { "host bug", "trapped", "corrupt payload", "cannot make an instance", "the guest " }

function S.look(err)
    local ok, text = pcall(tostring, err)
    if not ok or type(text) ~= "string" then return end
    for i = 1, #BUGS do
        if text:find(BUGS[i], 1, true) then violation("saw " .. text:sub(1, 300)) end
    end
end

function S.begin(seq, depth, parent)
    S.seq, S.depth = math.tointeger(seq) or 0, math.tointeger(depth) or 0
    if type(parent) == "string" then S.learn(parent) end
    if process.pid() ~= me then violation("is called " .. process.pid()) end
    -- Some moves upgrade without arguments, which tells nothing.
    local deep = ctx.get("depth")
    if math.tointeger(depth) and deep and deep > S.depth then
        violation(("has the context of somebody else: of depth %s from %s at depth %s"):format(deep, ctx.get("from"), depth))
    end
end

function S.try(f, ...)
    local ok, err = pcall(f, ...)
    if not ok then S.look(err) end
end

function S.learn(pid)
    local peers = S.peers
    peers[#peers % 16 + 1] = pid
end

function S.peer(number) return S.peers[number % math.max(#S.peers, 1) + 1] or me end

-- Messages that tell who sent them, and when: what S.got checks.
function S.stamp(value)
    S.seq = S.seq + 1
    return { s = S.seq, p = me, v = value }
end

function S.send(to, topic, value)
    local ok, err = process.send(to, topic, S.stamp(value))
    if err then S.look(err) end
    return ok
end

function S.got(ch, message)
    local from, topic, value = message:from(), message:topic(), message:payload()
    if type(value) ~= "table" or value.s == nil then return end
    if value.p ~= from then violation("a message of " .. tostring(value.p) .. " is from " .. tostring(from)) end
    local last = S.last[ch]
    if not last then
        last = {}
        S.last[ch] = last
    end
    local key = from .. topic
    if last[key] and last[key] >= value.s then
        violation(("%s after %s from %s on %s"):format(value.s, last[key], from, topic))
    end
    last[key] = value.s
end

local function drain(ch, most, wait)
    for _ = 1, most do
        local got = channel.select { ch:case_receive(), time.after(wait):case_receive() }
        if got.channel ~= ch or not got.ok then return end
        S.got(ch, got.value)
    end
end

-- Receives what comes, for a while. One coroutine at a time: of several that wait, who goes on first isn't promised.
local draining = {}
function S.drain(ch, most, wait)
    if draining[ch] then return end
    draining[ch] = true
    local ok, err = pcall(drain, ch, most, wait)
    draining[ch] = nil
    if not ok then error(err, 0) end
end

function S.event(event)
    if event.error then S.look(event.error) end
    if event.kind ~= process.event.EXIT then return end
    if S.ended[event.from] then violation("was told twice of the end of " .. event.from) end
    S.ended[event.from] = true
    local ok, err = process.send(event.from, "t0", 1)
    if ok or err:kind() ~= errors.NOT_FOUND then violation("reached " .. event.from .. " after its end: " .. tostring(err)) end
end

function S.events(most, wait)
    local ch = process.events()
    for _ = 1, most do
        local got = channel.select { ch:case_receive(), time.after(wait):case_receive() }
        if got.channel ~= ch or not got.ok then return end
        S.event(got.value)
    end
end

function S.spawn(how, id, host, ...)
    if S.depth > 8 then return end
    local pid, err = process[how](id, host, 0, S.depth + 1, me, ...)
    if err then return S.look(err) end
    S.learn(pid)
    return pid
end

-- A builder with everything; with `name`, the messages may reach somebody else.
function S.spawner(name, actor, scope)
    local spawner = process.with_context({ depth = S.depth + 1, from = me })
    if name then spawner = spawner:with_name(name) end
    if actor then spawner = spawner:with_actor(security.new_actor(actor, { role = "r", list = { 1, 2 } })) end
    if scope then spawner = spawner:with_scope(scope) end
    return spawner
end

function S.build(spawner, how, id, host)
    if S.depth > 8 then return end
    spawner = spawner:with_message("t0", S.stamp(1)):with_message("t1", S.stamp(2))
    local pid, err = spawner[how](spawner, id, host, 0, S.depth + 1, me)
    if err then return S.look(err) end
    S.learn(pid)
end

-- Values that are hard to take.
function S.deep(n)
    local t = { "end" }
    for _ = 1, n do t = { t } end
    return t
end

function S.cycle(n)
    local all = {}
    for i = 1, n do all[i] = { all[i - 1], all } end
    return all
end

function S.wide(n, prefix)
    local t = {}
    for i = 1, n do t[prefix .. i] = i end
    return t
end

function S.empty(n)
    local t = {}
    for i = 1, n do t[i] = {} end
    return t
end

function S.collide(n)
    local t = {}
    for i = 1, n do t[i * 65535] = i end
    return t
end

-- A stream of its own: what a program does follows from its text.
local function stream(seed)
    local state = seed
    return function(n)
        state = (state * 6364136223846793005 + 1442695040888963407)
        return (state >> 33) % n + 1
    end
end

local function sorted(t)
    local names = {}
    for name, value in pairs(t) do
        if type(value) == "function" then names[#names + 1] = name end
    end
    table.sort(names)
    return names
end

local MODULES = { process, process.registry, channel, time, errors, ctx, security, json, string, table, math, utf8, coroutine, os }
if fs then MODULES[#MODULES + 1] = fs end
if env then MODULES[#MODULES + 1] = env end
local NAMES = {}
for i, module in ipairs(MODULES) do NAMES[i] = sorted(module) end

local METHODS = {
    "send", "receive", "close", "case_send", "case_receive", "stop", "reset", "channel", "response", "add", "sub", "after",
    "before", "equal", "unix", "unix_nano", "format", "year", "weekday", "in_location", "utc", "round", "truncate", "nanoseconds",
    "seconds", "kind", "message", "retryable", "details", "stack", "with_context", "with_actor", "with_scope", "with_name",
    "with_message", "spawn", "spawn_monitored", "spawn_linked", "exec", "topic", "from", "payload", "id", "meta", "policies",
    "contains", "with", "without", "info", "error",
}

local function raises() error("from a metamethod") end

local function odd(draw)
    local made = {
        function() return nil end, function() return draw(2) == 1 end, function() return draw(300) - 150 end,
        function() return 2 ^ draw(70) end, function() return math.mininteger end, function() return math.maxinteger end,
        function() return 0 / 0 end, function() return -1 / 0 end, function() return "" end, function() return ("x"):rep(draw(400)) end,
        function() return ("\xff\0"):rep(draw(20)) end, function() return "{app:h0|0x0000" .. draw(9) .. "}" end,
        function() return "n" .. draw(8) end, function() return "t" .. draw(6) end, function() return "app:p" .. draw(12) end,
        function() return "app:h" .. draw(4) - 1 end, function() return {} end, function() return { 1, "two", { 3 } } end,
        function() return S.cycle(draw(5)) end, function() return S.deep(draw(120)) end, function() return print end,
        function() return raises end, function() return coroutine.create(raises) end, function() return channel.new(draw(3) - 1) end,
        function() return time.now() end, function() return time.SECOND end, function() return time.timer("1h") end,
        function() return errors.new { message = "m", kind = errors.TIMEOUT, details = { a = 1 } } end,
        function() return json.null end, function() return process.inbox() end, function() return process.events() end,
        function() return me end, function() return "1ms" end, function() return "data/a" .. draw(5) end,
        function() return process.with_context({}) end, function() return security.new_scope({}) end,
        function() return channel.new(1):case_receive() end, function() return logger:with({ a = 1 }) end,
        function()
            return setmetatable({}, {
                __index = raises, __len = raises, __tostring = raises, __call = raises, __pairs = raises, __eq = raises,
                __close = raises, __gc = raises, __lt = raises, __concat = raises, __name = ("n"):rep(draw(300)), __mode = "kv",
            })
        end,
    }
    return made[draw(#made)]()
end

-- Calls functions and methods with whatever there is.
function S.fuzz(seed, times)
    local draw = stream(seed)
    for _ = 1, times do
        local f, arguments
        if draw(3) == 1 then
            local object = odd(draw)
            local ok, method = pcall(function() return object[METHODS[draw(#METHODS)]] end)
            f, arguments = ok and method, { object }
        else
            local module = draw(#MODULES)
            f, arguments = MODULES[module][NAMES[module][draw(#NAMES[module])]], {}
        end
        local count = #arguments + draw(5) - 1
        for i = #arguments + 1, count do arguments[i] = odd(draw) end
        local result = pack(pcall(f, unpack(arguments, 1, count)))
        for i = 1, result.n do S.look(result[i]) end
    end
end

return S
