//! What is no YAML, and what a file must say before its entries count.

use expect_test::expect;

use crate::{HELLO, check, check_files, folder, read};

#[test]
fn an_empty_folder_is_no_application() {
    check_files(
        &[HELLO],
        expect![[r#"
        error: there is no `_index.yaml` in `shop` or below it
         |
         = help: a single program runs without: `lunarium run file.lua`

        error: 1 mistake
    "#]],
    );
}

#[test]
fn a_file_says_version_namespace_and_entries() {
    check_files(
        &[
            ("a/_index.yaml", "{}"),
            ("b/_index.yaml", "version: 1.0\nnamespace: 9x\nentries: {}\nextra: 1\n"),
            ("c/_index.yaml", "version: \"2.0\"\nnamespace:\nentries: [7]\nsecurity: {strict: true}\n"),
            ("d/_index.yaml", "just text"),
            ("e/_index.yaml", ""),
        ],
        expect![[r#"
            error: the file lacks `version`
             --> shop/a/_index.yaml:1:1
              |
            1 | {}
              | ^

            error: the file lacks `namespace`
             --> shop/a/_index.yaml:1:1
              |
            1 | {}
              | ^

            error: the file lacks `entries`
             --> shop/a/_index.yaml:1:1
              |
            1 | {}
              | ^

            error: `version` must be text, not `1.0`
             --> shop/b/_index.yaml:1:10
              |
            1 | version: 1.0
              |          ^^^
              |
              = help: put it into quotes

            error: `9x` is not a namespace
             --> shop/b/_index.yaml:2:12
              |
            2 | namespace: 9x
              |            ^^
              |
              = help: a namespace is letters, digits, `_` and `-` in parts joined by dots, each beginning with a letter: `app.jobs`

            error: `entries` must be a list, not a table
             --> shop/b/_index.yaml:3:10
              |
            3 | entries: {}
              |          ^

            error: unknown key `extra` in the file
             --> shop/b/_index.yaml:4:1
              |
            4 | extra: 1
              | ^^^^^
              |
              = help: there are `version`, `namespace`, `entries`, `security`

            error: version `2.0` is not known
             --> shop/c/_index.yaml:1:10
              |
            1 | version: "2.0"
              |          ^^^^^
              |
              = help: write `version: "1.0"`

            error: the file lacks `namespace`
             --> shop/c/_index.yaml:2:1
              |
            2 | namespace:
              | ^^^^^^^^^

            error: an entry must be a table, not an integer
             --> shop/c/_index.yaml:3:11
              |
            3 | entries: [7]
              |           ^

            error: `security` of the application stands in a folder of it
             --> shop/c/_index.yaml:4:11
              |
            4 | security: {strict: true}
              |           ^
              |
              = help: move it to the `_index.yaml` of the application's own folder: it counts for all of it

            error: the file must be a table, not text
             --> shop/d/_index.yaml:1:1
              |
            1 | just text
              | ^^^^^^^^^

            error: the file is empty
             --> shop/e/_index.yaml:1:1
              |
            1 |
              | ^

            error: 13 mistakes
        "#]],
    );
}

#[test]
fn what_is_no_yaml_is_shown_where_it_stops_being_it() {
    check_files(
        &[
            ("a/_index.yaml", "version: \"1.0\"\nentries: [\n  a: b\n"),
            ("b/_index.yaml", "version: \"1.0\"\nversion: \"1.0\"\n"),
            ("c/_index.yaml", "version: \"1.0\"\n\tnamespace: app\n"),
            ("d/_index.yaml", "version: \"1.0\"\n---\nversion: \"1.0\"\n"),
            ("e/_index.yaml", "version: *nothing\n"),
            ("f/_index.yaml", "a: &a {x: 1}\nb:\n  <<: *a\n"),
            ("g/_index.yaml", "? [a, b]\n: c\n"),
            ("h/_index.yaml", "n: 99999999999999999999999\n"),
        ],
        expect![[r#"
            error: unclosed bracket '['
             --> shop/a/_index.yaml:2:10
              |
            2 | entries: [
              |          ^

            error: key `version` is given twice
             --> shop/b/_index.yaml:2:1
              |
            2 | version: "1.0"
              | ^^^^^^^

            error: tabs disallowed within this context (block indentation)
             --> shop/c/_index.yaml:2:2
              |
            2 |     namespace: app
              |     ^

            error: a file holds one document: `---` begins another
             --> shop/d/_index.yaml:2:1
              |
            2 | ---
              | ^^^

            error: reference to unknown value
             --> shop/e/_index.yaml:1:10
              |
            1 | version: *nothing
              |          ^

            error: merge keys (`<<`) are not allowed
             --> shop/f/_index.yaml:3:3
              |
            3 |   <<: *a
              |   ^^

            error: expected string scalar
             --> shop/g/_index.yaml:1:3
              |
            1 | ? [a, b]
              |   ^

            error: the file lacks `version`
             --> shop/h/_index.yaml:1:1
              |
            1 | n: 99999999999999999999999
              | ^

            error: the file lacks `namespace`
             --> shop/h/_index.yaml:1:1
              |
            1 | n: 99999999999999999999999
              | ^

            error: the file lacks `entries`
             --> shop/h/_index.yaml:1:1
              |
            1 | n: 99999999999999999999999
              | ^

            error: unknown key `n` in the file
             --> shop/h/_index.yaml:1:1
              |
            1 | n: 99999999999999999999999
              | ^
              |
              = help: there are `version`, `namespace`, `entries`, `security`

            error: 11 mistakes
        "#]],
    );
}

#[test]
fn names_and_ids_are_checked() {
    check(
        r#"  - {name: 7up, kind: library.lua, source: return 1}
  - {name: "a:b", kind: library.lua, source: return 1}
  - {name: 12, kind: library.lua, source: return 1}
  - {name: "", kind: library.lua, source: return 1}
  - {name: yes, kind: true}
"#,
        expect![[r#"
            error: `7up` is not a name
             --> shop/_index.yaml:4:12
              |
            4 |   - {name: 7up, kind: library.lua, source: return 1}
              |            ^^^
              |
              = help: a name is letters, digits, `_`, `-` and `.`, beginning with a letter: `echo_worker`

            error: `a:b` is not a name
             --> shop/_index.yaml:5:12
              |
            5 |   - {name: "a:b", kind: library.lua, source: return 1}
              |            ^^^^^
              |
              = help: a name is letters, digits, `_`, `-` and `.`, beginning with a letter: `echo_worker`

            error: `name` must be text, not `12`
             --> shop/_index.yaml:6:12
              |
            6 |   - {name: 12, kind: library.lua, source: return 1}
              |            ^^
              |
              = help: put it into quotes

            error: `` is not a name
             --> shop/_index.yaml:7:12
              |
            7 |   - {name: "", kind: library.lua, source: return 1}
              |            ^^
              |
              = help: a name is letters, digits, `_`, `-` and `.`, beginning with a letter: `echo_worker`

            error: `kind` must be text, not `true`
             --> shop/_index.yaml:8:23
              |
            8 |   - {name: yes, kind: true}
              |                       ^^^^
              |
              = help: put it into quotes

            error: 5 mistakes
        "#]],
    );
}

#[test]
fn an_id_has_up_to_255_bytes_with_its_namespace() {
    let index = |name: usize| {
        let (space, name) = ("s".repeat(100), "n".repeat(name));
        format!("version: \"1.0\"\nnamespace: {space}\nentries:\n  - {{name: {name}, kind: process.host}}\n")
    };
    assert!(read(&folder(&[("_index.yaml", &index(154))])).is_ok());
    let report = read(&folder(&[("_index.yaml", &index(155))])).unwrap_err();
    let messages: Vec<&str> = report.mistakes().iter().map(|mistake| mistake.message()).collect();
    assert_eq!(messages, ["an id of 256 bytes is longer than 255 bytes"]);
}

#[test]
fn bombs_are_defused() {
    let mut aliases = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (from, to) in "abcdefgh".chars().zip("bcdefghi".chars()) {
        aliases.push_str(&format!("{to}: &{to} [{}]\n", vec![format!("*{from}"); 10].join(", ")));
    }
    check_files(
        &[
            ("a/_index.yaml", &aliases),
            ("b/_index.yaml", &"[".repeat(100_000)),
            ("c/_index.yaml", &format!("meta: {}1{}", "{a: ".repeat(40), "}".repeat(40))),
            ("d/_index.yaml", &(0..200).map(|n| format!("{:n$}k:\n", "")).collect::<String>()),
            ("e/_index.yaml", &"? ".repeat(100_000)),
            ("f/_index.yaml", &"- ".repeat(100_000)),
        ],
        expect![[r#"
            error: YAML document too large or too complex: total_replayed_events=20001 > 20000
             --> shop/a/_index.yaml:5:8
              |
            5 | e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
              |        ^^

            error: recursion limit exceeded
             --> shop/b/_index.yaml:1:33
              |
            1 | [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[...
              |                                 ^

            error: values are nested deeper than 32 levels
             --> shop/c/_index.yaml:1:131
              |
            1 | ...{a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}}}}}}}}}}}}}}}}}}}}}}}...
              |                                                                    ^

            error: values are nested deeper than 32 levels
              --> shop/d/_index.yaml:33:33
               |
            33 | ...                   k:
               |                       ^

            error: values are nested deeper than 32 levels
             --> shop/e/_index.yaml:1:65
              |
            1 | ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ? ?...
              |                                                                 ^

            error: values are nested deeper than 32 levels
             --> shop/f/_index.yaml:1:65
              |
            1 | - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -...
              |                                                                 ^

            error: 6 mistakes
        "#]],
    );
}

