local test = require("test")

test.case("counts attempts, and ends when the work is done", function()
  local numbers = process.listen("number")
  local ledger = test.spawn("app.shop:ledger_process")
  test.settle()
  for wanted = 1, 3 do
    process.send("ledger", "attempt")
    test.eq(numbers:receive(), wanted)
  end
  process.send("ledger", "done")
  ledger:wait()
  test.same(ledger:output(), { "ledger: ready", "ledger: the import is done after 3 attempts" })
end)

test.case("ends when it is asked to", function()
  local ledger = test.spawn("app.shop:ledger_process")
  test.settle()
  ledger:cancel("1s")
  test.eq(ledger:wait(), nil)
  test.contains(ledger:output(), "ledger: asked to stop")
end)
