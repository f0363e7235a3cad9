-- What a program of a storm may do. `---- n` begins a move that is taken n times as often as one of weight 1. `$word` is
-- replaced by what the dice say (see `program.rs`); `$moves` by further moves.
---- 12
S.send($target, $topic, $value)
---- 4
process.send($target, $topic, $value)
---- 2
for i = 1, $many do if not S.send($target, $topic, i) then break end end
---- 1
local to = $target for i = 1, $huge do process.send(to, $topic, "x") end
---- 2
S.send($target, $topic, ("x"):rep($huge))
---- 1
local value = S.collide($many) for _ = 1, $few do S.send($target, $topic, value) end
---- 1
S.send($target, $topic, S.empty($huge))
---- 6
local ch = process.listen($topic, { message = true }) S.drain(ch, $some, "$msms")
---- 2
local ch = process.listen($topic, { message = true }) S.drain(ch, $few, "1ms") process.unlisten(ch) S.drain(ch, $some, 0)
---- 4
S.drain(process.inbox(), $some, "$msms")
---- 6
S.events($some, "$msms")
---- 1
process.listen("z$few") process.listen("y$few") process.listen("x" .. ("x"):rep($some))
---- 1
for i = 1, $many do process.listen("many" .. i) end
---- 10
S.spawn("spawn", $entry, $host, $value)
---- 6
S.spawn("spawn_monitored", $entry, $host)
---- 4
S.spawn("spawn_linked", $entry, $host)
---- 4
S.spawn("spawn_linked_monitored", $entry, $host)
---- 1
for _ = 1, $many do if not S.spawn("spawn", $entry, $host) then break end end
---- 1
local how = "spawn_linked" for _ = 1, $some do S.spawn(how, $entry, $host) end
---- 1
S.spawn("spawn", $entry, $host, ("x"):rep($huge), S.deep($some))
---- 4
S.build(S.spawner($name, "user:$few"), "spawn_monitored", $entry, $host)
---- 2
S.build(S.spawner(nil, nil, security.new_scope {}), "spawn_linked", $entry, $host)
---- 3
S.build(S.spawner($name, "user:$few", security.named_scope("app:group$few")), "spawn", $entry, $host)
---- 2
S.build(S.spawner($name), "spawn_linked_monitored", $entry, $host)
---- 3
local result, err = process.exec($entry, $host, 0, S.depth + 9, process.pid()) S.look(err)
---- 2
for _ = 1, $some do coroutine.spawn(S.try, function() S.look(select(2, process.exec($entry, $host, 0, S.depth + 3))) end) end
---- 3
if S.depth < 20 then process.upgrade($entry, S.seq, S.depth + 1, S.peer(1)) end
---- 3
if S.depth < 30 then process.upgrade(nil, S.seq, S.depth + 1, S.peer(2)) end
---- 1
coroutine.spawn(function() time.sleep("$msms") if S.depth < 20 then process.upgrade(nil, S.seq, S.depth + 1) end end)
---- 2
process.upgrade("app:nothing", 1) process.upgrade($entry, print)
---- 5
process.link($target)
---- 3
for i = 1, 16 do process.link(S.peer(i)) end
---- 1
process.unlink($target)
---- 5
process.monitor($target)
---- 2
for i = 1, 16 do process.monitor(S.peer(i)) end
---- 1
process.unmonitor($target)
---- 5
process.set_options { trap_links = true }
---- 1
process.set_options { trap_links = false } process.set_options { trap_linkz = 1 }
---- 4
process.terminate($target)
---- 3
process.cancel($target, "$msms")
---- 1
for _ = 1, $many do process.cancel($target, "1h") process.cancel($target, 0) end
---- 1
process.cancel(process.pid(), "$msms") while true do time.sleep("1ms") end
---- 5
process.registry.register($name)
---- 2
process.registry.register($name, $target)
---- 2
process.registry.unregister($name) process.registry.lookup($name)
---- 1
for i = 1, $many do process.registry.register("squat" .. i) end
---- 6
time.sleep("$msms")
---- 2
for _ = 1, $some do time.sleep("1us") end
---- 1
for _ = 1, $many do time.sleep(0) end
---- 1
for _ = 1, $many do coroutine.spawn(time.sleep, "$msms") end
---- 2
local t = time.ticker("1us") for _ = 1, $some do t:channel():receive() end t:stop() t:reset("1ms")
---- 1
for _ = 1, $many do local t = time.timer("$msms") t:stop() t:reset("1h") time.after("1h") end
---- 3
local ch = channel.new($few)
coroutine.spawn(S.try, function() for i = 1, $some do ch:send(i) end ch:close() end)
for _ = 1, $some do ch:receive() end
---- 2
local cases, all = {}, {}
for i = 1, $some do all[i] = channel.new(i % 3) cases[i] = i % 2 == 0 and all[i]:case_send(i) or all[i]:case_receive() end
cases.default = true
for _ = 1, $some do local got = channel.select(cases) if got.default then break end end
for i = 1, #all do all[i]:close() end
---- 1
local ch = channel.new() for _ = 1, $many do coroutine.spawn(S.try, ch.receive, ch) end ch:close() time.sleep(0)
---- 1
local a, b = channel.new(), channel.new()
for _ = 1, $some do coroutine.spawn(S.try, function() while true do channel.select { a:case_receive(), b:case_send(1) } end end) end
for _ = 1, $some do channel.select { a:case_send(1), b:case_receive() } end
---- 3
coroutine.spawn(S.try, function()
$moves
end)
---- 2
local co = coroutine.wrap(function()
$moves
coroutine.yield(1)
end)
co() co()
---- 1
local co = coroutine.create(function() local _ <close> = setmetatable({}, { __close = function()
$moves
end }) coroutine.yield() end)
coroutine.resume(co) coroutine.close(co)
---- 1
for _ = 1, $huge do coroutine.spawn(function() end) end
---- 1
local t = {} for i = 1, $huge do t[i] = coroutine.create(print) coroutine.resume(t[i], i) end
---- 1
local function nest(n) if n > 0 then coroutine.wrap(nest)(n - 1) else time.sleep("1ms") end end nest($many)
---- 1
setmetatable({}, { __gc = function()
$moves
end }) collectgarbage()
---- 1
setmetatable({}, { __gc = function(self) setmetatable(self, getmetatable(self)) while $flag do end end }) collectgarbage() collectgarbage()
---- 1
for _, mode in ipairs { "generational", "incremental", "step", "stop", "restart", "count", "collect" } do pcall(collectgarbage, mode) end
---- 1
while true do end
---- 1
pcall(function() while true do end end)
---- 1
coroutine.wrap(function() while true do pcall(error) end end)()
---- 1
local t = {} for i = 1, $many do t[i] = i % 7 end table.sort(t, function(a, b) return $flag end)
---- 1
local t = {} for i = 1, $many do t[i] = i % 7 end S.look(select(2, pcall(table.sort, t, function() time.sleep(0) return true end)))
---- 1
local n = 0 ; (("x"):rep($many)):gsub("x", function() n = n + 1 if n == 3 then error("in gsub") end end)
---- 1
local s = ("a"):rep($some) ; (s):find(("a*"):rep($few) .. "b")
---- 1
string.rep("x", 1 << $few * 4) string.rep("xy", $huge, "z") string.format("%99.99f%99d", 1e300, 1)
---- 1
table.concat(setmetatable({}, { __len = function() return 1 << 40 end })) 
---- 1
table.unpack({}, 1, 1e7)
---- 1
local ok, f = pcall(load, ("("):rep($many) .. "1" .. (")"):rep($many)) load("return " .. ("{"):rep($many) .. ("}"):rep($many))
---- 1
load(("local a%d = 1 "):rep($some)) load("x = " .. ("1 + "):rep($huge) .. "1") load(string.char(27) .. "Lua") load("goto a ::a:: ::a::")
---- 1
local function f(n) return 1 + f(n + 1) end f(1)
---- 1
local function f(s) return (s:gsub("x", f)) end f("x")
---- 1
local t = setmetatable({}, {}) getmetatable(t).__index = function(self, k) return self[k] end return t.x
---- 1
local t = setmetatable({}, { __tostring = function(v) return tostring(v) end }) return tostring(t)
---- 1
local f = error for _ = 1, $many do local g = f f = function(...) return pcall(g, ...) end end f("deep")
---- 2
local t = {} while true do t[#t + 1] = ("x"):rep($huge) .. #t end
---- 2
S.try(function() local t = {} while true do t[#t + 1] = { #t } end end)
---- 1
for _ = 1, $some do pcall(string.rep, "x", 1 << 24) end
---- 1
local t = {} for i = 1, $huge do t[i] = function() return i, t end end
---- 2
json.encode($value) json.decode(json.encode({ a = { 1, 2.5, "x", json.null } }))
---- 1
json.decode(("["):rep($many)) json.decode('{"a":' .. ("1"):rep($many) .. "}") json.encode(S.deep($many)) json.encode(S.cycle($few))
---- 1
local text = json.encode(S.collide($many)) json.decode(text) json.decode(("[{},"):rep($some) .. "1" .. ("]"):rep($some))
---- 3
if fs then fs.write("data/a$few", ("x"):rep($huge)) fs.read("data/a$few") end
---- 2
if fs then fs.append("data/a$few", ("x"):rep($many)) fs.list("data") fs.stat("data/a$few") end
---- 2
if fs then fs.mkdir("data/d$few") fs.rename("data/a$few", "data/d$few/a") fs.remove("data/d$few") fs.remove("data/a$few") end
---- 1
if fs then for _ = 1, $some do coroutine.spawn(S.try, function() S.look(select(2, fs.read("data/a$few", { offset = $many, length = $huge }))) end) end end
---- 1
if fs then for _, path in ipairs { "data/../..", "/etc/passwd", "data/" .. ("d/"):rep($many), "data/\0", "", "data/a0/b", ("x"):rep(5000) } do fs.read(path) fs.write(path, "") fs.list(path) fs.rename(path, path) end end
---- 1
if fs then fs.read("data/a$few") end process.terminate(process.pid())
---- 1
if env then env.get("STORM") env.get(("x"):rep($many)) end
---- 2
logger:info("storm", { a = $value, b = "c" })
---- 1
for i = 1, $many do logger:warn(("x"):rep($many), { [("k"):rep($some)] = i }) end
---- 1
logger:with(S.wide($some, "\27[31m\u{202e}")):error("\0\n\27]0;title\7")
---- 2
print($value, "\27[2J", ("x"):rep($some))
---- 1
for _ = 1, $many do print("flood") end
---- 1
error($value)
---- 1
error(errors.new { message = ("m"):rep($huge), kind = errors.CONFLICT, details = S.wide($many, "k") })
---- 1
local e = errors.new("e") for i = 1, $many do e = errors.wrap(e, "w" .. i) end error(e)
---- 1
return $value
---- 1
return ("x"):rep($huge)
---- 2
security.can("document.read", "document:$few", { n = $few }) security.can(("a"):rep($many), "*", S.wide($many, "k"))
---- 1
security.new_actor(("x"):rep($many), S.empty($many)) security.new_scope { security.policy("app:policy$few"), security.policy("app:policy0") }
---- 2
time.parse("2026-01-0$few", "YYYY-MM-DD") time.date(2026, $few, $some, 25, -1, 61, 0, "Europe/Berlin") time.now():format(("YYYY "):rep($many)) time.parse_duration("$fewh$many.5s") time.unix(1 << $some, -1)
---- 1
debug.traceback(coroutine.create(print), ("x"):rep($many), $few) xpcall(error, debug.traceback, $value)
---- 1
utf8.char($many, $huge) utf8.codepoint(("\u{10ffff}"):rep($some), 1, -1) pcall(utf8.len, ("\xff"):rep($many)) string.pack((">s4"):rep($some), "x")
---- 4
S.fuzz($seed, $some)
---- 1
S.fuzz($seed, $many)
