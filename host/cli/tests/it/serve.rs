//! `lunarium serve`: tenants from a node's file, what they may ask for, signals, the service manager.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;

use expect_test::expect;
use tempfile::TempDir;

use crate::examples::examples;
use crate::{Running, folder, lunarium, run};

const WAITS: &str = "return { main = function(word) print(word) process.events():receive() end }";

fn index(entries: &str) -> String {
    format!("version: \"1.0\"\nnamespace: app\nentries:\n{entries}")
}

/// An application whose service says a word.
fn service(word: &str) -> String {
    index(&format!(
        "  - {{name: worker, kind: process.lua, source: 'file://worker.lua'}}\n  \
         - {{name: service, kind: process.service, process: worker, host: 'app:processes', input: [{word}]}}\n"
    ))
}

/// A folder of a host with the tenants `a` and `b`.
fn two() -> TempDir {
    folder(&[
        ("node.yaml", "tenants:\n  - {name: a, path: a}\n  - {name: b, path: b}\n"),
        ("a/_index.yaml", &service("this-is-a")),
        ("a/worker.lua", WAITS),
        ("b/_index.yaml", &service("this-is-b")),
        ("b/worker.lua", WAITS),
    ])
}

#[test]
fn it_serves_until_a_signal_and_stops_services_in_order() {
    for arguments in [&["serve"][..], &["serve", "."], &["serve", "node.yaml"], &["serve", "--no-confine"]] {
        let folder = two();
        let mut running = Running::start(&folder, arguments);
        running.wait_for_error("serving: 2 tenants");
        running.signal("TERM");
        let text = running.finish();
        assert!(text.starts_with("exit code: 0\n"), "{text}");
        for tenant in ["a", "b"] {
            assert!(text.contains(&format!("INFO  {tenant} service app:service has stopped")), "{text}");
        }
    }
}

#[test]
fn the_command_line_counts_before_the_environment_and_that_before_the_file() {
    let folder = two();
    fs::write(folder.path().join("node.yaml"), "log_format: text\ntenants: [{name: a, path: a}]\n").unwrap();
    let start = |variable: Option<&str>, arguments: &[&str]| {
        let mut command = lunarium(folder.path(), &[&["serve"], arguments].concat());
        command.envs(variable.map(|format| ("LUNARIUM_LOG_FORMAT", format)));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut running = Running { child, lines };
        running.wait_for_error("serving: 1 tenant");
        running.signal("TERM");
        running.finish().contains("{\"")
    };
    assert!(!start(None, &[]));
    assert!(start(Some("json"), &[]));
    assert!(!start(Some("json"), &["--log-format", "text"]));
}

