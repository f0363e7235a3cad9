//! What a script finds, what it doesn't, and that breaking it harms only the script.

use expect_test::expect;

use super::*;

#[test]
fn the_exact_list_of_what_is_reachable() {
    check(
        "local seen, lines = {}, {}
        local function walk(value, path)
          if type(value) ~= 'table' or seen[value] then return end
          seen[value] = true
          local names = {}
          for k in pairs(value) do names[#names + 1] = tostring(k) end
          table.sort(names)
          lines[#lines + 1] = path .. ': ' .. table.concat(names, ' ')
          for _, name in ipairs(names) do walk(value[name], path .. '.' .. name) end
          walk(getmetatable(value), path .. '<meta>')
        end
        walk(_G, '_G') walk(getmetatable(''), 'string<meta>')
        for _, value in ipairs{ channel.new(), channel.new():case_receive(), time.now(), time.SECOND, errors.new('x'), time.timer(1),
          print, coroutine.create(print) } do lines[#lines + 1] = type(value) .. ' ' .. tostring(getmetatable(value)) end
        print(table.concat(lines, '\\n'))",
        expect![[r#"
            _G: _G _VERSION assert base64 channel collectgarbage coroutine ctx debug error errors getmetatable hash ipairs json load logger math next os pairs pcall print process random rawequal rawget rawlen rawset require security select setmetatable string table time tonumber tostring type unpack utf8 uuid warn xpcall
            _G.base64: decode decode_url encode encode_url
            _G.channel: new select
            _G.coroutine: close create isyieldable resume running spawn status wrap yield
            _G.ctx: all get
            _G.debug: traceback
            _G.errors: ALREADY_EXISTS CANCELED CONFLICT INTERNAL INVALID NOT_FOUND PERMISSION_DENIED RATE_LIMITED RESOURCE_EXHAUSTED TIMEOUT UNAVAILABLE UNKNOWN call_stack is new wrap
            _G.hash: equals hmac_sha256 sha256 xxh3
            _G.json: decode encode null validate validate_string
            _G.logger: 1 debug error info named warn with
            _G.math: abs acos asin atan ceil cos deg exp floor fmod huge log max maxinteger min mininteger modf pi pow rad random randomseed sin sqrt tan tointeger type ult
            _G.os: clock date difftime time
            _G.process: call cancel event events exec get_options group id inbox limits link listen monitor pid registry send set_options spawn spawn_linked spawn_linked_monitored spawn_monitored terminate unlink unlisten unmonitor upgrade with_context with_options with_timeout
            _G.process.event: CANCEL EXIT LINK_DOWN
            _G.process.group: join leave members monitor send unmonitor
            _G.process.registry: CONSISTENT EVENTUAL LOCAL STRONG lookup register unregister
            _G.random: bytes
            _G.security: actor can named_scope new_actor new_scope policy scope
            _G.string: byte char find format gmatch gsub len lower match pack packsize rep reverse sub unpack upper
            _G.table: concat create insert move pack remove sort unpack
            _G.time: HOUR MICROSECOND MILLISECOND MINUTE NANOSECOND SECOND after date now parse parse_duration sleep ticker timer unix
            _G.utf8: char charpattern codepoint codes len offset
            _G.uuid: parse v4 v7 validate
            string<meta>: __add __div __idiv __index __mod __mul __pow __sub __unm
            table false
            table false
            userdata false
            userdata false
            table false
            table false
            function nil
            thread nil
            => nil
        "#]],
    );
}

#[test]
fn load_takes_text_only() {
    check(
        "print(load('return 1')()) print(load('\\27Lua')) print(load('return 1', 'c', 'b')) print(load('return 1', 'c', 'bt')())
        print(load('return x', 'c', 't', { x = 'env' })()) print(type(load(function() return nil end))) print(pcall(load)) print(pcall(load, {}))
        print(load('x = = 1', '=name')) print(load('return x', 'c', nil, nil) ~= nil) print(pcall(load('return x', 'c', nil, nil)))
        local parts = { 'return ', '42' } print(load(function() return table.remove(parts, 1) end)())
        print(load('error(1)', '@file.lua') ~= nil, string.dump, loadfile, dofile)",
        expect![[r#"
            1
            nil	attempt to load a binary chunk (mode is 't')
            nil	attempt to load a text chunk (mode is 'b')
            1
            env
            function
            false	bad argument #1 to 'load' (function expected, got nil)
            false	bad argument #1 to 'load' (function expected, got table)
            nil	name:1: unexpected symbol near '='
            true
            false	[string "c"]:1: attempt to index a nil value (upvalue '_ENV')
            42
            true	nil	nil	nil
            => nil
        "#]],
    );
}

#[test]
fn the_runtime_keeps_working_when_a_script_breaks_everything() {
    check(
        "local print, pcall, process, channel, time, errors, spawn = print, pcall, process, channel, time, errors, coroutine.spawn
        local pid, inbox = process.pid(), process.inbox()
        local function clear(t) for k in next, t do t[k] = nil end end
        local function bad() error('broken by the script') end
        local libraries = { string, table, math, coroutine, utf8, os, debug }
        getmetatable('').__index = bad
        local next, ipairs, rawset, error_of = next, ipairs, rawset, error
        for _, library in ipairs(libraries) do for k in next, library do rawset(library, k, bad) end end
        for k in next, _G do if k ~= '_G' then rawset(_G, k, bad) end end
        local ch = process.listen('t', { message = true })
        process.send(pid, 't', { 1, 2 }, 'x') process.send(pid, 'other', 1)
        local m = ch:receive() print(m:topic(), m:from(), m:payload().n, m.topic .. '!', m)
        print(inbox:receive():payload())
        local done = channel.new()
        spawn(function() time.sleep('1s') done:send('sent') end)
        print(channel.select{ done:case_receive() }.value)
        print(errors.new('still an error') .. '', errors.wrap('x', 'y'), 5 * time.SECOND, time.now())
        print(process.send(pid, 't', print))",
        expect![[r#"
            t	{app:processes|0x00001}	2	t!	message `t` from {app:processes|0x00001}
            1
            sent
            still an error	y: x	5s	2026-01-02T03:04:06Z
            nil	payload is a function
            => nil
        "#]],
    );
}

#[test]
fn finalizers_may_do_anything() {
    check(
        "local ch, ran = channel.new(1000), 0
        local function make() setmetatable({}, { __gc = function()
          ran = ran + 1
          process.send(process.pid(), 'gc', { ran }) ch:send(ran)
          coroutine.spawn(function() time.sleep(1) end)
          pcall(time.sleep, 1) print_something = tostring(errors.new('x'))
        end }) end
        for i = 1, 200 do make() end
        local gc = process.listen('gc')
        for i = 1, 3000 do process.send(process.pid(), 't', { { i }, { {} } }) if i % 50 == 0 then time.sleep(1) end end
        collectgarbage() time.sleep(2)
        print(ran, channel.select{ gc:case_receive(), default = true }.value ~= nil)",
        expect![[r#"
            200	true
            => nil
        "#]],
    );
    check(
        "setmetatable({}, { __gc = function() error('in gc') end }) collectgarbage() print('goes on')
        setmetatable({}, { __gc = function() coroutine.spawn(function() error('spawned in gc') end) end }) collectgarbage()
        print('not reached')",
        expect![[r#"
            goes on
            !! ErrorKind::Internal: main.lua:2: spawned in gc
               [C]: in function 'error'
               main.lua:2: in function <main.lua:2>
        "#]],
    );
}

#[test]
fn a_forged_or_tampered_object_raises_at_most() {
    check(
        "local ch = channel.new(1)
        rawset(ch, 1, nil) print((pcall(ch.send, ch, 1))) rawset(ch, 3, 9) print((pcall(ch.receive, ch)))
        local t = time.timer('1h') rawset(t, 1, 5) print((pcall(t.stop, t)))
        local case = channel.new():case_receive() rawset(case, 1, 7) print((pcall(channel.select, { case })))
        print(pcall(setmetatable, ch, {}))
        return 'goes on'",
        expect![[r#"
            false
            false
            false
            false
            false	cannot change a protected metatable
            => "goes on"
        "#]],
    );
}

#[test]
fn random_numbers_differ_by_seed() {
    let draw =
        |seed| Case::body("print(math.random(1 << 60), math.random())").with(|program| program.seed.0 = seed).run();
    assert_ne!(draw(1), draw(2));
    assert_eq!(draw(3), draw(3));
}

#[test]
fn tracebacks_leave_the_runtime_out() {
    check(
        "local function where() return debug.traceback('here') end
        print((where())) print(debug.traceback(5), debug.traceback({}) ~= nil)
        local co = coroutine.create(function() process.listen('t'):receive() end)
        coroutine.spawn(function() coroutine.resume(co) end)
        print(debug.traceback(co)) print(debug.sethook, debug.getinfo)",
        expect![[r#"
            here
            stack traceback:
            	main.lua:1: in local 'where'
            	main.lua:2: in function <main.lua:1>
            5
            stack traceback:
            	main.lua:2: in function <main.lua:1>	true
            stack traceback:
            	[C]: in method 'receive'
            	main.lua:3: in function <main.lua:3>
            nil	nil
            => nil
        "#]],
    );
}
