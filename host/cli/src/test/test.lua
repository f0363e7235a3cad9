-- The module `test` as a test file sees it. Owns the cases of this file, what is compared and how it is shown. Time, processes
-- and what they print are the host's: the module of the same name below.
local host = require("test")
local type, pairs, next, error, pcall, tostring, rawequal = type, pairs, next, error, pcall, tostring, rawequal
local setmetatable, getmetatable, select = setmetatable, getmetatable, select
local find, gsub, format, rep, sub = string.find, string.gsub, string.format, string.rep, string.sub
local concat, sort, unpack = table.concat, table.sort, table.unpack

local test = {}

-- ---- Failures

-- What Lua puts before the message of an error that is raised at this level: 1 is the caller of who calls.
local function where(level)
  local _, text = pcall(error, "", level + 3)
  return text
end

local function fail(level, message, note, details)
  if note ~= nil then message = tostring(note) .. ": " .. message end
  error(errors.new { message = where(level + 1) .. message, details = details })
end

function test.fail(message)
  fail(1, message == nil and "the test says so" or tostring(message))
end

-- ---- Values as text

local MOST, DEEPEST = 16384, 16

local function quoted(text)
  local shown = gsub(format("%q", text), "\\\n", "\\n")
  return shown
end

local function order(a, b)
  local left, right = type(a), type(b)
  if left ~= right then return left < right end
  if left == "number" or left == "string" then return a < b end
  return tostring(a) < tostring(b)
end

local write

