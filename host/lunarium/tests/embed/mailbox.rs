//! A mailbox of the program's own: scripts send to it and call it as a process.

use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Wake, Waker};

use lunarium::{
    EntryId, ErrorKind, FunctionError, LimitName, LimitsOverride, Mailbox, Node, NodeEvent, Outcome, Pattern, Policy,
    PolicyEffect, ProcessState, Received, ReceivedCall, ReceivedMessage, ScopeSpec, SecuritySpec, Value,
};

use super::{kind, node};

fn message(mailbox: &mut Mailbox) -> ReceivedMessage {
    match mailbox.next_blocking() {
        Some(Received::Message(message)) => message,
        other => panic!("{other:?}"),
    }
}

fn call(mailbox: &mut Mailbox) -> ReceivedCall {
    match mailbox.next_blocking() {
        Some(Received::Call(call)) => call,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_scripts_send_is_read_in_order_and_typed() {
    let (node, _) = node();
    let mut ledger = node.mailbox("ledger").unwrap();
    let source = r#"return function()
        process.send("ledger", "charge", "Ada", 250)
        process.send("ledger", "entry", { who = "Ada", cents = 3 })
        process.send("ledger", "plain", "text")
        process.send("ledger", "nothing")
        process.send("ledger", "gap", nil, 2)
    end"#;
    let plugin = node.plugin("a.lua", source).spawn().unwrap();
    plugin.result_blocking::<()>().unwrap();
    let charge = message(&mut ledger);
    assert_eq!((charge.topic(), charge.from()), ("charge", Some(plugin.pid())));
    assert_eq!(charge.value::<(String, i64)>().unwrap(), ("Ada".to_owned(), 250));
    let unfit = charge.value::<String>().unwrap_err();
    assert_eq!(unfit.to_string(), "string expected, got table");
    assert_eq!(message(&mut ledger).value::<super::Item>().unwrap(), super::Item { who: "Ada".to_owned(), cents: 3 });
    assert_eq!(message(&mut ledger).value::<String>().unwrap(), "text");
    message(&mut ledger).value::<()>().unwrap();
    assert_eq!(message(&mut ledger).value::<(Option<i64>, i64)>().unwrap(), (None, 2));
    node.send_value("ledger", "from outside", &1).unwrap();
    let outside = message(&mut ledger);
    assert_eq!((outside.from().is_none(), outside.value::<Value>().unwrap()), (true, Value::Integer(1)));
}

#[tokio::test]
async fn a_mailbox_is_a_stream_and_talks_back() -> Result<(), lunarium::Error> {
    let (node, _) = node();
    let mut echo = node.mailbox("echo")?;
    let source = r#"return function()
        local answers = process.listen("answer")
        process.send("echo", "question", 20)
        local value, ok, from = answers:receive()
        return value
    end"#;
    let plugin = node.plugin("a.lua", source).start().await?;
    while let Some(received) = echo.next().await {
        let Received::Message(message) = received else { continue };
        echo.send(message.from().unwrap().as_str(), "answer", &(message.value::<i64>()? + 1))?;
        break;
    }
    assert_eq!(plugin.result::<i64>().await?, 21);
    let gone = echo.send("nobody", "topic", &1).unwrap_err();
    assert_eq!(gone.to_string(), "name `nobody` not found");
    Ok(())
}

#[test]
fn the_receiver_sees_the_mailbox_as_its_sender() {
    let (node, _) = node();
    let mailbox = node.mailbox("ledger").unwrap();
    let source = "return function() local m = process.inbox():receive() return m:from() end";
    let plugin = node.plugin("a.lua", source).start_blocking().unwrap();
    mailbox.send(plugin.pid().as_str(), "t", &1).unwrap();
    assert_eq!(plugin.result_blocking::<String>().unwrap(), mailbox.pid().as_str());
}

#[test]
fn a_call_is_answered_refused_or_dropped() {
    let (node, _) = node();
    let mut ledger = node.mailbox("ledger").unwrap();
    let source = r#"return function(method, ...)
        local a, b = process.call("ledger", method, ...)
        if a == nil and b then return b:kind() .. ": " .. b:message() end
        return { a, b }
    end"#;
    let mut ask = |method: &str| {
        let plugin = node.plugin("a.lua", source).arguments((method, "Ada", 5)).spawn().unwrap();
        let call = call(&mut ledger);
        assert_eq!((call.method(), call.from()), (method, Some(plugin.pid())));
        (plugin, call)
    };
    let (plugin, call) = ask("sum");
    let (who, cents): (String, i64) = call.arguments().unwrap();
    call.answer(&(format!("{who} has"), cents * 2)).unwrap();
    assert_eq!(plugin.result_blocking::<(String, i64)>().unwrap(), ("Ada has".to_owned(), 10));
    let (plugin, call) = ask("bad");
    let unfit = call.arguments::<(i64,)>().unwrap_err();
    call.fail(unfit);
    let text = "Invalid: bad argument #1 to 'bad' (integer expected, got string)";
    assert_eq!(plugin.result_blocking::<String>().unwrap(), text);
    let (plugin, call) = ask("later");
    call.fail(FunctionError::new(ErrorKind::Unavailable, "closed"));
    assert_eq!(plugin.result_blocking::<String>().unwrap(), "Unavailable: closed");
    let (plugin, dropped) = ask("dropped");
    drop(dropped);
    let text = "Canceled: call of `dropped` was dropped without an answer";
    assert_eq!(plugin.result_blocking::<String>().unwrap(), text);
    let (plugin, call) = ask("nan");
    let error = call.answer(&f64::NAN.to_bits().to_le_bytes().map(|byte| (byte, 1_u128 << 100))).unwrap_err();
    let text = format!("Internal: result of `nan` can't travel: {error}");
    assert_eq!(plugin.result_blocking::<String>().unwrap(), text);
    let (plugin, open) = ask("open");
    drop(ledger);
    let canceled = plugin.result_blocking::<String>().unwrap();
    assert!(canceled.starts_with("Canceled: process `") && canceled.ends_with("` has ended"), "{canceled}");
    // Nobody waits for it any more.
    open.answer(&1).unwrap();
}

#[test]
fn calls_that_nobody_waits_for_any_more_count_until_they_are_answered() {
    let (node, _) = node();
    let mut ledger = node.mailbox("ledger").unwrap();
    let source = r#"return function()
        local impatient = process.with_timeout("1us")
        for _ = 1, 520 do
            impatient:call("ledger", "f")
            -- Each is read before the next one is made.
            local read, err = process.call("ledger", "read")
            if not read then return { err:kind(), err:message(), err:retryable(), err:details().limit } end
        end
    end"#;
    let plugin = node.plugin("a.lua", source).spawn().unwrap();
    ledger.monitor(plugin.pid().as_str()).unwrap();
    let mut kept = Vec::new();
    loop {
        match ledger.next_blocking() {
            Some(Received::Call(call)) if call.method() == "f" => kept.push(call),
            Some(Received::Call(call)) => call.answer(&true).unwrap(),
            _ => break,
        }
    }
    assert_eq!(kept.len(), 500);
    let text = "process has 500 calls of this caller under way, which is the limit";
    let refused = ("RateLimited".to_owned(), text.to_owned(), true, "calls".to_owned());
    assert_eq!(plugin.result_blocking::<(String, String, bool, String)>().unwrap(), refused);
    // Others have the other half, and so has it when some are answered.
    let other = node.plugin("b.lua", "return function() return process.call('ledger', 'read') end").spawn().unwrap();
    call(&mut ledger).answer(&true).unwrap();
    assert!(other.result_blocking::<bool>().unwrap());
    drop(kept);
    let again = node.plugin("a.lua", "return function() return process.call('ledger', 'read') end").spawn().unwrap();
    call(&mut ledger).answer(&true).unwrap();
    assert!(again.result_blocking::<bool>().unwrap());
}

#[test]
fn it_is_bounded_and_each_sender_has_half() {
    let (node, _) = node();
    let mut limits = LimitsOverride::default();
    limits.set(LimitName::MailboxMessages, 4).unwrap();
    let mut mailbox = node.mailbox_within("ledger", &limits).unwrap();
    let source = r#"return function()
        local refused
        for i = 1, 3 do
            local ok, err = process.send("ledger", "t", i)
            if not ok then refused = { i, err:kind(), err:retryable(), err:details().limit, err:message() } end
        end
        return refused
    end"#;
    let run = |name: &str| {
        let plugin = node.plugin(name, source).spawn().unwrap();
        plugin.result_blocking::<(i64, String, bool, String, String)>().unwrap()
    };
    let (third, kind, retryable, limit, text) = run("a.lua");
    assert_eq!((third, &*kind, retryable, &*limit), (3, "RateLimited", true, "mailbox_messages"));
    assert_eq!(
        text,
        "sender's share of the mailbox is full: 2 messages of 2 are unread; the receiver has to receive some"
    );
    assert_eq!(run("b.lua").0, 3);
    let full = super::kind(node.send_value("ledger", "t", &1));
    assert_eq!(full, (ErrorKind::RateLimited, "mailbox is full: 4 messages of 4 are unread".to_owned()));
    let mut events = node.events();
    mailbox.send("ledger", "t", &1).unwrap_err();
    let refused = events.next_blocking();
    let limit = refused.as_ref().and_then(NodeEvent::limit);
    assert_eq!(limit, Some("mailbox_messages"), "{refused:?}");
    assert!(matches!(&refused, Some(NodeEvent::Refused { by: Some(by), .. }) if by == mailbox.pid()), "{refused:?}");
    // Each that is read makes room for another, also before the rest is.
    for _ in 0..4 {
        message(&mut mailbox);
        node.send_value("ledger", "t", &1).unwrap();
    }
    assert_eq!(node.process(mailbox.pid()).unwrap().info.messages, 4);
}

#[test]
fn what_waits_is_charged_to_the_node() {
    let (node, _) = node();
    let held = || node.usage().of("node.memory").unwrap().used;
    let before = held();
    let mut mailbox = node.mailbox("ledger").unwrap();
    let empty = held();
    assert!(empty > before);
    for _ in 0..4 {
        node.send_value("ledger", "t", &"x".repeat(100_000)).unwrap();
    }
    assert!(held() >= empty + 350_000);
    for _ in 0..4 {
        message(&mut mailbox);
    }
    assert_eq!(held(), empty);
    let source = "return function() process.call('ledger', 'f', ('x'):rep(100000)) end";
    let plugin = node.plugin("a.lua", source).spawn().unwrap();
    let open = call(&mut mailbox);
    let while_open = held();
    drop(open);
    assert!(while_open >= held() + 100_000, "its arguments are charged until it is answered");
    plugin.result_blocking::<()>().unwrap();
    while node.instance_count() > 0 {
        std::thread::yield_now();
    }
    assert_eq!(held(), empty);
    node.audit().unwrap();
    drop(mailbox);
    assert_eq!(held(), before);
    assert_eq!(node.processes(), []);
}

const WATCHES: &str = r#"return function(linked)
    process.monitor("ledger")
    if linked then process.link("ledger") end
    process.send("ledger", "ready")
    local event = process.events():receive()
    return { event.kind, tostring(event.error) }
end"#;

#[test]
fn dropped_it_ends_normally_for_monitors_links_and_its_name() {
    let (node, _) = node();
    let mut ledger = node.mailbox("ledger").unwrap();
    let plugin = node.plugin("w.lua", WATCHES).arguments(true).spawn().unwrap();
    message(&mut ledger);
    let seen = node.process(ledger.pid()).unwrap();
    assert_eq!((&seen.links[..], &seen.watchers[..]), (&[plugin.pid().clone()][..], &[plugin.pid().clone()][..]));
    assert_eq!((seen.info.names, seen.info.entry.as_str()), (vec!["ledger".to_owned()], "node:mailbox"));
    assert!(node.at_rest_blocking(ledger.pid()).is_none(), "it has no instance");
    let taken = kind(node.mailbox("ledger").map_err(lunarium::Error::from));
    assert_eq!(taken, (ErrorKind::AlreadyExists, format!("name `ledger` is already held by {}", ledger.pid())));
    drop(ledger);
    assert_eq!(plugin.result_blocking::<(String, String)>().unwrap(), ("pid.exit".to_owned(), "nil".to_owned()));
    node.mailbox("ledger").unwrap();
}

#[test]
fn who_is_linked_with_it_and_fails_is_read_and_does_not_end_it() {
    let (node, _) = node();
    let mut ledger = node.mailbox("ledger").unwrap();
    let source = "return function() process.link('ledger') error('boom', 0) end";
    let plugin = node.plugin("a.lua", source).spawn().unwrap();
    match ledger.next_blocking() {
        Some(Received::LinkDown { from, outcome: Outcome::Failed(failure), .. }) => {
            assert_eq!((&from, &*failure.message), (plugin.pid(), "boom"));
        }
        other => panic!("{other:?}"),
    }
    let other = node.plugin("b.lua", "return function() process.inbox():receive() return 7 end").start_blocking();
    let other = other.unwrap();
    ledger.monitor(other.pid().as_str()).unwrap();
    other.send("t", &1).unwrap();
    match ledger.next_blocking() {
        Some(Received::Exit { from, outcome: Outcome::Completed(_) }) => assert_eq!(&from, other.pid()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn terminated_it_ends_for_its_reader_and_for_who_is_linked_with_it() {
    let (node, _) = node();
    let mut ledger = node.mailbox("ledger").unwrap();
    let linked = node.plugin("b.lua", "return function() time.sleep('1h') end").start_blocking().unwrap();
    ledger.link(linked.pid().as_str()).unwrap();
    let source = "return function() process.cancel('ledger') process.terminate('ledger') end";
    node.plugin("a.lua", source).spawn().unwrap().result_blocking::<()>().unwrap();
    assert!(ledger.next_blocking().is_none(), "what it held is gone with it");
    assert_eq!(kind(linked.result_blocking::<()>()).0, ErrorKind::Internal);
    assert_eq!(ledger.send("nobody", "t", &1).unwrap_err().to_string(), format!("caller {} has ended", ledger.pid()));
}

/// Asks the node for something whenever it is woken, which takes its lock.
struct Asks(Node, Sender<usize>);

impl Wake for Asks {
    fn wake(self: Arc<Self>) {
        self.1.send(self.0.process_count()).unwrap();
    }
}

#[test]
fn a_waker_may_do_anything_also_when_an_end_wakes_it() {
    let (node, _) = node();
    let mut ledger = node.mailbox("ledger").unwrap();
    let source = "return function() process.inbox():receive() process.send('ledger', 't', 1) end";
    let plugin = node.plugin("a.lua", source).start_blocking().unwrap();
    ledger.monitor(plugin.pid().as_str()).unwrap();
    let (sender, woken) = channel();
    let waker = Waker::from(Arc::new(Asks(node.clone(), sender)));
    let mut poll = || pin!(ledger.next()).poll(&mut Context::from_waker(&waker)).map(Option::unwrap);
    assert!(poll().is_pending());
    // The message comes while its sender speaks, the EXIT under the node's lock.
    plugin.send("t", &1).unwrap();
    woken.recv().unwrap();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        match poll() {
            Poll::Ready(received) => seen.push(matches!(received, Received::Exit { .. })),
            Poll::Pending => assert!(woken.recv().unwrap() > 0),
        }
    }
    assert_eq!(seen, [false, true]);
}

#[test]
fn policies_count_as_for_a_process() {
    let (node, _) = node();
    let mut ledger = node.mailbox("ledger").unwrap();
    node.define_policy(
        Policy {
            id: EntryId::new("app:calls"),
            effect: PolicyEffect::Allow,
            actions: vec![Pattern::Exact("process.call".into())],
            resources: vec![Pattern::Prefix("{node:mailboxes|".into())],
            conditions: Vec::new(),
        },
        &[],
    );
    let source = r#"return function()
        local _, sends = process.send("ledger", "t", 1)
        local _, ends = process.terminate("ledger")
        return { sends:kind(), ends:kind(), process.call("ledger", "f") }
    end"#;
    let scope = ScopeSpec::new(vec![EntryId::new("app:calls")], Vec::new());
    let plugin = node.plugin("a.lua", source).security(SecuritySpec::new().with_scope(scope)).spawn().unwrap();
    call(&mut ledger).answer("called").unwrap();
    let denied = || "PermissionDenied".to_owned();
    let result = plugin.result_blocking::<(String, String, String)>().unwrap();
    assert_eq!(result, (denied(), denied(), "called".to_owned()));
}

#[test]
fn no_script_starts_anything_beside_it() {
    let (node, _) = node();
    let _ledger = node.mailbox("ledger").unwrap();
    let source =
        "return function() local _, e = process.spawn('plugins:a.lua', 'node:mailboxes') return e:message() end";
    let plugin = node.plugin("a.lua", source).spawn().unwrap();
    assert_eq!(plugin.result_blocking::<String>().unwrap(), "host `node:mailboxes` not found");
    let host = lunarium::HostDefinition::new(lunarium::HostId::new("node:mailboxes"));
    assert_eq!(node.add_host(host).unwrap_err().to_string(), "host `node:mailboxes` exists already");
}

#[test]
fn it_ends_with_its_node_which_it_does_not_keep() {
    let (node, _) = node();
    let mut ledger = node.mailbox("ledger").unwrap();
    let mut events = node.events();
    let pid = ledger.pid().clone();
    assert_eq!(node.processes()[0].state, ProcessState::Waiting);
    let waits = std::thread::spawn(move || (ledger.next_blocking().is_none(), ledger));
    drop(node);
    assert!(waits.join().unwrap().0);
    assert!(matches!(events.next_blocking(), Some(NodeEvent::Ended { pid: ended, .. }) if ended == pid));
    assert_eq!(events.next_blocking(), None);
}

#[test]
fn a_name_that_is_none_is_refused() {
    let node: Node = node().0;
    let refused = kind(node.mailbox("").map_err(lunarium::Error::from));
    assert_eq!((refused.0, node.process_count()), (ErrorKind::Invalid, 0));
    assert!(refused.1.contains("name"), "{}", refused.1);
}
