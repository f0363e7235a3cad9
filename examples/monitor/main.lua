-- Watches processes end: one monitored from its start, one later on.
local function spawn_with_monitoring()
    local events_ch = process.events()

    local worker_pid, err = process.spawn_monitored(
        "app.test.process:events_exit_worker",
        "app:processes"
    )
    if err then
        return false, "spawn failed: " .. err
    end

    -- Wait for EXIT event
    local timeout = time.after("3s")
    local result = channel.select {
        events_ch:case_receive(),
        timeout:case_receive(),
    }

    if result.channel == timeout then
        return false, "timeout waiting for EXIT event"
    end

    local event = result.value
    if event.kind == process.event.EXIT then
        print("Worker exited:", event.from)
        if event.error then
            print("Exit error:", event.error)
        end
        -- Access return value via event.result
    end

    print("Exit result:", event.result)
    return true
end

local function explicit_monitoring()
    local events_ch = process.events()

    -- Spawn without monitoring
    local worker_pid, err = process.spawn("app.test.process:long_worker", "app:processes")
    if err then
        return false, "spawn failed: " .. err
    end

    -- Add monitoring explicitly
    local ok, monitor_err = process.monitor(worker_pid)
    if monitor_err then
        return false, "monitor failed: " .. monitor_err
    end

    -- Now will receive EXIT events for this worker
    process.send(worker_pid, "stop", "nobody needs it any more")
    local event = events_ch:receive()
    print("Worker exited:", event.from)
    print("Exit error:", event.error)

    local ok, err = process.unmonitor(worker_pid)
    print("Unmonitored:", ok, err)
    return true
end

local function main()
    local ok, err = spawn_with_monitoring()
    if not ok then
        return ok, err
    end
    return explicit_monitoring()
end

return { main = main }
