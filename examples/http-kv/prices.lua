-- Prices from a server, which is asked once an hour for each.
local http = require("http")
local kv = require("kv")

local SERVER = "http://localhost:8642/prices/"

local prices = {}

-- What one of a thing costs, in cents, and who said so; or nil and why not.
function prices.of(item)
  local known = kv.get("prices/" .. item)
  if known then
    return known, "the store"
  end

  -- Only this coroutine waits. A status of 404 is an answer; an error is when there is none.
  local answer, err = http.get(SERVER .. item .. ".json", { timeout = "5s" })
  if not answer then
    return nil, err
  elseif answer.status ~= 200 then
    return nil, "the server answers " .. answer.status
  end
  local price, malformed = json.decode(answer.body)
  if not price then
    return nil, malformed
  end

  kv.set("prices/" .. item, price.cents, { ttl = "1h" })
  return price.cents, "the server"
end

return prices
