//! What rules allow, and what is said about those that can't be read.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::net::IpAddr;

use hyper::Method;
use lunarium::Value;

use super::{Rule, read};
use crate::http::url::Url;

fn table(pairs: &[(&str, Value)]) -> Value {
    Value::Map(pairs.iter().map(|(key, value)| (Value::from(*key), value.clone())).collect())
}

fn list(texts: &[&str]) -> Value {
    Value::Array(texts.iter().map(|text| Value::from(*text)).collect())
}

fn rule(url: &str) -> Rule {
    read(&Value::Array(vec![table(&[("url", Value::from(url))])])).unwrap().remove(0)
}

fn allows(rule: &Rule, url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| rule.allows(&Method::GET, &url))
}

#[test]
fn a_url_is_compared_part_by_part() {
    let below = rule("https://api.example.com/v1/*");
    for url in [
        "https://api.example.com/v1/",
        "https://API.example.com:443/v1/a/b?x=/../",
        "https://api.example.com/v1/a%2Fb",
        "https://api.example.com/v1//x",
    ] {
        assert!(allows(&below, url), "{url}");
    }
    for url in [
        "https://api.example.com/v1",
        "https://api.example.com/v2/",
        "https://api.example.com/V1/x",
        "https://api.example.com/v1x",
        "http://api.example.com/v1/x",
        "https://api.example.com:444/v1/x",
        "https://api.example.com.evil.example/v1/x",
        "https://evil.example/api.example.com/v1/x",
        "https://evil.example/?https://api.example.com/v1/x",
        "https://api.example.com@evil.example/v1/x",
        "https://evil.example#api.example.com/v1/x",
        "https://example.com/v1/x",
        "https://api.example.com/v1/../admin",
        "https://api.example.com/v1/%2e%2e/admin",
        "https://api.example.com/v1/..%2fadmin",
        "https://api.example.com/v1/..;/admin",
        "https://api.example.com./v1/x",
        "https://api.example.com\\.evil.example/v1/x",
        "https://xapi.example.com/v1/x",
        "https://api.example.com/%76%31/x",
    ] {
        assert!(!allows(&below, url), "{url}");
    }
    let exact = rule("http://localhost:8080/status");
    assert!(allows(&exact, "http://localhost:8080/status?x") && !allows(&exact, "http://localhost:8080/status/"));
    assert!(!allows(&exact, "http://127.0.0.1:8080/status"));
    let url = Url::parse("https://api.example.com/v1/x").unwrap();
    assert!(below.allows(&Method::HEAD, &url) && !below.allows(&Method::POST, &url));
}

#[test]
fn an_address_that_is_not_public_must_be_named() {
    let reaches = |rule: &Rule, address: &str| rule.reaches(address.parse::<IpAddr>().unwrap());
    let name = rule("https://api.example.com/*");
    assert!(reaches(&name, "8.8.8.8") && !reaches(&name, "127.0.0.1") && !reaches(&name, "10.0.0.1"));
    assert!(!reaches(&name, "::ffff:8.8.8.8") && !reaches(&name, "64:ff9b::808:808"));
    let itself = rule("http://10.0.0.1:81/*");
    assert!(reaches(&itself, "10.0.0.1") && !reaches(&itself, "10.0.0.2") && !reaches(&itself, "::ffff:10.0.0.1"));
    let local = rule("http://localhost/*");
    assert!(reaches(&local, "127.0.0.1") && reaches(&local, "127.9.9.9") && reaches(&local, "::1"));
    assert!(!reaches(&local, "10.0.0.1"));
    let settings = table(&[("url", Value::from("http://db.internal/*")), ("addresses", list(&["10.1.0.0/16", "::1"]))]);
    let inside = read(&Value::Array(vec![settings])).unwrap().remove(0);
    assert!(reaches(&inside, "10.1.2.3") && reaches(&inside, "::1") && reaches(&inside, "8.8.8.8"));
    assert!(!reaches(&inside, "10.2.0.1") && !reaches(&inside, "127.0.0.1"));
}

#[test]
fn what_is_no_rule_is_told_with_its_place() {
    let fault = |value: Value| read(&value).map_or_else(|error| error.to_string(), |_| String::new());
    let of_rule = |pairs: &[(&str, Value)]| fault(Value::Array(vec![table(pairs)]));
    let of_url = |url: &str| of_rule(&[("url", Value::from(url))]);
    let with = |key: &str, value: Value| of_rule(&[("url", Value::from("http://a/")), (key, value)]);
    let faults = [
        (fault(Value::from("x")), "a list of rules is expected, not text"),
        (fault(Value::Array(vec![])), "the list of rules is empty; leave it out to grant nothing"),
        (fault(list(&["https://a/"])), "[1]: a rule must be a table, not text"),
        (of_rule(&[]), "[1]: a rule lacks `url`"),
        (of_rule(&[("ulr", Value::Nil)]), "[1]: unknown key `ulr` in a rule; did you mean `url`?"),
        (of_rule(&[("url", Value::Integer(1))]), "[1].url: `url` must be text, not a number"),
        (
            of_url("https://a"),
            "[1].url: url has no path; write `https://a/*` for all of it, or `https://a/` for its first page",
        ),
        (
            of_url("https://*.a/x"),
            "[1].url: `*` can only be the last segment of the path; write it like `https://api.example.com/v1/*`",
        ),
        (
            of_url("https://a/*/x"),
            "[1].url: `*` can only be the last segment of the path; write it like `https://api.example.com/v1/*`",
        ),
        (
            of_url("https://a/x*"),
            "[1].url: `*` can only be the last segment of the path; write it like `https://api.example.com/v1/*`",
        ),
        (
            of_url("https://a/*/*"),
            "[1].url: `*` can only be the last segment of the path; write it like `https://api.example.com/v1/*`",
        ),
        (of_url("https://a/?q=1"), "[1].url: url has a query or a fragment; a grant is for a path, whatever the query"),
        (of_url("https://a/#x"), "[1].url: url has a query or a fragment; a grant is for a path, whatever the query"),
        (of_url("a/*"), "[1].url: url must begin with `http://` or `https://`"),
        (of_url("https://u@a/"), "[1].url: url has a user name: that goes into the header `authorization`"),
        (with("methods", Value::from("GET")), "[1].methods: `methods` must be a list, not text"),
        (with("methods", Value::Array(vec![])), "[1].methods: `methods` is empty; leave it out for what is usual"),
        (
            with("methods", Value::Array(vec![Value::Integer(1)])),
            "[1].methods[1]: an item of `methods` must be text, not a number",
        ),
        (
            with("methods", list(&["GET", "get"])),
            "[1].methods[2]: `get` is no method that can be granted; there are `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE`, `OPTIONS`",
        ),
        (
            with("addresses", list(&["10.0.0.0/40"])),
            "[1].addresses[1]: `10.0.0.0/40` is neither an address nor a network; write it like `10.1.2.3` or `10.0.0.0/8`",
        ),
    ];
    for (told, expected) in faults {
        assert_eq!(told, expected);
    }
}
