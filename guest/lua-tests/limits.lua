-- What builds up over many yields: counters of C calls, stacks, garbage. Runs on stock Lua and on the patched one alike.
-- The argument divides the number of rounds, for slow builds.

local resume, yield, wrap, create = coroutine.resume, coroutine.yield, coroutine.wrap, coroutine.create
local slowness = tonumber((...)) or 1
local rounds = 1000000 // slowness

-- A million yields of each kind leave the counters of C calls as they were.
do
  local function counters(kind)
    local co = wrap(function()
      local calls, nny = ccalls()
      while true do
        kind()
        local now, now_nny = ccalls()
        assert(now == calls and now_nny == nny, "leaked")
      end
    end)
    local calls, nny = ccalls()
    for _ = 1, rounds // 8 do co() end
    local now, now_nny = ccalls()
    assert(now == calls and now_nny == nny, "leaked in the resumer")
  end
  counters(yield)
  counters(function() return yield(1, 2, 3) end)
  counters(function(...) return yield(...) end)
  counters(function() return yields(3) end)
  counters(function() pcall(yield) end)
  counters(function() pcall(function() yield() error("x") end) end)
  counters(function() for _ in yield, nil, nil do break end end)
  counters(function() callyield(tostring, 1) end)
end

-- Yields in a deep stack of Lua calls come back to every level.
do
  local function deep(n) if n == 0 then return yield("bottom") end return 1 + deep(n - 1) end
  local n = 10000 // slowness
  local co = wrap(deep)
  assert(co(n) == "bottom" and co(0) == n)
  co = wrap(function(...) return pcall(deep, ...) end)
  assert(co(n) == "bottom")
  assert(select(2, co(5)) == n + 5)
end

-- C stack overflow is found at the same depth before and after yields, and the coroutine survives it.
do
  local function depth()
    local reached = 0
    local function down() reached = reached + 1 return nocallk(down) end
    local ok, message = pcall(down)
    assert(not ok and tostring(message):find("C stack overflow"), message)
    return reached
  end
  local co = wrap(function() while true do yield(depth()) end end)
  local first = co()
  assert(first > 100 and first < 200, first)
  for _ = 1, 20 do assert(co() == first) end
  for _ = 1, rounds // 100 do wrap(yield)() end
  assert(co() == first)

  local function nest(n)
    local ok, result = resume(create(nest), n + 1)
    return ok and result or n
  end
  local nested = nest(0)
  assert(nested > 50 and nested < 200, nested)
  co = wrap(function() while true do yield(nest(0)) end end)
  local inside = co()
  for _ = 1, 20 do assert(co() == inside) end
  print("C levels " .. first .. ", nested coroutines " .. nested .. ", within one " .. inside)
end

-- Stack overflow of Lua calls after yields, caught, and again. (Quadratic where each check moves the whole stack.)
if slowness == 1 then
  local function loop() return 1 + loop() end
  local co = wrap(function()
    while true do
      local ok, message = pcall(loop)
      assert(not ok and tostring(message):find("stack overflow"))
      yield(1)
      pcall(function() yield(2) loop() end)
      yield(3)
    end
  end)
  for _ = 1, math.max(rounds // 100000, 2) do assert(co() == 1) assert(co() == 2) assert(co() == 3) end
end

-- Garbage while everything is suspended: many coroutines, left, finished, failed, closed; both collectors.
for _, mode in ipairs { "incremental", "generational" } do
  collectgarbage(mode)
  local alive = {}
  for i = 1, rounds // 50 do
    local box = { i }
    local co = create(function(...)
      local up = { ... }
      local function keep() up[#up + 1] = box[1] return #up end
      local a = yield(keep)
      local ok = pcall(function() yield({ a }) error({ a }) end)
      return (function(...) return yield(...) end)(ok, keep(), {}, tostring(i))
    end)
    local _, keep = resume(co, {}, i, tostring(i))
    assert(keep() == 4 and keep() == 5)
    if i % 3 > 0 then
      local _, t = resume(co, i)
      assert(t[1] == i)
      local _, ok, n, _, text = resume(co)
      assert(ok == false and n == 6 and text == tostring(i))
      if i % 3 == 1 then assert(select("#", resume(co, 1, 2)) == 3) end
    end
    alive[i % 100] = co
    if i % 7 == 0 then collectgarbage("step", i % 3) end
    if i % 500 == 0 then collectgarbage() end
    if i % 11 == 0 then coroutine.close(co) end
  end
end
collectgarbage("incremental")
collectgarbage()

print("limits.lua: ok")
