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
        expect![],
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
        expect![],
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
        expect![],
    );
}

#[test]
fn a_single_program_runs_what_it_returns() {
    let folder = folder(&[
        ("idle.lua", "local function main()\n  print(1)\nend\n"),
        ("plain.lua", "print(1)\n"),
        ("called.lua", "local function main() print(1) end\nmain()\n"),
    ]);
    expect![].assert_eq(&run(&folder, &["check", "idle.lua"]));
    expect![].assert_eq(&run(&folder, &["check", "plain.lua"]));
    expect![].assert_eq(&run(&folder, &["check", "called.lua"]));
}