#[test]
fn tenants_without_a_file() {
    let folder = two();
    let mut running = Running::start(&folder, &["serve", "--tenant", "x=a", "--tenant", "y=b"]);
    running.wait_for_error("serving: 2 tenants");
    running.signal("INT");
    assert!(running.finish().contains("INFO  y service app:service has stopped"));
    expect![[r#"
        exit code: 2
        --- stderr
        error: `--tenant a` is not of the form NAME=PATH
        help: write it like `--tenant shop=/srv/shop`
    "#]]
    .assert_eq(&run(&folder, &["serve", "--tenant", "a"]));
    expect![[r#"
        exit code: 2
        --- stderr
        error: `A` can't be the name of a tenant
        help: a tenant's name is up to 63 lower-case letters, digits and `-`, beginning with a letter: `shop-2`
    "#]]
    .assert_eq(&run(&folder, &["serve", "--tenant", "A=a"]));
    expect![[r#"
        exit code: 2
        --- stderr
        error: there is no file `a/node.yaml`
        help: `--tenant NAME=PATH` serves an application without one
    "#]]
    .assert_eq(&run(&folder, &["serve", "a"]));
}

#[test]
fn check_reports_every_mistake_of_the_file_and_of_the_applications() {
    let asks = index(
        "  - {name: main, kind: process.lua, source: 'return {', grants: {env: [TOKEN], modules: [mail], \
         fs: [{path: /etc, write: true}, {path: own, write: true}], http: [{url: 'http://a.example/*'}]}}\n",
    );
    let node = "\
memory: lots
log_level: loud
tenants:
  - {name: shop, path: shop, processes: 0}
  - {name: shop, path: nowhere, grant: {}}
  - {name: Bad, path: shop}
  - {name: asks, path: asks, env: {OTHER: {file: none.txt}}, grants: {http: [{url: 'http://b.example/*'}], fs: [{path: /etc}]}}
";
    let folder = folder(&[
        ("node.yaml", node),
        ("shop/_index.yaml", &service("x")),
        ("shop/worker.lua", WAITS),
        ("asks/_index.yaml", &asks),
        ("asks/own/file", ""),
    ]);
    expect![[r#""#]].assert_eq(&run(&folder, &["check", "."]));
}

#[test]
fn a_wrong_tenant_shows_as_failed_and_the_others_run() {
    let folder = two();
    fs::write(folder.path().join("a/worker.lua"), "return {").unwrap();
    let mut running = Running::start(&folder, &["serve"]);
    running.wait_for_error("ERROR a tenant has failed");
    running.wait_for_error("serving: 2 tenants, failed: a");
    // Mended, it starts.
    fs::write(folder.path().join("a/worker.lua"), WAITS).unwrap();
    running.signal("HUP");
    running.wait_for_error("tenant a reloaded: app:service starts");
    running.wait_for_error("tenant b reloaded: no service has changed");
    running.signal("TERM");
    assert!(running.finish().contains("INFO  a service app:service has stopped"));
}

#[test]
fn a_hangup_reads_the_file_again_and_a_wrong_one_changes_nothing() {
    let folder = two();
    let mut running = Running::start(&folder, &["serve"]);
    running.wait_for_error("serving: 2 tenants");
    fs::write(folder.path().join("node.yaml"), "tenants: [{name: a, path: a, memory: little}]\n").unwrap();
    running.signal("HUP");
    running.wait_for_error("nothing is reloaded: the node's file is wrong");
    running.wait_for_error("`memory`: `little` is not a size");
    fs::write(folder.path().join("node.yaml"), "tenants: [{name: a, path: a}]\n").unwrap();
    running.signal("HUP");
    running.wait_for_error("b service app:service has stopped");
    running.wait_for_error("tenant b came or went");
    running.wait_for_error("tenant a reloaded");
    running.signal("TERM");
    assert!(running.finish().contains("INFO  a service app:service has stopped"));
}

#[test]
fn a_secret_is_what_its_file_holds_and_is_read_again() {
    let asks = index(
        "  - name: main\n    kind: process.lua\n    grants: {env: [SECRET]}\n    source: |\n      \
         return { main = function() print('it is', env.get('SECRET')) process.events():receive() end }\n  \
         - {name: service, kind: process.service, process: main, host: 'app:processes'}\n",
    );
    let node = "tenants: [{name: a, path: a, env: {SECRET: {file: secret}}}]\n";
    let folder = folder(&[("node.yaml", node), ("a/_index.yaml", &asks), ("secret", "one\n")]);
    let mut running = Running::start(&folder, &["serve"]);
    running.wait_for_error("it is\\tone");
    fs::write(folder.path().join("secret"), "two\n").unwrap();
    running.signal("HUP");
    running.wait_for_error("it is\\ttwo");
    running.signal("TERM");
    assert!(running.finish().starts_with("exit code: 0\n"));
}

#[test]
fn the_host_s_own_environment_belongs_to_nobody() {
    let asks = index("  - {name: main, kind: process.lua, source: 'return 1', grants: {env: [HOME]}}\n");
    let folder = folder(&[("node.yaml", "tenants: [{name: a, path: a}]\n"), ("a/_index.yaml", &asks)]);
    let mut running = Running::start(&folder, &["serve"]);
    running.wait_for_error("the application asks for the variable `HOME`");
    running.signal("TERM");
    running.finish();
}

#[test]
fn two_hosts_do_not_share_a_data_directory() {
    let folder = two();
    let mut running = Running::start(&folder, &["serve", "--data", "data"]);
    running.wait_for_error("serving: 2 tenants");
    let other = run(&folder, &["serve", "--data", "data"]);
    assert!(other.starts_with("exit code: 1\n--- stderr\nerror: `--data`: another host uses `"), "{other}");
    running.signal("TERM");
    assert!(running.finish().starts_with("exit code: 0\n"));
}

#[test]
fn the_service_manager_is_told() {
    let folder = two();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let mut command = lunarium(folder.path(), &["serve"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "20000");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = std::io::BufReader::new(child.stdout.take().unwrap());
    let running = Running { child, lines };
    let hear = |wanted: &str| {
        let mut buffer = [0; 1024];
        loop {
            let length = manager.recv(&mut buffer).unwrap();
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if text.contains(wanted) {
                return text;
            }
        }
    };
    assert_eq!(hear("READY=1"), "READY=1\nSTATUS=2 tenants\n");
    hear("WATCHDOG=1");
    running.signal("HUP");
    assert!(hear("RELOADING=1\nMONOTONIC_USEC=").ends_with('\n'));
    hear("READY=1");
    running.signal("TERM");
    hear("STOPPING=1");
    assert!(running.finish().starts_with("exit code: 0\n"));
}

#[test]
fn the_example_serves_three_tenants_of_which_one_does_its_worst() {
    let root = tempfile::tempdir().unwrap();
    let path = examples().join("tenants");
    let mut running = Running::start(&root, &["serve", path.to_str().unwrap()]);
    running.wait_for_error("serving: 3 tenants");
    running.wait_for_error("refused:\\tResourceExhausted");
    running.wait_for_error("service mallory:hogs has failed and restarts");
    running.wait_for_error("order 3: 12.50 EUR");
    running.wait_for_error("story 3");
    running.signal("TERM");
    let text = running.finish();
    assert!(text.starts_with("exit code: 0\n") && text.contains("shop service shop:orders has stopped"), "{text}");
    assert_eq!(run(&root, &["check", path.to_str().unwrap()]), "exit code: 0\n");
}
