-- `o:data()` of what `m:payload()` gave: where it is found, and that it disturbs nothing else. Only for the patched build.

local m = { payload = function(_, ...) return ... end }

local function same(wanted, got, more)
  assert(rawequal(wanted, got) and more == nil, ("expected <%s>, got <%s>, <%s>"):format(wanted, got, more))
end

local function given(a, b, c) return (b:data()) end

local values = { 1, 1.5, "text", true, false, { data = 1 }, { 1, 2 }, {}, n = 9 }
for i = 1, values.n do
  local value = values[i]
  same(value, m:payload(value):data())
  local p = m:payload(value)
  local q, r = p, m:payload(value)
  same(value, p:data()) same(value, q:data()) same(value, r:data())
  same(value, p:data(1, 2, 3))
  local s, n = m:payload(value), i
  same(value, s:data())
  while true do
    same(value, p:data())
    if i then break end
  end
end

-- Deep stacks move while it is called.
local function deep(n)
  if n == 0 then return "end" end
  local p = m:payload(n)
  same(n, p:data())
  local all = table.pack(p:data(), p:data())
  assert(all.n == 2)
  local r = deep(n - 1)
  return r
end
assert(deep(150) == "end")

-- Everything else fails as it did.
local function fails(f, ...)
  local ok, err = pcall(f, ...)
  assert(not ok, "no error")
  return (err:gsub("^.-:%d+: ", ""))
end
assert(fails(function(p) return p:data() end, {}) == "attempt to call a nil value (method 'data')")
assert(fails(function() local p = {} return p:data() end) == "attempt to call a nil value (method 'data')")
assert(fails(function() local p = 1 return p:data() end) == "attempt to index a number value (local 'p')")
assert(fails(function() local p = m:payload({}) return p:other() end) == "attempt to call a nil value (method 'other')")
assert(fails(function() local p = m:payload(1) return p.data end) == "attempt to index a number value (local 'p')")
assert(fails(function() local p = m:payload({}) return p.data() end) == "attempt to call a nil value (field 'data')")
assert(fails(function() local p = m.payload(m, {}) return p:data() end) == "attempt to call a nil value (method 'data')")
assert(fails(function() local _, p = m:payload({}, {}) return p:data() end) == "attempt to call a nil value (method 'data')")
assert(fails(function() local p p = m and m:payload({}) return p:data() end) == "attempt to call a nil value (method 'data')")
-- A variable that may have been set again is not known, and an argument is the caller's.
assert(fails(function() local p = m:payload(1) for i = 1, 2 do local r = p:data() p = "mine" end end) == "attempt to index a number value (local 'p')")
assert(fails(function() local p = m:payload(1) local n = 0 ::top:: local r = p:data() n = n + 1 if n < 2 then p = nil goto top end end) == "attempt to index a number value (local 'p')")
assert(fails(function() local p = m:payload(1) local function set() p = 2 end set() return p:data() end) == "attempt to index a number value (local 'p')")
assert(fails(function() local p = m:payload(1) if not m then p = 2 end return p:data() end) == "attempt to index a number value (local 'p')")
assert(fails(function() given(1, m:payload(1)) end) == "attempt to index a number value (local 'b')")
assert(fails(function() local o = setmetatable({}, { __call = function(self, x) return (self:data()) end }) local r = o(m:payload(1)) end) == "attempt to call a nil value (method 'data')")
assert(fails(function(p) given(1) end) == "attempt to index a nil value (local 'b')")
assert(fails(function() local x = m:payload(1) given(1) end) == "attempt to index a nil value (local 'b')")
assert(fails(function() return setmetatable({}, { __add = function(p) return p:data() end }) + 1 end) == "attempt to call a nil value (method 'data')")
-- Also in coroutines, and where a metamethod is called.
local co = coroutine.wrap(function(v) local p = m:payload(v) coroutine.yield(p:data()) return p:data() end)
same(values[6], co(values[6])) same(values[6], co())
