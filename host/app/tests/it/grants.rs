//! `grants:` and `env.variable`: what processes get, and what can't be granted.

use std::io;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use cap_tempfile::TempDir;
use expect_test::{Expect, expect};
use lunarium_app::{App, Authority, Draft, Report};

use crate::{check, folder};

/// A world in which `HOME` is set and `/srv` is a directory.
struct World;

impl Authority for World {
    fn variable(&self, name: &str) -> Option<String> {
        (name == "HOME").then(|| "/home/ada".to_owned())
    }

    fn open_directory(&self, path: &str) -> io::Result<Dir> {
        match path {
            "/srv" => Dir::open_ambient_dir("/", ambient_authority()),
            "/locked" => Err(io::Error::from_raw_os_error(13)),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// A folder with directories, links and these entries.
pub(crate) fn application(entries: &str) -> TempDir {
    let index = format!("version: \"1.0\"\nnamespace: app\nentries:\n{entries}");
    let dir = folder(&[("_index.yaml", &index), ("data/file", ""), ("data/inner/x", "")]);
    dir.symlink("data/inner", "inside").unwrap();
    dir.symlink("..", "outside").unwrap();
    dir
}

fn read(entries: &str) -> Result<App, Report> {
    Draft::of_folder(&application(entries), Path::new("shop"), &World).finish()
}

fn check_mistakes(entries: &str, expected: Expect) {
    expected.assert_eq(&read(entries).unwrap_err().to_string());
}

#[test]
fn entries_and_hosts_get_values_and_directories() {
    let app = read(
        r#"  - {name: job, kind: process.lua, source: return 1, grants: {env: [HOME, LANGUAGE, PORT, UNSET], fs: [{path: ./data/, write: true}, {path: /srv}]}}
  - {name: idle, kind: process.lua, source: return 1, grants: {}}
  - {name: processes, kind: process.host, grants: {env: [HOME], fs: [{path: inside}, {path: ".", write: false}], modules: [billing, mail]}}
  - {name: language, kind: env.variable, variable: LANGUAGE, default: lua}
  - {name: home, kind: env.variable, variable: HOME, default: nowhere}
  - {name: port, kind: env.variable, variable: PORT}
"#,
    )
    .unwrap();
    let grants = |id| &app.definition(id).unwrap().grants;
    expect![[r#"
        (
            Grants {
                env: {
                    "HOME": Some(
                        "/home/ada",
                    ),
                    "LANGUAGE": Some(
                        "lua",
                    ),
                    "PORT": None,
                    "UNSET": None,
                },
                fs: [
                    Directory {
                        name: "data",
                        write: true,
                        max_bytes: None,
                        ..
                    },
                    Directory {
                        name: "/srv",
                        write: false,
                        max_bytes: None,
                        ..
                    },
                ],
                modules: {},
                settings: [],
            },
            Grants {
                env: {
                    "HOME": Some(
                        "/home/ada",
                    ),
                },
                fs: [
                    Directory {
                        name: "inside",
                        write: false,
                        max_bytes: None,
                        ..
                    },
                    Directory {
                        name: ".",
                        write: false,
                        max_bytes: None,
                        ..
                    },
                ],
                modules: {
                    "billing",
                    "mail",
                },
                settings: [],
            },
        )
    "#]]
    .assert_debug_eq(&(grants("app:job"), &app.host("app:processes").unwrap().definition.grants));
    assert!(grants("app:idle").is_empty());
}

#[test]
fn what_cannot_be_granted_is_told() {
    check_mistakes(
        r#"  - name: job
    kind: process.lua
    source: return 1
    grants:
      env: [HOME, HOME, "", "A=B", 5]
      fs:
        - path: nowhere
        - path: data/file
        - path: ../data
        - path: data/../..
        - path: outside
        - path: /nowhere
        - path: /locked
        - path: ""
        - data
        - write: true
        - {path: data, write: yes please}
        - {path: data/., mode: rw}
      files: []
  - {name: processes, kind: process.host, grants: [env]}
"#,
        expect![[r#"
            error: variable `HOME` is granted twice
             --> shop/_index.yaml:8:19
              |
            8 |       env: [HOME, HOME, "", "A=B", 5]
              |                   ^^^^

            error: `` can't be the name of an environment variable
             --> shop/_index.yaml:8:25
              |
            8 |       env: [HOME, HOME, "", "A=B", 5]
              |                         ^^
              |
              = help: a name has 1 to 255 bytes and no `=`

            error: `A=B` can't be the name of an environment variable
             --> shop/_index.yaml:8:29
              |
            8 |       env: [HOME, HOME, "", "A=B", 5]
              |                             ^^^^^
              |
              = help: a name has 1 to 255 bytes and no `=`

            error: a variable must be text, not `5`
             --> shop/_index.yaml:8:36
              |
            8 |       env: [HOME, HOME, "", "A=B", 5]
              |                                    ^
              |
              = help: put it into quotes

            error: there is no directory `nowhere`
              --> shop/_index.yaml:10:17
               |
            10 |         - path: nowhere
               |                 ^^^^^^^
               |
               = help: it must be there before the application starts; a relative path begins at its folder

            error: `data/file` is not a directory
              --> shop/_index.yaml:11:17
               |
            11 |         - path: data/file
               |                 ^^^^^^^^^
               |
               = help: grant the directory that it lies in

            error: `../data` leaves the application's folder
              --> shop/_index.yaml:12:17
               |
            12 |         - path: ../data
               |                 ^^^^^^^
               |
               = help: write its absolute path

            error: `data/../..` leaves the application's folder
              --> shop/_index.yaml:13:17
               |
            13 |         - path: data/../..
               |                 ^^^^^^^^^^
               |
               = help: write its absolute path

            error: `outside` leaves the application's folder
              --> shop/_index.yaml:14:17
               |
            14 |         - path: outside
               |                 ^^^^^^^
               |
               = help: write its absolute path

            error: there is no directory `/nowhere`
              --> shop/_index.yaml:15:17
               |
            15 |         - path: /nowhere
               |                 ^^^^^^^^
               |
               = help: it must be there before the application starts; a relative path begins at its folder

            error: `/locked` can't be opened: Permission denied (os error 13)
              --> shop/_index.yaml:16:17
               |
            16 |         - path: /locked
               |                 ^^^^^^^

            error: path is empty
              --> shop/_index.yaml:17:17
               |
            17 |         - path: ""
               |                 ^^

            error: a granted directory must be a table, not text
              --> shop/_index.yaml:18:11
               |
            18 |         - data
               |           ^^^^

            error: a granted directory lacks `path`
              --> shop/_index.yaml:19:11
               |
            19 |         - write: true
               |           ^

            error: `write` must be `true` or `false`, not text
              --> shop/_index.yaml:20:31
               |
            20 |         - {path: data, write: yes please}
               |                               ^^^^^^^^^^

            error: directory `data` is granted twice
              --> shop/_index.yaml:21:18
               |
            21 |         - {path: data/., mode: rw}
               |                  ^^^^^^

            error: unknown key `mode` in a granted directory
              --> shop/_index.yaml:21:26
               |
            21 |         - {path: data/., mode: rw}
               |                          ^^^^
               |
               = help: there are `path`, `write`, `max_bytes`

            error: unknown key `files` in `grants`
              --> shop/_index.yaml:22:7
               |
            22 |       files: []
               |       ^^^^^
               |
               = help: there are `env`, `fs`, `modules`

            error: `grants` must be a table, not a list
              --> shop/_index.yaml:23:51
               |
            23 |   - {name: processes, kind: process.host, grants: [env]}
               |                                                   ^

            error: 19 mistakes
        "#]],
    );
}

#[test]
fn a_variable_is_described_once() {
    check_mistakes(
        r#"  - {name: a, kind: env.variable, variable: A, default: 5}
  - {name: b, kind: env.variable, variable: A, default: "5"}
  - {name: c, kind: env.variable, default: x, storage: y}
  - {name: d, kind: env.variable, variable: "D=E"}
  - {name: e, kind: env.varaible, variable: E}
  - {name: job, kind: process.lua, source: return 1, imports: {a: a}}
"#,
        expect![[r#"
            error: `default` must be text, not `5`
             --> shop/_index.yaml:4:57
              |
            4 |   - {name: a, kind: env.variable, variable: A, default: 5}
              |                                                         ^
              |
              = help: put it into quotes

            error: variable `A` is described twice
             --> shop/_index.yaml:5:45
              |
            5 |   - {name: b, kind: env.variable, variable: A, default: "5"}
              |                                             ^
              |
             ::: shop/_index.yaml:4:45
              |
            4 |   - {name: a, kind: env.variable, variable: A, default: 5}
              |                                             - first described here

            error: entry `c` lacks `variable`
             --> shop/_index.yaml:6:12
              |
            6 |   - {name: c, kind: env.variable, default: x, storage: y}
              |            ^

            warning: `storage` means nothing here
             --> shop/_index.yaml:6:56
              |
            6 |   - {name: c, kind: env.variable, default: x, storage: y}
              |                                                        ^
              |
              = help: variables are those of the command: with nothing set, `default` is the value

            error: `D=E` can't be the name of an environment variable
             --> shop/_index.yaml:7:45
              |
            7 |   - {name: d, kind: env.variable, variable: "D=E"}
              |                                             ^^^^^
              |
              = help: a name has 1 to 255 bytes and no `=`

            error: unknown kind `env.varaible`
             --> shop/_index.yaml:8:21
              |
            8 |   - {name: e, kind: env.varaible, variable: E}
              |                     ^^^^^^^^^^^^
              |
              = help: did you mean `env.variable`?

            error: `app:a` is a `env.variable`, not a `library.lua`
             --> shop/_index.yaml:9:67
              |
            9 |   - {name: job, kind: process.lua, source: return 1, imports: {a: a}}
              |                                                                   ^

            error: 6 mistakes and 1 warning
        "#]],
    );
}

#[test]
fn without_authority_nothing_outside_is_granted() {
    check(
        r#"  - {name: job, kind: process.lua, source: return 1, grants: {env: [HOME], fs: [{path: /}]}}
"#,
        expect![[r#"
            error: `/` leaves the application's folder
             --> shop/_index.yaml:4:88
              |
            4 |   - {name: job, kind: process.lua, source: return 1, grants: {env: [HOME], fs: [{path: /}]}}
              |                                                                                        ^
              |
              = help: write its absolute path

            error: 1 mistake
        "#]],
    );
}

#[test]
fn what_a_directory_may_be_filled_with_is_a_size_of_one_that_may_be_changed() {
    let app = read(
        "  - {name: job, kind: process.lua, source: return 1, grants: {fs: [{path: data, write: true, max_bytes: 64KiB}]}}\n",
    )
    .unwrap();
    assert_eq!(app.definition("app:job").unwrap().grants.fs[0].max_bytes(), Some(64 << 10));
    check_mistakes(
        r#"  - name: job
    kind: process.lua
    source: return 1
    grants:
      fs:
        - {path: data, max_bytes: 64KiB}
        - {path: data/inner, write: true, max_bytes: 0}
"#,
        expect![[r#"
            error: `max_bytes` is for a directory that may be changed
             --> shop/_index.yaml:9:35
              |
            9 |         - {path: data, max_bytes: 64KiB}
              |                                   ^^^^^
              |
              = help: add `write: true`

            error: `max_bytes` must be more than 0
              --> shop/_index.yaml:10:54
               |
            10 |         - {path: data/inner, write: true, max_bytes: 0}
               |                                                      ^
               |
               = help: write it like `16MiB`, `500kB` or `4096` (bytes)

            error: 2 mistakes
        "#]],
    );
}

#[test]
fn modules_are_granted_by_name() {
    check_mistakes(
        r#"  - name: job
    kind: process.lua
    source: return 1
    imports: {mail: util}
    grants: {modules: [billing, fs, string, a-b, mail, billing]}
  - {name: util, kind: library.lua, source: return 1}
"#,
        expect![[r#"
            error: alias `mail` is the name of a granted module
             --> shop/_index.yaml:7:15
              |
            7 |     imports: {mail: util}
              |               ^^^^
              |
             ::: shop/_index.yaml:8:50
              |
            8 |     grants: {modules: [billing, fs, string, a-b, mail, billing]}
              |                                                  ---- granted here

            error: `fs` is one of the runtime's modules, or of Lua's
             --> shop/_index.yaml:8:33
              |
            8 |     grants: {modules: [billing, fs, string, a-b, mail, billing]}
              |                                 ^^
              |
              = help: it has grants of its own

            error: `string` is one of the runtime's modules, or of Lua's
             --> shop/_index.yaml:8:37
              |
            8 |     grants: {modules: [billing, fs, string, a-b, mail, billing]}
              |                                     ^^^^^^
              |
              = help: modules are the embedding program's

            error: `a-b` can't be the name of a module
             --> shop/_index.yaml:8:45
              |
            8 |     grants: {modules: [billing, fs, string, a-b, mail, billing]}
              |                                             ^^^
              |
              = help: letters, digits and `_`, no digit first, none of Lua's words

            error: module `billing` is granted twice
             --> shop/_index.yaml:8:56
              |
            8 |     grants: {modules: [billing, fs, string, a-b, mail, billing]}
              |                                                        ^^^^^^^

            error: 5 mistakes
        "#]],
    );
}
