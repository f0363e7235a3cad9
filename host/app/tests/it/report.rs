//! How mistakes are shown: all at once, with places and hints, and harmless to a terminal.

use expect_test::expect;

use crate::{check, folder, read};

#[test]
fn every_mistake_is_reported_at_once() {
    check(
        r#"  - name: hello
    kind: process.lua
    source: file://hello.lua
    methd: main
  - name: worker
    kind: procss.lua
  - kind: library.lua
    source: return {}
  - name: hello
    kind: process.host
    host: {max_processes: -1}
    limits: {memory: 16MB iB, timer: 5, cpu: 10}
"#,
        expect![[r#"
            error: there is no file `shop/hello.lua`
             --> shop/_index.yaml:6:13
              |
            6 |     source: file://hello.lua
              |             ^^^^^^^^^^^^^^^^

            error: unknown key `methd` in entry `hello`
             --> shop/_index.yaml:7:5
              |
            7 |     methd: main
              |     ^^^^^
              |
              = help: did you mean `method`?

            error: unknown kind `procss.lua`
             --> shop/_index.yaml:9:11
              |
            9 |     kind: procss.lua
              |           ^^^^^^^^^^
              |
              = help: did you mean `process.lua`?

            error: an entry lacks `name`
              --> shop/_index.yaml:10:5
               |
            10 |   - kind: library.lua
               |     ^

            error: id `app:hello` is defined twice
              --> shop/_index.yaml:12:11
               |
            12 |   - name: hello
               |           ^^^^^
               |
              ::: shop/_index.yaml:4:11
               |
             4 |   - name: hello
               |           ----- first defined here

            error: `max_processes` must be an integer from 1 to 4294967295, not `-1`
              --> shop/_index.yaml:14:27
               |
            14 |     host: {max_processes: -1}
               |                           ^^

            error: limit `memory`: `16MB iB` is not a size
              --> shop/_index.yaml:15:22
               |
            15 |     limits: {memory: 16MB iB, timer: 5, cpu: 10}
               |                      ^^^^^^^
               |
               = help: write it like `16MiB`, `500kB` or `4096` (bytes)

            error: unknown limit `timer`
              --> shop/_index.yaml:15:31
               |
            15 |     limits: {memory: 16MB iB, timer: 5, cpu: 10}
               |                               ^^^^^
               |
               = help: did you mean `timers`?

            error: limit `cpu`: `10` is not a duration
              --> shop/_index.yaml:15:46
               |
            15 |     limits: {memory: 16MB iB, timer: 5, cpu: 10}
               |                                              ^^
               |
               = help: write it like `250ms`, `10s` or `1h30m`

            error: 9 mistakes
        "#]],
    );
}

#[test]
fn terminal_escapes_in_files_stay_text() {
    check(
        "  - {name: \"\\e]0;owned\\a\", kind: \"\\e[31mred\\N\"}\n",
        expect![[r#"
            error: `␛]0;owned␇` is not a name
             --> shop/_index.yaml:4:12
              |
            4 |   - {name: "\e]0;owned\a", kind: "\e[31mred\N"}
              |            ^^^^^^^^^^^^^^
              |
              = help: a name is letters, digits, `_`, `-` and `.`, beginning with a letter: `echo_worker`

            error: unknown kind `␛[31mred\x85`
             --> shop/_index.yaml:4:34
              |
            4 |   - {name: "\e]0;owned\a", kind: "\e[31mred\N"}
              |                                  ^^^^^^^^^^^^^
              |
              = help: there are `process.lua`, `library.lua`, `process.host`, `process.service`, `security.policy`, `env.variable`, `http.endpoint`

            error: 2 mistakes
        "#]],
    );
    let dir = folder(&[("a/_index.yaml", "x: \u{9b}31m\u{1b}[2J")]);
    dir.create_dir("\u{1b}[2J\u{9b}2J").unwrap();
    dir.write("\u{1b}[2J\u{9b}2J/_index.yaml", "x").unwrap();
    let report = read(&dir).unwrap_err().to_string();
    assert!(!report.contains(|c: char| c.is_control() && c != '\n'), "{report:?}");
}

#[test]
fn thousands_of_mistakes_are_counted_not_shown() {
    let index: String = (0..20_000).map(|n| format!("key{n}: 1\n")).collect();
    let report = read(&folder(&[("_index.yaml", &index)])).unwrap_err();
    assert_eq!(report.mistakes().len(), 20_003);
    let text = report.to_string();
    assert!(text.ends_with("error: 20003 mistakes, 19903 of them not shown\n"), "{text}");
}

#[test]
fn colours_are_only_there_when_asked_for() {
    let report = read(&folder(&[("_index.yaml", "x")])).unwrap_err();
    assert!(report.render(true).contains('\u{1b}'));
    assert!(!report.render(false).contains('\u{1b}'));
}

#[test]
fn nothing_is_said_when_nothing_is_wrong() {
    assert_eq!(lunarium_app::Report::default().to_string(), "");
}
