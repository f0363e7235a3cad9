-- Works until it is told to stop, and calls that a failure.
local function main()
    local reason = process.listen("stop"):receive()
    return false, reason
end

return { main = main }
