//! What a program may be: chunk, method, arguments, libraries.

use expect_test::{Expect, expect};

use super::*;
use crate::host::{Import, Library};

fn check_chunk(chunk: &str, expect: Expect) {
    Case::new(chunk).check(expect);
}

#[test]
fn main_prints_and_returns() {
    check(
        "print('hello', 1, nil, 2.5) return 'done'",
        expect![[r#"
        hello	1	nil	2.5
        => "done"
    "#]],
    );
}

#[test]
fn arguments_keep_their_nils() {
    // [nil, 1, nil, "x", nil]
    let case = Case::body("print(select('#', ...), ...)");
    case.arguments(b"\x95\xc0\x01\xc0\xa1x\xc0").check(expect![[r#"
        5	nil	1	nil	x	nil
        => nil
    "#]]);
}

#[test]
fn a_chunk_gives_functions_by_name_or_one() {
    check_chunk(
        "return { main = function() return 1 end }",
        expect![[r#"
        => 1
    "#]],
    );
    check_chunk(
        "local function main() return 2 end return { main = main }",
        expect![[r#"
        => 2
    "#]],
    );
    let case = Case::new("return { main = 1, other = function() return 'other' end }");
    case.with(|program| program.method = Some("other".to_owned())).check(expect![[r#"
        => "other"
    "#]]);
}

#[test]
fn a_plain_chunk_that_returns_nothing_was_the_program() {
    let plain = |chunk: &str| Case::new(chunk).with(|program| program.plain = true).arguments(b"\x92\x01\xa1x");
    plain("print(...)").check(expect![[r#"
        1	x
        => nil
    "#]]);
    plain("time.sleep('1s') print('later')").check(expect![[r#"
        later
        => nil
    "#]]);
    // With a function, that runs.
    plain("local one = ... return { main = function(...) print(one, ...) return 2 end }").check(expect![[r#"
        1	1	x
        => 2
    "#]]);
    plain("return 3").check(expect![[r#"
        !! ErrorKind::Invalid: the chunk returned number, not a function or a table of functions
    "#]]);
}

#[test]
fn a_chunk_that_gives_no_method_is_invalid() {
    check_chunk(
        "return { start = 1 }",
        expect![[r#"
            !! ErrorKind::Invalid: the chunk returned no function `main`: its table has `start` (a number)
        "#]],
    );
    check_chunk(
        "return { main = 'x' }",
        expect![[r#"
            !! ErrorKind::Invalid: the chunk returned no function `main`: its table has `main` (a string)
        "#]],
    );
    check_chunk(
        "return 5",
        expect![[r#"
        !! ErrorKind::Invalid: the chunk returned number, not a function or a table of functions
    "#]],
    );
    check_chunk(
        "",
        expect![[r#"
        !! ErrorKind::Invalid: the chunk returned nil, not a function or a table of functions {"reason": "nothing_to_run"}
    "#]],
    );
}

#[test]
fn a_chunk_that_fails_is_invalid() {
    check_chunk(
        "local x = = 1",
        expect![[r#"
        !! ErrorKind::Invalid: main.lua:1: unexpected symbol near '='
    "#]],
    );
    check_chunk(
        "local t = nil\nlocal function f() return t.x end\nf()",
        expect![[r#"
            !! ErrorKind::Invalid: main.lua:2: attempt to index a nil value (upvalue 't')
               main.lua:2: in local 'f'
               main.lua:3: in main chunk
        "#]],
    );
    check_chunk(
        "error(errors.new{message = 'own', kind = errors.CONFLICT})",
        expect![[r#"
            !! ErrorKind::Invalid: own
               main.lua:1: in main chunk
        "#]],
    );
    check_chunk(
        "\u{1b}Lua",
        expect![[r#"
        !! ErrorKind::Invalid: attempt to load a binary chunk (mode is 't')
    "#]],
    );
}

#[test]
fn a_chunk_may_wait() {
    check_chunk(
        "time.sleep('1s') print('slept') return function() return 'ran' end",
        expect![[r#"
        slept
        => "ran"
    "#]],
    );
}

fn library(entry: &str, source: &str, imports: &[(&str, &str)]) -> Library {
    Library {
        entry: entry.to_owned(),
        chunk: Chunk { name: format!("@{entry}.lua"), code: Code::Source(source.to_owned()) },
        imports: import(imports),
    }
}

fn import(imports: &[(&str, &str)]) -> Vec<Import> {
    imports.iter().map(|(alias, entry)| Import { alias: (*alias).to_owned(), entry: (*entry).to_owned() }).collect()
}

#[test]
fn require_finds_modules_and_imports_only() {
    check(
        "print(require('time') == time, require('process') == process, require('channel') == channel)
        print(require('coroutine') == coroutine, require('errors') == errors)
        print(require('string') == string)
        print(pcall(require, 'x'))
        print(pcall(require))
        print(select(2, pcall(function() require('nothing') end)))",
        expect![[r#"
            true	true	true
            true	true
            true
            false	module 'x' not found (the entry has no `imports`)
            false	bad argument #1 to 'require' (string expected, got no value)
            main.lua:6: module 'nothing' not found (the entry has no `imports`)
            => nil
        "#]],
    );
}

#[test]
fn libraries_see_their_own_imports_and_the_same_globals() {
    Case::body(
        "local a = require('a')
        print(a.name, a.inner.name, a == require('a'))
        print(shared, rawget(_G, 'shared'))
        print(pcall(require, 'inner'))
        a.set('again') print(shared)",
    )
    .with(|program| {
        program.imports = import(&[("a", "app:a")]);
        program.libraries = vec![
            library(
                "app:a",
                "shared = 'written' local inner = require('inner')
                print('loading', ...)
                return { name = 'a', inner = inner, set = function(v) shared = v end }",
                &[("inner", "app:b")],
            ),
            library("app:b", "print(pcall(require, 'a')) return { name = 'b' }", &[]),
        ];
    })
    .check(expect![[r#"
        false	module 'a' not found (the entry has no `imports`)
        loading	a	app:a
        a	b	true
        written	written
        false	module 'inner' not found (its `imports` are `a`)
        again
        => nil
    "#]]);
}

#[test]
fn a_library_that_fails_is_tried_again_and_a_loop_is_an_error() {
    Case::body(
        "print(pcall(require, 'bad')) print(pcall(require, 'bad'))
        print(pcall(require, 'syntax'))
        print(pcall(require, 'loop'))
        print(pcall(require, 'missing'))",
    )
    .with(|program| {
        program.imports =
            import(&[("bad", "app:bad"), ("syntax", "app:syntax"), ("loop", "app:loop"), ("missing", "x:y")]);
        program.libraries = vec![
            library("app:bad", "count = (count or 0) + 1 error('no ' .. count)", &[]),
            library("app:syntax", "x = = 1", &[]),
            library("app:loop", "require('self')", &[("self", "app:loop")]),
        ];
    })
    .check(expect![[r#"
        false	app:bad.lua:1: no 1
        false	app:bad.lua:1: no 2
        false	error loading module 'syntax':
        	app:syntax.lua:1: unexpected symbol near '='
        false	app:loop.lua:1: loop of require: module 'self' is being loaded
        false	error loading module 'missing':
        	library is missing from the program
        => nil
    "#]]);
}

#[test]
fn a_library_that_waits_loads_once() {
    Case::body(
        "local done = channel.new()
        for i = 1, 3 do coroutine.spawn(function() done:send(i .. require('slow')) end) end
        for i = 1, 3 do print(done:receive()) end",
    )
    .with(|program| {
        program.imports = import(&[("slow", "app:slow")]);
        program.libraries = vec![library("app:slow", "print('loading') time.sleep('1s') return 'slow'", &[])];
    })
    .check(expect![[r#"
        loading
        1slow	true
        2slow	true
        3slow	true
        => nil
    "#]]);
}

#[test]
fn check_compiles_without_running() {
    let vm = Vm::new(Box::new(Fake(Rc::default())));
    let check = |source: &str| vm.check(&Chunk { name: "@x.lua".to_owned(), code: Code::Source(source.to_owned()) });
    assert!(check("error('not run')").is_ok());
    expect![[r#"
        Err(
            "x.lua:2: unexpected symbol near '='",
        )
    "#]]
    .assert_debug_eq(&check("local\nx = = 1"));
}

#[test]
fn what_is_compiled_runs_and_fails_as_its_source_does() {
    let source = "local n = 0\nreturn function() n = n + 1 print(n, 0.1, 'text')\n  error('at line 3')\nend";
    let vm = Vm::new(Box::new(Fake(Rc::default())));
    let chunk = Chunk { name: "@main.lua".to_owned(), code: Code::Source(source.to_owned()) };
    let compiled = vm.compile(&chunk).unwrap();
    let from_source = Case::new(source).run();
    assert!(from_source.contains("main.lua:3: at line 3"), "{from_source}");
    assert_eq!(Case::new("").with(|program| program.chunk.code = Code::Compiled(compiled)).run(), from_source);
    let broken = Chunk { code: Code::Source("x = = 1".to_owned()), ..chunk };
    assert_eq!(vm.compile(&broken), vm.check(&broken).map(|_| Vec::new()));
}

/// `src/slots.rs` and `prelude/slots.lua` number the same tables.
#[test]
fn rust_and_lua_agree_on_the_slots() {
    use crate::turn::slots::{channel, kind, node, state, task};
    let slots = [
        ("CH", node::CHANNEL),
        ("SENDS", node::SENDS),
        ("TASK", node::TASK),
        ("PREV", node::PREVIOUS),
        ("NEXT", node::NEXT),
        ("CO", task::COROUTINE),
        ("GOT", task::GOT),
        ("TOPIC", task::TOPIC),
        ("SENDER", task::SENDER),
        ("OK", task::OK),
        ("HEAD", channel::HEAD),
        ("TAIL", channel::TAIL),
        ("CLOSED", channel::CLOSED),
        ("KIND", channel::KIND),
        ("SOURCE", channel::SOURCE),
        ("RFIRST", channel::FIRST_RECEIVER),
        ("RLAST", channel::LAST_RECEIVER),
        ("SFIRST", channel::FIRST_SENDER),
        ("PAYLOADS", kind::PAYLOADS),
        ("MESSAGES", kind::MESSAGES),
        ("CURRENT", state::CURRENT),
        ("LIVE", state::LIVE),
        ("QUEUE", state::QUEUE),
        ("LAST", state::LAST),
        ("DEPTH", state::DEPTH),
        ("STACK", state::STACK),
        ("FIRST", state::FIRST),
        ("TIMERS", state::TIMERS),
        ("POLLING", state::POLLING),
        ("MAIN", state::MAIN),
        ("SPAWNED", state::SPAWNED),
        ("FAILED", state::FAILED),
        ("FAILED_MEMORY", state::FAILED_MEMORY),
        ("STARTING", state::STARTING),
        ("PID", state::PID),
        ("FRAME", state::FRAME),
        ("CONTEXT", state::CONTEXT),
        ("MOST_TIMERS", state::MOST_TIMERS),
        ("MOST_COROUTINES", state::MOST_COROUTINES),
        ("MOST_LISTENERS", state::MOST_LISTENERS),
    ];
    for (name, number) in slots {
        let declared = format!("local {name} <const> = {number}");
        assert!(
            crate::vm::prelude::SLOTS.replace('\n', " ").contains(&format!("{declared} ")),
            "`{declared}` is not in prelude/slots.lua"
        );
    }
}
