-- Prints its argument, once it is told to: two processes run at the same time, and the lines shall come in order.
local function main(text)
    process.listen("go"):receive()
    print(process.pid() .. " says: " .. text)
end

return { main = main }
