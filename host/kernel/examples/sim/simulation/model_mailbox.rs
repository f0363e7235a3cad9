//! The model of a mailbox: one list, and every rule as a loop over it. Owns a second opinion on what is accepted and
//! what is handed over. The limits are small, so that a script reaches them.

use std::collections::{BTreeSet, VecDeque};

use lunarium_kernel::{BatchLimits, EVENT_COST, ErrorKind, Event, Item, MESSAGE_COST, MailboxLimits, Message, Pid};

pub const LIMITS: MailboxLimits = MailboxLimits { messages: 6, bytes: 900, message: 240, listeners: 2 };

/// Messages and bytes that nobody listens for, and of one sender: an eighth and a half, and one of the largest at least.
const UNLISTENED: (usize, u64) = (1, 240 + 255);
const SENDER: (usize, u64) = (3, 240 + 255);

pub struct ModelMailbox {
    owner: Pid,
    /// With the order of arrival.
    queue: Vec<(u64, Item)>,
    arrivals: u64,
    /// Handed over, with its number and its order of arrival, as far as the host has been told.
    held: VecDeque<(u64, u64, Message)>,
    /// Of what was handed over, what the host doesn't know to be received, by number.
    owing: Vec<(u64, Message)>,
    /// Received since the process last waited.
    received: Vec<u64>,
    numbers: u64,
    listened: BTreeSet<String>,
    all: bool,
    has_waited: bool,
}

fn bytes(message: &Message) -> u64 {
    (message.payload.len() + message.topic.as_str().len()) as u64
}

fn fits<'a>(held: impl Iterator<Item = &'a Message>, message: &Message, limit: (usize, u64)) -> bool {
    let held: Vec<u64> = held.map(bytes).collect();
    held.len() < limit.0 && held.iter().sum::<u64>() + bytes(message) <= limit.1
}

impl ModelMailbox {
    pub fn new(owner: Pid) -> Self {
        Self {
            owner,
            queue: Vec::new(),
            arrivals: 0,
            held: VecDeque::new(),
            owing: Vec::new(),
            received: Vec::new(),
            numbers: 0,
            listened: BTreeSet::new(),
            all: false,
            has_waited: false,
        }
    }

    pub fn listen(&mut self, topic: &str) {
        if self.listened.len() < LIMITS.listeners as usize {
            self.listened.insert(topic.to_owned());
        }
    }

    pub fn unlisten(&mut self, topic: &str) {
        self.listened.remove(topic);
    }

    pub fn listen_to_all(&mut self) {
        self.all = true;
    }

    fn listens(&self, message: &Message) -> bool {
        self.all || self.listened.contains(message.topic.as_str())
    }

    fn has_share(&self, message: &Message) -> bool {
        message.sender.as_ref().is_some_and(|sender| *sender != self.owner)
    }

    fn is_unlistened(&self, message: &Message) -> bool {
        self.has_share(message) && !self.listens(message)
    }

    fn queued(&self) -> impl Iterator<Item = &Message> {
        self.queue.iter().filter_map(|(_, item)| match item {
            Item::Message(message) => Some(message),
            Item::Event(_) => None,
        })
    }

    /// Errors: the kind, and a word for the reason.
    pub fn push(&mut self, message: &Message) -> Result<(), (ErrorKind, &'static str)> {
        if message.payload.len() > LIMITS.message as usize || bytes(message) > LIMITS.bytes {
            return Err((ErrorKind::Invalid, "too large"));
        }
        let full = |reason| Err((ErrorKind::RateLimited, reason));
        let whole = (LIMITS.messages as usize, LIMITS.bytes);
        if self.is_unlistened(message) {
            let limit = if self.has_waited { UNLISTENED } else { whole };
            if !fits(self.queued().filter(|other| self.is_unlistened(other)), message, limit) {
                return full("unlistened");
            }
        } else {
            let held = self.held.iter().map(|(_, _, message)| message);
            let counted = self.queued().filter(|other| !self.is_unlistened(other)).chain(held);
            if !fits(counted, message, whole) {
                return full("whole");
            }
        }
        let same = |other: &&Message| other.sender == message.sender;
        let owing = self.owing.iter().map(|(_, message)| message);
        if self.has_share(message) && !fits(self.queued().chain(owing).filter(same), message, SENDER) {
            return full("sender");
        }
        self.enqueue(Item::Message(message.clone()));
        Ok(())
    }

