-- Every way to raise an error and to catch it, by what a script can see: `run` compares what is printed here on stock Lua
-- and on the patched one. And on the patched one, which of them throw nothing. The argument "nolimits" is for slow builds.

local create, resume, yield, wrap = coroutine.create, coroutine.resume, coroutine.yield, coroutine.wrap
local patched = step ~= nil

local function show(name, ...)
  local out = table.pack(...)
  for i = 1, out.n do
    local v = out[i]
    out[i] = type(v) == "table" and "table" or type(v) == "function" and "function" or tostring(v):gsub("0x%x+", "0x")
  end
  print(name .. ": " .. table.concat(out, " | "))
end

local function call(f, ...) return f(...) end
local function indexed() local none; return none.field end
local none

-- What fails, by name. Each is raised in a Lua function.
local failing = {
  { "error", function() error("text") end },
  { "error without position", function() error("text", 0) end },
  { "error at level 2", function() error("text", 2) end },
  { "error at a level that isn't there", function() error("text", 50) end },
  { "error with a table", function() error({}) end },
  { "error with nil", function() error() end },
  { "error with a number", function() error(12) end },
  { "error as a tail call", function() return error("text") end },
  { "error as a vararg tail call", function(...) return error(..., 0) end },
  { "error through functions", function() call(call, call, function() error("deep") end) end },
  { "error through tail calls", function() return call(call, function() return call(error, "deep") end) end },
  { "error with a bad level", function() error("text", {}) end },
  { "assert", function() assert(false) end },
  { "assert with a text", function() assert(nil, "text") end },
  { "assert with a table", function() assert(nil, {}, 1) end },
  { "assert without anything", function() assert() end },
  { "assert as a tail call", function(...) return assert(false, ...) end },
  { "index", indexed },
  { "index of a global", function() return missing.field end },
  { "index of a field", function() local t = {} return t.a.b end },
  { "index by a number", function() return none[1] end },
  { "index by a variable", function(k) return none[k] end },
  { "method", function() local t = {} t:method() end },
  { "method of nil", function() none:method() end },
  { "assignment", function() none.x = 1 end },
  { "assignment by number", function() none[1] = 1 end },
  { "assignment by variable", function(k) none[k] = 1 end },
  { "assignment to a field of a global", function() missing.x = 1 end },
  { "nil as a key", function() local t = {} t[none] = 1 end },
  { "nan as a key", function() local t = {} t[0 / 0] = 1 end },
  { "call", function() none() end },
  { "call of a global", function() missing() end },
  { "call of a field", function() local t = {} t.f() end },
  { "call as a tail call", function() return none(1, 2) end },
  { "call as a vararg tail call", function(...) return none(...) end },
  { "call of a number", function() (1)() end },
  { "arithmetic", function() return none + 1 end },
  { "arithmetic reversed", function() return 1 + none end },
  { "arithmetic of a string and nil", function(a) return a * none end },
  { "arithmetic by a constant", function() return none / 2.5 end },
  { "arithmetic of a string", function() return "x" - 1 end },
  { "negation", function() return -none end },
  { "bitwise", function() return none & 1 end },
  { "bitwise of a float", function(a) a = 1.5 return a | 1 end },
  { "bitwise not", function() return ~none end },
  { "shift", function() return 1 << none end },
  { "division by zero", function(a) a = 0 return 1 // a end },
  { "remainder by zero", function(a) a = 0 return 1 % a end },
  { "length", function() return #none end },
  { "concatenation", function() return "a" .. none end },
  { "concatenation in the middle", function() return "a" .. {} .. "b" .. "c" end },
  { "concatenation of booleans", function() return true .. "b" end },
  { "comparison", function() return none < 1 end },
  { "comparison with a constant", function() return 1 >= none end },
  { "comparison of variables", function(a) return a <= none end },
  { "comparison of tables", function() return {} < {} end },
  { "for", function() for i = 1, none do end end },
  { "for with step zero", function() for i = 1, 2, 0 do end end },
  { "for in nil", function() for i in none do end end },
  { "iterator that fails", function() for i in error, "it" do end end },
  { "iterator in Lua that fails", function() for i in function() error("it") end do end end },
  { "to-be-closed without a closer", function() local x <close> = {} end },
  { "C function", function() string.rep() end },
  { "C function as a tail call", function() return ("x"):rep({}) end },
  { "C function that throws", function() throwing("thrown") end },
  { "C function that throws as a tail call", function() return throwing("thrown") end },
  { "integer", function() return math.tointeger({}) end },
  { "setmetatable", function() setmetatable(1, 2) end },
  { "wrap", function() wrap(function() error("inner") end)() end },
  { "wrap of a table", function() wrap(function() error({}) end)() end },
  { "wrap after a yield", function() local f = wrap(function() yield(1) indexed() end) f() f() end },
  { "wrap as a tail call", function() return wrap(function() yield(none.x) end)() end },
  { "wrap of a dead one", function() local f = wrap(function() end) f() f() end },
  { "wrap through wrap", function() wrap(function() wrap(function() wrap(error)("in") end)() end)() end },
  { "sort", function() table.sort({ 3, 2, 1 }, function() error("sort") end) end },
  { "gsub", function() string.gsub("a", "a", function() none.x = 1 end) end },
  { "load", function() assert(load("x =")) end },
  { "load with a reader that fails", function() assert(load(function() error("reader") end)) end },
  { "require", function() require("missing.module") end },
  { "across C", function() nocallk(function() error("across") end) end },
  { "across C with continuation", function() callk(function() error("across") end) end },
  { "memory error by name", function() error("not enough memory", 0) end },
}
for _, name in ipairs { "index", "newindex", "call", "add", "concat", "unm", "len", "eq", "lt", "le", "close", "tostring", "pairs" } do
  local bad = setmetatable({}, { ["__" .. name] = function() error(name .. " failed") end })
  local uses = {
    index = function() return bad.x end, newindex = function() bad.x = 1 end, call = function() return bad(1) end,
    add = function() return bad + 1 end, concat = function() return "x" .. bad .. "y" end, unm = function() return -bad end,
    len = function() return #bad end, eq = function() return bad == setmetatable({}, getmetatable(bad)) end,
    lt = function() return bad < bad end, le = function() return bad <= 1 end,
    close = function() local x <close> = bad end, tostring = function() return tostring(bad) end,
    pairs = function() for _ in pairs(bad) do end end,
  }
  failing[#failing + 1] = { "__" .. name, uses[name] }
  local nothing = setmetatable({}, { ["__" .. name] = 5 })
  if name == "index" then failing[#failing + 1] = { "__index that is a number", function() return nothing.x end } end
  if name == "call" then failing[#failing + 1] = { "__call that is a number", function() return nothing(1) end } end
end

local function traced(m) return debug.traceback("<" .. tostring(m) .. ">", 1) end
local function failing_handler(m) error("handler: " .. tostring(m), 0) end
local log
local function closer(name, failure)
  return setmetatable({}, { __close = function(_, e)
    log[#log + 1] = name .. ":" .. tostring(e):gsub("0x%x+", "0x")
    if failure then error(failure, 0) end
  end })
end

-- Ways to catch. Each is given what fails, and says what came.
local catching = {
  { "pcall", function(f) return pcall(f, "arg") end },
  { "pcall as a tail call", function(f) return (function(...) return pcall(f, ...) end)("arg") end },
  { "pcall in pcall", function(f) return pcall(pcall, pcall, f) end },
  { "pcall after pcall", function(f) return pcall(error, "first"), pcall(f), pcall(pcall) end },
  { "pcall that goes on", function(f)
    local n = 0
    for i = 1, 3 do if not pcall(f) then n = n + i end end
    return n, pcall(call, call, f)
  end },
  { "rethrown", function(f) return pcall(function() local ok, e = pcall(f) error(e, 0) end) end },
  { "xpcall", function(f) return xpcall(f, function(m) return m end, "arg") end },
  { "xpcall with traceback", function(f) return xpcall(f, traced) end },
  { "xpcall with debug.traceback", function(f) return xpcall(f, debug.traceback) end },
  { "xpcall with a C handler", function(f) return xpcall(f, tostring) end },
  { "xpcall with a handler that fails", function(f) return xpcall(f, failing_handler) end },
  { "xpcall with a handler that fails in its own code", function(f) return xpcall(f, function(m) return none.x end) end },
  { "xpcall with a handler that catches", function(f) return xpcall(f, function(m) return (select(2, pcall(error, m))) end) end },
  { "xpcall in xpcall", function(f)
    return xpcall(function() xpcall(f, function() error("again", 0) end) error("outer") end, traced)
  end },
  { "handler sees the stack", function(f)
    return xpcall(f, function()
      local names = {}
      for level = 1, 20 do
        local info = debug.getinfo(level, "Slnt")
        if not info then break end
        names[#names + 1] = ("%s %s %d %s"):format(info.what, info.name, info.currentline, info.istailcall)
      end
      return table.concat(names, ", ")
    end)
  end },
  { "variables closed", function(f)
    log = {}
    local a, b = pcall(function() local x <close> = closer("x") local y <close> = closer("y") f("arg") end)
    return a, b, table.unpack(log)
  end },
  { "variables whose closing fails", function(f)
    log = {}
    local a, b = pcall(function() local x <close> = closer("x", "x failed") local y <close> = closer("y", "y failed") f("arg") end)
    return a, b, table.unpack(log)
  end },
  { "variables of a tail call", function(f)
    log = {}
    local a, b = pcall(function() local x <close> = closer("x") return f("arg") end)
    return a, b, table.unpack(log)
  end },
  { "upvalues closed", function(f)
    local get
    pcall(function() local v = 1; get = function() v = v + 1 return v end; f() end)
    return get(), get()
  end },
  { "through C", function(f) return pcallc(f, "arg") end },
  { "through C with continuation", function(f) return pcallk(f, "arg") end },
  { "in a coroutine", function(f) local co = create(f) return resume(co, "arg"), coroutine.status(co) end },
  { "as a coroutine's body", function(f) local co = create(f) return resume(co, "arg") end },
  { "in a coroutine's pcall", function(f) return wrap(function() return pcall(f, "arg") end)() end },
  { "in a coroutine after a yield", function(f)
    local co = create(function() yield(1) f("arg") end)
    resume(co)
    return resume(co), coroutine.status(co), coroutine.close(co), debug.traceback(co)
  end },
  { "in a coroutine's pcall after a yield", function(f)
    local co = wrap(function() return pcall(function() yield(1) f("arg") end) end)
    co()
    return co()
  end },
  { "and the coroutine goes on", function(f)
    local co = wrap(function()
      for i = 1, 3 do
        pcall(f) yield(i)
        pcall(function() yield(-i) f() end)
      end
      return "end", pcall(f)
    end)
    local out = {}
    for i = 1, 7 do out[i] = table.concat({ tostring((co())) }) end
    return table.unpack(out)
  end },
  { "a coroutine's stack after the error", function(f)
    local co = create(function(...) local x = 1 f(...) end)
    resume(co)
    return debug.traceback(co)
  end },
  { "a coroutine with variables to close", function(f)
    log = {}
    local co = create(function() local x <close> = closer("x", "x failed") f() end)
    local a, b = resume(co)
    return a, b, #log, coroutine.close(co), log[1]
  end },
  { "variables whose closing yields", function(f)
    local co = wrap(function()
      return pcall(function()
        local x <close> = setmetatable({}, { __close = function(_, e) yield("closing", e) end })
        local y <close> = setmetatable({}, { __close = function(_, e) yield("closing", e) error("late", 0) end })
        f("arg")
      end)
    end)
    show("  closing", co()) show("  closing", co())
    return co()
  end },
  { "in sort", function(f) return pcall(table.sort, { 1, 2 }, f) end },
  { "pcall in sort", function(f)
    local t = {}
    table.sort({ 1, 2 }, function() t[#t + 1] = tostring((select(2, pcall(f)))):gsub("0x%x+", "0x") return false end)
    return table.unpack(t)
  end },
  { "in a finalizer", function(f)
    do local x = setmetatable({}, { __gc = function() f() end }) end
    collectgarbage()
    return warnings()
  end },
  { "pcall in a finalizer", function(f)
    local got
    do local x = setmetatable({}, { __gc = function() got = table.pack(pcall(f)) end }) end
    collectgarbage()
    return table.unpack(got)
  end },
  { "with hooks", function(f)
    sethooks(true)
    local a, b = pcall(f)
    local c, d = xpcall(f, traced)
    sethooks(false)
    return a, b, c, d
  end },
  { "in a hook", function(f)
    local n, got = 0, nil
    debug.sethook(function() n = n + 1 if n == 1 then got = table.pack(pcall(f)) end end, "l")
    local x = 1
    x = 2
    debug.sethook()
    return table.unpack(got)
  end },
  { "out of a hook", function(f)
    local a, b = pcall(function()
      debug.sethook(function() debug.sethook() f() end, "l")
      local x = 1
      x = 2
    end)
    debug.sethook()
    return a, b
  end },
  { "out of a call hook of a C function", function(f)
    local a, b = pcall(function()
      debug.sethook(function() debug.sethook() f() end, "c")
      error("not reached")
    end)
    debug.sethook()
    return a, b
  end },
  { "in a metamethod", function(f)
    return pcall(function() return setmetatable({}, { __index = f }).x end)
  end },
  { "pcall in a metamethod", function(f)
    return select("#", setmetatable({}, { __index = function() return pcall(f) end }).x)
  end },
  { "in an iterator", function(f) return pcall(function() for _ in f, "arg" do end end) end },
  { "across C", function(f) return pcall(nocallk, f, "arg") end },
  { "across C and out of a coroutine", function(f) return resume(create(function() nocallk(nocallk, f) end)) end },
}

local function all(where)
  for _, way in ipairs(catching) do
    for _, what in ipairs(failing) do
      show(("%s, %s, %s"):format(where, way[1], what[1]), way[2](what[2]))
      local calls, barred = ccalls()
      show("  counters", where == "main" and calls or 0, barred)
    end
  end
end
all("main")
wrap(function() all("coroutine") end)()
wrap(function() yields(1) pcall(error) all("coroutine that has yielded") end)()

-- What must throw nothing. (What stock Lua throws is not of interest.)
if patched then
  local function silent(name, wanted, f)
    local n = thrown(f)
    if n ~= wanted then error(("%s: thrown %d times, not %d"):format(name, n, wanted), 2) end
  end
  local quiet = {}
  for name in ([[error|error without position|error with a table|error as a tail call|error as a vararg tail call|error through functions
    |error through tail calls|assert|assert with a text|assert as a tail call|index|index of a global|index of a field|index by a number
    |index by a variable|method|method of nil|assignment|assignment by number|assignment by variable|call|call of a field|call as a tail call
    |call as a vararg tail call|arithmetic|arithmetic reversed|arithmetic by a constant|negation|bitwise
    |bitwise of a float|bitwise not|shift|length|concatenation|concatenation in the middle|comparison|comparison with a constant
    |comparison of variables|comparison of tables|wrap|wrap of a table|wrap after a yield|wrap as a tail call|wrap through wrap]]):gmatch("[^|]+") do
    quiet[name:gsub("%s*$", "")] = true
  end
  local count = 0
  for _, what in ipairs(failing) do
    if quiet[what[1]] then
      count = count + 1
      for _, way in ipairs { "pcall", "xpcall", "pcall in pcall", "pcall that goes on", "xpcall with traceback", "through C", "through C with continuation",
        "in a coroutine", "in a coroutine's pcall", "in a coroutine after a yield", "in a coroutine's pcall after a yield", "pcall in sort",
        "variables closed", "rethrown", "and the coroutine goes on" } do
        local catch
        for _, c in ipairs(catching) do if c[1] == way then catch = c[2] end end
        -- A yield out of a pcall is thrown, as before.
        local yields_in_pcall = way == "in a coroutine's pcall after a yield" and 1 or way == "and the coroutine goes on" and 3 or 0
        silent(way .. ", " .. what[1], yields_in_pcall, function() catch(what[2]) end)
        silent("coroutine, " .. way .. ", " .. what[1], yields_in_pcall, function() wrap(catch)(what[2]) end)
      end
    end
  end
  local n = 0
  for _ in pairs(quiet) do n = n + 1 end
  assert(count == n, "a name of `quiet` fits nothing")
  assert(thrown(function() pcall(throwing) end) == 1)  -- it counts
end

if ... == "nolimits" then return end

-- Limits: of the C stack, of the Lua stack, of memory; and errors in handlers, without end. (Quadratic where each check
-- moves the whole stack.)
for _, run in ipairs { call, function(f) return wrap(f)() end } do
  run(function()
    local function deep() return deep() + 1 end
    local function over() local ok, m = pcall(deep) return ok, m:gsub("^.-:%d+: ", ""):sub(1, 14) end
    show("stack overflow", over())
    show("stack overflow again", over())
    show("stack overflow and a handler", xpcall(deep, function(m) return m:find("stack overflow") ~= nil end))
    local function through() return pcall(through) end
    show("pcall without end", type(through()))
    local function sorted() table.sort({ 1, 2 }, sorted) end
    local ok, m = pcall(sorted)
    show("C stack overflow", ok, m:find("C stack overflow") ~= nil or m)
    show("handlers without end", xpcall(error, function(m) error(m) end, "x"))
    show("handler that overflows", xpcall(error, deep, "x"))
    show("handler that isn't one", pcall(xpcall, error, none))
    show("handler that can't be called", pcall(xpcall, error, 5))
    collectgarbage()
    limitmemory(20000)
    local full, why = pcall(string.rep, "x", 100000000)
    local grown, also = pcall(function() local t = {} for i = 1, 10000000 do t[i] = i end end)
    local third, said = xpcall(function() return ("x"):rep(100000000) end, function() return "a handler isn't asked" end)
    limitmemory(0)
    show("memory", full, why, grown, also, third, said)
    show("memory raised", xpcall(error, function(m) return "handler: " .. m end, why))
    show("closed all the same", pcall(function()
      local x <close> = setmetatable({}, { __close = function(_, e) show("  closing", e) end })
      error(why, 0)
    end))
  end)
end

print("errors.lua: ok")
