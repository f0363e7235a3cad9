//! Files: `data` may be written, `data/inner` in it and `shelf` may be read. Beside them lies a secret, to which links
//! lead. What a path may lead to is tested where it is decided, too (`host/engine/src/files/tests.rs`).

use crate::case::Case;

pub fn cases() -> Vec<Case> {
    vec![
        Case::body("paths that lead out", "=> \"none\"", r#"
            local out = {}
            for _, path in ipairs { "data/../secret", "../secret", "/etc/passwd", "secret", "data/out", "data/etc/passwd", "data/out/",
                "data//..//secret", "data/./../secret", "data/inner/shelf/../../secret", "data/inner/../../secret", "data/\0/../secret",
                "data/out\0", "\0", "", ".", "..", "/", "data/etc", ("data/"):rep(500), "data/" .. ("../"):rep(500) .. "etc/passwd" } do
                for _, f in ipairs { fs.read, fs.list } do
                    local got = f(path)
                    if type(got) == "string" then out[#out + 1] = path end
                    if type(got) == "table" and path ~= "data/" then
                        for _, name in ipairs(got) do if name == "passwd" or name == "secret" then out[#out + 1] = path end end
                    end
                end
            end
            return #out == 0 and "none" or table.concat(out, " ")"#)
        .with_files(),
        Case::body("to write, remove and rename what lies outside", "=> \"none\"", r#"
            local done = {}
            for name, f in pairs {
                through = function() return fs.write("data/out", "x") end,
                beside = function() return fs.write("data/../new", "x") end,
                shelf = function() return fs.write("shelf/book", "x") end,
                remove = function() return fs.remove("shelf/book") end,
                make = function() return fs.mkdir("shelf/new") end,
                into = function() fs.write("data/f", "x") return fs.rename("data/f", "shelf/f") end,
                from = function() return fs.rename("shelf/book", "data/book") end,
                etc = function() return fs.write("data/etc/new", "x") end,
                root = function() return fs.remove("data") end,
            } do
                if f() then done[#done + 1] = name end
            end
            return #done == 0 and "none" or table.concat(done, " ")"#)
        .with_files(),
        Case::body("a grant to read, turned into one to write by a rename around it", "=> \"kept\"", r#"
            fs.rename("data/inner", "data/moved") fs.rename("data", "other") fs.remove("data/inner/kept")
            fs.write("data/inner/kept", "changed") fs.write("data/moved/kept", "changed") fs.mkdir("data/inner")
            return (fs.read("data/inner/kept"))"#)
        .with_files(),
        Case::body("files larger than a message", "=> {\"Invalid\", 1048576}", r#"
            local _, err = fs.write("data/large", ("x"):rep((1 << 20) + 1))
            for _ = 1, 8 do fs.append("data/large", ("x"):rep(1 << 20)) end
            local text = fs.read("data/large", { length = 1 << 20 }) or ""
            fs.remove("data/large")
            return { err:kind(), #text }"#)
        .with_memory(64 << 20)
        .with_files(),
        Case::body("two thousand operations at once", "=> 2000", r#"
            local done, count = channel.new(2000), 0
            for i = 1, 2000 do
                coroutine.spawn(function() fs.read("shelf/book") done:send(true) end)
            end
            for i = 1, 2000 do done:receive() count = count + 1 end
            return count"#)
        .with_memory(64 << 20)
        .with_files(),
        Case::script("operations of who is killed", "Canceled: process terminated", r#"
return { main = function()
    while true do
        local pids = {}
        for i = 1, 50 do pids[i] = process.spawn("app:child", "app:processes", i) end
        time.sleep("2ms")
        for i = 1, 50 do process.terminate(pids[i]) end
    end
end }
-- entry: child
return { main = function(i)
    for j = 1, 16 do coroutine.spawn(function() while true do fs.write("data/" .. i, ("x"):rep(100000)) fs.read("data/" .. i) end end) end
    time.sleep("1h")
end }"#)
        .ended_after(60)
        .with_files(),
        Case::body("files and variables without a grant", "=> \"none\"", r#"
            local none, env = pcall(require, "env")
            local fs = select(2, pcall(require, "fs"))
            local found = type(fs) == "table" and fs.read("shelf/book") or type(env) == "table" and env.get("HOME")
            return found and "found" or "none""#),
    ]
}
