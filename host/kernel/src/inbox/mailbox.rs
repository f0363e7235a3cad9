//! A process's mailbox: a bounded queue of messages, and the events that come between them. Owns order, all limits and
//! how much is handed over at once. Does not know who waits: waking is the engine's, and so is the lock around it.
//!
//! A message counts until the *script* receives it: what waits here, and what the guest was handed and still holds. So
//! the guest tells what it holds ([`Mailbox::report_unread`], [`Mailbox::park`]), and can't make the host forget or hold more
//! by lying: it never holds more than it was handed, and what it denies it has in its own memory.
//!
//! What nobody listens for waits here, and is never handed over. It has a budget of its own, or a flood on a topic that nobody reads
//! would fill the mailbox for ever. And one sender may have half of a mailbox, so that no other is kept out. Neither
//! counts for what a process sends itself, for the host, and for what a spawner gives along.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::bounds::{MailboxLimits, SENDER, SendError, UNLISTENED};
use super::message::{MESSAGE_COST, Message};
use super::shares::{Handed, Shares, Sum};
use super::topics::{Queued, Topics};
use crate::text::cut;
use crate::{Event, Pid, SHOWN, Topic};

/// Bytes that an event costs beside its outcome, for the same reason.
pub const EVENT_COST: u64 = 200;

