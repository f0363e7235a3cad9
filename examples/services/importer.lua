-- Fails like a program whose remote side isn't there yet. Its supervisor starts it again.
local function main(ledger)
  local numbers = process.listen("number")
  local sent, err = process.send(ledger, "attempt")
  if not sent then
    return false, err
  end
  local number = numbers:receive()

  print("importer: attempt " .. number)
  if number < 3 then
    error("the remote side does not answer")
  end

  print("importer: works")
  process.send(ledger, "done")
end

return { main = main }
