//! How results are told to programs, and what can't be tested at all.

use expect_test::expect;

use crate::{folder, lunarium, run, transcript};

const THREE: &str = "local test = require('test')
test.case('good <&>', function() end)
test.case('bad # 1', function() test.eq(1, 2) end)
test.skip('later', function() end)";

#[test]
fn a_report_that_is_not_whole_is_a_failure() {
    let folder = folder(&[("a_test.lua", "require('test').case('good', function() end)")]);
    for format in ["text", "tap", "junit"] {
        let full = std::fs::File::create("/dev/full").unwrap();
        let output = lunarium(folder.path(), &["test", "--format", format]).stdout(full).output().unwrap();
        let told = "exit code: 1\n--- stderr\nerror: standard output can't be written: No space left on device (os error 28)\n";
        assert_eq!(transcript(&output), told, "{format}");
    }
    // Who reads no more has read enough.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = lunarium(folder.path(), &["test"]).stdout(writer).output().unwrap();
    assert_eq!(transcript(&output), "exit code: 0\n");
}

#[test]
fn programs_read_other_forms() {
    let folder = folder(&[("three_test.lua", THREE)]);
    expect![[r#"
        exit code: 1
        --- stdout
        TAP version 14
        # seed 1
        ok 1 - three_test.lua: good <&>
        not ok 2 - three_test.lua: bad \# 1
        # error: not equal
        #  --> three_test.lua:3:1
        #   |
        # 3 | test.case('bad # 1', function() test.eq(1, 2) end)
        #   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        # stack traceback:
        #     three_test.lua:3: in local 'case'
        # - wanted  + got
        # - 2
        # + 1
        ok 3 - three_test.lua: later # SKIP
        1..3
    "#]]
    .assert_eq(&run(&folder, &["test", "--format", "tap", "--seed", "1"]));
    expect![[r#"
        exit code: 1
        --- stdout
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuite name="lunarium" tests="3" failures="1" skipped="1">
          <properties><property name="seed" value="1"/></properties>
          <testcase classname="three_test.lua" name="good &lt;&amp;&gt;"/>
          <testcase classname="three_test.lua" name="bad # 1"><failure message="error: not equal">error: not equal
         --&gt; three_test.lua:3:1
          |
        3 | test.case('bad # 1', function() test.eq(1, 2) end)
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        stack traceback:
            three_test.lua:3: in local 'case'
        - wanted  + got
        - 2
        + 1
        </failure></testcase>
          <testcase classname="three_test.lua" name="later"><skipped/></testcase>
        </testsuite>
    "#]]
    .assert_eq(&run(&folder, &["test", "--format", "junit", "--seed", "1"]));
    expect![[r#"
        exit code: 0
        --- stdout
        three_test.lua
          ok      good <&>

        1 passed, 0 failed, 2 left out; --seed 1
    "#]]
    .assert_eq(&run(&folder, &["test", "--filter", "good", "--seed", "1"]));
}

#[test]
fn what_cannot_be_tested_is_refused() {
    let files = [
        ("empty/a.lua", "return 1"),
        ("three/three_test.lua", THREE),
        ("broken/a_test.lua", "local x = = 1"),
        ("raises/a_test.lua", "local x = nil + 1"),
        ("loops/a_test.lua", "while true do end"),
        ("twice/a_test.lua", "local test = require('test') test.case('a', print) test.case('a', print)"),
        ("inside/a_test.lua", "local test = require('test') test.case('a', function() test.case('b', print) end)"),
        ("names/a_test.lua", "local test = require('test') test.case('', print)"),
        ("field/a_test.lua", "local test = require('test') test.equal(1, 1)"),
        (
            "app/_index.yaml",
            "version: \"1.0\"\nnamespace: app\nentries:\n  - {name: main, kind: process.lua, source: 'file://none.lua'}\n",
        ),
    ];
    let folder = folder(&files);
    let mut text = String::new();
    for arguments in [
        &["nowhere"][..],
        &["empty"],
        &["empty/a.lua"],
        &["three", "--filter", "nothing"],
        &["three", "--limit", "memory=much"],
        &["three", "--timeout", "soon"],
        &["broken"],
        &["raises"],
        &["loops", "--limit", "cpu=50ms"],
        &["twice"],
        &["inside"],
        &["names"],
        &["field"],
        &["app"],
    ] {
        let output = run(&folder, &[&["test", "--seed", "1"], arguments].concat());
        text.push_str(&format!("$ test {}\n{output}\n", arguments.join(" ")));
    }
    expect![[r#"
        $ test nowhere
        exit code: 2
        --- stderr
        error: there is no file or folder `nowhere`

        $ test empty
        exit code: 2
        --- stderr
        error: there is no test in `empty`
        help: cases are `test.case(name, function)` in files whose names end with `_test.lua`

        $ test empty/a.lua
        exit code: 2
        --- stderr
        error: `empty/a.lua` is no file with tests
        help: the names of such files end with `_test.lua`

        $ test three --filter nothing
        exit code: 2
        --- stderr
        error: no case's file and name contain `nothing`
        help: cases are `test.case(name, function)` in files whose names end with `_test.lua`

        $ test three --limit memory=much
        exit code: 2
        --- stderr
        error: limit `memory`: `much` is not a size
        help: write it like `16MiB`, `500kB` or `4096` (bytes)

        $ test three --timeout soon
        exit code: 2
        --- stderr
        error: `--timeout`: `soon` is not a duration
        help: `60s`, `5m`

        $ test broken
        exit code: 2
        --- stderr
        error: Lua does not compile: unexpected symbol near '='
         --> broken/a_test.lua:1:1
          |
        1 | local x = = 1
          | ^^^^^^^^^^^^^

        error: 1 mistake

        $ test raises
        exit code: 1
        --- stdout
        a_test.lua
          FAILED  the file itself

        a_test.lua: the file itself
          error: attempt to perform arithmetic on a nil value (Internal)
           --> raises/a_test.lua:1:1
            |
          1 | local x = nil + 1
            | ^^^^^^^^^^^^^^^^^
          stack traceback:
              raises/a_test.lua:1: in main chunk

        0 passed, 1 failed; --seed 1

        $ test loops --limit cpu=50ms
        exit code: 1
        --- stdout
        a_test.lua
          FAILED  the file itself

        a_test.lua: the file itself
          error: cpu limit of 50ms reached without waiting (ResourceExhausted)

        0 passed, 1 failed; --seed 1

        $ test twice
        exit code: 1
        --- stdout
        a_test.lua
          FAILED  the file itself

        a_test.lua: the file itself
          error: there are two cases `a` (Internal)
           --> twice/a_test.lua:1:1
            |
          1 | local test = require('test') test.case('a', print) test.case('a', print)
            | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          stack traceback:
              twice/a_test.lua:1: in main chunk

        0 passed, 1 failed; --seed 1

        $ test inside
        exit code: 1
        --- stdout
        a_test.lua
          FAILED  a

        a_test.lua: a
          error: case `b` stands inside of another (Internal)
           --> inside/a_test.lua:1:1
            |
          1 | local test = require('test') test.case('a', function() test.case('b', print) end)
            | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          stack traceback:
              inside/a_test.lua:1: in local 'case'

        0 passed, 1 failed; --seed 1

        $ test names
        exit code: 1
        --- stdout
        a_test.lua
          FAILED  the file itself

        a_test.lua: the file itself
          error: bad argument #1 to 'case' (a name of 1 to 200 bytes expected) (Internal)
           --> names/a_test.lua:1:1
            |
          1 | local test = require('test') test.case('', print)
            | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          stack traceback:
              names/a_test.lua:1: in main chunk

        0 passed, 1 failed; --seed 1

        $ test field
        exit code: 1
        --- stdout
        a_test.lua
          FAILED  the file itself

        a_test.lua: the file itself
          error: module 'test' has no function 'equal' (Internal)
           --> field/a_test.lua:1:1
            |
          1 | local test = require('test') test.equal(1, 1)
            | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          stack traceback:
              field/a_test.lua:1: in main chunk

        0 passed, 1 failed; --seed 1

        $ test app
        exit code: 2
        --- stderr
        error: there is no file `app/none.lua`
         --> app/_index.yaml:4:45
          |
        4 |   - {name: main, kind: process.lua, source: 'file://none.lua'}
          |                                             ^^^^^^^^^^^^^^^^^

        error: 1 mistake

    "#]]
    .assert_eq(&text);
}
