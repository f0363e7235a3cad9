return { main = function()
  local parts = {}
  for i = 1, 100000 do parts[#parts + 1] = tostring(i) .. ":" .. i * 0.5 end
  local s = table.concat(parts, ",")
  return #s + #s:upper() + #s:rep(2)
end }
