-- Has a story written each second, by a process of its own.
local function main()
  local number = 0
  while true do
    number = number + 1
    print(assert(process.exec("news:writer", "news:processes", number)))
    time.sleep("1s")
  end
end

return { main = main }
