//! Requests that become calls of a service.

use crate::{Served, Tenant};

/// A service that counts.
const COUNTER: &str = "  - name: counter
    kind: process.lua
    source: |
      local count = 0
      return {
        handle = function(r) count = count + 1 return { body = r.method .. ' ' .. count } end,
        fails = function() error('broken', 0) end,
        busy = function() error(errors.new{ message = 'too much', kind = errors.RATE_LIMITED }) end,
        waits = function() time.sleep('10h') end,
        text = function() return 'text' end,
        two = function() return {}, 'text' end,
        refuses = function() return nil, 'no such order' end,
        ends = function() process.terminate(process.pid()) end,
      }
  - {name: service, kind: process.service, process: counter, host: 'app:processes'}
";

fn served() -> Served {
    let endpoints: String = ["handle", "fails", "busy", "waits", "text", "two", "refuses", "ends", "absent"]
        .iter()
        .map(|name| format!("  - {{name: e_{name}, kind: http.endpoint, path: /{name}, call: service, function: {name}, timeout: 200ms}}\n"))
        .collect();
    Served::new(&format!("{COUNTER}{endpoints}  - {{name: default, kind: http.endpoint, path: /, call: service}}\n"))
}

fn reason(tenant: &Tenant, path: &str) -> String {
    let line = tenant.log.with(&format!("GET {path} is answered"));
    line.split_once(" is answered ").unwrap().1.to_owned()
}

#[test]
fn a_call_goes_to_the_service_which_goes_on() {
    let served = served();
    assert_eq!(served.get("/").text(), "GET 1");
    for (path, told) in [
        ("/fails", "502: failed: broken (Internal)"),
        ("/busy", "503: failed: too much (RateLimited)"),
        ("/waits", "504: no answer within 200ms"),
        ("/text", "502: no answer that can be sent: table expected, got string"),
        ("/two", "502: no answer that can be sent: table expected, got 2 values"),
        ("/refuses", "502: no answer that can be sent: no such order"),
    ] {
        let reply = served.get(path);
        assert_eq!(reason(&served.tenant, path), told);
        assert!(told.starts_with(&reply.status.to_string()));
    }
    assert_eq!(served.get("/absent").status, 502);
    assert!(reason(&served.tenant, "/absent").starts_with("502: failed: no function `absent` to call"));
    assert_eq!(served.get("/handle").text(), "GET 2");
    // The client may have read an answer before its place is given back.
    while served.tenant.traffic.usage().under_way > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_service_that_is_away_is_503() {
    let served = served();
    assert_eq!(served.get("/ends").status, 502);
    assert!(
        reason(&served.tenant, "/ends").contains("has ended: process terminated"),
        "{}",
        reason(&served.tenant, "/ends")
    );
    // It comes back after a second; until then there is nobody.
    let reply = served.get("/");
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")));
    let told = reason(&served.tenant, "/");
    let away = ["service `app:service` doesn't run", "not found", "process has ended"];
    assert!(told.starts_with("503: ") && away.iter().any(|words| told.contains(words)), "{told}");
}
