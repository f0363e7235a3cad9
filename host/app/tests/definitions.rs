//! What an `_index.yaml` may say, and what is said about the ones that may not.
//!
//! Owns the texts of the reports. Programs aren't compiled here: see `compile.rs`.

use std::fs::File;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use cap_tempfile::TempDir;
use expect_test::{Expect, expect};
use lunarium_app::{App, Draft, Report};

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = cap_tempfile::tempdir(ambient_authority()).unwrap();
    for (path, text) in files {
        if let Some(parent) = Path::new(path).parent() {
            dir.create_dir_all(parent).unwrap();
        }
        dir.write(path, text).unwrap();
    }
    dir
}

fn read(dir: &Dir) -> Result<App, Report> {
    Draft::of_folder(dir, Path::new("shop")).finish()
}

/// The report of an application with one index file.
fn check(entries: &str, expected: Expect) {
    let index = format!("version: \"1.0\"\nnamespace: app\nentries:\n{entries}");
    check_files(&[("_index.yaml", &index)], expected);
}

fn check_files(files: &[(&str, &str)], expected: Expect) {
    expected.assert_eq(&read(&folder(files)).unwrap_err().to_string());
}

fn app(files: &[(&str, &str)]) -> App {
    read(&folder(files)).unwrap_or_else(|report| panic!("{report}"))
}

