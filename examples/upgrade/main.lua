-- Replaces a running process's program. It keeps its pid, its name and the messages it hasn't read.
local function main()
    local counter = process.spawn_monitored("app.test.upgrade:counter", "app:processes")
    process.registry.register("counter", counter)
    for n = 1, 3 do process.send("counter", "add", n) end
    process.send("counter", "upgrade", "app.test.upgrade:counter_v2")
    for n = 4, 5 do process.send("counter", "add", n) end
    process.send("counter", "stop")

    local exit = process.events():receive()
    print("The same process:", exit.from == counter)
    print("Total:", exit.result)
    return true
end

return { main = main }
