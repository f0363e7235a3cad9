//! What a host that runs is asked to read again or to start anew: by a client, who is told what became of it.

use std::fs;
use std::net::TcpListener;

use tempfile::TempDir;

use crate::changing::{APPLICATION, host, start};
use crate::hosted::{Admin, wait_until};
use crate::{folder, run};

#[test]
fn who_asks_for_a_reload_is_told_what_became_of_each_part() {
    let folder = host("admin: unix:admin.sock");
    let mut running = start(&folder, &[]);
    running.wait_for_error("serving: 1 tenant");
    let reload = |options: &[&str]| run(&folder, &[&["reload", "--node", "admin.sock"], options].concat());
    let write = |text: &str| fs::write(folder.path().join("node.yaml"), text).unwrap();
    assert_eq!(reload(&[]), "exit code: 0\n--- stdout\na runs deployment 2\n");
    write("admin: unix:admin.sock\nmemory: 2GiB\ntenants: [{name: a, path: a}, {name: b, path: a}]\n");
    assert_eq!(reload(&[]), "exit code: 0\n--- stdout\na runs deployment 3\nb is added\n");
    let budgets = Admin::of(folder.path()).get("/v1/host").unwrap().json()["budgets"].clone();
    let memory = budgets.as_array().unwrap().iter().find(|budget| budget["name"] == "engine.memory").unwrap();
    assert_eq!(memory["limit"].as_u64(), Some(2 << 30));
    // Nothing of a file with a mistake counts.
    write("admin: unix:admin.sock\nmemory: much\ntenants: []\n");
    let told = reload(&[]);
    assert!(told.starts_with("exit code: 1\n--- stderr\nerror: `memory`: `much` is not a size\n"), "{told}");
    assert!(told.contains("node.yaml:2:9"), "{told}");
    assert!(told.ends_with("error: what the host is made of has mistakes, and nothing was changed\n"), "{told}");
    // What the machine refuses stays, and all else changes.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap();
    write(&format!(
        "admin: unix:admin.sock\nhttp: {at}\ntenants: [{{name: a, path: a}}, {{name: b, path: nowhere}}]\n"
    ));
    let told = reload(&[]);
    let expected = format!(
        "exit code: 1\n--- stdout\na runs deployment 4\n--- stderr\n\
         error: `http` stays as it is: `http`: cannot listen on {at}: Address already in use (os error 98)\n"
    );
    assert!(told.starts_with(&expected), "{told}");
    assert!(told.contains("error: tenant `b`: there is no folder `./nowhere`"), "{told}");
    write("admin: unix:admin.sock\ntenants: [{name: b, path: a}]\n");
    assert_eq!(reload(&[]), "exit code: 0\n--- stdout\na is removed\nb runs deployment 2\n");
    let told = reload(&["--json"]);
    let answer: serde_json::Value =
        serde_json::from_str(told.strip_prefix("exit code: 0\n--- stdout\n").unwrap()).unwrap();
    assert_eq!((&answer["tenants"][0]["step"], &answer["kept"]), (&"changed".into(), &serde_json::json!([])));
    running.stop();
}

#[test]
fn one_tenant_is_read_again_with_its_entry_and_nothing_else_is() {
    let asks = APPLICATION
        .replace("- {name: count, kind: process.lua,", "- {name: count, kind: process.lua, grants: {env: [WORD]},")
        .replace("n = n + 1 return n end", "return env.get('WORD') end");
    let folder = folder(&[
        (
            "node.yaml",
            "admin: unix:admin.sock\ntenants: [{name: a, path: a, env: {WORD: {file: word}}}, {name: b, path: b}]\n",
        ),
        ("a/_index.yaml", &asks),
        ("word", "old"),
    ]);
    let mut running = start(&folder, &[]);
    running.wait_for_error("serving: 2 tenants, failed: b");
    let reload = |tenant: &str| run(&folder, &["reload", tenant, "--node", "admin.sock"]);
    let word = || Admin::of(folder.path()).call("a", "next", "[]")[0].as_str().unwrap().to_owned();
    assert_eq!(word(), "old");
    // A folder that came later.
    fs::create_dir(folder.path().join("b")).unwrap();
    fs::write(folder.path().join("b/_index.yaml"), APPLICATION).unwrap();
    assert_eq!(reload("b"), "exit code: 0\n--- stdout\nb runs deployment 1\n  app:service starts\n");
    // What its variable holds now; and what the entry says.
    fs::write(folder.path().join("word"), "new").unwrap();
    assert_eq!(reload("a"), "exit code: 0\n--- stdout\na runs deployment 2\n  app:service restarts\n");
    wait_until(|| word() == "new");
    let write = |text: &str| fs::write(folder.path().join("node.yaml"), text).unwrap();
    // Where the host mayn't read: it is said what to do.
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("_index.yaml"), APPLICATION).unwrap();
    let shown = outside.path().display();
    write(&format!(
        "admin: unix:admin.sock\ntenants: [{{name: a, path: a, env: {{WORD: {{file: word}}}}}}, {{name: b, path: {shown}}}]\n"
    ));
    let told = reload("b");
    assert!(told.contains("can't be opened: Permission denied"), "{told}");
    assert!(told.contains("help: a host reads only the folders that were named at its start"), "{told}");
    write(
        "admin: unix:other.sock\nmemory: 3GiB\ntenants: [{name: a, path: a, env: {WORD: {file: word}}, memory: 99MiB}]\n",
    );
    assert_eq!(reload("a"), "exit code: 0\n--- stdout\na runs deployment 3\n");
    let limit = |path: &str, name: &str| {
        let budgets = Admin::of(folder.path()).get(path).unwrap().json()["budgets"].clone();
        budgets.as_array().unwrap().iter().find(|budget| budget["name"] == name).unwrap()["limit"].as_u64()
    };
    assert_eq!(limit("/v1/tenants/a", "node.memory"), Some(99 << 20));
    assert_ne!(limit("/v1/host", "engine.memory"), Some(3 << 30));
    assert!(reload("b").contains("error: the node's file doesn't name it any more: a reload of all ends it"));
    write("admin: unix:admin.sock\ntenants: [{name: a, path: a, memory: much}]\n");
    let told = reload("a");
    assert!(told.starts_with("exit code: 1\n--- stderr\nerror: `memory`: `much` is not a size\n"), "{told}");
    assert!(told.ends_with("error: what the host is made of has mistakes, and nothing was changed\n"), "{told}");
    running.stop();
}

