//! `fs`: files below granted directories, from a script's side. What a path may lead to is tested where it is decided
//! (`host/engine/src/files/tests.rs`).

use std::fs;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use expect_test::{Expect, expect};
use lunarium_engine::{
    Directory, EntryId, Grants, HostId, Limits, Pattern, Policy, PolicyEffect, ScopeSpec, SecuritySpec, SpawnRequest,
    Value,
};
use lunarium_tests::{HOST, Lab, show_outcome};
use tempfile::TempDir;

use crate::check::{check_main_in, program};

/// A lab with `data` (writable) and `shelf` (to be read only), which has a `book`.
struct Shelf {
    folder: TempDir,
    lab: Lab,
}

impl Shelf {
    fn new() -> Shelf {
        Shelf::within(Limits::default())
    }

    fn within(limits: Limits) -> Shelf {
        let folder = tempfile::tempdir().unwrap();
        let mut grants = Grants::default();
        for (name, write) in [("data", true), ("shelf", false)] {
            fs::create_dir(folder.path().join(name)).unwrap();
            let dir = Dir::open_ambient_dir(folder.path().join(name), ambient_authority()).unwrap();
            grants.fs.push(Directory::new(name, dir, write).unwrap());
        }
        fs::write(folder.path().join("shelf/book"), "once upon a time").unwrap();
        let mut lab = Lab::new(limits);
        lab.grants = grants.into();
        Shelf { folder, lab }
    }

    fn check(&self, body: &str, expected: Expect) {
        check_main_in(&self.lab, body, expected);
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }
}

/// File handles of this program that lead below a folder.
fn handles_below(folder: &Path) -> usize {
    let handles = fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    handles.filter(|target| target.starts_with(folder)).count()
}

