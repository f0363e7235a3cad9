//! What a script finds: the exact list, each process's own copies, and a runtime that its script can't break.

use expect_test::expect;
use lunarium_tests::Lab;

use crate::check::{check, check_main};

#[test]
fn the_globals_are_exactly_these() {
    check_main(
        r#"
        local function list(t)
            local names = {}
            for name in pairs(t) do names[#names + 1] = tostring(name) end
            table.sort(names)
            return table.concat(names, " ")
        end
        print(list(_G))
        for _, name in ipairs { "string", "table", "math", "utf8", "coroutine", "os", "debug" } do
            print(name .. ": " .. list(_G[name]))
        end
        print(_VERSION, _G._G == _G)
        "#,
        expect![[r#"
            _G _VERSION assert base64 channel collectgarbage coroutine ctx debug error errors getmetatable hash ipairs json load logger math next os pairs pcall print process random rawequal rawget rawlen rawset require security select setmetatable string table time tonumber tostring type unpack utf8 uuid warn xpcall
            string: byte char find format gmatch gsub len lower match pack packsize rep reverse sub unpack upper
            table: concat create insert move pack remove sort unpack
            math: abs acos asin atan ceil cos deg exp floor fmod huge log max maxinteger min mininteger modf pi pow rad random randomseed sin sqrt tan tointeger type ult
            utf8: char charpattern codepoint codes len offset
            coroutine: close create isyieldable resume running spawn status wrap yield
            os: clock date difftime time
            debug: traceback
            Lua 5.4	true
            => nil
        "#]],
    );
}

#[test]
fn the_modules_are_exactly_these() {
    check_main(
        r#"
        local function list(t)
            local names = {}
            for name in pairs(t) do names[#names + 1] = tostring(name) end
            table.sort(names)
            return table.concat(names, " ")
        end
        print(list(process))
        print(list(process.event), list(process.registry))
        print(list(channel))
        print(list(time))
        print(list(json), list(logger))
        print(list(base64), list(hash), list(uuid), list(random))
        "#,
        expect![[r#"
            call cancel event events exec get_options group id inbox limits link listen monitor pid registry send set_options spawn spawn_linked spawn_linked_monitored spawn_monitored terminate unlink unlisten unmonitor upgrade with_context with_options with_timeout
            CANCEL EXIT LINK_DOWN	CONSISTENT EVENTUAL LOCAL STRONG lookup register unregister
            new select
            HOUR MICROSECOND MILLISECOND MINUTE NANOSECOND SECOND after date now parse parse_duration sleep ticker timer unix
            decode encode null validate validate_string	1 debug error info named warn with
            decode decode_url encode encode_url	equals hmac_sha256 sha256 xxh3	parse v4 v7 validate	bytes
            => nil
        "#]],
    );
}

#[test]
fn nothing_reachable_leads_further() {
    // Walks everything that can be reached from the globals and from the objects of the runtime: values, keys,
    // metatables. Only the named tables, functions and plain values may be there.
    check_main(
        r#"
        local seen, tables, odd = {}, 0, {}
        local function walk(value, path)
            if (type(value) ~= "table" and type(value) ~= "userdata") or seen[value] then
                if type(value) == "thread" then odd[#odd + 1] = path end
                return
            end
            seen[value] = true
            tables = tables + 1
            local meta = getmetatable(value)
            if meta ~= nil and meta ~= false then walk(meta, path .. "<meta>") end
            if type(value) == "table" and meta == nil then
                for k, v in next, value do
                    walk(k, path .. "<key>")
                    walk(v, path .. "." .. tostring(k))
                end
            elseif meta ~= false and meta ~= getmetatable("") then
                odd[#odd + 1] = path
            end
        end
        seen[seen], seen[odd] = true, true
        walk(_G, "_G")
        walk(getmetatable(""), "string<meta>")
        for name, object in pairs {
            time = time.now(), duration = time.SECOND, err = errors.new("x"), ch = channel.new(), timer = time.timer("1h"),
            case = channel.new():case_receive(), null = json.null, logger = logger:with {},
        } do
            if getmetatable(object) ~= false then odd[#odd + 1] = name end
        end
        -- _G, seven of Lua's libraries, process with two inside, channel, time, errors, json and its null, base64, hash, uuid,
        -- random, logger, the metatable of strings, and the six constants of time.
        print(tables)
        return table.concat(odd, " ")
        "#,
        expect![[r#"
            31
            => ""
        "#]],
    );
}

#[test]
fn load_takes_text_only() {
    check_main(
        r#"
        print(load("return 1 + 1")())
        print(load(string.gmatch("return 2", "..?"))())
        print(load("return x", "=name", "t", { x = 3 })())
        print(load("return *", "=name"))
        print(load("x = 4") ~= nil, x)
        for _, mode in ipairs { "t", "bt", "b" } do
            print(mode, load("\27Lua\x54\0\x19\x93\r\n\x1a\n", "=binary", mode) == nil, load("return 5", "=text", mode) ~= nil)
        end
        print(select(2, load("\27Lua")):match("attempt to load a binary chunk"))
        print(load(function() return nil end) ~= nil, raised(function() load({}) end))
        print(string.dump, dofile, loadfile, loadstring)
        "#,
        expect![[r#"
            2
            2
            3
            nil	name:1: unexpected symbol near '*'
            true	nil
            t	true	true
            bt	true	true
            b	true	false
            attempt to load a binary chunk
            true	bad argument #1 to 'load' (function expected, got table)
            nil	nil	nil	nil
            => nil
        "#]],
    );
}

#[test]
fn os_is_in_utc_and_counts_cpu_time() {
    check_main(
        r#"
        print(os.date("%Y-%m-%d %H:%M:%S", 86399), os.date("!%H:%M", 0) == os.date("%H:%M", 0))
        print(os.time { year = 1970, month = 1, day = 2, hour = 0 })
        print(os.date("*t", 0).hour, os.date("*t", 0).isdst, os.difftime(5, 3))
        local before = os.clock()
        for _ = 1, 1e6 do end
        local worked = os.clock() - before
        -- A busy machine may hold up a turn, and that counts; it doesn't always.
        local slept, tries = 1, 0
        while slept >= 0.05 and tries < 20 do
            before, tries = os.clock(), tries + 1
            time.sleep("60ms")
            slept = os.clock() - before
        end
        print(math.type(before), worked > 0, slept < 0.05)
        "#,
        expect![[r#"
            1970-01-01 23:59:59	true
            86400
            0	false	2.0
            float	true	true
            => nil
        "#]],
    );
}

#[test]
fn a_script_harms_itself_alone() {
    check_main(
        r#"
        print(exit_of("vandal").result)
        print(exit_of("victim").result)
        print(("x"):rep(3), string.format("%d", 5), pcall(error, "caught"))
-- entry: vandal
return { main = function()
    string.rep, string.format, process.pid, math.pi = nil, function() return "broken" end, nil, 3
    pcall, error, pairs = nil, nil, nil
    getmetatable("").__index = function() return function() return "broken" end end
    return ("x"):upper()
end }
-- entry: victim
return { main = function()
    return ("x"):upper() .. string.rep("y", 2) .. string.format("%d", 7) .. tostring(process.pid ~= nil and pcall(error))
end }
        "#,
        expect![[r#"
            broken
            Xyy7false
            xxx	5	false	caught
            => nil
        "#]],
    );
}

#[test]
fn the_runtime_works_when_every_global_is_gone() {
    check_main(
        r#"
        local process, channel, time, errors, coroutine = process, channel, time, errors, coroutine
        local print, next, type, pcall, tostring, error = print, next, type, pcall, tostring, error
        local meta = getmetatable("")
        local function wreck(t)
            local names = {}
            for name in next, t do names[#names + 1] = name end
            for i = 1, #names do t[names[i]] = function() error("wrecked") end end
        end
        local spawn, wrap = coroutine.spawn, coroutine.wrap
        local send, listen, inbox, events, pid = process.send, process.listen, process.inbox, process.events, process.pid
        local start, sleep, after, new_error, select = process.spawn_monitored, time.sleep, time.after, errors.new, channel.select
        local new, null = channel.new, json.null
        local encode, decode, logger, now, date, parse = json.encode, json.decode, logger, time.now, time.date, time.parse
        local sha256, random_bytes, v7 = hash.sha256, random.bytes, uuid.v7
        for _, library in next, { string, table, math, utf8, coroutine, os, debug, process.registry, process, channel, time, errors, json,
            base64, hash, uuid, random } do
            wreck(library)
        end
        wreck(_G)
        meta.__index, meta.__concat, meta.__len = nil, nil, nil

        local me, ch = pid(), new()
        spawn(function() sleep(1) ch:send("through a channel") end)
        print(ch:receive())
        send(me, "t", { "a", { b = 1 } }, new_error("wrong"))
        local got = listen("t"):receive()
        print(got.n, got[1][1], got[1][2].b, got[2], got[2]:kind() == "", "said: " .. got[2])
        send(me, "other")
        local result = select { inbox():case_receive(), after("1h"):case_receive() }
        print(result.value:topic(), result.value, result.value.topic .. "!")
        start("app:fails", "app:processes")
        print(events():receive().result)
        print(wrap(function() sleep(1) return "in a coroutine" end)())
        print(pcall(error, new_error("raised")))
        print(select { default = true }.default, after(0):receive() ~= nil)
        print(encode { list = { 1, null }, at = date(2024, 1, 2) }, decode('{"a": [true]}').a[1], decode("}"))
        print(parse("2 Jan 2024", "%d %b %Y"):in_location("Asia/Tokyo"):round("1h"), now() > date(2024, 1, 2))
        logger:with({ list = { 1 }, why = new_error("x") }):info("logged", { [now()] = now() })
        error("the end", 0)
        "#,
        expect![[r#"
            through a channel	true
            2	a	1	wrong	true	said: wrong
            other	message `other` from {app:processes|0x00001}	other!
            boom
            in a coroutine
            false	raised
            true	true
            {"at":"2024-01-02T00:00:00Z","list":[1,null]}	true	nil	expected value at line 1 column 1
            2024-01-02T09:00:00+09:00	true
            failed Internal: the end
        "#]],
    );
}

#[test]
fn a_global_metatable_does_not_reach_the_runtime() {
    check(
        r#"
        setmetatable(_G, { __index = function(_, name) error("no global " .. name, 2) end,
            __newindex = function(_, name) error("no new global " .. name, 2) end })
        return function()
            process.send(process.pid(), "t", { 1 })
            print(process.listen("t"):receive()[1])
            time.sleep(1)
            print(pcall(function() return undefined end))
            coroutine.spawn(function() time.sleep(1) end)
            return (process.registry.lookup("x"))
        end"#,
        expect![[r#"
            1
            false	main.lua:8: no global undefined
            => nil
        "#]],
    );
}

#[test]
fn random_starts_differently_in_every_process() {
    check_main(
        r#"
        local seen, different = {}, 0
        for _ = 1, 50 do
            local number = exit_of("draws").result.value
            if not seen[number] then different = different + 1 end
            seen[number] = true
        end
        print(different)
        math.randomseed(42)
        local first = { math.random(0), math.random(0) }
        math.randomseed(42)
        print(first[1] == math.random(0), first[2] == math.random(0))
-- entry: draws
return { main = function() return math.random(0) end }
        "#,
        expect![[r#"
            50
            true	true
            => nil
        "#]],
    );
}

#[test]
fn globals_are_a_process_own() {
    let lab = Lab::default();
    lab.define("count = (count or 0) + 1 return { main = function() string.mark = (string.mark or 0) + 1 return count + string.mark end }");
    for _ in 0..20 {
        assert_eq!(lunarium_tests::show_outcome(&lab.spawn("main", Vec::new()).wait_blocking()), "=> 2");
    }
}

#[test]
fn modules_can_be_required_or_not() {
    check_main(
        r#"
        for _, name in ipairs { "process", "channel", "coroutine", "time", "errors", "ctx", "security", "json", "base64", "hash", "uuid",
            "random", "logger" } do
            assert(require(name) == _G[name], name)
        end
        for _, name in ipairs { "io", "package", "ffi", "nothing", "", "../x", "process.registry" } do
            print((raised(require, name)))
        end
        print(select(2, pcall(function() require("io") end)))
        print(raised(function() require({}) end))
        print(io, package)
        process = nil
        print(require("process").pid())
        "#,
        expect![[r#"
            module 'io' not found (the entry has no `imports`)
            module 'package' not found (the entry has no `imports`)
            module 'ffi' not found (the entry has no `imports`)
            module 'nothing' not found (the entry has no `imports`)
            module '' not found (the entry has no `imports`)
            module '../x' not found (the entry has no `imports`)
            module 'process.registry' not found (the entry has no `imports`)
            main.lua:9: module 'io' not found (the entry has no `imports`)
            bad argument #1 to 'require' (string expected, got table)
            nil	nil
            {app:processes|0x00001}
            => nil
        "#]],
    );
}
