-- Starts processes with more than arguments: context values, a name, first messages, somebody to act for.
local host = "app:processes"

local function main()
  local events = process.events()

  -- Context values reach the child and whatever it starts. A builder never changes: each method gives a new one.
  local english = process.with_context({ user = "Ada", language = "en" })
  local french = english:with_context({ language = "fr" })
  for _, spawner in ipairs({ english, french }) do
    assert(spawner:spawn_monitored("app.test.spawner:greeter", host))
    print("greeter:", events:receive().result)
  end

  -- One counter, however often it is started: while the name is taken, its holder gets the messages. They come before
  -- all others, so nothing has to be said about when the child listens.
  local counter = process.with_context({}):with_name("counter"):with_message("add", 20)
  local first = assert(counter:spawn_monitored("app.test.spawner:counter", host))
  local second = assert(counter:with_message("add", 2):with_message("stop"):spawn_monitored("app.test.spawner:counter", host))
  print("one counter:", first == second)
  print("total:", events:receive().result)

  -- Acts for somebody, and may do what the policies of a group allow: no more than that.
  local guest = process.with_context({})
    :with_actor(security.new_actor("guest:ada"))
    :with_scope(security.named_scope("app.test.spawner:guests"))
  assert(guest:spawn_monitored("app.test.spawner:visitor", host, process.pid()))
  print("visitor:", events:receive().result)
end

return { main = main }
