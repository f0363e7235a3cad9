//! A disk that is full, and then isn't: deployments, stores and logs say so, lose nothing that was there, and go on.
//!
//! Owns a small disk: a file system in memory in a mount namespace of the host's own, which no right is needed for where the system lets
//! users have namespaces. Where it doesn't, that is told, and what a limit of files' sizes refuses is tried alone.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::hosted::{Admin, index, tar, wait_until, worker};
use crate::{Running, folder, limited, lunarium, transcript};

/// Options of `unshare` with which somebody here may mount.
pub fn namespace() -> Option<&'static str> {
    let may = |options: &str| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("unshare");
        command.args([options, "mount", "-t", "tmpfs", "tmpfs"]).arg(folder.path());
        command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    ["-rm", "-m"].into_iter().find(|options| may(options))
}

/// An application of this size that says its version.
fn version(number: u8, size: usize) -> Vec<u8> {
    let worker = worker(&format!("version = function() return {number} end"));
    tar(&[("_index.yaml", index("").as_bytes()), ("worker.lua", worker.as_bytes()), ("large", &vec![b'x'; size])])
}

/// Takes all that is left of a disk.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for size in [1 << 16, 1 << 12, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn a_full_disk_changes_nothing_and_a_later_try_does() {
    let Some(options) = namespace() else {
        println!("NOT TRIED: nobody here may mount a file system, so there is no full disk");
        return;
    };
    let store = "set = function(value) return require('kv').set('key', value) end, \
                 get = function() return require('kv').get('key') end, \
                 say = function(text) logger:warn(text) end";
    let keeps = |name: &str| format!("{{name: {name}, path: keeps, grants: {{kv: [{{prefix: '', write: true}}]}}}}");
    let node = |tenants: &str| format!("data: disk\ntenants: [{tenants}]\n");
    let folder = folder(&[
        ("node.yaml", &node(&keeps("keeps"))),
        ("keeps/_index.yaml", &index(", grants: {kv: [{prefix: '', write: true}]}")),
        ("keeps/worker.lua", &worker(store)),
        ("disk/mount", ""),
        ("v3/_index.yaml", &index("")),
        ("v3/worker.lua", &worker("version = function() return 3 end")),
    ]);
    // Its log lies on that disk, too.
    let script = "mount -t tmpfs -o size=12m,mode=700 tmpfs disk && exec \"$@\" >disk/log 2>&1";
    let mut command = Command::new("unshare");
    command.args([options, "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_lunarium")]);
    command.args(["serve", "--admin", "unix:admin.sock"]).current_dir(folder.path()).stdin(Stdio::null());
    let running = Running::of(command);
    let admin = Admin::of(folder.path());
    wait_until(|| admin.get("/readyz").is_some_and(|answer| answer.status == 200));
    // The disk as the host sees it.
    let inside = PathBuf::from(format!("/proc/{}/root", running.child.id()));
    let disk = inside.join(folder.path().strip_prefix("/").unwrap()).join("disk");
    assert_eq!(admin.deploy("shop", &version(1, 10)).status, 200);
    assert!(admin.call("keeps", "set", "[\"before\"]")[0].is_u64());

    // There is no room for all of it.
    let refused = admin.deploy("shop", &version(2, 13 << 20));
    assert_eq!(refused.status, 507, "{refused:?}");
    assert!(refused.error().contains("`large` can't be written: No space left on device"), "{refused:?}");
    assert_eq!(names(&disk.join("tenants/shop/deployments")), ["1"], "the half of it is gone");
    // There is none at all.
    fill(&disk.join("filler"));
    let refused = admin.deploy("shop", &version(2, 10));
    assert_eq!(refused.status, 507, "{refused:?}");
    assert_eq!(admin.deploy("new", &version(2, 10)).status, 507);
    assert_eq!((admin.runs("new"), disk.join("tenants/new").exists()), (None, false));
    let told =
        transcript(&lunarium(folder.path(), &["deploy", "shop", "v3", "--node", "admin.sock"]).output().unwrap());
    assert!(
        told.starts_with("exit code: 1\n--- stderr\nerror: ") && told.contains("No space left on device"),
        "{told}"
    );
    assert_eq!(admin.runs("shop"), Some((1, "running".to_owned())));
    assert_eq!(admin.call("shop", "version", "[]"), json!([1]));
    // Neither is there room for the store of a tenant that starts now.
    fs::write(folder.path().join("node.yaml"), node(&format!("{}, {}", keeps("keeps"), keeps("late")))).unwrap();
    running.signal("HUP");
    wait_until(|| admin.runs("late") == Some((0, "failed".to_owned())));
    let refused = admin.reload("late");
    let (said, help) = (refused.error(), &refused.json()["error"]["help"]);
    assert_eq!((refused.status, help), (507, &json!("make room on the disk, and try again")), "{refused:?}");
    assert!(said.contains("/late/kv.redb` can't be opened: the disk is full: make room on it"), "{said}");
    let large = "x".repeat(900_000);
    let refused = admin.call("keeps", "set", &format!("[\"{large}\"]"));
    assert!(refused[0].is_null() && refused.to_string().contains("the disk is full"), "{refused}");
    assert_eq!(admin.call("keeps", "get", "[]")[0], "before");
    for _ in 0..100 {
        admin.call("keeps", "say", &format!("[\"nobody will read this {}\"]", "x".repeat(4_000)));
    }
    let audit = admin.get("/v1/audit?limit=1000").unwrap().json();
    let undone = audit["records"].as_array().unwrap().iter().filter(|record| record["done"] == false).count();
    assert_eq!(undone, 5, "{audit}");

    fs::remove_file(disk.join("filler")).unwrap();
    let deployed = admin.deploy("shop", &version(2, 10));
    assert_eq!((deployed.status, admin.call("shop", "version", "[]")), (200, json!([2])), "{deployed:?}");
    assert!(admin.call("keeps", "set", "[\"after\"]")[0].is_u64());
    assert_eq!(admin.call("keeps", "get", "[]")[0], "after");
    assert_eq!(admin.reload("late").status, 200);
    assert!(admin.call("late", "set", "[\"mine\"]")[0].is_u64());
    admin.call("keeps", "say", "[\"somebody reads this\"]");
    let log = || String::from_utf8_lossy(&fs::read(disk.join("log")).unwrap()).into_owned();
    wait_until(|| log().contains("somebody reads this"));
    assert!(log().contains(" log lines are lost: there was no room on the disk\n"), "{}", log());
    running.stop();
}

