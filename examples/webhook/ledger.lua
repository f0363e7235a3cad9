-- A service: it keeps the sums, and serves calls, of processes and of requests alike.
local sums = {}

local function main()
  process.registry.register("ledger")
  process.events():receive()
  print("stopped")
end

local function add(item, count)
  sums[item] = (sums[item] or 0) + count
  print("ordered", item, sums[item])
  return sums[item]
end

-- Of an endpoint: it gets the request, and what it returns is the answer.
local function total(request)
  local sum = sums[request.params.item]
  if not sum then
    return { status = 404, body = "nobody has ordered that\n" }
  end
  return { body = sum .. "\n" }
end

return { main = main, add = add, total = total }
