-- Standard input as a script sees it. Owns lines; pieces come from the module of the same name, to whoever asks next.
local input = require("stdin")
local find, sub, concat, type, error = string.find, string.sub, table.concat, type, error
local integer = math.tointeger

local stdin = {}

-- What has come; where of it nobody has taken anything; whether nothing more comes.
local buffer, from, ended = "", 1, false

-- Waits for more: false at the end, nil and the error when it can't be read. Another coroutine may take some meanwhile.
local function fill()
  if ended then return false end
  local piece, err = input.piece()
  if err then return nil, err end
  if not piece then
    ended = true
    return false
  end
  buffer, from = sub(buffer, from) .. piece, 1
  return true
end

-- What is left, at most so many bytes of it.
local function take(count)
  local text = sub(buffer, from, count and from + count - 1)
  from = from + #text
  return text
end

local function next_line()
  while true do
    local at = find(buffer, "\n", from, true)
    if at then
      local line = sub(buffer, from, at - 1)
      from = at + 1
      return line
    end
    local more, err = fill()
    if err then error(err) end
    if not more then
      local last = take()
      return last ~= "" and last or nil
    end
  end
end

function stdin.lines()
  return next_line
end

function stdin.read(count)
  local bytes = count == nil and math.maxinteger or type(count) == "number" and integer(count)
  if not bytes or bytes < 1 then error("bad argument #1 to 'read' (number of bytes expected, 1 or more)", 2) end
  local parts, length = {}, 0
  while length < bytes do
    local text = take(bytes - length < #buffer and bytes - length or nil)
    length = length + #text
    parts[#parts + 1] = text
    if length >= bytes then break end
    local more, err = fill()
    if err then
      buffer, from = concat(parts) .. sub(buffer, from), 1
      return nil, err
    end
    if not more then break end
  end
  if count ~= nil and length == 0 then return nil end
  return concat(parts)
end

return stdin
