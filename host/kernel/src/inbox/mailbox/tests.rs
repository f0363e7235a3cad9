//! What a mailbox promises.

use crate::testing::{completed, kernel, spawn};
use crate::{
    BatchLimits, ErrorKind, Event, Item, MESSAGE_COST, Mailbox, MailboxLimits, Message, Pid, Refusal, ReturnError,
    SendError, Timestamp, Topic, Unread,
};

const ALL: BatchLimits = BatchLimits { items: u32::MAX, bytes: u64::MAX };
const AMPLE: u64 = u64::MAX;

/// A mailbox whose process takes whatever comes.
fn mailbox(messages: u32, bytes: u64, message: u32) -> Mailbox {
    listening(Mailbox::new(limits(messages, bytes, message)))
}

fn limits(messages: u32, bytes: u64, message: u32) -> MailboxLimits {
    MailboxLimits { messages, bytes, message, listeners: 2 }
}

fn listening(mut mailbox: Mailbox) -> Mailbox {
    mailbox.listen_to_all();
    mailbox
}

/// A message of `1 + payload` bytes.
fn message(payload: usize) -> Message {
    Message::new(None, Topic::new("t").unwrap(), vec![0; payload].into())
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
    let mut mailbox = listening(Mailbox::new(MailboxLimits::default()));
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
    mailbox.restart(limits(3, 20, 4));
    mailbox.listen_to_all();
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
    mailbox.listen_to_all();
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
    mailbox.listen_to_all();
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

// ---- Shares

/// A message of `1 + payload` bytes.
fn from(sender: &Pid, topic: &str, payload: usize) -> Message {
    Message::new(Some(sender.clone()), Topic::new(topic).unwrap(), vec![0; payload].into())
}

fn topic(text: &str) -> Topic {
    Topic::new(text).unwrap()
}

fn three() -> [Pid; 3] {
    let mut kernel = kernel();
    [spawn(&mut kernel), spawn(&mut kernel), spawn(&mut kernel)]
}

/// The kind of refusal, in a word.
fn word(result: Result<(), SendError>) -> &'static str {
    match result {
        Ok(()) => "ok",
        Err(SendError::SenderFull { .. }) => "sender",
        Err(SendError::UnlistenedFull { .. }) => "unlistened",
        Err(SendError::MessagesFull { .. }) => "messages",
        Err(_) => "other",
    }
}

fn fill(mailbox: &mut Mailbox, message: &Message) -> (usize, &'static str) {
    for count in 0.. {
        let word = word(mailbox.push(message.clone()));
        if word != "ok" {
            return (count, word);
        }
    }
    unreachable!()
}

#[test]
fn what_nobody_listens_for_waits_and_has_an_eighth_to_itself() {
    let [own, flooder, friend] = three();
    let mut mailbox = Mailbox::new(MailboxLimits::default()).owned_by(&own);
    mailbox.listen(topic("t"));
    mailbox.park(Unread::default(), &[]);
    assert_eq!(fill(&mut mailbox, &from(&flooder, "x", 1)), (1_250, "unlistened"));
    let refusal = mailbox.push(from(&friend, "y", 1)).unwrap_err();
    let text = "share of the mailbox for topics without a listener is full: 1250 messages of 1250 are unread; nobody listens on `y`";
    assert_eq!(
        (refusal.to_string().as_str(), refusal.kind(), refusal.retryable()),
        (text, ErrorKind::RateLimited, true)
    );
    assert!(!mailbox.has_deliverable(AMPLE));
    for message in [from(&friend, "t", 1), from(&flooder, "t", 1)] {
        mailbox.push(message).unwrap();
    }
    assert_eq!(mailbox.take(ALL, AMPLE).len(), 2);
    // The flood takes nothing of the rest.
    mailbox.park(Unread::default(), &[]);
    let more =
        (0..10_000).filter(|at| mailbox.push(from(if at % 2 == 0 { &friend } else { &flooder }, "t", 1)).is_ok());
    assert_eq!(more.count(), 5_000 + 3_750);
}

