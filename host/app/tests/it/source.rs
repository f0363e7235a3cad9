//! Which files an application can reach, and what is said about the others.

use std::fs::File;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use expect_test::expect;
use lunarium_app::Draft;

use crate::{HELLO, folder, process, read};

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
    "#]]
    .assert_eq(&read(&dir).unwrap_err().to_string());
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
    "#]]
    .assert_eq(&read(&dir).unwrap_err().to_string());
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
    "#]]
    .assert_eq(&read(&dir).unwrap_err().to_string());
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
    "#]]
    .assert_eq(&report.to_string());
}
