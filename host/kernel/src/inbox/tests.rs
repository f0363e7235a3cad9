//! What an inbox promises.

use crate::testing::{completed, kernel, spawn};
use crate::{
    Batch, BatchLimits, CallsFull, ErrorKind, Event, Inbox, Item, MAX_CALLS, MAX_TASKS, Mailbox, MailboxLimits,
    Message, Outcome, Payload, Pid, Refusal, RequestError, SendError, Timestamp, Topic,
};

const ALL: BatchLimits = BatchLimits { items: u32::MAX, bytes: 1_000 };

fn inbox() -> Inbox<&'static str, &'static str> {
    let mut inbox = Inbox::new(Mailbox::new(MailboxLimits::default()), &Pid::nobody());
    inbox.listen_to_all();
    inbox
}

/// A message of `1 + payload` bytes.
fn message(payload: usize) -> Message {
    Message::new(None, Topic::new("t").unwrap(), vec![0; payload].into())
}

fn result(bytes: usize) -> Outcome {
    Outcome::Completed(vec![0; bytes].into())
}

/// What is taken: the requests answered, and how many items.
fn taken(batch: &Batch) -> (Vec<u64>, usize) {
    (batch.replies.iter().map(|reply| reply.request).collect(), batch.items.len())
}

#[test]
fn replies_come_first_in_the_bytes_of_a_batch() {
    let mut inbox = inbox();
    for size in [40, 30] {
        inbox.push(message(9)).unwrap();
        let request = inbox.begin_request().unwrap();
        assert!(!inbox.reply(request, result(size)));
    }
    let batch = BatchLimits { items: 10, bytes: 80 };
    assert_eq!(taken(&inbox.take(batch, u64::MAX)), (vec![1, 2], 1));
    assert!(inbox.has_deliverable(u64::MAX));
    assert_eq!(taken(&inbox.take(batch, u64::MAX)), (vec![], 1));
    assert!(inbox.take(batch, u64::MAX).is_empty());
    let request = inbox.begin_request().unwrap();
    inbox.push(message(0)).unwrap();
    assert!(!inbox.reply(request, result(80)));
    assert_eq!(taken(&inbox.take(batch, u64::MAX)), (vec![3], 0), "a full batch has no room for an item");
}

#[test]
fn closed_nothing_is_accepted_begun_or_handed_over() {
    let mut kernel = kernel();
    let from = spawn(&mut kernel);
    let mut inbox = inbox();
    let (request, task) = (inbox.begin_request().unwrap(), inbox.begin_task("read").unwrap());
    inbox.push(message(1)).unwrap();
    assert!(!inbox.reply(request, result(1)));
    assert!(!inbox.is_closed());
    drop(inbox.close());
    assert!(inbox.is_closed());
    assert_eq!(inbox.push(message(1)), Err(SendError::Closed));
    assert_eq!(inbox.push_all(vec![message(1)]), Err(SendError::Closed));
    assert_eq!(inbox.begin_request(), Err(RequestError::Closed));
    assert_eq!(inbox.begin_task("write"), Err(RequestError::Closed));
    assert_eq!(RequestError::Closed.kind(), ErrorKind::Canceled);
    assert_eq!(inbox.next_task(), None);
    assert!(!inbox.reply(task, result(1)));
    assert!(!inbox.push_event(Event::Exit { from, outcome: completed(), at: Timestamp::default() }));
    inbox.cancel_request();
    assert!(!inbox.has_deliverable(u64::MAX) && inbox.take(ALL, u64::MAX).is_empty());
    assert_eq!(inbox.requests_under_way(), 0);
}

#[test]
fn another_incarnation_gets_what_was_sent_and_no_answer_to_what_it_did_not_ask() {
    let mut inbox = inbox();
    let asked: Vec<u64> = (0..3).map(|_| inbox.begin_request().unwrap()).collect();
    let (begun, waiting) = (inbox.begin_task("begun").unwrap(), inbox.begin_task("waiting").unwrap());
    assert_eq!(inbox.next_task(), Some((begun, "begun")));
    inbox.push(message(1)).unwrap();
    assert!(!inbox.reply(asked[0], result(1)));
    assert_eq!(taken(&inbox.take(BatchLimits { items: 0, bytes: 9 }, u64::MAX)), (vec![asked[0]], 0));
    assert!(!inbox.reply(asked[1], result(1)));
    drop(inbox.restart(MailboxLimits::default()));
    inbox.listen_to_all();
    assert_eq!(inbox.next_task(), None, "{waiting} is never begun");
    assert_eq!(inbox.requests_under_way(), 2);
    let next = inbox.begin_request().unwrap();
    for request in [asked[2], begun, next] {
        assert!(!inbox.reply(request, result(1)));
    }
    assert_eq!(taken(&inbox.take(ALL, u64::MAX)), (vec![next], 1));
    assert_eq!(inbox.requests_under_way(), 0);
}

