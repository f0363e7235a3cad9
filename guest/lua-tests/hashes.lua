-- Hashes, and the strings of a snapshot: what collided once doesn't any more, and strings stay what they are. Counts the
-- lengths of chains, never the time.

-- ---- Before there is a snapshot: its tables, with keys of all kinds

local kept = { upper = "snapshot", [1] = 1, [2] = 2, [-5] = "negative", [1 << 40] = "large", [0.5] = "half" }
kept[print], kept[true] = "function", "yes"
local long = ("long "):rep(20)
local weak = setmetatable({}, { __mode = "k" })
weak["only here " .. #long] = {}

-- The hash is SipHash-1-3: values of Rust's, with the key 0.
local vectors = {
  [0] = 0x150c532c, 0x72913377, 0x19a1c3d1, 0xa4fa75d9, 0x339e4d38, 0x7314179a, 0x13d5c0d9, 0x2ff2acd5, 0x884b324e,
  0xa4aaf04d, [12] = 0xd0619e33, [15] = 0x963507d3, [16] = 0x99df7fd6, [40] = 0x5c217a1e, [41] = 0xbb3df91c,
  [100] = 0xf1cf2e6f,
}
for length, hash in pairs(vectors) do
  local bytes = {}
  for i = 1, length do bytes[i] = string.char(((i - 1) * 7 + 200) % 256) end
  assert(siphash(table.concat(bytes)) == hash, length)
end

-- The hash of stock Lua.
local function stock_hash(s, seed)
  local h = (seed ~ #s) & 0xffffffff
  for i = #s, 1, -1 do h = h ~ (((h << 5) + (h >> 2) + s:byte(i)) & 0xffffffff) end
  return h & 0xffffffff
end

local generational = ... == "generational"
if generational then collectgarbage("generational") end
local random = freeze(tonumber((select(2, ...))) or 12345)
assert(random ~= 12345)

-- ---- A string of the snapshot is the same as an equal one made now

for _, name in ipairs { "upper", "snapshot", "negative", "__index", "not enough memory", "while", "" } do
  local made = (name .. "x"):sub(1, -2)
  assert(made == name)
  local t = { [name] = 1 }
  assert(t[made] == 1 and rawget(t, made) == 1 and next(t) == made)
end
assert(kept["up" .. "per"] == "snapshot" and kept[("upperx"):sub(1, 5)] == "snapshot")
assert(string["u" .. "pper"] == string.upper and _G[("print_"):sub(1, 5)] == print)
assert(load("return function() while true do return 1 end end")()() == 1)

-- Long ones are compared by their bytes, whoever made them.
local t = { [long] = 1 }
assert(t[("long "):rep(20)] == 1)
t[("long "):rep(20)] = 2
local count = 0
for _ in pairs(t) do count = count + 1 end
assert(count == 1 and t[long] == 2)

-- Tables of the snapshot find what they hold, and what they get.
assert(kept[1] == 1 and kept[2] == 2 and kept[-5] == "negative" and kept[1 << 40] == "large" and kept[0.5] == "half")
assert(kept[print] == "function" and kept[true] == "yes")
for i = 1, 1000 do kept["new " .. i], kept[i * 1000003], kept[i + 0.25] = i, i, i end
for i = 1, 1000 do assert(kept["new " .. i] == i and kept[i * 1000003] == i and kept[i + 0.25] == i) end
assert(kept.upper == "snapshot" and kept[0.5] == "half" and kept[print] == "function" and kept[1 << 40] == "large")

-- ---- Strings come and go; those of the snapshot stay

local _, _, before, snapshot = strings()
do
  local hold = {}
  for i = 1, 50000 do hold[i] = "string " .. i end
  for i = 1, 50000, 7 do assert(hold[i] == "string " .. i) end
  local chain, _, live = strings()
  assert(live >= before + 50000 and chain <= 16, chain)
end
kept, weak, string.reverse = nil, nil, nil
for _ = 1, 12 do
  collectgarbage()
  for i = 1, 100 do assert(("x" .. i):rep(2) == "x" .. i .. "x" .. i) end
end
local _, frozen_chain, after, still = strings()
assert(after < before + 1000 and still == snapshot and frozen_chain <= 12, frozen_chain)
assert(("rev" .. "erse") == "reverse" and string["rev" .. "erse"] == nil)
for byte = 0, 255 do
  local s = string.char(byte)
  assert(#s == 1 and s:byte() == byte and ("" .. s .. s):sub(2) == s)
end
assert(select(3, strings()) <= after + 600)

-- ---- Numbers: chosen ones collide at most as many times as are let pass

-- Fills a table with what `key` gives, checks every way in which it is read, and tells its longest chain.
local function fill(size, key)
  local t = {}
  for i = 1, size do t[key(i)] = i end
  local most, keyed = longest(t)
  local seen = 0
  for k, v in pairs(t) do
    seen = seen + 1
    assert(t[k] == v and k == key(v))
  end
  assert(seen == size)
  for i = 1, size, 2 do t[key(i)] = nil end
  for i = 1, size do assert(t[key(i)] == (i % 2 == 0 and i or nil)) end
  for k in pairs(t) do t[k] = nil end
  assert(next(t) == nil)
  for i = 1, size do t[key(i)] = -i end
  for i = 1, size do assert(t[key(i)] == -i) end
  return math.max(most, (longest(t))), keyed
end

local attacks = {
  function(i) return i * 65535 end,
  function(i) return -i * 65535 end,
  function(i) return i * ((1 << 15) - 1) * ((1 << 16) - 1) end,
  function(i) return i * 65535 * 32767 + 0.5 end,
  function(i) return (i + 0.5) * 2.0 ^ (i % 2) end,
  function(i) return math.tointeger(2 ^ 20) * 65535 * i end,
}
for n, key in ipairs(attacks) do
  local most = fill(40000, key)
  assert(most <= 17, n .. ": " .. most)
end
assert(select(2, fill(40000, attacks[1])), "collisions went unnoticed")
-- What isn't chosen stays in its cheap order.
for _, key in ipairs { function(i) return -i end, function(i) return i * 1000 end, function(i) return i + 0.5 end,
  function(i) return (i // 300) * 1000 + i % 300 end } do
  local most, keyed = fill(20000, key)
  assert(most <= 17)
  assert(not keyed)
end

-- An array whose elements go to the hash part, and the other way round, with keys that collide in it.
local mixed = {}
for i = 1, 40 do mixed[i * 63] = i end
for i = 1, 3000 do mixed[i] = -i end
for i = 1, 3000 do assert(mixed[i] == -i) end
for i = 1, 3000 do if i % 63 ~= 0 then mixed[i] = nil end end
for i = 1, 100 do mixed["k" .. i] = i end
for i = 1, 40 do assert(mixed[i * 63] == -i * 63) end

-- Many tables of colliding keys at the same time, some garbage: also while memory is collected.
for round = 1, 30 do
  local tables = {}
  for j = 1, 20 do
    local t = {}
    for i = 1, 100 do t[i * 127 * 255] = { i } end
    tables[j] = t
  end
  for j = 1, 20 do for i = 1, 100 do assert(tables[j][i * 127 * 255][1] == i) end end
  if round % 10 == 0 then collectgarbage() end
end

-- ---- Strings: those with one hash in stock Lua, with the seed that builds once had, don't collide

do
  local seed, groups, best = 0x4c756e61, {}, nil
  for i = 0, 400000 do
    local s = ("%07x"):format(i * 2654435761 % (1 << 28))
    local h = stock_hash(s, seed) & 0xffff
    local group = groups[h]
    if not group then
      group = {}
      groups[h] = group
    end
    group[#group + 1] = s
    if not best or #group > #best then best = group end
  end
  groups = nil
  local t = {}
  for _, s in ipairs(best) do t[s] = true end
  assert(#best >= 16 and longest(t) <= 8, #best)
end
print("hashes.lua: ok")
