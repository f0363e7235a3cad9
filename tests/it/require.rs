//! `require` of the libraries an entry imports.

use lunarium_engine::{Chunk, Definition, EntryId, Import, Library};
use lunarium_tests::{Lab, show_outcome};

/// A library: name, source, and the names of those it imports (alias and library are called alike).
type Source<'a> = (&'a str, &'a str, &'a [&'a str]);

fn import(name: &&str) -> Import {
    Import::new(*name, EntryId::new(format!("app:{name}")))
}

/// Runs a program that imports `imports` of these libraries.
fn run(program: &str, imports: &[&str], libraries: &[Source<'_>]) -> String {
    let lab = Lab::default();
    let libraries = libraries.iter().map(|(name, source, imports)| {
        let chunk = Chunk::new(format!("@{name}.lua"), *source);
        Library::new(EntryId::new(format!("app:{name}")), chunk, imports.iter().map(import).collect())
    });
    let chunk = Chunk::new("@main.lua", format!("return function() {program} end"));
    let definition = Definition::new(EntryId::new("app:main"), chunk);
    lab.node.define(definition.with_imports(imports.iter().map(import).collect(), libraries.collect()));
    let outcome = lab.spawn("main", Vec::new()).wait_blocking();
    lab.printed().into_iter().chain([show_outcome(&outcome)]).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_library_is_loaded_once() {
    let program = r#"
        local a, b = require("lib"), require("lib")
        return a == b and a.add(1, 2)"#;
    let library = "print('loaded') return { add = function(a, b) return a + b end }";
    assert_eq!(run(program, &["lib"], &[("lib", library, &[])]), "loaded\n=> 3");
}

#[test]
fn a_library_has_its_own_imports_and_shares_the_globals() {
    let program = r#"
        shared = "set by main"
        local outer = require("outer")
        return { outer.text, pcall(require, "inner") }"#;
    let libraries: [Source<'_>; 2] = [
        ("outer", "return { text = require('inner') .. ' and ' .. shared }", &["inner"]),
        ("inner", "return 'inner'", &[]),
    ];
    assert_eq!(
        run(program, &["outer"], &libraries),
        r#"=> {"inner and set by main", false, "module 'inner' not found (its `imports` are `outer`)"}"#
    );
}

#[test]
fn a_library_may_wait_while_it_loads() {
    let program = r#"
        local got = channel.new(2)
        coroutine.spawn(function() got:send(require("slow")) end)
        got:send(require("slow"))
        local a, b = got:receive(), got:receive()
        return a == b"#;
    let library = "time.sleep(5) print('loaded') return {}";
    assert_eq!(run(program, &["slow"], &[("slow", library, &[])]), "loaded\n=> true");
}

#[test]
fn a_library_that_fails_raises_where_it_is_required() {
    let program = r#"
        for _ = 1, 2 do
            local ok, err = pcall(require, "broken")
            print(ok, tostring(err):find("boom", 1, true) ~= nil)
        end
        local ok, err = pcall(require, "invalid")
        print(ok, tostring(err):find("invalid.lua:1:", 1, true) ~= nil)"#;
    let libraries: [Source<'_>; 2] = [("broken", "error('boom')", &[]), ("invalid", "return +", &[])];
    assert_eq!(run(program, &["broken", "invalid"], &libraries), "false\ttrue\nfalse\ttrue\nfalse\ttrue\n=> nil");
}

#[test]
fn libraries_that_require_each_other_are_an_error() {
    let libraries: [Source<'_>; 2] =
        [("one", "return { require('two') }", &["two"]), ("two", "return { require('one') }", &["one"])];
    let outcome = run("return (pcall(require, 'one'))", &["one"], &libraries);
    assert_eq!(outcome, "=> false");
}
