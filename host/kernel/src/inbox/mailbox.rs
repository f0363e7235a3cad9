//! A process's mailbox: a bounded queue of messages, and the events that come between them. Owns order, both limits and
//! how much is handed over at once. Does not know who waits: waking is the engine's, and so is the lock around it.
//!
//! A message counts until the *script* receives it: what waits here, and what the guest was handed and still holds. So
//! the guest tells what it holds ([`Mailbox::report_unread`]), and can't make the host forget or hold more by lying:
//! it never holds more than it was handed, and what it denies it has in its own memory.

use std::collections::{BTreeMap, VecDeque};

use crate::{ErrorKind, Event, Exhausted, LimitName, Limits, Payload, Pid, Refusal, Topic};

/// Bytes that a message costs the guest beside its payload and topic, for the credit: a Lua table, two strings' heads,
/// a slot in a queue. Empty messages would be free without it, and a small guest drown in them.
pub const MESSAGE_COST: u64 = 200;

/// Bytes that an event costs beside its outcome, for the same reason.
pub const EVENT_COST: u64 = 200;

/// Bytes of undelivered events above which a mailbox is flooded ([`Mailbox::is_flooded`]). Events are never refused, so
/// this is their limit. At the limit: the engine ends the process, `ResourceExhausted`, `details.limit` =
/// `mailbox_bytes`. It takes a process that runs for long while what it monitors ends with large results; 16 MiB is what
/// its memory couldn't take anyway.
pub const EVENT_BYTES: u64 = 16 * 1024 * 1024;

/// The limits of one mailbox. A message's bytes are those of its payload and topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxLimits {
    /// Messages not yet received by the script. At the limit: refused, `RateLimited` and retryable. 10,000.
    pub messages: u32,
    /// Bytes not yet received by the script. At the limit: refused, `RateLimited` and retryable. 4 MiB.
    pub bytes: u64,
    /// Bytes of one payload. At the limit: refused, `Invalid`. 1 MiB.
    pub message: u32,
}

impl Default for MailboxLimits {
    fn default() -> Self {
        Limits::default().mailbox()
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who sent it; none: the runtime or the embedder.
    pub sender: Option<Pid>,
    /// What it is about.
    pub topic: Topic,
    /// What it says. Handed on as it is.
    pub payload: Payload,
}

impl Message {
    /// Bytes of its payload and topic.
    pub fn bytes(&self) -> u64 {
        let bytes = self.payload.len().saturating_add(self.topic.as_str().len());
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

/// What is handed to a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// From a process.
    Message(Message),
    /// From the runtime.
    Event(Event),
}

/// What a guest holds of its mailbox: handed over, and not yet received by the script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// How many messages.
    pub messages: u32,
    /// Bytes of their payloads and topics.
    pub bytes: u32,
}

impl Unread {
    fn add(&mut self, bytes: u64) {
        self.messages = self.messages.saturating_add(1);
        self.bytes = self.bytes.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
    }

    /// Takes out one message of so many bytes. False, and nothing is changed: there is none.
    fn remove(&mut self, bytes: u64) -> bool {
        let bytes = u32::try_from(bytes).ok().and_then(|bytes| self.bytes.checked_sub(bytes));
        let (Some(messages), Some(bytes)) = (self.messages.checked_sub(1), bytes) else { return false };
        *self = Self { messages, bytes };
        true
    }

    fn cost(self) -> u64 {
        u64::from(self.bytes).saturating_add(u64::from(self.messages).saturating_mul(MESSAGE_COST))
    }
}

/// The most that is handed over at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Messages and events.
    pub items: u32,
    /// Their bytes. The first item may be larger, or it would never be handed over.
    pub bytes: u64,
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
    /// What its receiver may hold of a budget is held.
    #[error("mailbox can't hold more: {0}")]
    Budget(#[from] Exhausted),
}

impl Refusal for SendError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Closed => ErrorKind::NotFound,
            Self::TooLarge { .. } => ErrorKind::Invalid,
            Self::MessagesFull { .. } | Self::BytesFull { .. } | Self::Budget(_) => ErrorKind::RateLimited,
        }
    }

    fn retryable(&self) -> bool {
        matches!(self, Self::MessagesFull { .. } | Self::BytesFull { .. } | Self::Budget(_))
    }

    fn limit(&self) -> Option<&'static str> {
        match self {
            Self::Closed => None,
            Self::TooLarge { .. } => Some(LimitName::Message.as_str()),
            Self::MessagesFull { .. } => Some(LimitName::MailboxMessages.as_str()),
            Self::BytesFull { .. } => Some(LimitName::MailboxBytes.as_str()),
            Self::Budget(budget) => budget.limit(),
        }
    }
}

