-- Random programs of nested coroutines that yield, fail and close in every way; prints a trace. `run` compares the
-- traces of the stock and of the patched build. Arguments: first seed, number of programs.

local first, count = tonumber((...)) or 1, tonumber((select(2, ...))) or 300
local yield, wrap, create, resume = coroutine.yield, coroutine.wrap, coroutine.create, coroutine.resume

local random, trace, steps
local finalizing = false

local function note(...)
  local out = table.pack(...)
  for i = 1, out.n do
    local v = out[i]
    out[i] = type(v) == "table" and "table" or type(v) == "function" and "function" or (tostring(v):gsub("0x%x+", "0x"))
  end
  trace[#trace + 1] = table.concat(out, " ")
end

local act  -- act(depth): does something random and returns some values

local function values()
  local t = {}
  for i = 1, random(0, 4) do t[i] = random(0, 99) end
  return table.unpack(t)
end

local function closing(depth)
  return setmetatable({}, { __close = function(_, e)
    note("close", e ~= nil)
    if random(1, 3) == 1 then act(depth - 1) end
    if random(1, 6) == 1 then error("closing", 0) end
  end })
end

local object = setmetatable({}, {
  __add = function() return (yield("add")) end,
  __index = function(_, k) return (yield("index", k)) end,
  __lt = function() return yield("lt") end,
  __concat = function() return math.type((yield("concat"))) or "other" end,
  __call = function(_, ...) return yield(...) end,
  __len = function() return (yields(2)) end,
})

-- After an error within, stock Lua goes on by a continuation, which is told LUA_YIELD (1) instead of LUA_OK; but not when that was
-- caught without a throw.
local function ended(status, ...) return status == 1 and 0 or status, ... end

local actions = {
  function() return yield(values()) end,
  function() yield(values()) return values() end,
  function() local a, b = yield(values()) return b, a end,
  function(d) return (function(...) return yield(...) end)(act(d)) end,
  function(d) return (function(_, ...) local up = { ... } note(#up) return yield(table.unpack(up)) end)(act(d)) end,
  function() return yields(random(0, 3)) end,
  function(d) return ended(callk(act, d)) end,
  function(d) return ended(pcallk(act, d)) end,
  function(d) return callyield(act, d) end,
  function(d) return pcall(act, d) end,
  function(d) return pcall(nocallk, act, d) end,
  function(d) return xpcall(act, function(m) return type(m) == "string" and m or type(m) end, d) end,
  function(d) act(d) error("err" .. random(1, 9), 0) end,
  function(d) act(d) error({ "object" }) end,
  function(d) local x <close> = closing(d) return act(d) end,
  function(d) do local x <close> = closing(d) act(d) end return act(d) end,
  function(d) local x <close> = closing(d) act(d) error("tbc", 0) end,
  function(d) return tbcyield(closing(d)) end,
  function() return object + 1 end,
  function() return object.x end,
  function() return object < 1, 1 end,
  function() return "a" .. object .. "b" end,
  function() return object(values()) end,
  function() return #object end,
  function(d) for _ in act, d, nil do if random(1, 2) == 1 then break end end return values() end,
  function(d) return act(d), act(d), act(d) end,
  function(d)
    local co = create(act)
    local out = {}
    for _ = 1, random(1, 6) do out[#out + 1] = tostring(resume(co, d)) end
    note("inner", table.concat(out, "/"), coroutine.status(co))
    if random(1, 2) == 1 then note("closed", pcall(coroutine.close, co)) end
    return #out
  end,
  function(d)
    local f = wrap(act)
    for _ = 1, random(1, 4) do note("wrap", pcall(f, d)) end
    return f
  end,
  function() collectgarbage("step", 1) return values() end,
  function(d) note("counters", (select(2, ccalls()))) return act(d) end,
  function(d) act(d) local none; return none.field end,
  function(d) act(d) local none; none[values() or 1] = 1 end,
  function(d) act(d) local none; return none(act(d)) end,
  function(d) return act(d) + {} end,
  function(d) return "a" .. (act(d) or {}) .. {} end,
  function(d) return 1 < {} or act(d) end,
  function(d) assert(nil, act(d)) end,
  function(d) assert(act(d)) return d end,
  function(d) return error(act(d)) end,
  function(d) return pcallc(act, d) end,
  function(d) return pcall(pcall, error, act(d)) end,
  function(d) return xpcall(act, function(m) return error(m, 0) end, d) end,
  function(d) return xpcall(act, function(m) return (debug.traceback(tostring(m)):gsub("0x%x+", "0x")) end, d) end,
  function(d) return xpcall(act, function(m) local x <close> = closing(d) return m end, d) end,
  function(d) return pcall(table.sort, { 1, 2, 3 }, function() return act(d) end) end,
  function(d) return (string.gsub("ab", ".", function() return tostring((select(2, pcall(act, d)))) end)) end,
  function(d)
    if finalizing then return values() end
    setmetatable({}, { __gc = function() finalizing = true act(d) end })
    collectgarbage()  -- does nothing in a finalizer, where it would leave this one for later
    finalizing = false
    return (warnings():gsub("0x%x+", "0x"))
  end,
  function(d) local t = setmetatable({}, { __index = function(_, k) return act(k) end }) return t[d] end,
  function(d) for _ in throwing, act(d) do end end,
  function(d) return wrap(function(...) local x <close> = closing(d) error(...) end)(act(d)) end,
}

function act(depth)
  steps = steps + 1
  if type(depth) ~= "number" or depth <= 0 or steps > 1000 then return yield("leaf") end
  return actions[random(1, #actions)](depth - 1)
end

local sum = 0
for seed = first, first + count - 1 do
  math.randomseed(seed)
  random, trace, steps = math.random, {}, 0
  local co = create(function(depth)
    for _ = 1, 20 do
      note("top", pcall(act, depth))
      note("counters", ccalls())
    end
    return act(depth)
  end)
  for _ = 1, 400 do
    note("resume", resume(co, random(1, 8)))
    if coroutine.status(co) == "dead" then break end
  end
  note("close", coroutine.close(co))
  -- Outside of coroutines, where each yield fails and each protected call has its own place to throw to.
  for _ = 1, 5 do note("main", pcall(act, random(1, 8))) end
  note("counters", ccalls())
  local text = table.concat(trace, "\n")
  for i = 1, #text do sum = (sum * 31 + text:byte(i)) & 0xffffffffffff end
  print(seed, #trace, steps, sum)
  if os.getenv("TRACE") then print(text) end
end
