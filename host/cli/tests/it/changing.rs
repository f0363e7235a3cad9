//! What is the whole host's, changed while it runs: a SIGHUP reads it from the node's file, behind the wall as before it.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::endpoints::{address, ask, get};
use crate::hosted::{Admin, index, wait_until, worker};
use crate::{Running, Stopped, folder, lunarium, run};

/// Who asks is told; and a service that shows whether it was touched.
pub(crate) const APPLICATION: &str = "version: \"1.0\"\nnamespace: app\nentries:\n  \
    - {name: hello, kind: process.lua, source: \"return function(r) return { body = r.remote } end\"}\n  \
    - {name: endpoint, kind: http.endpoint, path: '/', process: hello}\n  \
    - {name: count, kind: process.lua, source: \"local n = 0 return { main = function() process.registry.register('service') \
    process.events():receive() end, next = function() n = n + 1 return n end }\"}\n  \
    - {name: service, kind: process.service, process: count, host: 'app:processes'}\n";

const TENANTS: &str = "tenants: [{name: a, path: a}]\n";

/// A host with one tenant, and these lines of the node's file before it.
pub(crate) fn host(lines: &str) -> TempDir {
    folder(&[("node.yaml", &format!("{lines}\n{TENANTS}")), ("a/_index.yaml", APPLICATION)])
}

pub(crate) fn start(folder: &TempDir, options: &[&str]) -> Running {
    let mut command = lunarium(folder.path(), &[&["serve"], options].concat());
    command.env_remove("LUNARIUM_ADMIN");
    Running::of(command)
}

/// Writes the file anew, and has the host read it.
fn change(running: &Running, folder: &TempDir, lines: &str) {
    fs::write(folder.path().join("node.yaml"), format!("{lines}\n{TENANTS}")).unwrap();
    running.signal("HUP");
}

/// Behind the wall, and without one.
pub(crate) const WALLS: [&[&str]; 2] = [&[], &["--no-confine"]];

#[test]
fn requests_are_taken_elsewhere() {
    for wall in WALLS {
        let folder = host("admin: unix:admin.sock\nhttp: {address: '127.0.0.1:0', proxies: [127.0.0.0/8]}");
        let mut running = start(&folder, wall);
        let first = address(&mut running);
        running.wait_for_error("serving: 1 tenant");
        let of_bob = "GET /a HTTP/1.1\nHost: x\nX-Forwarded-For: 203.0.113.9\nConnection: close\n\n";
        assert_eq!(ask(&first, of_bob), "200 203.0.113.9");
        let admin = Admin::of(folder.path());
        assert_eq!(admin.call("a", "next", "[]"), serde_json::json!([1]));
        // Nobody is believed any more, at the same socket.
        change(&running, &folder, "admin: unix:admin.sock\nhttp: 0");
        running.wait_for_error("tenant a reloaded: no service has changed");
        assert_eq!(ask(&first, of_bob), "200 127.0.0.1");
        // A port that another program has: the old one stays, and all else changes.
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = taken.local_addr().unwrap();
        change(&running, &folder, &format!("admin: unix:admin.sock\nhttp: {taken}"));
        running.wait_for_error("ERROR `http` stays as it is");
        running.wait_for_error(&format!("error: `http`: cannot listen on {taken}: Address already in use"));
        running.wait_for_error("tenant a reloaded: no service has changed");
        assert_eq!(get(&first, "/a"), "200 127.0.0.1");
        change(&running, &folder, "admin: unix:admin.sock\nhttp: 127.0.0.2:0");
        let second = address(&mut running);
        assert!(second.starts_with("127.0.0.2:"), "{second}");
        running.wait_for_error("tenant a reloaded: no service has changed");
        assert_eq!(get(&second, "/a"), "200 127.0.0.1");
        wait_until(|| std::net::TcpStream::connect(&first).is_err());
        // And nowhere.
        change(&running, &folder, "admin: unix:admin.sock");
        running.wait_for_error(&format!("serving http://{second} no more"));
        wait_until(|| std::net::TcpStream::connect(&second).is_err());
        // Nothing of it has touched the tenant.
        assert_eq!(admin.call("a", "next", "[]"), serde_json::json!([2]));
        running.stop();
    }
}