/// Why something isn't taken back from a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReturnError {
    /// It holds no such message: nobody's guest claims this by mistake.
    #[error("the guest gave back more messages than it held")]
    NotHeld,
    /// Its events are too many: see [`EVENT_BYTES`].
    #[error("mailbox_bytes limit reached by unread events")]
    Flood,
}

/// A process's mailbox. Messages and events keep their order in two queues with common ticket numbers, so that events
/// can pass held-back messages without a search.
#[derive(Debug)]
pub struct Mailbox {
    limits: MailboxLimits,
    messages: VecDeque<(u64, Message)>,
    /// Bytes of `messages`.
    bytes: u64,
    events: VecDeque<(u64, Event)>,
    /// Bytes of `events`, with [`EVENT_COST`] each.
    event_bytes: u64,
    /// What the guest holds: reported, plus handed over since.
    held: Unread,
    /// What the guest may give back: what it held when it was last handed something, that included. A report may have left
    /// a message out already that is on its way into the script.
    owed: Unread,
    /// The ticket of the undelivered CANCEL of each sender's number; none: the runtime's.
    cancels: BTreeMap<Option<u64>, u64>,
    /// What an ending incarnation has given back so far.
    returned: Vec<Item>,
    /// The messages of `returned`, and their bytes.
    returned_messages: u64,
    returned_bytes: u64,
    next_ticket: u64,
    closed: bool,
}

impl Mailbox {
    /// An open, empty mailbox.
    pub fn new(limits: MailboxLimits) -> Self {
        Self {
            limits,
            messages: VecDeque::new(),
            bytes: 0,
            events: VecDeque::new(),
            event_bytes: 0,
            held: Unread::default(),
            owed: Unread::default(),
            cancels: BTreeMap::new(),
            returned: Vec::new(),
            returned_messages: 0,
            returned_bytes: 0,
            next_ticket: 0,
            closed: false,
        }
    }

    /// Accepts a message, behind everything that is there. Errors: `RateLimited` and retryable (full), `Invalid` (too
    /// large), `NotFound` (closed). Nothing is queued then.
    pub fn push(&mut self, message: Message) -> Result<(), SendError> {
        let bytes = self.check(&message, self.unread_messages(), self.unread_bytes())?;
        self.accept(message, bytes);
        Ok(())
    }

    /// Accepts all of these messages, in order, or none. Errors: as for one.
    pub fn push_all(&mut self, messages: Vec<Message>) -> Result<(), SendError> {
        self.check_all(&messages)?;
        for message in messages {
            let bytes = message.bytes();
            self.accept(message, bytes);
        }
        Ok(())
    }

    /// Whether all of these messages would be accepted. Errors: as [`Mailbox::push_all`].
    pub fn check_all(&self, messages: &[Message]) -> Result<(), SendError> {
        let (mut count, mut bytes) = (self.unread_messages(), self.unread_bytes());
        for message in messages {
            bytes = bytes.saturating_add(self.check(message, count, bytes)?);
            count = count.saturating_add(1);
        }
        Ok(())
    }

    /// Whether a message fits beside what is unread; its bytes.
    fn check(&self, message: &Message, messages: u64, held: u64) -> Result<u64, SendError> {
        if self.closed {
            return Err(SendError::Closed);
        }
        let bytes = message.bytes();
        self.check_size(message, bytes)?;
        if messages >= u64::from(self.limits.messages) {
            return Err(SendError::MessagesFull { held: messages, limit: self.limits.messages });
        }
        if held.saturating_add(bytes) > self.limits.bytes {
            return Err(SendError::BytesFull { held, bytes, limit: self.limits.bytes });
        }
        Ok(bytes)
    }

    fn accept(&mut self, message: Message, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        let ticket = self.ticket();
        self.messages.push_back((ticket, message));
    }

