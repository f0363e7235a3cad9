//! The largest call of each host function: what a script may hand over, one byte more, and far more. Always a value or
//! `nil, err`, never the end of the process. A function of `wit/` that isn't in [`ROWS`] fails here.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use expect_test::expect;
use lunarium_engine::{
    Chunk, Definition, Directory, EntryId, FunctionError, Grants, Limits, LimitsOverride, Module, Pattern, Policy,
    PolicyEffect, Value,
};
use lunarium_tests::{Lab, show_outcome};
use tempfile::TempDir;

/// Stands before each row. `M` is the limit `message`.
const WORDS: &str = r#"
local M = ...
local function x(n) return ("x"):rep(n) end
-- A string whose payload has so many bytes.
local function data(n) return x(n - (n > 65540 and 5 or 3)) end
local function pid(n) return "{" .. x(n - 10) .. "|0x00009}" end
-- How a call came out: a value, or nil and an error whose text is no longer than a path.
local function how(value, err)
    if err == nil then return "ok" end
    assert(not value and #err:kind() > 0 and #err:message() < 5000, err)
    return err:kind()
end
local function caught(...)
    local ok, value = pcall(...)
    if ok then return value end
    return nil, value
end
-- One below, at, and one above; then much too much.
local function around(what, most, f)
    local kinds = {}
    for i, n in ipairs { most - 1, most, most + 1, most + 100000, 3000000 } do
        if n > 2000000 and most > n then n = most * 2 end
        kinds[i] = how(f(n))
    end
    print(what, table.concat(kinds, " "))
end
local function destinations(f)
    around("name", 255, function(n) return f(x(n)) end)
    around("pid", 276, function(n) return f(pid(n)) end)
end
local p, r, s, HOST = process, process.registry, security, "app:processes"
"#;

/// Each import with calls at its bounds, and how they come out. Without arguments a script chooses there is nothing to try.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "mailbox.send",
        r#"
        destinations(function(to) return p.send(to, "t") end)
        around("topic", 255, function(n) return p.send(p.pid(), x(n)) end)
        around("payload", M, function(n) return p.send(p.pid(), "t", data(n)) end)
        around("packed", M, function(n) return p.send(p.pid(), "t", 1, data(n - 7)) end)
        "#,
        "name NotFound NotFound Invalid Invalid Invalid | pid NotFound NotFound NotFound NotFound NotFound | \
         topic ok ok Invalid Invalid Invalid | payload ok ok Invalid Invalid Invalid | packed ok ok Invalid Invalid Invalid",
    ),
    (
        "mailbox.listen",
        r#"around("topic", 255, function(n) return p.listen(x(n)) end)"#,
        "topic ok ok Invalid Invalid Invalid",
    ),
    (
        "mailbox.unlisten",
        r#"around("topic", 255, function(n)
            local ch, err = p.listen(x(n))
            return ch and p.unlisten(ch), err
        end)"#,
        "topic ok ok Invalid Invalid Invalid",
    ),
    ("mailbox.listen-to-all", "p.inbox()", ""),
    (
        "process.spawn",
        r#"
        around("entry", 255, function(n) return p.spawn(x(n), HOST) end)
        around("host", 255, function(n) return p.spawn("app:ends", x(n)) end)
        around("arguments", M, function(n) return p.spawn("app:ends", HOST, data(n - 1)) end)
        around("monitored", M, function(n) return p.spawn_monitored("app:ends", HOST, data(n - 1)) end)
        local base = p.with_context {}
        around("name", 255, function(n) return caught(function() return base:with_name(x(n)):spawn("app:ends", HOST) end) end)
        around("topic", 255, function(n) return caught(function() return base:with_message(x(n)):spawn("app:ends", HOST) end) end)
        around("first", M, function(n) return caught(function() return base:with_message("t", data(n)):spawn("app:ends", HOST) end) end)
        around("actor", 255, function(n)
            local actor, err = s.new_actor(x(n))
            if not actor then return nil, err end
            return base:with_actor(actor):spawn("app:ends", HOST)
        end)
        around("meta", 16384, function(n)
            local actor, err = s.new_actor("a", { m = x(n - 6) })
            if not actor then return nil, err end
            return base:with_actor(actor):spawn("app:ends", HOST)
        end)
        local all = s.named_scope("app:all"):policies()
        for _, n in ipairs { 255, 256, 257 } do
            local scope = {}
            for i = 1, n do scope[i] = all[i] end
            print("policies", how(base:with_scope(s.new_scope(scope)):spawn("app:ends", HOST)))
        end
        "#,
        "entry NotFound NotFound Invalid Invalid Invalid | host NotFound NotFound Invalid Invalid Invalid | \
         arguments ok ok Invalid Invalid Invalid | monitored ok ok Invalid Invalid Invalid | \
         name ok ok Invalid Invalid Invalid | topic ok ok Invalid Invalid Invalid | first ok ok Invalid Invalid Invalid | \
         actor ok ok Invalid Invalid Invalid | meta ok ok Invalid Invalid Invalid | policies ok | policies ok | policies Invalid",
    ),
    (
        "process.call",
        r#"
        destinations(function(to) return p.call(to, "m") end)
        local callee = p.spawn("app:serves", HOST)
        around("method", 255, function(n) return p.call(callee, x(n)) end)
        around("arguments", M, function(n) return p.call(callee, "m", data(n - 1)) end)
        "#,
        "name NotFound NotFound Invalid Invalid Invalid | pid NotFound NotFound NotFound NotFound NotFound | \
         method NotFound NotFound Invalid Invalid Invalid | arguments ok ok Invalid Invalid Invalid",
    ),
    (
        "process.answer",
        r#"
        local callee = p.spawn("app:serves", HOST)
        around("results", M, function(n) return p.call(callee, "gives", n - (n > 65540 and 6 or 4)) end)
        around("error", 8192, function(n)
            local _, err = p.call(callee, "fails", n)
            return #err:message() <= 8195
        end)
        "#,
        "results ok ok Invalid Invalid Invalid | error ok ok ok ok ok",
    ),
    (
        "process.exec",
        r#"
        around("entry", 255, function(n) return p.exec(x(n), HOST) end)
        around("host", 255, function(n) return p.exec("app:ends", x(n)) end)
        around("arguments", M, function(n) return p.exec("app:ends", HOST, data(n - 1)) end)
        "#,
        "entry NotFound NotFound Invalid Invalid Invalid | host NotFound NotFound Invalid Invalid Invalid | \
         arguments ok ok Invalid Invalid Invalid",
    ),
    (
        "process.upgrade",
        r#"
        around("entry", 255, function(n) return p.upgrade(x(n)) end)
        around("arguments", M, function(n) return p.upgrade("app:absent", data(n - 1)) end)
        "#,
        "entry NotFound NotFound Invalid Invalid Invalid | arguments NotFound NotFound Invalid Invalid Invalid",
    ),
    ("process.terminate", "destinations(p.terminate)", DESTINATIONS),
    (
        "process.cancel",
        "destinations(p.cancel) destinations(function(to) return p.cancel(to, '1h') end)",
        DESTINATIONS_TWICE,
    ),
    ("process.get-limits", "print(p.limits() ~= nil)", "true"),
    ("process.get-options", "print(p.get_options() ~= nil)", "true"),
    (
        "process.set-options",
        "around('name', 255, function(n) return p.set_options { [x(n)] = true } end)",
        "name Invalid Invalid Invalid Invalid Invalid",
    ),
    ("link.link", "destinations(p.link)", DESTINATIONS),
    ("link.unlink", "destinations(p.unlink)", UNDO),
    ("monitor.monitor", "destinations(p.monitor)", DESTINATIONS),
    ("monitor.unmonitor", "destinations(p.unmonitor)", UNDO),
    (
        "registry.register",
        r#"
        around("name", 255, function(n) return r.register(x(n)) end)
        destinations(function(to) return r.register("n", to) end)
        "#,
        "name ok ok Invalid Invalid Invalid | name Invalid Invalid Invalid Invalid Invalid | \
         pid NotFound NotFound NotFound NotFound NotFound",
    ),
    (
        "registry.lookup",
        "around('name', 255, function(n) return r.lookup(x(n)) end)",
        "name NotFound NotFound Invalid Invalid Invalid",
    ),
    (
        "registry.unregister",
        "around('name', 255, function(n) return r.unregister(x(n)) end)",
        "name ok ok Invalid Invalid Invalid",
    ),
    (
        "group.join",
        r#"around("group", 255, function(n) return p.group.join(x(n)) end)"#,
        "group ok ok Invalid Invalid Invalid",
    ),
    (
        "group.leave",
        r#"around("group", 255, function(n) return p.group.leave(x(n)) end)"#,
        "group ok ok Invalid Invalid Invalid",
    ),
    (
        "group.members",
        r#"around("group", 255, function(n) return p.group.members(x(n)) end)"#,
        "group ok ok Invalid Invalid Invalid",
    ),
    (
        "group.send",
        r#"
        around("group", 255, function(n) return p.group.send(x(n), "t") end)
        around("topic", 255, function(n) return p.group.send("g", x(n)) end)
        around("payload", M, function(n) return p.group.send("g", "t", data(n)) end)
        "#,
        "group ok ok Invalid Invalid Invalid | topic ok ok Invalid Invalid Invalid | \
         payload ok ok Invalid Invalid Invalid",
    ),
    (
        "group.watch",
        r#"around("group", 255, function(n)
            local changes, err = p.group.monitor(x(n))
            if not changes then return nil, err end
            return p.group.unmonitor(changes)
        end)"#,
        "group ok ok Invalid Invalid Invalid",
    ),
    // It takes only what `watch` took.
    ("group.unwatch", "local changes = p.group.monitor('g') print(p.group.unmonitor(changes))", "true nil"),
    ("security.own-actor", "print(s.actor())", "nil"),
    ("security.own-scope", "print(s.scope())", "nil"),
    (
        "security.can",
        r#"
        around("action", 4096, function(n) return s.can(x(n), "r") end)
        around("resource", 4096, function(n) return s.can("a", x(n)) end)
        around("attributes", 16384, function(n) return s.can("a", "r", { m = x(n - 6) }) end)
        "#,
        "action ok ok Invalid Invalid Invalid | resource ok ok Invalid Invalid Invalid | \
         attributes ok ok Invalid Invalid Invalid",
    ),
    (
        "security.evaluate",
        r#"
        local scope, ada = s.named_scope("app:all"), s.new_actor("ada")
        local one = s.new_scope { scope:policies()[1] }
        around("action", 4096, function(n) return one:evaluate(ada, x(n), "r") end)
        around("resource", 4096, function(n) return one:evaluate(ada, "a", x(n)) end)
        around("attributes", 16384, function(n) return one:evaluate(ada, "a", "r", { m = x(n - 6) }) end)
        print("policies", how(scope:evaluate(ada, "a", "r")))
        "#,
        "action ok ok Invalid Invalid Invalid | resource ok ok Invalid Invalid Invalid | \
         attributes ok ok Invalid Invalid Invalid | policies Invalid",
    ),
    // The only thing it is asked about is fixed.
    ("security.authorize", "print(p.with_context {} ~= nil)", "true"),
    (
        "security.policy",
        "around('id', 255, function(n) return s.policy(x(n)) end)",
        "id NotFound NotFound Invalid Invalid Invalid",
    ),
    (
        "security.group",
        "around('name', 255, function(n) return s.named_scope(x(n)) end)",
        "name NotFound NotFound Invalid Invalid Invalid",
    ),
    ("output.print", "for _, n in ipairs { M - 1, M, M + 1, 3000000 } do print(x(n)) end", "M-1 M M M"),
    // Only where the output is full and nobody can wait; a number.
    ("output.dropped", "", ""),
    (
        "output.log",
        r#"
        local many, bad = {}, {}
        for i = 1, 10000 do many["" .. i] = "" end
        for i = 1, 300 do bad[("\xff"):rep(i)] = ("\xfe"):rep(i) end
        for _, n in ipairs { 8191, 8192, 8193, 3000000 } do
            logger:info(x(n)) logger:info(("\xff"):rep(n)) logger:info("m", { [x(n)] = x(n) })
        end
        logger:info("", many) logger:info("", bad)
        print("logged")
        "#,
        "logged",
    ),
    (
        "env.get",
        "around('variable', 255, function(n) return env.get(x(n)) end)",
        "variable NotFound NotFound Invalid Invalid Invalid",
    ),
    ("env.all", "print(env.get_all().HOME)", "here"),
    (
        "fs.read",
        "around('path', 4095, function(n) return fs.read(x(n)) end)",
        "path PermissionDenied PermissionDenied Invalid Invalid Invalid",
    ),
    (
        "fs.write",
        r#"
        around("path", 4095, function(n) return fs.write(x(n), "") end)
        around("contents", M, function(n) return fs.write("data/f", x(n)) end)
        "#,
        "path PermissionDenied PermissionDenied Invalid Invalid Invalid | contents ok ok Invalid Invalid Invalid",
    ),
    (
        "fs.append",
        r#"
        around("path", 4095, function(n) return fs.append(x(n), "") end)
        around("contents", M, function(n) return fs.append("data/g", x(n)) end)
        "#,
        "path PermissionDenied PermissionDenied Invalid Invalid Invalid | contents ok ok Invalid Invalid Invalid",
    ),
    (
        "module.find",
        r#"
        local m = require("m")
        local function lengths(what, f)
            for _, n in ipairs { 64, 65, 4095, 100000, 3000000 } do
                local found, text = pcall(f, x(n))
                assert(#text < 5000)
                print(what, found)
            end
        end
        lengths("module", require)
        lengths("function", function(name) return m[name] end)
        "#,
        "module false | module false | module false | module false | module false | \
         function false | function false | function false | function false | function false",
    ),
    (
        "module.call",
        r#"around("arguments", M, function(n) return require("m").echo(data(n - 1)) end)"#,
        "arguments ok ok Invalid Invalid Invalid",
    ),
    ("fs.list", "around('path', 4095, function(n) return fs.list(x(n)) end)", PATH),
    ("fs.stat", "around('path', 4095, function(n) return fs.stat(x(n)) end)", PATH),
    ("fs.remove", "around('path', 4095, function(n) return fs.remove(x(n)) end)", PATH),
    ("fs.mkdir", "around('path', 4095, function(n) return fs.mkdir(x(n)) end)", PATH),
    (
        "fs.rename",
        r#"
        around("path", 4095, function(n) return fs.rename(x(n), "data/h") end)
        around("to", 4095, function(n) return fs.rename("data/h", x(n)) end)
        "#,
        "path PermissionDenied PermissionDenied Invalid Invalid Invalid | to PermissionDenied PermissionDenied Invalid Invalid Invalid",
    ),
];

