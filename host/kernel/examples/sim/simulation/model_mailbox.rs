//! The model of a mailbox: one list, and every rule as a loop over it. Owns a second opinion on what is accepted and
//! what is handed over. The limits are small, so that a script reaches them.

use std::collections::VecDeque;

use lunarium_kernel::{BatchLimits, EVENT_COST, ErrorKind, Event, Item, MESSAGE_COST, MailboxLimits, Message};

pub const LIMITS: MailboxLimits = MailboxLimits { messages: 4, bytes: 500, message: 240 };

#[derive(Default)]
pub struct ModelMailbox {
    queue: Vec<Item>,
    /// Handed over, as far as the host has been told.
    held: VecDeque<Message>,
}

fn bytes(message: &Message) -> u64 {
    (message.payload.len() + message.topic.as_str().len()) as u64
}

impl ModelMailbox {
    fn unread(&self) -> Vec<u64> {
        let queued = self.queue.iter().filter_map(|item| match item {
            Item::Message(message) => Some(message),
            Item::Event(_) => None,
        });
        queued.chain(&self.held).map(bytes).collect()
    }

    pub fn push(&mut self, message: &Message) -> Result<(), ErrorKind> {
        if message.payload.len() > LIMITS.message as usize || bytes(message) > LIMITS.bytes {
            return Err(ErrorKind::Invalid);
        }
        let unread = self.unread();
        let full = unread.len() >= LIMITS.messages as usize;
        if full || unread.iter().sum::<u64>() + bytes(message) > LIMITS.bytes {
            return Err(ErrorKind::RateLimited);
        }
        self.queue.push(Item::Message(message.clone()));
        Ok(())
    }

    pub fn push_event(&mut self, event: Event) {
        let sender = |event: &Event| match event {
            Event::Cancel { from, .. } => Some(from.clone()),
            _ => None,
        };
        for item in &mut self.queue {
            if let Item::Event(earlier) = item
                && sender(earlier).is_some()
                && sender(earlier) == sender(&event)
            {
                *earlier = event;
                return;
            }
        }
        self.queue.push(Item::Event(event));
    }

    pub fn take(&mut self, batch: BatchLimits, credit: u64) -> Vec<Item> {
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        let (mut used, mut blocked, mut over) = (0, false, false);
        for item in std::mem::take(&mut self.queue) {
            let cost = match &item {
                Item::Message(message) => bytes(message),
                Item::Event(Event::Cancel { .. }) => EVENT_COST,
                Item::Event(Event::Exit { outcome, .. } | Event::LinkDown { outcome, .. }) => {
                    EVENT_COST + outcome.failure().map_or(1, |failure| failure.message.len() as u64)
                }
            };
            if let Item::Message(_) = item {
                let held: u64 = self.held.iter().map(|message| bytes(message) + MESSAGE_COST).sum();
                blocked |= !self.held.is_empty() && held + cost + MESSAGE_COST > credit;
            }
            let waits = blocked && matches!(item, Item::Message(_));
            if !waits {
                over |= taken.len() >= batch.items as usize || (!taken.is_empty() && used + cost > batch.bytes);
            }
            if waits || over {
                left.push(item);
                continue;
            }
            used += cost;
            if let Item::Message(message) = &item {
                self.held.push_back(message.clone());
            }
            taken.push(item);
        }
        self.queue = left;
        taken
    }

    /// The script reads; who asks next is told what is left, as `(messages, bytes)`.
    pub fn read(&mut self, count: usize) -> (Vec<Message>, (u32, u32)) {
        let read = self.held.drain(..count.min(self.held.len())).collect();
        let left: u64 = self.held.iter().map(bytes).sum();
        (read, (self.held.len() as u32, left as u32))
    }

    /// Another incarnation begins; what the guest gives back.
    pub fn restart(&mut self) -> Vec<Message> {
        let held: Vec<Message> = self.held.drain(..).collect();
        let queue = std::mem::take(&mut self.queue);
        self.queue = held.iter().cloned().map(Item::Message).chain(queue).collect();
        held
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}
