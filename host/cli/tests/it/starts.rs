//! What `lunarium check` warns of in programs that start others, give nothing to run, or have types.

use expect_test::{Expect, expect};

use crate::{folder, run};

fn check(entries: &str, expected: Expect) {
    let index = format!("version: \"1.0\"\nnamespace: app\nentries:\n{entries}");
    expected.assert_eq(&run(&folder(&[("app/_index.yaml", &index)]), &["check", "app"]));
}

#[test]
fn starts_of_what_is_not_there_are_warned_of() {
    check(
        r#"  - {name: processes, kind: process.host}
  - {name: readers, kind: security.policy, groups: [team], policy: {actions: "*", resources: "*", effect: allow}}
  - name: main
    kind: process.lua
    source: |
      local function main()
        process.spawn("app:wroker", "app:procesess")
        local pid, err = process.spawn_linked("worker", "app:processes")
        local spawn = process.exec("app:worker", "app:processes")
        assert(process.spawn("app:worker", "app:nowhere"))
        local policy, scope = security.policy("app:reader"), security.named_scope("app:teem")
        local ok = process.spawn(pid or "app:worker", err)
        return pid, err, spawn, policy, scope, ok
      end
      return { main = main }
  - {name: worker, kind: process.lua, source: "return function() end"}
"#,
        expect![[r#"
            exit code: 0
            --- stderr
            warning: what `process.spawn` gives is dropped: nobody learns that nothing was started
              --> app/_index.yaml:10:17
               |
            10 |         process.spawn("app:wroker", "app:procesess")
               |                 ^^^^^
               |
               = help: `local pid, err = process.spawn(…)`, or `assert(process.spawn(…))`

            warning: `process.spawn` names the entry `app:wroker`, which isn't there
              --> app/_index.yaml:10:24
               |
            10 |         process.spawn("app:wroker", "app:procesess")
               |                        ^^^^^^^^^^
               |
               = help: did you mean `app:worker`?

            warning: `process.spawn` names the process host `app:procesess`, which isn't there
              --> app/_index.yaml:10:38
               |
            10 |         process.spawn("app:wroker", "app:procesess")
               |                                      ^^^^^^^^^^^^^
               |
               = help: did you mean `app:processes`?

            warning: `process.spawn_linked` names the entry `worker`, which isn't there
              --> app/_index.yaml:11:48
               |
            11 |         local pid, err = process.spawn_linked("worker", "app:processes")
               |                                                ^^^^^^
               |
               = help: scripts name ids in full: `app:worker`

            warning: `process.spawn` names the process host `app:nowhere`, which isn't there
              --> app/_index.yaml:13:45
               |
            13 |         assert(process.spawn("app:worker", "app:nowhere"))
               |                                             ^^^^^^^^^^^
               |
               = help: there is only `app:processes`

            warning: `security.policy` names the policy `app:reader`, which isn't there
              --> app/_index.yaml:14:48
               |
            14 |         local policy, scope = security.policy("app:reader"), security.named_scope("app:teem")
               |                                                ^^^^^^^^^^
               |
               = help: did you mean `app:readers`?

            warning: `security.named_scope` names the policy group `app:teem`, which isn't there
              --> app/_index.yaml:14:84
               |
            14 |         local policy, scope = security.policy("app:reader"), security.named_scope("app:teem")
               |                                                                                    ^^^^^^^^
               |
               = help: did you mean `app:team`?

            warning: 7 warnings
        "#]],
    );
}

#[test]
fn a_program_that_gives_nothing_is_warned_of() {
    check(
        r#"  - {name: processes, kind: process.host}
  - name: main
    kind: process.lua
    source: |
      local function main()
        return process.exec("app:plain", "app:processes")
      end
  - {name: plain, kind: process.lua, source: "print(1)"}
"#,
        expect![[r#"
            exit code: 0
            --- stderr
            warning: the program of `app:main` returns nothing: a process of it ends at once
              --> app/_index.yaml:10:7
               |
            10 |       end
               |       ^^^
               |
               = help: end it with `return { main = main }`

            warning: the program of `app:plain` returns nothing: a process of it ends at once
              --> app/_index.yaml:11:46
               |
            11 |   - {name: plain, kind: process.lua, source: "print(1)"}
               |                                              ^^^^^^^^^^
               |
               = help: end it with `return { main = main }`

            warning: 2 warnings
        "#]],
    );
}

#[test]
fn typed_lua_compiles() {
    check(
        r#"  - {name: processes, kind: process.host}
  - name: main
    kind: process.lua
    source: |
      type User = {name: string}
      local function main(user: User?): (boolean, string?)
        local n: number = nmae
        return n == 1, user and user.name
      end
      return { main = main }
"#,
        expect![[r#"
            exit code: 0
            --- stderr
            warning: global `nmae` is defined nowhere
              --> app/_index.yaml:10:27
               |
            10 |         local n: number = nmae
               |                           ^^^^

            warning: 1 warning
        "#]],
    );
}

#[test]
fn a_single_program_runs_what_it_returns() {
    let folder = folder(&[
        ("idle.lua", "local function main()\n  print(1)\nend\n"),
        ("plain.lua", "print(1)\n"),
        ("called.lua", "local function main() print(1) end\nmain()\n"),
    ]);
    expect![[r#"
        exit code: 0
        --- stderr
        warning: `main` is neither returned nor called: it never runs
         --> idle.lua:3:1
          |
        3 | end
          | ^^^
          |
          = help: end it with `return { main = main }`

        warning: 1 warning
    "#]]
    .assert_eq(&run(&folder, &["check", "idle.lua"]));
    expect![[r#"
        exit code: 0
    "#]]
    .assert_eq(&run(&folder, &["check", "plain.lua"]));
    expect![[r#"
        exit code: 0
    "#]]
    .assert_eq(&run(&folder, &["check", "called.lua"]));
}
