local function main()
  print("acting as", security.actor():id(), security.actor():meta().role)

  -- Denied by a policy, although another allows every spawn.
  print(process.spawn("app.test.process:vault", "app.test.process:processes"))

  -- A child has its parent's actor and scope.
  local results = process.listen("result")
  assert(process.spawn_monitored("app.test.process:plugin", "app.test.process:processes", process.pid()))
  print("the plugin says", (results:receive()))
  print("the plugin ended:", process.events():receive().result)

  -- Questions of the application's own.
  print("refund 80:", security.can("order.refund", "order-7", { amount = 80 }))
  print("refund 800:", security.can("order.refund", "order-7", { amount = 800 }))
end

return { main = main }