/// How many processes the tenant has.
fn processes(folder: &TempDir) -> u64 {
    let tenant = Admin::of(folder.path()).get("/v1/tenants/a").unwrap().json();
    let held = tenant["budgets"].as_array().unwrap().iter().find(|budget| budget["name"] == "node.processes");
    held.unwrap()["used"].as_u64().unwrap()
}

#[test]
fn a_tenant_is_restarted_whatever_it_has_started() {
    let bomb = "version: \"1.0\"\nnamespace: app\nentries:\n  \
        - {name: idle, kind: process.lua, source: \"return function() process.events():receive() end\"}\n  \
        - {name: main, kind: process.lua, source: \"return function() local n = 0 \
        while process.spawn('app:idle', 'app:processes') do n = n + 1 end print('spawned', n) process.events():receive() end\"}\n  \
        - {name: service, kind: process.service, process: main, host: 'app:processes'}\n";
    let folder = folder(&[
        ("node.yaml", "admin: unix:admin.sock\ntenants: [{name: a, path: a, processes: 50}]\n"),
        ("a/_index.yaml", bomb),
    ]);
    let mut running = start(&folder, &[]);
    running.wait_for_all(&["serving: 1 tenant", "spawned\\t49"]);
    // One that is wrong ends nothing.
    fs::write(folder.path().join("a/_index.yaml"), "wrong").unwrap();
    let told = run(&folder, &["restart", "a", "--node", "admin.sock"]);
    assert!(told.ends_with("error: the application has a mistake, and nothing was changed\n"), "{told}");
    assert_eq!(processes(&folder), 50);
    fs::write(folder.path().join("a/_index.yaml"), APPLICATION).unwrap();
    let told = run(&folder, &["restart", "a", "--node", "admin.sock"]);
    assert_eq!(told, "exit code: 0\n--- stdout\na runs deployment 2\n  app:service starts\n");
    assert_eq!(Admin::of(folder.path()).call("a", "next", "[]"), serde_json::json!([1]));
    assert_eq!(processes(&folder), 1);
    running.stop();
}

/// A tenant whose service doesn't listen when it is to end.
const STUBBORN: &str = "version: \"1.0\"\nnamespace: app\nentries:\n  \
    - {name: main, kind: process.lua, source: \"return function() while true do time.sleep('1h') end end\"}\n  \
    - {name: service, kind: process.service, process: main, host: 'app:processes', lifecycle: {stop_timeout: 4s}}\n";

#[test]
fn who_asks_at_a_socket_that_is_closed_by_that_is_answered() {
    let folder = host("admin: unix:admin.sock");
    fs::create_dir(folder.path().join("b")).unwrap();
    fs::write(folder.path().join("b/_index.yaml"), STUBBORN).unwrap();
    let write = |text: &str| fs::write(folder.path().join("node.yaml"), text).unwrap();
    write("admin: unix:admin.sock\ntenants: [{name: a, path: a}, {name: b, path: b}]\n");
    let mut running = start(&folder, &[]);
    running.wait_for_error("serving: 2 tenants");
    // Longer than who is connected has.
    write("admin: unix:other.sock\ntenants: [{name: a, path: a}]\n");
    let told = run(&folder, &["reload", "--node", "admin.sock"]);
    assert_eq!(told, "exit code: 0\n--- stdout\nb is removed\na runs deployment 2\n");
    assert_eq!(Admin(folder.path().join("other.sock")).get("/v1/tenants").unwrap().status, 200);
    wait_until(|| std::os::unix::net::UnixStream::connect(folder.path().join("admin.sock")).is_err());
    running.stop();
}

#[test]
fn a_host_that_stops_is_not_reloaded() {
    let folder = host("admin: unix:admin.sock");
    fs::write(folder.path().join("a/_index.yaml"), STUBBORN.replace("4s", "1h")).unwrap();
    let mut running = start(&folder, &[]);
    running.wait_for_error("serving: 1 tenant");
    running.signal("TERM");
    running.wait_for_error("stopping; a second interrupt stops at once");
    // It goes on until its service is ended by force.
    for act in ["reload", "restart"] {
        let tenant = if act == "restart" { Some("a") } else { None };
        let arguments: Vec<&str> = [act].into_iter().chain(tenant).chain(["--node", "admin.sock"]).collect();
        assert_eq!(run(&folder, &arguments), "exit code: 1\n--- stderr\nerror: the host is stopping\n");
    }
    running.signal("TERM");
    running.finish();
}
