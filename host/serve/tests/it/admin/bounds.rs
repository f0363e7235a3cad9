//! What clients may do wrong: it is refused, and nobody else feels it.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use super::{SECRET, Served, serve};

/// The tenants' work goes on, and the next request is answered.
async fn is_well(served: &Served) {
    let call = json!({"method": "add", "arguments": [1, 2]}).to_string();
    let answer = served.ask("POST", "/v1/tenants/shop/processes/shop/call", Some(&call)).await;
    assert_eq!((answer.status, &answer.json()["results"][0]), (200, &json!(3)));
}

#[tokio::test]
async fn over_tcp_nothing_is_told_without_the_token() {
    let served = serve().await;
    let ask = |path: &str, headers: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n", served.tcp);
        let served = &served;
        async move { served.raw_tcp(request.as_bytes()).await.unwrap() }
    };
    let bearer = format!("Authorization: Bearer {SECRET}\r\n");
    assert_eq!(ask("/v1/host", &bearer).await.status, 200);
    assert_eq!(ask("/healthz", "").await.status, 200);
    for route in
        ["/v1/host", "/v1/tenants", "/v1/events", "/v1/logs", "/v1/audit", "/v1/tenants/shop/processes", "/none"]
    {
        let refused = ask(route, "").await;
        assert_eq!((refused.status, refused.error().as_str()), (401, "the request has no token"), "{route}");
        assert!(refused.head.contains("www-authenticate: bearer"), "{refused:?}");
        let refused = ask(route, "Authorization: Bearer 0123456789abcdef0123456789abcdee\r\n").await;
        assert_eq!((refused.status, refused.error().as_str()), (401, "the token is another one"), "{route}");
    }
    let refused = ask(&format!("/v1/host?token={SECRET}"), &bearer).await;
    assert_eq!(
        (refused.status, refused.error().as_str()),
        (400, "`token` stands in the URL, where logs and histories keep it")
    );
    let refused = ask("/v1/host", &format!("{bearer}Origin: http://evil.example\r\n")).await;
    assert_eq!((refused.status, refused.error().as_str()), (403, "the request comes from a page of another origin"));
    let rebound = format!("GET /v1/host HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n{bearer}\r\n");
    let refused = served.raw_tcp(rebound.as_bytes()).await.unwrap();
    assert_eq!((refused.status, refused.error().as_str()), (403, "`evil.example` isn't a name of this host"));
    // Whoever is turned away is recorded, and a flood of them is one record.
    let audit = served.ask("GET", "/v1/audit", None).await.json();
    let records = audit["records"].as_array().unwrap();
    let refused: Vec<_> = records.iter().filter(|record| record["action"] == "refused").collect();
    assert!((1..=3).contains(&refused.len()), "{audit}");
    assert!(refused[0]["who"]["address"].as_str().unwrap().starts_with("127.0.0.1:"), "{audit}");
    is_well(&served).await;
    served.stop().await;
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_is_read() {
    let served = serve().await;
    let path = "/v1/tenants/shop/processes/shop/send";
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n");
    let claimed = format!("{head}Content-Length: 99999999999\r\n\r\n");
    let refused = served.raw(claimed.as_bytes()).await.unwrap();
    assert_eq!((refused.status, refused.error().as_str()), (413, "the body is larger than 4194304 bytes"));
    let mut chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..80 {
        chunked.extend_from_slice(b"10000\r\n");
        chunked.extend_from_slice(&vec![b' '; 0x10000]);
        chunked.extend_from_slice(b"\r\n");
    }
    // The server closes with the rest unread, which may take the answer along.
    if let Some(refused) = served.raw(&chunked).await {
        assert_eq!(refused.status, 413, "{refused:?}");
    }
    let text = format!("{head}Content-Length: 2\r\n\r\n{{}}").replace("application/json", "text/plain");
    let refused = served.raw(text.as_bytes()).await.unwrap();
    assert_eq!((refused.status, refused.error().as_str()), (415, "the body isn't said to be JSON"));
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(100_000));
    let refused = served.raw(long.as_bytes()).await.map(|answer| answer.status);
    assert!(matches!(refused, None | Some(414 | 431)), "{refused:?}");
    let many: String = (0..200).map(|number| format!("X-{number}: y\r\n")).collect();
    let refused = served.raw(format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{many}\r\n").as_bytes()).await;
    assert_eq!(refused.map(|answer| answer.status), Some(431));
    is_well(&served).await;
    served.stop().await;
}

