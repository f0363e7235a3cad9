local words = { en = "hello", fr = "bonjour" }

local function main()
  -- A value that isn't there is `nil` and an error.
  local _, err = ctx.get("colour")
  return words[ctx.get("language")] .. ", " .. ctx.get("user") .. " (" .. err .. ")"
end

return { main = main }