#[test]
fn a_deployment_beyond_what_the_system_allows_is_refused_and_ends_nobody() {
    let folder = folder(&[("node.yaml", "tenants: []\n")]);
    // In blocks of 512 or 1,024 bytes: more than the image of an instance, which is a file in memory.
    let serve = ["serve", "--data", "data", "--admin", "unix:admin.sock"];
    let mut running = Running::of(limited(&folder, "-f 16384", &serve));
    running.wait_for_error("serving: ");
    let admin = Admin::of(folder.path());
    assert_eq!(admin.deploy("shop", &version(1, 10)).status, 200);
    let refused = admin.deploy("shop", &version(2, 20 << 20));
    assert_eq!(refused.status, 507, "{refused:?}");
    assert!(refused.error().contains("`large` can't be written: File too large"), "{refused:?}");
    assert_eq!(names(&folder.path().join("data/tenants/shop/deployments")), ["1"]);
    assert_eq!(admin.deploy("shop", &version(3, 10)).status, 200);
    assert_eq!(admin.call("shop", "version", "[]"), json!([3]));
    running.stop();
}

#[test]
fn a_log_that_cannot_be_written_ends_nothing() {
    let folder = folder(&[("node.yaml", "tenants: []\n")]);
    for both in [false, true] {
        let mut command = lunarium(folder.path(), &["serve", "--data", "data", "--admin", "unix:admin.sock"]);
        let full = || File::options().write(true).open("/dev/full").unwrap();
        command.stderr(full()).stdout(if both { full().into() } else { Stdio::null() });
        let mut child = command.spawn().unwrap();
        let admin = Admin::of(folder.path());
        wait_until(|| admin.get("/readyz").is_some_and(|answer| answer.status == 200));
        assert_eq!(admin.deploy("shop", &version(1, 10)).status, 200);
        assert_eq!(admin.call("shop", "version", "[]"), json!([1]));
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}