#[test]
fn what_was_written_is_read() {
    let shelf = Shelf::new();
    shelf.check(
        r#"
        print(fs.write("data/a", "one\0\xff"), fs.read("data/a") == "one\0\xff")
        print(fs.append("data/a", " two"), fs.append("data/new", 3), fs.read("data/new"))
        print(fs.read("shelf/book", { offset = 5, length = 4 }), fs.read("shelf/book", { offset = 12 }))
        print(fs.read("shelf/book", { offset = 100 }) == "", require("fs") == fs)
        print(fs.mkdir("data/sub"), fs.rename("data/a", "data/sub/b"))
        for _, entry in ipairs(fs.list("data")) do print(entry.name, entry.type) end
        print(#fs.list("data/sub"), #fs.list("shelf"))
        local stat = fs.stat("data/sub/b")
        print(stat.type, stat.size, stat.readonly, time.now():sub(stat.modified) < time.HOUR)
        stat = fs.stat("shelf")
        print(stat.type, stat.readonly, math.type(stat.size))
        print(fs.remove("data/sub/b"), fs.remove("data/sub"), fs.remove("data/new"), #fs.list("data"), next(fs.list("data")))
        "#,
        expect![[r#"
            true	true
            true	true	3	nil
            upon	time	nil
            true	true
            true	true	nil
            new	file
            sub	directory
            1	1
            file	9	false	true
            directory	true	integer
            true	true	true	0	nil
            => nil
        "#]],
    );
}

#[test]
fn what_fails_says_why() {
    Shelf::new().check(
        r#"
        local function why(value, err) print(value, err, err:kind(), err:retryable()) end
        why(fs.read("data/nothing"))
        why(fs.read("/etc/passwd"))
        why(fs.read("data/../secret"))
        why(fs.read("data/../../secret"))
        why(fs.list("."))
        why(fs.stat("elsewhere"))
        for _, name in ipairs { "write", "append" } do why(fs[name]("shelf/book", "x")) end
        for _, name in ipairs { "remove", "mkdir" } do why(fs[name]("shelf/book")) end
        why(fs.rename("shelf/book", "data/book"))
        why(fs.rename("data/book", "shelf/book"))
        why(fs.read("data"))
        why(fs.mkdir("data"))
        why(fs.remove("data"))
        why(fs.list("shelf/book"))
        why(fs.read(""))
        why(fs.read("data/\0"))
        why(fs.read("\xff"))
        why(fs.read("shelf/book", { length = (1 << 20) + 1 }))
        why(fs.read("shelf/book", { offset = -1 }))
        why(fs.write("data/x", ("x"):rep((1 << 20) + 1)))
        why(fs.read())
        why(fs.write("data/x"))
        print(raised(fs.read, {}), raised(fs.write, "data/x", print))
        print(#fs.list("data"), fs.read("shelf/book"))
        "#,
        expect![[r#"
            nil	fs.read on `data/nothing` failed: entity not found	NotFound	false
            nil	fs.read on `/etc/passwd` is not granted	PermissionDenied	false
            nil	fs.read on `secret` is not granted	PermissionDenied	false
            nil	fs.read on `data/../../secret` is not granted	PermissionDenied	false
            nil	fs.read on `.` is not granted	PermissionDenied	false
            nil	fs.read on `elsewhere` is not granted	PermissionDenied	false
            nil	fs.write on `shelf/book` is not granted: `shelf` is granted for reading only	PermissionDenied	false
            nil	fs.write on `shelf/book` is not granted: `shelf` is granted for reading only	PermissionDenied	false
            nil	fs.write on `shelf/book` is not granted: `shelf` is granted for reading only	PermissionDenied	false
            nil	fs.write on `shelf/book` is not granted: `shelf` is granted for reading only	PermissionDenied	false
            nil	fs.write on `shelf/book` is not granted: `shelf` is granted for reading only	PermissionDenied	false
            nil	fs.write on `shelf/book` is not granted: `shelf` is granted for reading only	PermissionDenied	false
            nil	fs.read on `data` failed: it is a directory	Invalid	false
            nil	fs.write on `data` failed: entity already exists	AlreadyExists	false
            nil	fs.write on `data` failed: it is a granted directory itself	Invalid	false
            nil	fs.read on `shelf/book` failed: not a directory	Invalid	false
            nil	path is empty	Invalid	false
            nil	path contains a NUL	Invalid	false
            nil	path is not valid UTF-8	Invalid	false
            nil	fs.read on `shelf/book` failed: 1048577 bytes exceed the message limit of 1048576	Invalid	false
            nil	offset is not a whole number of bytes	Invalid	false
            nil	contents of 1048577 bytes exceed the message limit of 1048576	Invalid	false
            nil	path is missing	Invalid	false
            nil	contents are missing	Invalid	false
            bad argument #1 to 'read' (string expected, got table)	bad argument #2 to 'write' (string expected, got function)
            0	once upon a time	nil
            => nil
        "#]],
    );
}

#[test]
fn a_message_is_the_most_that_is_read_or_written_at_once() {
    let shelf = Shelf::within(Limits { message: 1_000, ..Limits::default() });
    fs::write(shelf.path("data/large"), vec![b'x'; 2_500]).unwrap();
    shelf.check(
        r#"
        print(kind(fs.read("data/large")))
        print(select(2, fs.read("data/large", { length = 1001 })))
        local size, offset = fs.stat("data/large").size, 0
        while offset < size do offset = offset + #fs.read("data/large", { offset = offset, length = 1000 }) end
        print(offset)
        print(fs.write("data/x", ("x"):rep(1000)))
        print(select(2, fs.write("data/x", ("x"):rep(1001))))
        print(select(2, fs.append("data/x", ("x"):rep(1001))), fs.stat("data/x").size)
        for i = 1, 60 do fs.write("data/" .. i, "") end
        print(fs.list("data"))
        "#,
        expect![[r#"
            nil	Invalid
            fs.read on `data/large` failed: 1001 bytes exceed the message limit of 1000
            2500
            true	nil
            contents of 1001 bytes exceed the message limit of 1000
            contents of 1001 bytes exceed the message limit of 1000	1000
            nil	fs.read on `data` failed: the list of 1174 bytes exceeds the message limit of 1000
            => nil
        "#]],
    );
}

#[test]
fn only_the_calling_coroutine_waits() {
    Shelf::new().check(
        r#"
        local order, done = {}, channel.new(1)
        coroutine.spawn(function()
            local text = fs.read("shelf/book")
            order[#order + 1] = text
            done:send(true)
        end)
        order[#order + 1] = "main went on"
        done:receive()
        print(fs.read("shelf/book", { length = 4 }), order[1], order[2])
        print(pcall(fs.read, "shelf/book"))
        for piece in coroutine.wrap(function()
            for offset = 0, 15, 4 do coroutine.yield((fs.read("shelf/book", { offset = offset, length = 4 }))) end
        end) do print(piece) end
        local read = setmetatable({}, { __index = function(_, name) return (fs.read("shelf/" .. name)) end })
        print(read.book)
        print(raised(table.sort, { 1, 2 }, function() return fs.write("data/never", "x") end))
        print(#fs.list("data"))
        "#,
        expect![[r#"
            once	main went on	once upon a time
            true	once upon a time	nil
            once
             upo
            n a 
            time
            once upon a time
            attempt to yield across a C-call boundary
            0
            => nil
        "#]],
    );
}

#[test]
fn thousands_read_at_once() {
    let shelf = Shelf::new();
    shelf.check(
        r#"
        local READERS <const> = 3000
        local done = channel.new()
        for i = 1, READERS do
            coroutine.spawn(function()
                local name = "data/" .. i % 10
                if i <= 10 then assert(fs.append(name, "x")) end
                assert(fs.read("shelf/book") == "once upon a time")
                done:send(i)
            end)
        end
        local sum = 0
        for _ = 1, READERS do sum = sum + done:receive() end
        print(sum, #fs.list("data"))
        "#,
        expect![[r#"
            4501500	10
            => nil
        "#]],
    );
    shelf.lab.settle();
    // The two that are granted.
    assert_eq!(handles_below(shelf.folder.path()), 2);
}

#[test]
fn what_was_read_is_handed_over_in_bites_that_the_process_can_take() {
    let shelf = Shelf::new();
    fs::write(shelf.path("data/large"), vec![b'x'; 1 << 20]).unwrap();
    shelf.check(
        r#"
        local done = channel.new()
        for _ = 1, 40 do coroutine.spawn(function() done:send(#assert(fs.read("data/large"))) end) end
        local sum = 0
        for _ = 1, 40 do sum = sum + done:receive() end
        print(sum >> 20)
        "#,
        expect![[r#"
            40
            => nil
        "#]],
    );
}

#[test]
fn a_policy_narrows_what_is_granted() {
    let mut shelf = Shelf::new();
    let mut grants = Grants::clone(&shelf.lab.grants);
    grants.env = [("OPEN", "a"), ("SHUT", "b")].map(|(name, value)| (name.to_owned(), Some(value.to_owned()))).into();
    shelf.lab.grants = grants.into();
    let policy = |id: &str, action: &str, resource: &str| {
        let parse = |text| vec![Pattern::parse(text).unwrap()];
        let (actions, resources) = (parse(action), parse(resource));
        let id = EntryId::new(id);
        let effect = PolicyEffect::Allow;
        shelf.lab.node.define_policy(Policy { id: id.clone(), effect, actions, resources, conditions: vec![] }, &[]);
        id
    };
    let policies = vec![
        policy("app:env", "env.get", "OPEN"),
        policy("app:read", "fs.read", "shelf/*"),
        policy("app:write", "fs.write", "data/mine*"),
    ];
    shelf.lab.define(&program(
        r#"
        print(env.get("OPEN")) print(env.get("SHUT")) print(env.get("OTHER"))
        print(fs.read("shelf/book")) print(fs.list("shelf")) print(fs.stat("data")) print(fs.read("elsewhere"))
        print(fs.read("data/../shelf/book", { length = 4 }))
        for _, name in ipairs { "write", "append" } do print(fs[name]("data/mine", "x")) print(fs[name]("data/x", "x")) end
        print(fs.mkdir("data/x")) print(fs.remove("data/x")) print(fs.read("data/mine"))
        print(fs.rename("data/mine", "data/x")) print(fs.rename("data/x", "data/mine")) print(fs.rename("data/mine", "data/mine2"))
        "#,
    ));
    let request = SpawnRequest::new(EntryId::new("app:main"), HostId::new(HOST))
        .with_security(SecuritySpec::new().with_scope(ScopeSpec::new(policies, Vec::new())));
    let outcome = shelf.lab.node.spawn(request).unwrap().wait_blocking();
    assert_eq!(show_outcome(&outcome), "=> nil");
    expect![[r#"
        a	nil
        nil	permission `env.get` on `SHUT` is missing
        nil	variable `OTHER` not found
        once upon a time	nil
        nil	permission `fs.read` on `shelf` is missing
        nil	permission `fs.read` on `data` is missing
        nil	fs.read on `elsewhere` is not granted
        once	nil
        true	nil
        nil	permission `fs.write` on `data/x` is missing
        true	nil
        nil	permission `fs.write` on `data/x` is missing
        nil	permission `fs.write` on `data/x` is missing
        nil	permission `fs.write` on `data/x` is missing
        nil	permission `fs.read` on `data/mine` is missing
        nil	permission `fs.write` on `data/x` is missing
        nil	permission `fs.write` on `data/x` is missing
        true	nil
    "#]]
    .assert_eq(&(shelf.lab.printed().join("\n") + "\n"));
}

#[test]
fn a_process_that_ends_leaves_no_operation_behind() {
    let shelf = Shelf::new();
    fs::write(shelf.path("data/large"), vec![b'x'; 1 << 20]).unwrap();
    // Ended by force while it waits, by its own end, and by force out of a loop, each in the midst of it.
    shelf.lab.define(&program(
        r#"
        local how = ...
        for i = 1, 20 do
            coroutine.spawn(function()
                while true do
                    assert(fs.read("data/large"))
                    assert(fs.append("data/log" .. i, "0123456789"))
                end
            end)
        end
        if how == "returns" then return "done" end
        if how == "loops" then while true do end end
        process.inbox():receive()
        "#,
    ));
    for round in 0..10 {
        let how = ["waits", "returns", "loops"][round % 3];
        let process = shelf.lab.spawn("main", vec![how.into()]);
        if how != "returns" {
            shelf.lab.node.terminate(process.pid()).unwrap();
        }
        let outcome = show_outcome(&process.wait_blocking());
        assert_eq!(outcome, if how == "returns" { r#"=> "done""# } else { "failed Canceled: process terminated" });
    }
    shelf.lab.settle();
    // Those that a thread had begun are carried out as a whole.
    while handles_below(shelf.folder.path()) > 2 {
        std::thread::yield_now();
    }
    for entry in fs::read_dir(shelf.path("data")).unwrap() {
        let entry = entry.unwrap();
        let size = entry.metadata().unwrap().len();
        assert!(entry.file_name() == "large" || size.is_multiple_of(10), "{entry:?} has {size} bytes");
    }
}

#[test]
fn operations_of_before_an_upgrade_take_no_place_for_ever() {
    let shelf = Shelf::new();
    shelf.lab.define(&program(
        r#"
        local rounds = ...
        for _ = 1, 30 do coroutine.spawn(fs.append, "data/log", "0123456789") end
        process.upgrade(rounds > 0 and "app:main" or "app:next", rounds - 1)
-- entry: next
return { main = function()
    -- What a thread has begun is carried out; its places are free then, as a whole.
    for _ = 1, 10000 do
        local done, read = channel.new(8), 0
        for _ = 1, 8 do coroutine.spawn(function() done:send(fs.read("shelf/book") ~= nil) end) end
        for _ = 1, 8 do if done:receive() then read = read + 1 end end
        if read == 8 then return "all free" end
        time.sleep("100us")
    end
end }
        "#,
    ));
    let all: Vec<_> = (0..8).map(|_| shelf.lab.spawn("main", vec![Value::Integer(20)])).collect();
    for process in all {
        assert_eq!(show_outcome(&process.wait_blocking()), r#"=> "all free""#);
    }
    shelf.lab.settle();
    assert_eq!(handles_below(shelf.folder.path()), 2);
    assert!(fs::metadata(shelf.path("data/log")).unwrap().len().is_multiple_of(10));
}

#[test]
fn a_bounded_grant_is_filled_by_all_who_have_it_together() {
    let mut shelf = Shelf::new();
    let mut grants = Grants::clone(&shelf.lab.grants);
    grants.fs[0] = grants.fs[0].clone().with_max_bytes(1 << 20).unwrap();
    shelf.lab.grants = grants.into();
    shelf.check(
        r#"
        local workers, files = 4, {}
        for i = 1, workers do process.spawn_monitored("app:writer", "app:processes", i) end
        for i = 1, workers do
            local result = process.events():receive().result
            -- One of them may have come too late for any.
            for i = 1, result.value.count do files[#files + 1] = "data/" .. result.value.me .. "." .. i end
            print(result.value.kind, result.value.limit, result.value.retryable)
        end
        print(#files)
        -- Who takes less is never refused.
        print(fs.write(files[1], ""), fs.remove(files[2]), fs.write("data/after", ("x"):rep(60000)))
        -- entry: writer
        return { main = function(me)
            local count = 0
            while true do
                local ok, err = fs.write("data/" .. me .. "." .. count + 1, ("x"):rep(65536))
                if err then
                    return { me = me, count = count, kind = err:kind(), limit = err:details().limit, retryable = err:retryable() }
                end
                count = count + 1
            end
        end }"#,
        expect![[r#"
            ResourceExhausted	grant.bytes	false
            ResourceExhausted	grant.bytes	false
            ResourceExhausted	grant.bytes	false
            ResourceExhausted	grant.bytes	false
            16
            true	true	true	nil
            => nil
        "#]],
    );
    let size = fs::read_dir(shelf.path("data")).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len());
    assert!(size.sum::<u64>() <= 1 << 20);
}
