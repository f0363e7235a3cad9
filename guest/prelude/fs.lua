-- The modules `env` and `fs`, which a process has by grants. Owns what `fs` takes, and the order of operations beyond the host's
-- limit: their coroutines wait here, first come first served. What is granted is the host's to know.
local rt = ...
local type, next, tostring, setmetatable, tointeger = type, next, tostring, setmetatable, math.tointeger
local S, wait, ready, check_wait = rt.state, rt.wait, rt.ready, rt.check_wait
local invalid, bad_argument, type_name, shown = rt.invalid, rt.bad_argument, rt.type_name, rt.shown
local host_read, host_write, host_append, host_list = rt.fs_read, rt.fs_write, rt.fs_append, rt.fs_list
local host_stat, host_remove, host_mkdir, host_rename = rt.fs_stat, rt.fs_remove, rt.fs_mkdir, rt.fs_rename

rt.env = { get = rt.variable, get_all = rt.variables }

-- Operations under way; the host refuses the next one above MAX_OPERATIONS.
local busy = 0
local waiting, first, last = {}, 1, 0

-- Gives the place of an operation that is over to whoever waits for one, or back.
local Place = {}
function Place.__close()
  repeat
    local task = waiting[first]
    if not task then
      busy, first, last = busy - 1, 1, 0
      return
    end
    local waits = task[TASK]
    ready(task)
    waiting[first] = nil
    first = first + 1
  until waits -- else it was stopped
  if first > last then first, last = 1, 0 end
end
local PLACE = setmetatable({}, Place)

local function act(start, ...)
  check_wait()
  if busy < MAX_OPERATIONS then
    busy = busy + 1
  else
    waiting[last + 1] = S[CURRENT]
    last = last + 1
    wait()
  end
  local place <close> = PLACE
  return start(...)
end

-- The argument as text, or nil when it is missing. Called by the module's functions only: the position is their caller's.
local function text(value, number, name)
  local kind = type(value)
  if kind == "number" then return value .. "" end
  if kind ~= "string" and value ~= nil then bad_argument(number, name, "string", value, 2) end
  return value
end

-- What is wrong with a number of bytes, or nil.
local function amiss(name, value)
  if type(value) ~= "number" then return name .. " is a " .. type_name(value) .. ", not a number" end
  value = tointeger(value)
  if not value or value < 0 then return name .. " is not a whole number of bytes" end
end

local NO_PATH <const>, NO_CONTENTS <const> = "path is missing", "contents are missing"

local fs = {}
rt.fs = fs

function fs.read(path, options)
  path = text(path, 1, "read")
  if options ~= nil and type(options) ~= "table" then bad_argument(2, "read", "table", options) end
  if not path then return invalid(NO_PATH) end
  local offset, length = 0, nil
  for name, value in next, options or {} do
    if name == "offset" then offset = value
    elseif name == "length" then length = value
    else return invalid("unknown option `" .. shown(tostring(name)) .. "`") end
  end
  local wrong = amiss("offset", offset) or length ~= nil and amiss("length", length)
  if wrong then return invalid(wrong) end
  return act(host_read, path, tointeger(offset), tointeger(length))
end

function fs.write(path, contents)
  path, contents = text(path, 1, "write"), text(contents, 2, "write")
  if not path then return invalid(NO_PATH) end
  if not contents then return invalid(NO_CONTENTS) end
  return act(host_write, path, contents)
end

function fs.append(path, contents)
  path, contents = text(path, 1, "append"), text(contents, 2, "append")
  if not path then return invalid(NO_PATH) end
  if not contents then return invalid(NO_CONTENTS) end
  return act(host_append, path, contents)
end

function fs.list(path)
  path = text(path, 1, "list")
  if not path then return invalid(NO_PATH) end
  return act(host_list, path)
end

function fs.stat(path)
  path = text(path, 1, "stat")
  if not path then return invalid(NO_PATH) end
  return act(host_stat, path)
end

function fs.remove(path)
  path = text(path, 1, "remove")
  if not path then return invalid(NO_PATH) end
  return act(host_remove, path)
end

function fs.mkdir(path)
  path = text(path, 1, "mkdir")
  if not path then return invalid(NO_PATH) end
  return act(host_mkdir, path)
end

function fs.rename(path, to)
  path, to = text(path, 1, "rename"), text(to, 2, "rename")
  if not path then return invalid(NO_PATH) end
  if not to then return invalid("new path is missing") end
  return act(host_rename, path, to)
end
