-- Keeps everything that it has ever seen.
local seen = {}

local function price(order)
  while true do
    seen[#seen + 1] = ("tea"):rep(30000) .. #seen
  end
end

return { price = price }