/// Bytes of undelivered events above which a mailbox is flooded ([`Mailbox::is_flooded`]). Events are never refused, so
/// this is their limit. At the limit: the engine ends the process, `ResourceExhausted`, `details.limit` =
/// `mailbox_bytes`. It takes a process that runs for long while what it monitors ends with large results; 16 MiB is what
/// its memory couldn't take anyway.
pub const EVENT_BYTES: u64 = 16 * 1024 * 1024;

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
    /// Whose it is, by the number of the pid; zero: nobody's yet.
    owner: u64,
    /// Messages that somebody listens for, as they came.
    messages: VecDeque<Queued>,
    /// Those of them that have waited for a listener, by their tickets.
    released: BTreeMap<u64, Queued>,
    topics: Topics,
    /// What lies here and counts to the whole: messages that somebody listens for, and those that count to no share.
    queued: Sum,
    /// What nobody listens for, and counts to that share.
    unlistened: Sum,
    shares: Shares,
    /// The process has waited: whatever it listens on from the start on, it does by now.
    has_waited: bool,
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
            owner: 0,
            messages: VecDeque::new(),
            released: BTreeMap::new(),
            topics: Topics::default(),
            queued: Sum::default(),
            unlistened: Sum::default(),
            shares: Shares::default(),
            has_waited: false,
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

    /// The same as the mailbox of this process: what it sends itself counts to no share.
    #[must_use]
    pub(crate) fn owned_by(self, owner: &Pid) -> Self {
        Self { owner: owner.number(), ..self }
    }

    /// Accepts a message, behind everything that is there. Errors: `RateLimited` and retryable (full, or a share of it
    /// is), `Invalid` (too large), `NotFound` (closed). Nothing is queued then.
    pub fn push(&mut self, message: Message) -> Result<(), SendError> {
        let payer = self.payer(&message);
        self.check(&message, payer, &mut Planned::default())?;
        self.accept(message, payer);
        Ok(())
    }

    /// Accepts all of these messages, in order, or none. Errors: as for one.
    pub fn push_all(&mut self, messages: Vec<Message>) -> Result<(), SendError> {
        self.check_all(&messages)?;
        for message in messages {
            let payer = self.payer(&message);
            self.accept(message, payer);
        }
        Ok(())
    }

    /// Whether all of these messages would be accepted. Errors: as [`Mailbox::push_all`].
    pub fn check_all(&self, messages: &[Message]) -> Result<(), SendError> {
        let mut planned = Planned::default();
        messages.iter().try_for_each(|message| self.check(message, self.payer(message), &mut planned))
    }

    /// Accepts what a spawner gives along, in order, or nothing. It counts to no share. Errors: as for one.
    pub fn push_first(&mut self, messages: Vec<Message>) -> Result<(), SendError> {
        let mut planned = Planned::default();
        messages.iter().try_for_each(|message| self.check(message, None, &mut planned))?;
        messages.into_iter().for_each(|message| self.accept(message, None));
        Ok(())
    }

    /// To whose share a message counts: its sender's, unless that is the process itself or the host.
    fn payer(&self, message: &Message) -> Option<u64> {
        message.sender.as_ref().map(Pid::number).filter(|sender| *sender != self.owner)
    }

    /// Whether a message fits beside what is unread and what is planned, of one sender, and plans it.
    fn check(&self, message: &Message, payer: Option<u64>, planned: &mut Planned) -> Result<(), SendError> {
        if self.closed {
            return Err(SendError::Closed);
        }
        let bytes = message.bytes();
        self.check_size(message, bytes)?;
        let exceeds =
            |held: Sum, limit: Sum| held.messages >= limit.messages || held.bytes.saturating_add(bytes) > limit.bytes;
        if payer.is_some() && !self.topics.listens(&message.topic) {
            let limit = if self.has_waited { self.limits.part(UNLISTENED) } else { self.limits.whole() };
            let held = self.unlistened.and(planned.unlistened);
            if exceeds(held, limit) {
                let topic = cut(message.topic.as_str(), SHOWN);
                return Err(SendError::UnlistenedFull { topic, held: held.into(), bytes, limit: limit.into() });
            }
            planned.unlistened.add(bytes);
        } else {
            let held = self.counted().and(planned.counted);
            if held.messages >= u64::from(self.limits.messages) {
                return Err(SendError::MessagesFull { held: held.messages, limit: self.limits.messages });
            }
            if held.bytes.saturating_add(bytes) > self.limits.bytes {
                return Err(SendError::BytesFull { held: held.bytes, bytes, limit: self.limits.bytes });
            }
            planned.counted.add(bytes);
        }
        if let Some(sender) = payer {
            let (held, limit) = (self.shares.of(sender).and(planned.sender), self.limits.part(SENDER));
            if exceeds(held, limit) {
                return Err(SendError::SenderFull { held: held.into(), bytes, limit: limit.into() });
            }
            planned.sender.add(bytes);
        }
        Ok(())
    }

    fn accept(&mut self, message: Message, payer: Option<u64>) {
        let bytes = message.bytes();
        if let Some(sender) = payer {
            self.shares.charge(sender, bytes);
        }
        let queued = Queued { ticket: self.ticket(), message, payer };
        if self.topics.listens(&queued.message.topic) {
            self.queued.add(bytes);
            self.messages.push_back(queued);
        } else {
            self.set_aside(queued);
        }
    }

    /// A message waits for a listener.
    fn set_aside(&mut self, queued: Queued) {
        self.sum_of_waiting(&queued).add(queued.message.bytes());
        self.topics.wait(queued);
    }

    /// A message has waited for a listener, and there is one.
    fn release(&mut self, queued: Queued) {
        let bytes = queued.message.bytes();
        self.sum_of_waiting(&queued).remove(bytes);
        self.queued.add(bytes);
        self.released.insert(queued.ticket, queued);
    }

    fn sum_of_waiting(&mut self, queued: &Queued) -> &mut Sum {
        if queued.payer.is_some() { &mut self.unlistened } else { &mut self.queued }
    }

    /// The process listens on a topic: what waits for it is handed over with what comes. Beyond the limit `listeners` nothing
    /// is changed: whoever guards it in the guest has refused before.
    pub fn listen(&mut self, topic: Topic) {
        if self.topics.count() < self.limits.listeners as usize {
            self.topics.listen(topic).into_iter().for_each(|queued| self.release(queued));
        }
    }

    /// The process takes messages of every topic.
    pub fn listen_to_all(&mut self) {
        self.topics.listen_to_all().for_each(|queued| self.release(queued));
    }

    /// The process no longer listens on a topic: what isn't handed over waits again. Looks at all of that.
    pub fn unlisten(&mut self, topic: &Topic) {
        if !self.topics.unlisten(topic) || self.topics.listens_to_all() {
            return;
        }
        let is_of = |queued: &Queued| queued.message.topic == *topic;
        // What was released came before what was never held back.
        let mut back: Vec<Queued> =
            self.released.extract_if(.., |_, queued| is_of(queued)).map(|(_, queued)| queued).collect();
        let (of, others) = std::mem::take(&mut self.messages).into_iter().partition::<VecDeque<_>, _>(is_of);
        self.messages = others;
        back.extend(of);
        back.sort_by_key(|queued| queued.ticket);
        for queued in back {
            self.queued.remove(queued.message.bytes());
            self.set_aside(queued);
        }
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
        let message = self.next_message().filter(|queued| self.has_credit(&queued.message, credit));
        match (message, self.events.front()) {
            (Some(queued), Some((at, _))) if queued.ticket < *at => Some((Next::Message, queued.message.bytes())),
            (_, Some((_, event))) => Some((Next::Event, event_cost(event))),
            (Some(queued), None) => Some((Next::Message, queued.message.bytes())),
            (None, None) => None,
        }
    }

    fn next_message(&self) -> Option<&Queued> {
        let (front, released) = (self.messages.front(), self.released.first_key_value().map(|(_, queued)| queued));
        match (front, released) {
            (Some(front), Some(released)) if front.ticket < released.ticket => Some(front),
            (_, Some(released)) => Some(released),
            (front, None) => front,
        }
    }

    fn has_credit(&self, message: &Message, credit: u64) -> bool {
        let after = self.held.cost().saturating_add(message.bytes()).saturating_add(MESSAGE_COST);
        self.held.messages == 0 || after <= credit
    }

    fn take_message(&mut self) -> Option<Message> {
        let ticket = self.next_message()?.ticket;
        let queued = self.released.remove(&ticket).or_else(|| self.messages.pop_front())?;
        let Queued { message, payer, .. } = queued;
        let bytes = message.bytes();
        self.queued.remove(bytes);
        self.held.add(bytes);
        self.shares.hand_over(Some(Handed { ticket, topic: message.topic.clone(), payer, bytes }));
        Some(message)
    }

    fn take_event(&mut self) -> Option<Event> {
        let (_, event) = self.events.pop_front()?;
        if let Some(sender) = event.canceler() {
            self.cancels.remove(&sender);
        }
        self.event_bytes = self.event_bytes.saturating_sub(event_cost(&event));
        self.shares.hand_over(None);
        Some(event)
    }

    /// The guest tells what it holds, of all that [`Mailbox::take`] has given so far. A guest that claims to hold more
    /// than it was handed is cut to that.
    pub fn report_unread(&mut self, unread: Unread) {
        self.held.messages = self.held.messages.min(unread.messages);
        self.held.bytes = self.held.bytes.min(unread.bytes);
        if self.held.messages == 0 {
            self.shares.receive_all();
        }
    }

    /// The process waits. Beside what it holds, the guest tells which messages its script has received since it did before, by
    /// their number among all items that [`Mailbox::take`] has given this incarnation, from one.
    pub fn park(&mut self, unread: Unread, received: &[u64]) {
        self.has_waited = true;
        self.report_unread(unread);
        if self.held.messages > 0 {
            self.shares.receive(received);
        }
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

    /// A new incarnation begins: what was taken back stands where it stood, and the guest holds nothing and listens on
    /// nothing. Messages beyond the new limits and their shares stay.
    pub fn restart(&mut self, limits: MailboxLimits) {
        self.listen_to_all();
        let returned = std::mem::take(&mut self.returned);
        let tickets = tickets_of(&returned, std::mem::take(&mut self.shares).into_handed());
        let fresh = Self { owner: self.owner, next_ticket: self.next_ticket, closed: self.closed, ..Self::new(limits) };
        let Self { messages, released, events, .. } = std::mem::replace(self, fresh);
        let mut items: Vec<(u64, Item, Option<u64>)> = Vec::new();
        for (ticket, item) in tickets.into_iter().zip(returned) {
            let payer = match &item {
                Item::Message(message) => self.payer(message),
                Item::Event(_) => None,
            };
            items.push((ticket, item, payer));
        }
        let queued = released.into_values().chain(messages);
        items.extend(queued.map(|queued| (queued.ticket, Item::Message(queued.message), queued.payer)));
        items.extend(events.into_iter().map(|(ticket, event)| (ticket, Item::Event(event), None)));
        // Keeps those with one ticket as they are: what was taken back came first.
        items.sort_by_key(|(ticket, ..)| *ticket);
        for (_, item, payer) in items {
            match item {
                Item::Message(message) => self.accept(message, payer),
                Item::Event(event) => self.push_event(event),
            }
        }
    }

    /// The ids of calls that wait here.
    pub(super) fn calls(&self) -> BTreeSet<u64> {
        let queued = self.messages.iter().chain(self.released.values());
        queued.filter_map(|queued| queued.message.call.as_ref()).map(|call| call.id).collect()
    }

    /// What counts to the whole mailbox: here and in the guest.
    fn counted(&self) -> Sum {
        self.kept().and(Sum { messages: self.held.messages.into(), bytes: self.held.bytes.into() })
    }

    /// The part of it that lies here.
    fn kept(&self) -> Sum {
        self.queued.and(Sum { messages: self.returned_messages, bytes: self.returned_bytes })
    }

    /// Messages not yet received by the script, here and in the guest.
    pub fn unread_messages(&self) -> u64 {
        self.counted().and(self.unlistened).messages
    }

    /// Bytes not yet received by the script, here and in the guest.
    pub fn unread_bytes(&self) -> u64 {
        self.counted().and(self.unlistened).bytes
    }

    /// Bytes that it holds here, not in the guest: messages with [`MESSAGE_COST`] each, and events.
    pub fn held_bytes(&self) -> u64 {
        let held = self.kept().and(self.unlistened);
        held.messages.saturating_mul(MESSAGE_COST).saturating_add(held.bytes).saturating_add(self.event_bytes)
    }

    /// Bytes that the topics take on which the process listens.
    pub fn listened_bytes(&self) -> u64 {
        self.topics.bytes()
    }

    /// Whether nothing waits here. What the guest holds doesn't matter.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.released.is_empty() && self.topics.is_empty() && self.events.is_empty()
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

/// What several messages of one sender would add.
#[derive(Default)]
struct Planned {
    counted: Sum,
    unlistened: Sum,
    sender: Sum,
}

enum Next {
    Message,
    Event,
}

/// The tickets of what was taken back, in order. Of one topic the last that were handed over are unread, since they are read in
/// order; an event stands before the message that follows it.
fn tickets_of(returned: &[Item], mut handed: Vec<Handed>) -> Vec<u64> {
    let mut ticket = handed.last().map_or(0, |last| last.ticket);
    let mut tickets: Vec<u64> = Vec::with_capacity(returned.len());
    for item in returned.iter().rev() {
        if let Item::Message(message) = item
            && let Some(place) = handed.iter().rposition(|handed| handed.topic == message.topic)
        {
            ticket = handed.get(place).map_or(ticket, |handed| handed.ticket);
            handed.truncate(place);
        }
        tickets.push(ticket);
    }
    tickets.reverse();
    tickets
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
