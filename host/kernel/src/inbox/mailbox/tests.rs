//! What a mailbox promises.

use crate::testing::{completed, kernel, spawn};
use crate::{
    BatchLimits, ErrorKind, Event, Item, MESSAGE_COST, Mailbox, MailboxLimits, Message, Pid, Refusal, ReturnError,
    SendError, Timestamp, Topic, Unread,
};

const ALL: BatchLimits = BatchLimits { items: u32::MAX, bytes: u64::MAX };
const AMPLE: u64 = u64::MAX;

fn mailbox(messages: u32, bytes: u64, message: u32) -> Mailbox {
    Mailbox::new(MailboxLimits { messages, bytes, message })
}

/// A message of `1 + payload` bytes.
fn message(payload: usize) -> Message {
    Message { sender: None, topic: Topic::new("t").unwrap(), payload: vec![0; payload].into() }
}

fn exit(from: &Pid) -> Event {
    Event::Exit { from: from.clone(), outcome: completed(), at: Timestamp::default() }
}

fn cancel(from: Option<&Pid>, deadline: i64) -> Event {
    Event::Cancel { from: from.cloned(), deadline: Some(Timestamp::from_nanos(deadline)), at: Timestamp::default() }
}

fn sizes(items: &[Item]) -> Vec<Option<usize>> {
    let size = |item: &Item| match item {
        Item::Message(message) => Some(message.payload.len()),
        Item::Event(_) => None,
    };
    items.iter().map(size).collect()
}

#[test]
fn the_10000th_message_is_accepted_and_the_next_refused() {
    let mut mailbox = Mailbox::new(MailboxLimits::default());
    for _ in 0..10_000 {
        mailbox.push(message(1)).unwrap();
    }
    let refusal = mailbox.push(message(1)).unwrap_err();
    assert_eq!(refusal.to_string(), "mailbox is full: 10000 messages of 10000 are unread");
    assert_eq!((refusal.kind(), refusal.retryable()), (ErrorKind::RateLimited, true));
    assert_eq!(mailbox.unread_messages(), 10_000);
}

#[test]
fn bytes_are_bounded_to_the_last_one() {
    let mut mailbox = mailbox(10, 20, 15);
    mailbox.push(message(9)).unwrap();
    let refusal = mailbox.push(message(10)).unwrap_err();
    assert_eq!(refusal, SendError::BytesFull { held: 10, bytes: 11, limit: 20 });
    assert_eq!((refusal.kind(), refusal.retryable()), (ErrorKind::RateLimited, true));
    mailbox.push(message(9)).unwrap();
    assert_eq!(mailbox.unread_bytes(), 20);
}

#[test]
fn what_can_never_fit_is_invalid_and_not_called_full() {
    let mut small = mailbox(10, 100, 15);
    small.push(message(15)).unwrap();
    let refusal = small.push(message(16)).unwrap_err();
    assert_eq!(refusal.to_string(), "message of 16 bytes is above the limit of 15");
    assert_eq!((refusal.kind(), refusal.retryable()), (ErrorKind::Invalid, false));
    let mut tight = mailbox(10, 10, 15);
    assert_eq!(tight.push(message(10)), Err(SendError::TooLarge { bytes: 11, limit: 10 }));
    tight.push(message(9)).unwrap();
}

#[test]
fn what_the_guest_holds_counts_until_the_script_has_it() {
    let mut mailbox = mailbox(2, 100, 100);
    mailbox.push(message(3)).unwrap();
    mailbox.push(message(4)).unwrap();
    assert_eq!(sizes(&mailbox.take(ALL, AMPLE)), [Some(3), Some(4)]);
    assert!(mailbox.is_empty());
    assert_eq!(mailbox.push(message(1)).unwrap_err().kind(), ErrorKind::RateLimited);
    mailbox.report_unread(Unread { messages: 2, bytes: 9 });
    assert_eq!(mailbox.push(message(1)).unwrap_err().kind(), ErrorKind::RateLimited);
    mailbox.report_unread(Unread { messages: 1, bytes: 5 });
    assert_eq!((mailbox.unread_messages(), mailbox.unread_bytes()), (1, 5));
    mailbox.push(message(1)).unwrap();
}

