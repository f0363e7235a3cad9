//! Which fields of modules a chunk uses, what it requires, and what it returns, as the compiler sees it.

use std::fmt::Write as _;
use std::rc::Rc;

use expect_test::{Expect, expect};

use crate::host::{Chunk, Code, Globals};
use crate::tests::fake::{Fake, State};
use crate::vm::Vm;

fn globals(source: &str) -> Globals {
    let chunk = Chunk { name: "@x.lua".to_owned(), code: Code::Source(source.to_owned()) };
    Vm::new(Box::new(Fake(Rc::new(State::default())))).check(&chunk).unwrap()
}

/// What the check tells about fields of modules.
fn check(source: &str, expect: Expect) {
    let globals = globals(source);
    let mut text = String::new();
    for found in &globals.uses {
        let Some(module) = &found.module else { continue };
        let verb = if found.assigned { "sets" } else { "reads" };
        // Writing to a String can't fail.
        let _ = writeln!(text, "{}: {verb} {module}.{}", found.line, found.name);
    }
    for required in &globals.required {
        let _ = writeln!(text, "{}: requires {}", required.line, required.name);
    }
    expect.assert_eq(&text);
}

fn returned(source: &str) -> String {
    globals(source).returned.iter().map(|field| format!("{}:{} ", field.name, field.line)).collect()
}

#[test]
fn what_modules_have_is_told_with_what_needs_grants() {
    let members = globals("").members;
    assert!(members.is_sorted());
    for name in [
        "process.spawn",
        "process.registry.lookup",
        "time.now",
        "string.format",
        "os.time",
        "json.null",
        "fs.read",
        "env.get",
        "errors.INVALID",
        "hash.sha256",
        "debug.traceback",
        "coroutine.spawn",
    ] {
        assert!(members.iter().any(|member| member == name), "{name}");
    }
    assert!(!members.iter().any(|member| member.starts_with("string.dump") || member.starts_with("os.getenv")));
}

#[test]
fn fields_are_read_at_once_by_locals_and_inside_of_functions() {
    check(
        "process.spwan('x')
        local time, registry = time, process.registry
        local pause = time.slep
        local function wait() time.slep(1) registry.lokup('x') return function() return time.slep end end
        return function() print(string.fromat('x'), time.now(), os.getenv) process.registry.lookp() process:pit() end",
        expect![[r#"
            1: reads process.spwan
            3: reads time.slep
            4: reads process.registry.lokup
            4: reads time.slep
            5: reads os.getenv
            5: reads process.pit
            5: reads process.registry.lookp
            5: reads string.fromat
        "#]],
    );
}

#[test]
fn what_is_required_is_followed_as_well() {
    check(
        "local billing <const> = require('billing')
        local shop = require 'shop'
        local function charge() return billing.chrage(1) end
        function shop.added() end
        local t <const>, j = require('time'), require('json')
        require('log').worn(t.nwo(), j.enc0de)
        return require('both')",
        expect![[r#"
            0: sets both.*
            4: sets shop.added
            3: reads billing.chrage
            6: reads json.enc0de
            6: reads log.worn
            6: reads time.nwo
            1: requires billing
            2: requires shop
            5: requires json
            5: requires time
            6: requires log
            7: requires both
        "#]],
    );
}

#[test]
fn what_may_be_something_else_is_let_alone() {
    check(
        "local mine = ...
        local a = mine or time a.one()
        local b = time b.two() b = mine b.three()
        local c = time local function change() c = mine end c.four()
        local d if mine then d = time else d = mine end d.five()
        local time = mine time.six()
        local function f(process) return process.seven end
        for string = 1, 2 do print(string.eight) end
        local env = setmetatable({}, { __index = string })
        print((math)) rawset(table, 'pack2', f) os[mine] = f utf8.nine = f
        for _ = 1, 3 do local e = coroutine e.ten() end
        do local g = channel end do local h = mine h.eleven() end",
        expect![[r#"
            0: sets math.*
            0: sets os.*
            0: sets string.*
            0: sets table.*
            0: sets time.*
            10: sets utf8.nine
            11: reads coroutine.ten
        "#]],
    );
}

#[test]
fn who_asks_whether_it_is_there_knows_that_it_may_not_be() {
    check(
        "local unpack = table.unpak or unpack
        if os.getenv then print(os.getenv('HOME')) end
        if string.dump == nil then return end
        local dump = string.dmp
        if dump then return end",
        expect![[r#"
            2: sets os.getenv
            4: sets string.dmp
            3: sets string.dump
            1: sets table.unpak
            2: reads os.getenv
        "#]],
    );
}

#[test]
fn a_changed_environment_tells_nothing() {
    check("_ENV = {} process.spwan()", expect![""]);
    check("local _ENV = { process = {} } process.spwan()", expect![""]);
}

#[test]
fn the_fields_of_the_returned_table_are_told() {
    assert_eq!(returned("return {\n mian = function() end,\n x = 1 }"), "mian:2 x:3 ");
    assert_eq!(
        returned("local M = {}\nfunction M.run() return M.other() end\nM.other = print\nreturn M"),
        "other:3 run:2 "
    );
    assert_eq!(returned("local M = {} function M.a() end if x then return M end return { b = M.a }"), "a:1 b:1 ");
    for unknown in [
        "return function() end",
        "return setmetatable({ a = print }, {})",
        "local M = { a = print } setmetatable(M, {}) return M",
        "local M = { a = print } M[x] = print return M",
        "local M = { a = print } function M.b() M.main = print end return M",
        "local M = { a = print } local function f() return M end f().main = f return M",
        "local M = { a = print } local function f() return function() M.main = f end end return M",
        "return { a = print }, 2",
        "if x then return { a = print } end return x",
        "return ...",
        "local M = { a = print } M = x return M",
        "",
    ] {
        assert_eq!(returned(unknown), "", "{unknown}");
    }
}

#[test]
fn a_large_chunk_takes_no_longer_than_its_size() {
    let blocks = "do local t = time t.nwo() local function f() return t.thne end end\n".repeat(3_000);
    let found = globals(&format!("{blocks} return {{ {} }}", "a = time.now(),".repeat(1_000)));
    assert_eq!(found.uses.len(), 1_000);
}
