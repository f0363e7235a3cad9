//! What is on a node and has happened there, by process host: for who draws curves of it.
//!
//! Owns that it takes one look at each process, which takes that one's lock alone, and of the kernel's lock what reading three
//! numbers takes. Refuses to count: each sum stands where it is made.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lunarium_kernel::HostId;

use super::{Held, NodeInner, Usage};
use crate::catalogue::{Count, ProcessHost};

/// A node in numbers. From [`Node::counts`](crate::Node::counts).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeCounts {
    /// What all its processes have used and hold.
    pub usage: Usage,
    /// What policies, limits and budgets have refused to the embedding program, by limit or kind.
    pub refusals: Vec<Count>,
    /// Its process hosts, by id. One that was replaced and still has processes is beside the one with its id that came after it.
    pub hosts: Vec<HostCounts>,
}

/// A process host in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostCounts {
    /// The host.
    pub host: HostId,
    /// Processes, of the most that there may be.
    pub processes: Held,
    /// Bytes, of its budget.
    pub memory: Held,
    /// CPU time since it was made, but for what runs just now.
    pub cpu: Duration,
    /// Processes that were started.
    pub spawns: u64,
    /// Messages that their mailboxes have accepted.
    pub messages: u64,
    /// Messages that they haven't received.
    pub unread: u64,
    /// Bytes of these.
    pub unread_bytes: u64,
    /// The most messages that one of them hasn't received.
    pub deepest: u64,
    /// How they have ended: `completed`, or the kind of the error. A sum of what has happened, so `completed` alone may be 0.
    pub ends: Vec<Count>,
    /// What policies, limits and budgets have refused to them, by limit or kind.
    pub refusals: Vec<Count>,
}

/// What lies in the mailboxes of a host.
#[derive(Default)]
struct Unread {
    messages: u64,
    bytes: u64,
    deepest: u64,
}

impl NodeInner {
    pub(crate) fn counts(&self) -> NodeCounts {
        // First, so that no other host comes to be where one of these was.
        let mut hosts = self.catalogue.hosts();
        // By the host itself: one that was replaced has the id of the one after it.
        let mut unread: HashMap<*const ProcessHost, Unread> = HashMap::new();
        for process in self.control.table.all() {
            let (messages, bytes) = process.depth();
            if messages > 0 {
                let of_host = unread.entry(Arc::as_ptr(&process.origin.host)).or_default();
                of_host.messages = of_host.messages.saturating_add(messages);
                of_host.bytes = of_host.bytes.saturating_add(bytes);
                of_host.deepest = of_host.deepest.max(messages);
            }
        }
        hosts.sort_by(|one, other| one.id().cmp(other.id()));
        let hosts = hosts.into_iter().map(|host| {
            let (processes, memory) = host.held();
            let waiting = unread.remove(&Arc::as_ptr(&host)).unwrap_or_default();
            HostCounts {
                host: host.id().clone(),
                processes,
                memory,
                cpu: host.cpu.used(),
                spawns: host.memory.spawns(),
                messages: host.memory.messages(),
                unread: waiting.messages,
                unread_bytes: waiting.bytes,
                deepest: waiting.deepest,
                ends: host.counts.ends(),
                refusals: host.counts.refusals(),
            }
        });
        let hosts = hosts.collect();
        NodeCounts { usage: self.usage_so_far(), refusals: self.outside.refusals(), hosts }
    }
}
