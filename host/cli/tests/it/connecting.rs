//! Requests of tenants to servers, from behind the wall: a second process connects, to where the node's file leads and nowhere else.

use std::fs;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;

use rustix::cmsg_space;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, SocketFlags, SocketType, recvmsg,
    send, socketpair,
};
use tempfile::TempDir;

use crate::changing::{WALLS, start as begin};
use crate::hosted::{Admin, index, wait_until, worker};
use crate::http::server;
use crate::{Running, Stopped, folder, lunarium, run};

/// What a tenant asks of servers: the body of an answer, or why there is none.
const GET: &str = "get = function(url) local r, e = require('http').get(url) return r and r.body or e:message() end";

fn node(grants: &str) -> String {
    format!("admin: unix:admin.sock\ntenants: [{{name: a, path: a, grants: {{{grants}}}}}]\n")
}

/// A host with one tenant, which has these grants and asks for them.
fn host(grants: &str) -> TempDir {
    let asked = if grants.is_empty() { String::new() } else { format!(", grants: {{{grants}}}") };
    let get = if grants.is_empty() { "get = function() return 'no http' end" } else { GET };
    folder(&[("node.yaml", &node(grants)), ("a/_index.yaml", &index(&asked)), ("a/worker.lua", &worker(get))])
}

/// Gives a host's tenant these grants, of which it asks for all: in its files.
fn write(folder: &TempDir, grants: &str) {
    let new = host(grants);
    for file in ["node.yaml", "a/_index.yaml", "a/worker.lua"] {
        fs::copy(new.path().join(file), folder.path().join(file)).unwrap();
    }
}

/// And has them read.
fn grant(running: &mut Running, folder: &TempDir, grants: &str) {
    write(folder, grants);
    running.signal("HUP");
    running.wait_for_error("tenant a reloaded: ");
}

fn start(folder: &TempDir, options: &[&str]) -> Running {
    let mut running = begin(folder, options);
    running.wait_for_error("serving: 1 tenant");
    running
}

fn kill_opener(running: &Running) {
    let killed = Command::new("pkill").args(["-KILL", "-P", &running.child.id().to_string()]).status().unwrap();
    assert!(killed.success());
}

fn get(folder: &TempDir, url: &str) -> String {
    Admin::of(folder.path()).call("a", "get", &format!("[\"{url}\"]"))[0].as_str().unwrap().to_owned()
}

fn rule(port: u16) -> String {
    format!("http: [{{url: 'http://localhost:{port}/*'}}]")
}

#[test]
fn a_tenant_is_allowed_servers_while_it_runs_for_the_first_time_and_others_and_none() {
    for wall in WALLS {
        let ((first, asked), (second, _)) = (server(), server());
        let url = |port: u16| format!("http://localhost:{port}/");
        let folder = host("");
        let mut running = start(&folder, wall);
        assert_eq!(get(&folder, &url(first)), "no http");
        grant(&mut running, &folder, &rule(first));
        wait_until(|| get(&folder, &url(first)) != "no http");
        assert_eq!(get(&folder, &url(first)), "hello");
        assert!(get(&folder, &url(second)).starts_with("no grant allows GET "));
        grant(&mut running, &folder, &rule(second));
        wait_until(|| get(&folder, &url(second)) == "hello");
        assert!(get(&folder, &url(first)).starts_with("no grant allows GET "));
        grant(&mut running, &folder, "");
        wait_until(|| get(&folder, &url(second)) == "no http");
        assert!(asked.load(Ordering::Relaxed) > 0);
        running.stop();
    }
}

