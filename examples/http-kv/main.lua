local http = require("http")
local kv = require("kv")
local prices = require("prices")

local function order(item, count)
  local cents, source = prices.of(item)
  if not cents then
    return print("no order of " .. item .. ": " .. tostring(source))
  end

  -- No number is given twice, whoever else counts, and whenever it all stops.
  local number = assert(kv.increment("orders/last"))
  -- What `set` has answered is on the disk.
  assert(kv.set(("orders/no/%06d"):format(number), { item = item, count = count, cents = count * cents }))
  print(("order %d: %d of %s, %d cents, says %s"):format(number, count, item, count * cents, source))
end

local function main()
  order("tea", 2)
  order("cup", 1)
  order("gold", 1)

  local sum, after = 0, nil
  repeat
    local page, err, next = kv.list("orders/no/", { after = after })
    for _, entry in ipairs(assert(page, err)) do
      sum = sum + entry.value.cents
    end
    after = next
  until not after
  print(("%d orders, %d cents"):format((kv.get("orders/last")), sum))

  print(http.get("http://localhost:8642/private.txt"))
  print(kv.get("passwords/ada"))
end

return { main = main }
