//! Requests over real sockets to real processes: what clients and scripts do wrong ends in a status, and leaves nothing behind.
//!
//! Owns how a test serves an application and speaks to it. No test waits for time to pass, but where a server's own patience is what is
//! tested: there it is short.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod answers;
mod calls;
mod clients;
mod requests;
mod scripts;
mod sites;
mod stop;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::task::Waker;
use std::thread;
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use futures_lite::future::block_on;
use lunarium_app::{App, Draft, NoAuthority, Running, ServiceChange, Services};
use lunarium_engine::{Level, LogField, Node, NodeConfig, Output, ProcessLabel};
use lunarium_serve::endpoint::{Server, ServerConfig, Site, Sites, Traffic, TrafficLimits};

/// Log lines, each with its level.
#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// The last line that holds a text.
    fn with(&self, text: &str) -> String {
        let lines = self.lines();
        lines
            .iter()
            .rfind(|line| line.contains(text))
            .cloned()
            .unwrap_or_else(|| panic!("no line with `{text}`: {lines:#?}"))
    }
}

impl Output for Log {
    fn print(&self, _: &ProcessLabel, line: &str) -> bool {
        self.0.lock().unwrap().push(line.to_owned());
        true
    }

    fn on_ready(&self, waker: Waker) {
        waker.wake();
    }

    fn log(&self, _: &ProcessLabel, level: Level, message: &str, _: &[LogField]) {
        self.0.lock().unwrap().push(format!("{level:?}: {message}"));
    }
}

/// An application on a node of its own.
struct Tenant {
    node: Node,
    log: Arc<Log>,
    app: App,
    running: Running,
    traffic: Arc<Traffic>,
}

impl Tenant {
    /// With these entries; its services have started.
    fn new(entries: &str, limits: TrafficLimits) -> Tenant {
        let log = Arc::<Log>::default();
        let node = Node::start(NodeConfig::new(Arc::<Log>::clone(&log)).with_max_processes(100)).unwrap();
        Tenant::on(node, log, entries, limits)
    }

    fn on(node: Node, log: Arc<Log>, entries: &str, limits: TrafficLimits) -> Tenant {
        let folder = tempfile::tempdir().unwrap();
        let index = format!("version: \"1.0\"\nnamespace: app\nentries:\n{entries}");
        std::fs::write(folder.path().join("_index.yaml"), index).unwrap();
        let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
        let mut draft = Draft::of_folder(&dir, Path::new("app"), &NoAuthority);
        block_on(draft.compile(&node));
        let app = draft.finish().unwrap_or_else(|report| panic!("{report}"));
        app.install(&node, None).unwrap();
        let mut services = Services::start(&node, &app);
        let running = services.running().clone();
        let (tell, started) = mpsc::channel();
        let wanted = app.services().len();
        thread::spawn(move || {
            while let Some(event) = block_on(services.next_event()) {
                if matches!(event.change, ServiceChange::Started { .. }) {
                    let _ = tell.send(());
                }
            }
        });
        (0..wanted).for_each(|_| started.recv().unwrap());
        Tenant { node, log, app, running, traffic: Traffic::new(limits) }
    }

    fn site(&self, name: &str) -> Site {
        let traffic = Arc::clone(&self.traffic);
        Site::new(name, self.node.clone(), self.running.clone(), self.app.endpoints(), traffic)
    }

    /// Nothing is left of any request: no process, no place, no byte.
    fn is_clean(&self) {
        block_on(self.node.idle());
        wait_until(|| self.traffic.usage().under_way == 0);
        assert_eq!(self.traffic.usage().held, 0);
    }
}

/// Looks again and again: what another thread is about to do has no end to wait for.
fn wait_until(done: impl Fn() -> bool) {
    while !done() {
        thread::yield_now();
    }
}

/// A server with one tenant, for everything.
struct Served {
    tenant: Tenant,
    server: Option<Server>,
    address: SocketAddr,
}

impl Served {
    fn new(entries: &str) -> Served {
        Served::with(entries, ServerConfig::default(), TrafficLimits::default())
    }

    fn with(entries: &str, config: ServerConfig, limits: TrafficLimits) -> Served {
        let tenant = Tenant::new(entries, limits);
        let server = listen(config, [tenant.site("tenant")]);
        let address = server.address();
        Served { tenant, server: Some(server), address }
    }

    fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// Sends a request on a connection of its own.
    fn ask(&self, request: &str) -> Reply {
        self.client().ask(request.as_bytes())
    }

    /// The same, for a path.
    fn get(&self, path: &str) -> Reply {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))
    }
}

fn listen(config: ServerConfig, sites: impl IntoIterator<Item = Site>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    Server::start(listener, config, Sites::new(sites).unwrap()).unwrap()
}

/// An entry `name` that is a program, and an endpoint for it.
fn endpoint(name: &str, source: &str, rest: &str) -> String {
    let source = source.replace('\n', "\n      ");
    format!(
        "  - name: {name}\n    kind: process.lua\n    source: |\n      {source}\n  - {{name: {name}_endpoint, kind: http.endpoint, process: {name}, {rest}}}\n"
    )
}

/// One side of a connection.
struct Client {
    stream: TcpStream,
    read: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Client {
    fn new(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).unwrap();
        // Of a test that would else hang.
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Client { stream, read: Vec::new() }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    fn ask(&mut self, bytes: &[u8]) -> Reply {
        self.send(bytes);
        self.reply(!bytes.starts_with(b"HEAD ")).unwrap_or_else(|| panic!("closed without an answer"))
    }

    /// The next answer. None: the connection was closed before it was whole.
    fn reply(&mut self, has_body: bool) -> Option<Reply> {
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            self.more()?;
        };
        let head = String::from_utf8(self.read.drain(..end).collect()).unwrap();
        let status = head[9..12].parse().unwrap();
        let mut reply = Reply { status, head, body: Vec::new() };
        let length = reply.header("content-length").map_or(0, |length| length.parse().unwrap());
        let length = if has_body { length } else { 0 };
        while self.read.len() < length {
            self.more()?;
        }
        reply.body = self.read.drain(..length).collect();
        Some(reply)
    }

    fn more(&mut self) -> Option<()> {
        let mut buffer = [0; 4096];
        let count = self.stream.read(&mut buffer).unwrap_or(0);
        self.read.extend_from_slice(&buffer[..count]);
        (count > 0).then_some(())
    }

    /// Whether the server closes the connection, without another answer.
    fn is_closed(&mut self) -> bool {
        while self.more().is_some() {}
        self.read.is_empty()
    }
}
