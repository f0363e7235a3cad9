//! What a process has asked for and not been told yet: ids, how many are under way, and replies that wait to be handed over.
//!
//! Owns the limit of requests. Refuses to know what was asked for: an answer is an outcome. A request is under way until
//! its reply is *handed over*, so that a guest that asks on and never waits can't pile up replies.

use std::collections::VecDeque;

use lunarium_kernel::{ErrorKind, Outcome, Refusal};

/// Requests of one process under way. At the limit: refused, `ResourceExhausted`. The number: as many as one process can
/// sensibly keep busy; each may hold a reply of a message's size here.
pub(crate) const MAX_REQUESTS: u32 = 1_000;

/// Bytes of replies waiting to be handed over. At the limit: the process ends, `ResourceExhausted`, `details.limit` =
/// `mailbox_bytes`, as by unread events: neither can be refused.
const REPLY_BYTES: u64 = lunarium_kernel::EVENT_BYTES;

/// Why a request isn't begun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    #[error("process has {limit} requests under way, the limit is {limit}")]
    Full { limit: u32 },
}

impl Refusal for RequestError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::ResourceExhausted
    }
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) request: u64,
    pub(crate) outcome: Outcome,
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

    /// Drops what waits: the process has ended.
    pub(crate) fn clear(&mut self) {
        self.replies.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(request: u64, bytes: usize) -> Reply {
        Reply { request, outcome: Outcome::Completed(vec![0; bytes].into()) }
    }

    fn ids(replies: &[Reply]) -> Vec<u64> {
        replies.iter().map(|reply| reply.request).collect()
    }

    #[test]
    fn a_request_is_under_way_until_its_reply_is_handed_over() {
        let mut requests = Requests::default();
        let all: Vec<u64> = (0..MAX_REQUESTS).map(|_| requests.begin().unwrap()).collect();
        assert_eq!(requests.begin(), Err(RequestError::Full { limit: MAX_REQUESTS }));
        assert!(!requests.reply(reply(all[7], 1)));
        assert!(requests.begin().is_err());
        assert_eq!(ids(&requests.take(10).0), [all[7]]);
        let next = requests.begin().unwrap();
        assert!(!all.contains(&next));
        assert!(requests.begin().is_err());
        requests.cancel();
        assert_eq!(requests.begin(), Ok(next + 1));
    }

    #[test]
    fn replies_are_handed_over_in_order_and_in_batches() {
        let mut requests = Requests::default();
        let sizes = [500, 10, 90, 1];
        for size in sizes {
            let request = requests.begin().unwrap();
            assert!(!requests.reply(reply(request, size)));
        }
        let (first, bytes) = requests.take(100);
        assert_eq!((ids(&first), bytes), (vec![1], 500));
        let (next, bytes) = requests.take(100);
        assert_eq!((ids(&next), bytes), (vec![2, 3], 100));
        assert_eq!(ids(&requests.take(100).0), [4]);
        assert_eq!(requests.take(100), (vec![], 0));
    }

    #[test]
    fn what_an_earlier_incarnation_asked_takes_room_only_until_it_is_done() {
        let mut requests = Requests::default();
        let all: Vec<u64> = (0..MAX_REQUESTS).map(|_| requests.begin().unwrap()).collect();
        assert!(!requests.reply(reply(all[0], 1)));
        assert_eq!(ids(&requests.restart()), [all[0]]);
        assert_eq!(requests.take(10), (vec![], 0));
        let next = requests.begin().unwrap();
        assert!(requests.begin().is_err());
        assert!(all.iter().all(|request| requests.is_stale(*request)) && !requests.is_stale(next));
        requests.cancel();
        requests.begin().unwrap();
    }

    #[test]
    fn too_many_bytes_of_replies_are_a_flood() {
        let mut requests = Requests::default();
        let size = usize::try_from(REPLY_BYTES / 2).unwrap();
        assert!(!requests.reply(reply(1, size)));
        assert!(!requests.reply(reply(2, size)));
        assert!(requests.reply(reply(3, 1)));
        requests.take(0);
        assert!(!requests.reply(reply(4, 1)));
    }
}
