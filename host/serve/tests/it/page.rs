//! The page as it is served, and the address that leads a browser to it.

use std::os::unix::net::UnixListener;
use std::sync::Arc;

use lunarium_serve::{Admin, AdminConfig, Host, Token, Way, observe};
use tempfile::{TempDir, tempdir};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{ENTRIES, Nowhere, said, service, start, tenant, write};

const KEY: &str = "a-key-that-is-long-enough";
const SESSION: &str = "a-session-that-is-long-enough";

/// A host with its socket, and an address that leads there.
struct Observed {
    host: Host,
    admin: Admin,
    address: String,
    _root: TempDir,
}

async fn observed() -> Observed {
    let root = tempdir().unwrap();
    write(&root.path().join("a"), &ENTRIES, &[("worker.lua", &service("this is a"))]);
    let host = start(vec![tenant("a", &root)]).await;
    said(&host.tenant("a").unwrap(), "service app:service has started").await;
    let socket = root.path().join("admin.sock");
    let mut config = AdminConfig::new(Arc::new(Nowhere));
    config.unix = vec![UnixListener::bind(&socket).unwrap()];
    let admin = Admin::start(host.clone(), config).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let [key, session] = [KEY, SESSION].map(|text| Token::new(text).unwrap());
    tokio::spawn(observe(listener, Way::Unix(socket), key, session));
    Observed { host, admin, address, _root: root }
}

impl Observed {
    /// What is answered to a request of these header lines: status, and all of it.
    async fn ask(&self, line: &str, headers: &[&str]) -> (u16, String) {
        let mut socket = TcpStream::connect(&self.address).await.unwrap();
        let named = headers.iter().any(|header| header.starts_with("Host:"));
        let host = if named { String::new() } else { format!("Host: {}\r\n", self.address) };
        let more: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let request = format!("{line} HTTP/1.1\r\n{host}Connection: close\r\n{more}\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    }

    async fn status(&self, line: &str, headers: &[&str]) -> u16 {
        self.ask(line, headers).await.0
    }

    async fn end(self) {
        self.admin.stop().await;
        self.host.stop().await;
    }
}

#[tokio::test]
async fn the_shell_is_anybodys_and_may_load_nothing_from_elsewhere() {
    let observed = observed().await;
    let (status, shell) = observed.ask("GET /", &[]).await;
    assert_eq!(status, 200);
    let shell = shell.to_ascii_lowercase();
    for wanted in [
        "content-security-policy: default-src 'none'; script-src 'self';",
        "frame-ancestors 'none'; require-trusted-types-for 'script'",
        "referrer-policy: no-referrer",
        "x-content-type-options: nosniff",
        "content-type: text/html",
    ] {
        assert!(shell.contains(wanted), "no {wanted} in {shell}");
    }
    let (status, script) = observed.ask("GET /page/main.js", &[]).await;
    assert!(
        status == 200 && script.contains("text/javascript") && script.contains("content-security-policy"),
        "{script}"
    );
    assert_eq!(observed.status("GET /page/none.js", &[&bearer(SESSION)]).await, 404);
    observed.end().await;
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

#[tokio::test]
async fn only_who_brings_the_key_first_gets_through() {
    let observed = observed().await;
    let tenants = "GET /v1/tenants";
    assert_eq!(observed.status(tenants, &[]).await, 401);
    assert_eq!(observed.status(tenants, &[&bearer(KEY)]).await, 401, "a key opens nothing but a session");
    let exchange = "POST /observe/session";
    assert_eq!(observed.status(exchange, &[&bearer("another-key-that-is-long-enough")]).await, 401);
    assert_eq!(observed.status(exchange, &[&bearer(KEY), "Origin: http://evil.example"]).await, 403);
    let (status, session) = observed.ask(exchange, &[&bearer(KEY)]).await;
    assert!(status == 200 && session.contains(SESSION), "{session}");
    let (status, again) = observed.ask(exchange, &[&bearer(KEY)]).await;
    assert!(status == 401 && again.contains("this address was opened already"), "{again}");
    let (status, all) = observed.ask(tenants, &[&bearer(SESSION)]).await;
    assert!(status == 200 && all.contains("\"name\":\"a\""), "{all}");
    observed.end().await;
}

#[tokio::test]
async fn a_page_from_elsewhere_and_another_name_of_the_address_get_nothing() {
    let observed = observed().await;
    let session = bearer(SESSION);
    for (headers, wanted) in [
        (vec!["Host: evil.example"], 403),
        (vec!["Host: 10.0.0.1"], 403),
        (vec!["Origin: http://evil.example"], 403),
        (vec!["Sec-Fetch-Site: cross-site"], 403),
        (vec!["Sec-Fetch-Site: same-origin"], 200),
    ] {
        let with = [&headers[..], &[&session]].concat();
        assert_eq!(observed.status("GET /v1/tenants", &with).await, wanted, "{headers:?}");
    }
    assert_eq!(observed.status("GET /", &["Host: evil.example"]).await, 403, "the shell, too");
    assert_eq!(observed.status(&format!("GET /v1/tenants?token={SESSION}"), &[&session]).await, 400);
    observed.end().await;
}

#[tokio::test]
async fn numbers_and_curves_are_told_and_what_is_changed_is_changed() {
    let observed = observed().await;
    let session = bearer(SESSION);
    let (status, metrics) = observed.ask("GET /metrics", &[&session]).await;
    assert!(
        status == 200 && metrics.contains("lunarium_processes{tenant=\"a\",host=\"app:processes\"} 1"),
        "{metrics}"
    );
    assert!(metrics.contains("application/openmetrics-text; version=1.0.0"), "{metrics}");
    let (status, history) = observed.ask("GET /v1/history", &[&session]).await;
    assert!(status == 200 && history.contains("\"columns\":[\"at\",\"processes\""), "{history}");
    assert_eq!(observed.status("GET /v1/tenants/a/history", &[&session]).await, 200);
    assert_eq!(observed.status("GET /v1/tenants/b/history", &[&session]).await, 404);

    let node = observed.host.tenant("a").unwrap().node().unwrap();
    let pid = node.processes()[0].pid.to_string().replace('{', "%7B").replace('}', "%7D").replace('|', "%7C");
    let terminate = format!("POST /v1/tenants/a/processes/{pid}/terminate");
    assert_eq!(observed.status(&terminate, &[]).await, 401);
    let (status, said) = observed.ask(&terminate, &[&session]).await;
    assert!(status == 200 || status == 202, "{said}");
    observed.end().await;
}

#[tokio::test]
async fn an_address_that_others_reach_is_refused() {
    let listener = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let [key, session] = [KEY, SESSION].map(|text| Token::new(text).unwrap());
    let error = observe(listener, Way::Unix("/nowhere".into()), key, session).await.unwrap_err();
    assert!(error.to_string().contains("isn't an address of this machine alone"), "{error}");
}