    /// What never fits, however empty the mailbox is, isn't called full: to try again would be in vain.
    fn check_size(&self, message: &Message, bytes: u64) -> Result<(), SendError> {
        let payload = u64::try_from(message.payload.len()).unwrap_or(u64::MAX);
        let limit = u64::from(self.limits.message);
        if payload > limit {
            return Err(SendError::TooLarge { bytes: payload, limit });
        }
        if bytes > self.limits.bytes {
            return Err(SendError::TooLarge { bytes, limit: self.limits.bytes });
        }
        Ok(())
    }

    /// Accepts an event, behind everything that is there. Never refused; a closed mailbox drops it. A CANCEL takes the
    /// place of an undelivered one of the same sender.
    pub fn push_event(&mut self, event: Event) {
        if self.closed {
            return;
        }
        let ticket = self.ticket();
        if let Some(sender) = event.canceler() {
            if let Some(earlier) = self.cancels.get(&sender).and_then(|ticket| event_at(&mut self.events, *ticket)) {
                *earlier = event;
                return;
            }
            self.cancels.insert(sender, ticket);
        }
        self.event_bytes = self.event_bytes.saturating_add(event_cost(&event));
        self.events.push_back((ticket, event));
    }

    /// Takes what the guest is to be handed now, in order. `credit` is the most that the guest may hold unread, in bytes
    /// with [`MESSAGE_COST`] for each message; one message passes always when it holds none. Messages above it stay, in
    /// order, and events overtake them: a script must learn of an end also when it doesn't read its messages.
    pub fn take(&mut self, batch: BatchLimits, credit: u64) -> Vec<Item> {
        let mut items = Vec::new();
        let mut room = batch.bytes;
        while items.len() < batch.items as usize {
            let Some((next, bytes)) = self.next(credit) else { break };
            if bytes > room && !items.is_empty() {
                break;
            }
            room = room.saturating_sub(bytes);
            match next {
                Next::Message => items.extend(self.take_message().map(Item::Message)),
                Next::Event => items.extend(self.take_event().map(Item::Event)),
            }
        }
        self.owed = self.held;
        items
    }

    /// The next item that may be handed over, with its bytes.
    fn next(&self, credit: u64) -> Option<(Next, u64)> {
        let message = self.messages.front().filter(|(_, message)| self.has_credit(message, credit));
        match (message, self.events.front()) {
            (Some((at, message)), Some((event_at, _))) if at < event_at => Some((Next::Message, message.bytes())),
            (_, Some((_, event))) => Some((Next::Event, event_cost(event))),
            (Some((_, message)), None) => Some((Next::Message, message.bytes())),
            (None, None) => None,
        }
    }

    fn has_credit(&self, message: &Message, credit: u64) -> bool {
        let after = self.held.cost().saturating_add(message.bytes()).saturating_add(MESSAGE_COST);
        self.held.messages == 0 || after <= credit
    }

    fn take_message(&mut self) -> Option<Message> {
        let (_, message) = self.messages.pop_front()?;
        let bytes = message.bytes();
        self.bytes = self.bytes.saturating_sub(bytes);
        self.held.add(bytes);
        Some(message)
    }

    fn take_event(&mut self) -> Option<Event> {
        let (_, event) = self.events.pop_front()?;
        if let Some(sender) = event.canceler() {
            self.cancels.remove(&sender);
        }
        self.event_bytes = self.event_bytes.saturating_sub(event_cost(&event));
        Some(event)
    }

    /// The guest tells what it holds, of all that [`Mailbox::take`] has given so far. A guest that claims to hold more
    /// than it was handed is cut to that.
    pub fn report_unread(&mut self, unread: Unread) {
        self.held.messages = self.held.messages.min(unread.messages);
        self.held.bytes = self.held.bytes.min(unread.bytes);
    }

