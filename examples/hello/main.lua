-- Starts a process in a WebAssembly instance of its own, and waits until it has ended.
local function main()
    local events_ch = process.events()

    local pid, err = process.spawn("app.test.process:echo_worker", "app:processes", "hello")
    if err then
        return false, "spawn failed: " .. err
    end

    -- pid is a string identifier for the spawned process
    print("Started worker:", pid)

    process.monitor(pid)
    process.send(pid, "go")
    events_ch:receive()
    return true
end

return { main = main }