#[test]
fn what_a_server_or_its_absence_says_is_the_same_behind_the_wall() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (open, _) = server();
    for wall in WALLS {
        let folder = host(&format!(
            "http: [{{url: 'http://localhost:{closed}/*'}}, {{url: 'http://127.0.0.1:{open}/*'}}, {{url: 'http://[::1]:{closed}/*'}}]"
        ));
        let running = start(&folder, wall);
        assert_eq!(get(&folder, &format!("http://127.0.0.1:{open}/")), "hello");
        let refused = "host can't be reached: connection refused";
        assert_eq!(get(&folder, &format!("http://localhost:{closed}/")), refused);
        let over_6 = get(&folder, &format!("http://[::1]:{closed}/"));
        // A machine may have no IPv6.
        assert!(over_6 == refused || over_6.starts_with("host can't be reached: "), "{over_6}");
        running.stop();
    }
}

/// A name that this machine knows by itself, with its address.
fn known_name() -> Option<(IpAddr, String)> {
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    let known = hosts.lines().filter_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        Some((words.next()?.parse().ok()?, words.find(|name| *name != "localhost")?.to_ascii_lowercase()))
    });
    known.into_iter().next()
}

#[test]
fn names_mean_behind_the_wall_what_they_mean_to_the_machine() {
    let Some((address, name)) = known_name() else {
        return println!("this machine's `/etc/hosts` has no name that could be tried");
    };
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for wall in WALLS {
        let folder = host(&format!("http: [{{url: 'http://{name}:{closed}/*', addresses: ['{address}']}}]"));
        let running = start(&folder, wall);
        let told = get(&folder, &format!("http://{name}:{closed}/"));
        assert!(told.starts_with("host can't be reached: "), "{told}");
        running.stop();
    }
}

#[test]
fn who_runs_with_a_grant_keeps_where_it_leads() {
    let ((old, _), (new, _)) = (server(), server());
    let folder = host(&rule(old));
    let mut running = start(&folder, &[]);
    let url = format!("http://localhost:{old}/");
    assert_eq!(get(&folder, &url), "hello");
    let change = |running: &mut Running, node_port: u16, port: u16, told: &str| {
        let keeps = index(&format!(", grants: {{{}}}", rule(port)));
        let keeps = keeps.replace("host: 'app:processes'", "host: 'app:processes', lifecycle: {on_change: keep}");
        fs::write(folder.path().join("a/_index.yaml"), keeps).unwrap();
        fs::write(folder.path().join("node.yaml"), node(&rule(node_port))).unwrap();
        running.signal("HUP");
        running.wait_for_error(told);
    };
    // The new application asks for what isn't allowed any more: the old one runs on, with what it was granted.
    change(&mut running, new, old, "tenant a keeps what it runs: ");
    assert_eq!(get(&folder, &url), "hello");
    change(&mut running, old, old, "tenant a reloaded: ");
    // So does a service that is kept as it is.
    change(&mut running, new, new, "tenant a reloaded: app:service keeps");
    assert_eq!(get(&folder, &url), "hello");
    running.stop();
}

#[test]
fn a_host_that_asks_servers_keeps_no_sockets_of_its_own() {
    let folder = host(&rule(9));
    let mut running = begin(&folder, &["--log-level", "debug"]);
    let told = running.wait_for_error("DEBUG confined ");
    assert!(told.ends_with(" sockets=accepted"), "{told}");
    running.wait_for_error("serving: 1 tenant");
    running.stop();
}

#[test]
fn one_tenant_s_reload_leads_its_requests_to_where_it_was_granted() {
    let (port, _) = server();
    let folder = host("");
    let running = start(&folder, &[]);
    let url = format!("http://localhost:{port}/");
    assert_eq!(get(&folder, &url), "no http");
    write(&folder, &rule(port));
    let told = run(&folder, &["reload", "a", "--node", "admin.sock"]);
    assert_eq!(told, "exit code: 0\n--- stdout\na runs deployment 2\n  app:service restarts\n");
    wait_until(|| get(&folder, &url) != "no http");
    assert_eq!(get(&folder, &url), "hello");
    // Without who connects the grant leads nowhere: whoever has asked is told.
    kill_opener(&running);
    let told = run(&folder, &["reload", "a", "--node", "admin.sock"]);
    assert!(
        told.contains("warning: requests of tenants go nowhere new: this host can have no other sockets"),
        "{told}"
    );
    running.stop();
}

