-- Calls other processes like functions: each call is a process of its own, and its result or its error comes back.
local function main()
    print("4 squared:", process.exec("app.test.exec:square", "app:processes", 4))

    local result, err = process.exec("app.test.exec:square", "app:processes", "four")
    print("four squared:", result, err, err:kind() == errors.INVALID)

    -- Only the coroutine that calls waits.
    local results = channel.new(3)
    for n = 1, 3 do
        coroutine.spawn(function()
            results:send((process.exec("app.test.exec:square", "app:processes", n)))
        end)
    end
    local sum = 0
    for _ = 1, 3 do sum = sum + results:receive() end
    print("1 + 4 + 9:", sum)
    return true
end

return { main = main }
