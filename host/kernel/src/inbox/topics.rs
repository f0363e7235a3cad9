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

#[derive(Debug, Default)]
pub(crate) struct Topics {
    listened: BTreeSet<Topic>,
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

    /// How many topics.
    pub(crate) fn count(&self) -> usize {
        self.listened.len()
    }

    /// What waited for the topic.
    pub(crate) fn listen(&mut self, topic: Topic) -> VecDeque<Queued> {
        let waited = self.waiting.remove(&topic).unwrap_or_default();
        self.listened.insert(topic);
        waited
    }

    /// All that waited, topic by topic.
    pub(crate) fn listen_to_all(&mut self) -> impl Iterator<Item = Queued> + use<> {
        self.all = true;
        std::mem::take(&mut self.waiting).into_values().flatten()
    }

    /// Whether it was listened on.
    pub(crate) fn unlisten(&mut self, topic: &Topic) -> bool {
        self.listened.remove(topic)
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