fn write_token(folder: &Path, token: &str) {
    let path = folder.join("token");
    fs::write(&path, token).unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

/// What the admin interface says to who has this token.
fn with_token(address: &str, token: &str) -> String {
    let request =
        format!("GET /v1/tenants HTTP/1.1\nHost: localhost\nAuthorization: Bearer {token}\nConnection: close\n\n");
    ask(address, &request).get(..3).unwrap().to_owned()
}

#[test]
fn the_admin_interface_moves_and_its_token_is_changed() {
    let (old, new) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
    for wall in WALLS {
        let folder = host("admin: none");
        write_token(folder.path(), old);
        let mut running = start(&folder, wall);
        running.wait_for_error("serving: 1 tenant");
        // Where there was none.
        let tcp = "admin: {address: 'tcp:127.0.0.1:0', token_file: token}";
        change(&running, &folder, tcp);
        let at = running.wait_for_error("admin interface at=tcp:");
        let at = at.split_once("at=tcp:").unwrap().1;
        running.wait_for_error("tenant a reloaded");
        assert_eq!((with_token(at, old).as_str(), with_token(at, new).as_str()), ("200", "401"));
        write_token(folder.path(), new);
        running.signal("HUP");
        running.wait_for_error("tenant a reloaded");
        assert_eq!((with_token(at, old).as_str(), with_token(at, new).as_str()), ("401", "200"));
        // A token that others can read is none: what there is stays.
        fs::set_permissions(folder.path().join("token"), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        running.signal("HUP");
        running.wait_for_error("ERROR `token_file` stays as it is");
        running.wait_for_error("can be read by others: its mode is 0644");
        assert_eq!(with_token(at, new), "200");
        // Nor is it left for another place.
        change(&running, &folder, "admin: {address: 'tcp:127.0.0.2:0', token_file: token}");
        running.wait_for_error("ERROR `token_file` stays as it is");
        running.wait_for_error("tenant a reloaded");
        assert_eq!(with_token(at, new), "200");
        // What is refused keeps nothing else from changing.
        write_token(folder.path(), old);
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        change(&running, &folder, &format!("{tcp}\nhttp: {}", taken.local_addr().unwrap()));
        running.wait_for_error("ERROR `http` stays as it is");
        running.wait_for_error("tenant a reloaded");
        assert_eq!((with_token(at, old).as_str(), with_token(at, new).as_str()), ("200", "401"));
        change(&running, &folder, "admin: unix:admin.sock");
        running.wait_for_error("admin interface closed at=tcp:127.0.0.1:0");
        running.wait_for_error("tenant a reloaded");
        assert_eq!(Admin::of(folder.path()).get("/v1/tenants").unwrap().status, 200);
        wait_until(|| std::net::TcpStream::connect(at).is_err());
        running.stop();
    }
}

#[test]
fn where_nothing_is_said_of_it_the_interface_has_its_default_place() {
    for wall in WALLS {
        let folder = host("admin: unix:admin.sock");
        let mut command = lunarium(folder.path(), &[&["serve"], wall].concat());
        command.env_remove("LUNARIUM_ADMIN").env("RUNTIME_DIRECTORY", folder.path().join("run"));
        fs::create_dir(folder.path().join("run")).unwrap();
        let mut running = Running::of(command);
        running.wait_for_error("serving: 1 tenant");
        for _ in 0..2 {
            change(&running, &folder, "");
            running.wait_for_error("tenant a reloaded");
            assert_eq!(Admin::of(&folder.path().join("run")).get("/v1/tenants").unwrap().status, 200);
        }
        running.stop();
    }
}

#[test]
fn who_follows_at_a_socket_that_goes_is_cut_off_and_nobody_else() {
    let folder = host("admin: unix:admin.sock");
    let mut running = start(&folder, &[]);
    running.wait_for_error("serving: 1 tenant");
    let logs = |folder: &TempDir| {
        let mut command = lunarium(folder.path(), &["logs", "a", "-f", "--node", "admin.sock"]);
        command.env_remove("LUNARIUM_ADMIN");
        Running::of(command)
    };
    let follows = |follower: &mut Running, text: &str| loop {
        let line = follower.line();
        assert!(!line.is_empty(), "it has ended");
        if line.contains(text) {
            break;
        }
    };
    let mut follower = logs(&folder);
    follows(&mut follower, "tenant runs deployment 1");
    change(&running, &folder, "admin: unix:admin.sock\nmemory: 1GiB");
    // Whoever stays where he is misses nothing.
    follows(&mut follower, "tenant runs deployment 2");
    change(&running, &folder, "admin: unix:other.sock");
    running.wait_for_error("admin interface closed at=unix:");
    while !follower.line().is_empty() {}
    follower.child.wait().unwrap();
    assert_eq!(Admin(folder.path().join("other.sock")).get("/v1/tenants").unwrap().status, 200);
    running.stop();
}

#[test]
fn budgets_of_all_and_the_log_change() {
    let folder = host("admin: unix:admin.sock\nmemory: 1GiB\nprocesses: 500");
    let mut running = start(&folder, &[]);
    running.wait_for_error("serving: 1 tenant");
    let admin = Admin::of(folder.path());
    let limits = || {
        let host = admin.get("/v1/host").unwrap().json();
        let budgets = host["budgets"].as_array().unwrap().clone();
        let memory = budgets.iter().find(|budget| budget["name"] == "engine.memory").unwrap()["limit"].as_u64();
        let metrics = admin.get("/metrics").unwrap().body;
        let most =
            metrics.lines().find_map(|line| line.strip_prefix("lunarium_engine_slots_limit ")).unwrap().to_owned();
        (memory.unwrap() >> 20, most)
    };
    assert_eq!(limits(), (1024, "500.0".to_owned()));
    change(
        &running,
        &folder,
        "admin: unix:admin.sock\nmemory: 2GiB\nprocesses: 700\nlog_level: debug\nlog_format: json",
    );
    running.wait_for_error(r#""message":"tenant a reloaded: no service has changed"#);
    // The page of metrics may be a second old.
    wait_until(|| limits() == (2048, "700.0".to_owned()));
    // What is to be seen at this level alone, of a node that was there before.
    fs::write(folder.path().join("a/_index.yaml"), APPLICATION.replace("n + 1", "n + 2")).unwrap();
    running.signal("HUP");
    running.wait_for_error(r#""message":"started""#);
    assert_eq!(admin.call("a", "next", "[]"), serde_json::json!([2]));
    // More than the machine can have: these stay, and all else changes.
    change(&running, &folder, "admin: unix:admin.sock\nmemory: 3GiB\nprocesses: 20000\nlog_level: warn");
    running.wait_for_error("ERROR `memory` and `processes` stay as they are: 20000 processes ");
    assert_eq!(limits(), (2048, "700.0".to_owned()));
    running.stop();
}

#[test]
fn what_a_store_may_hold_changes_and_a_tenant_gets_one_while_it_runs() {
    let with = |lines: &str, grants: &str| {
        format!("data: data\n{lines}\ntenants: [{{name: a, path: a, grants: {{{grants}}}}}]\n")
    };
    let functions = "set = function(bytes) local set, err = require('kv').set('key', ('x'):rep(bytes)) \
                     return set and 'kept' or err:message() end";
    let folder = folder(&[
        ("node.yaml", &with("", "")),
        ("a/_index.yaml", &index("")),
        ("a/worker.lua", &worker("set = function() return 'none' end")),
    ]);
    let mut running = Running::start(&folder, &["serve", "--admin", "unix:admin.sock"]);
    running.wait_for_error("serving: 1 tenant");
    let admin = Admin::of(folder.path());
    assert_eq!(admin.call("a", "set", "[1]"), serde_json::json!(["none"]));
    let granted = index(", grants: {kv: [{prefix: '', write: true}]}");
    fs::write(folder.path().join("a/_index.yaml"), granted).unwrap();
    fs::write(folder.path().join("a/worker.lua"), worker(functions)).unwrap();
    let allowed = |lines: &str| {
        fs::write(folder.path().join("node.yaml"), with(lines, "kv: [{prefix: '', write: true}]")).unwrap();
        running.signal("HUP");
    };
    allowed("data_max: 10KiB");
    wait_until(|| admin.call("a", "set", "[1]") == serde_json::json!(["kept"]));
    let kept = |bytes: u32| admin.call("a", "set", &format!("[{bytes}]")).to_string();
    assert!(kept(20_000).contains("the store is full"), "{}", kept(20_000));
    allowed("data_max: 1MiB");
    wait_until(|| kept(20_000) == r#"["kept"]"#);
    running.stop();
}

#[test]
fn what_a_host_behind_the_wall_has_given_up_is_told() {
    let folder = host("data: data");
    let mut running = start(&folder, &["--admin", "none"]);
    running.wait_for_error("serving: 1 tenant");
    change(&running, &folder, "data: elsewhere");
    running.wait_for_error("nothing is reloaded: the node's file is wrong");
    running.wait_for_error("error: `data`: `elsewhere` instead of `data`");
    running.wait_for_error("help: a host keeps its directory as long as it lives: restart it to have another");
    running.stop();
}

#[test]
fn a_host_whose_opener_is_gone_goes_on_with_what_it_has() {
    let folder = host("admin: unix:admin.sock\nhttp: 127.0.0.1:0");
    let mut running = start(&folder, &[]);
    let at = address(&mut running);
    running.wait_for_error("serving: 1 tenant");
    let killed = Command::new("pkill").args(["-KILL", "-P", &running.child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    // It isn't asked where nothing is to be opened.
    change(&running, &folder, "admin: unix:./admin.sock\nhttp: {address: '127.0.0.1:0', proxies: [127.0.0.1]}");
    running.wait_for_error("tenant a reloaded: no service has changed");
    let of_bob = "GET /a HTTP/1.1\nHost: x\nX-Forwarded-For: 203.0.113.9\nConnection: close\n\n";
    assert_eq!(ask(&at, of_bob), "200 203.0.113.9");
    change(&running, &folder, "admin: unix:admin.sock\nhttp: 127.0.0.2:0");
    running.wait_for_error("ERROR `http` stays as it is");
    running.wait_for_error(
        "error: this host can have no other sockets while it runs: the process that opens them is gone",
    );
    running.wait_for_error("tenant a reloaded: no service has changed");
    assert_eq!(get(&at, "/a"), "200 127.0.0.1");
    // To close one it isn't needed.
    change(&running, &folder, "admin: unix:admin.sock");
    running.wait_for_error("no more");
    wait_until(|| std::net::TcpStream::connect(&at).is_err());
    running.stop();
}

#[test]
fn an_opener_that_does_not_answer_is_asked_again() {
    let folder = host("admin: unix:admin.sock\nhttp: 127.0.0.1:0");
    // Where its option stands is for the host to know.
    let mut running = start(&folder, &["--", "node.yaml"]);
    let at = address(&mut running);
    running.wait_for_error("serving: 1 tenant");
    let stopped = Stopped::opener_of(&running);
    // Of no other test.
    let free = TcpListener::bind("127.0.0.3:0").unwrap().local_addr().unwrap();
    change(&running, &folder, &format!("admin: unix:other.sock\nhttp: {free}"));
    running.wait_for_error("ERROR `admin` stays as it is");
    running.wait_for_error("error: the process that opens sockets doesn't answer: nothing has come for 10s");
    running.wait_for_error("ERROR `http` stays as it is");
    running.wait_for_error("tenant a reloaded: no service has changed");
    assert_eq!(get(&at, "/a"), "200 127.0.0.1");
    assert_eq!(Admin::of(folder.path()).get("/v1/tenants").unwrap().status, 200);
    drop(stopped);
    // What it was asked for meanwhile it hasn't opened.
    running.signal("HUP");
    let second = address(&mut running);
    assert_eq!(second, free.to_string());
    running.wait_for_error("tenant a reloaded: no service has changed");
    assert_eq!(get(&second, "/a"), "200 127.0.0.1");
    assert_eq!(Admin(folder.path().join("other.sock")).get("/v1/tenants").unwrap().status, 200);
    running.stop();
}

#[test]
fn who_may_write_the_file_has_no_opener() {
    let folder = host("admin: unix:admin.sock\ndata: .");
    let mut running = start(&folder, &[]);
    running.wait_for_error(
        "WARN  this host can have no other sockets while it runs: it may write to the folder of the node's file",
    );
    running.wait_for_error("serving: 1 tenant");
    change(&running, &folder, "admin: unix:other.sock\ndata: .");
    running.wait_for_error("ERROR `admin` stays as it is");
    running.wait_for_error("error: this host can have no other sockets while it runs: it may write");
    assert_eq!(Admin::of(folder.path()).get("/v1/tenants").unwrap().status, 200);
    running.stop();
}

#[test]
fn who_may_write_what_the_file_is_a_link_to_has_none_either() {
    let folder = folder(&[("data/node.yaml", "admin: none\ndata: data\n"), ("a/_index.yaml", APPLICATION)]);
    std::os::unix::fs::symlink("data/node.yaml", folder.path().join("node.yaml")).unwrap();
    let mut running = start(&folder, &[]);
    running.wait_for_error("WARN  this host can have no other sockets while it runs: it may write");
    running.wait_for_error("serving: 0 tenants");
    running.stop();
}

#[test]
fn a_host_whose_processes_are_too_many_is_still_reloaded_and_stopped() {
    let spawns = "version: \"1.0\"\nnamespace: app\nentries:\n  \
        - {name: idle, kind: process.lua, source: \"return function() process.events():receive() end\"}\n  \
        - {name: main, kind: process.lua, source: \"return function() \
        for _ = 1, 120 do process.spawn_linked('app:idle', 'app:processes') end print('all spawned') process.events():receive() end\"}\n  \
        - {name: service, kind: process.service, process: main, host: 'app:processes'}\n";
    let folder = folder(&[
        ("node.yaml", &format!("admin: unix:admin.sock\nprocesses: 200\n{TENANTS}")),
        ("a/_index.yaml", spawns),
    ]);
    let mut running = start(&folder, &[]);
    running.wait_for_all(&["serving: 1 tenant", "all spawned"]);
    change(&running, &folder, "admin: unix:admin.sock\nprocesses: 1");
    running.wait_for_error("tenant a reloaded: no service has changed");
    // And again, as somebody mends it.
    change(&running, &folder, "admin: unix:admin.sock\nprocesses: 200");
    running.wait_for_error("tenant a reloaded: no service has changed");
    assert_eq!(Admin::of(folder.path()).reload("a").status, 200);
    running.stop();
}

#[test]
fn a_socket_that_was_taken_away_is_made_again() {
    for wall in WALLS {
        let folder = host("admin: unix:admin.sock");
        let mut running = start(&folder, wall);
        running.wait_for_error("serving: 1 tenant");
        fs::remove_file(folder.path().join("admin.sock")).unwrap();
        running.signal("HUP");
        running.wait_for_error("admin interface at=unix:");
        running.wait_for_error("tenant a reloaded");
        assert_eq!(Admin::of(folder.path()).get("/v1/tenants").unwrap().status, 200);
        running.stop();
    }
}

#[test]
fn the_opener_ends_with_its_host_and_answers_no_signal() {
    let folder = host("admin: unix:admin.sock");
    let mut running = start(&folder, &[]);
    running.wait_for_error("serving: 1 tenant");
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", running.child.id())).unwrap();
    let opener: Vec<&str> = children.split_whitespace().collect();
    assert_eq!(opener.len(), 1, "{children}");
    for signal in ["INT", "TERM", "HUP"] {
        assert!(Command::new("kill").args(["-s", signal, opener[0]]).status().unwrap().success());
    }
    change(&running, &folder, "admin: unix:other.sock");
    running.wait_for_error("admin interface at=unix:");
    running.signal("KILL");
    running.child.wait().unwrap();
    let opener = format!("/proc/{}/cmdline", opener[0]);
    wait_until(|| fs::read(&opener).map_or(true, |line| line.is_empty()));
}

#[test]
fn nobody_else_has_an_opener() {
    let told = run(&host(""), &["serve", "--opener"]);
    assert!(told.starts_with("exit code: 2\n--- stderr\nerror: `--opener` is for the host alone: "), "{told}");
}

#[test]
fn check_looks_for_what_the_admin_interface_needs() {
    let folder = host("");
    let told = |admin: &str| {
        fs::write(folder.path().join("node.yaml"), format!("admin: {admin}\n{TENANTS}")).unwrap();
        run(&folder, &["check", "node.yaml"])
    };
    fs::write(folder.path().join("short"), "short").unwrap();
    fs::write(folder.path().join("open"), "0123456789abcdef0123456789abcdef").unwrap();
    fs::set_permissions(folder.path().join("short"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let tcp = |file: &str| format!("{{address: 'tcp:127.0.0.1:7070', token_file: {file}}}");
    for (admin, wrong, place) in [
        ("tcp:127.0.0.1:99999".to_owned(), "`admin`: `tcp:127.0.0.1:99999` is no address", "node.yaml:1:8"),
        ("tcp:127.0.0.1:7070".to_owned(), "over TCP it needs a `token_file`", "node.yaml:1:8"),
        (tcp("nowhere"), "token file `nowhere`: No such file or directory", "node.yaml:1:52"),
        (tcp("short"), "token file `short`: ", "node.yaml:1:52"),
        (tcp("open"), "token file `open` can be read by others: its mode is 0644", "node.yaml:1:52"),
        ("unix:short".to_owned(), "`short` is there, and isn't a socket", "node.yaml:1:8"),
    ] {
        let told = told(&admin);
        assert!(told.starts_with("exit code: 2\n"), "{told}");
        assert!(told.contains(&format!("error: {wrong}")) && told.contains(place), "{told}");
    }
    assert!(told("unix:admin.sock").starts_with("exit code: 0\n"));
    let twice = run(&folder, &["serve", "--tenant", "a=a", "--tenant", "a=b"]);
    assert_eq!(twice, "exit code: 2\n--- stderr\nerror: `--tenant` names `a` twice\n");
}

#[test]
fn what_a_tenant_may_change_in_its_own_folder_it_can_behind_the_wall() {
    let grants = "fs: [{path: files, write: true}]";
    let set = "set = function() local done, err = fs.write('files/x', 'text') return done and fs.read('files/x') or err:message() end";
    for wall in WALLS {
        let folder = folder(&[
            ("node.yaml", &format!("admin: unix:admin.sock\ntenants: [{{name: a, path: a, grants: {{{grants}}}}}]\n")),
            ("a/_index.yaml", &index(&format!(", grants: {{{grants}}}"))),
            ("a/worker.lua", &worker(set)),
            ("a/files/old", ""),
        ]);
        let mut running = start(&folder, wall);
        running.wait_for_error("serving: 1 tenant");
        assert_eq!(Admin::of(folder.path()).call("a", "set", "[]"), serde_json::json!(["text"]));
        running.stop();
    }
}
