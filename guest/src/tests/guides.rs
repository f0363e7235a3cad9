//! The programs of the four guides, as far as one process shows them: word for word, the others played by the fake host.

#[path = "../../../tests/it/guides/texts.rs"]
mod texts;

use expect_test::expect;

use super::*;
use crate::host::{Cancel, Ended, ErrorKind, Failure, Outcome};
use texts::with_each_guide;

fn child_ends(case: &Case, outcome: Outcome) {
    *case.host.child.borrow_mut() = Some(outcome);
}

fn fails() -> Outcome {
    Outcome::Failed(Failure {
        kind: ErrorKind::Internal,
        message: "boom".to_owned(),
        retryable: Some(false),
        details: None,
        stack: None,
    })
}

/// A block in the body of a `main`.
fn pasted(before: &str, block: &str, after: &str) -> Case {
    Case::body(&format!("{before}\n{block}\n{after}"))
}

#[test]
fn receive_by_topic() {
    let expected = expect![[r#"
        Received:	hello
        => true
    "#]];
    with_each_guide("listen", expected, |text| Case::new(text).message(Some(PEER), "messages", b"\xa5hello").run());
}

#[test]
fn receive_by_inbox() {
    let expected = expect![[r#"
        Inbox got:	other	hello
        Inbox got:	nobody's	7
        -- waits; unread 0 (0 bytes)
    "#]];
    with_each_guide("inbox", expected, |text| {
        Case::new(&format!("{text}return {{ main = main }}"))
            .message(Some(PEER), "specific_topic", b"\x01")
            .message(Some(PEER), "other", b"\xa5hello")
            .message(None, "nobody's", b"\x07")
            .run()
    });
}

#[test]
fn echo_to_the_sender() {
    let expected = expect![[r#"
        -- send reply [1, 2, 3] (unread 0, 0)
        => true
    "#]];
    with_each_guide("echo", expected, |text| {
        let case = Case::new(text).message(Some(PEER), "echo", b"\x93\x01\x02\x03");
        case.host.log_sends.set(true);
        case.run()
    });
}

#[test]
fn spawn_and_send() {
    let expected = expect![[r#"
        -- spawn app.test.process:echo_worker app:processes ["hello"] false false
        Started worker:	{app:processes|0x00002}
        => nil
    "#]];
    with_each_guide("spawn", expected, |text| pasted("", text, "").run());
    let expected = expect![[r#"
        -- send messages "hello from parent" (unread 0, 0)
        true	nil
        => nil
    "#]];
    with_each_guide("send", expected, |text| {
        let case = pasted(&format!("local worker_pid = '{PEER}'"), text, "print(sent, err)");
        case.host.log_sends.set(true);
        case.run()
    });
    let expected = expect![[r#"
        => "{app:processes|0x00001}"
    "#]];
    with_each_guide("pid", expected, |text| pasted("", text, "return my_pid").run());
}

#[test]
fn monitor_a_child() {
    let run = |text: &str, ends: Option<Outcome>| {
        let case = pasted("", text, "print(event.result, event.at)");
        ends.into_iter().for_each(|outcome| child_ends(&case, outcome));
        case.run()
    };
    let expected = expect![[r#"
        -- spawn app.test.process:events_exit_worker app:processes [] true false
        Worker exited:	{app:processes|0x00002}
        done	12.5
        => nil
    "#]];
    with_each_guide("monitor", expected, |text| run(text, Some(Outcome::Completed(b"\xa4done".to_vec()))));
    let expected = expect![[r#"
        -- spawn app.test.process:events_exit_worker app:processes [] true false
        Worker exited:	{app:processes|0x00002}
        Exit error:	boom
        boom	12.5
        => nil
    "#]];
    with_each_guide("monitor", expected, |text| run(text, Some(fails())));
    let expected = expect![[r#"
        -- spawn app.test.process:events_exit_worker app:processes [] true false
        !! ErrorKind::Internal: timeout waiting for EXIT event
    "#]];
    with_each_guide("monitor", expected, |text| run(text, None));
}

#[test]
fn trap_links() {
    let expected = expect![[r#"
        -- spawn app.test.process:error_exit_worker app:processes [] false true
        Linked process died:	{app:processes|0x00002}
        => true
    "#]];
    with_each_guide("trap_links", expected, |text| {
        let case = Case::new(text);
        child_ends(&case, fails());
        case.run()
    });
    let expected = expect![[r#"
        -- spawn app.test.process:error_exit_worker app:processes [] false true
        !! ErrorKind::Internal: timeout waiting for LINK_DOWN
    "#]];
    with_each_guide("trap_links", expected, |text| Case::new(text).run());
}

#[test]
fn names() {
    let expected = expect![[r#"
        => true
    "#]];
    with_each_guide("register", expected, |text| Case::new(text).run());
    let expected = expect![[r#"
        nil	true
        => nil
    "#]];
    let before = "local test_name = 'a name' process.registry.register(test_name)";
    with_each_guide("unregister", expected, |text| pasted(before, text, "print(pid, err ~= nil)").run());
}

#[test]
fn a_pool_of_workers() {
    // The fake host has one child.
    let of_one = |text: &str, outcome| {
        let program = text.replace("worker_count = 5", "worker_count = 1");
        assert_ne!(program, text);
        let case = Case::new(&program);
        child_ends(&case, outcome);
        case.run()
    };
    let expected = expect![[r#"
        -- spawn app.test.process:task_worker app:processes [{"task_id": 1, "value": 10}] true false
        Worker 1 completed:	20
        => true
    "#]];
    with_each_guide("pool", expected, |text| of_one(text, Outcome::Completed(b"\x14".to_vec())));
    let expected = expect![[r#"
        -- spawn app.test.process:task_worker app:processes [{"task_id": 1, "value": 10}] true false
        Worker 1 failed:	boom
        => true
    "#]];
    with_each_guide("pool", expected, |text| of_one(text, fails()));
    let expected = expect![[r#"
        => 20
    "#]];
    with_each_guide("pool_worker", expected, |text| Case::new(text).arguments(b"\x91\x81\xa5value\x0a").run());
}

#[test]
fn events_read_as_the_reference_says() {
    Case::body(
        "local events = process.events()
        for i = 1, 4 do
          local e = events:receive()
          print(e.kind, e.from, e.at, e.deadline, e.error, e.result and e.result.value, e.other)
          if e.result then print('result: ' .. e.result, e.result .. '!', tostring(e.result)) end
        end",
    )
    .event(Event::Exit(Ended { sender: PEER.to_owned(), at: 1.5, outcome: Outcome::Completed(b"\x2a".to_vec()) }))
    .event(Event::LinkDown(Ended { sender: PEER.to_owned(), at: 2.0, outcome: fails() }))
    .event(Event::Cancel(Cancel { sender: None, at: 3.0, deadline: None }))
    .event(Event::Cancel(Cancel { sender: Some(PEER.to_owned()), at: 4.0, deadline: Some(1_767_323_045_250_000_000) }))
    .check(expect![[r#"
        pid.exit	{app:processes|0x00002}	1.5	nil	nil	42	nil
        result: 42	42!	42
        pid.link.down	{app:processes|0x00002}	2.0	nil	boom	nil	nil
        result: boom	boom!	boom
        pid.cancel	nil	3.0	nil	nil	nil	nil
        pid.cancel	{app:processes|0x00002}	4.0	2026-01-02T03:04:05.25Z	nil	nil	nil
        => nil
    "#]]);
}
