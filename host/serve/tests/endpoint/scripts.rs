//! Scripts that do their worst: each is answered with a status, the log says why, and nothing is left.

use lunarium_engine::{Events, NodeEvent};
use lunarium_serve::endpoint::{ServerConfig, TrafficLimits};

use crate::{Served, endpoint};

/// Runs a script for one request: the status, and what the log says of it.
fn told(source: &str, rest: &str) -> (u16, String) {
    let served = Served::new(&endpoint("script", source, &format!("path: /{rest}")));
    let reply = served.get("/");
    assert_eq!(reply.text(), format!("{}\n", reply.head.lines().next().unwrap().get(13..).unwrap()));
    served.tenant.is_clean();
    let line = served.tenant.log.with("GET / is answered");
    let reason = line.strip_prefix(&format!("Warn: GET / is answered {}: ", reply.status)).unwrap();
    (reply.status, reason.to_owned())
}

/// The same of a `main` that does and returns this.
fn main(body: &str) -> (u16, String) {
    told(&format!("return {{ main = function(request) {body} end }}"), "")
}

fn no_answer(reason: &str) -> (u16, String) {
    (502, format!("no answer that can be sent: {reason}"))
}

#[test]
fn what_is_no_answer_is_502() {
    assert_eq!(main("return 'text'"), no_answer("table expected, got string"));
    assert_eq!(main(""), no_answer("table expected, got nil"));
    assert_eq!(main("return {1, 2}"), no_answer("table with names expected, got list"));
    assert_eq!(
        main("return { boddy = '' }"),
        no_answer("unknown field `boddy`, expected one of `status`, `headers`, `body`")
    );
    assert_eq!(main("return { body = 7 }"), no_answer("body: string expected, got number"));
    assert_eq!(main("return { body = {} }"), no_answer("body: string expected, got table"));
    assert_eq!(main("return { status = 'ok' }"), no_answer("status: integer expected, got string"));
    for status in [0, 99, 101, 199, 600, -1, i64::MAX] {
        let reason = format!("status {status} is not from 200 to 599");
        assert_eq!(main(&format!("return {{ status = {status} }}")), no_answer(&reason));
    }
}

