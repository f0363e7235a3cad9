return { main = function()
  local text = ("the quick brown fox jumps over 12 lazy dogs; key=value "):rep(400)
  local n = 0
  for _ = 1, 10 do
    for w in text:gmatch("%a+") do n = n + #w end
    n = n + #text:gsub("(%w+)=(%w+)", "%2=%1")
    n = n + select(2, text:gsub("%d+", function(d) return d + 1 end))
    n = n + (text:find("nothing here", 1, true) or 0)
  end
  return n
end }