#[test]
fn a_guest_cannot_claim_more_than_it_was_handed() {
    let mut mailbox = mailbox(10, 100, 100);
    mailbox.push(message(3)).unwrap();
    mailbox.take(ALL, AMPLE);
    mailbox.report_unread(Unread { messages: u32::MAX, bytes: u32::MAX });
    assert_eq!((mailbox.unread_messages(), mailbox.unread_bytes()), (1, 4));
}

#[test]
fn messages_and_events_keep_their_common_order() {
    let mut kernel = kernel();
    let a = spawn(&mut kernel);
    let mut mailbox = mailbox(10, 100, 100);
    mailbox.push(message(1)).unwrap();
    mailbox.push_event(exit(&a));
    mailbox.push(message(2)).unwrap();
    mailbox.push(message(3)).unwrap();
    mailbox.push_event(exit(&a));
    assert_eq!(sizes(&mailbox.take(ALL, AMPLE)), [Some(1), None, Some(2), Some(3), None]);
}

#[test]
fn a_batch_is_bounded_in_items_and_bytes() {
    let mut mailbox = mailbox(10, 100, 100);
    for size in [50, 1, 2, 3, 4] {
        mailbox.push(message(size)).unwrap();
    }
    let batch = BatchLimits { items: 3, bytes: 6 };
    assert_eq!(sizes(&mailbox.take(batch, AMPLE)), [Some(50)], "the first passes, however large");
    assert_eq!(sizes(&mailbox.take(batch, AMPLE)), [Some(1), Some(2)]);
    assert_eq!(sizes(&mailbox.take(BatchLimits { items: 1, bytes: 100 }, AMPLE)), [Some(3)]);
    assert_eq!(sizes(&mailbox.take(BatchLimits { items: 0, bytes: 100 }, AMPLE)), []);
    assert_eq!(sizes(&mailbox.take(batch, AMPLE)), [Some(4)]);
}

#[test]
fn messages_stop_at_the_credit_and_events_overtake_them() {
    let mut kernel = kernel();
    let a = spawn(&mut kernel);
    let mut mailbox = mailbox(10, 1_000, 1_000);
    for size in [9, 9, 9] {
        mailbox.push(message(size)).unwrap();
    }
    mailbox.push_event(exit(&a));
    let credit = 2 * (10 + MESSAGE_COST);
    assert_eq!(sizes(&mailbox.take(ALL, credit)), [Some(9), Some(9), None]);
    assert!(!mailbox.is_empty());
    assert!(!mailbox.has_deliverable(credit), "one message waits for credit");
    mailbox.push_event(exit(&a));
    assert!(mailbox.has_deliverable(credit));
    assert_eq!(sizes(&mailbox.take(ALL, credit)), [None]);
    mailbox.report_unread(Unread { messages: 1, bytes: 11 });
    assert!(!mailbox.has_deliverable(credit), "one byte too many");
    mailbox.report_unread(Unread { messages: 1, bytes: 10 });
    assert_eq!(sizes(&mailbox.take(ALL, credit)), [Some(9)]);
}

#[test]
fn a_guest_that_holds_nothing_gets_a_message_whatever_the_credit() {
    let mut mailbox = mailbox(10, 1_000, 1_000);
    mailbox.push(message(500)).unwrap();
    mailbox.push(message(500)).unwrap_err();
    mailbox.push(message(400)).unwrap();
    assert!(mailbox.has_deliverable(0));
    assert_eq!(sizes(&mailbox.take(ALL, 0)), [Some(500)]);
    assert_eq!(sizes(&mailbox.take(ALL, 0)), []);
    mailbox.report_unread(Unread::default());
    assert_eq!(sizes(&mailbox.take(ALL, 0)), [Some(400)]);
}

#[test]
fn events_are_accepted_by_a_full_mailbox_and_do_not_count() {
    let mut kernel = kernel();
    let a = spawn(&mut kernel);
    let mut mailbox = mailbox(1, 10, 10);
    mailbox.push(message(9)).unwrap();
    mailbox.push_event(exit(&a));
    assert_eq!((mailbox.unread_messages(), mailbox.unread_bytes()), (1, 10));
    mailbox.take(ALL, AMPLE);
    mailbox.report_unread(Unread::default());
    mailbox.push(message(9)).unwrap();
}

