//! `lunarium new`: what it makes runs, and what is there stays.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use expect_test::expect;
use tempfile::TempDir;

use crate::{folder, run};

/// Every path below a folder, sorted.
fn paths(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path.clone());
            }
            found.push(path.strip_prefix(folder).unwrap().display().to_string());
        }
    }
    found.sort();
    found
}

fn refused(folder: &TempDir, path: &str) -> String {
    let before = paths(folder.path());
    let told = run(folder, &["new", path]);
    assert_eq!(paths(folder.path()), before, "something was left behind");
    told
}

#[test]
fn what_it_makes_is_sound_and_runs() {
    let folder = folder(&[]);
    expect![[r#"
        exit code: 0
        --- stdout
        made shop: main.lua starts worker.lua and talks to it, worker_test.lua tests it

          lunarium run shop
          lunarium check shop
          lunarium test shop

        Editors with the Lua language server find the modules through shop/.luarc.json.
    "#]]
    .assert_eq(&run(&folder, &["new", "shop"]));
    assert_eq!(run(&folder, &["check", "--deny-warnings", "shop"]), "exit code: 0\n");
    assert_eq!(run(&folder, &["run", "shop"]), "exit code: 0\n--- stdout\nhello, world\n");
    assert_eq!(run(&folder, &["run", "shop", "Ada"]), "exit code: 0\n--- stdout\nhello, Ada\n");
    let tested = run(&folder, &["test", "shop", "--seed", "1"]);
    assert!(tested.starts_with("exit code: 0\n") && tested.contains("1 passed, 0 failed"), "{tested}");
    assert!(!tested.contains("note: left"), "{tested}");
    // Its main survives whatever becomes of the worker.
    let worker = folder.path().join("shop/worker.lua");
    let text = fs::read_to_string(&worker).unwrap();
    fs::write(&worker, "return { main = function() end }").unwrap();
    let told = run(&folder, &["run", "shop"]);
    assert!(told.starts_with("exit code: 1\n") && told.contains(" failed: the worker has ended: nil"), "{told}");
    fs::write(&worker, text).unwrap();
    let made = paths(folder.path());
    let (library, made): (Vec<_>, Vec<_>) = made.iter().partition(|path| path.starts_with("shop/.lunarium/library/"));
    expect![[r#"
        [
            "shop",
            "shop/.luarc.json",
            "shop/.lunarium",
            "shop/.lunarium/library",
            "shop/README.md",
            "shop/_index.yaml",
            "shop/main.lua",
            "shop/worker.lua",
            "shop/worker_test.lua",
        ]
    "#]]
    .assert_debug_eq(&made);
    // Each description of a module is as it stands in the repository.
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/library");
    let count = fs::read_dir(&sources).map_or(0, |entries| {
        entries.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|kind| kind == "lua")).count()
    });
    assert_eq!(library.len(), count);
    for path in library {
        let name = Path::new(path).file_name().unwrap();
        assert_eq!(fs::read(folder.path().join(path)).unwrap(), fs::read(sources.join(name)).unwrap());
    }
    let settings = fs::read_to_string(folder.path().join("shop/.luarc.json")).unwrap();
    let settings: serde_json::Value = serde_json::from_str(&settings).unwrap();
    assert_eq!(settings["workspace.library"][0], ".lunarium/library");
    assert_eq!(settings["runtime.version"], "Lua 5.4");
    assert_eq!(settings["runtime.builtin"]["io"], "disable");
}

#[test]
fn every_file_carries_the_namespace() {
    let folder = folder(&[("sub/x", ""), ("app.my-shop_2/.keep", "")]);
    fs::remove_file(folder.path().join("app.my-shop_2/.keep")).unwrap();
    // An empty folder, and one that isn't there, in another folder.
    for path in ["app.my-shop_2", "sub/lamps/"] {
        assert!(run(&folder, &["new", path]).starts_with("exit code: 0\n"), "{path}");
        assert_eq!(run(&folder, &["check", "--deny-warnings", path]), "exit code: 0\n", "{path}");
        assert_eq!(run(&folder, &["run", path]), "exit code: 0\n--- stdout\nhello, world\n", "{path}");
        assert!(run(&folder, &["test", path]).contains("1 passed, 0 failed"), "{path}");
        let name = Path::new(path).file_name().unwrap().to_str().unwrap();
        for file in ["_index.yaml", "main.lua", "README.md"] {
            let text = fs::read_to_string(folder.path().join(path).join(file)).unwrap();
            assert!(text.contains(name) && !text.contains("NAMESPACE"), "{file}");
        }
    }
}

#[test]
fn what_is_there_is_left_alone() {
    let folder = folder(&[("full/keep.txt", "mine"), ("file", "mine")]);
    symlink("nowhere", folder.path().join("dangling")).unwrap();
    let mut all = String::new();
    for path in ["full", "file", "dangling", "file/below", "absent/below"] {
        all.push_str(&refused(&folder, path));
    }
    expect![[r#"
        exit code: 2
        --- stderr
        error: folder `full` is not empty
        help: choose another name
        exit code: 2
        --- stderr
        error: `file` is there and is no folder
        help: choose another name
        exit code: 2
        --- stderr
        error: `dangling` is there and is no folder
        help: choose another name
        exit code: 2
        --- stderr
        error: there is no folder `file` to make it in
        exit code: 2
        --- stderr
        error: there is no folder `absent` to make it in
    "#]]
    .assert_eq(&all);
    assert_eq!(fs::read_to_string(folder.path().join("full/keep.txt")).unwrap(), "mine");
    assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "mine");
}

#[test]
fn a_name_that_is_no_namespace_is_refused() {
    let folder = folder(&[]);
    for name in ["1st", "a b", ".", "..", "a..b", "é", "-", "a:b", "/"] {
        let told = run(&folder, &["new", "--", name]);
        let expected = format!("exit code: 2\n--- stderr\nerror: `{name}` can't be the name of an application\nhelp: ");
        assert!(told.starts_with(&expected), "{name}: {told}");
        assert_eq!(paths(folder.path()), Vec::<String>::new());
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let folder = folder(&[("locked/x", "")]);
    let locked = folder.path().join("locked");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
    // Root may write anywhere, and then there is nothing to see.
    if fs::write(locked.join("probe"), "").is_err() {
        assert!(refused(&folder, "locked/shop").contains("error: `locked/shop` can't be made: "));
    }
}
