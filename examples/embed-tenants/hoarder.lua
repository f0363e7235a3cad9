-- Takes all the memory that there is, and keeps it.
return function()
  local all = {}
  pcall(function()
    while true do
      all[#all + 1] = ("x"):rep(100000) .. #all
    end
  end)
  process.inbox():receive()
end
