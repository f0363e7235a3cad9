//! Calls that a process was asked to carry out and hasn't answered: who waits for which.
//!
//! Owns their ids and their limit. Refuses to know how somebody is answered: that is a type parameter. A call waits in the mailbox as
//! a message does, and counts there until the guest begins it; here it counts until it is answered.

use std::collections::BTreeSet;

use lunarium_contract::length;

use crate::{ErrorKind, Refusal};

/// Calls of one process that aren't answered. At the limit: refused, `RateLimited` and retryable.
pub const MAX_CALLS: usize = length::CALLS;

/// Of these one caller may have half, so that no other is kept out.
const ONE_CALLER: usize = MAX_CALLS / 2;

/// Places for calls that stay when none is open: room for more is given back.
const KEPT: usize = 16;

/// Why a call isn't accepted. Nothing is changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallsFull {
    /// At the limit.
    #[error("process has {MAX_CALLS} calls under way, which is the limit")]
    All,
    /// At one caller's part of it.
    #[error("process has {ONE_CALLER} calls of this caller under way, which is the limit")]
    OneCaller,
}

impl Refusal for CallsFull {
    fn kind(&self) -> ErrorKind {
        ErrorKind::RateLimited
    }

    fn retryable(&self) -> bool {
        true
    }

    fn limit(&self) -> Option<&'static str> {
        Some("calls")
    }
}

#[derive(Debug)]
struct Open<C> {
    call: u64,
    /// The number of the caller's pid; none: the host's.
    caller: Option<u64>,
    asker: C,
}

/// Calls not answered; `C` is who waits.
#[derive(Debug)]
pub(crate) struct Incoming<C> {
    last: u64,
    /// In the order of their ids. A list, because most processes have one or two: a map would take a node from the system for each.
    open: Vec<Open<C>>,
}

impl<C> Default for Incoming<C> {
    fn default() -> Self {
        Self { last: 0, open: Vec::new() }
    }
}

impl<C> Incoming<C> {
    /// The id that the next call will have. Errors: too many aren't answered.
    pub(crate) fn next(&self, caller: Option<u64>) -> Result<u64, CallsFull> {
        if self.open.len() >= MAX_CALLS {
            return Err(CallsFull::All);
        }
        let of_caller = || self.open.iter().filter(|open| open.caller == caller).count();
        if caller.is_some() && self.open.len() >= ONE_CALLER && of_caller() >= ONE_CALLER {
            return Err(CallsFull::OneCaller);
        }
        Ok(self.last.saturating_add(1))
    }

    /// A call with the id that [`Incoming::next`] gave was accepted: that id.
    pub(crate) fn begin(&mut self, caller: Option<u64>, asker: C) -> u64 {
        self.last = self.last.saturating_add(1);
        self.open.push(Open { call: self.last, caller, asker });
        self.last
    }

    /// Who waits for the answer, once. None: nobody, any more or ever.
    pub(crate) fn answer(&mut self, call: u64) -> Option<C> {
        let place = self.place(call)?;
        let asker = self.open.remove(place).asker;
        if self.open.is_empty() && self.open.capacity() > KEPT {
            self.open = Vec::new();
        }
        Some(asker)
    }

    /// Who waits for an answer that none will come to, but for these calls.
    pub(crate) fn abandon(&mut self, kept: &BTreeSet<u64>) -> Vec<C> {
        self.open.extract_if(.., |open| !kept.contains(&open.call)).map(|open| open.asker).collect()
    }

    /// Who waits for the answer to a call.
    pub(crate) fn asker(&mut self, call: u64) -> Option<&mut C> {
        let place = self.place(call)?;
        self.open.get_mut(place).map(|open| &mut open.asker)
    }

    fn place(&self, call: u64) -> Option<usize> {
        self.open.binary_search_by_key(&call, |open| open.call).ok()
    }

    /// How many aren't answered.
    pub(crate) fn count(&self) -> usize {
        self.open.len()
    }
}
