//! One message, and what it counts as. Owns that a call is one.

use std::sync::Arc;

use crate::{Payload, Pid, Topic};

/// Bytes that a message costs the guest beside its payload and topic, for the credit: a Lua table, two strings' heads,
/// a slot in a queue. Empty messages would be free without it, and a small guest drown in them.
pub const MESSAGE_COST: u64 = 200;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who sent it; none: the runtime or the embedder.
    pub sender: Option<Pid>,
    /// What it is about.
    pub topic: Topic,
    /// What it says. Handed on as it is.
    pub payload: Payload,
    /// It is a call, on [`Topic::calls`]; its payload are the arguments.
    pub call: Option<Call>,
}

/// What makes a message a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// By which it is answered.
    pub id: u64,
    /// Which function.
    pub method: Arc<str>,
}

impl Message {
    /// A message about a topic.
    pub fn new(sender: Option<Pid>, topic: Topic, payload: Payload) -> Message {
        Message { sender, topic, payload, call: None }
    }

    /// Bytes of its payload and topic, and of a call's method.
    pub fn bytes(&self) -> u64 {
        let method = self.call.as_ref().map_or(0, |call| call.method.len());
        let bytes = self.payload.len().saturating_add(self.topic.as_str().len()).saturating_add(method);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}
