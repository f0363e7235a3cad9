//! Budgets: how much memory all of a host, all of a node and all of an engine may hold, and how many processes. Owns the accounts and their
//! arithmetic: each has a parent, and what is charged to one is charged to all above it, or to none. Does not know what
//! is held: who holds something says how many bytes that is, and gives them back by dropping its [`Holding`].
//!
//! Two rules that keep one from paying for another:
//! * An account's *reserve* is charged to its parent when the account is made, and what the account holds is paid from it
//!   first. So the reserve stays free for it whatever its neighbours do, also when nobody uses it.
//! * An account's *headroom* is the part of its limit that only services may use, whether they do or not: what scripts
//!   start ends below it. So a service that comes back finds room.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::{ErrorKind, HostId, Refusal};

/// Bytes that every process counts as, beside what it has grown to: its instance's own pages, page tables and host's
/// records, and what its mailbox may hold before that is counted, 16 KiB. Measured: 125 KiB for one that waits, and
/// 260 KiB for one that has written to whatever it began with.
pub const PROCESS_BYTES: u64 = 256 * 1024;

/// What a budget is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Budget {
    /// All nodes of an operating-system process.
    Engine,
    /// A node: a tenant.
    Node,
    /// A process host.
    Host(HostId),
}

impl Budget {
    /// The budget's name, as `details().limit` spells it.
    pub fn limit_name(&self) -> &'static str {
        match self {
            Self::Engine => "engine.memory",
            Self::Node => "node.memory",
            Self::Host(_) => "host.memory",
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine => f.write_str("the engine"),
            Self::Node => f.write_str("the node"),
            Self::Host(id) => write!(f, "host `{id}`"),
        }
    }
}

/// A budget would be exceeded. Nothing is charged then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{budget} is at its memory budget of {limit} bytes")]
pub struct Exhausted {
    /// Whose budget.
    pub budget: Budget,
    /// Its bytes.
    pub limit: u64,
}

impl Refusal for Exhausted {
    fn kind(&self) -> ErrorKind {
        ErrorKind::ResourceExhausted
    }

    fn limit(&self) -> Option<&'static str> {
        Some(self.budget.limit_name())
    }
}

/// Who asks, and so how much of a limit there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// Started by a script, or what it sends: ends below the headroom.
    Ordinary,
    /// A service, or whatever else the embedding program starts: may use all.
    Service,
}

/// A budget and what is charged to it. Locks are taken from the child to the parent, and held for a few additions.
#[derive(Debug)]
pub struct Account {
    budget: Budget,
    parent: Option<Arc<Account>>,
    limit: u64,
    reserve: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    used: u64,
    /// The part of `used` that is services'.
    services: u64,
    headroom: u64,
}

impl State {
    /// What is kept free for services.
    fn kept(&self) -> u64 {
        self.headroom.saturating_sub(self.services)
    }

    fn set(&mut self, used: u64, rank: Rank) {
        if rank == Rank::Service {
            self.services = self.services.saturating_add(used).saturating_sub(self.used);
        }
        self.used = used;
    }
}

impl Account {
    /// An account without a parent.
    pub fn root(budget: Budget, limit: u64) -> Arc<Self> {
        Arc::new(Self { budget, parent: None, limit, reserve: 0, state: Mutex::default() })
    }

    /// An account below another. `limit` may be larger than the parent's: then that one's counts. `reserve` (at most the
    /// limit) stays free for it. Errors: the parent has no room for the reserve.
    pub fn child(parent: &Arc<Self>, budget: Budget, limit: u64, reserve: u64) -> Result<Arc<Self>, Exhausted> {
        let reserve = reserve.min(limit);
        parent.charge(reserve, Rank::Ordinary)?;
        let parent = Some(Arc::clone(parent));
        Ok(Arc::new(Self { budget, parent, limit, reserve, state: Mutex::default() }))
    }

    /// Bytes charged to it.
    pub fn used(&self) -> u64 {
        self.state.lock().used
    }

    /// The most that can be charged to it.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Adds to what only services may use. Whatever is held already stays.
    pub fn add_headroom(&self, bytes: u64) {
        let mut state = self.state.lock();
        state.headroom = state.headroom.saturating_add(bytes);
    }

