//! What a process has asked for and not been told yet: ids, how many are under way, and replies that wait to be handed over.
//!
//! Owns the limit of requests. Refuses to know what was asked for: an answer is an outcome. A request is under way until
//! its reply is *handed over*, so that a guest that asks on and never waits can't pile up replies.

use std::collections::VecDeque;

use lunarium_contract::length;

use crate::{EVENT_BYTES, ErrorKind, Exhausted, LimitName, Outcome, Refusal};

/// Requests of one process under way. At the limit: refused, `ResourceExhausted`.
pub const MAX_REQUESTS: u32 = length::REQUESTS;

/// Bytes of replies waiting to be handed over. At the limit: the process ends, `ResourceExhausted`, `details.limit` =
/// `mailbox_bytes`, as by unread events: neither can be refused.
const REPLY_BYTES: u64 = EVENT_BYTES;

/// Why a request isn't begun. Nothing is changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Who asks has ended. Its guest may still run for a moment.
    #[error("process has ended")]
    Closed,
    /// At the limit of requests.
    #[error("process has {limit} requests under way, the limit is {limit}")]
    Full {
        /// The limit.
        limit: u32,
    },
    /// At the limit of tasks.
    #[error("process has {limit} file operations under way, which is the limit")]
    Busy {
        /// The limit.
        limit: usize,
    },
    /// At the limit of calls.
    #[error("process has {limit} calls of modules under way, which is the limit")]
    Calls {
        /// The limit.
        limit: u32,
    },
    /// At the limit of what calls hold.
    #[error("calls of modules hold {held} bytes of {limit}, and there are {bytes} more")]
    CallBytes {
        /// What they hold.
        held: u64,
        /// What there is more.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Its bytes would exceed a budget.
    #[error(transparent)]
    Budget(#[from] Exhausted),
}

impl Refusal for RequestError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Closed => ErrorKind::Canceled,
            Self::Full { .. } | Self::Busy { .. } | Self::Calls { .. } | Self::CallBytes { .. } | Self::Budget(_) => {
                ErrorKind::ResourceExhausted
            }
        }
    }

    fn retryable(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Calls { .. } | Self::CallBytes { .. })
    }

    fn limit(&self) -> Option<&'static str> {
        match self {
            Self::Budget(budget) => budget.limit(),
            Self::Calls { .. } => Some(LimitName::ModuleCalls.as_str()),
            Self::CallBytes { .. } => Some(LimitName::ModuleBytes.as_str()),
            Self::Closed | Self::Full { .. } | Self::Busy { .. } => None,
        }
    }
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Which request.
    pub request: u64,
    /// What has come of it.
    pub outcome: Outcome,
}

#[derive(Debug, Default)]
pub(crate) struct Requests {
    last: u64,
    /// The last one of an earlier incarnation.
    stale: u64,
    under_way: u32,
    replies: VecDeque<Reply>,
    /// Bytes of `replies`.
    bytes: u64,
}

impl Requests {
    /// The id of a new request, never used before. Whoever begins one replies to it, or cancels it.
    pub(crate) fn begin(&mut self) -> Result<u64, RequestError> {
        if self.under_way >= MAX_REQUESTS {
            return Err(RequestError::Full { limit: MAX_REQUESTS });
        }
        self.under_way = self.under_way.saturating_add(1);
        self.last = self.last.saturating_add(1);
        Ok(self.last)
    }

    /// A request that was begun and not started after all.
    pub(crate) fn cancel(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// Never refused; true when too much waits.
    #[must_use]
    pub(crate) fn reply(&mut self, reply: Reply) -> bool {
        self.bytes = self.bytes.saturating_add(reply.outcome.size());
        self.replies.push_back(reply);
        self.bytes > REPLY_BYTES
    }

    /// The replies to hand over now, and their bytes: at most so many. The first may be larger.
    pub(crate) fn take(&mut self, bytes: u64) -> (Vec<Reply>, u64) {
        let (mut taken, mut used) = (Vec::new(), 0_u64);
        while let Some(next) = self.replies.front() {
            let size = next.outcome.size();
            if !taken.is_empty() && used.saturating_add(size) > bytes {
                break;
            }
            used = used.saturating_add(size);
            taken.extend(self.replies.pop_front());
            self.under_way = self.under_way.saturating_sub(1);
        }
        self.bytes = self.bytes.saturating_sub(used);
        (taken, used)
    }

    /// Another incarnation begins, in which nobody waits for what was asked before: the replies that are there already.
    pub(crate) fn restart(&mut self) -> Vec<Reply> {
        self.stale = self.last;
        self.take(u64::MAX).0
    }

    /// Whether an earlier incarnation has asked. Its reply isn't handed over; the request is canceled instead.
    pub(crate) fn is_stale(&self, request: u64) -> bool {
        request <= self.stale
    }

    /// Begun, and neither canceled nor its reply handed over.
    pub(crate) fn under_way(&self) -> u32 {
        self.under_way
    }

    /// Bytes of the replies that wait.
    pub(crate) fn held_bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn has_replies(&self) -> bool {
        !self.replies.is_empty()
    }
}

#[cfg(test)]
mod tests;