const DESTINATIONS: &str =
    "name NotFound NotFound Invalid Invalid Invalid | pid NotFound NotFound NotFound NotFound NotFound";
const DESTINATIONS_TWICE: &str = "name NotFound NotFound Invalid Invalid Invalid | pid NotFound NotFound NotFound NotFound NotFound | \
     name NotFound NotFound Invalid Invalid Invalid | pid NotFound NotFound NotFound NotFound NotFound";
/// Undoing what was never done to a process that is gone is fine; one that can't have been there is not found.
const UNDO: &str = "name NotFound NotFound Invalid Invalid Invalid | pid ok ok NotFound NotFound NotFound";
const PATH: &str = "path PermissionDenied PermissionDenied Invalid Invalid Invalid";

/// A lab with a directory, a variable and 257 policies of one group.
fn lab(limits: Limits) -> (Lab, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
    let data = Directory::new("data", dir, true).unwrap();
    let grants = Grants::new().with_variable("HOME", Some("here".to_owned())).with_directory(data).with_module("m");
    let mut lab = Lab::new(limits);
    let echo = Module::new("m").immediate("echo", |_, (value,): (Value,)| Ok::<_, FunctionError>(value));
    lab.node.add_module(echo).unwrap();
    lab.grants = grants.into();
    for number in 0..257 {
        let policy = Policy {
            id: EntryId::new(format!("app:{number:0>251}")),
            effect: PolicyEffect::Allow,
            actions: vec![Pattern::parse("*").unwrap()],
            resources: vec![Pattern::parse("*").unwrap()],
            conditions: Vec::new(),
        };
        lab.node.define_policy(policy, &[EntryId::new("app:all")]);
    }
    lab.define("-- entry: ends\nreturn function() end");
    lab.define(
        "-- entry: serves
        return {
            m = function() return true end,
            gives = function(n) return ('x'):rep(n) end,
            fails = function(n) error(('x'):rep(n), 0) end,
        }",
    );
    (lab, folder)
}