#[test]
fn headers_that_cannot_be_sent_are_502() {
    let headers = |text: &str| main(&format!("return {{ headers = {text} }}"));
    let control = no_answer("headers.x: a value with control characters, such as a line break");
    assert_eq!(headers(r#"{ x = "a\r\nset-cookie: b" }"#), control);
    assert_eq!(headers(r#"{ x = "a\nb" }"#), control);
    assert_eq!(headers(r#"{ x = "a\0b" }"#), control);
    assert_eq!(headers(r#"{ x = {"a", "b\rc"} }"#), control);
    assert_eq!(headers(r#"{ ["a b"] = "c" }"#), no_answer("headers: `a b` is no name of a header"));
    assert_eq!(headers(r#"{ ["a\r\nb"] = "c" }"#), no_answer("headers: `a\\x0d\nb` is no name of a header"));
    assert_eq!(headers(r#"{ [""] = "c" }"#), no_answer("headers: `` is no name of a header"));
    for name in ["Content-Length", "transfer-encoding", "Connection", "upgrade", "keep-alive", "trailer"] {
        let reason = format!("headers: header `{}` is the server's to set", name.to_lowercase());
        assert_eq!(headers(&format!("{{ ['{name}'] = '5' }}")), no_answer(&reason));
    }
    assert_eq!(
        headers("{ x = true }"),
        no_answer("headers.x: string, integer or list of strings expected, got boolean")
    );
    assert_eq!(headers("{ x = {{}} }"), no_answer("headers.x[1]: string expected, got table"));
    assert_eq!(headers("'x'"), no_answer("headers: table expected, got string"));
    let (status, reason) = main("local h = {} for i = 1, 65 do h['x' .. i] = 'y' end return { headers = h }");
    assert!(status == 502 && reason.ends_with("more than 64 headers, or 16384 bytes of them"), "{reason}");
    let (status, reason) = main("return { headers = { x = ('y'):rep(17000) } }");
    assert!(status == 502 && reason.ends_with("more than 64 headers, or 16384 bytes of them"), "{reason}");
}

#[test]
fn a_failure_is_502_and_the_log_has_its_words() {
    assert_eq!(main("error('broken', 0)"), (502, "failed: broken (Internal)".to_owned()));
    assert_eq!(main("return false, 'why'"), (502, "failed: why (Internal)".to_owned()));
    assert_eq!(main("process.terminate(process.pid())"), (502, "failed: process terminated (Canceled)".to_owned()));
    let (status, reason) = main("local x = nil; x()");
    assert!(status == 502 && reason.contains("attempt to call a nil value"), "{reason}");
    let (status, reason) = main("return { body = print }");
    assert!(status == 502 && reason.contains("is a function"), "{reason}");
    let (status, reason) = main("process.inbox():receive() process.upgrade('app:nobody') return {}");
    assert_eq!(status, 504, "{reason}");
}

#[test]
fn who_never_ends_is_504() {
    let loops = "return { main = function() while true do end end }";
    assert_eq!(told(loops, ", timeout: 50ms"), (504, "no answer within 50ms".to_owned()));
    let waits = "return { main = function() time.sleep('10h') return {} end }";
    assert_eq!(told(waits, ", timeout: 50ms"), (504, "no answer within 50ms".to_owned()));
    let served = Served::new(concat!(
        "  - {name: loops, kind: process.lua, source: 'return function() while true do end end', limits: {cpu: 20ms}}\n",
        "  - {name: endpoint, kind: http.endpoint, path: /, process: loops}\n"
    ));
    assert_eq!(served.get("/").status, 504);
    assert!(
        served
            .tenant
            .log
            .with("is answered 504")
            .ends_with("cpu limit of 20ms reached without waiting (ResourceExhausted)")
    );
    served.tenant.is_clean();
}

#[test]
fn who_takes_too_much_is_503() {
    let (status, reason) = main("local t = {} while true do t[#t + 1] = ('x'):rep(100000) end");
    assert_eq!(status, 503);
    assert!(reason.contains("not enough memory") && reason.ends_with("(ResourceExhausted)"), "{reason}");
    let (status, reason) = main("return { body = ('x'):rep(2 * 1024 * 1024) }");
    assert!(status == 502 && reason.contains("exceeds the message limit of 1048576"), "{status} {reason}");
}

#[test]
fn a_bug_of_one_request_is_not_the_next_ones() {
    let source = "return { main = function(r) if r.path == '/bad' then string.rep = nil; while true do end end return { body = ('x'):rep(3) } end }";
    let served = Served::new(&endpoint("script", source, "path: '/{id}', timeout: 50ms"));
    assert_eq!(served.get("/bad").status, 504);
    assert_eq!(served.get("/good").text(), "xxx");
}

fn wait_for_spawn(events: &mut Events, wanted: &str) {
    while !matches!(events.next_blocking(), Some(NodeEvent::Spawned { entry, .. }) if entry.as_str() == wanted) {}
}

#[test]
fn a_full_host_is_503_and_services_keep_their_place() {
    let served = Served::new(concat!(
        "  - {name: processes, kind: process.host, host: {max_processes: 2}}\n",
        "  - {name: main, kind: process.lua, source: \"return function() time.sleep('10h') end\"}\n",
        "  - {name: waits, kind: process.lua, source: 'return function() process.events():receive() end'}\n",
        "  - {name: service, kind: process.service, process: waits, host: processes}\n",
        "  - {name: endpoint, kind: http.endpoint, path: /, process: main}\n",
    ));
    let mut one = served.client();
    one.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    crate::wait_until(|| served.tenant.node.process_count() == 2);
    let reply = served.get("/");
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")));
    served.tenant.log.with("is answered 503: host `app:processes` is at its limit of 2 processes");
    drop(one);
    crate::wait_until(|| served.tenant.node.process_count() == 1);
    // The service's place stays its own while it is away.
    let pid = served.tenant.node.pids().pop().unwrap();
    let (mut begins, mut comes_back) = (served.tenant.node.events(), served.tenant.node.events());
    served.tenant.node.terminate(&pid).unwrap();
    let mut one = served.client();
    one.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    // Of two connections the one that was opened first needn't be answered first.
    wait_for_spawn(&mut begins, "app:main");
    assert_eq!(served.get("/").status, 503);
    wait_for_spawn(&mut comes_back, "app:waits");
}

#[test]
fn too_many_are_refused() {
    let entries = endpoint("waits", "return { main = function() time.sleep('10h') end }", "path: /");
    let mut limits = TrafficLimits::default();
    limits.requests_at_once = 1;
    let served = Served::with(&entries, ServerConfig::default(), limits);
    let mut one = served.client();
    one.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    crate::wait_until(|| served.tenant.traffic.usage().under_way == 1);
    assert_eq!(served.get("/").status, 503);
    served.tenant.log.with("is answered 503: more than 1 requests at once");
    drop(one);
    served.tenant.is_clean();

    let mut limits = TrafficLimits::default();
    limits.requests_per_second = 1;
    let entries = endpoint("hello", "return { main = function() return {} end }", "path: /");
    let served = Served::with(&entries, ServerConfig::default(), limits);
    // Of three that come at once two are too many: a second has to pass for each.
    let statuses = [(); 3].map(|()| served.get("/").status);
    assert_eq!(statuses[0], 200);
    assert!(statuses.contains(&429), "{statuses:?}");
    served.tenant.log.with("Info: GET / is answered 429: more than 1 requests in a second");
}
