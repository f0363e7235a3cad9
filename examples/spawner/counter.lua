local function main()
  local inbox = process.inbox()
  local total = 0
  while true do
    local message = inbox:receive()
    if message:topic() == "stop" then return total end
    total = total + message:payload()
  end
end

return { main = main }
