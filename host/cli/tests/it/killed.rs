//! A host that is killed in the middle of a change: the next one has the old application or the new one, and nothing of a half.
//!
//! Owns the moments: each is something that can be seen from outside, so no test depends on how fast a machine is.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tempfile::TempDir;

use crate::hosted::{Admin, index, tar, wait_until, worker};
use crate::{Running, folder};

/// Files of a deployment beside its application's two.
const FILES: usize = 40;

/// An application that says its version, in many files.
fn version(number: u64) -> Vec<u8> {
    let (index, worker) = (index(""), worker(&format!("version = function() return {number} end")));
    let names: Vec<String> = (0..FILES).map(|file| format!("folder/{file}")).collect();
    let mut files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"something"[..])).collect();
    files.extend([("_index.yaml", index.as_bytes()), ("worker.lua", worker.as_bytes())]);
    tar(&files)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeSet::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}

fn start(folder: &TempDir) -> Running {
    let mut running = Running::start(folder, &["serve", "--data", "data", "--admin", "unix:admin.sock"]);
    running.wait_for_error("serving: ");
    running
}

/// As `kill -9` does.
fn kill(mut running: Running) {
    running.child.kill().unwrap();
    running.child.wait().unwrap();
}

/// Looks at the disk; the number is the one that the deployment would have.
type Moment = fn(&Path, u64) -> bool;

#[test]
fn whenever_a_deployment_is_killed_the_old_one_stands_or_the_new_one() {
    let folder = folder(&[("node.yaml", "tenants: []\n")]);
    let tenants = folder.path().join("data/tenants");
    let shop = tenants.join("shop");
    let part = |shop: &Path, number: u64| shop.join(format!("deployments/{number}.part"));
    let mut running = start(&folder);
    let admin = Admin::of(folder.path());
    assert_eq!(admin.deploy("shop", &version(0)).status, 200);
    // The version that runs, and its number.
    let (mut runs, mut number) = (0, 1);
    let moments: [(&str, Moment); 7] = [
        ("it is unpacked", |shop, number| shop.join(format!("deployments/{number}.part")).exists()),
        ("a file is there", |shop, number| !names(&shop.join(format!("deployments/{number}.part/folder"))).is_empty()),
        ("half is there", |shop, number| {
            names(&shop.join(format!("deployments/{number}.part/folder"))).len() > FILES / 2
        }),
        ("all is there", |shop, number| shop.join(format!("deployments/{number}.part/worker.lua")).exists()),
        ("it is whole", |shop, number| shop.join(format!("deployments/{number}")).exists()),
        ("it counts", |shop, number| {
            fs::read_to_string(shop.join("current")).is_ok_and(|text| text == format!("{number}\n"))
        }),
        ("it was answered", |_, _| false),
    ];
    for (version_number, (moment, seen)) in (1_u64..).zip(moments) {
        let sent = Admin::deployment("shop", &version(version_number));
        let is_over = Arc::<AtomicBool>::default();
        let asking = {
            let (admin, is_over) = (admin.clone(), Arc::clone(&is_over));
            thread::spawn(move || {
                let answer = admin.send(&sent);
                is_over.store(true, Ordering::Relaxed);
                answer
            })
        };
        wait_until(|| seen(&shop, number + 1) || is_over.load(Ordering::Relaxed));
        kill(running);
        let is_done = asking.join().unwrap().is_some_and(|answer| answer.status == 200);

        running = start(&folder);
        let version = admin.call("shop", "version", "[]")[0].as_u64().unwrap();
        let (now, state) = admin.runs("shop").unwrap();
        let is_new = version == version_number;
        assert!(is_new || (version == runs && !is_done), "{moment}: {version} runs after {runs}, done: {is_done}");
        assert_eq!((now, state.as_str()), (number + u64::from(is_new), "running"), "{moment}");
        (runs, number) = (version, now);
        // Each that is kept is whole, and nothing else is there.
        assert_eq!(names(&shop), ["current", "deployments"].map(str::to_owned).into(), "{moment}");
        assert!(!part(&shop, number + 1).exists(), "{moment}");
        let kept = names(&shop.join("deployments"));
        assert!(kept.len() <= 3 && kept.contains(&number.to_string()), "{moment}: {kept:?}");
        for kept in kept.iter().map(|kept| shop.join("deployments").join(kept)) {
            assert_eq!((names(&kept).len(), names(&kept.join("folder")).len()), (3, FILES), "{moment}");
        }
    }
    assert!(number >= 2, "what was answered counts");

    // While the first half of another one comes.
    let sent = Admin::deployment("shop", &version(100));
    let mut stream = UnixStream::connect(folder.path().join("admin.sock")).unwrap();
    stream.write_all(&sent[..sent.len() / 2]).unwrap();
    kill(running);
    running = start(&folder);
    assert_eq!(admin.runs("shop"), Some((number, "running".to_owned())));

    // While a tenant is made, and while one is taken away.
    let sent = Admin::deployment("fresh", &version(0));
    let asking = {
        let admin = admin.clone();
        thread::spawn(move || admin.send(&sent))
    };
    wait_until(|| tenants.join("fresh/deployments/1.part").exists() || asking.is_finished());
    kill(running);
    let is_done = asking.join().unwrap().is_some_and(|answer| answer.status == 200);
    running = start(&folder);
    let fresh = admin.runs("fresh");
    assert_eq!(fresh.is_some(), tenants.join("fresh").exists(), "nothing is left of one that isn't");
    assert!(fresh.is_some() || !is_done);
    let asking = {
        let admin = admin.clone();
        thread::spawn(move || admin.delete("/v1/tenants/shop"))
    };
    wait_until(|| !shop.exists() || asking.is_finished());
    kill(running);
    let _ = asking.join().unwrap();
    running = start(&folder);
    assert_eq!(admin.runs("shop"), None);
    assert!(!names(&tenants).iter().any(|name| name.starts_with("shop")), "{:?}", names(&tenants));
    running.stop();
}