    fn enqueue(&mut self, item: Item) {
        self.arrivals += 1;
        self.queue.push((self.arrivals, item));
    }

    pub fn push_event(&mut self, event: Event) {
        let sender = |event: &Event| match event {
            Event::Cancel { from, .. } => Some(from.clone()),
            _ => None,
        };
        for (_, item) in &mut self.queue {
            if let Item::Event(earlier) = item
                && sender(earlier).is_some()
                && sender(earlier) == sender(&event)
            {
                *earlier = event;
                return;
            }
        }
        self.enqueue(Item::Event(event));
    }

    pub fn take(&mut self, batch: BatchLimits, credit: u64) -> Vec<Item> {
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        let (mut used, mut blocked, mut over) = (0, false, false);
        for (arrival, item) in std::mem::take(&mut self.queue) {
            let cost = match &item {
                Item::Message(message) => bytes(message),
                Item::Event(Event::Cancel { .. }) => EVENT_COST,
                Item::Event(Event::Exit { outcome, .. } | Event::LinkDown { outcome, .. }) => {
                    EVENT_COST + outcome.failure().map_or(1, |failure| failure.message.len() as u64)
                }
            };
            if let Item::Message(message) = &item {
                if !self.listens(message) {
                    left.push((arrival, item));
                    continue;
                }
                let held: u64 = self.held.iter().map(|(_, _, message)| bytes(message) + MESSAGE_COST).sum();
                blocked |= !self.held.is_empty() && held + cost + MESSAGE_COST > credit;
            }
            let waits = blocked && matches!(item, Item::Message(_));
            if !waits {
                over |= taken.len() >= batch.items as usize || (!taken.is_empty() && used + cost > batch.bytes);
            }
            if waits || over {
                left.push((arrival, item));
                continue;
            }
            used += cost;
            self.numbers += 1;
            if let Item::Message(message) = &item {
                self.held.push_back((self.numbers, arrival, message.clone()));
                self.owing.push((self.numbers, message.clone()));
            }
            taken.push(item);
        }
        self.queue = left;
        taken
    }

    /// The script reads what lies on one topic; who asks next is told what is left, as `(messages, bytes)`.
    pub fn read(&mut self, topic: &str, count: usize) -> (Vec<Message>, (u32, u32)) {
        let (mut read, mut left) = (Vec::new(), VecDeque::new());
        for (number, arrival, message) in std::mem::take(&mut self.held) {
            if read.len() < count && message.topic.as_str() == topic {
                self.received.push(number);
                read.push(message);
            } else {
                left.push_back((number, arrival, message));
            }
        }
        self.held = left;
        if self.held.is_empty() {
            self.owing.clear();
        }
        let left: u64 = self.held.iter().map(|(_, _, message)| bytes(message)).sum();
        (read, (self.held.len() as u32, left as u32))
    }

    /// The process waits: the numbers of what it has received since it did before.
    pub fn park(&mut self) -> Vec<u64> {
        self.has_waited = true;
        let received = std::mem::take(&mut self.received);
        self.owing.retain(|(number, _)| !received.contains(number));
        received
    }

    /// Another incarnation begins; what the guest gives back.
    pub fn restart(&mut self) -> Vec<Message> {
        let (held, mut queue) = (std::mem::take(&mut self.held), std::mem::take(&mut self.queue));
        queue.extend(held.iter().map(|(_, arrival, message)| (*arrival, Item::Message(message.clone()))));
        queue.sort_by_key(|(arrival, _)| *arrival);
        *self = Self { arrivals: self.arrivals, queue, ..Self::new(self.owner.clone()) };
        held.into_iter().map(|(_, _, message)| message).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}
