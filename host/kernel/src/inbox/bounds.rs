//! What a mailbox may hold, and what it says beyond that. Owns the limits, the shares of them, and the texts of refusals. Does not
//! count.

use lunarium_contract::length;

use super::incoming::CallsFull;
use super::shares::Sum;
use crate::{ErrorKind, Exhausted, LimitName, Limits, Refusal};

/// What nobody listens for has this part of a mailbox to itself, once the process has waited.
pub(crate) const UNLISTENED: u64 = 8;

/// One sender has this part of a mailbox at most.
pub(crate) const SENDER: u64 = 2;

/// The limits of one mailbox. A message's bytes are those of its payload and topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxLimits {
    /// Messages not yet received by the script. At the limit: refused, `RateLimited` and retryable. 10,000.
    pub messages: u32,
    /// Bytes not yet received by the script. At the limit: refused, `RateLimited` and retryable. 4 MiB.
    pub bytes: u64,
    /// Bytes of one payload. At the limit: refused, `Invalid`. 1 MiB.
    pub message: u32,
    /// Topics that are listened on. Beyond them nobody listens; the guest refuses first. 1,024.
    pub listeners: u32,
}

impl MailboxLimits {
    pub(crate) fn whole(&self) -> Sum {
        Sum { messages: self.messages.into(), bytes: self.bytes }
    }

    /// A part of the whole, and at least one message of the largest size.
    pub(crate) fn part(&self, of: u64) -> Sum {
        let whole = self.whole();
        let largest = u64::from(self.message).saturating_add(length::TOPIC as u64);
        let part = |whole: u64, least: u64| whole.checked_div(of).unwrap_or(whole).max(least.min(whole));
        Sum { messages: part(whole.messages, 1), bytes: part(whole.bytes, largest) }
    }
}

impl Default for MailboxLimits {
    fn default() -> Self {
        Limits::default().mailbox()
    }
}

/// Why a message isn't accepted. Nothing is queued then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The receiver has ended.
    #[error("process has ended")]
    Closed,
    /// The payload alone is too large.
    #[error("message of {bytes} bytes is above the limit of {limit}")]
    TooLarge {
        /// Its bytes.
        bytes: u64,
        /// The limit: the receiver's `message`, or its `mailbox_bytes` where that is less.
        limit: u64,
    },
    /// At the receiver's limit of messages.
    #[error("mailbox is full: {held} messages of {limit} are unread")]
    MessagesFull {
        /// How many are unread.
        held: u64,
        /// The limit.
        limit: u32,
    },
    /// At the receiver's limit of bytes.
    #[error("mailbox is full: {held} bytes of {limit} are unread, and the message has {bytes}")]
    BytesFull {
        /// How many are unread.
        held: u64,
        /// What the message would add.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The sender has its share of the receiver's mailbox.
    #[error("sender's share of the mailbox is full: {shown} are unread; the receiver has to receive some", shown = held.shown(*bytes, *limit))]
    SenderFull {
        /// What it has unread.
        held: Held,
        /// What the message would add.
        bytes: u64,
        /// A half of the receiver's limits.
        limit: Held,
    },
    /// The receiver doesn't listen on this topic, and what it doesn't listen for has its share of the mailbox.
    #[error(
        "share of the mailbox for topics without a listener is full: {shown} are unread; nobody listens on `{topic}`",
        shown = held.shown(*bytes, *limit)
    )]
    UnlistenedFull {
        /// The beginning of the topic.
        topic: String,
        /// What waits for a listener.
        held: Held,
        /// What the message would add.
        bytes: u64,
        /// An eighth of the receiver's limits; all of them before its first wait.
        limit: Held,
    },
    /// A call, and too many aren't answered.
    #[error(transparent)]
    Calls(#[from] CallsFull),
    /// What its receiver may hold of a budget is held.
    #[error("mailbox can't hold more: {0}")]
    Budget(#[from] Exhausted),
}

/// Messages and their bytes, in a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// How many.
    pub messages: u64,
    /// Bytes of payloads and topics.
    pub bytes: u64,
}

impl From<Sum> for Held {
    fn from(Sum { messages, bytes }: Sum) -> Self {
        Self { messages, bytes }
    }
}

impl Held {
    /// What is at its limit.
    fn shown(self, bytes: u64, limit: Self) -> String {
        if self.messages >= limit.messages {
            format!("{} messages of {}", self.messages, limit.messages)
        } else {
            format!("{} bytes of {}, and the message has {bytes}:", self.bytes, limit.bytes)
        }
    }
}

impl Refusal for SendError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Closed => ErrorKind::NotFound,
            Self::TooLarge { .. } => ErrorKind::Invalid,
            Self::MessagesFull { .. }
            | Self::BytesFull { .. }
            | Self::SenderFull { .. }
            | Self::UnlistenedFull { .. }
            | Self::Calls(_)
            | Self::Budget(_) => ErrorKind::RateLimited,
        }
    }

    fn retryable(&self) -> bool {
        self.kind() == ErrorKind::RateLimited
    }

    fn limit(&self) -> Option<&'static str> {
        let of = |held: &Held, limit: &Held| match held.messages >= limit.messages {
            true => LimitName::MailboxMessages,
            false => LimitName::MailboxBytes,
        };
        let name = match self {
            Self::Closed => return None,
            Self::Calls(full) => return full.limit(),
            Self::Budget(budget) => return budget.limit(),
            Self::TooLarge { .. } => LimitName::Message,
            Self::MessagesFull { .. } => LimitName::MailboxMessages,
            Self::BytesFull { .. } => LimitName::MailboxBytes,
            Self::SenderFull { held, limit, .. } | Self::UnlistenedFull { held, limit, .. } => of(held, limit),
        };
        Some(name.as_str())
    }
}
