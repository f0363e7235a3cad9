//! Which servers are reached: redirects and addresses are checked again, whatever names and answers say.

use std::net::TcpListener;
use std::sync::atomic::Ordering;

use lunarium_modules::http::Http;

use crate::server::{Server, ok, say};
use crate::{Always, all_of, node, rule, run, run_on};

/// One that answers with its own name, and sends `/to?URL` there with status 302, or that of `/to307?URL`.
fn redirecting(name: &'static str) -> Server {
    Server::start(move |got, stream| {
        let target = got.line.split(' ').nth(1).unwrap_or_default();
        match target.split_once('?') {
            Some((path, url)) if path.starts_with("/to") => {
                let status = path.strip_prefix("/to").filter(|status| !status.is_empty()).unwrap_or("302");
                say(stream, &format!("HTTP/1.1 {status} Go\r\nlocation: {url}\r\ncontent-length: 0\r\n\r\n"));
            }
            _ => say(stream, &ok(&format!("{name} {}", got.line))),
        }
    })
}

#[test]
fn what_is_not_granted_is_not_connected_with() {
    let (open, closed) = (redirecting("open"), redirecting("closed"));
    let node = node(Http::new());
    let rules = [rule(&open.url("/v1/*"), &[])];
    for url in [closed.url("/v1/x"), open.url("/v2"), open.url("/v1"), format!("https://{}/v1/x", open.address)] {
        let expected = format!("PermissionDenied: no grant allows GET {url}");
        assert_eq!(run_on(&node, &rules, &format!("return fetch('{url}?secret')")), expected);
    }
    for path in ["/v1/../v2", "/v1/%2e%2e/v2", "/v1/..%2fv2", "/v1/..;/v2", "/v1/%252e%252e/v2"] {
        let expected = "Invalid: path of the url has a segment `.` or `..`";
        assert_eq!(run_on(&node, &rules, &format!("return fetch('{}')", open.url(path))), expected);
    }
    let inside = format!("http://{}@{}/v1/x", open.address, closed.address);
    let expected = "Invalid: url has a user name: that goes into the header `authorization`";
    assert_eq!(run_on(&node, &rules, &format!("return fetch('{inside}')")), expected);
    assert!(open.got().is_empty() && closed.got().is_empty());
}

#[test]
fn a_redirect_needs_a_grant_of_its_own() {
    let (open, closed) = (redirecting("open"), redirecting("closed"));
    let fetch = |url: &str| run(Http::new(), &[all_of(&open)], &format!("return fetch('{url}')"));
    assert_eq!(fetch(&open.url("/to?/b")), "open GET /b HTTP/1.1");
    assert_eq!(fetch(&open.url("/a/to?../b")), "open GET /a/to?../b HTTP/1.1");
    assert_eq!(fetch(&open.url(&format!("/to?{}", open.url("/c?x")))), "open GET /c?x HTTP/1.1");
    for target in [closed.url("/secret"), format!("//{}/secret", closed.address)] {
        let expected = format!("PermissionDenied: no grant allows GET {}", closed.url("/secret"));
        assert_eq!(fetch(&open.url(&format!("/to?{target}"))), expected);
    }
    let by_name = format!("http://localhost:{}/", open.port());
    assert_eq!(fetch(&open.url(&format!("/to?{by_name}"))), format!("PermissionDenied: no grant allows GET {by_name}"));
    let redirect = "Invalid: redirect can't be followed:";
    assert_eq!(fetch(&open.url("/to?file:///etc/passwd")), format!("{redirect} url is neither http nor https"));
    assert_eq!(fetch(&open.url("/to?/%2e%2e/x")), format!("{redirect} path of the url has a segment `.` or `..`"));
    assert!(closed.got().is_empty());
}

#[test]
fn a_redirect_goes_below_the_granted_path_only() {
    let open = redirecting("open");
    let rules = [rule(&open.url("/to"), &[]), rule(&open.url("/v1/*"), &[])];
    let fetch = |path: &str| run(Http::new(), &rules, &format!("return fetch('{}')", open.url(path)));
    assert_eq!(fetch("/to?v1/x"), "open GET /v1/x HTTP/1.1");
    let denied = format!("PermissionDenied: no grant allows GET {}", open.url("/admin"));
    assert_eq!(fetch("/to?v1/../admin"), denied);
}

#[test]
fn redirects_end() {
    let round = Server::saying("HTTP/1.1 302 Go\r\nlocation: /again\r\n\r\n");
    let script = |options: &str| format!("return fetch('{}'{options})", round.url("/"));
    let run = |options| run(Http::new(), &[all_of(&round)], &script(options));
    assert_eq!(run(""), "Invalid: more than 5 redirects");
    assert_eq!(round.got().len(), 6);
    assert_eq!(run(", { redirects = 1 }"), "Invalid: more than 1 redirects");
    // Without any the redirect is the answer.
    assert_eq!(run(", { redirects = 0 }"), "");
    assert_eq!(round.got().len(), 9);
}

