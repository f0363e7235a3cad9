//! Between the kernel's types and those of the WIT contract.
//!
//! Owns every conversion at that border, and the cutting of texts a guest chose. Refuses to look into payloads.

use std::sync::Arc;

use bytes::Bytes;
use lunarium_contract::batch::{self, Entry, Kind};
use lunarium_contract::length;
use lunarium_kernel::{
    ErrorKind, Event, Failure, Item, Limits, Message, Outcome, Pid, Refusal, Reply, Timestamp, Topic, cut,
};

use super::guest as wit;
use super::imports::types;
use crate::value::result_too_large;

/// What `resume` hands over, in order.
#[derive(Default)]
pub(crate) struct Batch<'a> {
    /// What is short, and the places of the events: [`lunarium_contract::batch`].
    pub(crate) bytes: Vec<u8>,
    pub(crate) events: Vec<wit::EventParam<'a>>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(items: &'a [Item], replies: &'a [Reply], output_ready: bool) -> Batch<'a> {
        let mut batch = Batch::default();
        items.iter().for_each(|item| batch.add(short(item), || event(item)));
        replies.iter().for_each(|answer| batch.add(short_reply(answer), || reply(answer)));
        if output_ready {
            batch.list(wit::EventParam::OutputReady);
        }
        batch
    }

    fn add(&mut self, short: Option<Entry<'a>>, event: impl FnOnce() -> wit::EventParam<'a>) {
        match short.and_then(|entry| entry.pieces()) {
            Some((head, [sender, name, payload])) => {
                self.bytes.reserve(head.len() + sender.len() + name.len() + payload.len());
                [&head, sender, name, payload].into_iter().for_each(|piece| self.bytes.extend_from_slice(piece));
            }
            None => self.list(event()),
        }
    }

    fn list(&mut self, event: wit::EventParam<'a>) {
        self.bytes.extend_from_slice(&batch::LISTED);
        self.events.push(event);
    }
}

/// As it stands in the bytes, if it is short. None: only the list can say it.
fn short(item: &Item) -> Option<Entry<'_>> {
    match item {
        Item::Message(Message { sender, topic, payload, call }) => Some(match call {
            Some(call) => Entry::new(Kind::Call, call.id, "", &call.method, payload),
            None => Entry::new(Kind::Message, 0, sender.as_ref().map_or("", Pid::as_str), topic.as_str(), payload),
        }),
        Item::Event(Event::Exit { from, outcome, at }) => short_end(Kind::Exit, from, outcome, *at),
        Item::Event(Event::LinkDown { from, outcome, at }) => short_end(Kind::LinkDown, from, outcome, *at),
        Item::Event(Event::Cancel { .. }) => None,
    }
}

fn short_end<'a>(kind: Kind, from: &'a Pid, outcome: &'a Outcome, at: Timestamp) -> Option<Entry<'a>> {
    let Outcome::Completed(result) = outcome else { return None };
    Some(Entry::new(kind, at.as_seconds().to_bits(), from.as_str(), "", result))
}

fn short_reply(reply: &Reply) -> Option<Entry<'_>> {
    let Outcome::Completed(result) = &reply.outcome else { return None };
    Some(Entry::new(Kind::Reply, reply.request, "", "", result))
}

fn reply(reply: &Reply) -> wit::EventParam<'_> {
    wit::EventParam::Reply(wit::ReplyParam { request: reply.request, outcome: outcome_of(&reply.outcome) })
}

fn event(item: &Item) -> wit::EventParam<'_> {
    match item {
        Item::Message(Message { sender, topic, payload, call }) => {
            let sender = sender.as_ref().map(|pid| pid.as_str());
            match call {
                Some(call) => {
                    wit::EventParam::Call(wit::CallParam { id: call.id, method: &call.method, arguments: payload })
                }
                None => wit::EventParam::Message(wit::MessageParam { sender, topic: topic.as_str(), payload }),
            }
        }
        Item::Event(Event::Exit { from, outcome, at }) => wit::EventParam::Exit(wit::EndedParam {
            sender: from.as_str(),
            at: at.as_seconds(),
            outcome: outcome_of(outcome),
        }),
        Item::Event(Event::LinkDown { from, outcome, at }) => wit::EventParam::LinkDown(wit::EndedParam {
            sender: from.as_str(),
            at: at.as_seconds(),
            outcome: outcome_of(outcome),
        }),
        Item::Event(Event::Cancel { from, deadline, at }) => wit::EventParam::Cancel(wit::CancelParam {
            sender: from.as_ref().map(|pid| pid.as_str()),
            at: at.as_seconds(),
            deadline: deadline.map(|deadline| deadline.as_nanos()),
        }),
    }
}

fn outcome_of(outcome: &Outcome) -> wit::OutcomeParam<'_> {
    match outcome {
        Outcome::Completed(result) => wit::OutcomeParam::Completed(result),
        Outcome::Failed(failure) => wit::OutcomeParam::Failed(wit::FailureParam {
            kind: kind_to_wit(failure.kind),
            message: &failure.message,
            retryable: failure.retryable,
            details: failure.details.as_deref(),
            stack: failure.stack.as_deref(),
        }),
    }
}