#[test]
fn a_second_cancel_of_the_same_sender_takes_the_place_of_the_first() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    let mut mailbox = mailbox(10, 100, 100);
    for event in
        [cancel(Some(&a), 1), cancel(None, 2), exit(&a), cancel(Some(&b), 3), cancel(Some(&a), 4), cancel(None, 5)]
    {
        mailbox.push_event(event);
    }
    let expected = [cancel(Some(&a), 4), cancel(None, 5), exit(&a), cancel(Some(&b), 3)].map(Item::Event);
    assert_eq!(mailbox.take(ALL, AMPLE), expected);
    mailbox.push_event(cancel(Some(&a), 6));
    assert_eq!(mailbox.take(ALL, AMPLE), [Item::Event(cancel(Some(&a), 6))], "a delivered one is not replaced");
}

#[test]
fn undelivered_events_flood_and_delivered_ones_do_not() {
    let mut kernel = kernel();
    let from = spawn(&mut kernel);
    let outcome = crate::Outcome::Completed(vec![0; 1 << 20].into());
    let large = Event::Exit { from, outcome, at: Timestamp::default() };
    let mut mailbox = Mailbox::new(MailboxLimits::default());
    for _ in 0..15 {
        mailbox.push_event(large.clone());
    }
    assert!(!mailbox.is_flooded());
    mailbox.push_event(large.clone());
    assert!(mailbox.is_flooded());
    mailbox.take(BatchLimits { items: 1, bytes: 0 }, AMPLE);
    assert!(!mailbox.is_flooded());
}

#[test]
fn a_closed_mailbox_is_empty_and_accepts_nothing() {
    let mut kernel = kernel();
    let a = spawn(&mut kernel);
    let mut mailbox = mailbox(10, 100, 100);
    mailbox.push(message(1)).unwrap();
    mailbox.push_event(exit(&a));
    let held = mailbox.close();
    assert_eq!((held.unread_messages(), held.is_closed()), (1, false), "handed out, to be dropped elsewhere");
    mailbox.push_event(exit(&a));
    assert_eq!(mailbox.push(message(1)), Err(SendError::Closed));
    assert_eq!(SendError::Closed.kind(), ErrorKind::NotFound);
    assert!(mailbox.is_closed() && mailbox.is_empty() && !mailbox.has_deliverable(AMPLE));
    assert_eq!(mailbox.take(ALL, AMPLE), []);
}

#[test]
fn several_messages_are_accepted_together_or_not_at_all() {
    let mut mailbox = mailbox(3, 100, 50);
    let refusal = mailbox.push_all(vec![message(1), message(1), message(1), message(1)]).unwrap_err();
    assert!(matches!(refusal, SendError::MessagesFull { held: 3, limit: 3 }));
    let refusal = mailbox.push_all(vec![message(40), message(40), message(40)]).unwrap_err();
    assert!(matches!(refusal, SendError::BytesFull { held: 82, bytes: 41, limit: 100 }));
    assert!(mailbox.push_all(vec![message(1), message(51)]).is_err());
    assert!(mailbox.is_empty());
    mailbox.push_all(vec![message(3), message(2), message(1)]).unwrap();
    assert_eq!(sizes(&mailbox.take(ALL, AMPLE)), [Some(3), Some(2), Some(1)]);
}

