local function main(parent)
  -- A question of the application's own, and a call that the host checks.
  local may_read = security.can("document.read", "document-7")
  local _, err = process.send(parent, "hello")
  return security.actor():id() .. " reads: " .. tostring(may_read) .. ", sends: " .. err:kind()
end

return { main = main }