#[test]
fn a_redirect_elsewhere_takes_no_secrets_along() {
    let (first, second) = (redirecting("first"), redirecting("second"));
    let rules = [&first, &second].map(|server| rule(&server.url("/*"), &[("methods", &["GET", "POST"])]));
    let headers = "headers = { authorization = 'Bearer x', cookie = 'a=1', ['x-api-key'] = 'k', ['content-type'] = 'text/plain' }";
    let post = |status: &str, to: &str| {
        let url = first.url(&format!("/to{status}?{to}"));
        run(Http::new(), &rules, &format!("return request {{ method = 'POST', url = '{url}', body = 'b', {headers} }}"))
    };
    assert_eq!(post("307", &second.url("/x")), "second POST /x HTTP/1.1");
    assert_eq!(post("303", &second.url("/x")), "second GET /x HTTP/1.1");
    assert_eq!(post("308", "/x"), "first POST /x HTTP/1.1");
    let secrets = ["authorization", "cookie", "x-api-key"];
    let got = second.got();
    assert_eq!((got[0].body.as_str(), got[0].header("content-type")), ("b", Some("text/plain")));
    assert_eq!((got[1].body.as_str(), got[1].header("content-type")), ("", None));
    assert!(got.iter().all(|got| secrets.iter().all(|name| got.header(name).is_none())));
    assert!(secrets.iter().all(|name| first.got().last().unwrap().header(name).is_some()));
}

#[test]
fn a_private_address_needs_a_grant_that_names_it() {
    let server = redirecting("server");
    let url = |host: &str| format!("http://{host}:{}/x", server.port());
    let fetch = |resolver: &Always, rules: &[(&str, &[&str])], host: &str| {
        let rules =
            [rule(&url("api.example"), rules), rule(&url("[::ffff:127.0.0.1]"), &[]), rule(&url("127.0.0.9"), &[])];
        run(Http::new().resolver(resolver.clone()), &rules, &format!("return fetch('{}')", url(host)))
    };
    let local = Always::new(&["127.0.0.1"]);
    let denied = "PermissionDenied: `api.example` has no public address, and no grant names the one that it has";
    assert_eq!(fetch(&local, &[], "api.example"), denied);
    assert_eq!(fetch(&local, &[("addresses", &["10.0.0.0/8", "127.0.0.2"])], "api.example"), denied);
    for private in
        ["10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fe80::1", "0.0.0.0", "224.0.0.1"]
    {
        assert_eq!(fetch(&Always::new(&[private]), &[], "api.example"), denied, "{private}");
    }
    assert!(server.got().is_empty());
    assert_eq!(fetch(&local, &[("addresses", &["127.0.0.0/8"])], "api.example"), "server GET /x HTTP/1.1");
    // An address that stands in the grant names itself, in the form in which it stands there, and no other.
    assert_eq!(fetch(&local, &[], "127.0.0.1"), format!("PermissionDenied: no grant allows GET {}", url("127.0.0.1")));
    assert_eq!(server.got().len(), 1);
    let mapped = fetch(&local, &[], "[::ffff:127.0.0.1]");
    // Where the machine has no IPv6, it is tried.
    assert!(mapped == "server GET /x HTTP/1.1" || mapped.starts_with("Unavailable"), "{mapped}");
}

#[test]
fn localhost_is_the_machine_itself_and_nobody_is_asked_for_it() {
    let server = redirecting("server");
    let resolver = Always::new(&["10.0.0.1"]);
    let url = format!("http://localhost:{}/x", server.port());
    let text = run(Http::new().resolver(resolver.clone()), &[rule(&url, &[])], &format!("return fetch('{url}')"));
    assert_eq!(text, "server GET /x HTTP/1.1");
    assert_eq!(resolver.asked.load(Ordering::Relaxed), 0);
}

#[test]
fn of_two_addresses_only_the_granted_one_is_reached() {
    let granted = redirecting("granted");
    let port = granted.port();
    let other = Server::at(&format!("127.0.0.2:{port}"), |_, stream| say(stream, &ok("other")));
    let url = format!("http://two.example:{port}/x");
    for order in [["127.0.0.1", "127.0.0.2"], ["127.0.0.2", "127.0.0.1"]] {
        let resolver = Always::new(&order);
        let rules = [rule(&url, &[("addresses", &["127.0.0.1"])])];
        let text = run(Http::new().resolver(resolver.clone()), &rules, &format!("return fetch('{url}')"));
        assert_eq!(text, "granted GET /x HTTP/1.1");
        // It was asked once: what it would say next time changes nothing.
        assert_eq!(resolver.asked.load(Ordering::Relaxed), 1);
    }
    assert!(other.got().is_empty());
}

#[test]
fn the_next_address_is_tried_when_the_first_refuses() {
    let server = redirecting("server");
    let url = format!("http://two.example:{}/x", server.port());
    let rules = [rule(&url, &[("addresses", &["127.0.0.0/8"])])];
    let fetch = |addresses: &[&str]| {
        run(Http::new().resolver(Always::new(addresses)), &rules, &format!("return fetch('{url}')"))
    };
    assert_eq!(fetch(&["127.0.0.3", "127.0.0.1"]), "server GET /x HTTP/1.1");
    assert_eq!(fetch(&["127.0.0.3"]), "Unavailable (retryable): host can't be reached: connection refused");
}

#[test]
fn a_name_without_an_address_is_told() {
    let fetch = |resolver: Always, host: &str| {
        let url = format!("http://{host}/");
        run(Http::new().resolver(resolver), &[rule(&url, &[])], &format!("return fetch('{url}')"))
    };
    let nobody = Always::new(&[]);
    assert_eq!(fetch(nobody.clone(), "nowhere.example"), "NotFound: there is no host `nowhere.example`");
    assert_eq!(fetch(nobody.clone(), "empty.example"), "NotFound: there is no host `empty.example`");
    let broken =
        "Unavailable (retryable): address of `broken.example` can't be found: the name server says ServerFailure";
    assert_eq!(fetch(nobody, "broken.example"), broken);
    // A port at which nobody listens.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let refused = fetch(Always::new(&[]), &format!("127.0.0.1:{port}"));
    assert_eq!(refused, "Unavailable (retryable): host can't be reached: connection refused");
}
