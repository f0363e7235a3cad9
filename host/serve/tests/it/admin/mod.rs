//! The admin interface with a real host and real tenants, over a Unix socket and TCP.
//!
//! Owns a client of a few lines, which can break the protocol as a library's can't. Every answer is held against the OpenAPI document.

mod act;
mod bounds;
mod change;
mod look;
mod schema;
mod stream;

use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;

use lunarium_serve::{Admin, AdminConfig, Host, Token};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use super::{ENTRIES, Nowhere, said, start, tenant, write};
use schema::Document;

/// What a tenant of these tests runs: it has a name, a child, and functions to call.
const SHOP: &str = r#"
local function main()
    process.registry.register("shop")
    process.listen("kept")
    local child = process.spawn_linked_monitored("app:child", "app:processes")
    print("shop is open")
    logger:warn("little <b>stock</b>", { left = 3 })
    process.inbox():receive()
end
return {
    main = main,
    add = function(a, b) return a + b, { sum = a + b } end,
    fail = function() error("no tea left", 0) end,
    slow = function() time.sleep("1h") end,
    say = function(count) for i = 1, count do logger:info("line " .. i) end return count end,
}"#;

const CHILD: &str = "return { main = function() process.monitor('shop') process.events():receive() end }";

const SECRET: &str = "0123456789abcdef0123456789abcdef";

struct Served {
    host: Host,
    admin: Admin,
    socket: PathBuf,
    tcp: std::net::SocketAddr,
    document: Document,
    _root: TempDir,
}

/// A host with the tenant `shop`, whose process waits, and the tenant `wrong`, which has failed.
async fn serve() -> Served {
    let root = tempfile::tempdir().unwrap();
    let mut entries = ENTRIES.to_vec();
    entries.push("{name: child, kind: process.lua, source: 'file://child.lua'}");
    write(&root.path().join("shop"), &entries, &[("worker.lua", SHOP), ("child.lua", CHILD)]);
    write(&root.path().join("wrong"), &ENTRIES, &[("worker.lua", "return {")]);
    let host = start(vec![tenant("shop", &root), tenant("wrong", &root)]).await;
    said(&host.tenant("shop").unwrap(), "little").await;
    serve_host(host, root)
}

/// Serves a host, at a socket in this folder and at a port.
fn serve_host(host: Host, root: TempDir) -> Served {
    serve_with(host, root, |_| {})
}

/// The same with more of a configuration.
fn serve_with(host: Host, root: TempDir, complete: impl FnOnce(&mut AdminConfig)) -> Served {
    let socket = root.path().join("admin.sock");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let tcp = listener.local_addr().unwrap();
    let mut config = AdminConfig::new(Arc::new(Nowhere));
    config.unix = vec![UnixListener::bind(&socket).unwrap()];
    config.tcp = Some((listener, Token::new(SECRET).unwrap()));
    complete(&mut config);
    let admin = Admin::start(host.clone(), config).unwrap();
    Served { host, admin, socket, tcp, document: Document::new(), _root: root }
}

/// An answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn read(bytes: &[u8]) -> Option<Answer> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        Some(Answer { status, head: head.to_lowercase(), body: body.to_owned() })
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn error(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }
}

impl Served {
    /// Writes these bytes to a connection of its own and reads all that comes.
    async fn raw(&self, bytes: &[u8]) -> Option<Answer> {
        let mut stream = UnixStream::connect(&self.socket).await.unwrap();
        // Who is refused may not read the rest.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        Answer::read(&answer)
    }

    /// The same over TCP.
    async fn raw_tcp(&self, bytes: &[u8]) -> Option<Answer> {
        let mut stream = TcpStream::connect(self.tcp).await.unwrap();
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        Answer::read(&answer)
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&str>) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        if let Some(body) = body {
            request
                .push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
        } else {
            request.push_str("\r\n");
        }
        self.raw(request.as_bytes()).await.unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    /// What is answered with this status, as the document says for this route.
    async fn expect(&self, method: &str, route: &str, path: &str, body: Option<&str>, status: u16) -> Value {
        let answer = self.ask(method, path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        for header in ["content-type: application/json", "cache-control: no-store", "x-content-type-options: nosniff"] {
            assert!(answer.head.contains(header), "{header}: {answer:?}");
        }
        let value = answer.json();
        self.document
            .check(method, route, status, &value)
            .unwrap_or_else(|wrong| panic!("{method} {path}: {wrong}: {value}"));
        value
    }

    async fn get(&self, route: &str, path: &str) -> Value {
        self.expect("GET", route, path, None, 200).await
    }

    async fn stop(self) {
        self.admin.stop().await;
        self.host.stop().await;
        let held: u64 = self.host.engine().usage().held.iter().map(|held| held.used).sum();
        assert_eq!(held, 0);
    }
}

/// A pid as it stands in a path.
fn encoded(pid: &str) -> String {
    pid.replace('{', "%7B").replace('}', "%7D").replace('|', "%7C").replace(':', "%3A")
}
