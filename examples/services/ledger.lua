-- Keeps what must outlive a failure of others: each process has its own memory, and a service that comes back has a
-- new one.
local function main()
  process.registry.register("ledger")
  local attempts = process.listen("attempt", { message = true })
  local done = process.listen("done")
  local events = process.events()
  print("ledger: ready")

  -- The first wait: from here on the service counts as started, and what depends on it can start.
  local count = 0
  while true do
    local got = channel.select { attempts:case_receive(), done:case_receive(), events:case_receive() }
    if got.channel == attempts then
      count = count + 1
      process.send(got.value:from(), "number", count)
    elseif got.channel == done then
      print("ledger: the import is done after " .. count .. " attempts")
      return
    elseif got.value.kind == process.event.CANCEL then
      print("ledger: asked to stop")
      return
    end
  end
end

return { main = main }