#[test]
fn before_its_first_wait_a_process_may_still_begin_to_listen() {
    let [own, flooder, friend] = three();
    let mut mailbox = Mailbox::new(limits(16, 10_000, 10)).owned_by(&own);
    assert_eq!(fill(&mut mailbox, &from(&flooder, "x", 1)), (8, "sender"));
    assert_eq!(fill(&mut mailbox, &from(&friend, "t", 2)), (8, "unlistened"));
    mailbox.listen(topic("t"));
    mailbox.park(Unread::default(), &[]);
    assert_eq!(mailbox.take(ALL, AMPLE).len(), 8, "nothing sent before is lost");
    mailbox.park(Unread::default(), &[]);
    assert_eq!(word(mailbox.push(from(&friend, "x", 1))), "unlistened");
    assert_eq!(word(mailbox.push(from(&friend, "t", 1))), "ok");
}

#[test]
fn a_late_listener_gets_what_waited_in_the_order_of_arrival() {
    let [own, a, b] = three();
    let mut mailbox = Mailbox::new(MailboxLimits::default()).owned_by(&own);
    mailbox.listen(topic("u"));
    for (sender, topic, size) in [(&a, "t", 1), (&a, "u", 2), (&b, "t", 3), (&b, "v", 4), (&a, "t", 5)] {
        mailbox.push(from(sender, topic, size)).unwrap();
    }
    mailbox.push_event(exit(&a));
    mailbox.push(from(&a, "u", 6)).unwrap();
    mailbox.listen(topic("t"));
    assert_eq!(sizes(&mailbox.take(ALL, AMPLE)), [Some(1), Some(2), Some(3), Some(5), None, Some(6)]);
    mailbox.push(from(&a, "t", 7)).unwrap();
    mailbox.push(from(&a, "u", 8)).unwrap();
    mailbox.push(from(&a, "t", 9)).unwrap();
    mailbox.unlisten(&topic("t"));
    assert_eq!(sizes(&mailbox.take(ALL, AMPLE)), [Some(8)], "what isn't listened on any more waits again");
    mailbox.push(from(&a, "t", 10)).unwrap();
    mailbox.listen_to_all();
    mailbox.unlisten(&topic("u"));
    assert_eq!(sizes(&mailbox.take(ALL, AMPLE)), [Some(4), Some(7), Some(9), Some(10)]);
    mailbox.push(from(&a, "w", 11)).unwrap();
    assert_eq!(sizes(&mailbox.take(ALL, AMPLE)), [Some(11)]);
}

#[test]
fn nobody_listens_on_more_topics_than_the_limit() {
    let [own, a, _] = three();
    let mut mailbox = Mailbox::new(limits(10, 1_000, 10)).owned_by(&own);
    for text in ["a", "b", "b", "c"] {
        mailbox.listen(topic(text));
    }
    for text in ["a", "b", "c"] {
        mailbox.push(from(&a, text, 1)).unwrap();
    }
    assert_eq!(mailbox.take(ALL, AMPLE).len(), 2);
}

#[test]
fn a_sender_has_half_of_a_mailbox_and_others_the_rest() {
    let [own, a, b] = three();
    let mut mailbox = listening(Mailbox::new(MailboxLimits::default()).owned_by(&own));
    assert_eq!(fill(&mut mailbox, &from(&a, "t", 1)), (5_000, "sender"));
    let refusal = mailbox.push(from(&a, "u", 1)).unwrap_err();
    let text =
        "sender's share of the mailbox is full: 5000 messages of 5000 are unread; the receiver has to receive some";
    assert_eq!(
        (refusal.to_string().as_str(), refusal.kind(), refusal.retryable()),
        (text, ErrorKind::RateLimited, true)
    );
    assert_eq!(fill(&mut mailbox, &from(&b, "t", 1)), (5_000, "messages"));
    assert_eq!(fill(&mut mailbox, &from(&own, "t", 1)), (0, "messages"));
}

