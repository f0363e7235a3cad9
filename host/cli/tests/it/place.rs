//! Where a failure is shown: in libraries, in the index file, in another process's file.

use expect_test::expect;

use crate::{folder, run};

const INDEX: &str = r#"version: "1.0"
namespace: shop
entries:
  - name: main
    kind: process.lua
    imports: {tool: text.tool}
    source: |
      local tool = require("tool")

      return function()
        tool.cut(nil)
      end
  - name: text.tool
    kind: library.lua
    source: file://lib/tool.lua
  - {name: broken, kind: process.lua, source: "return function() local x = nil + 1 end"}
  - name: folded
    kind: process.lua
    source: >
      return function()
        error("folded")

      end
  - name: early
    kind: process.lua
    imports: {late: late}
    source: |
      require("late")
  - {name: late, kind: library.lua, source: "nothing.at = all"}
"#;

#[test]
fn places_in_libraries_and_index_files_are_found() {
    let folder = folder(&[
        ("app/_index.yaml", INDEX),
        ("app/lib/tool.lua", "local tool = {}\n\nfunction tool.cut(text)\n  return text:sub(1)\nend\n\nreturn tool\n"),
    ]);
    let mut all = String::new();
    for entry in ["shop:main", "shop:broken", "shop:folded", "shop:early"] {
        all.push_str(&run(&folder, &["run", "app", "-x", entry]));
    }
    expect![[r#"
        exit code: 1
        --- stderr
        error: shop:main {app:processes|0x00001} failed: attempt to index a nil value (local 'text') (Internal)
         --> app/lib/tool.lua:4:3
          |
        4 |   return text:sub(1)
          |   ^^^^^^^^^^^^^^^^^^
        stack traceback:
            app/lib/tool.lua:4: in field 'cut'
            app/_index.yaml:11: in function <app/_index.yaml:10>
        exit code: 1
        --- stderr
        error: shop:broken {app:processes|0x00001} failed: attempt to perform arithmetic on a nil value (Internal)
          --> app/_index.yaml:16:47
           |
        16 |   - {name: broken, kind: process.lua, source: "return function() local x = nil + 1 end"}
           |                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        stack traceback:
            app/_index.yaml:16: in function <app/_index.yaml:16>
        exit code: 1
        --- stderr
        error: shop:folded {app:processes|0x00001} failed: folded (Internal)
          --> app/_index.yaml:21:9
           |
        21 |         error("folded")
           |         ^^^^^^^^^^^^^^^
        stack traceback:
            app/_index.yaml:21: in function <app/_index.yaml:20>
        exit code: 1
        --- stderr
        error: shop:early {app:processes|0x00001} failed: attempt to index a nil value (global 'nothing') (Invalid)
          --> app/_index.yaml:29:45
           |
        29 |   - {name: late, kind: library.lua, source: "nothing.at = all"}
           |                                             ^^^^^^^^^^^^^^^^^^
        stack traceback:
            app/_index.yaml:29: in main chunk
            app/_index.yaml:28: in main chunk
    "#]]
    .assert_eq(&all);
}

#[test]
fn what_another_process_passed_on_points_into_its_file() {
    let index = "version: \"1.0\"\nnamespace: app\nentries:
  - {name: main, kind: process.lua, source: 'file://main.lua'}
  - {name: bad, kind: process.lua, source: 'file://bad.lua'}\n";
    let main = "return function(way)\n  if way == 'linked' then\n    process.spawn_linked('app:bad', 'app:processes')
    process.inbox():receive()\n  end\n  process.spawn_monitored('app:bad', 'app:processes')
  local exit = process.events():receive()\n  return false, errors.wrap(exit.error, 'the child')\nend\n";
    let bad = "return function()\n  local nothing\n  return nothing.there\nend\n";
    let folder = folder(&[("app/_index.yaml", index), ("app/main.lua", main), ("app/bad.lua", bad)]);
    let mut all = String::new();
    for way in ["linked", "monitored"] {
        all.push_str(&run(&folder, &["run", "app", way]));
    }
    expect![[r#"
        exit code: 1
        --- stderr
        error: app:main {app:processes|0x00001} failed: linked process failed: {app:processes|0x00002}: attempt to index a nil value (local 'nothing') (Internal)
         --> app/bad.lua:3:3
          |
        3 |   return nothing.there
          |   ^^^^^^^^^^^^^^^^^^^^
        exit code: 1
        --- stderr
        error: app:main {app:processes|0x00001} failed: the child: attempt to index a nil value (local 'nothing') (Internal)
         --> app/bad.lua:3:3
          |
        3 |   return nothing.there
          |   ^^^^^^^^^^^^^^^^^^^^
        stack traceback:
            app/bad.lua:3: in function <app/bad.lua:1>
    "#]].assert_eq(&all);
}

#[test]
fn long_file_names_are_found_although_lua_cuts_them() {
    let name = format!("{}/file.lua", "folder".repeat(12));
    let index = format!(
        "version: \"1.0\"\nnamespace: app\nentries:\n  - {{name: main, kind: process.lua, source: \"file://{name}\"}}\n"
    );
    let folder =
        folder(&[("app/_index.yaml", &index), (&format!("app/{name}"), "return function()\n  error('far')\nend\n")]);
    expect![[r#"
        exit code: 1
        --- stderr
        error: app:main {app:processes|0x00001} failed: far (Internal)
         --> app/folderfolderfolderfolderfolderfolderfolderfolderfolderfolderfolderfolder/file.lua:2:3
          |
        2 |   error('far')
          |   ^^^^^^^^^^^^
        stack traceback:
            app/folderfolderfolderfolderfolderfolderfolderfolderfolderfolderfolderfolder/file.lua:2: in function <app/folderfolderfolderfolderfolderfolderfolderfolderfolderfolderfolderfolder/file.lua:1>
    "#]].assert_eq(&run(&folder, &["run", "app"]));
}

#[test]
fn where_a_host_listens_is_no_option_of_its_clients() {
    let told = run(&folder(&[]), &["ps", "--admin", "unix:/tmp/socket"]);
    assert!(told.starts_with("exit code: 2\n"), "{told}");
    let hint = "that is where `lunarium serve` listens; `--node SOCKET|URL` says which host is asked";
    assert!(told.contains(hint), "{told}");
}