#[test]
fn a_task_is_under_way_until_its_reply_is_handed_over() {
    let mut inbox = inbox();
    let tasks: Vec<u64> = (0..MAX_TASKS).map(|_| inbox.begin_task("read").unwrap()).collect();
    let other = inbox.begin_request().unwrap();
    let refusal = inbox.begin_task("read").unwrap_err();
    assert_eq!(refusal.to_string(), "process has 8 file operations under way, which is the limit");
    assert_eq!((refusal.kind(), refusal.retryable()), (ErrorKind::ResourceExhausted, true));
    assert_eq!(inbox.next_task(), Some((tasks[0], "read")));
    // Performed, and its reply waits.
    assert!(!inbox.reply(tasks[0], result(1)));
    assert!(inbox.begin_task("read").is_err());
    inbox.take(ALL, u64::MAX);
    inbox.begin_task("read").unwrap();
    // A request of another kind frees nothing.
    assert!(!inbox.reply(other, result(1)));
    inbox.take(ALL, u64::MAX);
    assert!(inbox.begin_task("read").is_err());
    // Nor does a task that goes on for an incarnation that is gone, until it is done.
    assert_eq!(inbox.next_task().map(|(request, _)| request), Some(tasks[1]));
    drop(inbox.restart(MailboxLimits::default()));
    (1..MAX_TASKS).for_each(|_| assert!(inbox.begin_task("read").is_ok()));
    assert!(inbox.begin_task("read").is_err());
    assert!(!inbox.reply(tasks[1], result(1)));
    inbox.begin_task("read").unwrap();
}

#[test]
fn a_task_whose_reply_waits_takes_no_room_of_another_incarnation() {
    let mut inbox = inbox();
    let request = inbox.begin_task("read").unwrap();
    assert_eq!(inbox.next_task(), Some((request, "read")));
    assert!(!inbox.reply(request, result(1)));
    drop(inbox.restart(MailboxLimits::default()));
    (0..MAX_TASKS).for_each(|_| assert!(inbox.begin_task("read").is_ok()));
    assert!(inbox.begin_task("read").is_err());
}

#[test]
fn a_payload_is_handed_on_without_a_copy() {
    let mut inbox = inbox();
    let sent = message(100);
    let place = sent.payload.as_ptr();
    inbox.push(sent).unwrap();
    let request = inbox.begin_request().unwrap();
    let outcome = result(100);
    let Outcome::Completed(answer) = outcome.clone() else { unreachable!() };
    assert!(!inbox.reply(request, outcome));
    let Batch { items, replies } = inbox.take(ALL, u64::MAX);
    assert!(matches!(&items[..], [Item::Message(message)] if message.payload.as_ptr() == place));
    assert!(matches!(&replies[0].outcome, Outcome::Completed(payload) if payload.as_ptr() == answer.as_ptr()));
}

fn caller(number: u64) -> Pid {
    Pid::parse(&format!("{{app:h|0x{number:05x}}}")).unwrap()
}

fn called(
    inbox: &mut Inbox<&'static str, &'static str>,
    sender: Option<&Pid>,
    asker: &'static str,
) -> Result<u64, SendError> {
    let call = inbox.call(sender.cloned(), "m".into(), Payload::from_static(b"\x90"))?;
    inbox.push_call(call, asker)
}

#[test]
fn a_call_waits_like_a_message_and_is_answered_once() {
    let mut inbox = inbox();
    let from = caller(7);
    inbox.push(Message::new(Some(from.clone()), Topic::new("t").unwrap(), Payload::new())).unwrap();
    inbox.listen(Topic::new("t").unwrap());
    let call = called(&mut inbox, Some(&from), "who").unwrap();
    let batch = inbox.take(ALL, u64::MAX);
    let calls: Vec<_> = batch
        .items
        .iter()
        .map(|item| match item {
            Item::Message(message) => message.call.as_ref().map(|call| (call.id, &*call.method)),
            Item::Event(_) => None,
        })
        .collect();
    assert_eq!(calls, [None, Some((call, "m"))]);
    assert_eq!(inbox.answer(call), Some("who"));
    assert_eq!(inbox.answer(call), None);
    assert_eq!(inbox.answer(call + 1), None);
    assert_eq!(inbox.calls_under_way(), 0);
}

#[test]
fn one_caller_has_half_of_the_calls_and_the_host_what_is_left() {
    let mut inbox = inbox();
    let (one, other) = (caller(7), caller(8));
    for _ in 0..MAX_CALLS / 2 {
        called(&mut inbox, Some(&one), "one").unwrap();
    }
    assert_eq!(called(&mut inbox, Some(&one), "one"), Err(SendError::Calls(CallsFull::OneCaller)));
    let first = called(&mut inbox, Some(&other), "other").unwrap();
    for _ in 1..MAX_CALLS / 2 {
        called(&mut inbox, None, "host").unwrap();
    }
    assert_eq!(called(&mut inbox, None, "host"), Err(SendError::Calls(CallsFull::All)));
    assert_eq!(inbox.answer(first), Some("other"));
    called(&mut inbox, Some(&other), "other").unwrap();
}

#[test]
fn a_restart_keeps_calls_that_were_not_begun_and_an_end_none() {
    let mut inbox = inbox();
    let begun = called(&mut inbox, None, "begun").unwrap();
    let _ = inbox.take(ALL, u64::MAX);
    let waits = called(&mut inbox, None, "waits").unwrap();
    assert_eq!(inbox.restart(MailboxLimits::default()).askers, ["begun"]);
    assert_eq!(inbox.answer(begun), None);
    let batch = inbox.take(ALL, u64::MAX);
    assert!(matches!(&batch.items[..], [Item::Message(Message { call: Some(call), .. })] if call.id == waits));
    assert_eq!(inbox.close().askers, ["waits"]);
    assert!(called(&mut inbox, None, "late").is_err());
    assert_eq!(inbox.close().askers, Vec::<&str>::new());
}
