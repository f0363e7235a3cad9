-- Run by `lunarium test`: each case in a process of its own, by a clock that stands still.
local test = require("test")

test.case("a worker greets whoever it is told to", function()
  local results = process.listen("result")
  local worker = test.spawn("NAMESPACE:worker")
  worker:send("task", "Ada")
  test.eq(results:receive(), "hello, Ada")
  worker:cancel()
  test.eq(worker:wait(), nil)
end)
