-- Waits: what the scheduler, the script around and the coroutine inside see of them. Only for the patched build.
-- The argument divides the number of rounds, for slow builds.

local create, resume, yield, wrap = coroutine.create, coroutine.resume, coroutine.yield, coroutine.wrap
local status, close = coroutine.status, coroutine.close
local rounds = 1000000 // (tonumber((...)) or 1)

local function list(...)
  local n, out = select("#", ...), {}
  for i = 1, n do out[i] = tostring((select(i, ...))) end
  return table.concat(out, ",")
end

local function expect(wanted, ...)
  local got = list(...)
  if got ~= wanted then error(("expected <%s>, got <%s>"):format(wanted, got), 2) end
end

local boundary = "attempt to yield across a C-call boundary"

-- runs(f, values...): steps a base coroutine with one value after the other, which must wait each time but the last
local function runs(f, ...)
  local co = base(f)
  local n = select("#", ...)
  expect("wait", step(co))
  for i = 1, n - 1 do expect("wait", step(co, (select(i, ...)))) end
  return step(co, (select(n, ...)))
end

-- In a base coroutine: plain, tail, vararg, in pcall, metamethod, iterator, __close, continuation, as the body.
expect("done,5,end", runs(function() return wait(), "end" end, 5))
expect("done,5", runs(function() return wait() end, 5))
expect("done,3,5", runs(function(...) return select("#", 1, 2, 3), (function(...) return wait() end)(...) end, 5))
expect("done,true,5", runs(function() return pcall(wait) end, 5))
expect("done,false,e5", runs(function() return pcall(function() error("e" .. wait(), 0) end) end, 5))
expect("done,5", runs(function() return setmetatable({}, { __add = function() return (wait()) end }) + 1 end, 5))
expect("done,3", runs(function()
  local n = 0
  for i in wait do n = n + i end
  return n
end, 1, 2, nil))
expect("done,r", runs(function() local x <close> = setmetatable({}, { __close = wait }) return "r" end, 5))
expect("done,10", runs(function() return waitsk(4) end, 1, 2, 3, 4))
expect("done,5", runs(wait, 5))
expect("error,boom", runs(function() wait() error("boom", 0) end, 1))
do
  local co = base(function(...) return wait(), list(...) end)
  expect("wait", step(co, 1, nil)) expect("done,a,1,nil", step(co, "a", "b"))
  expect("dead", status(co)) expect("false,cannot resume dead coroutine", resume(co)) expect("true", close(co))
  co = base(function() return list(wait()) end)
  step(co) expect("done,1,nil,3", step(co, 1, nil, 3))
  co = base(function() return list(wait()) end)
  step(co) expect("done,", step(co))
end

-- In plain coroutines: handed on by resume and wrap, the values handed in, however deep; yields stay what they are.
expect("done,true,5,x", runs(function() return resume(create(function() return wait(), "x" end)) end, 5))
expect("done,5,x", runs(function() return wrap(function() return wait(), "x" end)() end, 5))
expect("done,true,5", runs(function() return resume(create(wait)) end, 5))
expect("done,5", runs(function() return wrap(wait)() end, 5))
expect("done,true,10", runs(function() return resume(create(waitsk), 4) end, 1, 2, 3, 4))
expect("done,1:2:y1:3:y2", runs(function()
  local log = {}
  local co = create(function()
    log[1] = wait() log[2] = wait()
    log[3] = yield("a")
    log[4] = wait()
    log[5] = yield("b")
    return "c"
  end)
  expect("true,a", resume(co)) expect("suspended", status(co))
  expect("true,b", resume(co, "y1"))
  expect("true,c", resume(co, "y2")) expect("dead", status(co))
  return table.concat(log, ":")
end, 1, 2, 3))
do
  local function deep(n, ...)
    if n == 0 then return wait(), wait(), ... end
    if n % 2 == 0 then return select(2, resume(create(deep), n - 1, n)) end
    return wrap(deep)(n - 1, n)
  end
  expect("done,a,b,1", runs(function() return deep(50) end, "a", "b"))
  local co = base(function() return wrap(function(...) return list(wait()), ... end)(1, 2) end)
  step(co) expect("done,7,nil,9,1,2", step(co, 7, nil, 9))