/// The functions that `wit/`'s interfaces import, by its own text.
fn imports() -> BTreeSet<String> {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let read = |name: &str| fs::read_to_string(wit.join(format!("{name}.wit"))).unwrap();
    let world = read("world");
    let interfaces = world.lines().filter_map(|line| line.trim().strip_prefix("import ")?.strip_suffix(';'));
    let functions = |interface: &str| {
        let text = read(interface);
        let names = text.lines().filter_map(|line| line.trim().split_once(": func(").map(|(name, _)| name));
        names.map(|name| format!("{interface}.{}", name.trim_start_matches('%'))).collect::<Vec<_>>()
    };
    interfaces.flat_map(functions).collect()
}

#[test]
fn every_import_has_a_row() {
    let rows: BTreeSet<String> = ROWS.iter().map(|(import, ..)| (*import).to_owned()).collect();
    assert_eq!(imports(), rows);
}

/// Runs each row in a process with this `message` limit.
fn try_rows(message: u32) {
    // So that it is the call that is refused, and nothing else that is full.
    let (memory, mailbox_bytes) = (64 << 20, 64 << 20);
    let (lab, _folder) = lab(Limits { message, memory, mailbox_bytes, ..Limits::default() });
    for (import, body, expected) in ROWS {
        lab.define(&format!("return function(...) {WORDS} {body} end"));
        let outcome = lab.spawn("main", vec![Value::Integer(message.into())]).wait_blocking();
        assert_eq!(show_outcome(&outcome), "=> nil", "{import}");
        let lengths = ["M-1", "M"].iter().zip([message - 1, message]);
        let lines = lab.printed().into_iter().map(|line| {
            let known = lengths.clone().find(|(_, length)| line.len() == *length as usize);
            known.map_or_else(|| line.replace('\t', " "), |(name, _)| (*name).to_owned())
        });
        let separator = if *import == "output.print" { " " } else { " | " };
        assert_eq!(lines.collect::<Vec<_>>().join(separator), *expected, "{import}, message limit {message}");
    }
}

