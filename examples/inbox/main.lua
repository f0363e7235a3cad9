-- Sends to a topic that the worker listens on, and to others, which land in its inbox.
local function main()
    local printed_ch = process.listen("printed")
    process.registry.register("starter")
    local worker_pid = process.spawn("app.test.process:inbox_worker", "app:processes")

    process.send(worker_pid, "specific_topic", "goes to the listener, which prints nothing")
    process.send(worker_pid, "orders", "two coffees")
    process.send(worker_pid, "complaints", 42)
    printed_ch:receive()
    printed_ch:receive()

    -- The worker waits for messages for ever.
    process.terminate(worker_pid)
    return true
end

return { main = main }
