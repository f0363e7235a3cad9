-- Sends a message to a process, which receives it under its topic.
local function main()
    local events_ch = process.events()
    local worker_pid = process.spawn_monitored("app.test.process:listen_worker", "app:processes")

    -- Send to process by PID
    local sent, err = process.send(worker_pid, "messages", "hello from parent")
    if err then
        return false, "send failed: " .. err
    end

    -- send returns (bool, error)
    local event = events_ch:receive()
    print("Worker returned:", event.result)
    return true
end

return { main = main }
