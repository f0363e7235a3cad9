return { main = function()
  local t = {}
  for i = 1, 500000 do t[i] = i end
  local m, sum = {}, 0
  for i = 1, 100000 do m["k" .. i % 1000] = i end
  for _, v in ipairs(t) do sum = sum + v end
  for _, v in pairs(m) do sum = sum + v end
  return sum
end }