local function write_table(out, value, indent, seen)
  if seen[value] then out[#out + 1] = "<seen above>" return end
  if #indent > 2 * DEEPEST then out[#out + 1] = "{…}" return end
  if next(value) == nil then out[#out + 1] = "{}" return end
  seen[value] = true
  local keys, count = {}, #value
  for key in pairs(value) do
    if not (math.type(key) == "integer" and key >= 1 and key <= count) then keys[#keys + 1] = key end
  end
  sort(keys, order)
  local inner = indent .. "  "
  out[#out + 1] = "{\n"
  for place = 1, count do
    out[#out + 1] = inner
    write(out, value[place], inner, seen)
    out[#out + 1] = ",\n"
  end
  for _, key in ipairs(keys) do
    local name = type(key) == "string" and find(key, "^[%a_][%w_]*$") and key
    out[#out + 1] = inner .. (name or "[" .. (type(key) == "string" and quoted(key) or tostring(key)) .. "]") .. " = "
    write(out, value[key], inner, seen)
    out[#out + 1] = ",\n"
  end
  out[#out + 1] = indent .. "}"
end

function write(out, value, indent, seen)
  local kind = type(value)
  if kind == "table" and getmetatable(value) == nil then return write_table(out, value, indent, seen) end
  out[#out + 1] = kind == "string" and quoted(value) or tostring(value)
end

local function show(value)
  local out = {}
  write(out, value, "", {})
  local text = concat(out)
  return #text > MOST and sub(text, 1, MOST) .. "…" or text
end

-- Both, for a diff; texts of several lines as they are.
local function both(got, want)
  if type(got) == "string" and type(want) == "string" and (find(got, "\n", 1, true) or find(want, "\n", 1, true)) then
    return { got = sub(got, 1, MOST), want = sub(want, 1, MOST) }
  end
  return { got = show(got), want = show(want) }
end

-- ---- What is compared

function test.eq(got, want, note)
  if got ~= want then fail(1, "not equal", note, both(got, want)) end
end

function test.ne(got, other, note)
  if got == other then fail(1, "equal, and should differ: " .. show(got), note) end
end

local function same(a, b, seen)
  if rawequal(a, b) or a == b then return true end
  if type(a) ~= "table" or type(b) ~= "table" or getmetatable(a) ~= nil or getmetatable(b) ~= nil then return false end
  if seen[a] == b then return true end
  seen[a] = b
  for key, value in next, a do
    if not same(value, b[key], seen) then return false end
  end
  for key in next, b do
    if a[key] == nil then return false end
  end
  return true
end

function test.same(got, want, note)
  if not same(got, want, {}) then fail(1, "not the same", note, both(got, want)) end
end

function test.ok(...)
  local value, err = ...
  if not value then
    fail(1, err ~= nil and "failed: " .. tostring(err) or "expected a value, got " .. tostring(value))
  end
  return ...
end

function test.fails(kind, ...)
  local value, err = ...
  if value or err == nil then fail(1, "expected a failure, got " .. show(value)) end
  if kind ~= nil and not errors.is(err, kind) then
    local other = type(err) ~= "string" and err.kind and err:kind() or type(err)
    fail(1, format("expected a failure of kind %s, got %s: %s", kind, other, tostring(err)))
  end
  return err
end

function test.raises(f, text, ...)
  if type(f) ~= "function" then error("bad argument #1 to 'raises' (function expected, got " .. type(f) .. ")", 2) end
  local ok, err = pcall(f, ...)
  if ok then fail(1, "expected an error, and none was raised") end
  if text ~= nil and not find(tostring(err), text, 1, true) then
    fail(1, "another error was raised", nil, { got = tostring(err), want = "… " .. text .. " …" })
  end
  return err
end

function test.contains(text, part, note)
  if type(text) == "table" then
    for _, item in pairs(text) do
      if same(item, part, {}) then return end
    end
    fail(1, "not in it: " .. show(part), note, { got = show(text), want = "… " .. show(part) .. " …" })
  end
  if not find(tostring(text), tostring(part), 1, true) then
    fail(1, "not in it: " .. show(part), note, { got = tostring(text), want = "… " .. tostring(part) .. " …" })
  end
end

-- ---- Cases

local cases, names, running = {}, {}, false

local function add(name, f, skipped)
  local called = skipped and "skip" or "case"
  if type(name) ~= "string" or name == "" or #name > 200 then
    error("bad argument #1 to '" .. called .. "' (a name of 1 to 200 bytes expected)", 3)
  end
  if type(f) ~= "function" then error("bad argument #2 to '" .. called .. "' (function expected, got " .. type(f) .. ")", 3) end
  if running then error("case `" .. name .. "` stands inside of another", 3) end
  if names[name] then error("there are two cases `" .. name .. "`", 3) end
  names[name] = true
  cases[#cases + 1] = { name, f, skipped }
end

function test.case(name, f) add(name, f, false) end

function test.skip(name, f) add(name, f, true) end

-- ---- Time

function test.advance(duration)
  local _, err = host.advance(duration)
  if err then error(err, 2) end
end

function test.settle() host.advance(0) end

-- ---- Processes

local Process = { __name = "process" }
Process.__index = Process

local function spawn(level, on, entry, ...)
  local pid, err = host.spawn(on, entry, { n = select("#", ...), ... })
  if err then error(errors.wrap(err, where(level + 1) .. "can't be spawned"), 0) end
  return setmetatable({ pid = pid }, Process)
end

function test.spawn(entry, ...)
  local made = spawn(1, nil, entry, ...)
  return made
end

function test.spawn_on(on, entry, ...)
  local made = spawn(1, on, entry, ...)
  return made
end

function Process.wait(self) return host.wait(self.pid) end

function Process.send(self, topic, ...) return process.send(self.pid, topic, ...) end

function Process.call(self, name, ...) return process.call(self.pid, name, ...) end

function Process.cancel(self, deadline) return host.cancel(self.pid, deadline) end

function Process.terminate(self) return host.terminate(self.pid) end

function Process.is_alive(self) return host.is_alive(self.pid) end

function Process.output(self) return host.output(self.pid) end

function Process.logs(self) return host.logs(self.pid) end

function test.output() return host.output() end

function test.logs() return host.logs() end

-- ---- Modules

local mocks = {}

function test.module(name, functions)
  if type(functions) ~= "table" then
    error("bad argument #2 to 'module' (table of functions expected, got " .. type(functions) .. ")", 2)
  end
  local list = {}
  for key, f in pairs(functions) do
    if type(key) ~= "string" or type(f) ~= "function" then error("mock of module `" .. tostring(name) .. "`: `" .. tostring(key) .. "` is no function", 2) end
    list[#list + 1] = key
  end
  sort(list)
  local _, err = host.mock(name, list)
  if err then error(err, 2) end
  mocks[name] = functions
end

-- ---- For who runs the cases

test._cases = cases

function test._begin() running = true end

function test._mock(name, key, ...) return mocks[name][key](...) end

return setmetatable(test, { __index = function(_, key) error("module 'test' has no function '" .. tostring(key) .. "'", 2) end })
