-- Takes an order twice a second, until it is asked to end.
local function main()
  local currency = env.get("CURRENCY")
  assert(env.get("PASSWORD") == "open sesame")
  local events, ticks, taken = process.events(), time.ticker("500ms"), 0
  while true do
    local what = channel.select { events:case_receive(), ticks:channel():case_receive() }
    if what.channel == events then
      print(("closes after %d orders"):format(taken))
      return
    end
    taken = taken + 1
    print(("order %d: 12.50 %s"):format(taken, currency))
  end
end

return { main = main }