/// Changes bytes, doubles and drops pieces, always the same for the same seed.
fn mutated(text: &str, seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below.max(1)).unwrap()).unwrap()
    };
    const PIECES: [&str; 16] =
        ["&a ", "*a", "- ", "? ", ": ", "{", "]", "\"", "|\n", "!!int ", "\t", "é", "\u{85}", "---\n", "<<: ", "#"];
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random(4) {
        let at = random(bytes.len());
        match random(4) {
            0 => bytes.splice(at..at, PIECES[random(PIECES.len())].bytes()).for_each(drop),
            1 => drop(bytes.drain(at..(at + random(20)).min(bytes.len()))),
            2 => bytes.splice(at..at, text.bytes().skip(random(text.len())).take(random(60))).for_each(drop),
            _ => bytes[at] = u8::try_from(32 + random(95)).unwrap(),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn whatever_stands_in_a_file_is_read_or_reported() {
    let index = "version: \"1.0\"\nnamespace: app\nentries:\n  - name: job\n    kind: process.lua\n    source: return 1\n    \
                 imports: {a: lib}\n    limits: {memory: 1MiB, cpu: 1s, names: 5}\n  - {name: lib, kind: library.lua, \
                 source: |-\n      return {}\n    }\n  - name: s\n    kind: process.service\n    process: job\n    \
                 host: app:processes\n    input: [1, {a: é}]\n    lifecycle: {depends_on: [s], stop_timeout: 1s}\n";
    let dir = folder(&[]);
    let mut sound = 0;
    for seed in 0..1_000 {
        let text = mutated(index, seed);
        dir.write("_index.yaml", &text).unwrap();
        // It must not panic, neither reading nor showing; what it says is the other tests' business.
        match read(&dir) {
            Ok(_) => sound += 1,
            Err(report) => assert!(!report.to_string().is_empty(), "seed {seed}: {text}"),
        }
    }
    // Otherwise the changes change nothing.
    assert!(sound < 500, "{sound}");
}