#[test]
fn who_is_told_to_end_may_still_ask_servers() {
    let (port, _) = server();
    let folder = host(&rule(port));
    let last = format!(
        "return {{ main = function() process.registry.register('service') process.events():receive() \
         print('at the end', (require('http').get('http://localhost:{port}/') or {{}}).body) end, {GET} }}"
    );
    fs::write(folder.path().join("a/worker.lua"), last).unwrap();
    let running = start(&folder, &[]);
    assert_eq!(get(&folder, &format!("http://localhost:{port}/")), "hello");
    let told = running.stop();
    assert!(told.contains("at the end\\thello"), "{told}");
}

#[test]
fn without_the_other_process_requests_fail_and_all_else_goes_on() {
    let (port, _) = server();
    let folder = host(&rule(port));
    let mut running = start(&folder, &[]);
    let url = format!("http://localhost:{port}/");
    assert_eq!(get(&folder, &url), "hello");
    kill_opener(&running);
    for _ in 0..2 {
        assert_eq!(get(&folder, &url), "host can't be reached: not connected");
    }
    running.wait_for_error("ERROR this host can reach no servers any more: the process that connects to them is gone");
    running.signal("HUP");
    running.wait_for_error("ERROR requests of tenants go nowhere new");
    running.wait_for_error(
        "error: this host can have no other sockets while it runs: the process that opens them is gone",
    );
    running.wait_for_error("tenant a reloaded: no service has changed");
    running.stop();
}

#[test]
fn one_that_stands_still_is_asked_again_when_it_goes_on() {
    let (port, _) = server();
    let folder = host(&rule(port));
    let running = start(&folder, &[]);
    let url = format!("http://localhost:{port}/");
    let stopped = Stopped::opener_of(&running);
    assert_eq!(get(&folder, &url), "host can't be reached: it doesn't answer");
    drop(stopped);
    assert_eq!(get(&folder, &url), "hello");
    running.stop();
}