#[test]
fn what_is_given_back_stands_before_what_has_come_since() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    let mut mailbox = mailbox(10, 1_000, 100);
    for size in [1, 2] {
        mailbox.push(message(size)).unwrap();
    }
    mailbox.push_event(exit(&a));
    mailbox.push_event(cancel(Some(&a), 1));
    mailbox.push(message(3)).unwrap();
    let handed = mailbox.take(ALL, AMPLE);
    mailbox.push(message(4)).unwrap();
    mailbox.push_event(exit(&b));
    mailbox.push_event(cancel(Some(&a), 2));
    mailbox.push(message(5)).unwrap();
    // The script has received the first.
    mailbox.report_unread(Unread { messages: 2, bytes: 7 });
    for item in handed.into_iter().skip(1) {
        mailbox.take_back(item).unwrap();
        assert_eq!((mailbox.unread_messages(), mailbox.unread_bytes()), (4, 18));
    }
    mailbox.restart(MailboxLimits { messages: 3, bytes: 20, message: 4 });
    assert_eq!((mailbox.unread_messages(), mailbox.unread_bytes()), (4, 18));
    assert_eq!(mailbox.push(message(1)), Err(SendError::MessagesFull { held: 4, limit: 3 }));
    let items = mailbox.take(ALL, AMPLE);
    assert_eq!(sizes(&items), [Some(2), None, None, Some(3), Some(4), None, Some(5)]);
    assert_eq!(items[2], Item::Event(cancel(Some(&a), 2)), "the later CANCEL in the place of the first");
    mailbox.report_unread(Unread::default());
    mailbox.push(message(4)).unwrap();
    assert_eq!(mailbox.push(message(5)).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_message_on_its_way_into_the_script_is_taken_back_too() {
    let mut mailbox = mailbox(10, 1_000, 100);
    for size in [9, 1] {
        mailbox.push(message(size)).unwrap();
    }
    let handed = mailbox.take(ALL, AMPLE);
    // A coroutine that waits has the first one, and hasn't run yet; another one sends.
    mailbox.report_unread(Unread { messages: 1, bytes: 2 });
    for item in handed {
        mailbox.take_back(item).unwrap();
    }
    mailbox.restart(MailboxLimits::default());
    assert_eq!(sizes(&mailbox.take(ALL, AMPLE)), [Some(9), Some(1)]);
}

#[test]
fn a_guest_gives_back_no_more_than_it_was_handed() {
    let mut mailbox = mailbox(10, 1_000, 100);
    assert_eq!(mailbox.take_back(Item::Message(message(0))), Err(ReturnError::NotHeld));
    mailbox.push(message(9)).unwrap();
    mailbox.take(ALL, AMPLE);
    mailbox.report_unread(Unread::default());
    mailbox.take(ALL, AMPLE);
    assert_eq!(mailbox.take_back(Item::Message(message(0))), Err(ReturnError::NotHeld));
    mailbox.push(message(9)).unwrap();
    mailbox.take(ALL, AMPLE);
    assert_eq!(mailbox.take_back(Item::Message(message(10))), Err(ReturnError::NotHeld));
    // What it keeps to itself is its own loss.
    mailbox.restart(MailboxLimits::default());
    assert_eq!(mailbox.unread_messages(), 0);
}

#[test]
fn what_a_guest_holds_it_gives_back_once() {
    let mut mailbox = mailbox(10, 1_000, 100);
    mailbox.push(message(9)).unwrap();
    mailbox.take(ALL, AMPLE);
    mailbox.take_back(Item::Message(message(9))).unwrap();
    assert_eq!(mailbox.take_back(Item::Message(message(9))), Err(ReturnError::NotHeld));
    assert_eq!((mailbox.unread_messages(), mailbox.unread_bytes()), (1, 10));
    // Nor by saying that it holds nothing: upgrade after upgrade, the same messages must not become more.
    mailbox.restart(MailboxLimits::default());
    mailbox.take(ALL, AMPLE);
    mailbox.report_unread(Unread::default());
    mailbox.take_back(Item::Message(message(9))).unwrap();
    assert_eq!(mailbox.take_back(Item::Message(message(9))), Err(ReturnError::NotHeld));
}

#[test]
fn a_flood_of_events_is_not_taken_back() {
    let mut kernel = kernel();
    let from = spawn(&mut kernel);
    let large = crate::Outcome::Completed(vec![0; 1 << 20].into());
    let event = Event::Exit { from, outcome: large, at: Timestamp::default() };
    let mut mailbox = mailbox(1, 1, 1);
    for _ in 0..15 {
        mailbox.take_back(Item::Event(event.clone())).unwrap();
    }
    assert_eq!(mailbox.take_back(Item::Event(event)), Err(ReturnError::Flood));
}
