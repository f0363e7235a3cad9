//! `lunarium serve`: tenants from a node's file, what they may ask for, signals, the service manager.

use std::fs;
use std::os::unix::net::UnixDatagram;

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
        let text = running.stop();
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
        let mut running = Running::of(command);
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
    expect![[r#"
        exit code: 2
        --- stderr
        error: Lua does not compile: unexpected symbol near <eof>
         --> ./asks/_index.yaml:4:45
          |
        4 |   - {name: main, kind: process.lua, source: 'return {', grants: {env: [TOKEN], modules: [mail], fs: [{path: /etc, write: true}, {path...
          |                                             ^^^^^^^^^^

        error: the application asks for the variable `TOKEN`
         --> ./asks/_index.yaml:4:72
          |
        4 |   - {name: main, kind: process.lua, source: 'return {', grants: {env: [TOKEN], modules: [mail], fs: [{path: /etc, write: true}, {path...
          |                                                                        ^^^^^
          |
         ::: ./node.yaml:7:12
          |
        7 |   - {name: asks, path: asks, env: {OTHER: {file: none.txt}}, grants: {http: [{url: 'http://b.example/*'}], fs: [{path: /etc}]}}
          |            ---- which this entry doesn't allow
          |
          = help: give it in the tenant's `env`, or a `default` in an `env.variable` of the application

        error: the application asks for the module `mail`
         --> ./asks/_index.yaml:4:90
          |
        4 |   - {name: main, kind: process.lua, source: 'return {', grants: {env: [TOKEN], modules: [mail], fs: [{path: /etc, write: true}, {path...
          |                                                                                          ^^^^
          |
         ::: ./node.yaml:7:12
          |
        7 |   - {name: asks, path: asks, env: {OTHER: {file: none.txt}}, grants: {http: [{url: 'http://b.example/*'}], fs: [{path: /etc}]}}
          |            ---- which this entry doesn't allow
          |
          = help: list it in `modules` of the tenant's `grants`

        warning: module `mail` is granted, and isn't there
         --> ./asks/_index.yaml:4:90
          |
        4 |   - {name: main, kind: process.lua, source: 'return {', grants: {env: [TOKEN], modules: [mail], fs: [{path: /etc, write: true}, {path...
          |                                                                                          ^^^^
          |
          = help: such modules are the embedding program's: this one has none

        error: the application asks to change the directory `/etc`
         --> ./asks/_index.yaml:4:109
          |
        4 |   - {name: main, kind: process.lua, source: 'return {', grants: {env: [TOKEN], modules: [mail], fs: [{path: /etc, write: true}, {path...
          |                                                                                                             ^^^^
          |
         ::: ./node.yaml:7:120
          |
        7 |   - {name: asks, path: asks, env: {OTHER: {file: none.txt}}, grants: {http: [{url: 'http://b.example/*'}], fs: [{path: /etc}]}}
          |                                                                                                                        ---- which this entry doesn't allow
          |
          = help: add `write: true`

        error: the application asks for the directory `own`, which may be changed
         --> ./asks/_index.yaml:4:136
          |
        4 | ...OKEN], modules: [mail], fs: [{path: /etc, write: true}, {path: own, write: true}], http: [{url: 'http://a.example/*'}]}}
          |                                                                   ^^^
          |
         ::: ./node.yaml:7:12
          |
        7 |   - {name: asks, path: asks, env: {OTHER: {file: none.txt}}, grants: {http: [{url: 'http://b.example/*'}], fs: [{path: /etc}]}}
          |            ---- which this entry doesn't allow
          |
          = help: list it in `fs` of the tenant's `grants`

        error: the application asks for more of `http`: this is more than is allowed
         --> ./asks/_index.yaml:4:163
          |
        4 | ...: [{path: /etc, write: true}, {path: own, write: true}], http: [{url: 'http://a.example/*'}]}}
          |                                                                    ^
          |
         ::: ./node.yaml:7:71
          |
        7 |   - {name: asks, path: asks, env: {OTHER: {file: none.txt}}, grants: {http: [{url: 'http://b.example/*'}], fs: [{path: /etc}]}}
          |                                                                       ---- which this entry doesn't allow
          |
          = help: say it in `http` of the tenant's `grants`

        error: `memory`: `lots` is not a size
         --> ./node.yaml:1:9
          |
        1 | memory: lots
          |         ^^^^
          |
          = help: write it like `16MiB`, `500kB` or `4096` (bytes)

        error: `log_level` can't be `loud`
         --> ./node.yaml:2:12
          |
        2 | log_level: loud
          |            ^^^^
          |
          = help: there are `debug`, `info`, `warn`, `error`

        error: `processes` must be an integer from 1 to 4294967295, not `0`
         --> ./node.yaml:4:41
          |
        4 |   - {name: shop, path: shop, processes: 0}
          |                                         ^

        error: tenant `shop` is named twice
         --> ./node.yaml:5:12
          |
        5 |   - {name: shop, path: nowhere, grant: {}}
          |            ^^^^
          |
         ::: ./node.yaml:4:12
          |
        4 |   - {name: shop, path: shop, processes: 0}
          |            ---- first named here

        error: folder `./nowhere` can't be opened: No such file or directory (os error 2)
         --> ./node.yaml:5:24
          |
        5 |   - {name: shop, path: nowhere, grant: {}}
          |                        ^^^^^^^

        error: unknown key `grant` in tenant `shop`
         --> ./node.yaml:5:33
          |
        5 |   - {name: shop, path: nowhere, grant: {}}
          |                                 ^^^^^
          |
          = help: did you mean `grants`?

        error: `Bad` can't be the name of a tenant
         --> ./node.yaml:6:12
          |
        6 |   - {name: Bad, path: shop}
          |            ^^^
          |
          = help: a tenant's name is up to 63 lower-case letters, digits and `-`, beginning with a letter: `shop-2`

        error: there is no file `none.txt` for the variable `OTHER`
         --> ./node.yaml:7:50
          |
        7 |   - {name: asks, path: asks, env: {OTHER: {file: none.txt}}, grants: {http: [{url: 'http://b.example/*'}], fs: [{path: /etc}]}}
          |                                                  ^^^^^^^^

        error: 14 mistakes and 1 warning
    "#]].assert_eq(&run(&folder, &["check", "."]));
}

#[test]
fn a_directory_is_the_same_however_its_path_is_written() {
    let given = tempfile::tempdir().unwrap();
    let path = given.path().display();
    let asks = index(&format!(
        "  - {{name: main, kind: process.lua, source: 'return 1', grants: {{fs: [{{path: '{path}/below'}}]}}}}\n"
    ));
    fs::create_dir(given.path().join("below")).unwrap();
    for written in [format!("{path}"), format!("{path}/"), format!("{path}/./below/")] {
        let node = format!("tenants:\n  - {{name: a, path: a, grants: {{fs: [{{path: '{written}'}}]}}}}\n");
        let folder = folder(&[("node.yaml", &node), ("a/_index.yaml", &asks)]);
        assert_eq!(run(&folder, &["check", "."]), "exit code: 0\n", "{written}");
    }
}

#[test]
fn a_host_name_is_one_tenant_s_alone() {
    let node = "\
tenants:
  - {name: a, path: a, http: {hosts: [shop.example, 'shop.example:80', a b]}}
  - {name: b, path: b, http: {hosts: [Shop.Example.]}}
";
    let folder = two();
    fs::write(folder.path().join("node.yaml"), node).unwrap();
    let expected = expect![[r#"
        error: `shop.example:80` is no host name
         --> ./node.yaml:2:53
          |
        2 |   - {name: a, path: a, http: {hosts: [shop.example, 'shop.example:80', a b]}}
          |                                                     ^^^^^^^^^^^^^^^^^
          |
          = help: it has letters, digits, `-` and `.`, no port

        error: `a b` is no host name
         --> ./node.yaml:2:72
          |
        2 |   - {name: a, path: a, http: {hosts: [shop.example, 'shop.example:80', a b]}}
          |                                                                        ^^^
          |
          = help: it has letters, digits, `-` and `.`, no port

        error: host name `shop.example` is named twice
         --> ./node.yaml:3:39
          |
        3 |   - {name: b, path: b, http: {hosts: [Shop.Example.]}}
          |                                       ^^^^^^^^^^^^^
          |
         ::: ./node.yaml:2:39
          |
        2 |   - {name: a, path: a, http: {hosts: [shop.example, 'shop.example:80', a b]}}
          |                                       ------------ first named here

        error: 3 mistakes
    "#]];
    let told = run(&folder, &["check", "."]);
    expected.assert_eq(told.strip_prefix("exit code: 2\n--- stderr\n").unwrap());
    assert!(run(&folder, &["serve"]).contains("error: host name `shop.example` is named twice"));
    // Nor by a reload.
    fs::write(folder.path().join("node.yaml"), "tenants: [{name: a, path: a}]\n").unwrap();
    let mut running = Running::start(&folder, &["serve"]);
    running.wait_for_error("serving: 1 tenant");
    fs::write(folder.path().join("node.yaml"), node).unwrap();
    running.signal("HUP");
    running.wait_for_error("nothing is reloaded: the node's file is wrong");
    running.stop();
}

#[test]
fn a_refusal_has_the_form_of_the_log() {
    let folder = folder(&[("node.yaml", "memory: lots\n")]);
    let text = run(&folder, &["serve", "--log-format", "json"]);
    let line = text.strip_prefix("exit code: 2\n--- stderr\n").unwrap();
    assert!(line.starts_with('{') && line.ends_with("}\n") && line.lines().count() == 1, "{line}");
    assert!(line.contains(r#""level":"error""#) && line.contains("`memory`: `lots` is not a size"), "{line}");
    assert!(run(&folder, &["serve"]).contains("\nerror: `memory`: `lots` is not a size\n"));
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
    running.wait_for_error("tenant b is removed");
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
    running.stop();
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
fn each_tenant_has_a_store_of_its_own_which_outlives_the_host() {
    let asks = |word: &str, step: u8| {
        index(&format!(
            "  - name: main\n    kind: process.lua\n    grants: {{kv: [{{prefix: n, write: true}}]}}\n    source: |\n      \
             return {{ main = function() print('{word} ' .. require('kv').increment('n', {step})) process.events():receive() end }}\n  \
             - {{name: service, kind: process.service, process: main, host: 'app:processes'}}\n"
        ))
    };
    let node = "data: data\ntenants:\n  - {name: a, path: a, grants: {kv: [{prefix: '', write: true}]}}\n  \
                - {name: b, path: b, grants: {kv: [{prefix: '', write: true}]}}\n";
    let folder = folder(&[("node.yaml", node), ("a/_index.yaml", &asks("a", 1)), ("b/_index.yaml", &asks("b", 10))]);
    for (a, b) in [("a 1", "b 10"), ("a 2", "b 20")] {
        let mut running = Running::start(&folder, &["serve"]);
        let mut text = String::new();
        let mut errors = std::io::BufReader::new(running.child.stderr.take().unwrap());
        while !(text.contains(a) && text.contains(b)) {
            assert_ne!(std::io::BufRead::read_line(&mut errors, &mut text).unwrap(), 0, "{text}");
        }
        running.signal("TERM");
        // Whoever writes may go on until the end.
        std::io::Read::read_to_string(&mut errors, &mut text).unwrap();
        assert!(running.child.wait().unwrap().success(), "{text}");
    }
}

#[test]
fn what_was_deployed_comes_back_without_an_entry() {
    let folder = two();
    let deployment = folder.path().join("data/tenants/sent/deployments/7");
    fs::create_dir_all(&deployment).unwrap();
    fs::write(deployment.join("_index.yaml"), service("this-was-sent")).unwrap();
    fs::write(deployment.join("worker.lua"), WAITS).unwrap();
    fs::write(folder.path().join("data/tenants/sent/current"), "7\n").unwrap();
    let mut running = Running::start(&folder, &["serve", "--data", "data"]);
    running.wait_for_error("sent tenant runs deployment 7, from an archive");
    running.wait_for_error("serving: 3 tenants");
    running.signal("TERM");
    assert!(running.finish().contains("sent service app:service has stopped"));
}

#[test]
fn a_tenant_may_fill_no_directory_but_those_of_its_entry_behind_the_wall() {
    let entry = |path: &str| {
        index(&format!(
            "  - name: main\n    kind: process.lua\n    grants: {{fs: [{{path: '{path}', write: true}}]}}\n    source: |\n      \
             return {{ main = function() print('wrote', fs.write('{path}/file', 'text')) process.events():receive() end }}\n  \
             - {{name: service, kind: process.service, process: main, host: 'app:processes'}}\n"
        ))
    };
    let given = tempfile::tempdir().unwrap();
    let path = given.path().join("below").to_str().unwrap().to_owned();
    fs::create_dir(&path).unwrap();
    let node = format!(
        "tenants:\n  - {{name: a, path: a, grants: {{fs: [{{path: '{}', write: true}}]}}}}\n  - {{name: b, path: b}}\n",
        given.path().display()
    );
    let folder = folder(&[("node.yaml", &node), ("a/_index.yaml", &entry(&path)), ("b/_index.yaml", &entry(&path))]);
    let mut running = Running::start(&folder, &["serve"]);
    running.wait_for_error("ERROR b tenant has failed");
    running.wait_for_error("serving: 2 tenants, failed: b");
    running.signal("HUP");
    running.wait_for_error("tenant b keeps what it runs: ");
    running.signal("TERM");
    running.finish();
    assert_eq!(fs::read_to_string(given.path().join("below/file")).unwrap(), "text");
}

#[test]
fn two_hosts_do_not_share_a_data_directory() {
    let folder = two();
    let mut running = Running::start(&folder, &["serve", "--data", "data"]);
    running.wait_for_error("serving: 2 tenants");
    let other = run(&folder, &["serve", "--data", "data"]);
    assert!(other.starts_with("exit code: 1\n--- stderr\nerror: `--data`: another host uses `"), "{other}");
    running.stop();
}

/// A host that is watched, and its service manager.
fn watched(folder: &TempDir) -> (Running, UnixDatagram) {
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let mut command = std::process::Command::new("sh");
    // The number of the process that is watched, as systemd says it.
    command.args(["-c", "WATCHDOG_PID=$$ exec \"$0\" serve", env!("CARGO_BIN_EXE_lunarium")]);
    command.current_dir(folder.path()).env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "20000");
    (Running::of(command), manager)
}

/// What the service manager is told next.
fn told(manager: &UnixDatagram) -> String {
    let mut buffer = [0; 1024];
    let length = manager.recv(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

#[test]
fn the_service_manager_is_told() {
    let folder = two();
    let (running, manager) = watched(&folder);
    let hear = |wanted: &str| {
        loop {
            let text = told(&manager);
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
fn a_tenant_that_does_not_stop_holds_up_neither_the_watchdog_nor_a_signal() {
    let folder = two();
    fs::write(
        folder.path().join("b/worker.lua"),
        "return { main = function() while true do time.sleep('1s') end end }",
    )
    .unwrap();
    let (mut running, manager) = watched(&folder);
    running.wait_for_error("serving: 2 tenants");
    fs::write(folder.path().join("node.yaml"), "tenants: [{name: a, path: a}]\n").unwrap();
    running.signal("HUP");
    while !told(&manager).contains("RELOADING=1") {}
    // `b` takes all of its 30 seconds to stop.
    let meanwhile = [(); 5].map(|()| told(&manager));
    assert!(meanwhile.iter().all(|text| text == "WATCHDOG=1\n"), "{meanwhile:?}");
    running.signal("TERM");
    let next = std::iter::repeat_with(|| told(&manager)).find(|text| text != "WATCHDOG=1\n");
    assert_eq!(next.as_deref(), Some("STOPPING=1\n"));
    running.signal("TERM");
    assert!(running.finish().starts_with("exit code: 143\n"));
}

#[test]
fn the_example_serves_three_tenants_of_which_one_does_its_worst() {
    let root = tempfile::tempdir().unwrap();
    let path = examples().join("tenants");
    let mut running = Running::start(&root, &["serve", path.to_str().unwrap()]);
    // Its processes run before their start is told.
    running.wait_for_all(&[
        "serving: 3 tenants",
        "refused:\\tResourceExhausted",
        "service mallory:hogs has failed and restarts",
    ]);
    // The others go on.
    running.wait_for_all(&["12.50 EUR", "story "]);
    running.wait_for_error("12.50 EUR");
    let text = running.stop();
    assert!(text.contains("shop service shop:orders has stopped"), "{text}");
    assert_eq!(run(&root, &["check", path.to_str().unwrap()]), "exit code: 0\n");
}
