-- The program: the globals a script finds, `require`, and the first coroutine. Owns what is there beside Lua's base library,
-- `coroutine`, `table`, `string`, `utf8` and `math`, and what is taken out of those. Loaded last, because it takes away what
-- the other files captured.
local rt = ...
local type, error, next, setmetatable, tostring = type, error, next, setmetatable, tostring
local find, sort, concat = string.find, table.sort, table.concat
local randomseed = math.randomseed
local G, S = _G, rt.state
local bad_argument, fault, type_name = rt.bad_argument, rt.fault, rt.type_name

-- ---- Globals

local clock, date, difftime, now = os.clock, os.date, os.difftime, os.time

G.process, G.channel, G.time, G.errors = rt.process, rt.channel, rt.time, rt.errors
G.ctx = rt.ctx
G.json, G.logger = rt.json, rt.logger
G.security = rt.security
G.coroutine.spawn = rt.coroutine_spawn
G.print, G.load = rt.print, rt.wrap_load(load)
G.os = { time = now, date = date, difftime = difftime, clock = rt.cpu }
G.debug = { traceback = rt.traceback }
G.dofile, G.loadfile, G.string.dump = nil, nil, nil
-- Of older versions of Lua; lua-src compiles them in.
for _, name in ipairs { "atan2", "cosh", "frexp", "ldexp", "log10", "sinh", "tanh" } do math[name] = nil end
-- Those that programs from elsewhere use still, and what newer ones have.
G.unpack, table.create = table.unpack, rt.table_create
-- `string(x)` is `tostring(x)`.
setmetatable(string, { __call = function(_, value) return tostring(value) end, __metatable = false })

-- ---- require

local modules = {}
for _, name in ipairs(rt.always) do modules[name] = G[name] end
for _, name in ipairs(rt.standard) do modules[name] = G[name] end
rt.modules = modules -- those that are all Rust's come in later

-- By entry id: {true, value} when loaded; {false, task, channel} while it loads.
local libraries = {}
local new_require

-- A library's own view of the globals: the same, but for its `require`, which knows its imports.
local function load_library(entry, alias)
  local environment = setmetatable({ require = new_require(entry) }, { __index = G, __newindex = G, __metatable = false })
  local chunk, wrong = rt.load_library(entry, environment)
  if not chunk then error("error loading module '" .. alias .. "':\n\t" .. wrong, 4) end
  local value = chunk(alias, entry)
  if value == nil then value = true end
  return value
end

-- Leaves its mark while a library loads, and takes it away when that fails.
local Loading = {}
function Loading.__close(loading)
  rt.close(loading[3])
  if not loading[1] then libraries[loading[4]] = nil end
end

local function require_library(entry, alias)
  local known = libraries[entry]
  while known and not known[1] do
    if known[2] == S[CURRENT] then error("loop of require: module '" .. alias .. "' is being loaded", 3) end
    known[3]:receive() -- closed when it is loaded, or failed
    known = libraries[entry]
  end
  if known then return known[2] end
  local loading <close> = setmetatable({ false, S[CURRENT], rt.new_channel(0, false, false, true), entry }, Loading)
  libraries[entry] = loading
  local value = load_library(entry, alias)
  loading[1], loading[2] = true, value
  return value
end

-- What the host says of a module that isn't there, and what was probably meant, or may be required.
local function not_found(name, wrong, imports)
  if find(wrong, "did you mean", 1, true) or find(wrong, "needs a grant", 1, true) then return wrong end
  if name == "env" or name == "fs" then return wrong .. ": it needs a grant" end
  local near = rt.did_you_mean(name, imports)
  if near == "" then near = rt.did_you_mean(name, modules) end
  if near ~= "" then return wrong .. near end
  local names = {}
  for alias in next, imports do
    if not find(alias, "^lunarium:") then names[#names + 1] = "`" .. alias .. "`" end -- the runtime's own are no script's
  end
  if #names == 0 then return wrong .. " (the entry has no `imports`)" end
  sort(names)
  return wrong .. " (its `imports` are " .. concat(names, ", ", 1, #names > 20 and 20 or #names) .. (#names > 20 and ", …" or "") .. ")"
end

function new_require(entry)
  local imports
  return function(name)
    if type(name) == "number" then name = name .. "" end
    if type(name) ~= "string" then bad_argument(1, "require", "string", name) end
    imports = imports or rt.imports(entry)
    local library = imports[name]
    if library then
      local value = require_library(library, name)
      return value
    end
    local module, wrong = modules[name], nil
    if module == nil then
      module, wrong = rt.find_module(name)
      if not module then error(not_found(name, wrong, imports), 2) end
      modules[name] = module
    end
    return module
  end
end

G.require = new_require(nil)

-- ---- The first coroutine

-- What is said of a table that lacks the function to run: what it has instead.
local function without(made, name)
  local names, count = {}, 0
  for key, value in next, made do
    if type(key) == "string" and count < 20 then
      count = count + 1
      names[count] = "`" .. rt.shown(key) .. "` (a " .. type_name(value) .. ")"
    end
  end
  sort(names)
  local there = count == 0 and "nothing by a name" or concat(names, ", ")
  return "the chunk returned no function `" .. name .. "`: its table has " .. there .. (made[name] == nil and rt.did_you_mean(name, made) or "")
end

local function method_of(made, name)
  if type(made) == "function" then return made end
  if type(made) ~= "table" then
    local wrong = "the chunk returned " .. type_name(made) .. ", not a function or a table of functions"
    local unfit = fault("Invalid", wrong)
    -- Most often a `return` was forgotten: the details let the host say so.
    if made == nil then unfit[4] = { reason = "nothing_to_run" } end
    error(unfit, 0)
  end
  local method = made[name or "main"]
  if type(method) == "function" then return method end
  -- Without a main, a table of functions is there to be called.
  if name == nil then
    for _, f in next, made do
      if type(f) == "function" then return rt.serve end
    end
  end
  error(fault("Invalid", without(made, name or "main")), 0)
end

local function body(chunk, name, plain, own, ...)
  local made
  if plain then made = chunk(...) elseif own then made = chunk(rt.own) else made = chunk() end
  -- From top to bottom, that was it.
  if plain and made == nil then return end
  local method = method_of(made, name)
  S[STARTING] = false
  rt.begin_calls(made, name or "main")
  return method(...)
end

-- The program is compiled, and the state knows the process; its coroutine is queued.
function rt.start(seed, method, plain, own, has_env, has_fs, chunk, ...)
  randomseed(seed)
  -- By grants only.
  if has_env then G.env, modules.env = rt.env, rt.env end
  if has_fs then G.fs, modules.fs = rt.fs, rt.fs end
  rt.set_main(rt.new_task(rt.new_main(body, chunk, method, plain, own, ...)))
end
