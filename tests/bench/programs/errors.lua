return { main = function()
  local n = 0
  local function fail(v) error(v, 0) end
  for i = 1, 100000 do local _, v = pcall(fail, i) n = n + v end
  return n
end }
