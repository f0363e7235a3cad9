//! What a client gets of an answer.

use crate::{Served, endpoint};

#[test]
fn an_answer_is_a_status_headers_and_a_body() {
    let source = "return { main = function() return { status = 201, headers = { ['Content-Type'] = 'text/html', ['set-cookie'] = {'a=1', 'b=2'}, age = 7 }, body = '<p>' } end }";
    let served = Served::new(&endpoint("made", source, "path: /"));
    let reply = served.get("/");
    assert_eq!((reply.status, reply.text()), (201, "<p>"));
    assert_eq!((reply.header("content-type"), reply.header("age")), (Some("text/html"), Some("7")));
    assert_eq!(reply.head.matches("set-cookie: ").count(), 2, "{}", reply.head);
    assert!(reply.header("date").is_some());
}

#[test]
fn a_table_without_anything_is_an_answer_and_a_text_is_text() {
    let served = Served::new(&format!(
        "{}{}",
        endpoint("empty", "return { main = function() return {} end }", "path: /empty"),
        endpoint("text", "return { main = function() return { body = 'grüezi' } end }", "path: /text"),
    ));
    let reply = served.get("/empty");
    assert_eq!((reply.status, reply.header("content-length"), reply.header("content-type")), (200, Some("0"), None));
    assert_eq!(served.get("/text").header("content-type"), Some("text/plain; charset=utf-8"));
}

#[test]
fn head_is_get_without_a_body() {
    let source = "return { main = function(r) return { headers = { method = r.method }, body = 'hello' } end }";
    let served = Served::new(&endpoint("hello", source, "path: /"));
    let mut client = served.client();
    let reply = client.ask(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!((reply.status, reply.header("content-length"), reply.header("method")), (200, Some("5"), Some("HEAD")));
    // What follows is the next answer, and no body.
    assert_eq!(client.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").text(), "hello");
}

#[test]
fn what_has_no_body_has_none() {
    let source = "return { main = function(r) return { status = tonumber(r.params.status), body = 'hello' } end }";
    let served = Served::new(&endpoint("status", source, "path: '/{status}'"));
    let mut client = served.client();
    for status in [204, 304, 205] {
        let reply = client.ask(format!("GET /{status} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        assert_eq!((reply.status, reply.text()), (status, ""));
    }
    assert_eq!(client.ask(b"GET /418 HTTP/1.1\r\nHost: x\r\n\r\n").text(), "hello");
}

#[test]
fn connections_are_used_again_and_requests_come_one_after_the_other() {
    let source = "return { main = function(r) if r.params.id == '1' then time.sleep(5) end return { body = r.params.id .. r.body } end }";
    let served = Served::new(&endpoint("id", source, "path: '/{id}', methods: [GET, POST]"));
    let mut client = served.client();
    client.send(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n!GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /4 HTTP/1.1\r\nHost: x\r\n\r\n");
    let texts = [(); 3].map(|()| client.reply(true).unwrap().text().to_owned());
    assert_eq!(texts, ["1", "2!", "3"]);
    assert!(client.is_closed());
}

#[test]
fn http_1_0_closes_unless_it_is_asked_not_to() {
    let served =
        Served::new(&endpoint("hello", "return { main = function() return { body = 'hello' } end }", "path: /"));
    let mut client = served.client();
    assert_eq!(client.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").text(), "hello");
    assert_eq!(client.ask(b"GET / HTTP/1.0\r\n\r\n").text(), "hello");
    assert!(client.is_closed());
}

#[test]
fn who_waits_to_be_told_to_go_on_is_told() {
    let source = "return { main = function(r) return { body = r.body } end }";
    let served = Served::new(&endpoint("echo", source, "path: /, methods: [POST], max_body: 10"));
    let mut client = served.client();
    let go_on = client.ask(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(go_on.status, 100);
    assert_eq!(client.ask(b"hello").text(), "hello");
    let refused = client.ask(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n");
    assert_eq!(refused.status, 413);
    assert!(client.is_closed());
}