#[test]
fn a_sender_gets_back_what_was_received_in_whatever_order() {
    let [own, a, b] = three();
    let mut mailbox = listening(Mailbox::new(limits(8, 10_000, 10)).owned_by(&own));
    assert_eq!(fill(&mut mailbox, &from(&a, "slow", 1)), (4, "sender"));
    mailbox.push_event(exit(&a));
    for _ in 0..100 {
        for _ in 0..2 {
            mailbox.push(from(&b, "fast", 1)).unwrap();
        }
        let before = mailbox.shares.of(b.number()).messages;
        assert_eq!((before, mailbox.shares.of(a.number()).messages), (2, 4));
        let (first, taken) = (mailbox.shares.last(), mailbox.take(ALL, AMPLE).len() as u64);
        // Only the last two are received; the rest stays, for good.
        let last = first + taken;
        mailbox.park(Unread { messages: 4, bytes: 20 }, &[last - 1, last, last, 1_000_000]);
    }
    assert_eq!(word(mailbox.push(from(&a, "fast", 1))), "sender");
    mailbox.park(Unread { messages: 3, bytes: 15 }, &[2]);
    assert_eq!(fill(&mut mailbox, &from(&a, "fast", 1)), (1, "sender"));
    // Who has received everything needn't say what.
    mailbox.take(ALL, AMPLE);
    mailbox.report_unread(Unread::default());
    assert_eq!(fill(&mut mailbox, &from(&a, "fast", 1)), (4, "sender"));
}

#[test]
fn a_share_holds_one_message_of_the_largest_size() {
    let [own, a, b] = three();
    let mut mailbox = Mailbox::new(limits(2, 1_000, 500)).owned_by(&own);
    mailbox.park(Unread::default(), &[]);
    mailbox.push(from(&a, "x", 500)).unwrap();
    assert_eq!(word(mailbox.push(from(&b, "x", 1))), "unlistened");
    mailbox.listen(topic("x"));
    assert_eq!(word(mailbox.push(from(&a, "x", 1))), "sender");
    mailbox.push(from(&b, "x", 100)).unwrap();
}

#[test]
fn the_process_itself_the_host_and_first_messages_have_no_share() {
    let [own, parent, flooder] = three();
    let mut mailbox = Mailbox::new(limits(16, 10_000, 10));
    mailbox.push_first((0..10).map(|_| from(&parent, "x", 1)).collect()).unwrap();
    let mut mailbox = mailbox.owned_by(&own);
    mailbox.park(Unread::default(), &[]);
    assert_eq!(fill(&mut mailbox, &from(&flooder, "x", 1)), (2, "unlistened"));
    for message in [from(&own, "x", 2), Message { sender: None, ..from(&own, "x", 3) }] {
        for _ in 0..3 {
            mailbox.push(message.clone()).unwrap();
        }
    }
    assert_eq!(fill(&mut mailbox, &from(&own, "x", 2)), (0, "messages"));
    mailbox.listen(topic("x"));
    assert_eq!(mailbox.take(ALL, AMPLE).len(), 18);
}

#[test]
fn an_upgrade_gives_back_more_than_a_share_and_it_counts() {
    let [own, a, b] = three();
    let mut mailbox = listening(Mailbox::new(limits(16, 10_000, 10)).owned_by(&own));
    for _ in 0..6 {
        mailbox.push(from(&a, "t", 1)).unwrap();
    }
    let handed = mailbox.take(ALL, AMPLE);
    mailbox.park(Unread { messages: 6, bytes: 12 }, &[]);
    mailbox.push(from(&a, "t", 2)).unwrap();
    handed.into_iter().for_each(|item| mailbox.take_back(item).unwrap());
    mailbox.restart(limits(16, 10_000, 10));
    assert_eq!(word(mailbox.push(from(&b, "t", 1))), "ok", "it hasn't waited yet");
    mailbox.park(Unread::default(), &[]);
    assert_eq!(word(mailbox.push(from(&b, "t", 1))), "unlistened");
    mailbox.listen(topic("t"));
    assert_eq!(fill(&mut mailbox, &from(&a, "t", 1)), (1, "sender"));
    assert_eq!(sizes(&mailbox.take(ALL, AMPLE)), [[Some(1)].repeat(6), vec![Some(2), Some(1), Some(1)]].concat());
}