#[test]
fn each_call_is_refused_above_its_bound_and_never_ends_the_process() {
    try_rows(1 << 20);
}

#[test]
fn a_small_message_limit_is_no_trap_either() {
    try_rows(4 << 10);
}

#[test]
fn arguments_context_and_first_messages_may_each_be_as_large_as_a_message() {
    let limits = Limits { memory: 64 << 20, mailbox_bytes: 64 << 20, ..Limits::default() };
    let (lab, _folder) = lab(limits);
    let outcome = lab.run(
        r#"
return function()
    local big, most = ("x"):rep(900000), ("x"):rep((1 << 20) - 100)
    local one = process.with_context { v = big }:with_message("t", big)
    local sizes = {}
    local function spawn(spawner, argument)
        local pid, err = spawner:spawn_monitored("app:child", "app:processes", argument)
        sizes[#sizes + 1] = pid and process.events():receive().result.value or err:kind() .. ": " .. err
    end
    spawn(one, big)
    -- Two hundred and fifty-six kilobytes above six messages.
    local full = process.with_context { v = most }
    for _ = 1, 4 do full = full:with_message("t", most) end
    spawn(full, most)
    spawn(full:with_message("t", ("x"):rep(261000)), most)
    spawn(full:with_message("t", ("x"):rep(263000)), most)
    spawn(full:with_message("t", most), most)
    -- Many small ones.
    local many = process.with_context {}
    for i = 1, 3000 do many = many:with_message("t", i) end
    spawn(many, "")
    return sizes
end
-- entry: child
return function(argument)
    local sum = 0
    local ch = process.listen("t")
    while true do
        local got = channel.select { ch:case_receive(), default = true }
        if got.default then break end
        sum = sum + (type(got.value) == "string" and #got.value or 1)
    end
    return #argument + #(ctx.get("v") or "") + sum
end"#,
    );
    expect![[r#"=> {2700000, 6290856, 6551856, "Invalid: arguments, context and first messages exceed 6553600 bytes together", "Invalid: arguments, context and first messages exceed 6553600 bytes together", 3000}"#]]
        .assert_eq(&show_outcome(&outcome));
}

#[test]
fn a_text_that_a_child_returns_does_not_end_its_parent() {
    let (lab, _folder) = lab(Limits::default());
    lab.define(
        r#"
-- entry: returns
return function() return "{" .. ("x"):rep(1000000) .. "|0x00001}" end"#,
    );
    let source = r#"return function()
        local text, kinds = assert(process.exec("app:returns", "app:processes")), {}
        for i, f in ipairs { process.terminate, process.send, process.link, process.registry.lookup, security.policy } do
            local _, err = f(text, "t")
            kinds[i] = err:kind()
        end
        return kinds
    end"#;
    let limits = LimitsOverride { message: Some(4 << 10), ..LimitsOverride::default() };
    let parent = Definition::new(EntryId::new("app:parent"), Chunk::new("@parent.lua", source));
    lab.node.define(parent.with_limits(limits));
    let outcome = lab.spawn("parent", Vec::new()).wait_blocking();
    expect![[r#"=> {"NotFound", "NotFound", "NotFound", "Invalid", "Invalid"}"#]].assert_eq(&show_outcome(&outcome));
}

#[test]
fn whatever_a_process_returns_or_raises_is_bounded() {
    for message in [4 << 10, 1 << 20] {
        let (lab, _folder) = lab(Limits { message, ..Limits::default() });
        for body in [
            "error(('x'):rep(3000000))",
            "error(errors.new { message = ('x'):rep(3000000), details = { v = ('x'):rep(3000000) } })",
            "return nil, ('\\xff'):rep(3000000)",
            "return ('x'):rep(3000000)",
            "error(setmetatable({}, { __tostring = function() return ('x'):rep(3000000) end }))",
            "local e = errors.new('e') rawset(e, 5, ('x'):rep(3000000)) error(e)",
            "_G[('f'):rep(20000)] = function() error('in a long name') end _G[('f'):rep(20000)]()",
        ] {
            let outcome = show_outcome(&lab.run(&format!("return function() {body} end")));
            assert!(!outcome.contains("trap") && !outcome.contains("ResourceExhausted"), "{body}: {outcome:.200}");
            assert!(outcome.len() < 30_000, "{body}: {} bytes", outcome.len());
        }
    }
}

#[test]
fn infinite_recursion_is_a_stack_overflow_that_can_be_caught() {
    for memory in [1 << 20, 16 << 20, 256 << 20] {
        let (lab, _folder) = lab(Limits { memory, ..Limits::default() });
        let outcome = lab.run(
            r#"
return function()
    local depth = 0
    local function down() depth = depth + 1 return 1 + down() end
    local ok, err = pcall(down)
    local first = depth
    assert(not ok and err:find("stack overflow") and first <= 200000, err)
    depth = 0
    ok = pcall(down)
    assert(not ok and math.abs(depth - first) < 200)
    assert(not pcall(coroutine.wrap(down)))
    local function replaced(s) return (s:gsub(".", replaced)) end
    assert(not pcall(replaced, "x"))
    local function protected() return pcall(protected) end
    protected()
    down()
end"#,
        );
        assert_eq!(show_outcome(&outcome), "failed Internal: main.lua:4: stack overflow", "{memory}");
    }
}

#[test]
fn a_select_right_after_listen_sees_what_already_waits() {
    let (lab, _folder) = lab(Limits::default());
    let outcome = lab.run(
        r#"
return function()
    local first = process.with_context {}:with_message("t", "first")
    first:spawn_monitored("app:child", "app:processes")
    print(process.events():receive().result)
    -- Behind more than is handed over at once.
    local me = process.pid()
    for i = 1, 3000 do assert(process.send(me, "other", i)) end
    assert(process.send(me, "behind", "them"))
    local ch = process.listen("behind")
    local got = channel.select { ch:case_receive(), default = true }
    return got.value
end
-- entry: child
return function()
    local ch = process.listen("t")
    return channel.select { ch:case_receive(), default = true }.value
end"#,
    );
    assert_eq!((lab.printed().join("\n"), show_outcome(&outcome)), ("first".to_owned(), "=> \"them\"".to_owned()));
}

#[test]
fn a_long_mode_of_load_is_no_end_of_the_process() {
    let script = "return { main = function()
        local chunk, why = load('x = 1', 'n', ('z'):rep(6e6))
        print(chunk, #why < 100)
    end }";
    assert_eq!(lunarium_tests::transcript(script), "nil\ttrue\n=> nil\n");
}

/// The first `inbox()` and the first `events()` are subscriptions like `listen`.
#[test]
fn a_select_right_after_the_first_inbox_or_events_sees_what_waits() {
    let script = r#"return { main = function()
        local me, a = process.pid(), process.listen("a")
        channel.select({ a:case_receive(), default = true })
        process.send(me, "b", 1)
        print(channel.select({ process.inbox():case_receive(), default = true }).value:payload())
        process.cancel(me)
        print(channel.select({ process.events():case_receive(), default = true }).value.kind)
    end }"#;
    assert_eq!(lunarium_tests::transcript(script), "1\npid.cancel\n=> nil\n");
}
