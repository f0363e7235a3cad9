//! Ten thousand connections that ask for nothing: those who ask are answered, and the host holds no more than it may.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};

use crate::endpoints::{address, get};
use crate::hosted::{Admin, wait_until};
use crate::{Running, folder, limited, lunarium};

const APPLICATION: [(&str, &str); 2] = [
    ("node.yaml", "tenants: [{name: hi, path: hi}]\n"),
    (
        "hi/_index.yaml",
        "version: \"1.0\"\nnamespace: app\nentries:\n  \
         - {name: hello, kind: process.lua, source: \"return function(r) return { body = 'hello' } end\"}\n  \
         - {name: endpoint, kind: http.endpoint, path: '/{name}', process: hello}\n",
    ),
];

/// A client's sockets, which need a runtime to be bound to addresses of their own.
struct Clients {
    runtime: Runtime,
    idle: Vec<TcpStream>,
}

impl Clients {
    fn new() -> Clients {
        Clients { runtime: Builder::new_current_thread().enable_io().build().unwrap(), idle: Vec::new() }
    }

    /// One more connection, as from one of many machines; every third sends half of a head. False: nobody lets it in.
    fn come(&mut self, to: SocketAddr) -> bool {
        let number = self.idle.len();
        let from = Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 0).to_bits() + u32::try_from(number / 500).unwrap());
        let came = self.runtime.block_on(async {
            let socket = TcpSocket::new_v4()?;
            socket.bind((from, 0).into())?;
            let mut stream = socket.connect(to).await?;
            if number.is_multiple_of(3) {
                stream.write_all(b"GET /ada HTTP/1.1\r\nHost: x").await?;
            }
            Ok::<_, std::io::Error>(stream)
        });
        came.map(|stream| self.idle.push(stream)).is_ok()
    }
}

/// Kibibytes that a process holds.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn open_files(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

#[test]
fn ten_thousand_idle_connections_keep_nobody_out() {
    let folder = folder(&APPLICATION);
    std::fs::write(folder.path().join("token"), "0123456789abcdef0123456789abcdef").unwrap();
    let secret = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(folder.path().join("token"), secret).unwrap();
    let mut arguments = vec!["serve", "--http", "127.0.0.1:0", "--admin", "unix:admin.sock"];
    arguments.extend(["--admin", "tcp:127.0.0.1:0", "--admin-token-file", "token"]);
    let mut running = Running::of(lunarium(folder.path(), &arguments));
    let admin_at = running.wait_for_error("admin interface");
    let tcp: SocketAddr = admin_at.rsplit_once("at=tcp:").unwrap().1.parse().unwrap();
    let at = address(&mut running);
    running.wait_for_error("serving: 1 tenant");
    let (pid, to, admin) = (running.child.id(), at.parse().unwrap(), Admin::of(folder.path()));
    assert_eq!(get(&at, "/hi/ada"), "200 hello");

    // As many as this process may have, and more than the host has places. On a slow machine the first are closed for their age before.
    let most = lunarium_confine::raise_open_files(20_000).saturating_sub(2_000).min(10_500);
    if most < 10_500 {
        println!("ONLY {most} connections are tried: the system lets this test have no more");
    }
    let before = resident(pid);
    let mut clients = Clients::new();
    for number in 0..most {
        assert!(clients.come(to), "{number}");
        if number.is_multiple_of(1_000) {
            assert_eq!(get(&at, "/hi/ada"), "200 hello");
        }
    }
    assert_eq!(get(&at, "/hi/ada"), "200 hello");
    assert!(open_files(pid) < 10_400, "{}", open_files(pid));
    let grown = resident(pid).saturating_sub(before);
    assert!(grown < most * 24, "{grown} KiB for {most} connections");

    // And the admin interface, over TCP.
    let host = admin.get("/v1/host").unwrap().json();
    assert_eq!(host["admin"]["max_connections"], 256, "{host}");
    for number in 0..1_000 {
        assert!(clients.come(tcp), "{number}");
    }
    let host = admin.get("/v1/host").unwrap().json();
    assert!(host["admin"]["connections"].as_u64().unwrap() <= 256, "{host}");
    assert_eq!(get(&at, "/hi/ada"), "200 hello");
    drop(clients);
    wait_until(|| open_files(pid) < 200);
    running.stop();
}

#[test]
fn with_few_open_files_there_are_few_connections_and_all_goes_on() {
    let folder = folder(&APPLICATION);
    let serve = ["serve", "--http", "127.0.0.1:0", "--admin", "unix:admin.sock"];
    let mut running = Running::of(limited(&folder, "-n 128", &serve));
    running.wait_for_error(
        "the system lets this program have 128 open files, so there can be 64 connections for requests and 16 of the admin interface: \
         `ulimit -Hn`, or systemd's `LimitNOFILE`, raises it",
    );
    let at = address(&mut running);
    running.wait_for_error("serving: 1 tenant");
    let (pid, admin) = (running.child.id(), Admin::of(folder.path()));
    let mut clients = Clients::new();
    for number in 0..300_u32 {
        assert!(clients.come(at.parse().unwrap()), "{number}");
        if number.is_multiple_of(50) {
            assert_eq!(get(&at, "/hi/ada"), "200 hello");
        }
    }
    let mut local = Vec::new();
    for _ in 0..100 {
        let mut stream = std::os::unix::net::UnixStream::connect(&admin.0).unwrap();
        let _ = stream.write_all(b"GET /v1/host HTTP/1.1\r\nHost: local");
        local.push(stream);
    }
    let host = admin.get("/v1/host").unwrap().json();
    assert!(host["admin"]["connections"].as_u64().unwrap() <= 16, "{host}");
    assert_eq!(get(&at, "/hi/ada"), "200 hello");
    assert!(open_files(pid) <= 128);
    drop((clients, local));
    assert_eq!(get(&at, "/hi/ada"), "200 hello");
    let rest = running.stop();
    assert!(rest.contains("idle closed for others") && !rest.contains("Too many open files"), "{rest}");
}
