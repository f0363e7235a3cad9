//! Exit codes, and what standard error says about a process that failed.

use expect_test::{Expect, expect};

use crate::{app, folder, run, run_file};

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&run_file(text, &[]));
}

#[test]
fn a_normal_end_is_zero() {
    for result in ["", "return true", "return nil", "return 0", "return 'text'", "return 1.5", "return {1}"] {
        assert_eq!(run_file(&format!("return function() {result} end"), &[]), "exit code: 0\n", "{result}");
    }
}

#[test]
fn false_is_one() {
    check(
        "return function() return false end",
        expect![[r#"
        exit code: 1
    "#]],
    );
}

#[test]
fn a_returned_integer_is_the_code() {
    check(
        "return function() return 7 end",
        expect![[r#"
        exit code: 7
    "#]],
    );
    check(
        "return function() return 255 end",
        expect![[r#"
        exit code: 255
    "#]],
    );
    check(
        "return function() return 256 end",
        expect![[r#"
        exit code: 1
        --- stderr
        error: app:main {app:processes|0x00001} returned 256, which is no exit code (0 to 255)
    "#]],
    );
    check(
        "return function() return -1 end",
        expect![[r#"
        exit code: 1
        --- stderr
        error: app:main {app:processes|0x00001} returned -1, which is no exit code (0 to 255)
    "#]],
    );
}

#[test]
fn an_error_is_told_with_its_traceback() {
    check(
        "local function inner()\n  error('went wrong')\nend\nreturn { main = function()\n  inner()\nend }\n",
        expect![[r#"
            exit code: 1
            --- stderr
            error: app:main {app:processes|0x00001} failed: went wrong (Internal)
             --> file.lua:2:3
              |
            2 |   error('went wrong')
              |   ^^^^^^^^^^^^^^^^^^^
            stack traceback:
                file.lua:2: in upvalue 'inner'
                file.lua:5: in function <file.lua:4>
        "#]],
    );
}

#[test]
fn a_reason_is_told() {
    check(
        "return function() return false, 'no reason' end",
        expect![[r#"
        exit code: 1
        --- stderr
        error: app:main {app:processes|0x00001} failed: no reason (Internal)
    "#]],
    );
    check(
        "return function() return nil, errors.new{message = 'taken', kind = errors.CONFLICT} end",
        expect![[r#"
            exit code: 1
            --- stderr
            error: app:main {app:processes|0x00001} failed: taken (Conflict)
             --> file.lua:1:1
              |
            1 | return function() return nil, errors.new{message = 'taken', kind = errors.CONFLICT} end
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
            stack traceback:
                file.lua:1: in function <file.lua:1>
        "#]],
    );
}

#[test]
fn a_deadlock_is_told() {
    check(
        "return function() channel.new():receive() end",
        expect![[r#"
            exit code: 1
            --- stderr
            error: app:main {app:processes|0x00001} failed: all coroutines blocked (Internal)
             --> file.lua:1:1
              |
            1 | return function() channel.new():receive() end
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              |
              = help: each waits for something that only another coroutine of this process could do
            stack traceback:
                file.lua:1: in function <file.lua:1>
        "#]],
    );
}

#[test]
fn an_unknown_method_ends_the_process() {
    let app = app("  - {name: main, kind: process.lua, source: 'return {}', method: serve}\n");
    expect![[r#"
        exit code: 1
        --- stderr
        error: app:main {app:processes|0x00001} failed: the chunk returned no function `serve`: its table has nothing by a name (Invalid)
    "#]]
    .assert_eq(&run(&app, &["run", "app"]));
}

#[test]
fn a_chunk_returns_functions() {
    check(
        "return 5",
        expect![[r#"
            exit code: 1
            --- stderr
            error: app:main {app:processes|0x00001} failed: the chunk returned number, not a function or a table of functions (Invalid)
        "#]],
    );
    check(
        "print('nothing')",
        expect![[r#"
            exit code: 0
            --- stdout
            nothing
        "#]],
    );
    check(
        "return { main = 5 }",
        expect![[r#"
            exit code: 1
            --- stderr
            error: app:main {app:processes|0x00001} failed: the chunk returned no function `main`: its table has `main` (a number) (Invalid)
        "#]],
    );
    check(
        "error('at once')",
        expect![[r#"
            exit code: 1
            --- stderr
            error: app:main {app:processes|0x00001} failed: at once (Internal)
             --> file.lua:1:1
              |
            1 | error('at once')
              | ^^^^^^^^^^^^^^^^
            stack traceback:
                file.lua:1: in main chunk
        "#]],
    );
}

#[test]
fn a_limit_that_kills_is_named() {
    let folder = folder(&[
        ("busy.lua", "return function() while true do end end"),
        ("hog.lua", "return function() local t = {} while true do t[#t + 1] = ('x'):rep(100) .. #t end end"),
    ]);
    expect![[r#"
        exit code: 1
        --- stderr
        error: app:main {app:processes|0x00001} failed: cpu limit of 50ms reached without waiting (ResourceExhausted)
         |
         = help: limit `cpu` is 50ms, which `--limit cpu` gives: a larger value raises it
    "#]]
    .assert_eq(&run(&folder, &["run", "--limit", "cpu=50ms", "busy.lua"]));
    let hog = run(&folder, &["run", "hog.lua", "--limit", "memory=2MiB"]);
    assert!(hog.starts_with("exit code: 1\n--- stderr\nerror: app:main {app:processes|0x00001} failed: "), "{hog}");
    assert!(hog.contains("(ResourceExhausted)"), "{hog}");
}

#[test]
fn arguments_reach_main_as_strings() {
    let text = "return function(...) print(select('#', ...), ...) print(type((...))) end";
    let printed = |arguments: &[&str]| run_file(text, arguments);
    expect![[r#"
        exit code: 0
        --- stdout
        8	1	two words		--flag	-x	a:b	--	é
        string
    "#]]
    .assert_eq(&printed(&["1", "two words", "", "--flag", "-x", "a:b", "--", "é"]));
    expect![[r#"
        exit code: 0
        --- stdout
        1	--unknown
        string
    "#]]
    .assert_eq(&printed(&["--unknown"]));
}

#[test]
fn an_entry_runs_with_its_arguments() {
    let app = app(concat!(
        "  - {name: job, kind: process.lua, source: 'return function(...) print(process.pid(), ...) end'}\n",
        "  - {name: web, kind: process.service, process: job, host: processes, input: [started]}\n",
        "  - {name: processes, kind: process.host}\n",
    ));
    // Services don't start beside it.
    expect![[r#"
        exit code: 0
        --- stdout
        {app:processes|0x00001}	1	-x
    "#]]
    .assert_eq(&run(&app, &["run", "app", "-x", "app:job", "1", "-x"]));
}

#[test]
fn a_named_host_is_used_even_when_it_does_not_start_by_itself() {
    let app = app(concat!(
        "  - {name: main, kind: process.lua, source: 'return function() print(process.pid()) end'}\n",
        "  - {name: one, kind: process.host}\n",
        "  - {name: two, kind: process.host, lifecycle: {auto_start: false}}\n",
    ));
    expect![[r#"
        exit code: 0
        --- stdout
        {app:two|0x00001}
    "#]]
    .assert_eq(&run(&app, &["run", "app", "--host", "app:two"]));
}

#[test]
fn a_host_that_does_not_start_refuses_processes() {
    let app = app(concat!(
        "  - name: main\n",
        "    kind: process.lua\n",
        "    source: |\n",
        "      return function()\n",
        "        local _, err = process.spawn('app:main', 'app:two')\n",
        "        print(err:kind())\n",
        "      end\n",
        "  - {name: one, kind: process.host}\n",
        "  - {name: two, kind: process.host, lifecycle: {auto_start: false}}\n",
    ));
    expect![[r#"
        exit code: 0
        --- stdout
        Unavailable
    "#]]
    .assert_eq(&run(&app, &["run", "app", "--host", "app:one"]));
}
