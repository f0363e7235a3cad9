-- Files and environment variables: there because _index.yaml grants them, and nothing else is.
local function main()
  local language = assert(env.get("EXAMPLE_LANGUAGE"))
  for _, entry in ipairs(fs.list("notes")) do
    print("notes:", entry.name, entry.type, fs.stat("notes/" .. entry.name).size)
  end
  local text = assert(fs.read("notes/" .. language .. ".txt"))
  print("read:", (text:gsub("\n$", "")))

  -- Each call waits for the disk, and only its own coroutine waits.
  local done = channel.new()
  for i = 1, 3 do
    coroutine.spawn(function()
      local name = "drafts/draft" .. i .. ".txt"
      assert(fs.write(name, text))
      assert(fs.append(name, "draft " .. i))
      done:send(name)
    end)
  end
  for _ = 1, 3 do done:receive() end
  assert(fs.rename("drafts/draft3.txt", "drafts/last.txt"))
  for _, entry in ipairs(fs.list("drafts")) do print("drafts:", entry.name) end
  print("piece:", fs.read("drafts/last.txt", { offset = #text, length = 5 }))
  for _, name in ipairs { "draft1", "draft2", "last" } do assert(fs.remove("drafts/" .. name .. ".txt")) end

  -- What isn't granted.
  for _, path in ipairs { "/etc/passwd", "notes/../main.lua" } do
    local _, err = fs.read(path)
    print(err, err:kind())
  end
  local _, err = fs.write("notes/en.txt", "changed")
  print(err, err:kind())
  print("PATH:", select(2, env.get("PATH")):kind())

  assert(process.spawn_monitored("app.test.files:stranger", "app:processes"))
  print("stranger:", process.events():receive().result.value)
end

return { main = main }