end
expect("done,6", runs(function()
  local sum = 0
  for i in wrap(function() for _ = 1, 3 do yield(wait()) end end) do sum = sum + i end
  return sum
end, 1, 2, 3))
expect("done,true,true,5", runs(function() return pcall(pcall, wrap(function() return wait() end)) end, 5))
expect("done,false,e5", runs(function() return pcall(wrap(function() error("e" .. wait(), 0) end)) end, 5))
expect("done,false,e5", runs(function() return resume(create(function() error("e" .. wait(), 0) end)) end, 5))
expect("error,5", runs(function() return wrap(function() error(wait()) end)() end, 5))
expect("done,true,false,e12,suspended", runs(function()
  local co = create(function() local r = list(pcall(function() error("e" .. wait() .. wait(), 0) end)) yield(r) end)
  local _, r = resume(co)
  return true, r, status(co)
end, 1, 2))
expect("done,closed5,true", runs(function()
  local log
  local co = create(function()
    local x <close> = setmetatable({}, { __close = function() log = "closed" .. tostring(wait()) end })
  end)
  local ok = resume(co)
  return log, ok
end, 5))

-- While a plain coroutine waits it is `normal`, and refuses to be resumed, closed or wrapped by others.
do
  local inner = create(function() local r = wait() return r end)
  local wrapped
  local outer = base(function() return resume(inner) end)
  expect("wait", step(outer))
  local function others()
    expect("normal", status(inner))
    expect("false,cannot resume non-suspended coroutine", resume(inner, "stolen"))
    expect("false,cannot close a normal coroutine", pcall(close, inner))
  end
  others()
  local other = base(others)
  expect("done", step(other))
  expect("done,true,own", step(outer, "own")) expect("dead", status(inner))
  wrapped = wrap(function() return wait() end)
  outer = base(function() return wrapped() end)
  expect("wait", step(outer))
  local ok, message = pcall(wrapped)
  assert(not ok and message:find("cannot resume non%-suspended coroutine"), message)
  expect("done,own", step(outer, "own"))
end

-- A base coroutine is nobody's to resume or close; it is no coroutine to itself.
do
  local co
  local function inside(main)
    return function()
      local this, is_main = coroutine.running()
      assert(this == co and is_main == main and not coroutine.isyieldable())
      expect("running", status(this))
      expect("false,attempt to yield from outside a coroutine", pcall(yield, 1))
      expect("false,cannot resume non-suspended coroutine", resume(this))
      expect("false,cannot close a running coroutine", pcall(close, this))
      local plain = wrap(function()
        local self, plain_main = coroutine.running()
        assert(self ~= this and not plain_main and coroutine.isyieldable() and not coroutine.isyieldable(this))
        expect("normal", status(this))
        expect("false,cannot resume non-suspended coroutine", resume(this))
        expect("false,cannot close a normal coroutine", pcall(close, this))
        yield("plain")
        return wait()
      end)
      expect("plain", plain())
      return plain()
    end
  end
  for _, main in ipairs { true, false } do
    co = base(inside(main), main)
    expect("normal", status(co)) expect("false,cannot resume non-suspended coroutine", resume(co))
    expect("wait", step(co))
    expect("normal", status(co)) expect("false,cannot resume non-suspended coroutine", resume(co))
    expect("false,cannot close a normal coroutine", pcall(close, co))
    expect("done,back", step(co, "back"))
  end
end

