//! What a server can do to those who ask it: nothing without end.

use std::io::Read;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use lunarium::Value;
use lunarium_modules::http::{Http, Limits};

use crate::server::{Server, ok, say};
use crate::{all_of, node, run, run_on};

/// Writes until nobody reads any more, and tells that.
fn endless(stream: &mut TcpStream, start: &str, piece: &str) {
    say(stream, start);
    while std::io::Write::write_all(stream, piece.as_bytes()).is_ok() {}
}

fn with(change: impl FnOnce(&mut Limits)) -> Http {
    let mut limits = Limits::default();
    change(&mut limits);
    Http::new().limits(limits)
}

fn fetch(http: Http, server: &Server) -> String {
    run(http, &[all_of(server)], &format!("return fetch('{}')", server.url("/")))
}

#[test]
fn a_body_without_end_is_cut_off() {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let server = Server::start(move |_, stream| {
        endless(stream, "HTTP/1.1 200 OK\r\n\r\n", &"x".repeat(4096));
        tell.lock().unwrap().send(()).unwrap();
    });
    let small = || with(|limits| limits.body = 100_000);
    let too_large = "ResourceExhausted: body of the answer has more than 100000 bytes [http_body]";
    assert_eq!(fetch(small(), &server), too_large);
    // The server's connection is gone.
    told.recv().unwrap();
    // What the process may get in a message bounds it, too.
    let text = fetch(Http::new(), &server);
    assert!(
        text.starts_with("ResourceExhausted: body of the answer has more than 10") && text.ends_with(" [message]"),
        "{text}"
    );
    let chunked = Server::start(|_, stream| {
        endless(stream, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "4\r\nabcd\r\n")
    });
    assert_eq!(fetch(small(), &chunked), too_large);
    // A length alone is enough.
    let announced = Server::start(|_, stream| {
        say(stream, "HTTP/1.1 200 OK\r\ncontent-length: 100001\r\n\r\n");
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(fetch(small(), &announced), too_large);
    let fits = Server::start(|_, stream| say(stream, &ok(&"y".repeat(100_000))));
    assert_eq!(fetch(small(), &fits).len(), 100_000);
}

#[test]
fn a_slow_server_is_given_up() {
    let server = Server::start(|_, stream| {
        say(stream, "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n");
        while std::io::Write::write_all(stream, b".").is_ok() {
            thread::sleep(Duration::from_millis(5));
        }
    });
    let script = format!("return fetch('{}', {{ timeout = '150ms' }})", server.url("/"));
    let expected = "Timeout (retryable): request took longer than 150ms";
    assert_eq!(run(Http::new(), &[all_of(&server)], &script), expected);
    // One that accepts and says nothing; and the limit of the module where the call says nothing.
    let silent = Server::start(|_, stream| drop(stream.read(&mut [0])));
    assert_eq!(fetch(with(|limits| limits.timeout = Duration::from_millis(150)), &silent), expected);
}

#[test]
fn a_process_that_ends_hangs_up() {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let server = Server::start(move |_, stream| {
        let tell = tell.lock().unwrap();
        tell.send("asked").unwrap();
        let _ = stream.read(&mut [0]);
        tell.send("hung up").unwrap();
    });
    let node = node(Http::new());
    let source = format!("return function() require('http').get('{}') end", server.url("/"));
    let plugin = node.plugin("p", &source).grant_with("http", [all_of(&server)]).start_blocking().unwrap();
    assert_eq!(told.recv().unwrap(), "asked");
    plugin.terminate().unwrap();
    assert_eq!(told.recv().unwrap(), "hung up");
}

#[test]
fn a_server_that_vanishes_is_told() {
    let vanished = |when: &str| format!("Unavailable (retryable): server has vanished {when}");
    let answers = [
        ("", "before it has answered"),
        ("HTTP/1.1 200", "before it has answered"),
        ("HTTP/1.1 200 OK\r\nx: y\r\n", "before it has answered"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", "in the middle of its answer"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", "in the middle of its answer"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n", "in the middle of its answer"),
    ];
    for (answer, when) in answers {
        assert_eq!(fetch(Http::new(), &Server::saying(answer)), vanished(when), "{answer:?}");
    }
}

#[test]
fn what_is_not_http_is_told() {
    for answer in [
        "220 mail.example ESMTP\r\n\r\n",
        "HTTP/0.9 x\r\n\r\n",
        "hello\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
    ] {
        let text = fetch(Http::new(), &Server::saying(answer));
        assert!(text.starts_with("Unavailable: answer isn't HTTP: "), "{answer:?}: {text}");
    }
    // Two lengths are two answers to somebody.
    let text =
        fetch(Http::new(), &Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"));
    assert!(text.starts_with("Unavailable: answer isn't HTTP: "), "{text}");
}

#[test]
fn headers_without_end_are_cut_off() {
    let too_many =
        "ResourceExhausted: headers of the answer have more than 65536 bytes, or are more than 100 [http_headers]";
    let answers = [("x: ", "y"), ("", "x: y\r\n"), ("x: ", "y y y y y y y y y y y y\r\n ")];
    for (start, piece) in answers {
        let server = Server::start(move |_, stream| endless(stream, &format!("HTTP/1.1 200 OK\r\n{start}"), piece));
        let text = fetch(Http::new(), &server);
        // A line that goes on in the next one is none.
        assert!(text == too_many || text.starts_with("Unavailable: answer isn't HTTP: "), "{piece:?}: {text}");
    }
    let line = Server::start(|_, stream| endless(stream, "HTTP/1.1 200 ", "OK "));
    assert_eq!(fetch(Http::new(), &line), too_many);
}

#[test]
fn every_byte_of_a_connection_counts_for_the_minute() {
    let spent = "RateLimited (retryable): too many bytes in this minute [http_bytes_per_minute]";
    let few = || with(|limits| limits.bytes_per_minute = 200_000);
    // What comes before an answer, and what stands between pieces of its body, is no body; it is counted all the same.
    let hints = Server::start(|_, stream| endless(stream, "", "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"));
    assert_eq!(fetch(few(), &hints), spent);
    let filling = "1;".to_owned() + &"x".repeat(4000) + "\r\na\r\n";
    let chunks = Server::start(move |_, stream| {
        endless(stream, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", &filling)
    });
    let text = fetch(few(), &chunks);
    assert!(
        text == spent || text == "Unavailable (retryable): server has vanished in the middle of its answer",
        "{text}"
    );
    let body = Server::start(|_, stream| endless(stream, "HTTP/1.1 200 OK\r\n\r\n", &"x".repeat(4096)));
    assert_eq!(fetch(few(), &body), spent);
    // What goes out as well.
    let sink = Server::start(|_, stream| say(stream, &ok("")));
    let script = format!("return request {{ url = '{}', method = 'POST', body = ('x'):rep(150000) }}", sink.url("/"));
    let rule = crate::rule(&sink.url("/*"), &[("methods", &["POST"])]);
    assert_eq!(run(few(), &[rule], &script), spent);
}

#[test]
fn requests_of_a_minute_are_shared() {
    let server = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n+");
    let node = node(with(|limits| limits.requests_per_minute = 16));
    let rules = [all_of(&server)];
    let script = format!(
        "local said = ''
        for n = 1, 12 do
            local text = fetch('{}')
            if text ~= '+' then return said .. text end
            said = said .. text
        end",
        server.url("/")
    );
    let spent = "RateLimited (retryable): too many requests in this minute [http_requests_per_minute]";
    assert_eq!(run_on(&node, &rules, &script), format!("{}{spent}", "+".repeat(8)));
    for _ in 0..4 {
        assert_eq!(run_on(&node, &rules, &script), format!("++{spent}"));
    }
    assert_eq!(run_on(&node, &rules, &script), spent);
    assert_eq!(server.got().len(), 16);
}

#[test]
fn a_name_that_leads_nowhere_counts_too() {
    let resolver = crate::Always::new(&[]);
    let mut limits = Limits::default();
    limits.requests_per_minute = 8;
    let http = Http::new().limits(limits).resolver(resolver.clone());
    let script = "local last for n = 1, 20 do last = fetch('http://nowhere.example/') end return last";
    let spent = "RateLimited (retryable): too many requests in this minute [http_requests_per_minute]";
    assert_eq!(run(http, &[crate::rule("http://nowhere.example/*", &[])], script), spent);
    assert_eq!(resolver.asked.load(std::sync::atomic::Ordering::Relaxed), 4);
}

#[test]
fn requests_under_way_are_bounded_and_come_back() {
    let server = Server::start(|got, stream| {
        if got.line.contains("/wait") {
            let _ = stream.read(&mut [0]);
        }
        say(stream, &ok("+"));
    });
    let node = node(with(|limits| limits.requests = 8));
    let script = format!(
        "local answers = channel.new(10)
        for n = 1, 5 do coroutine.spawn(function() answers:send(fetch('{}', {{ timeout = '200ms' }})) end) end
        local count = {{}}
        for n = 1, 5 do
            local text = answers:receive()
            text = text:match('%a+')
            count[text] = (count[text] or 0) + 1
        end
        return count.Timeout .. ' ' .. count.RateLimited .. fetch('{}')",
        server.url("/wait"),
        server.url("/")
    );
    assert_eq!(run_on(&node, &[all_of(&server)], &script), "4 1+");
}

#[test]
fn what_bodies_hold_is_bounded() {
    let server = Server::start(|_, stream| say(stream, &ok(&"x".repeat(100_000))));
    assert_eq!(
        fetch(with(|limits| limits.held = 100_000), &server),
        "RateLimited (retryable): bodies that are being read hold too much memory [http_held]"
    );
    assert_eq!(fetch(with(|limits| limits.held = 250_000), &server).len(), 100_000);
}

#[test]
fn an_answer_without_a_body_has_an_empty_one() {
    for answer in
        ["HTTP/1.1 204 No\r\n\r\n", "HTTP/1.1 304 Same\r\ncontent-length: 5\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n"]
    {
        assert_eq!(fetch(Http::new(), &Server::saying(answer)), "", "{answer:?}");
    }
    let server = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 100000000000\r\n\r\n");
    let script = format!(
        "local r = http.request {{ method = 'HEAD', url = '{}' }} return r.headers['content-length'] .. r.body",
        server.url("/")
    );
    assert_eq!(run(Http::new(), &[Value::clone(&all_of(&server))], &script), "100000000000");
}