    /// Takes back what the guest was handed and its script hasn't received: in the order of arrival, one call for each,
    /// before [`Mailbox::restart`]. Errors: the guest claims more than it can hold.
    pub fn take_back(&mut self, item: Item) -> Result<(), ReturnError> {
        match &item {
            Item::Message(message) => {
                let bytes = message.bytes();
                if !self.owed.remove(bytes) {
                    return Err(ReturnError::NotHeld);
                }
                // It counts once; one that was left out of the last report counts again.
                self.held.remove(bytes);
                self.returned_messages = self.returned_messages.saturating_add(1);
                self.returned_bytes = self.returned_bytes.saturating_add(bytes);
            }
            Item::Event(event) => {
                self.event_bytes = self.event_bytes.saturating_add(event_cost(event));
                if self.is_flooded() {
                    return Err(ReturnError::Flood);
                }
            }
        }
        self.returned.push(item);
        Ok(())
    }

    /// A new incarnation begins: what was taken back stands before everything that has come since, and the guest holds
    /// nothing. Messages beyond the new limits stay.
    pub fn restart(&mut self, limits: MailboxLimits) {
        let (messages, events) = (std::mem::take(&mut self.messages), std::mem::take(&mut self.events));
        self.limits = limits;
        (self.held, self.owed) = (Unread::default(), Unread::default());
        self.cancels.clear();
        (self.returned_messages, self.returned_bytes) = (0, 0);
        (self.bytes, self.event_bytes) = (0, 0);
        for item in std::mem::take(&mut self.returned) {
            match item {
                Item::Message(message) => {
                    let bytes = message.bytes();
                    self.accept(message, bytes);
                }
                Item::Event(event) => self.push_event(event),
            }
        }
        let mut events = events.into_iter().peekable();
        for (ticket, message) in messages {
            while let Some((_, event)) = events.next_if(|(at, _)| *at < ticket) {
                self.push_event(event);
            }
            let bytes = message.bytes();
            self.accept(message, bytes);
        }
        events.for_each(|(_, event)| self.push_event(event));
    }

    /// Messages not yet received by the script, here and in the guest.
    pub fn unread_messages(&self) -> u64 {
        let queued = u64::try_from(self.messages.len()).unwrap_or(u64::MAX);
        queued.saturating_add(self.returned_messages).saturating_add(u64::from(self.held.messages))
    }

    /// Bytes not yet received by the script, here and in the guest.
    pub fn unread_bytes(&self) -> u64 {
        self.bytes.saturating_add(self.returned_bytes).saturating_add(u64::from(self.held.bytes))
    }

    /// Bytes that it holds here, not in the guest: messages with [`MESSAGE_COST`] each, and events.
    pub fn held_bytes(&self) -> u64 {
        let queued = u64::try_from(self.messages.len()).unwrap_or(u64::MAX).saturating_add(self.returned_messages);
        let bytes = self.bytes.saturating_add(self.returned_bytes).saturating_add(self.event_bytes);
        bytes.saturating_add(queued.saturating_mul(MESSAGE_COST))
    }

    /// Whether nothing waits here. What the guest holds doesn't matter.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.events.is_empty()
    }

    /// Whether [`Mailbox::take`] would give anything for this credit.
    pub fn has_deliverable(&self, credit: u64) -> bool {
        self.next(credit).is_some()
    }

    /// Whether undelivered events have passed [`EVENT_BYTES`]; to be asked after [`Mailbox::push_event`].
    pub fn is_flooded(&self) -> bool {
        self.event_bytes > EVENT_BYTES
    }

    /// Ends it: it accepts nothing any more. What it held is handed out, to be dropped where no lock is held: that may be
    /// 20 MiB.
    #[must_use = "to be dropped where no lock is held"]
    pub fn close(&mut self) -> Self {
        let closed = Self { closed: true, ..Self::new(self.limits.clone()) };
        std::mem::replace(self, closed)
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    fn ticket(&mut self) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket = ticket.saturating_add(1);
        ticket
    }
}

enum Next {
    Message,
    Event,
}

/// The event with this ticket. A sender of CANCELs may be one of thousands: nobody looks through all.
fn event_at(events: &mut VecDeque<(u64, Event)>, ticket: u64) -> Option<&mut Event> {
    let place = events.binary_search_by_key(&ticket, |(ticket, _)| *ticket).ok()?;
    events.get_mut(place).map(|(_, event)| event)
}

/// A shared outcome counts in full for each receiver: who holds the last reference isn't known here.
fn event_cost(event: &Event) -> u64 {
    event.size().saturating_add(EVENT_COST)
}

#[cfg(test)]
mod tests;
