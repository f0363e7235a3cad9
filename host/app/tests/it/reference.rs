//! What one entry says about another: ids, imports, circles, services.

use expect_test::expect;

use crate::{check, check_files};

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
               = help: there are `depends_on`, `requires`, `security`, `auto_start`, `start_timeout`, `stop_timeout`, `restart`, `on_change`

            error: 18 mistakes
        "#]],
    );
}
