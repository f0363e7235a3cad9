-- Starts a worker, gives it a task, and prints what it answers.

local function main(name)
  -- Messages of one topic, and what happens to processes that are watched.
  local results = process.listen("result")
  local events = process.events()

  -- The worker shares nothing with this process. Its end, whatever the reason, is an event here and not an error.
  local worker, err = process.spawn_monitored("NAMESPACE:worker", "NAMESPACE:processes")
  if not worker then
    return false, "no worker: " .. err
  end
  process.send(worker, "task", name or "world")

  -- Whichever comes first.
  local first = channel.select { results:case_receive(), events:case_receive() }
  if first.channel == events then
    return false, "the worker has ended: " .. tostring(first.value.error or first.value.result)
  end
  print(first.value)

  -- Asks the worker to end, and waits until it has.
  process.cancel(worker)
  events:receive()
end

return { main = main }
