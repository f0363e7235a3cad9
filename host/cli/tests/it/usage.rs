//! A wrong command line or application: exit code 2, and words that help.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use crate::{app, folder, lunarium, run, transcript};

const TWO: &str = concat!(
    "  - {name: first, kind: process.lua, source: 'return print'}\n",
    "  - {name: second, kind: process.lua, source: 'return print'}\n",
);

fn check(entries: &str, arguments: &[&str], expected: Expect) {
    expected.assert_eq(&run(&app(entries), arguments));
}

#[test]
fn an_unknown_entry_is_named_with_the_nearest() {
    check(
        TWO,
        &["run", "app", "-x", "app:frist"],
        expect![[r#"
        exit code: 2
        --- stderr
        error: there is no entry `app:frist` to run
        help: did you mean `app:first`?
    "#]],
    );
    check(
        TWO,
        &["run", "app", "-x", "elsewhere:job"],
        expect![[r#"
        exit code: 2
        --- stderr
        error: there is no entry `elsewhere:job` to run
        help: there are `app:first`, `app:second`
    "#]],
    );
}

#[test]
fn without_a_main_entry_something_must_be_named() {
    check(
        TWO,
        &["run", "app"],
        expect![[r#"
        exit code: 2
        --- stderr
        error: the application has no service to start and no single entry named `main`: `-x` must name what to run
        help: there are `app:first`, `app:second`
    "#]],
    );
}

#[test]
fn an_unknown_host_is_named_with_the_others() {
    check(
        TWO,
        &["run", "app", "-x", "app:first", "--host", "app:process"],
        expect![[r#"
        exit code: 2
        --- stderr
        error: there is no process host `app:process`
        help: did you mean `app:processes`?
    "#]],
    );
}

#[test]
fn among_several_hosts_one_must_be_named() {
    let entries = format!("{TWO}  - {{name: small, kind: process.host}}\n  - {{name: large, kind: process.host}}\n");
    check(
        &entries,
        &["run", "app", "-x", "app:first"],
        expect![[r#"
        exit code: 2
        --- stderr
        error: the application has 2 process hosts: `--host` must name one
        help: there are `app:small`, `app:large`
    "#]],
    );
}

#[test]
fn services_take_nothing_that_only_a_process_takes() {
    let entries = format!("{TWO}  - {{name: web, kind: process.service, process: first, host: 'app:processes'}}\n");
    check(
        &entries,
        &["run", "app", "argument"],
        expect![[r#"
        exit code: 2
        --- stderr
        error: the application's services take no arguments: `-x` names one process to run
    "#]],
    );
    check(
        &entries,
        &["run", "app", "--limit", "cpu=1s"],
        expect![[r#"
        exit code: 2
        --- stderr
        error: the application's services take no `--limit`: `-x` names one process to run
    "#]],
    );
    check(
        &entries,
        &["run", "app", "--host", "app:processes"],
        expect![[r#"
        exit code: 2
        --- stderr
        error: the application's services take no `--host`: `-x` names one process to run
    "#]],
    );
}

#[test]
fn a_limit_that_is_no_size_is_told_before_anything_runs() {
    for (limit, expected) in [
        (
            "memory=lots",
            expect![[r#"
            exit code: 2
            --- stderr
            error: limit `memory`: `lots` is not a size
            help: write it like `16MiB`, `500kB` or `4096` (bytes)
        "#]],
        ),
        (
            "memory",
            expect![[r#"
            exit code: 2
            --- stderr
            error: `memory` is not of the form NAME=VALUE
            help: write it like `memory=16MiB`
        "#]],
        ),
        (
            "memmory=1MiB",
            expect![[r#"
            exit code: 2
            --- stderr
            error: unknown limit `memmory`
            help: did you mean `memory`?
        "#]],
        ),
        (
            "cpu=5",
            expect![[r#"
            exit code: 2
            --- stderr
            error: limit `cpu`: `5` is not a duration
            help: write it like `250ms`, `10s` or `1h30m`
        "#]],
        ),
        (
            "timers=few",
            expect![[r#"
            exit code: 2
            --- stderr
            error: limit `timers`: `few` is not a whole number
            help: write it like `1000`
        "#]],
        ),
        (
            "memory=0",
            expect![[r#"
            exit code: 2
            --- stderr
            error: limit `memory` must be more than 0
        "#]],
        ),
        (
            "links=4294967296",
            expect![[r#"
            exit code: 2
            --- stderr
            error: limit `links` of 4294967296 is above the most that can be set, 4294967295
        "#]],
        ),
    ] {
        check(TWO, &["run", "app", "--limit", limit], expected);
    }
}

#[test]
fn what_the_node_may_hold_is_set_on_the_command_line() {
    let hog = "return function() return #('x'):rep(20 << 20) == 20 << 20 and 7 end";
    let folder = folder(&[("hog.lua", hog)]);
    let mut all = String::new();
    for options in [
        &[][..],
        &["--limit", "memory=64MiB"],
        &["--limit", "memory=64MiB", "--node-memory", "16MiB"],
        &["--node-memory", "much"],
        &["--node-memory", "0"],
        &["--node-processes", "0"],
        &["--node-cpu-max", "0.5", "--limit", "memory=64MiB"],
        &["--node-cpu-max", "half"],
        &["--node-cpu-max", "0"],
    ] {
        let command: Vec<&str> = ["run"].into_iter().chain(options.iter().copied()).chain(["hog.lua"]).collect();
        let told = run(&folder, &command);
        let shown = told
            .lines()
            .filter(|line| ["exit", "error", "help:", " = help"].iter().any(|begin| line.starts_with(begin)));
        writeln!(all, "{}\n  {}", options.join(" "), shown.collect::<Vec<_>>().join("\n  ")).unwrap();
    }
    expect![[r#"

          exit code: 1
          error: app:main {app:processes|0x00001} failed: not enough memory (ResourceExhausted)
        --limit memory=64MiB
          exit code: 7
        --limit memory=64MiB --node-memory 16MiB
          exit code: 1
          error: app:main {app:processes|0x00001} failed: not enough memory: the node is at its memory budget of 16777216 bytes (ResourceExhausted)
           = help: `--node-memory SIZE` raises it for this run
        --node-memory much
          exit code: 2
          error: `--node-memory`: `much` is not a size
          help: write it like `16MiB`, `500kB` or `4096` (bytes)
        --node-memory 0
          exit code: 2
          error: `--node-memory` must be more than 0
          help: write it like `16MiB`, `500kB` or `4096` (bytes)
        --node-processes 0
          exit code: 2
          error: invalid value '0' for '--node-processes <N>': 0 is not in 1..=4294967295
        --node-cpu-max 0.5 --limit memory=64MiB
          exit code: 7
        --node-cpu-max half
          exit code: 2
          error: `--node-cpu-max` must be a number of cores from 0.01 to 1000, not `half`
        --node-cpu-max 0
          exit code: 2
          error: `--node-cpu-max` must be a number of cores from 0.01 to 1000, not `0`
    "#]]
    .assert_eq(&all);
}

#[test]
fn arguments_that_are_not_valid_are_told() {
    for (arguments, expected) in [
        (
            &["run"][..],
            expect![[r#"
            exit code: 2
            --- stderr
            error: the following required arguments were not provided:
              <PATH>

            Usage: lunarium run <PATH> [ARGUMENTS]...

            For more information, try '--help'.
        "#]],
        ),
        (
            &["rnu", "app"],
            expect![[r#"
            exit code: 2
            --- stderr
            error: unrecognized subcommand 'rnu'

            Usage: lunarium <COMMAND>

            For more information, try '--help'.
        "#]],
        ),
        (
            &["run", "--log-level", "loud", "app"],
            expect![[r#"
            exit code: 2
            --- stderr
            error: invalid value 'loud' for '--log-level <LEVEL>'
              [possible values: debug, info, warn, error]

            For more information, try '--help'.
        "#]],
        ),
        (
            &["run", "--log-fromat", "json", "app"],
            expect![[r#"
                exit code: 2
                --- stderr
                error: unexpected argument '--log-fromat' found

                  tip: a similar argument exists: '--log-format'
                  tip: to pass '--log-fromat' as a value, use '-- --log-fromat'

                Usage: lunarium run --log-format <FORMAT> [PATH] [ARGUMENTS]...

                For more information, try '--help'.
            "#]],
        ),
        (
            &["check", "app", "more"],
            expect![[r#"
                exit code: 2
                --- stderr
                error: unexpected argument 'more' found

                Usage: lunarium check [OPTIONS] <PATH>

                For more information, try '--help'.
            "#]],
        ),
        (
            &["check", "--limit", "cpu=1s", "app"],
            expect![[r#"
                exit code: 2
                --- stderr
                error: unexpected argument '--limit' found

                  tip: to pass '--limit' as a value, use '-- --limit'

                Usage: lunarium check [OPTIONS] <PATH>

                For more information, try '--help'.
            "#]],
        ),
    ] {
        check(TWO, arguments, expected);
    }
}

#[test]
fn a_path_must_be_there() {
    check(
        TWO,
        &["run", "nowhere"],
        expect![[r#"
        exit code: 2
        --- stderr
        error: there is no file or folder `nowhere`
    "#]],
    );
    check(
        TWO,
        &["check", "nowhere.lua"],
        expect![[r#"
        exit code: 2
        --- stderr
        error: there is no file or folder `nowhere.lua`
    "#]],
    );
    check(
        TWO,
        &["run", "app/_index.yaml"],
        expect![[r#"
        exit code: 2
        --- stderr
        error: `app/_index.yaml` is a part of an application: name its folder
    "#]],
    );
    check(
        TWO,
        &["run", "/dev/null"],
        expect![[r#"
        exit code: 2
        --- stderr
        error: `/dev/null` is neither a file nor a folder
    "#]],
    );
}

#[test]
fn a_source_that_does_not_compile_is_shown() {
    let folder = folder(&[
        (
            "app/_index.yaml",
            concat!(
                "version: \"1.0\"\nnamespace: app\nentries:\n",
                "  - {name: file, kind: process.lua, source: 'file://lua/bad.lua'}\n",
                "  - {name: again, kind: process.lua, source: 'file://lua/bad.lua'}\n",
                "  - name: inline\n    kind: library.lua\n    source: |\n      local x =\n      return x\n",
                "  - {name: unfinished, kind: process.lua, source: 'return function()'}\n",
            ),
        ),
        ("app/lua/bad.lua", "local fine = 1\n\n  fine 2\n"),
        ("single.lua", "return {\n"),
    ]);
    expect![[r#"
        exit code: 2
        --- stderr
        error: Lua does not compile: unexpected symbol near 'return'
          --> app/_index.yaml:10:7
           |
        10 |       return x
           |       ^^^^^^^^

        error: Lua does not compile: 'end' expected near <eof>
          --> app/_index.yaml:11:51
           |
        11 |   - {name: unfinished, kind: process.lua, source: 'return function()'}
           |                                                   ^^^^^^^^^^^^^^^^^^^

        error: Lua does not compile: syntax error near '2'
         --> app/lua/bad.lua:3:3
          |
        3 |   fine 2
          |   ^^^^^^

        error: 3 mistakes
    "#]]
    .assert_eq(&run(&folder, &["check", "app"]));
    // The same before a run, and nothing starts.
    assert_eq!(run(&folder, &["run", "app", "-x", "app:file"]), run(&folder, &["check", "app"]));
    expect![[r#"
        exit code: 2
        --- stderr
        error: Lua does not compile: unexpected symbol near <eof>
         --> single.lua:2:1
          |
        2 |
          | ^

        error: 1 mistake
    "#]]
    .assert_eq(&run(&folder, &["run", "single.lua"]));
}

#[test]
fn bytecode_is_no_source() {
    let folder = folder(&[]);
    std::fs::write(folder.path().join("code.lua"), b"\x1bLua\x54\x00").unwrap();
    expect![[r#"
        exit code: 2
        --- stderr
        error: `code.lua` does not compile: attempt to load a binary chunk (mode is 't')

        error: 1 mistake
    "#]]
    .assert_eq(&run(&folder, &["run", "code.lua"]));
}

#[test]
fn a_source_that_is_not_utf8_is_told() {
    let folder = folder(&[]);
    std::fs::write(folder.path().join("latin.lua"), b"-- 1\nprint('\xe9')").unwrap();
    expect![[r#"
        exit code: 2
        --- stderr
        error: `latin.lua` is not UTF-8: the first bad byte is in line 2

        error: 1 mistake
    "#]]
    .assert_eq(&run(&folder, &["run", "latin.lua"]));
}

#[test]
fn definitions_are_checked_before_anything_starts() {
    let entries = concat!(
        "  - {name: main, kind: process.lua, source: \"return function() print('ran') end\"}\n",
        "  - {name: main, kind: process.lua, source: 'file://../../etc/passwd'}\n",
        "  - {name: x, kind: process.lua, source: 'file://missing.lua'}\n",
    );
    check(
        entries,
        &["run", "app"],
        expect![[r#"
        exit code: 2
        --- stderr
        error: id `app:main` is defined twice
         --> app/_index.yaml:5:12
          |
        5 |   - {name: main, kind: process.lua, source: 'file://../../etc/passwd'}
          |            ^^^^
          |
         ::: app/_index.yaml:4:12
          |
        4 |   - {name: main, kind: process.lua, source: "return function() print('ran') end"}
          |            ---- first defined here

        error: `../../etc/passwd` leaves the application's folder
         --> app/_index.yaml:5:45
          |
        5 |   - {name: main, kind: process.lua, source: 'file://../../etc/passwd'}
          |                                             ^^^^^^^^^^^^^^^^^^^^^^^^^

        error: there is no file `app/missing.lua`
         --> app/_index.yaml:6:42
          |
        6 |   - {name: x, kind: process.lua, source: 'file://missing.lua'}
          |                                          ^^^^^^^^^^^^^^^^^^^^

        error: 3 mistakes
    "#]],
    );
}

#[test]
fn a_sound_application_checks_without_a_word() {
    check(
        "  - {name: main, kind: process.lua, source: 'return print'}\n",
        &["check", "app"],
        expect![[r#"
            exit code: 0
        "#]],
    );
}

#[test]
fn a_parser_bomb_ends_in_a_report() {
    let folder = folder(&[("deep.lua", &format!("return {}1{}", "(".repeat(100_000), ")".repeat(100_000)))]);
    expect![[r#"
        exit code: 2
        --- stderr
        error: `deep.lua` does not compile: C stack overflow

        error: 1 mistake
    "#]]
    .assert_eq(&run(&folder, &["check", "deep.lua"]));
}

#[test]
fn a_link_to_a_file_is_the_file() {
    let folder = folder(&[("real/program.lua", "return function() print('found') end")]);
    std::os::unix::fs::symlink("real/program.lua", folder.path().join("link.lua")).unwrap();
    expect![[r#"
        exit code: 0
        --- stdout
        found
    "#]]
    .assert_eq(&run(&folder, &["run", "link.lua"]));
}

#[test]
fn help_names_every_option() {
    let folder = folder(&[]);
    let help = transcript(&lunarium(folder.path(), &["run", "--help"]).output().unwrap());
    for option in
        ["-x, --execute", "--host", "--limit", "--log-level", "--log-format", "--no-confine", "PATH", "ARGUMENTS"]
    {
        assert!(help.contains(option), "{option}: {help}");
    }
}

#[test]
fn what_ends_a_whole_life_is_told_with_where_it_is_set() {
    let folder = folder(&[("busy.lua", "return function() while true do time.sleep('1ms') end end")]);
    let told = run(&folder, &["run", "busy.lua", "--limit", "lifetime=50ms"]);
    expect![[r#"
        exit code: 1
        --- stderr
        error: app:main {app:processes|0x00001} failed: lifetime limit of 50ms reached (ResourceExhausted)
         |
         = help: limit `lifetime` is 50ms, which `--limit lifetime` gives: a larger value raises it
    "#]]
    .assert_eq(&told);
}
