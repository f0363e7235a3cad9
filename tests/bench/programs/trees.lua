local function tree(depth)
  if depth == 0 then return {} end
  return { tree(depth - 1), tree(depth - 1) }
end
local function count(t) return t[1] and 1 + count(t[1]) + count(t[2]) or 1 end
return { main = function()
  local sum = 0
  for _ = 1, 16 do sum = sum + count(tree(12)) end
  return sum
end }
