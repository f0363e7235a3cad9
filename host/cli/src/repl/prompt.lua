-- What the process of a prompt runs. Owns how an input is evaluated, how that is stopped, and what a name could be completed to; what is
-- typed, and when, is the host's. Each function is called by the prompt alone, which has the key.
local own = ...
local show = require("lunarium:show")(own.metatable)
local host = require("prompt")
local G, load, type, next, rawget, rawset, error = _G, load, type, next, rawget, rawset, error
local pack, sort, find, sub, sleep = table.pack, table.sort, string.find, string.sub, time.sleep
local new_error, denied, metatable, stopper = errors.new, errors.PERMISSION_DENIED, own.metatable, own.stopper

local key, known = nil, channel.new()

local function allow(given)
  if not key then known:receive() end
  if given ~= key then error(new_error { kind = denied, message = "only the prompt may ask for this" }) end
end

-- Stops what is evaluated; false: nothing is.
local stop = false

-- Before each input: where something is to be closed, Lua makes no tail calls. So what is called last knows by whom.
local BEFORE <const> = "local __input <close> = nil "

-- Whether it compiles; then what is to be shown, or what is wrong.
local function evaluate(given, text)
  allow(given)
  local chunk, wrong = load(BEFORE .. "return " .. text, "=input", "t"), nil
  if not chunk then
    chunk, wrong = load(BEFORE .. text, "=input", "t")
    if not chunk then return false, wrong end
  end
  stop = stopper()
  local results = pack(chunk())
  local shown = show(results)
  if results[1] ~= nil then rawset(G, "_", results[1]) end
  stop = false
  return true, shown
end

-- Whether something was stopped. What is just about to go on does so first, to its next wait.
local function interrupt(given)
  allow(given)
  while stop do
    local stopped = stop()
    if stopped ~= false then
      stop = false
      return stopped == true
    end
    sleep(0)
  end
  return false
end

-- ---- Completion: nothing of the script's runs.

-- Tables behind each other by `__index`, fields of each, names in all, bytes of a type's name, that are looked at.
local DEEPEST <const>, LOOKED <const>, NAMES <const>, LONGEST <const> = 8, 10000, 500, 100

-- Where what a value lacks is looked up, if that is a table.
local function behind(value)
  local meta = metatable(value)
  local index = meta and rawget(meta, "__index")
  return type(index) == "table" and index or nil
end

local function field(value, name)
  for _ = 1, DEEPEST do
    local found = type(value) == "table" and rawget(value, name) or nil
    if found ~= nil then return found end
    value = behind(value)
    if value == nil then return nil end
  end
end

-- The names behind `path`, from the globals, that begin so; of functions alone where they are called as methods. And the name of the type of
-- what is there.
local function names(given, path, prefix, methods)
  allow(given)
  local value = G
  for i = 1, #path do
    value = field(value, path[i])
    if value == nil then return {} end
  end
  local found, seen = {}, {}
  local meta = metatable(value)
  local kind = meta and rawget(meta, "__name") or nil
  for _ = 1, DEEPEST do
    local looked, name = 0, nil
    while type(value) == "table" and looked < LOOKED and #found < NAMES do
      local what
      name, what = next(value, name)
      if name == nil then break end
      looked = looked + 1
      if type(name) == "string" and not seen[name] and sub(name, 1, #prefix) == prefix and find(name, "^[%a_][%w_]*$")
        and (not methods or type(what) == "function") then
        seen[name] = true
        found[#found + 1] = name
      end
    end
    value = behind(value)
    if value == nil then break end
  end
  sort(found)
  return found, type(kind) == "string" and #kind <= LONGEST and kind or nil
end

-- Waits for ever: a call can always come.
local function main()
  local given, err = host.key()
  if err then error(err) end
  key = given
  known:close()
  channel.new():receive()
end

return { main = main, evaluate = evaluate, interrupt = interrupt, names = names }
