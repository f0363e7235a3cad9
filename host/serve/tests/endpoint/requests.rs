//! What a script gets of a request.

use lunarium_serve::endpoint::{Network, ServerConfig, TrafficLimits};

use crate::{Served, endpoint};

/// Answers with the request, as JSON.
const ECHO: &str = "return { main = function(request) return { body = json.encode(request) } end }";

fn echo(rest: &str) -> Served {
    Served::new(&endpoint("echo", ECHO, rest))
}

fn json(reply: &crate::Reply) -> serde_json::Value {
    assert_eq!(reply.status, 200, "{reply:?}");
    serde_json::from_slice(&reply.body).unwrap()
}

#[test]
fn a_request_is_a_table() {
    let served = echo("path: '/hook/{id}/{*rest}', methods: [POST]");
    let reply = served.ask(concat!(
        "POST /hook/a%20b/c/d%2Fe?x=1&y=a+b&x=2&flag HTTP/1.1\r\nHost: Example.com:80\r\nX-One: 1\r\nx-one: 2\r\n",
        "Cookie: a=1\r\nCookie: b=2\r\nConnection: keep-alive, x-secret\r\nX-Secret: s\r\nTE: trailers\r\n",
        "X-Forwarded-For: 6.6.6.6\r\nContent-Length: 5\r\n\r\nhello"
    ));
    let expected = serde_json::json!({
        "method": "POST",
        "path": "/hook/a%20b/c/d%2Fe",
        "query_string": "x=1&y=a+b&x=2&flag",
        "params": {"id": "a b", "rest": "c/d/e"},
        "query": {"x": "1", "y": "a b", "flag": ""},
        "headers": {"host": "Example.com:80", "x-one": "1, 2", "cookie": "a=1; b=2", "content-length": "5"},
        "body": "hello",
        "remote": "127.0.0.1",
    });
    assert_eq!(json(&reply), expected);
    served.tenant.is_clean();
}

#[test]
fn a_body_is_any_bytes_and_a_query_may_be_none() {
    let source = "return { main = function(r) return { headers = { length = #r.body, query = r.query_string, none = tostring(next(r.query)) }, body = r.body } end }";
    let served = Served::new(&endpoint("bytes", source, "path: /, methods: [PUT]"));
    let reply = served
        .client()
        .ask(b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n\xff\x00a\r\n2\r\nbc\r\n0\r\n\r\n");
    assert_eq!((reply.status, reply.body.as_slice()), (200, b"\xff\x00abc".as_slice()));
    assert_eq!(
        (reply.header("length"), reply.header("query"), reply.header("none")),
        (Some("5"), Some(""), Some("nil"))
    );
    assert_eq!(reply.header("content-type"), Some("application/octet-stream"));
}

#[test]
fn each_request_has_a_process_of_its_own() {
    let source = "count = (count or 0) + 1\nreturn { main = function() count = count + 1 return { body = count .. ' ' .. process.pid() } end }";
    let served = Served::new(&endpoint("count", source, "path: /"));
    let (one, two) = (served.get("/"), served.get("/"));
    assert!(
        one.text().starts_with("2 {app:processes|") && two.text().starts_with("2 {app:processes|"),
        "{one:?} {two:?}"
    );
    assert_ne!(one.text(), two.text());
    served.tenant.is_clean();
}

#[test]
fn a_proxy_is_believed_where_it_is_named() {
    let mut config = ServerConfig::default();
    config.proxies = vec![Network::parse("127.0.0.0/8").unwrap()];
    let source = "return { main = function(r) return { body = r.remote .. ' ' .. tostring(r.headers['x-forwarded-proto']) } end }";
    let entries = endpoint("remote", source, "path: /");
    let request =
        "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.9\r\nX-Forwarded-Proto: https\r\n\r\n";
    let believed = Served::with(&entries, config, TrafficLimits::default());
    assert_eq!(believed.ask(request).text(), "203.0.113.9 https");
    assert_eq!(Served::new(&entries).ask(request).text(), "127.0.0.1 nil");
}

#[test]
fn it_has_its_hosts_actor_and_its_endpoints_before_that() {
    let source =
        "return { main = function() return { body = tostring(security.actor() and security.actor():id()) } end }";
    let entries = format!(
        "{}{}",
        endpoint("who", source, "path: /a"),
        "  - {name: other, kind: http.endpoint, path: /b, process: who, security: {actor: {id: visitor}, policies: []}}\n"
    );
    let served = Served::new(&entries);
    assert_eq!((served.get("/a").text(), served.get("/b").text()), ("nil", "visitor"));
}
