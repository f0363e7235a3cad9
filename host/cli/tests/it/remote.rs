//! Commands that look at a host or change it, against a host that this test serves.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use lunarium_engine::{Level, LogField, Module};
use lunarium_serve::{
    Admin, AdminConfig, Folder, Host, HostConfig, HostError, LogFilter, LogLine, Surroundings, TenantConfig, Token,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::hosted;
use crate::{Running, folder, lunarium, transcript};

struct Nowhere;

impl Surroundings for Nowhere {
    fn modules(&self, _tenant: &TenantConfig) -> Result<Vec<Module>, HostError> {
        Ok(Vec::new())
    }

    fn line(&self, _tenant: &str, _line: &LogLine) {}

    fn note(&self, _level: Level, _message: &str, _fields: &[LogField]) {}
}

const INDEX: &str = "version: \"1.0\"
namespace: app
entries:
  - {name: worker, kind: process.lua, source: 'file://worker.lua'}
  - {name: service, kind: process.service, process: worker, host: 'app:processes'}
";

const WORKER: &str = r#"return {
    main = function()
        process.registry.register("<b>\u{202e}shop")
        process.registry.register("shop")
        process.listen("kept")
        logger:warn("little \27[2J stock", { left = 3 })
        process.events():receive()
        return "done"
    end,
    add = function(a, b) return a + b, { text = "\u{202e}" } end,
    fail = function() error("no tea left", 0) end,
}"#;

