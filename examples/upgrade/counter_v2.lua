-- Takes over the total; what waited for version 1 is here now.
local function main(total)
    local inbox = process.inbox()
    while true do
        local message = inbox:receive()
        if message:topic() == "stop" then return total end
        total = total + message:payload()
        print("version 2 adds", message:payload())
    end
end

return { main = main }
