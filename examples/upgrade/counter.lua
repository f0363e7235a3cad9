local function main()
    local total = 0
    local inbox = process.inbox()
    while true do
        local message = inbox:receive()
        if message:topic() == "add" then
            total = total + message:payload()
            print("version 1 adds", message:payload())
        elseif message:topic() == "upgrade" then
            local _, err = process.upgrade(message:payload(), total)
            -- Only a failed upgrade returns.
            return false, err
        end
    end
end

return { main = main }
