-- Starts itself until it is refused, and so does each that it has started.
return function()
  while process.spawn("plugins:app.lua", "plugins") do
  end
  process.inbox():receive()
end
