return { main = function()
  local n = 0
  local function check(v) return assert(v < 0, v) end
  for i = 1, 100000 do local _, v = pcall(check, i) n = n + v end
  return n
end }
