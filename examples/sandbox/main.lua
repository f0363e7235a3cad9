-- Starts three processes that misbehave next to one that doesn't, and tells how each of them ends.
local offenders = { "busy_loop", "memory_hog", "pattern_bomb" }

local function main()
    local events_ch = process.events()
    local ticks_ch = process.listen("tick")
    assert(process.spawn("app.test.process:neighbour", "app:processes", process.pid()))
    ticks_ch:receive()

    local names = {}
    for _, name in ipairs(offenders) do
        local pid, err = process.spawn_monitored("app.test.process:" .. name, "app:processes")
        if err then
            return false, "spawn failed: " .. err
        end
        names[pid] = name
    end

    local ends, left, ticks = {}, #offenders, 0
    while left > 0 do
        local result = channel.select { events_ch:case_receive(), ticks_ch:case_receive() }
        if result.channel == events_ch then
            local event = result.value
            ends[names[event.from]] = event.error
            left = left - 1
        else
            ticks = ticks + 1
        end
    end

    for _, name in ipairs(offenders) do
        local err = ends[name]
        print(name .. " ended:", err and err:kind(), err and err:details().limit)
    end
    print("neighbour ticked meanwhile:", ticks > 0)
    ticks_ch:receive()
    print("neighbour goes on")
    return true
end

return { main = main }
