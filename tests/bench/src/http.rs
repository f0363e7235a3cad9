//! What a request from outside costs: answered by a process of its own, or by a call, of one tenant or of a hundred, beside plain hyper that
//! says the same, and beside whatever server LUNARIUM_BENCH_URL names. Needs the load generator `wrk` (`apt-get install wrk`), which runs on the
//! same cores.
//!
//! How many are answered in a second, and how long the median and the slowest of a hundred take, one connection at a time and fifty; and
//! that once more where half as many are asked in a second as can be answered.

use std::convert::Infallible;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use bytes::Bytes;
use futures_lite::future::block_on;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use lunarium::{Dir, ambient_authority};
use lunarium_app::{App, Draft, NoAuthority, ServiceChange, Services};
use lunarium_engine::{Node, NodeConfig};
use lunarium_serve::endpoint::{Server, ServerConfig, Site, Sites, Traffic, TrafficLimits};

use crate::bench::{Bench, LastPrint, fail};
use crate::report::Report;

const TENANTS: usize = 100;

/// Connections at once, where it isn't one.
const MANY: u32 = 50;

/// Of each measurement: long enough for some ten thousand requests, also where a process is started for each.
const SECONDS: u32 = 4;

const INDEX: &str = r#"version: "1.0"
namespace: app
entries:
  - name: hello
    kind: process.lua
    source: "return { main = function() return { body = 'hello' } end }"
  - name: greeter
    kind: process.lua
    source: "return { handle = function() return { body = 'hello' } end }"
  - {name: greeter_service, kind: process.service, process: greeter, host: 'app:processes'}
  - {name: by_process, kind: http.endpoint, path: /process, process: hello}
  - {name: by_call, kind: http.endpoint, path: /call, call: greeter_service}
"#;

/// What a load generator has measured.
struct Load {
    /// Requests in a second.
    rate: f64,
    half: Duration,
    most: Duration,
}

pub(crate) fn run(bench: &Bench, report: &mut Report) {
    let folder = std::env::temp_dir().join(format!("lunarium-bench-{}", std::process::id()));
    let must = |done: std::io::Result<()>| done.unwrap_or_else(|error| fail(&format!("{}: {error}", folder.display())));
    must(fs::create_dir_all(&folder));
    must(fs::write(folder.join("_index.yaml"), INDEX));
    let plain = plain();
    let one = Tenants::start(bench, &folder, 1);
    measure(report, "plain hyper", &format!("http://{plain}/"), None);
    if let Ok(url) = std::env::var("LUNARIUM_BENCH_URL") {
        measure(report, &url, &url, None);
    }
    let most = measure(report, "a fresh process", &one.url("/process"), None);
    let script = folder.join("half.lua");
    must(fs::write(&script, at_rate(most / 2.0)));
    let Load { rate, half, most } = load(&one.url("/process"), MANY, Some(&script));
    report.requests("http: a fresh process, half as many", rate, half, most);
    measure(report, "by call", &one.url("/call"), None);
    drop(one);
    let many = Tenants::start(bench, &folder, TENANTS);
    for (what, path) in [("a fresh process, 100 tenants", "process"), ("by call, 100 tenants", "call")] {
        let script = folder.join(format!("{path}.lua"));
        let text = format!(
            "local n = 0\nrequest = function() n = (n + 1) % {TENANTS} return wrk.format('GET', '/t' .. n .. '/{path}') end\n"
        );
        must(fs::write(&script, text));
        measure(report, what, &many.url(&format!("/t0/{path}")), Some(&script));
    }
    drop(many);
    let _ = fs::remove_dir_all(&folder);
}

/// How many are answered in a second at many connections.
fn measure(report: &mut Report, what: &str, url: &str, script: Option<&Path>) -> f64 {
    let mut of_many = 0.0;
    for connections in [1, MANY] {
        let Load { rate, half, most } = load(url, connections, script);
        report.requests(&format!("http: {what}, {connections} connections"), rate, half, most);
        of_many = rate;
    }
    of_many
}

/// For wrk: many connections that ask so often in a second together, each after a pause by chance.
fn at_rate(rate: f64) -> String {
    let longest = (2_000.0 * f64::from(MANY) / rate).round();
    format!("delay = function() return math.random(0, {longest}) end\n")
}

