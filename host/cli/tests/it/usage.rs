//! A wrong command line or application: exit code 2, and words that help.

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
    check(TWO, &["run", "app", "-x", "app:frist"], expect![[r#""#]]);
    check(TWO, &["run", "app", "-x", "elsewhere:job"], expect![[r#""#]]);
}

#[test]
fn without_a_main_entry_something_must_be_named() {
    check(TWO, &["run", "app"], expect![[r#""#]]);
}

#[test]
fn an_unknown_host_is_named_with_the_others() {
    check(TWO, &["run", "app", "-x", "app:first", "--host", "app:process"], expect![[r#""#]]);
}

#[test]
fn among_several_hosts_one_must_be_named() {
    let entries = format!("{TWO}  - {{name: small, kind: process.host}}\n  - {{name: large, kind: process.host}}\n");
    check(&entries, &["run", "app", "-x", "app:first"], expect![[r#""#]]);
}

#[test]
fn services_take_nothing_that_only_a_process_takes() {
    let entries = format!("{TWO}  - {{name: web, kind: process.service, process: first, host: 'app:processes'}}\n");
    check(&entries, &["run", "app", "argument"], expect![[r#""#]]);
    check(&entries, &["run", "app", "--limit", "cpu=1s"], expect![[r#""#]]);
    check(&entries, &["run", "app", "--host", "app:processes"], expect![[r#""#]]);
}

#[test]
fn a_limit_that_is_no_size_is_told_before_anything_runs() {
    for (limit, expected) in [
        ("memory=lots", expect![[r#""#]]),
        ("memory", expect![[r#""#]]),
        ("memmory=1MiB", expect![[r#""#]]),
        ("cpu=5", expect![[r#""#]]),
        ("timers=few", expect![[r#""#]]),
        ("memory=0", expect![[r#""#]]),
        ("links=4294967296", expect![[r#""#]]),
    ] {
        check(TWO, &["run", "app", "--limit", limit], expected);
    }
}

#[test]
fn arguments_that_are_not_valid_are_told() {
    for (arguments, expected) in [
        (&["run"][..], expect![[r#""#]]),
        (&["rnu", "app"], expect![[r#""#]]),
        (&["run", "--log-level", "loud", "app"], expect![[r#""#]]),
        (&["run", "--log-fromat", "json", "app"], expect![[r#""#]]),
        (&["check", "app", "more"], expect![[r#""#]]),
        (&["check", "--limit", "cpu=1s", "app"], expect![[r#""#]]),
    ] {
        check(TWO, arguments, expected);
    }
}

#[test]
fn a_path_must_be_there() {
    check(TWO, &["run", "nowhere"], expect![[r#""#]]);
    check(TWO, &["check", "nowhere.lua"], expect![[r#""#]]);
    check(TWO, &["run", "app/_index.yaml"], expect![[r#""#]]);
    check(TWO, &["run", "/dev/null"], expect![[r#""#]]);
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
    expect![[r#""#]].assert_eq(&run(&folder, &["check", "app"]));
    // The same before a run, and nothing starts.
    assert_eq!(run(&folder, &["run", "app", "-x", "app:file"]), run(&folder, &["check", "app"]));
    expect![[r#""#]].assert_eq(&run(&folder, &["run", "single.lua"]));
}

#[test]
fn bytecode_is_no_source() {
    let folder = folder(&[]);
    std::fs::write(folder.path().join("code.lua"), b"\x1bLua\x54\x00").unwrap();
    expect![[r#""#]].assert_eq(&run(&folder, &["run", "code.lua"]));
}

#[test]
fn a_source_that_is_not_utf8_is_told() {
    let folder = folder(&[]);
    std::fs::write(folder.path().join("latin.lua"), b"-- 1\nprint('\xe9')").unwrap();
    expect![[r#""#]].assert_eq(&run(&folder, &["run", "latin.lua"]));
}

#[test]
fn definitions_are_checked_before_anything_starts() {
    let entries = concat!(
        "  - {name: main, kind: process.lua, source: \"return function() print('ran') end\"}\n",
        "  - {name: main, kind: process.lua, source: 'file://../../etc/passwd'}\n",
        "  - {name: x, kind: process.lua, source: 'file://missing.lua'}\n",
    );
    check(entries, &["run", "app"], expect![[r#""#]]);
}

#[test]
fn a_sound_application_checks_without_a_word() {
    check(TWO, &["check", "app"], expect![[r#""#]]);
}

#[test]
fn a_parser_bomb_ends_in_a_report() {
    let folder = folder(&[("deep.lua", &format!("return {}1{}", "(".repeat(100_000), ")".repeat(100_000)))]);
    let report = run(&folder, &["check", "deep.lua"]);
    assert!(report.starts_with("exit code: 2\n--- stderr\nerror: Lua does not compile: "), "{report}");
}

#[test]
fn a_link_to_a_file_is_the_file() {
    let folder = folder(&[("real/program.lua", "return function() print('found') end")]);
    std::os::unix::fs::symlink("real/program.lua", folder.path().join("link.lua")).unwrap();
    expect![[r#""#]].assert_eq(&run(&folder, &["run", "link.lua"]));
}

#[test]
fn help_names_every_option() {
    let folder = folder(&[]);
    let help = transcript(&lunarium(folder.path(), &["run", "--help"]).output().unwrap());
    for option in ["-x, --execute", "--host", "--limit", "--log-level", "--log-format", "PATH", "ARGUMENTS"] {
        assert!(help.contains(option), "{option}: {help}");
    }
}
