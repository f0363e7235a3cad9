//! The module `http` with the real guest, against real servers on loopback: what gets through, and what doesn't.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod bounds;
mod grants;
mod server;
mod tls;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lunarium::output::Captured;
use lunarium::{Node, Value};
use lunarium_modules::http::{Http, Resolve, Resolving};
use server::{Server, ok, say};

/// A rule of a grant: the URL, and what else there is.
fn rule(url: &str, more: &[(&str, &[&str])]) -> Value {
    let texts = |texts: &[&str]| Value::Array(texts.iter().map(|text| Value::from(*text)).collect());
    let more = more.iter().map(|(key, values)| (Value::from(*key), texts(values)));
    Value::Map([(Value::from("url"), Value::from(url))].into_iter().chain(more).collect())
}

/// A rule for all that is read from a server.
fn all_of(server: &Server) -> Value {
    rule(&server.url("/*"), &[])
}

fn node(http: Http) -> Node {
    Node::builder().module(http.module()).output(Captured::new()).start().unwrap()
}

/// What a script returns that has `http` with these rules; `fetch` gives the body, or kind, text and limit of the error.
fn run_on(node: &Node, rules: &[Value], script: &str) -> String {
    let source = format!(
        "local http = require('http')
        local function shown(response, err)
            if response then return response.body end
            local details = err:details()
            return err:kind() .. (err:retryable() and ' (retryable)' or '') .. ': ' .. err:message() .. (details and ' [' .. details.limit .. ']' or '')
        end
        local function fetch(...) return shown(http.get(...)) end
        local function request(...) return shown(http.request(...)) end
        return function() {script} end"
    );
    let plugin = node.plugin("p", &source).grant_with("http", Value::Array(rules.to_vec())).start_blocking().unwrap();
    plugin.result_blocking().unwrap()
}

fn run(http: Http, rules: &[Value], script: &str) -> String {
    run_on(&node(http), rules, script)
}

/// Finds the same addresses for every name, and counts how often it is asked.
#[derive(Clone)]
struct Always {
    addresses: Vec<IpAddr>,
    asked: Arc<AtomicUsize>,
}

impl Always {
    fn new(addresses: &[&str]) -> Always {
        Always { addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(), asked: Arc::default() }
    }
}

impl Resolve for Always {
    fn resolve<'r>(&'r self, name: &'r str) -> Resolving<'r> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let addresses = match name {
            "nowhere.example" => Err(io::ErrorKind::NotFound.into()),
            "broken.example" => Err(io::Error::other("the name server says ServerFailure")),
            _ => Ok(self.addresses.clone()),
        };
        Box::pin(async move { addresses })
    }
}