/// Asks for so long what it can.
fn load(url: &str, connections: u32, script: Option<&Path>) -> Load {
    let mut command = Command::new("wrk");
    command.args(["-t1", &format!("-c{connections}"), &format!("-d{SECONDS}s"), "--latency"]);
    if let Some(script) = script {
        command.arg("-s").arg(script);
    }
    let output = command
        .arg(url)
        .output()
        .unwrap_or_else(|error| fail(&format!("wrk can't be run ({error}): apt-get install wrk")));
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        fail(&format!("not all was answered:\n{text}"));
    }
    let after = |key: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(key));
        line.map(str::trim).unwrap_or_else(|| fail(&format!("wrk said no `{key}`:\n{text}")))
    };
    let rate = after("Requests/sec:").parse().unwrap_or_else(|_| fail("wrk said no rate"));
    Load { rate, half: duration(after("50%")), most: duration(after("99%")) }
}

/// As wrk writes it: `1.23ms`.
fn duration(text: &str) -> Duration {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(number.len()..) {
        Some("us") => 1e-6,
        Some("ms") => 1e-3,
        Some("s") => 1.0,
        _ => fail(&format!("`{text}` is no duration of wrk's")),
    };
    number
        .parse::<f64>()
        .map_or_else(|_| fail(&format!("`{text}` is no duration")), |number| Duration::from_secs_f64(number * unit))
}

/// Tenants with a node each, and the server in front of them.
struct Tenants {
    server: Server,
    _nodes: Vec<Node>,
}

impl Tenants {
    fn start(bench: &Bench, folder: &Path, count: usize) -> Tenants {
        let started: Vec<(Node, Site)> = (0..count).map(|number| tenant(bench, folder, number, count > 1)).collect();
        let (nodes, sites): (Vec<_>, Vec<_>) = started.into_iter().unzip();
        let sites = Sites::new(sites).unwrap_or_else(|error| fail(&error.to_string()));
        let server = listener().and_then(|listener| Server::start(listener, ServerConfig::default(), sites));
        Tenants { server: server.unwrap_or_else(|error| fail(&error.to_string())), _nodes: nodes }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }
}

fn tenant(bench: &Bench, folder: &Path, number: usize, is_one_of_many: bool) -> (Node, Site) {
    let output = Arc::<LastPrint>::clone(&bench.output);
    let node =
        Node::start_on(bench.node.engine(), NodeConfig::new(output)).unwrap_or_else(|error| fail(&error.to_string()));
    let app = application(&node, folder);
    if let Err(error) = app.install(&node, None) {
        fail(&error.to_string());
    }
    let mut services = Services::start(&node, &app);
    let running = services.running().clone();
    let (tell, started) = mpsc::channel();
    std::thread::spawn(move || {
        while let Some(event) = block_on(services.next_event()) {
            if matches!(event.change, ServiceChange::Started { .. }) {
                let _ = tell.send(());
            }
        }
    });
    if started.recv().is_err() {
        fail("no service has started");
    }
    // Nothing is refused here.
    let mut limits = TrafficLimits::default();
    limits.requests_per_second = 1_000_000;
    let site = Site::new(&format!("t{number}"), node.clone(), running, app.endpoints(), Traffic::new(limits));
    (node, if is_one_of_many { site.at_hosts(&[]) } else { site })
}

fn application(node: &Node, folder: &Path) -> App {
    let dir = Dir::open_ambient_dir(folder, ambient_authority()).unwrap_or_else(|error| fail(&error.to_string()));
    let mut draft = Draft::of_folder(&dir, folder, &NoAuthority);
    block_on(draft.compile(node));
    draft.finish().unwrap_or_else(|report| fail(&report.to_string()))
}

fn listener() -> std::io::Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0")
}

/// hyper as our server has it, with nothing behind it: where it listens.
fn plain() -> SocketAddr {
    let listener = listener().unwrap_or_else(|error| fail(&error.to_string()));
    let address = listener.local_addr().unwrap_or_else(|error| fail(&error.to_string()));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.unwrap_or_else(|error| fail(&error.to_string()));
        runtime.block_on(async move {
            let set = listener.set_nonblocking(true).and_then(|()| tokio::net::TcpListener::from_std(listener));
            let listener = set.unwrap_or_else(|error| fail(&error.to_string()));
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(async move {
                    let mut server = http1::Builder::new();
                    server.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(15));
                    let _ = server.serve_connection(TokioIo::new(stream), service_fn(hello)).await;
                });
            }
        });
    });
    address
}

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(b"hello"))))
}