    /// Charges it and all above it, or none. Errors: whose budget would be exceeded.
    fn charge(&self, bytes: u64, rank: Rank) -> Result<(), Exhausted> {
        let mut state = self.state.lock();
        let used = state.used.saturating_add(bytes);
        let limit = match rank {
            Rank::Ordinary => self.limit.saturating_sub(state.kept()),
            Rank::Service => self.limit,
        };
        if used > limit {
            return Err(Exhausted { budget: self.budget.clone(), limit: self.limit });
        }
        if let Some(parent) = &self.parent {
            parent.charge(self.beyond_reserve(used).saturating_sub(self.beyond_reserve(state.used)), rank)?;
        }
        state.set(used, rank);
        Ok(())
    }

    /// Charges what can't be refused.
    fn charge_anyway(&self, bytes: u64, rank: Rank) {
        let mut state = self.state.lock();
        let used = state.used.saturating_add(bytes);
        if let Some(parent) = &self.parent {
            parent.charge_anyway(self.beyond_reserve(used).saturating_sub(self.beyond_reserve(state.used)), rank);
        }
        state.set(used, rank);
    }

    fn release(&self, bytes: u64, rank: Rank) {
        let mut state = self.state.lock();
        let used = state.used.saturating_sub(bytes);
        if let Some(parent) = &self.parent {
            parent.release(self.beyond_reserve(state.used).saturating_sub(self.beyond_reserve(used)), rank);
        }
        state.set(used, rank);
    }

    /// What of it its parent is charged with beside the reserve.
    fn beyond_reserve(&self, used: u64) -> u64 {
        used.saturating_sub(self.reserve)
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if let Some(parent) = &self.parent {
            parent.release(self.reserve, Rank::Ordinary);
        }
    }
}

/// What somebody holds of an account; dropped, it is given back.
#[derive(Debug)]
pub struct Holding {
    account: Arc<Account>,
    rank: Rank,
    bytes: u64,
}

impl Holding {
    /// Nothing yet.
    pub fn new(account: Arc<Account>, rank: Rank) -> Self {
        Self { account, rank, bytes: 0 }
    }

    /// Another holder's, of the same account and rank, with nothing yet.
    pub fn another(&self) -> Self {
        Self::new(Arc::clone(&self.account), self.rank)
    }

    /// Bytes held.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Holds so many bytes more. Errors: whose budget would be exceeded; nothing is changed then.
    pub fn grow(&mut self, bytes: u64) -> Result<(), Exhausted> {
        self.account.charge(bytes, self.rank)?;
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }

    /// The same for what can't be refused, because it is there already.
    pub fn grow_anyway(&mut self, bytes: u64) {
        self.account.charge_anyway(bytes, self.rank);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Gives back so many bytes, all at most.
    pub fn shrink(&mut self, bytes: u64) {
        let bytes = bytes.min(self.bytes);
        self.bytes = self.bytes.saturating_sub(bytes);
        self.account.release(bytes, self.rank);
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.account.release(self.bytes, self.rank);
    }
}

/// How many processes there may be, some of them kept for services.
#[derive(Debug)]
pub(crate) struct Places {
    limit: u32,
    taken: u32,
    /// Those of `taken` that services have.
    services: u32,
    kept: u32,
}

impl Places {
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit, taken: 0, services: 0, kept: 0 }
    }

    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    pub(crate) fn taken(&self) -> u32 {
        self.taken
    }

    pub(crate) fn keep(&mut self) {
        self.kept = self.kept.saturating_add(1);
    }

    pub(crate) fn has_room(&self, rank: Rank) -> bool {
        let kept = match rank {
            Rank::Ordinary => self.kept.saturating_sub(self.services),
            Rank::Service => 0,
        };
        self.taken < self.limit.saturating_sub(kept)
    }

    pub(crate) fn take(&mut self, rank: Rank) {
        self.taken = self.taken.saturating_add(1);
        self.services = self.services.saturating_add(u32::from(rank == Rank::Service));
    }

    pub(crate) fn give_back(&mut self, rank: Rank) {
        self.taken = self.taken.saturating_sub(1);
        self.services = self.services.saturating_sub(u32::from(rank == Rank::Service));
    }
}

#[cfg(test)]
mod tests;
