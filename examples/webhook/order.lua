-- One request, one process: `main` gets the request and returns the answer.
local function main(request)
  local order, err = json.decode(request.body)
  if err then
    return { status = 400, body = "the body is no JSON\n" }
  end
  if type(order) ~= "table" or math.type(order.count) ~= "integer" then
    return { status = 400, body = "`count` must be an integer\n" }
  end
  local item = request.params.item
  local total, failed = process.call("ledger", "add", item, order.count)
  if failed then
    -- What a script can't do is a 503 of its own, or an error: then the log has it, and the client gets 502.
    return { status = 503, body = "try again\n" }
  end
  return {
    status = 201,
    headers = { ["content-type"] = "application/json" },
    body = json.encode({ item = item, count = order.count, total = total }),
  }
end

return { main = main }
