//! One-liners, scripts from standard input and plain files; and the module `stdin`.

use std::process::Stdio;

use expect_test::{Expect, expect};

use crate::{app, folder, lunarium, run, transcript};

/// Runs the command with this on its standard input.
fn fed(files: &[(&str, &str)], arguments: &[&str], input: &[u8]) -> String {
    transcript(&crate::fed(lunarium(folder(files).path(), arguments), input))
}

fn check(arguments: &[&str], input: &[u8], expected: Expect) {
    expected.assert_eq(&fed(&[], arguments, input));
}

#[test]
fn a_one_liner_runs_from_top_to_bottom_with_its_arguments() {
    check(
        &["run", "-e", "print(select('#', ...), ...)", "a", "-b", "--", "c d"],
        b"",
        expect![[r#"
        exit code: 0
        --- stdout
        4	a	-b	--	c d
    "#]],
    );
    // As with a file, a function that it returns is what runs.
    check(
        &["run", "-e", "return { main = function(a) return #a end }", "four"],
        b"",
        expect![[r#"
        exit code: 4
    "#]],
    );
}

#[test]
fn a_one_liner_tells_where_it_failed() {
    check(
        &["run", "-e", "local x\nx.y = 1"],
        b"",
        expect![[r#"
        exit code: 1
        --- stderr
        error: app:main {app:processes|0x00001} failed: attempt to index a nil value (local 'x') (Internal)
         --> -e:2:1
          |
        2 | x.y = 1
          | ^^^^^^^
        stack traceback:
            -e:2: in main chunk
    "#]],
    );
    check(
        &["run", "-e", "local x = = 1"],
        b"",
        expect![[r#"
        exit code: 2
        --- stderr
        error: Lua does not compile: unexpected symbol near '='
         --> -e:1:1
          |
        1 | local x = = 1
          | ^^^^^^^^^^^^^

        error: 1 mistake
    "#]],
    );
    check(
        &["run", "-e", "return 3"],
        b"",
        expect![[r#"
        exit code: 1
        --- stderr
        error: app:main {app:processes|0x00001} failed: the chunk returned number, not a function or a table of functions (Invalid)
    "#]],
    );
}

#[test]
fn a_script_comes_from_standard_input() {
    check(
        &["run", "-", "one", "two"],
        b"print('from afar', ...)",
        expect![[r#"
        exit code: 0
        --- stdout
        from afar	one	two
    "#]],
    );
    check(
        &["run", "-"],
        b"print('\xff')",
        expect![[r#"
        exit code: 2
        --- stderr
        error: the script on standard input is not UTF-8
    "#]],
    );
    check(
        &["run", "-"],
        &vec![b'-'; (1 << 20) + 1],
        expect![[r#"
        exit code: 2
        --- stderr
        error: the script on standard input has more than 1048576 bytes, the limit
    "#]],
    );
    check(
        &["run", "-"],
        b"error('no', 0)",
        expect![[r#"
        exit code: 1
        --- stderr
        error: app:main {app:processes|0x00001} failed: no (Internal)
         --> stdin:1:1
          |
        1 | error('no', 0)
          | ^^^^^^^^^^^^^^
        stack traceback:
            stdin:1: in main chunk
    "#]],
    );
}

#[test]
fn a_plain_file_runs_from_top_to_bottom() {
    let plain = "local name = ...\nprint('hello', name)\ntime.sleep('1ms')\nprint('later')\n";
    expect![[r#"
        exit code: 0
        --- stdout
        hello	Ada
        later
    "#]]
    .assert_eq(&fed(&[("plain.lua", plain)], &["run", "plain.lua", "Ada"], b""));
    expect![[r#"
        exit code: 1
        --- stderr
        error: app:main {app:processes|0x00001} failed: attempt to index a nil value (global 'nothing') (Internal)
         --> plain.lua:1:1
          |
        1 | print(nothing.here)
          | ^^^^^^^^^^^^^^^^^^^
        stack traceback:
            plain.lua:1: in main chunk
    "#]]
    .assert_eq(&fed(&[("plain.lua", "print(nothing.here)")], &["run", "plain.lua"], b""));
}

/// As `lua FILE` has it, wherever a file's text is a program; lines keep their numbers.
#[test]
fn a_first_line_for_the_shell_and_a_mark_of_utf8_are_skipped() {
    let shell = "#!/usr/bin/env -S lunarium run\nprint('shell', ...)\n";
    expect![[r#"
        exit code: 0
        --- stdout
        shell	Ada
    "#]]
    .assert_eq(&fed(&[("a.lua", shell)], &["run", "a.lua", "Ada"], b""));
    check(
        &["run", "-", "Ada"],
        shell.as_bytes(),
        expect![[r#"
        exit code: 0
        --- stdout
        shell	Ada
    "#]],
    );
    let marked = "\u{feff}print('marked')";
    expect![[r#"
        exit code: 0
        --- stdout
        marked
    "#]]
    .assert_eq(&fed(&[("a.lua", marked)], &["run", "a.lua"], b""));
    let fails = "\u{feff}#!/usr/bin/env -S lunarium run\nlocal x: number\nx.y = 1";
    expect![[r#"
        exit code: 1
        --- stderr
        error: app:main {app:processes|0x00001} failed: attempt to index a nil value (local 'x') (Internal)
         --> a.lua:3:1
          |
        3 | x.y = 1
          | ^^^^^^^
        stack traceback:
            a.lua:3: in main chunk
    "#]]
    .assert_eq(&fed(&[("a.lua", fails)], &["run", "a.lua"], b""));
    let wrong = "\u{feff}local x = = 1\n";
    expect![[r#"
        exit code: 2
        --- stderr
        error: Lua does not compile: unexpected symbol near '='
         --> a.lua:1:1
          |
        1 | \u{feff}local x = = 1
          | ^^^^^^^^^^^^^^^^^^^^^

        error: 1 mistake
    "#]]
    .assert_eq(&fed(&[("a.lua", wrong)], &["check", "a.lua"], b""));
    // Nothing of it is left.
    expect![[r#"
        exit code: 0
    "#]]
    .assert_eq(&fed(&[("a.lua", "#!lunarium")], &["run", "a.lua"], b""));
}

#[test]
fn files_of_an_application_and_tests_may_begin_so() {
    let index = "version: \"1.0\"
namespace: app
entries:
  - {name: main, kind: process.lua, source: file://main.lua, imports: {lib: app:lib}}
  - {name: lib, kind: library.lua, source: file://lib.lua}
";
    let main = "#!/usr/bin/env lunarium\nreturn { main = function() print(require('lib').line()) end }\n";
    let lib = "\u{feff}#!/usr/bin/env lunarium\nreturn { line = function() return debug.traceback():match('lib.lua:%d+') end }\n";
    let test = "#!/usr/bin/env lunarium\nlocal test = require('test')\ntest.case('is one', function() test.same(#'#', 1) end)\n";
    let files = [("_index.yaml", index), ("main.lua", main), ("lib.lua", lib), ("a_test.lua", test)];
    expect![[r#"
        exit code: 0
        --- stdout
        lib.lua:2
    "#]]
    .assert_eq(&fed(&files, &["run", "."], b""));
    expect![[r#"
        exit code: 0
    "#]]
    .assert_eq(&fed(&files, &["check", "."], b""));
    let tested = fed(&files, &["test", "."], b"");
    assert!(tested.contains("1 passed"), "{tested}");
    let typed = crate::fed(lunarium(folder(&[]).path(), &["fmt", "-"]), b"\xef\xbb\xbf#!lua  \nx=1");
    assert_eq!(String::from_utf8(typed.stdout).unwrap(), "\u{feff}#!lua\nx = 1\n");
}

#[test]
fn an_entry_of_an_application_has_to_return_what_runs() {
    let app = app("  - {name: main, kind: process.lua, source: 'print(1)'}\n");
    expect![[r#"
        exit code: 1
        --- stdout
        1
        --- stderr
        error: app:main {app:processes|0x00001} failed: the chunk returned nil, not a function or a table of functions (Invalid)
         |
         = help: its last line says what to run: `return { main = main }`
    "#]].assert_eq(&run(&app, &["run", "app"]));
}

#[test]
fn one_of_both_has_to_be_named() {
    check(
        &["run"],
        b"",
        expect![[r#"
        exit code: 2
        --- stderr
        error: the following required arguments were not provided:
          <PATH>

        Usage: lunarium run <PATH> [ARGUMENTS]...

        For more information, try '--help'.
    "#]],
    );
    check(
        &["run", "-e", "print(1)", "-x", "app:main"],
        b"",
        expect![[r#"
        exit code: 2
        --- stderr
        error: the argument '--eval <CODE>' cannot be used with '--execute <NAMESPACE:NAME>'

        Usage: lunarium run --eval <CODE> [PATH] [ARGUMENTS]...

        For more information, try '--help'.
    "#]],
    );
}

const LINES: &str =
    "local stdin = require('stdin') for line in stdin.lines() do print('<' .. line .. '>') end print(stdin.read())";

#[test]
fn lines_come_one_by_one_and_the_last_needs_no_end() {
    check(
        &["run", "-e", LINES],
        b"one\n\nthree\xff",
        expect![[r#"
        exit code: 0
        --- stdout
        <one>
        <>
        <three�>

    "#]],
    );
    check(
        &["run", "-e", LINES],
        b"",
        expect![[r#"
        exit code: 0
        --- stdout

    "#]],
    );
    // Larger than what comes at once.
    let many: String = (0..100_000).map(|number| format!("{number}\n")).collect();
    let sum = "local sum = 0 for line in require('stdin').lines() do sum = sum + line end print(sum)";
    check(
        &["run", "-e", sum],
        many.as_bytes(),
        expect![[r#"
        exit code: 0
        --- stdout
        4999950000
    "#]],
    );
}

#[test]
fn bytes_are_read_as_many_as_are_wanted() {
    let script = "local stdin = require('stdin') print(stdin.read(3), stdin.read(2), stdin.read(), stdin.read(1))
        for _, wrong in ipairs { 0, 1.5, 'x' } do print(pcall(stdin.read, wrong)) end";
    check(
        &["run", "-e", script],
        b"abcdefg",
        expect![[r#"
        exit code: 0
        --- stdout
        abc	de	fg	nil
        false	bad argument #1 to 'read' (number of bytes expected, 1 or more)
        false	bad argument #1 to 'read' (number of bytes expected, 1 or more)
        false	bad argument #1 to 'read' (number of bytes expected, 1 or more)
    "#]],
    );
}

#[test]
fn who_waits_for_input_lets_others_run() {
    let script = "local stdin = require('stdin')
        coroutine.spawn(function() print('meanwhile') process.send(process.pid(), 'go') end)
        process.listen('go'):receive()
        print(stdin.read(1))";
    check(
        &["run", "-e", script],
        b"x",
        expect![[r#"
        exit code: 0
        --- stdout
        meanwhile
        x
    "#]],
    );
}

#[test]
fn a_script_that_is_read_leaves_nothing_on_standard_input() {
    check(
        &["run", "-"],
        b"print(require('stdin').read(1))",
        expect![[r#"
        exit code: 0
        --- stdout
        nil
    "#]],
    );
}

#[test]
fn in_an_application_standard_input_is_granted() {
    let granted = "  - {name: main, kind: process.lua, source: 'return function() print(require(\"stdin\").read()) end', grants: {modules: [stdin]}}\n";
    let other =
        "  - {name: main, kind: process.lua, source: 'return function() print(pcall(require, \"stdin\")) end'}\n";
    let index = |entries: &str| format!("version: \"1.0\"\nnamespace: app\nentries:\n{entries}");
    expect![[r#"
        exit code: 0
        --- stdout
        text
    "#]]
    .assert_eq(&fed(&[("app/_index.yaml", &index(granted))], &["run", "app"], b"text"));
    expect![[r#"
        exit code: 0
        --- stdout
        false	module 'stdin' not found: it needs a grant, `modules: [stdin]`
    "#]]
    .assert_eq(&fed(&[("app/_index.yaml", &index(other))], &["run", "app"], b"text"));
}

#[test]
fn lines_of_both_streams_keep_their_order_in_one_pipe() {
    let folder = folder(&[]);
    let script = "for i = 1, 200 do print('out ' .. i) logger:info('log ' .. i) end error('end', 0)";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "exec \"$0\" run -e \"$1\" 2>&1", env!("CARGO_BIN_EXE_lunarium"), script]);
    let output = command.current_dir(folder.path()).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbered = |line: &str| line.starts_with("out ") || line.contains(" INFO ");
    let lines: Vec<&str> = text.lines().filter(|line| numbered(line)).collect();
    let wanted = (1..=200).flat_map(|i| [format!("out {i}"), format!("log {i}")]);
    assert_eq!(lines.len(), 400, "{text}");
    for (line, wanted) in lines.iter().zip(wanted) {
        assert!(line.ends_with(&wanted), "{line}, and not {wanted}");
    }
    assert!(text.find("log 200") < text.find("failed: end"), "{text}");
}

#[test]
fn a_misspelt_main_is_told_before_nothing_happens() {
    let told = |format: &[&str]| {
        let files = [("mian.lua", "return { mian = function() print('never') end }\n")];
        let folder = folder(&files);
        // It serves calls, for ever.
        let arguments = [&["run", "--limit", "lifetime=10ms"], format, &["mian.lua"]].concat();
        let output = lunarium(folder.path(), &arguments).output().unwrap();
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    let text = told(&[]);
    let (warning, rest) = text.split_once("error: ").unwrap();
    expect![[r#"
        warning: `app:main` has no function `main`: it serves calls, and does nothing by itself
         --> mian.lua:1:10
          |
        1 | return { mian = function() print('never') end }
          |          ^^^^
          |
          = help: `mian` may be meant to be `main`

        warning: 1 warning
    "#]]
    .assert_eq(warning);
    assert!(rest.contains("lifetime limit of 10ms reached"), "{rest}");
    let line: serde_json::Value =
        serde_json::from_str(told(&["--log-format", "json"]).lines().next().unwrap()).unwrap();
    assert_eq!(line["level"], "warn");
    assert!(line["message"].as_str().unwrap().starts_with("warning: `app:main` has no function `main`"), "{line}");
}
