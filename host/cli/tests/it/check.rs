//! What `lunarium check` warns of: globals that nobody defines, entries that nothing uses, limits that change nothing.

use expect_test::{Expect, expect};

use crate::{app, folder, run};

fn check(files: &[(&str, &str)], expected: Expect) {
    expected.assert_eq(&run(&folder(files), &["check", "app"]));
}

#[test]
fn a_misspelt_global_is_shown_with_the_nearest() {
    check(
        &[
            (
                "app/_index.yaml",
                r#"version: "1.0"
namespace: app
entries:
  - {name: main, kind: process.lua, source: "file://main.lua", imports: {tool: tool}}
  - name: tool
    kind: library.lua
    source: |
      function helper() return counter end
      return { cut = function() chanel.new() end }
"#,
            ),
            (
                "app/main.lua",
                "counter = 1\nlocal tool = require('tool')\n\nreturn function()\n  helper() helpr()\n  prnt(proces.pid(), io.read)\n  \
                 return env.get('HOME'), fs, wholly_unknown\nend\n",
            ),
        ],
        expect![[r#"
            exit code: 0
            --- stderr
            warning: global `chanel` is defined nowhere
             --> app/_index.yaml:9:33
              |
            9 |       return { cut = function() chanel.new() end }
              |                                 ^^^^^^
              |
              = help: did you mean `channel`?

            warning: global `helpr` is defined nowhere
             --> app/main.lua:5:12
              |
            5 |   helper() helpr()
              |            ^^^^^
              |
              = help: did you mean `helper`?

            warning: global `prnt` is defined nowhere
             --> app/main.lua:6:3
              |
            6 |   prnt(proces.pid(), io.read)
              |   ^^^^
              |
              = help: did you mean `print`?

            warning: global `proces` is defined nowhere
             --> app/main.lua:6:8
              |
            6 |   prnt(proces.pid(), io.read)
              |        ^^^^^^
              |
              = help: did you mean `process`?

            warning: global `io` is defined nowhere
             --> app/main.lua:6:22
              |
            6 |   prnt(proces.pid(), io.read)
              |                      ^^
              |
              = help: it would reach out of the process: `print` and `logger` write, `require("stdin")` reads, granted files are in `fs`

            warning: global `env` is defined nowhere
             --> app/main.lua:7:10
              |
            7 |   return env.get('HOME'), fs, wholly_unknown
              |          ^^^
              |
              = help: module `env` needs `grants`: without them a process has nothing to use it on

            warning: global `fs` is defined nowhere
             --> app/main.lua:7:27
              |
            7 |   return env.get('HOME'), fs, wholly_unknown
              |                           ^^
              |
              = help: module `fs` needs `grants`: without them a process has nothing to use it on

            warning: global `wholly_unknown` is defined nowhere
             --> app/main.lua:7:31
              |
            7 |   return env.get('HOME'), fs, wholly_unknown
              |                               ^^^^^^^^^^^^^^

            warning: 8 warnings
        "#]],
    );
}

#[test]
fn a_global_of_another_program_is_not_defined() {
    check(
        &[(
            "app/_index.yaml",
            r#"version: "1.0"
namespace: app
entries:
  - {name: main, kind: process.lua, source: "shared = 1 return function() return 'worker' end"}
  - {name: worker, kind: process.lua, source: "return function() return shared end"}
"#,
        )],
        expect![[r#"
            exit code: 0
            --- stderr
            warning: global `shared` is defined nowhere
             --> app/_index.yaml:5:73
              |
            5 |   - {name: worker, kind: process.lua, source: "return function() return shared end"}
              |                                                                         ^^^^^^

            warning: 1 warning
        "#]],
    );
}

#[test]
fn entries_that_nothing_uses_are_told() {
    check(
        &[(
            "app/_index.yaml",
            r#"version: "1.0"
namespace: app
entries:
  - {name: main, kind: process.lua, source: "return function() process.spawn('app:named', 'app:second') end"}
  - {name: named, kind: process.lua, source: "return print"}
  - {name: only_itself, kind: process.lua, source: "return function() process.spawn('app:only_itself', 'app:first') end"}
  - {name: served, kind: process.lua, source: "return print", imports: {a: used}}
  - {name: given, kind: process.lua, source: "return print"}
  - {name: lost, kind: process.lua, source: "return print"}
  - {name: lost-too, kind: process.lua, source: "return losttoo, 'lost'"}
  - {name: web, kind: process.service, process: served, host: third, input: [{run: "app:given"}], lifecycle: {depends_on: [fourth]}}
  - {name: used, kind: library.lua, source: "return 1"}
  - {name: unused, kind: library.lua, source: "return 'unused'"}
  - {name: first, kind: process.host}
  - {name: second, kind: process.host}
  - {name: third, kind: process.host}
  - {name: fourth, kind: process.host}
  - {name: fifth, kind: process.host}
"#,
        )],
        expect![[r#"
            exit code: 0
            --- stderr
            warning: what `process.spawn` gives is dropped: nobody learns that nothing was started
             --> app/_index.yaml:4:72
              |
            4 |   - {name: main, kind: process.lua, source: "return function() process.spawn('app:named', 'app:second') end"}
              |                                                                        ^^^^^
              |
              = help: `local pid, err = process.spawn(…)`, or `assert(process.spawn(…))`

            warning: nothing starts process `app:only_itself`: no service runs it, and no source names it
             --> app/_index.yaml:6:12
              |
            6 |   - {name: only_itself, kind: process.lua, source: "return function() process.spawn('app:only_itself', 'app:first') end"}
              |            ^^^^^^^^^^^
              |
              = help: only `lunarium run -x app:only_itself` does

            warning: what `process.spawn` gives is dropped: nobody learns that nothing was started
             --> app/_index.yaml:6:79
              |
            6 |   - {name: only_itself, kind: process.lua, source: "return function() process.spawn('app:only_itself', 'app:first') end"}
              |                                                                               ^^^^^
              |
              = help: `local pid, err = process.spawn(…)`, or `assert(process.spawn(…))`

            warning: nothing starts process `app:lost-too`: no service runs it, and no source names it
              --> app/_index.yaml:10:12
               |
            10 |   - {name: lost-too, kind: process.lua, source: "return losttoo, 'lost'"}
               |            ^^^^^^^^
               |
               = help: only `lunarium run -x app:lost-too` does

            warning: global `losttoo` is defined nowhere
              --> app/_index.yaml:10:57
               |
            10 |   - {name: lost-too, kind: process.lua, source: "return losttoo, 'lost'"}
               |                                                         ^^^^^^^

            warning: nothing imports library `app:unused`
              --> app/_index.yaml:13:12
               |
            13 |   - {name: unused, kind: library.lua, source: "return 'unused'"}
               |            ^^^^^^
               |
               = help: name it in the `imports` of an entry

            warning: nothing uses process host `app:fifth`: no service runs on it, and no source names it
              --> app/_index.yaml:18:12
               |
            18 |   - {name: fifth, kind: process.host}
               |            ^^^^^
               |
               = help: only `lunarium run --host app:fifth` does

            warning: 7 warnings
        "#]],
    );
}

#[test]
fn warnings_fail_only_when_denied_and_do_not_keep_it_from_running() {
    let folder = folder(&[("file.lua", "return function() if false then nothing() end end\n")]);
    for arguments in [&["check", "file.lua"][..], &["check", "file.lua", "--deny-warnings"]] {
        let code = if arguments.len() == 2 { 0 } else { 2 };
        let told = run(&folder, arguments);
        assert!(told.starts_with(&format!("exit code: {code}\n--- stderr\nwarning: global `nothing` is ")), "{told}");
    }
    assert_eq!(run(&folder, &["run", "file.lua"]), "exit code: 0\n");
}

#[test]
fn mistakes_and_undefined_globals_are_told_together() {
    check(
        &[(
            "app/_index.yaml",
            r#"version: "1.0"
namespace: app
entries:
  - {name: main, kind: process.lua, source: "return function() prnt() end", methd: x}
  - {name: lost, kind: process.lua, source: "return print"}
"#,
        )],
        expect![[r#"
            exit code: 2
            --- stderr
            warning: global `prnt` is defined nowhere
             --> app/_index.yaml:4:64
              |
            4 |   - {name: main, kind: process.lua, source: "return function() prnt() end", methd: x}
              |                                                                ^^^^
              |
              = help: did you mean `print`?

            error: unknown key `methd` in entry `main`
             --> app/_index.yaml:4:77
              |
            4 |   - {name: main, kind: process.lua, source: "return function() prnt() end", methd: x}
              |                                                                             ^^^^^
              |
              = help: did you mean `method`?

            error: 1 mistake and 1 warning
        "#]],
    );
}

#[test]
fn a_file_full_of_names_is_checked_in_time() {
    let assigned: String = (0..1_500).map(|n| format!("{}{n} = 1\n", "w".repeat(80))).collect();
    let reads: String = (0..1_100).map(|n| format!("{}{n}()\n", "w".repeat(79))).collect();
    let folder = folder(&[("file.lua", &format!("{assigned}{reads}"))]);
    let told = run(&folder, &["check", "file.lua"]);
    assert!(told.ends_with("warning: 1000 warnings, 900 of them not shown\n"), "{told}");
}

#[test]
fn the_examples_have_no_warnings() {
    for name in crate::examples::applications() {
        let path = crate::examples::examples().join(name);
        let folder = folder(&[]);
        assert_eq!(run(&folder, &["check", path.to_str().unwrap()]), "exit code: 0\n", "{}", path.display());
    }
}

#[test]
fn a_limit_above_that_of_every_host_is_shown() {
    let index = |host: &str| {
        format!(
            "version: \"1.0\"\nnamespace: app\nentries:\n{host}  - {{name: main, kind: process.lua, source: return print, limits: {{cpu: 1s, memory: 64MiB}}}}\n"
        )
    };
    check(
        &[("app/_index.yaml", &index(""))],
        expect![[r#"
        exit code: 0
        --- stderr
        warning: limit `memory` of `app:main` is larger than that of every process host, and changes nothing
         --> app/_index.yaml:4:12
          |
        4 |   - {name: main, kind: process.lua, source: return print, limits: {cpu: 1s, memory: 64MiB}}
          |            ^^^^
          |
          = help: to raise it, set `limits: {memory: …}` of the `process.host` that it runs on

        warning: 1 warning
    "#]],
    );
    check(
        &[(
            "app/_index.yaml",
            &index(
                "  - {name: large, kind: process.host, host: {max_processes: 9000, memory: 1GiB, reserve: lots, log_bytes: 0}, limits: {memory: 64MiB}}\n",
            ),
        )],
        expect![[r#"
        exit code: 2
        --- stderr
        error: `reserve`: `lots` is not a size
         --> app/_index.yaml:4:90
          |
        4 |   - {name: large, kind: process.host, host: {max_processes: 9000, memory: 1GiB, reserve: lots, log_bytes: 0}, limits: {memory: 64MiB}}
          |                                                                                          ^^^^
          |
          = help: write it like `16MiB`, `500kB` or `4096` (bytes)

        error: `log_bytes` must be more than 0
         --> app/_index.yaml:4:107
          |
        4 |   - {name: large, kind: process.host, host: {max_processes: 9000, memory: 1GiB, reserve: lots, log_bytes: 0}, limits: {memory: 64MiB}}
          |                                                                                                           ^
          |
          = help: write it like `16MiB`, `500kB` or `4096` (bytes)

        error: 2 mistakes
    "#]],
    );
    check(
        &[(
            "app/_index.yaml",
            &index(
                "  - {name: large, kind: process.host, host: {max_processes: 9000, memory: 1GiB, reserve: 1MiB}, limits: {memory: 64MiB}}\n",
            ),
        )],
        expect![[r#"
        exit code: 0
        --- stderr
        warning: `max_processes` of `app:large` is above the node's 8000, and changes nothing
         --> app/_index.yaml:4:61
          |
        4 |   - {name: large, kind: process.host, host: {max_processes: 9000, memory: 1GiB, reserve: 1MiB}, limits: {memory: 64MiB}}
          |                                                             ^^^^
          |
          = help: `--node-processes` gives the node more, where the machine has enough memory mappings

        warning: 1 warning
    "#]],
    );
    check(
        &[("app/_index.yaml", &index("  - {name: small, kind: process.host, limits: {memory: 4MiB}}\n"))],
        expect![[r#"
            exit code: 0
            --- stderr
            warning: limit `memory` of `app:main` is larger than that of every process host, and changes nothing
             --> app/_index.yaml:5:12
              |
            5 |   - {name: main, kind: process.lua, source: return print, limits: {cpu: 1s, memory: 64MiB}}
              |            ^^^^
              |
              = help: to raise it, set `limits: {memory: …}` of the `process.host` that it runs on

            warning: 1 warning
        "#]],
    );
    let large =
        "  - {name: small, kind: process.host}\n  - {name: processes, kind: process.host, limits: {memory: 64MiB}}\n";
    let told = run(&folder(&[("app/_index.yaml", &index(large))]), &["check", "app"]);
    assert!(!told.contains("is larger than"), "{told}");
}

#[test]
fn modules_that_are_granted_with_settings_are_known() {
    check(
        &[
            (
                "app/_index.yaml",
                r#"version: "1.0"
namespace: app
entries:
  - name: main
    kind: process.lua
    source: "file://main.lua"
    grants: {kv: [{prefix: a}]}
  - {name: other, kind: process.host, grants: {http: [{url: "http://localhost/"}]}}
"#,
            ),
            (
                "app/main.lua",
                r#"local kv, http = require("kv"), require("http")
return function() print(kv.gte("a"), http.get("http://localhost/"), process.pid()) end
"#,
            ),
        ],
        expect![[r#"
            exit code: 0
            --- stderr
            warning: module `kv` has no function `gte`
             --> app/main.lua:2:28
              |
            2 | return function() print(kv.gte("a"), http.get("http://localhost/"), process.pid()) end
              |                            ^^^
              |
              = help: did you mean `get`?

            warning: 1 warning
        "#]],
    );
    let index = "  - {name: main, kind: process.lua, source: \"return function() return require('kv') end\"}\n";
    let told = run(&app(index), &["check", "app"]);
    assert!(told.contains("module `kv` isn't granted") && told.contains("it needs `grants: {kv: […]}`"), "{told}");
}

#[test]
fn fields_and_modules_that_are_not_there_are_told() {
    check(
        &[
            (
                "app/_index.yaml",
                r#"version: "1.0"
namespace: app
entries:
  - {name: main, kind: process.lua, source: "file://main.lua", imports: {tool: tool}, grants: {modules: [billing]}}
  - {name: tool, kind: library.lua, source: "function string.trim(s) end return { cut = function() return time.later end }"}
"#,
            ),
            (
                "app/main.lua",
                r#"local time, tool = require("time"), require("tool")
local billing = require("billing")
local json = require("jsn")
local files, text = require("fs"), require("string")

return function()
  process.spwan("app:main", "app:processes")
  time.slep("1s")
  tool.anything()
  print(string.trim("x"), process.registry.lokup("x"), os.getenv)
  if os.clok then os.clok() end
  return files.raed("x"), text
end
"#,
            ),
        ],
        expect![[r#"
            exit code: 0
            --- stderr
            warning: module `billing` is granted, and isn't there
             --> app/_index.yaml:4:106
              |
            4 |   - {name: main, kind: process.lua, source: "file://main.lua", imports: {tool: tool}, grants: {modules: [billing]}}
              |                                                                                                          ^^^^^^^
              |
              = help: there is only `stdin`

            warning: module `time` has no field `later`
             --> app/_index.yaml:5:112
              |
            5 |   - {name: tool, kind: library.lua, source: "function string.trim(s) end return { cut = function() return time.later end }"}
              |                                                                                                                ^^^^^

            warning: there is no module `billing`
             --> app/main.lua:2:7
              |
            2 | local billing = require("billing")
              |       ^^^^^^^
              |
              = help: a library is required by its name in `imports`

            warning: there is no module `jsn`
             --> app/main.lua:3:23
              |
            3 | local json = require("jsn")
              |                       ^^^
              |
              = help: did you mean `json`?

            warning: module `fs` isn't granted
             --> app/main.lua:4:30
              |
            4 | local files, text = require("fs"), require("string")
              |                              ^^
              |
              = help: it needs `grants: {fs: […]}`

            warning: module `process` has no field `spwan`
             --> app/main.lua:7:11
              |
            7 |   process.spwan("app:main", "app:processes")
              |           ^^^^^
              |
              = help: did you mean `spawn`?

            warning: module `time` has no field `slep`
             --> app/main.lua:8:8
              |
            8 |   time.slep("1s")
              |        ^^^^
              |
              = help: did you mean `sleep`?

            warning: module `process.registry` has no field `lokup`
              --> app/main.lua:10:44
               |
            10 |   print(string.trim("x"), process.registry.lokup("x"), os.getenv)
               |                                            ^^^^^
               |
               = help: did you mean `lookup`?

            warning: module `os` has no field `getenv`
              --> app/main.lua:10:59
               |
            10 |   print(string.trim("x"), process.registry.lokup("x"), os.getenv)
               |                                                           ^^^^^^
               |
               = help: it would reach out of the process: granted variables are in `env`

            warning: module `fs` has no field `raed`
              --> app/main.lua:12:16
               |
            12 |   return files.raed("x"), text
               |                ^^^^
               |
               = help: did you mean `read`?

            warning: 10 warnings
        "#]],
    );
}

#[test]
fn a_misspelt_main_is_told_and_a_service_of_calls_is_none() {
    check(
        &[
            (
                "app/_index.yaml",
                r#"version: "1.0"
namespace: app
entries:
  - {name: main, kind: process.lua, source: "file://main.lua"}
  - {name: prices, kind: process.lua, source: "return { price = print, min = print, mail = print, domain = print }"}
  - {name: worker, kind: process.lua, method: work, source: "return { wrok = print }"}
  - {name: other, kind: process.lua, method: work, source: "return { start = print }"}
  - {name: all, kind: process.service, process: prices, host: processes}
  - {name: processes, kind: process.host}
"#,
            ),
            (
                "app/main.lua",
                "-- worker, other\nlocal M = {}\n\nfunction M.mian()\n  return M.helper()\nend\n\nM.helper = print\n\nreturn M\n",
            ),
        ],
        expect![[r#"
            exit code: 0
            --- stderr
            warning: `app:worker` has no function `work` to run
             --> app/_index.yaml:6:71
              |
            6 |   - {name: worker, kind: process.lua, method: work, source: "return { wrok = print }"}
              |                                                                       ^^^^
              |
              = help: `wrok` may be meant to be `work`

            warning: `app:other` has no function `work` to run
             --> app/_index.yaml:7:70
              |
            7 |   - {name: other, kind: process.lua, method: work, source: "return { start = print }"}
              |                                                                      ^^^^^
              |
              = help: its table has `start`

            warning: `app:main` has no function `main`: it serves calls, and does nothing by itself
             --> app/main.lua:4:12
              |
            4 | function M.mian()
              |            ^^^^
              |
              = help: `mian` may be meant to be `main`

            warning: 3 warnings
        "#]],
    );
}
