return { main = function()
  local n = 0
  local co = coroutine.wrap(function() while true do coroutine.yield(1) end end)
  for _ = 1, 400000 do n = n + co() end
  return n
end }