/// Bytes that follow from a seed.
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below).unwrap()).unwrap()
    }
}

#[tokio::test]
async fn malformed_requests_are_answered_or_closed() {
    let served = serve().await;
    let body = "{\"method\": \"add\", \"arguments\": [1, {\"a\": null}], \"timeout_ms\": 50}";
    let seeds = [
        "GET /v1/tenants/shop/processes?sort=memory&limit=5&search=a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_owned(),
        "GET /v1/tenants/shop/processes/%7Bapp%3Aprocesses%7C0x00001%7D HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_owned(),
        format!("POST /v1/tenants/shop/processes/shop/call HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
        "GET /v1/logs?follow=false&level=info HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nConnection: close\r\n\r\n".to_owned(),
    ];
    let interesting: [&[u8]; 12] = [
        b"\r\n",
        b"\0",
        b"%",
        b"%zz",
        b"\xff\xfe",
        b" ",
        b":",
        b"chunked",
        b"-1",
        b"18446744073709551616",
        b"{{{{",
        b"?token=x",
    ];
    let mut chance = Chance(0x5eed);
    for round in 0..400 {
        let mut bytes = seeds[round % seeds.len()].clone().into_bytes();
        for _ in 0..=chance.next(4) {
            let at = chance.next(bytes.len());
            match chance.next(4) {
                0 => bytes[at] = u8::try_from(chance.next(256)).unwrap(),
                1 => drop(bytes.splice(at..at, interesting[chance.next(interesting.len())].iter().copied())),
                2 => bytes.truncate(at.max(1)),
                _ => drop(bytes.splice(at..at, vec![b'a'; chance.next(2_000)])),
            }
        }
        let mut stream = UnixStream::connect(&served.socket).await.unwrap();
        let _ = stream.write_all(&bytes).await;
        // Half of a request has no more to come.
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let text = String::from_utf8_lossy(&answer);
        assert!(
            answer.is_empty() || text.starts_with("HTTP/1.1 ") || text.starts_with("HTTP/1.0 "),
            "round {round}: {text}"
        );
        assert!(!text.starts_with("HTTP/1.1 500"), "round {round}: {text}\n{}", String::from_utf8_lossy(&bytes));
    }
    is_well(&served).await;
    served.stop().await;
}

#[tokio::test]
async fn connections_that_ask_for_nothing_keep_nobody_out() {
    let served = serve().await;
    let mut idle: Vec<TcpStream> = Vec::new();
    for number in 0..600 {
        let mut stream = TcpStream::connect(served.tcp).await.unwrap();
        if number % 3 == 0 {
            // Half of a head.
            let _ = stream.write_all(b"GET /v1/host HTTP/1.1\r\nHost: local").await;
        }
        idle.push(stream);
        if number % 100 == 0 {
            is_well(&served).await;
        }
    }
    is_well(&served).await;
    let open = served.ask("GET", "/v1/host", None).await.json()["admin"]["connections"].as_u64().unwrap();
    assert!(open <= 256, "{open}");
    // The first have made room for those that came later.
    let mut rest = Vec::new();
    let _ = idle[0].read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    served.stop().await;
}

#[tokio::test]
async fn an_answer_that_is_not_read_holds_up_nobody() {
    let served = serve().await;
    let mut unread = Vec::new();
    for _ in 0..40 {
        let mut stream = UnixStream::connect(&served.socket).await.unwrap();
        // Many answers on one connection, none of which is read.
        let request = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(20);
        stream.write_all(request.as_bytes()).await.unwrap();
        unread.push(stream);
    }
    is_well(&served).await;
    let held = served.ask("GET", "/v1/host", None).await.json();
    assert!(held["admin"]["connections"].as_u64().unwrap() >= 40, "{held}");
    served.stop().await;
}

/// All that is answered on one connection of who sends this, up to its close.
async fn answered(served: &Served, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(&served.socket).await.unwrap();
    // Who is refused may not read the rest.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// The statuses in such an answer; bodies of JSON have no such line.
fn statuses(answer: &str) -> Vec<&str> {
    answer.match_indices("HTTP/1.").filter_map(|(at, _)| answer.get(at + 9..at + 12)).collect()
}

#[tokio::test]
async fn shapes_that_somebody_else_may_read_otherwise_are_one_request_or_none() {
    let served = serve().await;
    let call =
        "POST /v1/tenants/shop/processes/shop/call HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let body = "{\"method\": \"add\", \"arguments\": [1, 2]}";
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let hidden = "DELETE /v1/tenants/shop HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let long = "x".repeat(1 << 20);
    let cases = [
        // Each has a second request for somebody who reads the first otherwise.
        (format!("{call}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}{hidden}"), vec!["200"]),
        (format!("{call}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{chunked}{hidden}"), vec!["200"]),
        (format!("{call}Content-Length: {}\r\nContent-Length: 4\r\n\r\n{body}{hidden}", body.len()), vec!["400"]),
        (format!("{call}Content-Length: 4, 5\r\n\r\n{body}{hidden}"), vec!["400"]),
        (format!("{call}Transfer-Encoding: chunked, identity\r\n\r\n{chunked}{hidden}"), vec!["400"]),
        ("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n".to_owned(), vec!["200"]),
        (
            format!("{call}Expect: 100-continue\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
            vec!["100", "200"],
        ),
        (
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n"
                .to_owned(),
            vec!["200"],
        ),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), vec![]),
        (
            format!(
                "{}GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(49)
            ),
            vec!["200"; 50],
        ),
    ];
    for (request, expected) in cases {
        let answer = answered(&served, request.as_bytes()).await;
        assert_eq!(statuses(&answer), expected, "{request}\n{answer}");
    }
    let answer = answered(&served, format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).await;
    assert!(matches!(statuses(&answer)[..], [] | ["414" | "431"]), "{answer}");
    assert!(served.host.tenant("shop").is_some());
    is_well(&served).await;
    served.stop().await;
}

#[tokio::test]
async fn of_one_address_few_connections_are_not_read() {
    let served = serve().await;
    // More than the sockets take.
    let request = format!("GET /openapi.json HTTP/1.1\r\nHost: {}\r\n\r\n", served.tcp).repeat(250);
    let mut unread = Vec::new();
    for _ in 0..12 {
        let mut stream = TcpStream::connect(served.tcp).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        unread.push(stream);
    }
    // Of twelve four were closed, which the metrics tell a second later at most.
    let line = "lunarium_connections_turned_away_total{server=\"admin\",reason=\"unread\"} 4.0\n";
    while !served.ask("GET", "/metrics", None).await.body.contains(line) {
        tokio::task::yield_now().await;
    }
    // The other eight are left, and who asks.
    while served.ask("GET", "/v1/host", None).await.json()["admin"]["connections"] != 9 {
        tokio::task::yield_now().await;
    }
    let audit = served.ask("GET", "/v1/audit", None).await.json();
    let message = "8 other connections of its address do not read what they have asked for";
    let told = |record: &serde_json::Value| record["message"].as_str().is_some_and(|told| told.starts_with(message));
    assert!(audit["records"].as_array().unwrap().iter().any(told), "{audit}");
    // Who reads again makes room, and others have it all the time.
    is_well(&served).await;
    drop(unread);
    served.stop().await;
}
