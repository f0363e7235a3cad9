-- Ends at once, with a result.
local function main()
    return "all done"
end

return { main = main }
