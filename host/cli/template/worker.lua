-- Answers tasks until it is asked to end.

local function main()
  -- With `message`, a message's sender is there too.
  local tasks = process.listen("task", { message = true })
  local events = process.events()

  while true do
    local next = channel.select { events:case_receive(), tasks:case_receive() }
    if next.channel == events then
      return -- the only event that can come here is CANCEL
    end
    local task = next.value
    process.send(task:from(), "result", "hello, " .. task:payload())
  end
end

return { main = main }