/// What a guest gives back. None: it was never handed such a thing.
pub(crate) fn item(event: wit::EventResult) -> Option<Item> {
    // Details were let in once, whatever the limit of messages is here.
    let limits = Limits { message: u32::MAX, ..Limits::default() };
    let ended = |ended: wit::EndedResult| {
        Some((Pid::parse(&ended.sender)?, outcome(ended.outcome, &limits), Timestamp::from_seconds(ended.at)))
    };
    match event {
        wit::EventResult::Message(message) => {
            let topic = Topic::new(&message.topic).ok()?;
            Some(Item::Message(Message::new(sender(message.sender)?, topic, message.payload.into())))
        }
        wit::EventResult::Exit(exit) => {
            ended(exit).map(|(from, outcome, at)| Item::Event(Event::Exit { from, outcome, at }))
        }
        wit::EventResult::LinkDown(down) => {
            ended(down).map(|(from, outcome, at)| Item::Event(Event::LinkDown { from, outcome, at }))
        }
        wit::EventResult::Cancel(cancel) => Some(Item::Event(Event::Cancel {
            from: sender(cancel.sender)?,
            deadline: cancel.deadline.map(Timestamp::from_nanos),
            at: Timestamp::from_seconds(cancel.at),
        })),
        wit::EventResult::Call(_) | wit::EventResult::Reply(_) | wit::EventResult::OutputReady => None,
    }
}

/// Outer none: it is no pid.
fn sender(text: Option<String>) -> Option<Option<Pid>> {
    match text {
        Some(text) => Pid::parse(&text).map(Some),
        None => Some(None),
    }
}

/// How a guest says that it ended. A result larger than a message can't travel.
pub(crate) fn outcome(outcome: wit::OutcomeResult, limits: &Limits) -> Outcome {
    match outcome {
        wit::OutcomeResult::Completed(result) if exceeds(&result, limits) => {
            result_too_large(result.len(), limits.message)
        }
        wit::OutcomeResult::Completed(result) => Outcome::Completed(result.into()),
        wit::OutcomeResult::Failed(failure) => Outcome::Failed(Arc::new(Failure {
            kind: kind_from_wit(failure.kind),
            message: cut(&failure.message, length::FAILURE),
            retryable: failure.retryable,
            details: failure.details.filter(|details| !exceeds(details, limits)).map(Bytes::from),
            stack: failure.stack.map(|stack| cut(&stack, length::STACK)),
        })),
    }
}

fn exceeds(payload: &[u8], limits: &Limits) -> bool {
    u64::try_from(payload.len()).unwrap_or(u64::MAX) > u64::from(limits.message)
}

/// A kernel refusal as the guest sees it.
pub(crate) fn refusal(refusal: impl Refusal) -> types::Refusal {
    types::Refusal {
        kind: kind_to_wit(refusal.kind()),
        message: refusal.to_string(),
        retryable: refusal.retryable(),
        limit: refusal.limit().map(str::to_owned),
    }
}

pub(crate) fn kind_to_wit(kind: ErrorKind) -> types::ErrorKind {
    match kind {
        ErrorKind::NotFound => types::ErrorKind::NotFound,
        ErrorKind::AlreadyExists => types::ErrorKind::AlreadyExists,
        ErrorKind::Invalid => types::ErrorKind::Invalid,
        ErrorKind::PermissionDenied => types::ErrorKind::PermissionDenied,
        ErrorKind::Unavailable => types::ErrorKind::Unavailable,
        ErrorKind::Internal => types::ErrorKind::Internal,
        ErrorKind::Canceled => types::ErrorKind::Canceled,
        ErrorKind::Conflict => types::ErrorKind::Conflict,
        ErrorKind::Timeout => types::ErrorKind::Timeout,
        ErrorKind::RateLimited => types::ErrorKind::RateLimited,
        ErrorKind::ResourceExhausted => types::ErrorKind::ResourceExhausted,
        ErrorKind::Unknown => types::ErrorKind::Unknown,
    }
}

pub(crate) fn kind_from_wit(kind: types::ErrorKind) -> ErrorKind {
    match kind {
        types::ErrorKind::NotFound => ErrorKind::NotFound,
        types::ErrorKind::AlreadyExists => ErrorKind::AlreadyExists,
        types::ErrorKind::Invalid => ErrorKind::Invalid,
        types::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
        types::ErrorKind::Unavailable => ErrorKind::Unavailable,
        types::ErrorKind::Internal => ErrorKind::Internal,
        types::ErrorKind::Canceled => ErrorKind::Canceled,
        types::ErrorKind::Conflict => ErrorKind::Conflict,
        types::ErrorKind::Timeout => ErrorKind::Timeout,
        types::ErrorKind::RateLimited => ErrorKind::RateLimited,
        types::ErrorKind::ResourceExhausted => ErrorKind::ResourceExhausted,
        types::ErrorKind::Unknown => ErrorKind::Unknown,
    }
}
