//! How a server stops.

use std::time::Duration;

use futures_lite::future::block_on;

use crate::{Served, endpoint, wait_until};

const WAITS: &str = "return { main = function() process.registry.register('waits') process.listen('go'):receive() return { body = 'done' } end }";

#[test]
fn requests_under_way_are_answered_and_no_more_come() {
    let mut served = Served::new(&endpoint("waits", WAITS, "path: /"));
    let (mut client, mut idle) = (served.client(), served.client());
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_until(|| served.tenant.node.waiting_count() == 1);
    let pid = served.tenant.node.pids().pop().unwrap();
    let server = served.server.take().unwrap();
    let stopping = std::thread::spawn(move || block_on(server.stop(Duration::from_secs(600))));
    // It asks for nothing, so it is closed; then the server has begun to stop.
    assert!(idle.is_closed());
    served.tenant.node.send(pid.as_str(), "go", &lunarium_engine::Value::Nil).unwrap();
    let reply = client.reply(true).unwrap();
    assert_eq!((reply.text(), reply.header("connection")), ("done", Some("close")));
    assert!(client.is_closed());
    assert_eq!(stopping.join().unwrap().cut, 0);
    assert!(std::net::TcpStream::connect(served.address).is_err());
    served.tenant.is_clean();
}

#[test]
fn who_has_just_connected_is_answered() {
    let mut served = Served::new(&endpoint("says", "return function() return { body = 'hello' } end", "path: /"));
    let mut clients: Vec<_> = (0..50).map(|_| served.client()).collect();
    let server = served.server.take().unwrap();
    let stopping = std::thread::spawn(move || block_on(server.stop(Duration::from_secs(600))));
    for client in &mut clients {
        assert_eq!(client.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").text(), "hello");
    }
    drop(clients);
    assert_eq!(stopping.join().unwrap().cut, 0);
    served.tenant.is_clean();
}

#[test]
fn what_takes_too_long_is_cut_off_and_its_process_ends() {
    let mut served = Served::new(&endpoint("waits", WAITS, "path: /"));
    let mut client = served.client();
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_until(|| served.tenant.node.waiting_count() == 1);
    let drained = block_on(served.server.take().unwrap().stop(Duration::ZERO));
    assert_eq!(drained.cut, 1);
    assert!(client.is_closed());
    served.tenant.is_clean();
}

#[test]
fn a_server_that_is_dropped_closes_everything() {
    let mut served = Served::new(&endpoint("waits", WAITS, "path: /"));
    let mut client = served.client();
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_until(|| served.tenant.node.waiting_count() == 1);
    drop(served.server.take());
    assert!(client.is_closed());
    served.tenant.is_clean();
}
