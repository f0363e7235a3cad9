//! Calls of one process: how many, and what they hold, from the arguments to the result's handing over.

use super::CallLimits;
use crate::{BatchLimits, Inbox, LimitName, Mailbox, MailboxLimits, Outcome, Pid, Refusal, RequestError};

const LIMITS: CallLimits = CallLimits { calls: 2, bytes: 100 };
const ALL: BatchLimits = BatchLimits { items: 10, bytes: 1_000_000 };

fn inbox() -> Inbox<(), ()> {
    Inbox::new(Mailbox::new(MailboxLimits::default()), &Pid::nobody())
}

fn answer(bytes: usize) -> Outcome {
    Outcome::Completed(vec![0; bytes].into())
}

#[test]
fn a_call_counts_until_its_result_is_handed_over() {
    let mut inbox = inbox();
    let first = inbox.begin_call(LIMITS, 60).unwrap();
    assert_eq!(inbox.call_bytes(), 60);
    let full = inbox.begin_call(LIMITS, 41).unwrap_err();
    assert_eq!(full, RequestError::CallBytes { held: 60, bytes: 41, limit: 100 });
    assert_eq!(full.limit(), Some(LimitName::ModuleBytes.as_str()));
    inbox.begin_call(LIMITS, 40).unwrap();
    assert_eq!(inbox.begin_call(LIMITS, 0), Err(RequestError::Calls { limit: 2 }));
    assert_eq!(inbox.answer_call(first, 50), Ok(()));
    assert!(!inbox.reply(first, answer(50)));
    assert_eq!(inbox.begin_call(LIMITS, 0), Err(RequestError::Calls { limit: 2 }));
    assert_eq!(inbox.take(ALL, 0).replies.len(), 1);
    assert_eq!(
        inbox.begin_call(LIMITS, 61).map(|_| ()),
        Err(RequestError::CallBytes { held: 40, bytes: 61, limit: 100 })
    );
    inbox.begin_call(LIMITS, 60).unwrap();
}

#[test]
fn a_result_that_does_not_fit_leaves_the_call_without_bytes() {
    let mut inbox = inbox();
    let first = inbox.begin_call(LIMITS, 10).unwrap();
    let second = inbox.begin_call(LIMITS, 40).unwrap();
    assert_eq!(inbox.answer_call(first, 61), Err(RequestError::CallBytes { held: 40, bytes: 61, limit: 100 }));
    assert_eq!(inbox.answer_call(second, 100), Ok(()));
}

#[test]
fn what_was_cancelled_or_asked_before_an_upgrade_counts_no_more() {
    let mut inbox = inbox();
    let first = inbox.begin_call(LIMITS, 100).unwrap();
    inbox.cancel_call(first);
    let second = inbox.begin_call(LIMITS, 100).unwrap();
    assert_eq!(inbox.requests_under_way(), 1);
    drop(inbox.restart(MailboxLimits::default()));
    assert!(!inbox.reply(second, answer(3)));
    assert_eq!(inbox.requests_under_way(), 0);
    inbox.begin_call(LIMITS, 100).unwrap();
    assert_eq!(inbox.take(ALL, 0).replies.len(), 0);
}