const HELLO: (&str, &str) = ("hello.lua", "return function() print('hello') end\n");

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
fn an_empty_folder_is_no_application() {
    check_files(&[HELLO], expect![[r#"
        error: there is no `_index.yaml` in `shop` or below it
         |
         = help: a single program runs without: `lunarium run file.lua`

        error: 1 mistake
    "#]]);
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
              = help: there are `version`, `namespace`, `entries`

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

            error: `security` is not available in this version
             --> shop/c/_index.yaml:4:1
              |
            4 | security: {strict: true}
              | ^^^^^^^^
              |
              = help: leave it out: every process may use the process module on the others of its app

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
              = help: there are `version`, `namespace`, `entries`

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
fn a_duplicate_id_names_both_places() {
    check_files(
        &[
            (
                "a/_index.yaml",
                "version: \"1.0\"\nnamespace: app\nentries:\n  - {name: job, kind: library.lua, source: return 1}\n",
            ),
            (
                "b/_index.yaml",
                "version: \"1.0\"\nnamespace: app\nentries:\n  - name: job\n    kind: process.lua\n    source: return 1\n",
            ),
        ],
        expect![[r#"
            error: id `app:job` is defined twice
             --> shop/b/_index.yaml:4:11
              |
            4 |   - name: job
              |           ^^^
              |
             ::: shop/a/_index.yaml:4:12
              |
            4 |   - {name: job, kind: library.lua, source: return 1}
              |            --- first defined here

            error: 1 mistake
        "#]],
    );
}

#[test]
fn a_source_must_be_a_text_file_of_the_application() {
    let dir = folder(&[HELLO, ("sub/_index.yaml", ""), ("sub/near.lua", "")]);
    dir.write("latin.lua", b"-- one\nprint('caf\xe9')\n").unwrap();
    dir.write("huge.lua", vec![b' '; 1024 * 1024 + 1]).unwrap();
    dir.symlink("../../../../../../../../../etc/passwd", "sub/out.lua").unwrap();
    dir.symlink("loop.lua", "loop.lua").unwrap();
    let sources = [
        "file://../hello.lua",
        "file://../../hello.lua",
        "file:///etc/passwd",
        "file://out.lua",
        "file://../latin.lua",
        "file://../huge.lua",
        "file://nearr.lua",
        "file://.",
        "file://../loop.lua",
        "hello.lua",
        "http://example.org/x.lua",
    ];
    let mut index = "version: \"1.0\"\nnamespace: app\nentries:\n".to_owned();
    for (number, source) in sources.iter().enumerate() {
        index.push_str(&format!("  - {{name: p{number}, kind: process.lua, source: \"{source}\"}}\n"));
    }
    dir.write("sub/_index.yaml", index).unwrap();
    expect![[r#"
        error: `../../hello.lua` leaves the application's folder
         --> shop/sub/_index.yaml:5:43
          |
        5 |   - {name: p1, kind: process.lua, source: "file://../../hello.lua"}
          |                                           ^^^^^^^^^^^^^^^^^^^^^^^^

        error: `/etc/passwd` leaves the application's folder
         --> shop/sub/_index.yaml:6:43
          |
        6 |   - {name: p2, kind: process.lua, source: "file:///etc/passwd"}
          |                                           ^^^^^^^^^^^^^^^^^^^^

        error: `shop/sub/out.lua` leaves the application's folder
         --> shop/sub/_index.yaml:7:43
          |
        7 |   - {name: p3, kind: process.lua, source: "file://out.lua"}
          |                                           ^^^^^^^^^^^^^^^^

        error: `shop/latin.lua` is not UTF-8: the first bad byte is in line 2
         --> shop/sub/_index.yaml:8:43
          |
        8 |   - {name: p4, kind: process.lua, source: "file://../latin.lua"}
          |                                           ^^^^^^^^^^^^^^^^^^^^^

        error: `shop/huge.lua` has 1048577 bytes, above the limit of 1048576
         --> shop/sub/_index.yaml:9:43
          |
        9 |   - {name: p5, kind: process.lua, source: "file://../huge.lua"}
          |                                           ^^^^^^^^^^^^^^^^^^^^

        error: there is no file `shop/sub/nearr.lua`
          --> shop/sub/_index.yaml:10:43
           |
        10 |   - {name: p6, kind: process.lua, source: "file://nearr.lua"}
           |                                           ^^^^^^^^^^^^^^^^^^
           |
           = help: did you mean `near.lua`?

        error: `shop/sub` is not a file
          --> shop/sub/_index.yaml:11:43
           |
        11 |   - {name: p7, kind: process.lua, source: "file://."}
           |                                           ^^^^^^^^^^

        error: `shop/loop.lua` can't be read: Too many levels of symbolic links (os error 40)
          --> shop/sub/_index.yaml:12:43
           |
        12 |   - {name: p8, kind: process.lua, source: "file://../loop.lua"}
           |                                           ^^^^^^^^^^^^^^^^^^^^

        error: source `hello.lua` is neither a file nor Lua
          --> shop/sub/_index.yaml:13:43
           |
        13 |   - {name: p9, kind: process.lua, source: "hello.lua"}
           |                                           ^^^^^^^^^^^
           |
           = help: a file is written `file://hello.lua`

        error: source `http://example.org/x.lua` is neither a file nor Lua
          --> shop/sub/_index.yaml:14:44
           |
        14 |   - {name: p10, kind: process.lua, source: "http://example.org/x.lua"}
           |                                            ^^^^^^^^^^^^^^^^^^^^^^^^^^
           |
           = help: a file is written `file://example.org/x.lua`

        error: 10 mistakes
    "#]].assert_eq(&read(&dir).unwrap_err().to_string());
}

#[test]
fn a_pipe_is_no_source() {
    let dir = folder(&[("_index.yaml", &process("app", "file://pipe.lua"))]);
    let path = std::env::temp_dir().join(format!("lunarium-pipe-{}", std::process::id()));
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let parent = Dir::open_ambient_dir(path.parent().unwrap(), ambient_authority()).unwrap();
    parent.rename(path.file_name().unwrap(), &dir, "pipe.lua").unwrap();
    expect![[r#"
        error: `shop/pipe.lua` is not a file
         --> shop/_index.yaml:4:44
          |
        4 |   - {name: job, kind: process.lua, source: "file://pipe.lua"}
          |                                            ^^^^^^^^^^^^^^^^^

        error: 1 mistake
    "#]].assert_eq(&read(&dir).unwrap_err().to_string());
}

fn process(namespace: &str, source: &str) -> String {
    format!(
        "version: \"1.0\"\nnamespace: {namespace}\nentries:\n  - {{name: job, kind: process.lua, source: \"{source}\"}}\n"
    )
}

#[test]
fn an_index_file_has_the_same_limits_as_a_source() {
    let dir = folder(&[]);
    dir.write("_index.yaml", vec![b'#'; 1024 * 1024 + 1]).unwrap();
    dir.create_dir("b").unwrap();
    dir.write("b/_index.yaml", b"version: \xff").unwrap();
    dir.create_dir_all("c/_index.yaml").unwrap();
    expect![[r#"
        error: `shop/_index.yaml` has 1048577 bytes, above the limit of 1048576

        error: `shop/b/_index.yaml` is not UTF-8: the first bad byte is in line 1

        error: `shop/c/_index.yaml` is not a file

        error: 3 mistakes
    "#]].assert_eq(&read(&dir).unwrap_err().to_string());
}

#[test]
fn limits_take_sizes_durations_and_counts() {
    check(
        r#"  - name: small
    kind: process.lua
    source: return 1
    limits:
      memory: lots
      cpu: 10
      message: 1.5
      mailbox_bytes: -1
      mailbox_messages: many
      links: 5000000000
      memry: 1MiB
  - name: none
    kind: process.lua
    source: return 1
    limits: {memory: 0, cpu: 0s, timers: [], names: 1.5, message: 17179869184GiB}
  - name: text
    kind: process.lua
    source: return 1
    limits: 16MiB
"#,
        expect![[r#"
            error: limit `memory`: `lots` is not a size
             --> shop/_index.yaml:8:15
              |
            8 |       memory: lots
              |               ^^^^
              |
              = help: write it like `16MiB`, `500kB` or `4096` (bytes)

            error: limit `cpu`: `10` is not a duration
             --> shop/_index.yaml:9:12
              |
            9 |       cpu: 10
              |            ^^
              |
              = help: write it like `250ms`, `10s` or `1h30m`

            error: limit `message`: `1.5` is not a size
              --> shop/_index.yaml:10:16
               |
            10 |       message: 1.5
               |                ^^^
               |
               = help: write it like `16MiB`, `500kB` or `4096` (bytes)

            error: limit `mailbox_bytes`: `-1` is not a size
              --> shop/_index.yaml:11:22
               |
            11 |       mailbox_bytes: -1
               |                      ^^
               |
               = help: write it like `16MiB`, `500kB` or `4096` (bytes)

            error: limit `mailbox_messages`: `many` is not a whole number
              --> shop/_index.yaml:12:25
               |
            12 |       mailbox_messages: many
               |                         ^^^^
               |
               = help: write it like `1000`

            error: limit `links` of 5000000000 is above the most that can be set, 4294967295
              --> shop/_index.yaml:13:14
               |
            13 |       links: 5000000000
               |              ^^^^^^^^^^

            error: unknown limit `memry`
              --> shop/_index.yaml:14:7
               |
            14 |       memry: 1MiB
               |       ^^^^^
               |
               = help: did you mean `memory`?

            error: limit `memory` must be more than 0
              --> shop/_index.yaml:18:22
               |
            18 |     limits: {memory: 0, cpu: 0s, timers: [], names: 1.5, message: 17179869184GiB}
               |                      ^

            error: limit `cpu` must be more than 0
              --> shop/_index.yaml:18:30
               |
            18 |     limits: {memory: 0, cpu: 0s, timers: [], names: 1.5, message: 17179869184GiB}
               |                              ^^

            error: limit `timers` must be a size, a duration or a count, not a list
              --> shop/_index.yaml:18:42
               |
            18 |     limits: {memory: 0, cpu: 0s, timers: [], names: 1.5, message: 17179869184GiB}
               |                                          ^

            error: limit `names`: `1.5` is not a whole number
              --> shop/_index.yaml:18:53
               |
            18 |     limits: {memory: 0, cpu: 0s, timers: [], names: 1.5, message: 17179869184GiB}
               |                                                     ^^^
               |
               = help: write it like `1000`

            error: limit `message`: size `17179869184GiB` does not fit into 64 bits
              --> shop/_index.yaml:18:67
               |
            18 |     limits: {memory: 0, cpu: 0s, timers: [], names: 1.5, message: 17179869184GiB}
               |                                                                   ^^^^^^^^^^^^^^
               |
               = help: write it like `16MiB`, `500kB` or `4096` (bytes)

            error: `limits` must be a table, not text
              --> shop/_index.yaml:22:13
               |
            22 |     limits: 16MiB
               |             ^^^^^

            error: 13 mistakes
        "#]],
    );
}

#[test]
fn imports_name_libraries_under_free_aliases() {
    check(
        r#"  - {name: util, kind: library.lua, source: return 1}
  - {name: other, kind: process.lua, source: return 1}
  - name: job
    kind: process.lua
    source: return 1
    imports: {time: util, a: utl, b: other, c: app.far:util, "": util, d: 5}
"#,
        expect![[r#"
            error: alias `time` is the name of a module that is always there
             --> shop/_index.yaml:9:15
              |
            9 |     imports: {time: util, a: utl, b: other, c: app.far:util, "": util, d: 5}
              |               ^^^^
              |
              = help: choose another alias: `require` would find the module

            error: there is no `library.lua` with the id `app:utl`
             --> shop/_index.yaml:9:30
              |
            9 |     imports: {time: util, a: utl, b: other, c: app.far:util, "": util, d: 5}
              |                              ^^^
              |
              = help: did you mean `app:util`?

            error: `app:other` is a `process.lua`, not a `library.lua`
             --> shop/_index.yaml:9:38
              |
            9 |     imports: {time: util, a: utl, b: other, c: app.far:util, "": util, d: 5}
              |                                      ^^^^^

            error: there is no `library.lua` with the id `app.far:util`
             --> shop/_index.yaml:9:48
              |
            9 |     imports: {time: util, a: utl, b: other, c: app.far:util, "": util, d: 5}
              |                                                ^^^^^^^^^^^^
              |
              = help: did you mean `app:util`?

            error: an alias has from 1 to 255 bytes
             --> shop/_index.yaml:9:62
              |
            9 |     imports: {time: util, a: utl, b: other, c: app.far:util, "": util, d: 5}
              |                                                              ^^

            error: an import must be text, not `5`
             --> shop/_index.yaml:9:75
              |
            9 |     imports: {time: util, a: utl, b: other, c: app.far:util, "": util, d: 5}
              |                                                                           ^
              |
              = help: put it into quotes

            error: 6 mistakes
        "#]],
    );
}

#[test]
fn circles_are_shown_whole() {
    check(
        r#"  - {name: a, kind: library.lua, source: return 1, imports: {b: b}}
  - {name: b, kind: library.lua, source: return 1, imports: {c: c}}
  - {name: c, kind: library.lua, source: return 1, imports: {a: a}}
  - {name: selfish, kind: library.lua, source: return 1, imports: {me: selfish}}
  - {name: job, kind: process.lua, source: return 1}
  - {name: x, kind: process.service, process: job, host: "app:processes", lifecycle: {depends_on: [y]}}
  - {name: y, kind: process.service, process: job, host: "app:processes", lifecycle: {depends_on: [x]}}
"#,
        expect![[r#"
            error: libraries import each other in a circle: `app:a` → `app:b` → `app:c` → `app:a`
             --> shop/_index.yaml:4:12
              |
            4 |   - {name: a, kind: library.lua, source: return 1, imports: {b: b}}
              |            ^

            error: libraries import each other in a circle: `app:selfish` → `app:selfish`
             --> shop/_index.yaml:7:12
              |
            7 |   - {name: selfish, kind: library.lua, source: return 1, imports: {me: selfish}}
              |            ^^^^^^^

            error: entries depend on each other in a circle: `app:x` → `app:y` → `app:x`
             --> shop/_index.yaml:9:12
              |
            9 |   - {name: x, kind: process.service, process: job, host: "app:processes", lifecycle: {depends_on: [y]}}
              |            ^

            error: 3 mistakes
        "#]],
    );
}

#[test]
fn a_service_names_a_process_and_a_host() {
    check(
        r#"  - {name: job, kind: process.lua, source: return 1}
  - {name: util, kind: library.lua, source: return 1}
  - {name: processes, kind: process.host}
  - {name: a, kind: process.service}
  - {name: b, kind: process.service, process: jub, host: procesess}
  - {name: c, kind: process.service, process: util, host: job}
  - name: d
    kind: process.service
    process: job
    host: processes
    input: 5
    lifecycle:
      auto_start: yes
      depends_on: [a, nobody, job]
      stop_timeout: 10
      start_timeout: soon
      restart: {jitter: 2, max_attempts: -1, backoff_factor: 0.5, initial_delay: -1s, dealy: 1s}
      after: b
"#,
        expect![[r#"
            error: entry `a` lacks `process`
             --> shop/_index.yaml:7:12
              |
            7 |   - {name: a, kind: process.service}
              |            ^

            error: entry `a` lacks `host`
             --> shop/_index.yaml:7:12
              |
            7 |   - {name: a, kind: process.service}
              |            ^

            error: there is no `process.lua` with the id `app:jub`
             --> shop/_index.yaml:8:47
              |
            8 |   - {name: b, kind: process.service, process: jub, host: procesess}
              |                                               ^^^
              |
              = help: did you mean `app:job`?

            error: there is no `process.host` with the id `app:procesess`
             --> shop/_index.yaml:8:58
              |
            8 |   - {name: b, kind: process.service, process: jub, host: procesess}
              |                                                          ^^^^^^^^^
              |
              = help: did you mean `app:processes`?

            error: `app:util` is a `library.lua`, not a `process.lua`
             --> shop/_index.yaml:9:47
              |
            9 |   - {name: c, kind: process.service, process: util, host: job}
              |                                               ^^^^

            error: `app:job` is a `process.lua`, not a `process.host`
             --> shop/_index.yaml:9:59
              |
            9 |   - {name: c, kind: process.service, process: util, host: job}
              |                                                           ^^^

            error: `input` must be a list, not an integer
              --> shop/_index.yaml:14:12
               |
            14 |     input: 5
               |            ^

            error: `auto_start` must be `true` or `false`, not text
              --> shop/_index.yaml:16:19
               |
            16 |       auto_start: yes
               |                   ^^^

            error: there is no `process.service` or `process.host` with the id `app:nobody`
              --> shop/_index.yaml:17:23
               |
            17 |       depends_on: [a, nobody, job]
               |                       ^^^^^^
               |
               = help: there are `app:processes`, `app:a`, `app:b`, `app:c`, `app:d`

            error: `app:job` is a `process.lua`, not a `process.service` or `process.host`
              --> shop/_index.yaml:17:31
               |
            17 |       depends_on: [a, nobody, job]
               |                               ^^^

            error: `stop_timeout` must be a duration, not `10`
              --> shop/_index.yaml:18:21
               |
            18 |       stop_timeout: 10
               |                     ^^
               |
               = help: write it like `250ms`, `10s` or `1h30m`

            error: `soon` is not a duration
              --> shop/_index.yaml:19:22
               |
            19 |       start_timeout: soon
               |                      ^^^^
               |
               = help: write it like `250ms`, `10s` or `1h30m`

            error: `jitter` must be a number from 0 to 1, not `2`
              --> shop/_index.yaml:20:25
               |
            20 |       restart: {jitter: 2, max_attempts: -1, backoff_factor: 0.5, initial_delay: -1s, dealy: 1s}
               |                         ^

            error: `max_attempts` must be an integer from 0 to 4294967295, not `-1`
              --> shop/_index.yaml:20:42
               |
            20 |       restart: {jitter: 2, max_attempts: -1, backoff_factor: 0.5, initial_delay: -1s, dealy: 1s}
               |                                          ^^

            error: `backoff_factor` must be a number from 1 to 1000, not `0.5`
              --> shop/_index.yaml:20:62
               |
            20 |       restart: {jitter: 2, max_attempts: -1, backoff_factor: 0.5, initial_delay: -1s, dealy: 1s}
               |                                                              ^^^

            error: duration `-1s` is negative
              --> shop/_index.yaml:20:82
               |
            20 |       restart: {jitter: 2, max_attempts: -1, backoff_factor: 0.5, initial_delay: -1s, dealy: 1s}
               |                                                                                  ^^^
               |
               = help: write it like `250ms`, `10s` or `1h30m`

            error: unknown key `dealy` in `restart`
              --> shop/_index.yaml:20:87
               |
            20 |       restart: {jitter: 2, max_attempts: -1, backoff_factor: 0.5, initial_delay: -1s, dealy: 1s}
               |                                                                                       ^^^^^
               |
               = help: there are `initial_delay`, `max_delay`, `backoff_factor`, `jitter`, `max_attempts`, `stable_threshold`

            error: unknown key `after` in `lifecycle`
              --> shop/_index.yaml:21:7
               |
            21 |       after: b
               |       ^^^^^
               |
               = help: there are `auto_start`, `depends_on`, `start_timeout`, `stop_timeout`, `restart`

            error: 18 mistakes
        "#]],
    );
}

#[test]
fn what_concerns_safety_is_never_ignored() {
    check(
        r#"  - {name: p, kind: security.policy, policy: {}}
  - {name: v, kind: env.variable, variable: HOME}
  - {name: job, kind: process.lua, source: return 1, grants: {env: [HOME]}}
  - {name: processes, kind: process.host, security: {groups: []}, grants: {fs: []}}
  - {name: s, kind: process.service, process: job, host: processes, security: {actor: {id: x}}}
"#,
        expect![[r#"
            error: kind `security.policy` is not available in this version
             --> shop/_index.yaml:4:21
              |
            4 |   - {name: p, kind: security.policy, policy: {}}
              |                     ^^^^^^^^^^^^^^^
              |
              = help: leave it out: every process may use the process module on the others of its app

            error: kind `env.variable` is not available in this version
             --> shop/_index.yaml:5:21
              |
            5 |   - {name: v, kind: env.variable, variable: HOME}
              |                     ^^^^^^^^^^^^
              |
              = help: leave it out: a process reaches no file and no environment variable

            error: `grants` is not available in this version
             --> shop/_index.yaml:6:54
              |
            6 |   - {name: job, kind: process.lua, source: return 1, grants: {env: [HOME]}}
              |                                                      ^^^^^^
              |
              = help: leave it out: a process reaches no file and no environment variable

            error: `security` is not available in this version
             --> shop/_index.yaml:7:43
              |
            7 |   - {name: processes, kind: process.host, security: {groups: []}, grants: {fs: []}}
              |                                           ^^^^^^^^
              |
              = help: leave it out: every process may use the process module on the others of its app

            error: `grants` is not available in this version
             --> shop/_index.yaml:7:67
              |
            7 |   - {name: processes, kind: process.host, security: {groups: []}, grants: {fs: []}}
              |                                                                   ^^^^^^
              |
              = help: leave it out: a process reaches no file and no environment variable

            error: `security` is not available in this version
             --> shop/_index.yaml:8:69
              |
            8 |   - {name: s, kind: process.service, process: job, host: processes, security: {actor: {id: x}}}
              |                                                                     ^^^^^^^^
              |
              = help: leave it out: every process may use the process module on the others of its app

            error: 6 mistakes
        "#]],
    );
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

#[test]
fn terminal_escapes_in_files_stay_text() {
    check("  - {name: \"\\e]0;owned\\a\", kind: \"\\e[31mred\\N\"}\n", expect![[r#"
        error: `␛]0;owned␇` is not a name
         --> shop/_index.yaml:4:12
          |
        4 |   - {name: "\e]0;owned\a", kind: "\e[31mred\N"}
          |            ^^^^^^^^^^^^^^
          |
          = help: a name is letters, digits, `_`, `-` and `.`, beginning with a letter: `echo_worker`

        error: unknown kind `␛[31mred·`
         --> shop/_index.yaml:4:34
          |
        4 |   - {name: "\e]0;owned\a", kind: "\e[31mred\N"}
          |                                  ^^^^^^^^^^^^^
          |
          = help: there are `process.lua`, `library.lua`, `process.host`, `process.service`

        error: 2 mistakes
    "#]]);
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
fn a_whole_application_is_resolved() {
    let app = app(&[
        (
            "_index.yaml",
            r#"version: "1.0"
namespace: shop
entries:
  - name: front
    kind: process.lua
    meta: {comment: anything, list: [1, 2]}
    source: file://lua/front.lua
    method: serve
    modules: [time, json]
    imports: {text: util, far: shop.deep:far}
    limits: {memory: 1.5MiB, cpu: 250ms, timers: 10, mailbox_bytes: 500kB, message: 4096}
  - {name: util, kind: library.lua, source: "return {}", imports: {far: "shop.deep:far"}}
  - {name: unused, kind: library.lua, source: "return {}"}
  - name: processes
    kind: process.host
    host: {max_processes: 100}
    limits: {memory: 32MiB}
  - {name: spare, kind: process.host, lifecycle: {auto_start: false}}
  - name: web
    kind: process.service
    process: front
    host: processes
    input: [1, 2.5, two, null, true, [1], {k: v}]
    lifecycle: {auto_start: true, depends_on: [store], stop_timeout: 1m30s, restart: {max_attempts: 3, jitter: 0}}
  - {name: store, kind: process.service, process: front, host: processes, lifecycle: {auto_start: false}}
  - {name: idle, kind: process.service, process: front, host: spare, lifecycle: {auto_start: false}}
"#,
        ),
        ("lua/front.lua", "return { serve = print }\n"),
        (
            "deep/down/_index.yaml",
            "version: \"1.0\"\nnamespace: shop.deep\nentries:\n  - {name: far, kind: library.lua, source: file://../x.lua}\n",
        ),
        ("deep/x.lua", "return 1\n"),
        (".git/_index.yaml", "not read"),
    ]);
    expect![[r#"
        App {
            definitions: [
                Definition {
                    entry: shop:front,
                    method: "serve",
                    chunk: Chunk {
                        name: "@lua/front.lua",
                        source: "return { serve = print }\n",
                    },
                    imports: [
                        Import {
                            alias: "text",
                            entry: shop:util,
                        },
                        Import {
                            alias: "far",
                            entry: shop.deep:far,
                        },
                    ],
                    libraries: [
                        Library {
                            entry: shop:util,
                            chunk: Chunk {
                                name: "=shop:util",
                                source: "return {}",
                            },
                            imports: [
                                Import {
                                    alias: "far",
                                    entry: shop.deep:far,
                                },
                            ],
                        },
                        Library {
                            entry: shop.deep:far,
                            chunk: Chunk {
                                name: "@deep/x.lua",
                                source: "return 1\n",
                            },
                            imports: [],
                        },
                    ],
                    limits: LimitsOverride {
                        memory: Some(
                            1572864,
                        ),
                        cpu: Some(
                            250ms,
                        ),
                        mailbox_messages: None,
                        mailbox_bytes: Some(
                            500000,
                        ),
                        message: Some(
                            4096,
                        ),
                        links: None,
                        monitors: None,
                        timers: Some(
                            10,
                        ),
                        coroutines: None,
                        names: None,
                        listeners: None,
                        log_lines: None,
                    },
                },
            ],
            hosts: [
                Host {
                    definition: HostDefinition {
                        id: shop:processes,
                        max_processes: 100,
                        limits: Limits {
                            memory: 33554432,
                            cpu: 10s,
                            mailbox_messages: 10000,
                            mailbox_bytes: 4194304,
                            message: 1048576,
                            links: 10000,
                            monitors: 10000,
                            timers: 10000,
                            coroutines: 10000,
                            names: 1024,
                            listeners: 1024,
                            log_lines: 1000,
                        },
                    },
                    started: true,
                },
                Host {
                    definition: HostDefinition {
                        id: shop:spare,
                        max_processes: 4294967295,
                        limits: Limits {
                            memory: 16777216,
                            cpu: 10s,
                            mailbox_messages: 10000,
                            mailbox_bytes: 4194304,
                            message: 1048576,
                            links: 10000,
                            monitors: 10000,
                            timers: 10000,
                            coroutines: 10000,
                            names: 1024,
                            listeners: 1024,
                            log_lines: 1000,
                        },
                    },
                    started: false,
                },
            ],
            services: [
                Service {
                    id: shop:store,
                    process: shop:front,
                    host: shop:processes,
                    input: [],
                    lifecycle: Lifecycle {
                        auto_start: false,
                        depends_on: [],
                        start_timeout: 10s,
                        stop_timeout: 10s,
                        restart: Restart {
                            initial_delay: 1s,
                            max_delay: 90s,
                            backoff_factor: 2.0,
                            jitter: 0.1,
                            max_attempts: 0,
                            stable_threshold: 5s,
                        },
                    },
                },
                Service {
                    id: shop:web,
                    process: shop:front,
                    host: shop:processes,
                    input: [
                        Integer(
                            1,
                        ),
                        Float(
                            2.5,
                        ),
                        String(
                            [
                                116,
                                119,
                                111,
                            ],
                        ),
                        Nil,
                        Boolean(
                            true,
                        ),
                        Array(
                            [
                                Integer(
                                    1,
                                ),
                            ],
                        ),
                        Map(
                            [
                                (
                                    String(
                                        [
                                            107,
                                        ],
                                    ),
                                    String(
                                        [
                                            118,
                                        ],
                                    ),
                                ),
                            ],
                        ),
                    ],
                    lifecycle: Lifecycle {
                        auto_start: true,
                        depends_on: [
                            shop:store,
                        ],
                        start_timeout: 10s,
                        stop_timeout: 90s,
                        restart: Restart {
                            initial_delay: 1s,
                            max_delay: 90s,
                            backoff_factor: 2.0,
                            jitter: 0.0,
                            max_attempts: 3,
                            stable_threshold: 5s,
                        },
                    },
                },
            ],
        }
    "#]].assert_debug_eq(&app);
}

#[test]
fn an_application_without_a_host_has_the_usual_one() {
    let app = app(&[("_index.yaml", &process("app.test", "return print"))]);
    assert_eq!(app.hosts().len(), 1);
    let host = app.host("app:processes").unwrap();
    assert!(host.started);
    assert_eq!(host.definition.limits, Default::default());
}

#[test]
fn only_one_entry_can_be_the_main_one() {
    let index = |space: &str| process(space, "return print").replace("job", "main");
    let one = app(&[("_index.yaml", &index("a"))]);
    assert_eq!(one.main_entry().unwrap().entry.as_str(), "a:main");
    let two = app(&[("_index.yaml", &index("a")), ("b/_index.yaml", &index("b"))]);
    assert!(two.main_entry().is_none());
}

#[test]
fn a_link_inside_of_the_application_is_followed() {
    let dir = folder(&[HELLO, ("_index.yaml", &process("app", "file://link.lua"))]);
    dir.symlink("hello.lua", "link.lua").unwrap();
    let app = read(&dir).unwrap();
    assert_eq!(&*app.definitions()[0].chunk.name, "@link.lua");
    assert_eq!(&*app.definitions()[0].chunk.source, HELLO.1);
}

#[test]
fn a_single_file_is_an_application() {
    let dir = folder(&[HELLO]);
    let app = Draft::of_file(&dir, Path::new("shop"), "hello.lua").finish().unwrap();
    assert_eq!(app.main_entry().unwrap().entry.as_str(), "app:main");
    assert_eq!(app.hosts()[0].definition.id.as_str(), "app:processes");
    let report = Draft::of_file(&dir, Path::new("shop"), "hullo.lua").finish().unwrap_err();
    expect![[r#"
        error: there is no file `shop/hullo.lua`

        error: 1 mistake
    "#]].assert_eq(&report.to_string());
}

#[test]
fn files_outside_are_never_read() {
    let dir = folder(&[("_index.yaml", &process("app", "file://out.lua"))]);
    let outside = std::env::temp_dir().join(format!("lunarium-outside-{}", std::process::id()));
    File::create(&outside).unwrap();
    // A link with an absolute target, which a plain `open` would follow.
    dir.symlink_contents(&outside, "out.lua").unwrap();
    let report = read(&dir).unwrap_err();
    std::fs::remove_file(&outside).unwrap();
    assert_eq!(report.mistakes()[0].message(), "`shop/out.lua` leaves the application's folder");
}