#[test]
fn an_answer_is_status_headers_body_and_where_it_came_from() {
    let server = Server::start(|_, stream| {
        let head = "HTTP/1.1 418 Odd\r\ncontent-length: 3\r\nX-Odd: a\r\nx-odd: b\r\nset-cookie: a=1, 2\r\nset-cookie: b=2\r\nx-latin: \u{fc}\r\n\r\n";
        say(stream, head);
        io::Write::write_all(stream, &[0, 255, 10]).unwrap();
    });
    let script = format!(
        "local r = http.get('{}', {{ headers = {{ ['X-Asked'] = 'yes', ['user-agent'] = 'mine' }} }})
        local names = {{}}
        for name in pairs(r.headers) do names[#names + 1] = name end
        table.sort(names)
        return table.concat({{ r.status, r.headers['x-odd'], (r.headers['set-cookie']:gsub('\\n', '|')), table.concat({{ r.body:byte(1, -1) }}, ' '), r.url,
            table.concat(names, ' ') }}, '; ')",
        server.url("/a?q=1#part")
    );
    let expected =
        format!("418; a, b; a=1, 2|b=2; 0 255 10; {}; content-length set-cookie x-latin x-odd", server.url("/a?q=1"));
    assert_eq!(run(Http::new(), &[all_of(&server)], &script), expected);
    let got = &server.got()[0];
    assert_eq!(got.line, "GET /a?q=1 HTTP/1.1");
    assert_eq!(got.header("host"), Some(server.address.to_string().as_str()));
    let headers = ["x-asked", "user-agent", "connection", "accept", "accept-encoding", "content-length"];
    assert_eq!(
        headers.map(|name| got.header(name)),
        [Some("yes"), Some("mine"), Some("close"), Some("*/*"), None, None]
    );
}

#[test]
fn a_body_is_sent() {
    let server = Server::start(|got, stream| say(stream, &ok(&got.body.to_uppercase())));
    let rules = [rule(&server.url("/v1/*"), &[("methods", &["POST", "PUT"])])];
    let script = format!(
        "return request {{ method = 'POST', url = '{0}', body = 'hello', headers = {{ ['content-type'] = 'text/plain' }} }}
            .. request {{ method = 'PUT', url = '{0}' }} .. request {{ url = '{0}' }}",
        server.url("/v1/x")
    );
    let denied = format!("PermissionDenied: no grant allows GET {}", server.url("/v1/x"));
    assert_eq!(run(Http::new(), &rules, &script), format!("HELLO{denied}"));
    let got = server.got();
    assert_eq!(
        got.iter().map(|got| got.line.as_str()).collect::<Vec<_>>(),
        ["POST /v1/x HTTP/1.1", "PUT /v1/x HTTP/1.1"]
    );
    assert_eq!([got[0].header("content-length"), got[0].header("content-type")], [Some("5"), Some("text/plain")]);
}

#[test]
fn what_is_no_request_is_told() {
    let faults = [
        ("fetch('nonsense')", "Invalid: url must begin with `http://` or `https://`"),
        ("fetch('http://user@a/')", "Invalid: url has a user name: that goes into the header `authorization`"),
        ("fetch('http://a/', { timeout = 'soon' })", "Invalid: timeout: `soon` is not a duration"),
        ("fetch('http://a/', { timeout = -1 })", "Invalid: timeout: duration `-1` is negative"),
        ("fetch('http://a/', { timeout = '1h' })", "Invalid: timeout is longer than the limit of 30s"),
        ("fetch('http://a/', { redirects = 6 })", "Invalid: redirects must be at most 5"),
        ("fetch('http://a/', { headers = { host = 'b' } })", "Invalid: header `host` is set by the client itself"),
        (
            "fetch('http://a/', { headers = { ['Proxy-X'] = 'b' } })",
            "Invalid: header `Proxy-X` is set by the client itself",
        ),
        (
            "fetch('http://a/', { headers = { ['Transfer-Encoding'] = 'b' } })",
            "Invalid: header `Transfer-Encoding` is set by the client itself",
        ),
        ("fetch('http://a/', { headers = { ['a b'] = 'b' } })", "Invalid: header `a b` can't be the name of one"),
        ("fetch('http://a/', { headers = { A = '1', a = '2' } })", "Invalid: header `a` is there twice"),
        (
            "fetch('http://a/', { headers = { a = 'b\\r\\nx: y' } })",
            "Invalid: header `a` has a value with a line break, a control character or a letter that isn't ASCII",
        ),
        (
            "fetch('http://a/', { headers = { a = ('x'):rep(20000) } })",
            "Invalid: headers are more than 64, or more than 16384 bytes",
        ),
        (
            "request { url = 'http://a/', method = 'CONNECT' }",
            "Invalid: unknown method `CONNECT`; there are GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        ),
        (
            "request { url = 'http://a/', body = {} }",
            "Invalid: body must be a string; `json.encode` makes one of a table",
        ),
        ("select(2, pcall(http.get))", "bad argument #1 to 'get' (string expected, got no value)"),
        ("select(2, pcall(http.request, {}))", "bad argument #1 to 'request' (missing field `url`)"),
        (
            "select(2, pcall(http.get, 'x', { heders = {} }))",
            "bad argument #2 to 'get' (unknown field `heders`, expected one of `headers`, `timeout`, `redirects`)",
        ),
    ];
    let node = node(Http::new().resolver(Always::new(&["127.0.0.1"])));
    for (call, expected) in faults {
        assert_eq!(run_on(&node, &[rule("http://a/*", &[])], &format!("return {call}")), expected, "{call}");
    }
}

#[test]
fn without_a_grant_there_is_no_module() {
    let node = node(Http::new());
    let source = "return function() return tostring(select(2, pcall(require, 'http'))) end";
    let plugin = node.plugin("p", source).start_blocking().unwrap();
    let text: String = plugin.result_blocking().unwrap();
    assert!(text.contains("module 'http' not found: it needs a grant with settings, `http: …`"), "{text}");
}
