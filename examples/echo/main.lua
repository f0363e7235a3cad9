-- Sends a message to a process that answers whoever sent it.
local function main()
    local reply_ch = process.listen("reply")
    local worker_pid, err = process.spawn("app.test.process:echo_worker", "app:processes")
    if err then
        return false, "spawn failed: " .. err
    end

    process.send(worker_pid, "echo", { text = "anybody there?" })
    print("Echo:", reply_ch:receive().text)
    return true
end

return { main = main }