struct Served {
    runtime: Runtime,
    host: Host,
    admin: Option<Admin>,
    folder: TempDir,
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn serve() -> Served {
    let here = folder(&[("shop/_index.yaml", INDEX), ("shop/worker.lua", WORKER)]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (host, admin) = runtime.block_on(async {
        let mut tenant = TenantConfig::new("shop");
        let dir = Dir::open_ambient_dir(here.path().join("shop"), ambient_authority()).unwrap();
        tenant.folder = Some(Ok(Folder { dir, shown: "shop".into() }));
        let mut config = HostConfig::new(Arc::new(Nowhere));
        config.max_processes = 50;
        config.tenants = vec![tenant];
        let host = Host::start(config).await.unwrap();
        let mut reader = host.tenant("shop").unwrap().logs().follow(100, LogFilter::default().above(Level::Warn));
        reader.next().await.unwrap();
        let mut config = AdminConfig::new(Arc::new(Nowhere));
        config.unix = vec![UnixListener::bind(here.path().join("admin.sock")).unwrap()];
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        fs::write(here.path().join("address"), format!("http://{}", listener.local_addr().unwrap())).unwrap();
        config.tcp = Some((listener, Token::new(SECRET).unwrap()));
        let admin = Admin::start(host.clone(), config).unwrap();
        (host, admin)
    });
    Served { runtime, host, admin: Some(admin), folder: here }
}

impl Served {
    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a command to its end.
    fn run(&self, arguments: &[&str]) -> String {
        let mut command = lunarium(self.path(), arguments);
        let output =
            command.env("LUNARIUM_ADMIN", "admin.sock").env_remove("LUNARIUM_ADMIN_TOKEN_FILE").output().unwrap();
        transcript(&output)
    }

    /// What a command has printed.
    fn print(&self, arguments: &[&str]) -> String {
        let told = self.run(arguments);
        told.strip_prefix("exit code: 0\n--- stdout\n").unwrap_or_else(|| panic!("{arguments:?}: {told}")).to_owned()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.print(arguments)).unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let (admin, host) = (self.admin.take(), self.host.clone());
        self.runtime.block_on(async {
            if let Some(admin) = admin {
                admin.stop().await;
            }
            host.stop().await;
        });
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn tenants_and_processes_are_tables_or_json() {
    let served = serve();
    let told = served.print(&["tenants"]);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(words(lines[0]), ["NAME", "STATE", "PROCESSES", "CPU", "MEMORY", "LIMIT", "DEPLOYMENT", "SINCE", "WHY"]);
    assert_eq!(words(lines[1])[..3], ["shop", "running", "1"]);
    assert_eq!(served.json(&["tenants", "--json"])["tenants"][0]["name"], "shop");
    for arguments in [&["ps"][..], &["ps", "shop", "--sort", "memory", "--reverse", "--search", "WORKER"]] {
        let told = served.print(arguments);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(words(lines[1])[..4], ["shop", "{app:processes|0x00001}", "app:worker", "waiting"], "{told}");
        assert!(lines[1].ends_with("<b>\\u{202e}shop shop"), "what a script has made is text: {told}");
    }
    assert_eq!(served.json(&["ps", "--json"])[0]["rows"][0][2], "app:worker");
    assert_eq!(served.json(&["ps", "shop", "--json"])["tenant"], "shop");
    for process in ["shop", "0x00001", "{app:processes|0x00001}"] {
        let told = served.print(&["ps", "shop", process]);
        assert!(
            told.contains("file              worker.lua\n")
                && told.contains("  mailbox_bytes     0 B of 4.0 MiB\n")
                && told.contains("little \\x1b[2J stock left=3"),
            "{told}"
        );
    }
    assert!(!served.print(&["ps", "shop", "shop", "--json"]).contains('\u{202e}'));
    let told = served.run(&["ps", "nobody"]);
    assert_eq!(told, "exit code: 1\n--- stderr\nerror: there is no tenant `nobody`\n");
    let told = served.run(&["ps", "shop", "nobody"]);
    assert_eq!(told, "exit code: 1\n--- stderr\nerror: tenant `shop` has no process `nobody`\n");
    let told = served.run(&["top"]);
    assert!(told.starts_with("exit code: 2\n--- stderr\nerror: `top` needs a terminal\nhelp: `lunarium ps`"), "{told}");
    assert_eq!(served.run(&["top", "nobody"]), "exit code: 1\n--- stderr\nerror: there is no tenant `nobody`\n");
}

#[test]
fn processes_are_sent_to_called_and_ended() {
    let served = serve();
    assert_eq!(served.print(&["call", "shop", "shop", "add", "2", "-3"]), "-1\n{\"text\":\"\\u202e\"}\n");
    assert_eq!(served.json(&["call", "shop", "shop", "add", "2", "3", "--json"])["results"][0], 5);
    let told = served.run(&["call", "shop", "shop", "fail"]);
    assert!(told.starts_with("exit code: 1\n--- stderr\nerror: no tea left\n"), "{told}");
    let told = served.run(&["call", "shop", "shop", "add", "two", "3"]);
    assert_eq!(
        told,
        "exit code: 2\n--- stderr\nerror: `two` is no JSON: expected ident at line 1 column 2\nhelp: a text is `'\"a text\"'`, or `--string` takes it as it stands\n"
    );
    let told = served.run(&["call", "shop", "shop", "add", "1", "3", "--timeout", "soon"]);
    assert!(
        told.starts_with("exit code: 2\n--- stderr\nerror: `--timeout`: `soon` is not a duration\nhelp: "),
        "{told}"
    );
    let unread = || served.json(&["ps", "shop", "shop", "--json"])["messages"].as_u64();
    assert_eq!(served.run(&["send", "shop", "shop", "kept", "{\"id\": 7}"]), "exit code: 0\n");
    assert_eq!(served.run(&["send", "shop", "shop", "kept", "as it stands", "--string"]), "exit code: 0\n");
    assert_eq!(unread(), Some(2));
    let pid = "{app:processes|0x00001}";
    assert_eq!(served.print(&["kill", "shop", pid]), format!("{pid} is asked to end\n"));
    while served.print(&["ps", "shop"]).lines().count() > 1 {
        std::thread::yield_now();
    }
    let told = served.run(&["kill", "shop", "shop", "--now"]);
    assert_eq!(told, "exit code: 1\n--- stderr\nerror: tenant `shop` has no process `shop`\n");
}

#[test]
fn lines_are_shown_and_followed() {
    let served = serve();
    let told = served.print(&["logs", "--level", "warn"]);
    assert!(told.contains(" WARN  shop app:worker#") && told.ends_with("little \\x1b[2J stock left=3\n"), "{told}");
    assert_eq!(
        served.json(&["logs", "shop", "shop", "-n", "1", "--json"])["text"],
        "little \u{1b}[2J stock".replace('\u{1b}', "\\x1b")
    );
    let mut command = lunarium(served.path(), &["logs", "shop", "-f", "-n", "0"]);
    let mut following = command.env("LUNARIUM_ADMIN", "admin.sock").stdout(Stdio::piped()).spawn().unwrap();
    // It has begun when the host says so.
    while served.host_streams() == 0 {
        std::thread::yield_now();
    }
    served.run(&["kill", "shop", "shop", "--now"]);
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(following.stdout.take().unwrap()));
    // The service starts again.
    assert!(lines.any(|line| line.unwrap().contains("little")));
    following.kill().unwrap();
    following.wait().unwrap();
}

impl Served {
    fn host_streams(&self) -> u64 {
        let host = hosted::Admin::of(self.path()).get("/v1/host").unwrap().json();
        host["admin"]["streams"].as_u64().unwrap()
    }
}

#[test]
fn over_tcp_a_token_is_needed() {
    let served = serve();
    let url = fs::read_to_string(served.path().join("address")).unwrap();
    let token = served.path().join("token");
    let ask = |text: &str| {
        fs::write(&token, text).unwrap();
        fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        served.run(&["tenants", "--node", &url, "--token-file", "token"])
    };
    assert!(ask(SECRET).contains("shop"));
    let told = ask("another one, which is long enough".replace(' ', "").as_str());
    assert!(told.starts_with("exit code: 1\n--- stderr\nerror: the token is another one\nhelp: over TCP"), "{told}");
    let told = served.run(&["tenants", "--node", &url]);
    assert!(told.starts_with("exit code: 2\n--- stderr\nerror: a host with a URL needs `--token-file FILE`"), "{told}");
}

#[test]
fn a_host_that_is_not_there_is_said() {
    let here = folder(&[]);
    let run = |node: &str| transcript(&lunarium(here.path(), &["tenants", "--node", node]).output().unwrap());
    assert!(run("none.sock").starts_with("exit code: 1\n--- stderr\nerror: no host is found: there is no socket `none.sock`\nhelp: `lunarium serve` starts one"));
    drop(UnixListener::bind(here.path().join("left.sock")).unwrap());
    assert!(
        run("left.sock").contains("error: nobody listens at `left.sock` any more: the host that has made it has ended")
    );
    fs::write(here.path().join("file"), "").unwrap();
    assert!(run("file").starts_with("exit code: 1"));
    let mut command = lunarium(here.path(), &["tenants"]);
    command.env_remove("LUNARIUM_ADMIN").env("XDG_RUNTIME_DIR", here.path()).env("TMPDIR", here.path());
    let told = transcript(&command.output().unwrap());
    let found = format!("error: no host is found: there is no socket `{}/lunarium/admin.sock`", here.path().display());
    assert!(told.contains(&found) || Path::new("/run/lunarium/admin.sock").exists(), "{told}");
    assert!(run("http://127.0.0.1:1").contains("needs `--token-file FILE`"));
    assert!(run("https://127.0.0.1:1").contains("the admin interface has no TLS"));
}

#[test]
fn a_confined_host_is_changed_by_its_socket_and_leaves_one_that_is_replaced() {
    let here = folder(&[("shop/_index.yaml", INDEX), ("shop/worker.lua", WORKER)]);
    let serve = ["serve", "--tenant", "shop=shop", "--data", "data", "--admin", "unix:admin.sock"];
    let run = |arguments: &[&str]| {
        transcript(&lunarium(here.path(), arguments).env("LUNARIUM_ADMIN", "unix:admin.sock").output().unwrap())
    };
    let mut running = Running::start(&here, &serve);
    running.wait_for_error("admin interface at=unix:admin.sock");
    running.wait_for_error("serving: 1 tenant");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(here.path().join("admin.sock")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(run(&["tenants"]).contains("shop  running"));
    let told = run(&["deploy", "shop", "shop"]);
    assert!(told.starts_with("exit code: 0\n--- stdout\nshop runs deployment 2, which was sent\n"), "{told}");
    fs::write(here.path().join("shop/worker.lua"), "return {").unwrap();
    let told = run(&["deploy", "shop", "shop"]);
    assert!(
        told.contains("shop/worker.lua:1")
            && told.contains("error: the application has a mistake, and nothing was changed"),
        "{told}"
    );
    assert_eq!(run(&["rollback", "shop"]), "exit code: 0\n--- stdout\nshop runs deployment 1\n");
    let told = run(&["reload"]);
    assert!(
        told.starts_with("exit code: 1\n") && told.contains("error: tenant `shop`: the application has a mistake"),
        "{told}"
    );
    let told = run(&["remove", "shop"]);
    assert!(
        told.starts_with("exit code: 1\n--- stderr\nerror: tenant `shop` stands in the node's file, or was named"),
        "{told}"
    );
    let told = run(&["serve", "--tenant", "other=shop", "--admin", "unix:admin.sock"]);
    assert!(told.starts_with("exit code: 1\n--- stderr\nerror: admin socket `admin.sock` is another host's"), "{told}");
    let told = running.stop();
    for line in [
        "action=deploy tenant=shop done=true",
        "action=deploy tenant=shop done=false",
        "action=rollback tenant=shop done=true",
    ] {
        assert!(told.contains(&format!("INFO  audit {line}")), "{told}");
    }
    assert!(run(&["tenants"]).contains("nobody listens at `admin.sock` any more"));
    fs::write(here.path().join("shop/worker.lua"), WORKER).unwrap();
    let mut running = Running::start(&here, &serve);
    running.wait_for_error("serving: 1 tenant");
    assert!(run(&["ps", "shop", "shop"]).starts_with("exit code: 0\n"));
    running.signal("INT");
    assert!(running.finish().starts_with("exit code: 0\n"));
}

/// What is answered at an address of this machine.
fn ask(address: &str, line: &str, token: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request =
        format!("{line} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n");
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    answer
}

#[test]
fn a_browser_is_led_to_the_host_by_an_address_that_counts_once() {
    let served = serve();
    let url = fs::read_to_string(served.path().join("address")).unwrap();
    let token = served.path().join("token");
    fs::write(&token, SECRET).unwrap();
    fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    for node in [&["--node", "admin.sock"][..], &["--node", &url, "--token-file", "token"]] {
        let mut command = lunarium(served.path(), &[&["observe", "--json"], node].concat());
        let mut observing = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut output = std::io::BufReader::new(observing.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut output, &mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let told = told["url"].as_str().unwrap();
        let (address, key) = told.strip_prefix("http://").and_then(|rest| rest.split_once("/#key=")).unwrap();
        assert!(address.starts_with("127.0.0.1:") && key.len() == 64, "{told}");
        let session = ask(address, "POST /observe/session", key);
        let session: Value = serde_json::from_str(session.split_once("\r\n\r\n").unwrap().1).unwrap();
        let session = session["token"].as_str().unwrap();
        assert!(ask(address, "GET /v1/tenants", session).contains("\"name\":\"shop\""));
        assert!(ask(address, "GET /v1/tenants", key).starts_with("HTTP/1.1 401 "));
        assert!(ask(address, "POST /observe/session", key).starts_with("HTTP/1.1 401 "));
        assert!(ask(address, "GET /", "none").contains("<title>Lunarium</title>"));
        observing.kill().unwrap();
        observing.wait().unwrap();
    }
    let told = served.run(&["observe", "--port", "99999"]);
    assert!(told.starts_with("exit code: 2") && told.contains("--port"), "{told}");
}
