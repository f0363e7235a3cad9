-- Has a story written each second, by a process of its own, until it is asked to end.
local function main()
  local events, number = process.events(), 0
  repeat
    number = number + 1
    print((assert(process.exec("news:writer", "news:processes", number))))
    local what = channel.select { events:case_receive(), time.after("1s"):case_receive() }
  until what.channel == events
end

return { main = main }
