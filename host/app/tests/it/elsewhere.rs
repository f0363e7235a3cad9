//! Files from Wippy: what is accepted, what is warned of, and what each other kind and key is told.

use std::path::Path;

use expect_test::{Expect, expect};
use lunarium_app::{Draft, NoAuthority};

use crate::folder;

/// The report, with what is warned of before anything is compiled.
fn check(entries: &str, expected: Expect) {
    let index = format!("version: \"1.0\"\nnamespace: app\nentries:\n{entries}");
    let dir = folder(&[("_index.yaml", &index)]);
    expected.assert_eq(&Draft::of_folder(&dir, Path::new("shop"), &NoAuthority).review().to_string());
}

#[test]
fn kinds_of_elsewhere_are_told_what_to_write() {
    check(
        r#"  - {name: a, kind: workflow.lua}
  - {name: b, kind: http.service}
  - {name: c, kind: store.memory}
  - {name: d, kind: security.policy.expr}
  - {name: e, kind: env.storage.os}
  - {name: f, kind: nothing.like.it}
"#,
        expect![[r#"
            error: unknown kind `workflow.lua`
             --> shop/_index.yaml:4:21
              |
            4 |   - {name: a, kind: workflow.lua}
              |                     ^^^^^^^^^^^^
              |
              = help: there are no durable workflows: a `process.lua` can keep its state in `kv`

            error: unknown kind `http.service`
             --> shop/_index.yaml:5:21
              |
            5 |   - {name: b, kind: http.service}
              |                     ^^^^^^^^^^^^
              |
              = help: requests from outside are the host's matter: see `lunarium serve`; `grants: {http: …}` is for requests to others

            error: unknown kind `store.memory`
             --> shop/_index.yaml:6:21
              |
            6 |   - {name: c, kind: store.memory}
              |                     ^^^^^^^^^^^^
              |
              = help: `grants: {kv: …}` gives an entry a store, which `require("kv")` reads

            error: unknown kind `security.policy.expr`
             --> shop/_index.yaml:7:21
              |
            7 |   - {name: d, kind: security.policy.expr}
              |                     ^^^^^^^^^^^^^^^^^^^^
              |
              = help: write `security.policy` with `conditions`: each a `field`, an `operator` and a `value`

            error: unknown kind `env.storage.os`
             --> shop/_index.yaml:8:21
              |
            8 |   - {name: e, kind: env.storage.os}
              |                     ^^^^^^^^^^^^^^
              |
              = help: variables are those of the command: `env.variable`, and `grants: {env: [NAME]}`

            error: unknown kind `nothing.like.it`
             --> shop/_index.yaml:9:21
              |
            9 |   - {name: f, kind: nothing.like.it}
              |                     ^^^^^^^^^^^^^^^
              |
              = help: there are `process.lua`, `library.lua`, `process.host`, `process.service`, `security.policy`, `env.variable`, `http.endpoint`

            error: 6 mistakes
        "#]],
    );
}

#[test]
fn what_means_nothing_here_is_warned_of() {
    check(
        r#"  - {name: processes, kind: terminal.host, host: {workers: 4, queue_size: 100}}
  - name: call
    kind: function.lua
    pool: {size: 3}
    modules: [json, tiem, sql]
    source: "return { main = function() return 1 end }"
  - name: service
    kind: process.service
    process: call
    host: processes
    lifecycle: {requires: [processes], security: {actor: {id: ada}}, stable_threshold: 5s}
  - {name: home, kind: env.variable, variable: HOME, storage: "app:os", read_only: true}
"#,
        expect![[r#"
            warning: `workers` means nothing here
             --> shop/_index.yaml:4:60
              |
            4 |   - {name: processes, kind: terminal.host, host: {workers: 4, queue_size: 100}}
              |                                                            ^
              |
              = help: the workers are the engine's, for all hosts: `cpu_weight` and `cpu_max` share them out

            warning: `queue_size` means nothing here
             --> shop/_index.yaml:4:75
              |
            4 |   - {name: processes, kind: terminal.host, host: {workers: 4, queue_size: 100}}
              |                                                                           ^^^
              |
              = help: every process has a mailbox of its own: `limits: {mailbox_messages: …}`

            warning: `pool` means nothing here
             --> shop/_index.yaml:7:11
              |
            7 |     pool: {size: 3}
              |           ^
              |
              = help: each `exec` starts a process of its own, and they run beside each other

            warning: there is no module `tiem`
             --> shop/_index.yaml:8:21
              |
            8 |     modules: [json, tiem, sql]
              |                     ^^^^
              |
              = help: did you mean `time`?

            warning: there is no module `sql`
             --> shop/_index.yaml:8:27
              |
            8 |     modules: [json, tiem, sql]
              |                           ^^^
              |
              = help: `modules:` says nothing here: each process has the runtime's own, and others by `grants`

            warning: `app:service` doesn't say `auto_start`: here it starts, in Wippy it wouldn't
              --> shop/_index.yaml:10:11
               |
            10 |   - name: service
               |           ^^^^^^^
               |
               = help: write `lifecycle: {auto_start: true}`, or `false`

            warning: `stable_threshold` means nothing here
              --> shop/_index.yaml:14:88
               |
            14 |     lifecycle: {requires: [processes], security: {actor: {id: ada}}, stable_threshold: 5s}
               |                                                                                        ^^
               |
               = help: write it under `restart:`

            warning: nothing is granted the variable `HOME`
              --> shop/_index.yaml:15:12
               |
            15 |   - {name: home, kind: env.variable, variable: HOME, storage: "app:os", read_only: true}
               |            ^^^^
               |
               = help: name it in the `grants` of an entry or a process host: `env: [NAME]`

            warning: `storage` means nothing here
              --> shop/_index.yaml:15:63
               |
            15 |   - {name: home, kind: env.variable, variable: HOME, storage: "app:os", read_only: true}
               |                                                               ^^^^^^^^
               |
               = help: variables are those of the command: with nothing set, `default` is the value

            warning: `read_only` means nothing here
              --> shop/_index.yaml:15:84
               |
            15 |   - {name: home, kind: env.variable, variable: HOME, storage: "app:os", read_only: true}
               |                                                                                    ^^^^
               |
               = help: a script can't change a variable

            warning: 10 warnings
        "#]],
    );
}

#[test]
fn security_stands_in_one_place() {
    check(
        r#"  - {name: processes, kind: process.host, security: {actor: {id: a}}, lifecycle: {security: {actor: {id: b}}}}
"#,
        expect![[r#"
            error: `security` stands beside `lifecycle` too
             --> shop/_index.yaml:4:93
              |
            4 |   - {name: processes, kind: process.host, security: {actor: {id: a}}, lifecycle: {security: {actor: {id: b}}}}
              |                                                                                             ^
              |
              = help: keep one of them

            error: 1 mistake
        "#]],
    );
}
