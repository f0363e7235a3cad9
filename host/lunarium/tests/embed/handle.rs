//! What a program holds of its processes: outcomes, values, what they begin with, and how all of them end.

use std::time::Duration;

use futures_lite::future::block_on;
use lunarium::output::Captured;
use lunarium::{ErrorKind, FailureExt as _, Node, Outcome, OutcomeExt as _, ProcessState, Received, Value};
use serde_derive::Deserialize;

use super::{kind, node};

#[derive(Deserialize, Debug, PartialEq)]
struct Limit {
    limit: String,
}

#[test]
fn outcomes_and_details_are_read_as_types() {
    let (node, _) = node();
    let outcome = |source: &str| block_on(node.plugin("a.lua", source).spawn().unwrap().wait());
    let fine = outcome("return function() return { 1, 2 } end");
    assert_eq!(fine.value::<Vec<i64>>().unwrap(), [1, 2]);
    assert_eq!(kind(fine.value::<String>()).1, "string expected, got table");
    outcome("return function() end").value::<()>().unwrap();
    let failed = outcome(
        "return function() error(errors.new { message = 'full', kind = errors.UNAVAILABLE, details = { limit = 'x' } }) end",
    );
    assert_eq!(kind(failed.value::<()>()), (ErrorKind::Unavailable, "full".to_owned()));
    let failure = failed.failure().unwrap();
    assert_eq!(failure.details::<Limit>().unwrap(), Limit { limit: "x".to_owned() });
    assert_eq!(failure.details::<Value>().unwrap().get("limit").and_then(Value::as_str), Some("x"));
    let plain = outcome("return function() error('boom') end");
    assert_eq!((failure.limit().as_deref(), plain.failure().unwrap().limit()), (Some("x"), None));
    assert_eq!(plain.failure().unwrap().details::<Option<Limit>>().unwrap(), None);
    let error = failed.value::<()>().unwrap_err();
    assert_eq!(error.failure().unwrap().details::<Limit>().unwrap().limit, "x");
    assert_eq!(error.limit(), Some("x"));
}

#[test]
fn an_error_names_the_limit_that_was_reached() {
    let node = Node::builder().max_processes(1).output(Captured::new()).start().unwrap();
    let source =
        "return { wait = function() end, hoard = function() local all = {} while true do all[#all + 1] = {} end end }";
    let plugin = node.plugin("a.lua", source).memory(1 << 20).start_blocking().unwrap();
    assert_eq!(node.plugin("b.lua", source).spawn().unwrap_err().limit(), Some("node.processes"));
    assert_eq!(plugin.call_blocking::<()>("hoard", ()).unwrap_err().limit(), Some("memory"));
    assert_eq!(plugin.call_blocking::<()>("missing", ()).unwrap_err().limit(), None);
}

const BEGINS: &str = r#"return { main = function()
    local first = process.listen("first")
    local a, b = first:receive(), first:receive()
    return { ctx.get("tenant"), ctx.get("plan").size, process.registry.lookup("worker") == process.pid(), a, b.deep }
end }"#;

#[test]
fn a_process_begins_with_context_name_and_messages() {
    #[derive(serde_derive::Serialize)]
    struct Plan {
        size: u32,
    }
    let (node, _) = node();
    let plugin =
        node.plugin("b.lua", BEGINS).context("tenant", "acme").context("plan", Plan { size: 3 }).name("worker");
    let plugin = plugin.message("first", 1).message("first", Value::from([("deep", Value::from(2))])).spawn().unwrap();
    let seen = plugin.result_blocking::<(String, u32, bool, i64, i64)>().unwrap();
    assert_eq!(seen, ("acme".to_owned(), 3, true, 1, 2));
}

#[test]
fn what_a_process_should_begin_with_is_checked() {
    let (node, _) = node();
    let waits = || node.plugin("w.lua", "return function() process.inbox():receive() end");
    let first = waits().name("taken").start_blocking().unwrap();
    let taken = format!("name `taken` is already held by {}", first.pid());
    assert_eq!(kind(waits().name("taken").spawn()), (ErrorKind::AlreadyExists, taken));
    assert_eq!(kind(waits().name("").spawn()).0, ErrorKind::Invalid);
    let topic = kind(waits().message("@x", 1).spawn());
    assert_eq!((topic.0, topic.1.contains("topic")), (ErrorKind::Invalid, true), "{}", topic.1);
    let deep = Value::from([("f", Value::Float(f64::NAN))]);
    waits().context("nan", deep).spawn().unwrap();
    let large = kind(waits().context("large", "x".repeat(2 << 20)).spawn());
    assert!(large.1.starts_with("context of 2097") && large.0 == ErrorKind::Invalid, "{}", large.1);
    let large = kind(waits().message("t", "x".repeat(2 << 20)).spawn());
    assert_eq!(large.1, "message of 2097157 bytes is above the limit of 1048576");
    let mut request =
        lunarium::SpawnRequest::new(lunarium::EntryId::new("plugins:w.lua"), lunarium::HostId::new("plugins"));
    request = request.with_context("key", Value::Map(vec![(Value::Nil, Value::Nil)]));
    let unfit = kind(node.spawn(request.clone()).map_err(lunarium::Error::from));
    assert!(unfit.1.starts_with("context.key"), "{}", unfit.1);
    request.context.clear();
    request = request.with_message("t", 1).with_message("t", Value::Map(vec![(Value::Nil, Value::Nil)]));
    let unfit = kind(node.spawn(request).map_err(lunarium::Error::from));
    assert!(unfit.1.starts_with("messages[2]"), "{}", unfit.1);
}

