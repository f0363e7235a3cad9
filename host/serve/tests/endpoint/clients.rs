//! Clients that do their worst: none holds a process, none gets an answer that isn't its own, and the next is served.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use lunarium_serve::endpoint::{Network, ServerConfig, TrafficLimits};

use crate::{Served, endpoint, wait_until};

const ECHO: &str = "return { main = function(r) return { body = r.path .. ' ' .. r.body } end }";

fn echo() -> Served {
    Served::new(&endpoint("echo", ECHO, "path: '/{*path}', methods: [GET, POST], max_body: 1000"))
}

/// A server without patience.
fn impatient(entries: &str) -> Served {
    let mut config = ServerConfig::default();
    (config.head_timeout, config.body_timeout) = (Duration::from_millis(100), Duration::from_millis(100));
    config.stall_timeout = Duration::from_millis(100);
    Served::with(entries, config, TrafficLimits::default())
}

fn is_well(served: &Served) {
    assert_eq!(served.get("/well").text(), "/well ");
    served.tenant.is_clean();
}

#[test]
fn what_is_no_request_is_refused() {
    let served = echo();
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET /../etc HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET /%2e%2e/etc HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET /a%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("PUT / HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\n\r\n", 400),
        ("GET / HTTP/3.0\r\nHost: x\r\n\r\n", 400),
        ("\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
    ] {
        assert_eq!(served.ask(request).status, status, "{request:?}");
    }
    let reply = served.ask("PUT / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(reply.header("allow"), Some("GET, HEAD, POST"));
    is_well(&served);
}

#[test]
fn two_lengths_are_one_request_at_most() {
    let served = echo();
    // Each would be a second request to somebody who reads the first otherwise.
    for request in [
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let mut client = served.client();
        assert_eq!(client.ask(request.as_bytes()).text(), "/a ");
        assert!(client.is_closed(), "{request:?}");
    }
    for request in [
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 6\r\n\r\nhello!",
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello",
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\nhello",
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
        "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST /a HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n",
    ] {
        let mut client = served.client();
        assert_eq!(client.ask(request.as_bytes()).status, 400, "{request:?}");
        assert!(client.is_closed(), "{request:?}");
    }
    // And whatever stands in a body is its request's.
    let hidden = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut client = served.client();
    let request = format!("GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{hidden}", hidden.len());
    assert_eq!(client.ask(request.as_bytes()).text(), format!("/a {hidden}"));
    assert_eq!(client.ask(b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n").text(), "/b ");
    assert!(!served.tenant.log.lines().iter().any(|line| line.contains("smuggled")));
    is_well(&served);
}

#[test]
fn heads_have_an_end() {
    let served = echo();
    let long = "x".repeat(20_000);
    let many: String = (0..150).map(|number| format!("x-{number}: y\r\n")).collect();
    for request in [
        format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: x\r\nA: {long}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n"),
    ] {
        assert_eq!(served.ask(&request).status, 431);
    }
    // Who is answered may still send, and the answer be lost with what nobody reads.
    let larger = "x".repeat(1 << 20);
    for request in [
        format!("GET /{larger} HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;{larger}\r\na\r\n0\r\n\r\n"),
        format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\na: {larger}\r\n\r\n"),
    ] {
        let mut client = served.client();
        let _ = client.stream.write_all(request.as_bytes());
        assert!(client.reply(true).is_none_or(|reply| [400, 414, 431].contains(&reply.status)));
        let _ = client.is_closed();
    }
    // One that has none.
    let mut client = served.client();
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\n");
    let line = format!("a: {}\r\n", "b".repeat(1000));
    while client.stream.write_all(line.as_bytes()).is_ok() {}
    assert_eq!(served.ask(&format!("GET /?{} HTTP/1.1\r\nHost: x\r\n\r\n", "a&".repeat(300))).status, 400);
    is_well(&served);
}

#[test]
fn bodies_have_an_end() {
    let served = echo();
    let long = "x".repeat(1001);
    let mut client = served.client();
    assert_eq!(client.ask(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n").status, 413);
    assert!(client.is_closed());
    let chunked = format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n{long}\r\n0\r\n\r\n");
    assert_eq!(served.ask(&chunked).status, 413);
    served.tenant.log.with("Info: POST / is answered 413: a body of more than 1000 bytes");
    let just = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{}", "x".repeat(1000));
    assert_eq!(served.ask(&just).status, 200);
    is_well(&served);
}

#[test]
fn who_is_slow_holds_no_process() {
    let served = impatient(&endpoint("echo", ECHO, "path: '/{*path}', methods: [GET, POST]"));
    // Nothing, half a head, and a connection that was used and rests.
    let (mut nothing, mut half, mut rests) = (served.client(), served.client(), served.client());
    half.send(b"GET / HTTP/1.1\r\nHost:");
    assert_eq!(rests.ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n").text(), "/a ");
    let mut body = served.client();
    assert_eq!(body.ask(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf").status, 408);
    assert!(body.is_closed() && nothing.is_closed() && rests.is_closed());
    let _ = half.is_closed();
    assert_eq!(served.tenant.node.usage().spawns, 1);
    served.tenant.log.with("Info: POST / is answered 408: the body did not come in time");
    is_well(&served);
}

#[test]
fn half_a_body_is_no_request() {
    let served = echo();
    for request in ["Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n5\r\nhel"] {
        let mut client = served.client();
        client.send(format!("POST / HTTP/1.1\r\nHost: x\r\n{request}").as_bytes());
        client.stream.shutdown(Shutdown::Write).unwrap();
        let reply = client.reply(true);
        assert!(reply.is_none_or(|reply| reply.status == 400));
    }
    assert_eq!(served.tenant.node.usage().spawns, 0);
    is_well(&served);
}

#[test]
fn what_runs_for_a_client_that_has_gone_is_ended() {
    let entries = endpoint("waits", "return { main = function() time.sleep('10h') end }", "path: /, timeout: 1h");
    let served = Served::new(&entries);
    let mut client = served.client();
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_until(|| served.tenant.node.process_count() == 1);
    drop(client);
    served.tenant.is_clean();
}

#[test]
fn who_does_not_read_holds_bytes_and_no_process() {
    let source = "return { main = function() return { body = ('x'):rep(1000000) } end }";
    let served = Served::new(&endpoint("large", source, "path: /"));
    // More than the sockets take.
    let mut client = served.client();
    for _ in 0..16 {
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    wait_until(|| served.tenant.traffic.usage().held > 0 && served.tenant.node.process_count() == 0);
    let memory = served.tenant.node.usage().of("node.memory").unwrap().used;
    assert!(memory >= served.tenant.traffic.usage().held.min(1_000_000), "{memory}");
    drop(client);
    served.tenant.is_clean();
    wait_until(|| served.tenant.node.usage().of("node.memory").unwrap().used == 0);
}

#[test]
fn who_does_not_read_for_long_is_closed() {
    let source = "return { main = function() return { body = ('x'):rep(1000000) } end }";
    let served = impatient(&endpoint("large", source, "path: /"));
    let mut client = served.client();
    for _ in 0..40 {
        if client.stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").is_err() {
            break;
        }
    }
    // It is still open on this side: the server has let go of it.
    wait_until(|| served.server.as_ref().unwrap().connections() == 0);
    served.tenant.is_clean();
}

#[test]
fn an_address_has_so_many_connections() {
    let mut config = ServerConfig::default();
    config.max_connections_per_address = 2;
    let served = Served::with(&endpoint("echo", ECHO, "path: '/{*path}'"), config, TrafficLimits::default());
    let (mut one, mut two) = (served.client(), served.client());
    assert_eq!(one.ask(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n").text(), "/1 ");
    assert_eq!(two.ask(b"GET /2 HTTP/1.1\r\nHost: x\r\n\r\n").text(), "/2 ");
    assert!(served.client().is_closed());
    drop((one, two));
    wait_until(|| served.server.as_ref().unwrap().connections() == 0);
    is_well(&served);
}

#[test]
fn beyond_the_most_connections_one_waits_for_its_turn() {
    let mut config = ServerConfig::default();
    config.max_connections = 1;
    let served = Served::with(&endpoint("echo", ECHO, "path: '/{*path}'"), config, TrafficLimits::default());
    let mut one = served.client();
    assert_eq!(one.ask(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n").text(), "/1 ");
    let mut two = served.client();
    two.send(b"GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    drop(one);
    assert_eq!(two.reply(true).unwrap().text(), "/2 ");
}

#[test]
fn bytes_by_dice_end_nothing() {
    let served = echo();
    let sample = b"POST /a/b?c=d HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut dice = |sides: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % u64::try_from(sides).unwrap()).unwrap()
    };
    for _ in 0..300 {
        let mut bytes = sample.to_vec();
        for _ in 0..=dice(4) {
            let at = dice(bytes.len());
            match dice(4) {
                0 => bytes[at] = u8::try_from(dice(256)).unwrap(),
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"\r\n :\0%;"[dice(7)]),
                _ => bytes.truncate(at + 1),
            }
        }
        let mut client = served.client();
        client.send(&bytes);
        client.stream.shutdown(Shutdown::Write).unwrap();
        while let Some(reply) = client.reply(true) {
            assert!([100, 200, 400, 404, 405, 413, 431, 505].contains(&reply.status), "{reply:?} to {bytes:?}");
        }
    }
    is_well(&served);
}

#[test]
fn who_is_idle_makes_room_and_who_asks_does_not() {
    let waits = "return { main = function(r) print('asked') time.sleep('1h') end }";
    let entries = endpoint("echo", ECHO, "path: '/{*path}'") + &endpoint("waits", waits, "path: /waits, timeout: 1h");
    let mut config = ServerConfig::default();
    config.max_connections = 2;
    let served = Served::with(&entries, config, TrafficLimits::default());
    let mut asks = served.client();
    asks.send(b"GET /waits HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_until(|| served.tenant.log.lines().iter().any(|line| line == "asked"));
    // Of the others each has the place of the one before, whatever it has sent.
    let mut idle = served.client();
    idle.send(b"GET / HTTP/1.1\r\nHost:");
    let mut used = served.client();
    assert_eq!(used.ask(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n").text(), "/1 ");
    assert!(idle.is_closed());
    assert_eq!(served.get("/2").text(), "/2 ");
    assert!(used.is_closed());
    let server = served.server.as_ref().unwrap();
    assert_eq!(server.reading().away.idle, 2);
    // When all are in use, one waits.
    let mut second = served.client();
    second.send(b"GET /waits HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_until(|| served.tenant.traffic.usage().under_way == 2);
    let mut waits = served.client();
    waits.send(b"GET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
    drop(asks);
    assert_eq!(waits.reply(true).unwrap().text(), "/3 ");
    drop((second, waits));
    is_well(&served);
}

#[test]
fn one_address_holds_a_part_of_the_places_with_bodies_that_do_not_come() {
    let mut config = ServerConfig::default();
    config.proxies = vec![Network::parse("127.0.0.0/8").unwrap()];
    let mut limits = TrafficLimits::default();
    limits.requests_at_once = 160;
    let served = Served::with(&endpoint("echo", ECHO, "path: '/{*path}', methods: [POST]"), config, limits);
    let begin = |of: &str| {
        let mut client = served.client();
        let head = format!("POST /a HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {of}\r\nContent-Length: 4\r\n\r\nha");
        client.send(head.as_bytes());
        client
    };
    let mut slow: Vec<_> = (0..20).map(|_| begin("203.0.113.9")).collect();
    wait_until(|| served.tenant.traffic.usage().slow_bodies == 20);
    let mut beyond = begin("203.0.113.9");
    let refused = beyond.reply(true).unwrap();
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    assert!(beyond.is_closed());
    let line = "Info: POST /a is answered 429: the bodies of 20 other requests of its address are waited for";
    served.tenant.log.with(line);
    // Others have the rest, and whose body comes at once doesn't wait for it.
    let whole = "POST /b HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\nContent-Length: 4\r\n\r\nhaha";
    assert_eq!(served.ask(whole).text(), "/b haha");
    let mut other = begin("203.0.113.10");
    other.send(b"ha");
    assert_eq!(other.reply(true).unwrap().text(), "/a haha");
    for client in &mut slow {
        client.send(b"ha");
        assert_eq!(client.reply(true).unwrap().text(), "/a haha");
    }
    served.tenant.is_clean();
}

#[test]
fn one_address_holds_a_part_of_the_places_with_answers_that_it_does_not_read() {
    let mut config = ServerConfig::default();
    config.proxies = vec![Network::parse("127.0.0.0/8").unwrap()];
    config.stall_timeout = Duration::from_secs(3_600);
    let mut limits = TrafficLimits::default();
    limits.requests_at_once = 128;
    let large = "return { main = function() return { body = ('x'):rep(1000000) } end }";
    let served = Served::with(&endpoint("large", large, "path: '/{*path}'"), config, limits);
    let usage = || served.tenant.traffic.usage();
    let ask = |of: &str, count: usize| {
        let mut client = served.client();
        let request = |rest: &str| format!("GET /a HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {of}\r\n{rest}\r\n");
        client.send((request("").repeat(count - 1) + &request("Connection: close\r\n")).as_bytes());
        client
    };
    // On each connection more than its sockets take, so that one or two of the answers wait.
    let slow: Vec<_> = (0..20).map(|_| ask("203.0.113.9", 6)).collect();
    wait_until(|| usage().refusals[4] > 0);
    assert!(usage().unread_answers <= 16, "{:?}", usage());
    let line = "Info: GET /a is answered 429: the answers to 16 other requests of its address are not read";
    served.tenant.log.with(line);
    // Others have the rest.
    let other = ask("203.0.113.10", 1).reply(true).unwrap();
    assert_eq!((other.status, other.body.len()), (200, 1_000_000));
    // Who reads at last has the answers that were kept, and the refusal, with which its connection ends.
    let mut refused = 0;
    for mut client in slow {
        let mut all = String::new();
        client.stream.read_to_string(&mut all).unwrap();
        let told = all.matches("HTTP/1.1 429 Too Many Requests\r\n").count();
        assert!(
            told == 0 && all.matches("HTTP/1.1 200").count() == 6 || told == 1 && all.ends_with("Too Many Requests\n")
        );
        refused += told;
    }
    assert_eq!(u64::try_from(refused).unwrap(), usage().refusals[4]);
    served.tenant.is_clean();
    assert_eq!(usage().unread_answers, 0);
}

#[test]
fn who_asks_for_another_protocol_is_answered_in_this_one() {
    let served = echo();
    for headers in [
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
    ] {
        let mut client = served.client();
        let asked = format!("GET /a HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n");
        assert_eq!(client.ask(asked.as_bytes()).text(), "/a ");
        assert_eq!(client.ask(b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n").text(), "/b ", "and goes on");
    }
    // Without asking.
    let mut client = served.client();
    client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    assert!(client.is_closed());
    is_well(&served);
}

#[test]
fn who_says_that_it_sends_no_more_is_answered_or_closed_and_holds_nothing() {
    let waits = "return { main = function() time.sleep('10h') end }";
    let entries = endpoint("echo", ECHO, "path: '/{*path}'") + &endpoint("waits", waits, "path: /waits, timeout: 1h");
    let served = Served::new(&entries);
    for (path, count) in [("/a", 3), ("/waits", 1)] {
        let mut client = served.client();
        client.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").repeat(count).as_bytes());
        client.stream.shutdown(Shutdown::Write).unwrap();
        while let Some(reply) = client.reply(true) {
            assert_eq!(reply.text(), "/a ");
        }
    }
    is_well(&served);
}