-- Where a wait can't travel, the waiting function raises, and what is around goes on, able to wait.
do
  local function refused(ok, message)
    assert(not ok and tostring(message):find(boundary, 1, true), tostring(ok) .. " " .. tostring(message))
  end
  local function everywhere()
    assert(canwait())
    refused(pcall(nocallk, wait))
    refused(pcall(table.sort, { 3, 2, 1 }, function() wait() end))
    refused(pcall(string.gsub, "a", ".", function() wait() end))
    refused(pcall(tostring, setmetatable({}, { __tostring = function() wait() end })))
    refused(load(function() wait() end))
    -- A coroutine inside a callback may yield, but not wait: its resumer can't.
    refused(pcall(nocallk, wrap(function() assert(coroutine.isyieldable() and not canwait()) wait() end)))
    refused(nocallk(resume, create(function() return wrap(wait)() end)))
    expect("true,fine", nocallk(resume, create(function() refused(pcall(wait)) return "fine" end)))
    expect("yielded", nocallk(wrap(function() yield("yielded") end)))
    -- Nor when C resumes it.
    local by_c = create(function() assert(not canwait()) refused(pcall(wait)) yield("c") wait() end)
    expect("1,c", resumes(by_c))
    local state, message = resumes(by_c)
    refused(state == 0, message)
    by_c = create(function() assert(canwait()) yield("script") return canwait() end)
    expect("true,script", resume(by_c)) expect("0,false", resumes(by_c))
    -- A coroutine that was resumed where it couldn't wait can wait when resumed elsewhere.
    local either = create(function() refused(pcall(wait)) yield() return wait() end)
    expect("true", nocallk(resume, either))
    -- Closing across close() is a boundary, too.
    local closed = create(function() local x <close> = setmetatable({}, { __close = function() wait() end }) yield() end)
    resume(closed)
    refused(close(closed))
    return resume(either)
  end
  expect("done,true,now", runs(everywhere, "now"))
  expect("done,true,true,now", runs(function() return resume(create(everywhere)) end, "now"))
  refused(pcall(wait))
  refused(resume(create(wait)))
  refused(pcall(wrap(wait)))
  assert(not canwait())
end

-- Two schedulers' worth of coroutines that interleave, each with its own plain ones.
do
  local log = {}
  local function worker(name)
    return base(function()
      local gen = wrap(function() for i = 1, 3 do yield(name .. i .. wait()) end end)
      for text in gen do log[#log + 1] = text end
      return name
    end)
  end
  local a, b = worker("a"), worker("b")
  step(a) step(b) step(a, "x") step(b, "y") step(b, "z") step(a, "u") step(a, "v")
  expect("done,b", step(b, "w")) expect("dead,dead", status(a), status(b))
  expect("a1x,b1y,b2z,a2u,a3v,b3w", table.concat(log, ","))
end

-- Counters, C stack overflow and garbage over many waits.
do
  local function counters(f)
    local co = base(function()
      local calls = ccalls()
      while true do f() assert(ccalls() == calls, "leaked") end
    end)
    local calls = ccalls()
    for i = 1, rounds // 8 do
      assert(step(co, i) == "wait")
      if i % 1000 == 0 then assert(ccalls() == calls, "leaked in the scheduler") end
    end
  end
  counters(wait)
  counters(function() return wait() end)
  counters(function() return waitsk(3) end)
  counters(function() wrap(wait)() end)
  counters(function() resume(create(function() return wait() end)) end)
  counters(function() pcall(wait) end)
  counters(function() pcall(function() wait() error("x") end) end)
  local gen = wrap(function() while true do wait() yield(1) pcall(function() wait() error("x") end) end end)
  counters(function() gen() end)

  local function nest(n)
    local ok, result = resume(create(function() wait() return nest(n + 1) end))
    return ok and result or n
  end
  local co = base(function() while true do assert(nest(0) > 50) wait() end end)
  for i = 1, 1000 do assert(step(co, i) == "wait") end

  for _, mode in ipairs { "incremental", "generational" } do
    collectgarbage(mode)
    local alive = {}
    for i = 1, rounds // 50 do
      local new = base(function(...)
        local up = { ... }
        local inner = wrap(function() up[#up + 1] = { wait() } yield({}) up[#up + 1] = { wait() } return up end)
        inner()
        local got = inner()
        return #got, got[#got][1]
      end)
      step(new, {}, tostring(i))
      if i % 2 == 0 then
        expect("wait", step(new, { i }))
        if i % 4 == 0 then expect("done,4," .. i, step(new, tostring(i))) end
      end
      alive[i % 100] = new
      if i % 7 == 0 then collectgarbage("step", i % 3) end
      if i % 500 == 0 then collectgarbage() end
    end
  end
  collectgarbage("incremental")
end

print("waits.lua: ok")