#[test]
fn a_handle_does_all_that_a_node_does_for_its_process() {
    let (node, _) = node();
    let source = "return { main = function()
        local t = process.listen('t')
        local got = t:receive()
        local event = process.events():receive()
        return { got, event.kind }
    end, double = function(n) return 2 * n end }";
    let plugin = node.plugin("h.lua", source).start_blocking().unwrap();
    let handle = plugin.handle();
    assert_eq!(block_on(handle.call("double", &[Value::from(4)])).unwrap(), [Value::from(8)]);
    let seen = handle.inspect().unwrap();
    assert_eq!((&seen.info.pid, handle.usage().unwrap().of("links").unwrap().used), (handle.pid(), 0));
    handle.send("t", "hello").unwrap();
    handle.cancel(None).unwrap();
    assert!(block_on(handle.started()));
    let result = block_on(handle.wait()).value::<(String, String)>().unwrap();
    assert_eq!(result, ("hello".to_owned(), "pid.cancel".to_owned()));
    assert!(handle.outcome().is_some() && handle.inspect().is_none() && handle.usage().is_none());
    let gone = |error: lunarium::Error| (error.kind(), error.to_string());
    let text = format!("process {} not found", handle.pid());
    assert_eq!(gone(handle.terminate().unwrap_err().into()), (ErrorKind::NotFound, text.clone()));
    assert_eq!(gone(handle.cancel(None).unwrap_err().into()), (ErrorKind::NotFound, text.clone()));
    assert_eq!(gone(handle.send("t", &1).unwrap_err().into()), (ErrorKind::NotFound, "process has ended".to_owned()));
    drop(node);
    assert_eq!(gone(handle.terminate().unwrap_err().into()), (ErrorKind::NotFound, text));
}

/// A process of each kind: one that ends when it is asked to, one that doesn't listen, one that never waits.
fn three(node: &Node) -> [lunarium::Plugin; 3] {
    let start = |name: &str, source: &str| node.plugin(name, source).spawn().unwrap();
    let asked = start("asked.lua", "return function() process.events():receive() return 'asked' end");
    let deaf = start("deaf.lua", "return function() time.sleep('1h') end");
    let busy = start("busy.lua", "return function() while true do end end");
    assert!(block_on(asked.handle().started()) && block_on(deaf.handle().started()));
    while busy.inspect().unwrap().info.state != ProcessState::Running {
        std::thread::yield_now();
    }
    [asked, deaf, busy]
}

#[test]
fn a_node_that_is_dropped_ends_everything_on_it() {
    let (node, _) = node();
    let plugins = three(&node);
    let (mut mailbox, mut events, weak) = (node.mailbox("m").unwrap(), node.events(), node.downgrade());
    drop(node);
    for plugin in plugins {
        let failed = kind(plugin.result_blocking::<()>());
        assert_eq!(failed, (ErrorKind::Canceled, "process terminated".to_owned()));
        assert_eq!(kind(plugin.call_blocking::<()>("f", ())).0, ErrorKind::NotFound);
    }
    assert!(mailbox.next_blocking().is_none() && weak.upgrade().is_none());
    // Its events end when its last instance is gone.
    while events.next_blocking().is_some() {}
}

#[test]
fn a_shutdown_asks_first_and_ends_the_rest_at_its_deadline() {
    let (node, _) = node();
    let [asked, deaf, busy] = three(&node);
    let mut mailbox = node.mailbox("m").unwrap();
    let other = node.clone();
    let reader = std::thread::spawn(move || {
        let first = mailbox.next_blocking();
        assert!(matches!(first, Some(Received::Cancel { from: None, deadline: Some(_), .. })), "{first:?}");
        drop(mailbox);
    });
    node.shutdown_blocking(Duration::from_millis(200));
    reader.join().unwrap();
    assert_eq!(asked.result_blocking::<String>().unwrap(), "asked");
    for plugin in [deaf, busy] {
        assert!(matches!(plugin.outcome(), Some(Outcome::Failed(failure)) if failure.message == "process terminated"));
    }
    assert_eq!((other.process_count(), other.instance_count()), (0, 0));
    let closed = kind(other.plugin("late.lua", "return function() end").spawn());
    assert_eq!(closed, (ErrorKind::Unavailable, "host `plugins` is stopped".to_owned()));
    let closed = kind(other.mailbox("late").map_err(lunarium::Error::from));
    assert_eq!(closed, (ErrorKind::Unavailable, "host `node:mailboxes` is stopped".to_owned()));
}
