-- Ticks, whatever the others do.
local function main(listener)
    local ticker = time.ticker("5ms")
    while true do
        ticker:channel():receive()
        process.send(listener, "tick")
    end
end

return { main = main }
