//! Tenants beside each other at one socket.

use lunarium_serve::endpoint::{ServerConfig, Sites, TrafficLimits};

use crate::{Client, Tenant, endpoint, listen};

fn tenant(name: &str) -> Tenant {
    let source = format!("return {{ main = function(r) return {{ body = '{name} ' .. r.path }} end }}");
    Tenant::new(&endpoint("hello", &source, "path: '/{*path}'"), TrafficLimits::default())
}

#[test]
fn a_request_is_whose_host_or_prefix_it_has() {
    let (a, b, c) = (tenant("a"), tenant("b"), tenant("c"));
    let at = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let sites = [
        a.site("a").at_hosts(&at(&["a.example", "www.a.example"])),
        b.site("b").at_hosts(&[]),
        c.site("c").at_hosts(&[]),
    ];
    let server = listen(ServerConfig::default(), sites);
    let ask = |host: &str, target: &str| {
        let reply =
            Client::new(server.address()).ask(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
        if reply.status == 200 { reply.text().to_owned() } else { reply.status.to_string() }
    };
    assert_eq!(ask("a.example", "/x"), "a /x");
    assert_eq!(ask("WWW.A.Example.:8080", "/"), "a /");
    // Who has host names is nowhere else, and what is there is nobody else's.
    assert_eq!(ask("a.example", "/b/x"), "a /b/x");
    assert_eq!(ask("other", "/a/x"), "404");
    assert_eq!(ask("other", "/b/x"), "b /x");
    assert_eq!(ask("127.0.0.1", "/c"), "c /");
    assert_eq!(ask("[::1]:80", "/c/"), "c /");
    assert_eq!(ask("other", "/B/x"), "404");
    assert_eq!(ask("other", "/%62/x"), "404");
    assert_eq!(ask("other", "/"), "404");
    assert_eq!(ask("other", "http://a.example/y"), "a /y");
    assert_eq!(ask("a.example", "http://other/b/y"), "b /y");
    assert_eq!(server.stray_requests(), 4);
}

#[test]
fn sites_are_exchanged_while_connections_stay() {
    let (a, b) = (tenant("a"), tenant("b"));
    let server = listen(ServerConfig::default(), [a.site("one")]);
    let mut client = Client::new(server.address());
    let request = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
    assert_eq!(client.ask(request).text(), "a /x");
    server.exchange(Sites::new([b.site("one")]).unwrap());
    assert_eq!(client.ask(request).text(), "b /x");
    server.exchange(Sites::default());
    assert_eq!(client.ask(request).status, 404);
    assert_eq!((a.traffic.usage().answers, b.traffic.usage().answers), ([1, 0, 0, 0], [1, 0, 0, 0]));
}

#[test]
fn sites_that_would_have_the_same_requests_are_none() {
    let (a, b) = (tenant("a"), tenant("b"));
    let told = |one: &[&str], two: &[&str], names: [&str; 2]| {
        let at = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let sites = [a.site(names[0]).at_hosts(&at(one)), b.site(names[1]).at_hosts(&at(two))];
        Sites::new(sites).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(told(&["x.example"], &["X.Example."], ["a", "b"]), "host name `x.example` is `a`'s and `b`'s");
    assert_eq!(told(&[], &[], ["a", "a"]), "sites `a` and `a` would have the same requests");
    let form = "`x:80` of `b` is no host name: letters, digits, `-` and `.`, no port";
    assert_eq!(told(&[], &["x:80"], ["a", "b"]), form);
    assert_eq!(told(&["x.example", "x.example"], &["y.example"], ["a", "b"]), "");
    let both = Sites::new([a.site("a"), b.site("b")]).err().map(|error| error.to_string());
    assert_eq!(both.as_deref(), Some("sites `a` and `b` would have the same requests"));
}
