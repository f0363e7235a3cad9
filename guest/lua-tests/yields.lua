-- Every way to yield and to go on, by what a script can see. Runs on stock Lua and on the patched one alike.

local create, resume, yield, wrap = coroutine.create, coroutine.resume, coroutine.yield, coroutine.wrap
local status, close = coroutine.status, coroutine.close

local function list(...)
  local n, out = select("#", ...), {}
  for i = 1, n do out[i] = tostring((select(i, ...))) end
  return table.concat(out, ",")
end

local function expect(wanted, ...)
  local got = list(...)
  if got ~= wanted then error(("expected <%s>, got <%s>"):format(wanted, got), 2) end
end

local function expect_error(pattern, ok, message)
  if ok or not tostring(message):find(pattern) then
    error(("expected an error like <%s>, got <%s,%s>"):format(pattern, tostring(ok), tostring(message)), 2)
  end
end

-- Values in and out, none, one and many; as a statement, one result, several, all.
do
  local co = create(function(...)
    local seen = { list(...) }
    yield()
    seen[#seen + 1] = list((yield(1)))
    local a, b, c = yield(1, 2, 3)
    seen[#seen + 1] = list(a, b, c)
    seen[#seen + 1] = list(yield(nil, nil))
    local t = { yield("t") }
    seen[#seen + 1] = #t
    return table.unpack(seen)
  end)
  expect("suspended", status(co))
  expect("true", resume(co, "a", nil, "c"))
  expect("true,1", resume(co, "ignored"))
  expect("true,1,2,3", resume(co))
  expect("true,nil,nil", resume(co, 1, 2))
  expect("true,t", resume(co, 4, 5, 6, 7))
  expect("true,a,nil,c,nil,1,2,nil,4,5,6,7,3", resume(co, 1, 2, 3))
  expect("dead", status(co))
  expect("false,cannot resume dead coroutine", resume(co))
end

-- Many values: the stack of both sides grows.
do
  local function range(n) local t = {} for i = 1, n do t[i] = i end return t end
  local co = wrap(function(...)
    local n = select("#", ...)
    while true do n = select("#", yield(table.unpack(range(n)))) end
  end)
  for _, n in ipairs { 0, 1, 5, 50, 500, 5000, 3, 200 } do
    expect(tostring(n), select("#", co(table.unpack(range(n)))))
  end
end

-- Tail yields: from fixed, vararg and method functions, with upvalues to close, in chains.
do
  local co = wrap(function(a) return yield(a + 1) end)
  expect("2", co(1)) expect("x,y", co("x", "y"))
  co = wrap(function(...) return yield(select("#", ...), ...) end)
  expect("3,1,nil,3", co(1, nil, 3)) expect("x,nil", co("x", nil))
  co = wrap(function(...)
    local function va(p, ...) return yield(p, ...) end
    local r = list(va(1, 2, 3, 4))
    local function chain(n, ...) if n == 0 then return va(...) end return chain(n - 1, n, ...) end
    return r, chain(20, ...)
  end)
  expect("1,2,3,4", co("p"))
  expect("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,p", co("back", nil))
  expect("back,nil,end", co("end"))
  local kept
  co = wrap(function(...)
    local up = ...
    kept = function() up = up + 1 return up end
    return yield(kept())
  end)
  expect("11", co(10)) expect("12", kept()) expect("back", co("back")) expect("13", kept())
  co = wrap(function() return (yield(1)) end)
  expect("1", co()) expect("2", co(2, 3))
end

-- coroutine.yield itself is the body; so are C functions that yield.
do
  local co = create(yield)
  expect("true,1,2", resume(co, 1, 2)) expect("suspended", status(co))
  expect("true,3,4", resume(co, 3, 4)) expect("dead", status(co))
  expect("1", wrap(yield)(1))
  co = create(yields)
  expect("true,1", resume(co, 3)) expect("true,2", resume(co, "x")) expect("true,3", resume(co))
  expect("true,3,end", resume(co, "end")) expect("dead", status(co))
  expect("true,0", resume(create(yields), 0))
  co = wrap(setmetatable({}, { __call = function(_, ...) return yield(...) end }).x or function(...)
    return setmetatable({}, { __call = yield })(...)
  end)
  assert(select("#", co(1, 2)) == 3) expect("5", co(5))
end

-- Continuations of C functions: yields in a loop, after calls, after protected calls, and out of a continuation.
do
  local co = wrap(function() return "r", yields(2), (yields(1)), list(yields(0)) end)
  expect("1", co()) expect("2", co()) expect("1", co("a", "b")) expect("r,2,1,0", co("c"))
  co = wrap(function() return callk(function(...) return yield(...), "f" end, 1, 2) end)
  expect("1,2", co()) expect("1,x,f,7", co("x", "y"))
  co = wrap(function() return pcallk(function(...) return yield(...), "f" end, 1, 2) end)
  expect("1,2", co()) expect("1,x,f,8", co("x", "y"))
  co = wrap(function() return pcallk(function() yield(1) error("e", 0) end) end)
  expect("1", co()) expect("2,e,8", co())
  co = wrap(function() return "r", callyield(function() return "first" end) end)
  expect("first", co()) expect("r,second", co("second"))
  co = wrap(function() return "r", callyield(function() return yield("inner"), "more" end) end)
  expect("inner", co()) expect("i,more", co("i")) expect("r,second,third", co("second", "third"))
  co = wrap(function() return callyield(callyield, callyield, yields, 1) end)
  expect("1", co()) expect("1,a", co("a")) expect("b", co("b")) expect("c", co("c")) expect("d,e", co("d", "e"))
end

-- Protected calls: yields inside, errors after yields, yields after errors, nested, with handlers.
do
  local co = wrap(function() return pcall(function() return yield(1), yield(2) end) end)
  expect("1", co()) expect("2", co("a")) expect("true,a,b", co("b"))
  co = wrap(function()
    local a = list(pcall(function() yield(1) error("bad", 0) end))
    local b = list(pcall(yield, 2))
    local c = list(pcall(pcall, pcall, function() yield(3) error({}) end))
    yield(4)
    local d = list(xpcall(function() yield(5) error("h", 0) end, function(m) return m .. "!" end))
    return a, b, #c > 0, d, pcall(error, "last")
  end)
  expect("1", co()) expect("2", co()) expect("3", co("b")) expect("4", co()) expect("5", co())
  expect("false,bad,true,b,true,false,h!,false,last", co())
  co = create(function() yield(1) error("uncaught", 0) end)
  expect("true,1", resume(co)) expect("false,uncaught", resume(co)) expect("dead", status(co))
  expect("false,cannot resume dead coroutine", resume(co))
  co = wrap(function() yield() local x = nil; return x.y end)
  co() expect_error("attempt to index a nil value", pcall(co))
  -- After a caught error the coroutine runs inside 'precover': yields from there must stop it as well.
  co = wrap(function()
    for i = 1, 5 do
      pcall(function() yield("in" .. i) error("x") end)
      yield("out" .. i)
      yields(2)
      local _ = (function() return yield("tail" .. i) end)()
    end
    return "end"
  end)
  for i = 1, 5 do
    expect("in" .. i, co()) expect("out" .. i, co()) expect("1", co()) expect("2", co()) expect("tail" .. i, co())
  end
  expect("end", co())
end

-- Metamethods: every operator yields, also the last of a concatenation, comparisons in conditions.
do
  local mt = {}
  local function op(name) return function(a, b) return (yield(name, rawequal(a, b))) end end
  for _, name in ipairs { "add", "sub", "mul", "div", "mod", "pow", "idiv", "band", "bor", "bxor", "shl", "shr", "unm",
    "bnot", "len", "concat", "call", "index" } do mt["__" .. name] = op(name) end
  for _, name in ipairs { "eq", "lt", "le", "newindex", "close" } do mt["__" .. name] = op(name) end
  local a, b = setmetatable({}, mt), setmetatable({}, mt)
  local function run(f, first, back, wanted)
    local co = wrap(f)
    expect(first, (co()))
    expect(wanted, co(back))
  end
  run(function() return a + 1 end, "add", 5, "5") run(function() return 1 - a end, "sub", 5, "5")
  run(function() return a * b end, "mul", 5, "5") run(function() return a / 2 end, "div", 5, "5")
  run(function() return a % 2 end, "mod", 5, "5") run(function() return 2 ^ a end, "pow", 5, "5")
  run(function() return a // 2 end, "idiv", 5, "5") run(function() return a & 1 end, "band", 5, "5")
  run(function() return 1 | a end, "bor", 5, "5") run(function() return a ~ b end, "bxor", 5, "5")
  run(function() return a << 1 end, "shl", 5, "5") run(function() return 1 >> a end, "shr", 5, "5")
  run(function() return -a end, "unm", 5, "5") run(function() return ~a end, "bnot", 5, "5")
  run(function() return #a end, "len", 5, "5") run(function() return a.x end, "index", 5, "5")
  run(function() return a[1] end, "index", 5, "5") run(function() return a:m() end, "index", tostring, "" .. tostring(a))
  run(function() a.x = 1 return "set" end, "newindex", nil, "set")
  run(function() return a(1) end, "call", 5, "5") run(function() return (a(1)) end, "call", 5, "5")
  run(function() if a == b then return "yes" else return "no" end end, "eq", true, "yes")
  run(function() if a ~= b then return "yes" else return "no" end end, "eq", true, "no")
  run(function() if a < b then return "yes" else return "no" end end, "lt", false, "no")
  run(function() if a <= b then return "yes" else return "no" end end, "le", 1, "yes")
  run(function() return a < 1, 2 > 1 end, "lt", 1, "true,true")
  run(function() return "x" .. a end, "concat", "c", "c")
  run(function() return "x" .. a .. "y" .. "z" end, "concat", "c", "xc")
  local co = wrap(function() local x <close> = a return "r", 2 end)
  expect("close", (co())) expect("r,2", co())
end

-- Iterators that yield, in generic 'for', with closing values; coroutines as iterators.
do
  local co = wrap(function()
    local sum = 0
    for i, j in function(_, i) if i < 3 then return i + 1, yield("it", i) end end, nil, 0 do sum = sum + i + j end
    return sum
  end)
  expect("it,0", co()) expect("it,1", co(10)) expect("it,2", co(20)) expect("66", co(30))
  co = wrap(function()
    for x in yield, 1, 2 do if x == "stop" then break end end
    return "left"
  end)
  expect("1,2", co()) expect("1,go", co("go")) expect("left", co("stop"))
  local function inorder(n) if n > 0 then inorder(n - 1) yield(n) inorder(n - 1) end end
  local out = {}
  for v in wrap(function() inorder(4) end) do out[#out + 1] = v end
  expect("121312141213121", table.concat(out))
end

-- __close: yields while closing after a return, a break, an error, in a C function; errors there.
do
  local function tbc(name, fail)
    return setmetatable({}, { __close = function(_, e)
      yield(name, e)
      if fail then error(name .. " failed", 0) end
    end })
  end
  local co = wrap(function()
    local a <close> = tbc("a")
    local b <close> = tbc("b")
    return "r", yield("body"), 3
  end)
  expect("body", co()) expect("b,nil", co(2)) expect("a,nil", co()) expect("r,2,3", co())
  co = wrap(function()
    local ok, e = pcall(function()
      local a <close> = tbc("a")
      local b <close> = tbc("b", true)
      yield("body")
      error("first", 0)
    end)
    return ok, e, yield("after")
  end)
  expect("body", co()) expect("b,first", co()) expect("a,b failed", co()) expect("after", co())
  expect("false,b failed,z", co("z"))
  co = wrap(function()
    for i = 1, 3 do local c <close> = tbc(i) if i == 2 then break end end
    do local d <close> = tbc("d") end
    return (function(...) local v <close> = tbc("v") return ... end)(1, nil, 3)
  end)
  expect("1,nil", co()) expect("2,nil", co()) expect("d,nil", co()) expect("v,nil", co()) expect("1,nil,3", co())
  co = wrap(function() return "t", tbcyield(tbc("c")) end)
  expect("yielded", co()) expect("c,nil", co("x")) expect("t,tbc,3", co())
end

-- Nested: yields stay with their own coroutine; status, isyieldable, running.
do
  local outer
  outer = create(function(...)
    local inner
    inner = create(function(...)
      expect("normal", status(outer)) expect("running", status(inner))
      expect("false,cannot resume non-suspended coroutine", resume(outer))
      expect("false,cannot resume non-suspended coroutine", resume(inner))
      expect_error("cannot close a normal coroutine", pcall(close, outer))
      expect_error("cannot close a running coroutine", pcall(close, inner))
      assert(coroutine.isyieldable()) assert(select(2, coroutine.running()) == false)
      return "inner", yield(yield(...))
    end)
    local a = list(resume(inner, ...))
    local b = list(resume(inner, yield(a)))
    expect("suspended", status(inner))
    local c = list(resume(inner, yield(b)))
    return c, status(inner)
  end)
  expect("true,true,1,2", (list(resume(outer, 1, 2))))
  expect("true,true,3,4", (list(resume(outer, 3, 4))))
  expect("true,true,inner,5,dead", (list(resume(outer, 5))))
  local function deep(n) if n == 0 then return yield("bottom") end return wrap(deep)(n - 1) end
  local co = wrap(function() return deep(50) end)
  expect("bottom", co())
  local main, is_main = coroutine.running()
  assert(is_main and not coroutine.isyieldable() and status(main) == "running")
end

-- Closing suspended ones: pending variables are closed, errors are told, the state is reusable by nobody.
do
  local log = {}
  local function mark(name, fail)
    return setmetatable({}, { __close = function(_, e)
      log[#log + 1] = name .. tostring(e)
      if fail then error(fail, 0) end
    end })
  end
  local co = create(function() local a <close> = mark("a") local b <close> = mark("b") return yield(1) end)
  expect("true,1", resume(co)) expect("true", close(co)) expect("dead", status(co)) expect("bnil,anil", table.unpack(log))
  expect("false,cannot resume dead coroutine", resume(co)) expect("true", close(co))
  co = create(function() local a <close> = mark("a", "x") pcall(function() local b <close> = mark("b") yield(2) end) end)
  expect("true,2", resume(co)) expect("false,x", close(co))
  co = create(yields) expect("true,1", resume(co, 9)) expect("true", close(co)) expect("dead", status(co))
  expect("true", close(create(print)))
  co = create(function() local a <close> = mark("a", "late") yield(1) error("early", 0) end)
  resume(co) expect("false,early", resume(co)) expect("false,late", close(co))
  co = wrap(function() local a <close> = mark("w") yield(1) error("wrapped", 0) end)
  co() log = {} expect("false,wrapped", pcall(co)) expect("wwrapped", log[1]:sub(1, 8))
end

-- Yields that must fail, and the coroutine goes on well after them.
do
  expect_error("attempt to yield from outside a coroutine", pcall(yield))
  local boundary = "attempt to yield across a C%-call boundary"
  local co = wrap(function()
    expect_error(boundary, pcall(table.sort, { 3, 2, 1 }, function(a, b) yield("sort") return a < b end))
    yield("between")
    expect_error(boundary, pcall(string.gsub, "abc", ".", function() return yield("gsub") end))
    expect_error(boundary, pcall(tostring, setmetatable({}, { __tostring = function() return yield("ts") end })))
    expect_error(boundary, load(function() return yield("reader") end))
    expect_error(boundary, pcall(nocallk, yield, 1)) expect_error(boundary, pcall(nocallk, yields, 1))
    expect_error(boundary, pcall(nocallk, function() return yield(1) end))
    local handled = list(xpcall(function() error("x") end, function() return (pcall(yield)) end))
    expect("false,false", handled)
    return yield("alive"), yield("still")
  end)
  expect("between", co()) expect("alive", co()) expect("still", co(1)) expect("1,2", co(2))
  local collected
  co = wrap(function()
    setmetatable({}, { __gc = function() collected = list(pcall(yield)) end })
    collectgarbage() yield(1) return "fine"
  end)
  expect("1", co()) assert(collected:find(boundary)) expect("fine", co())
end

-- Hooks: a line hook that yields, and counting hooks over all the paths above.
do
  local co = create(function(a)
    local b = a + 1
    local c = yield(b)
    return b, c
  end)
  hookyield(co)
  local got, n = {}, 0
  local value = 1
  while true do
    local r = table.pack(resume(co, value))
    assert(r[1], r[2])
    n = n + 1
    value = nil
    if r.n > 1 then
      got[#got + 1] = list(table.unpack(r, 2, r.n))
      value = "sent"
      if status(co) == "dead" then break end
    end
    assert(n < 20)
  end
  -- With the patch lines are looked at behind calls only.
  expect("2,2,sent", table.unpack(got)) assert(n >= 4, n)
  if callhookyield then
    co = create(function(...) return "r", select("#", ...) end)
    callhookyield(co)
    expect("true", resume(co, 1, 2)) expect("suspended", status(co)) expect("true,r,skipped", resume(co, "skipped"))
  end
  co = wrap(function()
    sethooks(true)
    local a = yield(1)
    local b = (function(...) return yield(...) end)(2, a)
    local c = list(pcall(function() yield(3) error("e", 0) end))
    local before = yields(1)
    sethooks(false)
    return a, b, c, before
  end)
  expect("1", co()) expect("2,a", co("a")) expect("3", co("b")) expect("1", co()) expect("a,b,false,e,1", co())
  assert(sethooks(false) > 10)
end

-- Resumed by C, without a 'from'.
do
  local co = create(function(a) local b = yield(a) return (function(...) return yield(...) end)(b) end)
  expect("1,1", resumes(co, 1)) expect("1,2", resumes(co, 2)) expect("0,3", resumes(co, 3))
  co = create(function() yield() error("e", 0) end)
  expect("1", resumes(co)) expect("2,e", resumes(co))
end

print("yields.lua: ok")
