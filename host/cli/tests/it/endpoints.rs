//! `lunarium run --http`: the command behind its wall, asked over a socket.

use std::io::{BufRead as _, Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use expect_test::expect;

use crate::hosted::Admin;
use crate::{Running, app, run};

const ENTRIES: &str = concat!(
    "  - {name: hello, kind: process.lua, source: \"return function(r) print(r.path) return {body = 'hello'} end\"}\n",
    "  - {name: endpoint, kind: http.endpoint, path: '/{name}', process: hello}\n",
);

/// Reads standard error up to the line that tells where it is served.
pub(crate) fn address(running: &mut Running) -> String {
    running.wait_for_error("serving http://").split_once("serving http://").unwrap().1.to_owned()
}

/// One request: the status and the body.
pub(crate) fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.replace('\n', "\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    format!("{} {body}", head.get(9..12).unwrap())
}

pub(crate) fn get(address: &str, path: &str) -> String {
    ask(address, &format!("GET {path} HTTP/1.1\nHost: x\nConnection: close\n\n"))
}

#[test]
fn endpoints_are_served_until_an_interrupt() {
    let folder = app(ENTRIES);
    let mut running = Running::start(&folder, &["run", "--http", "127.0.0.1:0", "app"]);
    let address = address(&mut running);
    assert_eq!(get(&address, "/ada"), "200 hello");
    assert_eq!(running.line(), "/ada");
    assert_eq!(get(&address, "/a/b"), "404 Not Found\n");
    running.signal("TERM");
    running.wait_for_error("stopping");
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
    assert!(TcpStream::connect(&address).is_err());
}

#[test]
fn a_request_under_way_is_answered_before_its_service_stops() {
    let folder = app(concat!(
        "  - name: slow\n    kind: process.lua\n    source: |\n",
        "      return { handle = function() print('asked') time.sleep('300ms') return { body = 'done' } end,\n",
        "        main = function() process.events():receive() print('stopped') end }\n",
        "  - {name: service, kind: process.service, process: slow, host: 'app:processes'}\n",
        "  - {name: wait, kind: http.endpoint, path: /, call: service}\n",
    ));
    let mut running = Running::start(&folder, &["run", "--http", "127.0.0.1:0", "app"]);
    let address = address(&mut running);
    let waiting = std::thread::spawn(move || get(&address, "/"));
    assert_eq!(running.line(), "asked");
    running.signal("INT");
    assert_eq!(waiting.join().unwrap(), "200 done");
    assert_eq!(running.line(), "stopped");
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_goes_wrong_is_a_line_of_the_log() {
    let folder = app(concat!(
        "  - {name: bad, kind: process.lua, source: \"return function() return 'text' end\"}\n",
        "  - {name: endpoint, kind: http.endpoint, path: /, process: bad}\n",
    ));
    let mut running = Running::start(&folder, &["run", "--http", "0", "app"]);
    let address = address(&mut running);
    assert_eq!(get(&address, "/"), "502 Bad Gateway\n");
    running.wait_for_error("GET / is answered 502: no answer that can be sent: table expected, got string");
    running.signal("TERM");
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_cannot_be_served_is_told() {
    let folder = app(ENTRIES);
    expect![[r#"
        exit code: 2
        --- stderr
        error: `http`: `localhost:80` is no address
        help: an address is `127.0.0.1:8080` or `[::1]:8080`; `8080` alone is that port of 127.0.0.1
    "#]]
    .assert_eq(&run(&folder, &["run", "--http", "localhost:80", "app"]));
    expect![[r#"
        exit code: 2
        --- stderr
        error: the application has no service to start and no single entry named `main`: `-x` must name what to run
        help: `--http ADDRESS` serves the application's endpoints
    "#]]
    .assert_eq(&run(&folder, &["run", "app"]));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let told = run(&folder, &["run", "--http", &address, "app"]).replace(&address, "ADDRESS");
    expect![[r#"
        exit code: 1
        --- stderr
        error: `http`: cannot listen on ADDRESS: Address already in use (os error 98)
        help: something listens there already: stop it, or take another port
    "#]]
    .assert_eq(&told);
    expect![[r#"
        exit code: 2
        --- stderr
        error: the application's services take no `--host`: `-x` names one process to run
    "#]]
    .assert_eq(&run(&folder, &["run", "--http", "0", "--host", "app:processes", "app"]));
    let none = app("  - {name: main, kind: process.lua, source: return print}\n");
    expect![[r#"
        exit code: 2
        --- stderr
        error: `--http`: the application has no endpoint to serve
        help: an entry of the kind `http.endpoint` says which requests become what
    "#]]
    .assert_eq(&run(&none, &["run", "--http", "0", "app"]));
}

#[test]
fn endpoints_that_nobody_serves_are_told() {
    let folder = app(&format!(
        "{ENTRIES}{}",
        concat!(
            "  - {name: once, kind: process.lua, source: return function() end}\n",
            "  - {name: service, kind: process.service, process: once, host: 'app:processes'}\n",
        )
    ));
    let running = Running::start(&folder, &["run", "app"]);
    assert!(running.finish().contains("nobody serves the endpoints: `--http ADDRESS` does"));
}

/// The example, as its page says.
#[test]
fn the_example_of_a_webhook_answers() {
    let examples = crate::examples::examples();
    let mut running = Running::of(crate::lunarium(&examples, &["run", "--http", "0", "webhook"]));
    let address = address(&mut running);
    let post = |body: &str| {
        ask(
            &address,
            &format!("POST /orders/tea HTTP/1.1\nHost: x\nConnection: close\nContent-Length: {}\n\n{body}", body.len()),
        )
    };
    // The service may not have its name yet.
    let first = (0..1000).map(|_| post("{\"count\": 2}")).find(|answer| !answer.starts_with("503 "));
    assert_eq!(first.unwrap(), "201 {\"count\":2,\"item\":\"tea\",\"total\":2}");
    assert_eq!(post("{\"count\": 3}"), "201 {\"count\":3,\"item\":\"tea\",\"total\":5}");
    assert_eq!(post("{"), "400 the body is no JSON\n");
    assert_eq!(get(&address, "/orders/tea"), "200 5\n");
    assert_eq!(get(&address, "/loop"), "504 Gateway Timeout\n");
    assert_eq!(get(&address, "/orders/tea"), "200 5\n");
    running.signal("TERM");
    let mut printed = String::new();
    while running.lines.read_line(&mut printed).unwrap() > 0 {}
    assert_eq!(printed, std::fs::read_to_string(examples.join("webhook/expected.txt")).unwrap());
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
}

/// A node's file with two tenants, and their applications.
fn node(http: &str) -> tempfile::TempDir {
    let index = |name: &str| {
        format!(
            "version: \"1.0\"\nnamespace: app\nentries:\n  - {{name: hello, kind: process.lua, source: \"return function(r) return {{body = '{name} ' .. r.path .. ' ' .. r.remote}} end\"}}\n  - {{name: endpoint, kind: http.endpoint, path: /hello, process: hello}}\n"
        )
    };
    let file = format!(
        "{http}\ntenants:\n  - {{name: ada, path: ada}}\n  - {{name: bob, path: bob, http: {{hosts: [bob.example]}}}}\n"
    );
    crate::folder(&[("node.yaml", &file), ("ada/_index.yaml", &index("ada")), ("bob/_index.yaml", &index("bob"))])
}

#[test]
fn tenants_are_served_by_prefix_and_by_host_name_and_followed() {
    let folder = node("http: {address: '127.0.0.1:0', proxies: [127.0.0.0/8]}");
    let mut running = Running::start(&folder, &["serve", "."]);
    let address = address(&mut running);
    assert_eq!(get(&address, "/ada/hello"), "200 ada /hello 127.0.0.1");
    let of_bob = "GET /hello HTTP/1.1\nHost: bob.example\nX-Forwarded-For: 203.0.113.9\nConnection: close\n\n";
    assert_eq!(ask(&address, of_bob), "200 bob /hello 203.0.113.9");
    assert_eq!(get(&address, "/bob/hello"), "404 Not Found\n");
    let index = folder.path().join("ada/_index.yaml");
    let changed = std::fs::read_to_string(&index).unwrap().replace("path: /hello", "path: /new");
    std::fs::write(&index, changed).unwrap();
    running.signal("HUP");
    running.wait_for_error("tenant ada reloaded");
    while get(&address, "/ada/new") != "200 ada /new 127.0.0.1" {}
    assert_eq!(get(&address, "/ada/hello"), "404 Not Found\n");
    assert_eq!(ask(&address, of_bob), "200 bob /hello 203.0.113.9");
    running.signal("TERM");
    running.wait_for_error("stopping");
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
}

#[test]
fn names_of_who_does_not_run_are_nobody_else_s() {
    let folder = node("http: '127.0.0.1:0'");
    let text = std::fs::read_to_string(folder.path().join("node.yaml")).unwrap();
    let others = "  - {name: eve, path: eve}\n  - {name: mail, path: ada, http: {hosts: [mail.example]}}\n";
    std::fs::write(folder.path().join("node.yaml"), text + others).unwrap();
    std::fs::write(folder.path().join("bob/_index.yaml"), "wrong").unwrap();
    let mut running = Running::start(&folder, &["serve", "."]);
    let address = address(&mut running);
    running.wait_for_error("serving: 4 tenants, failed: bob, eve");
    let at =
        |host: &str, path: &str| ask(&address, &format!("GET {path} HTTP/1.1\nHost: {host}\nConnection: close\n\n"));
    for (host, path) in [("bob.example", "/hello"), ("bob.example", "/ada/hello"), ("x", "/eve/hello"), ("x", "/eve")] {
        assert_eq!(at(host, path), "503 Service Unavailable\n", "{host} {path}");
    }
    assert_eq!(at("x", "/ada/hello"), "200 ada /hello 127.0.0.1");
    assert_eq!(at("mail.example", "/ada/hello"), "404 Not Found\n");
    assert_eq!(at("x", "/bob/hello"), "404 Not Found\n");
    // It is there again as soon as it runs.
    let index = std::fs::read_to_string(folder.path().join("ada/_index.yaml")).unwrap();
    std::fs::write(folder.path().join("bob/_index.yaml"), index).unwrap();
    running.signal("HUP");
    running.wait_for_error("tenant bob reloaded");
    while at("bob.example", "/hello") != "200 ada /hello 127.0.0.1" {}
    running.stop();
}

#[test]
fn requests_of_tenants_are_in_the_metrics() {
    let folder = node("http: {address: '127.0.0.1:0'}");
    let mut running = Running::start(&folder, &["serve", ".", "--admin", "unix:admin.sock"]);
    let address = address(&mut running);
    let (answer, wrong) = (get(&address, "/ada/hello"), get(&address, "/ada/nothing"));
    assert_eq!((answer.as_str(), wrong.as_str()), ("200 ada /hello 127.0.0.1", "404 Not Found\n"));
    let metrics = || Admin::of(folder.path()).get("/metrics").unwrap().body;
    // What was read a moment ago is told again: it may be of before the requests.
    let mut text = metrics();
    while !text.contains("lunarium_http_request_duration_seconds_count{tenant=\"ada\"} 2") {
        sleep(Duration::from_millis(50));
        text = metrics();
    }
    let sent = "ada /hello 127.0.0.1".len() + "Not Found\n".len();
    for line in [
        "lunarium_http_requests_total{tenant=\"ada\",status=\"2xx\"} 1.0",
        "lunarium_http_requests_total{tenant=\"ada\",status=\"4xx\"} 1.0",
        "lunarium_http_requests_total{tenant=\"ada\",status=\"5xx\"} 0.0",
        "lunarium_http_requests_total{tenant=\"bob\",status=\"2xx\"} 0.0",
        "lunarium_http_request_duration_seconds_count{tenant=\"ada\"} 2",
        "lunarium_http_requests_under_way{tenant=\"ada\"} 0.0",
        &format!("lunarium_http_sent_bytes_total{{tenant=\"ada\"}} {sent}.0"),
    ] {
        assert!(text.lines().any(|known| known == line), "no {line} in\n{text}");
    }
    running.signal("TERM");
    running.wait_for_error("stopping");
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_is_wrong_with_where_tenants_are_served_is_told_with_its_place() {
    let folder = node("http: {address: 'localhost:80', proxies: [127.0.0.0/8, nobody]}\nadmin: /run/x");
    expect![[r#"
        exit code: 2
        --- stderr
        error: `http`: `localhost:80` is no address
         --> node.yaml:1:17
          |
        1 | http: {address: 'localhost:80', proxies: [127.0.0.0/8, nobody]}
          |                 ^^^^^^^^^^^^^^
          |
          = help: an address is `127.0.0.1:8080` or `[::1]:8080`; `8080` alone is that port of 127.0.0.1

        error: `nobody` is neither an address nor a network such as `10.0.0.0/8`
         --> node.yaml:1:56
          |
        1 | http: {address: 'localhost:80', proxies: [127.0.0.0/8, nobody]}
          |                                                        ^^^^^^

        error: `admin`: `/run/x` is no address
         --> node.yaml:2:8
          |
        2 | admin: /run/x
          |        ^^^^^^
          |
          = help: it is `unix:PATH`, `tcp:ADDRESS:PORT` or `none`

        error: 3 mistakes
    "#]]
    .assert_eq(&run(&folder, &["check", "node.yaml"]));
}
