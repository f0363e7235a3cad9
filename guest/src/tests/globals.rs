//! Which globals a chunk uses, as the compiler sees it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::rc::Rc;

use expect_test::{Expect, expect};

use crate::host::{Chunk, Code};
use crate::tests::fake::{Fake, State};
use crate::vm::Vm;
use crate::vm::globals::uses;

fn vm() -> Vm {
    Vm::new(Box::new(Fake(Rc::new(State::default()))))
}

/// What the check tells about a chunk.
fn told(source: &str) -> String {
    let chunk = Chunk { name: "@x.lua".to_owned(), code: Code::Source(source.to_owned()) };
    let mut text = String::new();
    for found in vm().check(&chunk).unwrap().uses.into_iter().filter(|found| found.module.is_none()) {
        let verb = if found.assigned { "sets" } else { "reads" };
        // Writing to a String can't fail.
        let _ = writeln!(text, "{}: {verb} {}", found.line, found.name);
    }
    text
}

fn check(source: &str, expect: Expect) {
    expect.assert_eq(&told(source));
}

#[test]
fn what_every_process_finds_is_no_use() {
    check("print(process, channel.new, string, _G, _VERSION, require, errors, ...) return os.time", expect![""]);
    let there = vm().check(&Chunk { name: "=x".to_owned(), code: Code::Source(String::new()) }).unwrap().there;
    assert!(there.is_sorted());
    for name in ["print", "process", "_G", "string", "require"] {
        assert!(there.iter().any(|there| there == name), "{name}");
    }
}

