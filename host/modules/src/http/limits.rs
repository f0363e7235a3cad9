//! Bounds of the module: what one request may take, and what all of a node's processes may together.
//!
//! Owns their names and defaults, and the budget that a request draws on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lunarium::Pid;

use super::fault::Fault;
use super::quota::{Held, Part, PerMinute};

/// What requests may take. Of what processes have together, the first half goes to whoever comes; when it is gone, a process
/// gets an eighth of the whole at most.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Time of a request, from the call to the last byte, redirects included; 30 s by default, and a call can ask for less. At the
    /// limit: `Timeout`. The number: who waits longer has something else to do.
    pub timeout: Duration,
    /// Bytes of an answer's body, `http_body`; 8 MiB by default. The limit `message` of the process counts, too, since the answer is
    /// handed over as one. At the limit: `ResourceExhausted`.
    pub body: u64,
    /// Bytes of an answer's headers, `http_headers`; 64 KiB by default, 8 KiB at least. At the limit: `ResourceExhausted`. The number:
    /// twice what usual servers send at most.
    pub headers: u64,
    /// Requests under way at once, `http_requests`; 256 by default. At the limit: `RateLimited`. The number: a quarter of the
    /// descriptors that a program has by default.
    pub requests: u32,
    /// Bytes of bodies that are being read, `http_held`; 64 MiB by default. At the limit: `RateLimited`.
    pub held: u64,
    /// Requests that begin in a minute, each redirect one, `http_requests_per_minute`; 6,000 by default. At the limit:
    /// `RateLimited`.
    pub requests_per_minute: u32,
    /// Bytes that come and go in a minute, of whatever kind, `http_bytes_per_minute`; 512 MiB by default. At the limit:
    /// `RateLimited`, also in the middle of an answer.
    pub bytes_per_minute: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            timeout: Duration::from_secs(30),
            body: 8 << 20,
            headers: 64 << 10,
            requests: 256,
            held: 64 << 20,
            requests_per_minute: 6_000,
            bytes_per_minute: 512 << 20,
        }
    }
}

impl Limits {
    pub(super) const BODY: &str = "http_body";
    pub(super) const HEADERS: &str = "http_headers";
    const REQUESTS: &str = "http_requests";
    const HELD: &str = "http_held";
    const REQUESTS_PER_MINUTE: &str = "http_requests_per_minute";
    const BYTES_PER_MINUTE: &str = "http_bytes_per_minute";
}

/// What a node's processes have together.
#[derive(Debug)]
pub(super) struct Quota {
    requests: Arc<Held>,
    held: Arc<Held>,
    requests_per_minute: PerMinute,
    bytes_per_minute: PerMinute,
}

impl Quota {
    pub(super) fn new(limits: &Limits) -> Quota {
        Quota {
            requests: Held::new(limits.requests.into()),
            held: Held::new(limits.held),
            requests_per_minute: PerMinute::new(limits.requests_per_minute.into()),
            bytes_per_minute: PerMinute::new(limits.bytes_per_minute),
        }
    }

    /// A request of this process, which counts as under way as long as its budget is there.
    ///
    /// Errors: too many are.
    pub(super) fn begin(self: &Arc<Quota>, who: &Pid) -> Result<Arc<Budget>, Fault> {
        let Some(under_way) = self.requests.take(who, 1) else {
            return Err(Fault::Rate(Limits::REQUESTS, "too many requests are under way".to_owned()));
        };
        Ok(Arc::new(Budget { quota: Arc::clone(self), who: who.clone(), _under_way: under_way }))
    }
}

/// What one process's request draws on.
#[derive(Debug)]
pub(super) struct Budget {
    quota: Arc<Quota>,
    who: Pid,
    _under_way: Part,
}

impl Budget {
    /// One message more.
    ///
    /// Errors: too many in this minute.
    pub(super) fn request(&self, now: Instant) -> Result<(), Fault> {
        match self.quota.requests_per_minute.take(&self.who, 1, now) {
            true => Ok(()),
            false => Err(Fault::Rate(Limits::REQUESTS_PER_MINUTE, "too many requests in this minute".to_owned())),
        }
    }

    /// These bytes have come, or gone.
    ///
    /// Errors: too many in this minute.
    pub(super) fn bytes(&self, count: usize, now: Instant) -> Result<(), Fault> {
        match self.quota.bytes_per_minute.take(&self.who, size(count), now) {
            true => Ok(()),
            false => Err(Fault::Rate(Limits::BYTES_PER_MINUTE, "too many bytes in this minute".to_owned())),
        }
    }

    /// Nothing yet of what bodies may hold.
    ///
    /// Errors: there is nothing left.
    pub(super) fn hold(&self) -> Result<Part, Fault> {
        self.quota.held.take(&self.who, 0).ok_or_else(full)
    }

    /// Errors: bodies hold too much.
    pub(super) fn grow(&self, held: &mut Part, count: usize) -> Result<(), Fault> {
        if held.grow(size(count)) { Ok(()) } else { Err(full()) }
    }
}

fn full() -> Fault {
    Fault::Rate(Limits::HELD, "bodies that are being read hold too much memory".to_owned())
}

fn size(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