#[test]
fn who_may_write_the_file_connects_itself_if_it_was_allowed_to_at_its_start() {
    let (port, _) = server();
    let with_data = |folder: &TempDir| {
        let file = folder.path().join("node.yaml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(file, format!("data: .\n{text}")).unwrap();
    };
    let folder = host(&rule(port));
    with_data(&folder);
    let mut running = begin(&folder, &[]);
    running.wait_for_error("WARN  this host keeps internet sockets, and can listen nowhere else while it runs: it may");
    running.wait_for_error("serving: 1 tenant");
    assert_eq!(get(&folder, &format!("http://localhost:{port}/")), "hello");
    running.stop();
    let folder = host("");
    with_data(&folder);
    let mut running = start(&folder, &[]);
    fs::write(folder.path().join("node.yaml"), format!("data: .\n{}", node(&rule(port)))).unwrap();
    running.signal("HUP");
    running
        .wait_for_error("tenant a keeps what it runs: `http` is allowed, and this host can reach no servers: it may");
    running.wait_for_error("help: restart the host");
    running.stop();
}

/// Asks the second process for something, as a host that somebody has taken over; what it says, and whether it hands something over.
fn asked(line: &OwnedFd, message: &str) -> (String, bool) {
    send(line, message.as_bytes(), SendFlags::NOSIGNAL).unwrap();
    let (mut text, mut space) = (vec![0; 65_536], [MaybeUninit::uninit(); cmsg_space!(ScmRights(8))]);
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(line, &mut [IoSliceMut::new(&mut text)], &mut beside, RecvFlags::CMSG_CLOEXEC).unwrap();
    let handed = beside.drain().any(|message| matches!(message, RecvAncillaryMessage::ScmRights(_)));
    (String::from_utf8_lossy(&text[..received.bytes]).into_owned(), handed)
}

#[test]
fn who_has_taken_over_the_host_is_connected_to_nothing_else() {
    let ((allowed, _), (other, misled)) = (server(), server());
    let folder = host(&rule(allowed));
    let pair = || socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let ((listening, first), (connecting, second)) = (pair(), pair());
    // In a folder of the service manager's, as nothing is said of the admin interface later.
    let run = folder.path().join("run");
    fs::create_dir(&run).unwrap();
    let opener = |first: OwnedFd, second: OwnedFd| {
        let mut command = lunarium(folder.path(), &["serve", "--opener"]);
        command.env_remove("LUNARIUM_ADMIN").env("RUNTIME_DIRECTORY", &run);
        command.stdin(first).stdout(second).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut child = opener(first, second);
    let ask = |line: &OwnedFd, message: &str| {
        let (told, handed) = asked(line, &format!(r#"{{"number":1,"until":{},"message":{message}}}"#, u64::MAX));
        let told = told.strip_prefix(r#"{"number":1,"message":"#).unwrap().strip_suffix('}').unwrap().to_owned();
        (told, handed)
    };
    let ready = (r#""Ready""#.to_owned(), false);
    assert_eq!(ask(&listening, r#"{"Ready":{"default":null}}"#), ready);
    let connect = |transport: &str, address: SocketAddr| {
        ask(&connecting, &format!(r#"{{"transport":"{transport}","address":"{address}"}}"#))
    };
    let at = |port: u16| SocketAddr::new("127.0.0.1".parse().unwrap(), port);
    assert_eq!(connect("Tcp", at(allowed)), (r#""Begun""#.to_owned(), true));
    let denied = io::Error::from(rustix::io::Errno::ACCESS).raw_os_error().unwrap();
    let refused = || (format!(r#"{{"Refused":{denied}}}"#), false);
    for (transport, address) in [
        ("Tcp", at(other)),
        ("Udp", at(allowed)),
        ("Tcp", "127.0.0.1:22".parse().unwrap()),
        ("Tcp", "169.254.169.254:80".parse().unwrap()),
        ("Udp", "192.0.2.1:53".parse().unwrap()),
    ] {
        assert_eq!(connect(transport, address), refused(), "{transport} {address}");
    }
    // The file counts, as it was when it was read last, whatever is said.
    fs::write(folder.path().join("node.yaml"), node(&rule(other)).replace("admin: unix:admin.sock\n", "")).unwrap();
    assert_eq!(connect("Tcp", at(other)), refused());
    let elsewhere = r#"{"name":"tcp:127.0.0.1:0","shown":"tcp:127.0.0.1:0"}"#;
    assert_eq!(ask(&listening, &format!(r#"{{"Ready":{{"default":{elsewhere}}}}}"#)), ready);
    let (told, handed) = ask(&listening, &format!(r#"{{"Open":{{"held":[],"default":{elsewhere},"styled":false}}}}"#));
    assert!(handed && run.join("admin.sock").exists() && !told.contains("tcp:"), "{told}");
    assert!(connect("Tcp", at(other)).1);
    // Whoever runs with what it was granted keeps it.
    assert!(connect("Tcp", at(allowed)).1);
    assert!(misled.load(Ordering::Relaxed) <= 1);
    // Who waits no more isn't answered: what comes is for the next.
    let late = r#"{"number":2,"until":0,"message":{"transport":"Tcp","address":"127.0.0.1:1"}}"#;
    send(&connecting, late.as_bytes(), SendFlags::NOSIGNAL).unwrap();
    assert_eq!(connect("Tcp", at(1)), refused());
    // What makes no sense ends it, at either line.
    send(&connecting, b"nonsense", SendFlags::NOSIGNAL).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let ((listening, first), (_connecting, second)) = (pair(), pair());
    let opener = opener(first, second);
    send(&listening, b"nonsense", SendFlags::NOSIGNAL).unwrap();
    let ended = opener.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(told.starts_with("error: `--opener` is for the host alone: "), "{told}");
}