#[test]
fn reads_and_assignments_are_told_with_their_lines() {
    check(
        "prnt(1)\nlocal x = prnt or a.b.c\n\n\ncount = 1\ncount = count + 1 function helper() return y end\n",
        expect![[r#"
            5: sets count
            6: sets helper
            1: reads prnt
            2: reads a
            2: reads prnt
            6: reads count
            6: reads y
        "#]],
    );
}

#[test]
fn locals_upvalues_parameters_and_fields_are_none() {
    check(
        "local a, b = 1, {} b.c = a
        local function f(p, ...) local q <const> = p local r = ... return function() a = a + q return p, a, b.field, b['x y'], r end end
        for i = 1, 3 do b[i] = i end for k, v in pairs(b) do b[k] = v end return f",
        expect![""],
    );
}

#[test]
fn functions_in_functions_are_looked_into() {
    check(
        "local function a()\n  return function(...)\n    local t = { ... }\n    return function() return deep(t) end\n  end\nend
function t.m:n() self.x = outer end",
        expect![[r#"
            4: reads deep
            7: reads outer
            7: reads t
        "#]],
    );
}

#[test]
fn a_local_environment_is_another_table() {
    check("local _ENV = { print = print }\nx = 1 print(y)\nlocal function f() return z end", expect![""]);
    check(
        "local function f(_ENV) return a, function() b = 1 return c end end\nreturn d",
        expect![[r#"
        2: reads d
    "#]],
    );
    check(
        "do local _ENV = {} x = 1 end\ny = x",
        expect![[r#"
        2: sets y
        2: reads x
    "#]],
    );
}

#[test]
fn a_replaced_environment_tells_nothing() {
    check("_ENV = setmetatable({}, { __index = _ENV })\nx = y", expect![""]);
    check("local function f() _ENV = {} end\nreturn y", expect![""]);
}

#[test]
fn the_environment_by_name_is_the_globals() {
    check(
        "_ENV.x = 1 print(_ENV.y, _ENV['z'])\nlocal function f() return _ENV.deep end",
        expect![[r#"
        1: sets x
        1: reads y
        1: reads z
        2: reads deep
    "#]],
    );
}

#[test]
fn whoever_takes_the_table_may_define_what_it_names() {
    check(
        "_G.x = 1\n_G['y z'] = 2 rawset(_G, 'w', 3)\nprint(x, w, v)",
        expect![[r#"
        2: sets w
        1: sets x
        2: sets y z
        3: reads v
        3: reads w
        3: reads x
    "#]],
    );
    check(
        "local env = _ENV env.x = 1\nprint(x, v)",
        expect![[r#"
        1: sets x
        2: reads v
        2: reads x
    "#]],
    );
    // Another function's field is no global.
    check(
        "local t = {}\nlocal function f() t.x = 1 end\nreturn _G.y, x",
        expect![[r#"
        3: reads x
    "#]],
    );
}

#[test]
fn long_names_take_another_way() {
    let name = "n".repeat(50);
    check(
        &format!("print({name})\n{name}2 = 1 + 1\n{name}3.x = {name}2"),
        expect![[r#"
        2: sets nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn2
        1: reads nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn
        3: reads nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn2
        3: reads nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn3
    "#]],
    );
}

#[test]
fn names_after_many_constants_take_another_way() {
    let constants: String = (0..300).map(|n| format!("'c{n}', ")).collect();
    check(
        &format!("local t = {{ {constants} }}\nprint(late)\nset = late2 .. 'x'\nlate3.field()"),
        expect![[r#"
        3: sets set
        2: reads late
        3: reads late2
        4: reads late3
    "#]],
    );
    // So many that the number of a constant doesn't fit into its instruction.
    let constants: String = (0..140_000).map(|n| format!("{n}.5,")).collect();
    check(
        &format!("local t = {{ {constants} }}\nprint(late)\nset = late2 .. 'x'"),
        expect![[r#"
        3: sets set
        2: reads late
        3: reads late2
    "#]],
    );
}

#[test]
fn lines_are_right_after_long_and_strange_code() {
    let gap = "\n".repeat(500);
    let long = "local x = 1\n".repeat(150);
    check(
        &format!("a(){gap}b() goto done do {long} end{gap}c()\n::done:: d()"),
        expect![[r#"
        1: reads a
        501: reads b
        1151: reads c
        1152: reads d
    "#]],
    );
    check(
        &format!("{}\nlast()", "local _ = 1 ".repeat(150)),
        expect![[r#"
        2: reads last
    "#]],
    );
}

#[test]
fn all_forms_of_code_are_read() {
    check(
        "local i = 0 while i < 2 do i = i + 1 if i == 1 then goto continue end one() ::continue:: end
        repeat local t <close> = nil until two
        local s = { [three] = 'x', ['y'] = 1.5, 7 } s[four], five = six, -seven
        return #eight .. 'n' // 1 == nine and not ten, 1 < eleven, (function(...) return ... end)(), twelve()",
        expect![[r#"
            3: sets five
            1: reads one
            2: reads two
            3: reads four
            3: reads seven
            3: reads six
            3: reads three
            4: reads eight
            4: reads eleven
            4: reads nine
            4: reads ten
            4: reads twelve
        "#]],
    );
}

#[test]
fn reads_are_bounded_and_many_assignments_tell_nothing() {
    let reads: String = (0..2_000).map(|n| format!("r{n}()\n")).collect();
    let writes: String = (0..2_000).map(|n| format!("w{n} = 1\n")).collect();
    let told = told(&format!("{reads}{writes}"));
    assert_eq!(told.matches("reads").count(), 1_000);
    assert_eq!(told.matches("sets").count(), 2_000);
    let writes: String = (0..11_000).map(|n| format!("w{n} = 1 ")).collect();
    check(&format!("print(r) {writes}"), expect![""]);
}

#[test]
fn what_is_no_dump_is_refused() {
    let uses = |dump: &[u8]| uses(dump, &BTreeSet::new());
    assert_eq!(uses(b""), None);
    assert_eq!(uses(b"\x1bLua"), None);
    assert_eq!(uses(&[0xff; 100]), None);
    // A true header, then a function cut off anywhere.
    let vm = vm();
    let dump = vm.dump_for_test("local function f() return g end return f, 'x', 1.5, 7");
    assert!(uses(&dump).is_some());
    for end in 0..dump.len() {
        assert_eq!(uses(&dump[..end]), None, "cut at {end}");
    }
}
