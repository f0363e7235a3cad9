-- Keeps everything it can get.
local function main()
    local hoard = {}
    while true do
        hoard[#hoard + 1] = ("x"):rep(1000) .. #hoard
    end
end

return { main = main }
