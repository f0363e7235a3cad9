//! The module `http` in the command: behind the wall, for who is granted it, and for nobody else.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use expect_test::expect;

use crate::{app, lunarium, run, transcript};

/// A server on loopback that says `hello` to everybody: its port, and to how many.
pub(crate) fn server() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, count) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let asked = Arc::clone(&count);
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            asked.fetch_add(1, Ordering::Relaxed);
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
        }
    });
    (port, count)
}

fn fetching(port: u16, grants: &str) -> tempfile::TempDir {
    let source = format!(
        "local http = require('http') return function() local r, e = http.get('http://localhost:{port}/') print(r and r.body or e) end"
    );
    app(&format!("  - name: main\n    kind: process.lua\n    source: \"{source}\"\n    grants: {{{grants}}}\n"))
}

#[test]
fn a_granted_server_is_reached_from_behind_the_wall_and_no_proxy_is_asked() {
    let ((port, asked), (proxy, misled)) = (server(), server());
    let folder = fetching(port, &format!("http: [{{url: 'http://localhost:{port}/*'}}]"));
    let mut command = lunarium(folder.path(), &["run", "app"]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env(name, format!("http://127.0.0.1:{proxy}"));
    }
    assert_eq!(transcript(&command.output().unwrap()), "exit code: 0\n--- stdout\nhello\n");
    assert_eq!((asked.load(Ordering::Relaxed), misled.load(Ordering::Relaxed)), (1, 0));
}

#[test]
fn a_grant_of_a_host_is_one_too_and_a_closed_port_is_an_error() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = fetching(port, "");
    let index = folder.path().join("app/_index.yaml");
    let entries = std::fs::read_to_string(&index).unwrap();
    let host = format!(
        "  - {{name: processes, kind: process.host, grants: {{http: [{{url: 'http://localhost:{port}/'}}]}}}}\n"
    );
    std::fs::write(index, entries + &host).unwrap();
    // The system's word, not the wall's: with sockets taken away it would be another.
    assert_eq!(run(&folder, &["run", "app"]), "exit code: 0\n--- stdout\nhost can't be reached: connection refused\n");
}

#[test]
fn without_a_grant_there_is_no_http() {
    let folder = fetching(1, "");
    let told = run(&folder, &["run", "app"]);
    assert!(told.contains("module 'http' not found: it needs a grant with settings, `http: …`"), "{told}");
}

#[test]
fn check_tells_what_is_wrong_with_rules_and_where() {
    let folder = app("  - name: main
    kind: process.lua
    source: return function() end
    grants:
      http:
        - {url: 'https://*.example.com/*'}
        - url: https://api.example.com/*
          methods: [GET, FETCH]
        - {ulr: https://api.example.com/*}
        - {url: https://api.example.com}
      htp: []
      modules: [http]
");
    expect![[r#"
        exit code: 2
        --- stderr
        error: `*` can only be the last segment of the path
         --> app/_index.yaml:9:17
          |
        9 |         - {url: 'https://*.example.com/*'}
          |                 ^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: write it like `https://api.example.com/v1/*`

        error: `FETCH` is no method that can be granted
          --> app/_index.yaml:11:26
           |
        11 |           methods: [GET, FETCH]
           |                          ^^^^^
           |
           = help: there are `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE`, `OPTIONS`

        error: unknown key `ulr` in a rule
          --> app/_index.yaml:12:12
           |
        12 |         - {ulr: https://api.example.com/*}
           |            ^^^
           |
           = help: did you mean `url`?

        error: url has no path
          --> app/_index.yaml:13:17
           |
        13 |         - {url: https://api.example.com}
           |                 ^^^^^^^^^^^^^^^^^^^^^^^
           |
           = help: write `https://api.example.com/*` for all of it, or `https://api.example.com/` for its first page

        error: unknown key `htp` in `grants`
          --> app/_index.yaml:14:7
           |
        14 |       htp: []
           |       ^^^
           |
           = help: did you mean `http`?

        error: module `http` is granted with settings
          --> app/_index.yaml:15:17
           |
        15 |       modules: [http]
           |                 ^^^^
           |
           = help: write `http:` and what it may do, beside `modules`

        error: 6 mistakes
    "#]]
    .assert_eq(&run(&folder, &["check", "app"]));
}

#[test]
fn check_knows_its_functions_and_how_it_is_granted() {
    let folder = app("  - name: main
    kind: process.lua
    source: \"local http = require('http') return function() return http.gte('http://a/') end\"
    grants: {http: [{url: 'http://a/*'}]}
  - name: other
    kind: process.lua
    source: \"return function() return require('http').get('http://a/') end\"
");
    let told = run(&folder, &["check", "app"]);
    assert!(told.contains("module `http` has no function `gte`") && told.contains("did you mean `get`?"), "{told}");
    assert!(told.contains("module `http` isn't granted") && told.contains("it needs `grants: {http: […]}`"), "{told}");
    let folder = app("  - name: main
    kind: process.lua
    source: \"return function() return require('http').get('http://a/') end\"
    grants: {http: [{url: 'http://a'}]}
");
    let told = run(&folder, &["check", "app"]);
    assert!(told.contains("url has no path") && told.contains("error: 1 mistake\n"), "{told}");
}
