local function main(parent)
  -- No policy allows these.
  local ok, err = process.terminate(parent)
  print("terminate:", ok, err:kind())
  ok, err = process.registry.register("admin")
  print("register admin:", ok, err)

  print("register plugin.one:", process.registry.register("plugin.one"))
  process.send(parent, "result", "hello from " .. security.actor():id())
  return "well"
end

return { main = main }
