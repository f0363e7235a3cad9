//! Who has how much of a mailbox: what each sender has unread, and what its guest was handed and hasn't received. Owns these sums.
//! Refuses to decide: what is too much is the mailbox's.

use std::collections::BTreeMap;

use crate::Topic;

/// Messages and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

impl Sum {
    pub(crate) fn add(&mut self, bytes: u64) {
        self.messages = self.messages.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    pub(crate) fn remove(&mut self, bytes: u64) {
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self { messages: self.messages.saturating_add(other.messages), bytes: self.bytes.saturating_add(other.bytes) }
    }

    fn is_zero(self) -> bool {
        self == Self::default()
    }
}

/// A message that was handed over.
#[derive(Debug)]
pub(crate) struct Handed {
    pub(crate) ticket: u64,
    pub(crate) topic: Topic,
    /// Whose share it counts to.
    pub(crate) payer: Option<u64>,
    pub(crate) bytes: u64,
}

/// What each sender has unread. There is one entry for a sender that has any, so one more at most than the mailbox has
/// messages.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    senders: BTreeMap<u64, Sum>,
    /// What was handed over since the guest last parked, by the number of the item; empty again with every message read.
    fresh: Vec<(u64, Handed)>,
    /// What was handed over before, and isn't received.
    older: BTreeMap<u64, Handed>,
    /// Items handed over to this instance.
    last_number: u64,
}

impl Shares {
    /// What a sender has unread.
    pub(crate) fn of(&self, sender: u64) -> Sum {
        self.senders.get(&sender).copied().unwrap_or_default()
    }

    /// A message was accepted.
    pub(crate) fn charge(&mut self, sender: u64, bytes: u64) {
        self.senders.entry(sender).or_default().add(bytes);
    }

    /// Items handed over so far.
    #[cfg(test)]
    pub(crate) fn last(&self) -> u64 {
        self.last_number
    }

    fn release(&mut self, handed: &Handed) {
        let Some(sender) = handed.payer else { return };
        if let Some(sum) = self.senders.get_mut(&sender) {
            sum.remove(handed.bytes);
            // The last one stays: of two that talk, each message would make a tree and drop it.
            if sum.is_zero() && self.senders.len() > 1 {
                self.senders.remove(&sender);
            }
        }
    }

    /// An item goes to the guest: a message, or none of them.
    pub(crate) fn hand_over(&mut self, message: Option<Handed>) {
        self.last_number = self.last_number.saturating_add(1);
        self.fresh.extend(message.map(|message| (self.last_number, message)));
    }

    /// What was handed over and isn't known to be received, in order.
    pub(crate) fn into_handed(self) -> Vec<Handed> {
        self.older.into_values().chain(self.fresh.into_iter().map(|(_, handed)| handed)).collect()
    }

    /// The script has received everything.
    pub(crate) fn receive_all(&mut self) {
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.drain(..).for_each(|(_, handed)| self.release(&handed));
        self.fresh = fresh;
        while let Some((_, handed)) = self.older.pop_first() {
            self.release(&handed);
        }
    }

    /// The guest has parked, and its script has received these since it did before. Numbers of what it never had, or twice,
    /// are nothing.
    pub(crate) fn receive(&mut self, numbers: &[u64]) {
        self.older.extend(self.fresh.drain(..));
        for number in numbers {
            if let Some(handed) = self.older.remove(number) {
                self.release(&handed);
            }
        }
    }
}
