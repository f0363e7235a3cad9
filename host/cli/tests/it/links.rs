//! Links in the data directory and in a tenant's folder: nothing is followed out of them, and it is told where one lies.

use std::fs;
use std::os::unix::fs::symlink;

use crate::hosted::{Admin, index, tar, worker};
use crate::{Running, folder, run};

fn archive() -> Vec<u8> {
    tar(&[("_index.yaml", index("").as_bytes()), ("worker.lua", worker("a = 1").as_bytes())])
}

#[test]
fn a_store_behind_a_link_is_none() {
    let entries = index(", grants: {kv: [{prefix: '', write: true}]}");
    let node = "data: data\ntenants:\n  - {name: a, path: app, grants: {kv: [{prefix: '', write: true}]}}\n  \
                - {name: b, path: app, grants: {kv: [{prefix: '', write: true}]}}\n  \
                - {name: c, path: app, grants: {kv: [{prefix: '', write: true}]}}\n";
    let folder = folder(&[
        ("node.yaml", node),
        ("app/_index.yaml", &entries),
        ("app/worker.lua", &worker("a = 1")),
        ("data/tenants/a/kept", ""),
        ("data/tenants/b/kept", ""),
        ("outside/file", "precious"),
    ]);
    let path = folder.path();
    // The files of stores, one to nowhere yet, and the folder of one.
    symlink(path.join("outside/file"), path.join("data/tenants/a/kv.redb")).unwrap();
    symlink(path.join("outside/new"), path.join("data/tenants/b/kv.redb.new")).unwrap();
    symlink(path.join("outside"), path.join("data/tenants/c")).unwrap();
    // Without the wall, which refuses what lies outside by itself.
    let mut running = Running::start(&folder, &["serve", "--no-confine"]);
    running.wait_for_error("serving: 3 tenants, failed: a, b, c");
    running.stop();
    assert_eq!(fs::read_to_string(path.join("outside/file")).unwrap(), "precious");
    assert_eq!(fs::read_dir(path.join("outside")).unwrap().count(), 1);
}

#[test]
fn the_lock_of_a_data_directory_is_no_link() {
    let folder = folder(&[("node.yaml", "tenants: []\n"), ("data/file", "")]);
    symlink(folder.path().join("elsewhere"), folder.path().join("data/lock")).unwrap();
    let told = run(&folder, &["serve", "--data", "data"]);
    let path = folder.path().canonicalize().unwrap().join("data/lock");
    let expected = format!(
        "exit code: 1\n--- stderr\nerror: `--data`: `{}`: it is a symbolic link, and none is followed here\n",
        path.display()
    );
    assert_eq!(told, expected);
    assert!(!folder.path().join("elsewhere").exists());
}

#[test]
fn a_deployment_to_a_link_is_refused_and_says_where_it_lies() {
    let folder = folder(&[("node.yaml", "tenants: []\n"), ("data/tenants/kept.txt", ""), ("outside/file", "precious")]);
    let path = folder.path();
    for (tenant, link) in [("one", "one"), ("two", "two/deployments")] {
        let link = path.join("data/tenants").join(link);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(path.join("outside"), link).unwrap();
        fs::write(path.join("data/tenants").join(tenant).join("kept"), "").unwrap();
    }
    let mut running =
        Running::start(&folder, &["serve", "--data", "data", "--no-confine", "--admin", "unix:admin.sock"]);
    // What was there at the start shows.
    running.wait_for_error("serving: 2 tenants, failed: one, two");
    let admin = Admin::of(path);
    for (tenant, name) in [("one", "one"), ("two", "deployments")] {
        let refused = admin.deploy(tenant, &archive());
        assert_eq!(refused.status, 500, "{refused:?}");
        let told = format!(
            "the tenant's directory in `data` can't be had: `{name}` is to be a folder, and is a symbolic link, and none is followed here"
        );
        assert_eq!(refused.error(), told);
    }
    // A deployment that another one has replaced, and what is written next.
    assert_eq!(admin.deploy("three", &archive()).status, 200);
    let three = path.join("data/tenants/three");
    symlink(path.join("outside"), three.join("deployments/2")).unwrap();
    symlink(path.join("outside"), three.join("deployments/2.part")).unwrap();
    symlink(path.join("outside/file"), three.join("current.new")).unwrap();
    assert_eq!(admin.deploy("three", &archive()).status, 200);
    assert!(!three.join("current").is_symlink() && !three.join("deployments/2").is_symlink());
    running.stop();
    // What counts lies elsewhere.
    fs::remove_file(three.join("current")).unwrap();
    symlink(path.join("outside/file"), three.join("current")).unwrap();
    let mut running = Running::start(&folder, &["serve", "--data", "data", "--admin", "unix:admin.sock"]);
    running.wait_for_error("`current` is to be a file, and is a symbolic link, and none is followed here");
    running.wait_for_error("serving: 3 tenants, failed: one, three, two");
    let refused = admin.deploy("three", &archive());
    assert_eq!(refused.status, 500, "{refused:?}");
    running.stop();
    assert_eq!(fs::read_to_string(path.join("outside/file")).unwrap(), "precious");
    // Of `one` and `two`, which the test has written through the links.
    assert_eq!(fs::read_dir(path.join("outside")).unwrap().count(), 2);
}

#[test]
fn a_tenant_s_folder_leads_nowhere() {
    let entries = index("");
    let folder = folder(&[
        ("node.yaml", "tenants: [{name: a, path: a}, {name: b, path: b}, {name: c, path: c}]\n"),
        ("a/file", ""),
        ("b/_index.yaml", &entries),
        ("c/_index.yaml", &entries),
        ("c/worker.lua", &worker("a = 1")),
    ]);
    let path = folder.path();
    symlink("../c/_index.yaml", path.join("a/_index.yaml")).unwrap();
    symlink(path.join("c/worker.lua"), path.join("b/worker.lua")).unwrap();
    for confined in [&["serve"][..], &["serve", "--no-confine"]] {
        let mut running = Running::start(&folder, confined);
        running.wait_for_error("serving: 3 tenants, failed: a, b");
        running.stop();
    }
}
