//! What a process listens on, and the messages that wait because it doesn't. Owns which topics these are, and the order of what
//! waits on each. Does not count: the mailbox does.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::message::Message;
use crate::Topic;

/// A message that waits here.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) ticket: u64,
    pub(crate) message: Message,
    /// Whose share it counts to.
    pub(crate) payer: Option<u64>,
}

/// Bytes that a topic counts as beside its text: its entry in a set, and its allocation.
pub const TOPIC_COST: u64 = 64;

/// What it counts as to listen on a topic.
pub fn topic_bytes(topic: &Topic) -> u64 {
    u64::try_from(topic.as_str().len()).unwrap_or(u64::MAX).saturating_add(TOPIC_COST)
}

#[derive(Debug, Default)]
pub(crate) struct Topics {
    listened: BTreeSet<Topic>,
    /// Of `listened`, with [`TOPIC_COST`] each.
    bytes: u64,
    /// It takes whatever comes.
    all: bool,
    /// By topic, each with its tickets in order.
    waiting: BTreeMap<Topic, VecDeque<Queued>>,
}

impl Topics {
    /// Who serves calls isn't asked: the guest refuses those that it has no function for.
    pub(crate) fn listens(&self, topic: &Topic) -> bool {
        self.all || self.listened.contains(topic) || topic.is_calls()
    }

    /// Whether it takes whatever comes.
    pub(crate) fn listens_to_all(&self) -> bool {
        self.all
    }

    /// Bytes that the topics take.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many topics.
    pub(crate) fn count(&self) -> usize {
        self.listened.len()
    }

    /// What waited for the topic.
    pub(crate) fn listen(&mut self, topic: Topic) -> VecDeque<Queued> {
        let waited = self.waiting.remove(&topic).unwrap_or_default();
        let bytes = topic_bytes(&topic);
        if self.listened.insert(topic) {
            self.bytes = self.bytes.saturating_add(bytes);
        }
        waited
    }

    /// All that waited, topic by topic.
    pub(crate) fn listen_to_all(&mut self) -> impl Iterator<Item = Queued> + use<> {
        self.all = true;
        std::mem::take(&mut self.waiting).into_values().flatten()
    }

    /// Whether it was listened on.
    pub(crate) fn unlisten(&mut self, topic: &Topic) -> bool {
        let was = self.listened.remove(topic);
        if was {
            self.bytes = self.bytes.saturating_sub(topic_bytes(topic));
        }
        was
    }

    /// A message that nobody listens for; later than those that wait on its topic.
    pub(crate) fn wait(&mut self, queued: Queued) {
        self.waiting.entry(queued.message.topic.clone()).or_default().push_back(queued);
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
