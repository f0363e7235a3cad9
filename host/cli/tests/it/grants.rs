//! `--grant-env` and `--grant-fs`: what a single file or the entry of `-x` may reach.

use expect_test::expect;

use crate::{folder, lunarium, transcript};

const SCRIPT: &str = r#"
local function tell(value, err) print(value, err) end
return function()
  if env then
    tell(env.get("GREETING"))
    tell(env.get("UNSET"))
  end
  if fs then
    tell(fs.read("data/a"))
    tell(fs.write("data/b", "x"))
    tell(fs.read("file.lua"))
  end
  return 0
end"#;

#[test]
fn a_single_file_reaches_what_the_command_line_grants() {
    let folder = folder(&[("file.lua", SCRIPT), ("data/a", "text"), ("data/b", "")]);
    let run = |arguments: &[&str]| {
        let mut command = lunarium(folder.path(), &[&["run"], arguments].concat());
        transcript(&command.env("GREETING", "hello").env_remove("UNSET").output().unwrap())
    };
    expect![[r#"
        exit code: 0
    "#]]
    .assert_eq(&run(&["file.lua"]));
    expect![[r#"
        exit code: 0
        --- stdout
        hello	nil
        nil	variable `UNSET` not found
    "#]]
    .assert_eq(&run(&["file.lua", "--grant-env", "GREETING", "--grant-env", "UNSET"]));
    expect![[r#"
        exit code: 0
        --- stdout
        text	nil
        nil	fs.write on `data/b` is not granted: `data` is granted for reading only
        nil	fs.read on `file.lua` is not granted
    "#]]
    .assert_eq(&run(&["file.lua", "--grant-fs", "data"]));
    expect![[r#"
        exit code: 0
        --- stdout
        text	nil
        true	nil

        local function tell(value, err) print(value, err) end
        return function()
          if env then
            tell(env.get("GREETING"))
            tell(env.get("UNSET"))
          end
          if fs then
            tell(fs.read("data/a"))
            tell(fs.write("data/b", "x"))
            tell(fs.read("file.lua"))
          end
          return 0
        end	nil
    "#]]
    .assert_eq(&run(&["file.lua", "--grant-fs", ".", "--grant-fs", "./data:rw"]));
    expect![[r#"
        exit code: 2
        --- stderr
        error: `--grant-env GREETING=hi`: only a name is given; the value is the environment's
    "#]]
    .assert_eq(&run(&["file.lua", "--grant-env", "GREETING=hi"]));
    expect![[r#"
        exit code: 2
        --- stderr
        error: `--grant-fs nowhere`: No such file or directory (os error 2)
    "#]]
    .assert_eq(&run(&["file.lua", "--grant-fs", "nowhere:rw"]));
    expect![[r#"
        exit code: 2
        --- stderr
        error: `--grant-fs ../x`: path `../x` leads out of where it begins
    "#]]
    .assert_eq(&run(&["file.lua", "--grant-fs", "../x"]));
}

#[test]
fn a_directory_of_the_command_line_can_be_filled_with_so_much() {
    let script = r#"return function()
  for i = 1, 9 do
    local ok, err = fs.write("data/" .. i, "x")
    if err then print(i, err, err:details().limit) return 0 end
  end
end"#;
    let folder = folder(&[("file.lua", script), ("data/a", "text")]);
    let run =
        |grant: &str| transcript(&lunarium(folder.path(), &["run", "file.lua", "--grant-fs", grant]).output().unwrap());
    expect![[r#"
        exit code: 0
        --- stdout
        4	fs.write on `data/4` failed: the granted directory `data` may be filled with 16384 bytes	grant.bytes
    "#]]
    .assert_eq(&run("data:rw=16KiB"));
    expect![[r#"
        exit code: 2
        --- stderr
        error: `--grant-fs`: `lots` is not a size
    "#]]
    .assert_eq(&run("data:rw=lots"));
    expect![[r#"
        exit code: 2
        --- stderr
        error: `--grant-fs` must be more than 0
    "#]]
    .assert_eq(&run("data:rw=0"));
}
