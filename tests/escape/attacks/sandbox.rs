//! Ways out of Lua: what other sandboxes have lost by, and what hides in the standard library.

use crate::case::Case;

pub fn cases() -> Vec<Case> {
    vec![
        Case::body("files, programs and foreign code by the standard library", "=> \"none\"", r#"
            local found = {}
            for _, name in ipairs { "io", "package", "dofile", "loadfile", "loadstring", "ffi", "jit", "newproxy" } do
                if _G[name] ~= nil then found[#found + 1] = name end
            end
            for library, names in pairs {
                os = { "execute", "getenv", "remove", "rename", "tmpname", "exit", "setlocale" }, string = { "dump" },
                debug = { "getregistry", "getupvalue", "setupvalue", "upvalueid", "sethook", "getinfo", "getlocal", "setmetatable" },
            } do
                for _, name in ipairs(names) do if _G[library][name] ~= nil then found[#found + 1] = name end end
            end
            return #found == 0 and "none" or table.concat(found, " ")"#),
        Case::body("precompiled chunks, whole and forged", "=> \"refused\"", r#"
            local head = "\27Lua\x54\0\x19\x93\r\n\x1a\n"
            for _, rest in ipairs { "", ("\0"):rep(1000), ("\xff"):rep(1000), "\4\8\8" .. ("x"):rep(100) } do
                for _, mode in ipairs { "b", "bt", "t" } do
                    if load(head .. rest, "=b", mode) then return "loaded" end
                end
            end
            return "refused""#),
        Case::script("the same chance in two fresh processes", "=> \"differs\"", r#"
return { main = function()
    local got = {}
    for i = 1, 2 do
        process.spawn_monitored("app:child", "app:processes")
        got[i] = process.events():receive().result.value
    end
    return got[1] ~= got[2] and "differs" or "same"
end }
-- entry: child
return { main = function() return math.random(0) end }"#),
        // As in CVE-2025-49844: a chunk's name and its constants while the parser allocates.
        Case::body("the parser under pressure of the collector", "=> \"well\"", r#"
            collectgarbage("incremental", 10, 1000, 1)
            for i = 1, 100 do
                local source = {}
                for j = 1, 60 do source[j] = ("local v%d = { '%s', function() return %q end }"):format(j, ("s"):rep(i), "k" .. i .. j) end
                local chunk = load(table.concat(source, "\n"), "=" .. ("n"):rep(i) .. i)
                if chunk then chunk() end
            end
            return "well""#),
        // As in CVE-2025-46817.
        Case::body("table.unpack with ranges that overflow", "=> \"well\"", r#"
            for _, range in ipairs { { 0, 0x7fffffff }, { -0x80000000, 0x7fffffff }, { math.maxinteger - 1, math.maxinteger },
                { math.mininteger, math.mininteger + 1 }, { 1, 1e7 } } do
                pcall(table.unpack, {}, range[1], range[2])
                pcall(string.byte, "x", range[1], range[2])
                pcall(string.sub, "x", range[1], range[2])
                pcall(table.concat, {}, "", range[1], range[2])
            end
            return "well""#),
        // As in CVE-2025-46818: the metatable of strings is a process's own.
        Case::script("the metatable that all strings share", "=> \"X\"", r#"
return { main = function()
    getmetatable("").__index = function() return function() return "broken" end end
    process.spawn_monitored("app:other", "app:processes")
    return process.events():receive().result.value
end }
-- entry: other
return { main = function() return ("x"):upper() end }"#),
        // As in CVE-2025-46819.
        Case::body("delimiters of long strings at the end of a source", "=> \"well\"", r#"
            for i = 0, 300 do
                for _, tail in ipairs { "[", "]", "", "[x", "[x]" .. ("="):rep(i) } do load("return [" .. ("="):rep(i) .. tail) load("--[" .. ("="):rep(i) .. tail) end
            end
            return "well""#),
        Case::body("objects that the collector has seen die", "=> \"well\"", r#"
            local kept = {}
            for i = 1, 200 do
                local t = setmetatable({ ("x"):rep(i) }, { __gc = function(t) kept[#kept + 1] = t end, __mode = "kv" })
                t[t] = coroutine.create(function() local c <close> = setmetatable({}, { __close = function() kept[#kept + 1] = t end }) coroutine.yield(t) end)
                coroutine.resume(t[t])
                coroutine.close(t[t])
                if i % 10 == 0 then collectgarbage() collectgarbage("step") end
            end
            collectgarbage() collectgarbage()
            for _, t in ipairs(kept) do assert(type(t[1] or "") == "string") end
            return "well""#),
        Case::body("coroutines that resume, close and wrap themselves", "=> \"well\"", r#"
            local co
            co = coroutine.create(function() pcall(coroutine.resume, co) pcall(coroutine.close, co) coroutine.yield() end)
            coroutine.resume(co) pcall(coroutine.resume, coroutine.running()) pcall(coroutine.close, coroutine.running())
            pcall(coroutine.wrap(coroutine.yield)) pcall(coroutine.wrap(coroutine.wrap))
            for _ = 1, 100 do pcall(coroutine.close, coroutine.create(error)) end
            return "well""#),
        Case::body("formats with what is no format", "=> \"well\"", r#"
            for _, f in ipairs { "%", "%z", "%99999d", "%-+ #0.99f", "%n", "%s%s%s", "%q", "%.2147483648f", "%c%c", "\0%s" } do
                pcall(string.format, f, setmetatable({}, { __tostring = function() return 1 end }), 0 / 0, math.mininteger)
                pcall(string.pack, f, 1) pcall(string.unpack, f, "x") pcall(os.date, f, math.maxinteger)
            end
            for _, f in ipairs { "!16i16", "i17", "!0i4", "s16", "c2147483648", "Xi16", ("i16"):rep(10000), "z", "j" } do
                pcall(string.packsize, f) pcall(string.pack, f, 1, 2, 3) pcall(string.unpack, f, ("x"):rep(100), math.mininteger)
            end
            return "well""#),
        Case::body("names and modes that are no text", "=> \"well\"", r#"
            load("x =", ("n"):rep(3000000)) load("x =", "@\0\27[2J") load("x", "=x", ("b"):rep(100000)) pcall(require, ("r"):rep(100000))
            return "well""#)
        .with_memory(64 << 20),
    ]
}
