-- Where recursion ends, by calls and by bytes. For the patched Lua only. The argument divides sizes, for slow builds.

local slowness = tonumber((...)) or 1
local calls, bytes = 200000 // slowness, 8 * 1024 * 1024 // slowness

local function overflows(f, ...)
  local ok, message = pcall(f, ...)
  assert(not ok and tostring(message):find("stack overflow", 1, true), message)
  assert(not message:find("C stack", 1, true), message)
end

local depth
local function down() depth = depth + 1 return 1 + down() end
local function wide(...) depth = depth + 1 return 1 + wide(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...) end
local function depth_of(f) depth = 0 overflows(f) return depth end

-- By calls: exactly as many, again and again, in every coroutine.
limitstack(calls, 1 << 40)
local first = depth_of(down)
assert(first > calls - 20 and first < calls, first)
for _ = 1, 5 do assert(depth_of(down) == first) end
assert(math.abs(coroutine.wrap(depth_of)(down) - first) < 20)

-- What recursion without end holds is let go of afterwards.
collectgarbage() collectgarbage()
local _, held = stacksizes()
assert(held < calls // 2, held)

-- By bytes, whatever the frames are like; what is used is near the limit.
limitstack(1 << 30, bytes)
local used
local function measured(...) used = math.max(used, select(3, stacksizes())) return 1 + measured(...) end
for _, f in ipairs { down, wide, function() return measured() end, function() return measured(table.unpack({}, 1, 100)) end } do
  used = 0
  overflows(f)
  assert(used == 0 or used > bytes * 0.9 and used <= bytes + 65536, used)
end
local narrow = depth_of(down)
assert(narrow > bytes // 200, narrow)
assert(depth_of(wide) < narrow // 2)

-- Small frames first, wide ones then, and the other way round.
local function mixed(n) if n == 0 then return wide() end return 1 + mixed(n - 1) end
for part = 1, 9 do overflows(mixed, narrow * part // 10) end
local function narrowing(n, ...) if n == 0 then return down() end return 1 + narrowing(n - 1, ...) end
overflows(narrowing, 50, table.unpack({}, 1, 100))

-- The handler has room; one that overflows, too, ends.
limitstack(calls, bytes)
local ok, message = xpcall(down, function(m) return "handled " .. select("#", table.unpack({}, 1, 50)) .. m end)
assert(not ok and message:find("^handled 50"), message)
ok, message = xpcall(down, debug.traceback)
assert(not ok and message:find("stack overflow") and message:find("traceback"), message)
ok, message = xpcall(down, function(m) return down() end)
assert(not ok and tostring(message):find("stack overflow") or tostring(message):find("error"), message)
depth = 0
overflows(down)

-- Caught where there is hardly room, and again from there.
limitstack(calls, 1 << 40)
local function near(n)
  if n > 0 then return 1 + near(n - 1) end
  for _ = 1, 2 do overflows(down) end
  return 0
end
for below = 1, 400, 57 do pcall(near, first - below) end
assert(select(2, pcall(near, first // 2)) == first // 2)
limitstack(calls, bytes)

-- Metamethods, pcalls and library functions nest on the C stack, which ends first.
local index = setmetatable({}, { __index = function(t, k) return t[k + 1] end })
ok, message = pcall(function() return index[1] end)
assert(not ok and message:find("stack overflow"), message)
local function protected() return pcall(protected) end
protected()
local function replaced(s) return (s:gsub(".", replaced)) end
assert(not pcall(replaced, "x"))

-- A coroutine that overflowed is dead, and closing it runs what is to be closed.
local closed = false
local co = coroutine.create(function()
  local guard <close> = setmetatable({}, { __close = function() closed = true end })
  down()
end)
ok, message = coroutine.resume(co)
assert(not ok and message:find("stack overflow"), message)
assert(coroutine.status(co) == "dead" and not coroutine.close(co) and closed)

-- What a library function needs beyond the limit is refused as before.
ok, message = pcall(table.unpack, {}, 1, bytes // 8)
assert(not ok and message:find("too many results"), message)
overflows(down)

print("overflow.lua: ok")
