-- The cost of a coroutine switch, in milliseconds of CPU time for 200,000 of them.

local function time(name, f)
  local start = os.clock()
  f()
  return ("%s %.1f ms"):format(name, (os.clock() - start) * 1000)
end

local n = 200000
print(time("wrap", function()
  local co = coroutine.wrap(function() while true do coroutine.yield(1) end end)
  for _ = 1, n do co() end
end) .. ", " .. time("resume", function()
  local co = coroutine.create(function() while true do coroutine.yield(1) end end)
  for _ = 1, n do coroutine.resume(co) end
end) .. ", " .. time("in pcall", function()
  local co = coroutine.wrap(function() while true do pcall(coroutine.yield, 1) end end)
  for _ = 1, n do co() end
end) .. ", " .. time("calls of C", function()
  local f = math.abs
  for _ = 1, n * 20 do f(1) end
end))
