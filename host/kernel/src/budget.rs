//! Budgets: how much memory all of a host, all of a node and all of an engine may hold, and how many processes; and what they
//! have held over time, started and been sent. Owns the accounts and their
//! arithmetic: each has a parent, and what is charged to one is charged to all above it, or to none. The lowest are those of
//! processes. Does not know what is held: who holds something says how many bytes that is, and gives them back by dropping its
//! [`Holding`]. Reads no clock: whoever makes the first account gives one.
//!
//! Two rules that keep one from paying for another:
//! * An account's *reserve* is charged to its parent when the account is made, and what the account holds is paid from it
//!   first. So the reserve stays free for it whatever its neighbours do, also when nobody uses it.
//! * An account's *headroom* is the part of its limit that only services may use, whether they do or not: what scripts
//!   start ends below it. So a service that comes back finds room.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

use crate::{ErrorKind, HostId, LimitName, Refusal, Uptime};

/// Says how late it is.
pub type Now = Arc<dyn Fn() -> Uptime + Send + Sync>;

/// Bytes that every process counts as, beside what it has grown to: its instance's own pages, page tables and host's
/// records, and what its mailbox may hold before that is counted, 16 KiB. Measured: 80 KiB for one that waits, and
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
    /// A process, which has no budget of its own here.
    Process,
}

impl Budget {
    /// The name of an engine's.
    pub const ENGINE_MEMORY: &'static str = "engine.memory";
    /// The name of a node's.
    pub const NODE_MEMORY: &'static str = "node.memory";
    /// The name of a process host's.
    pub const HOST_MEMORY: &'static str = "host.memory";

    /// The budget's name, as `details().limit` spells it.
    pub fn limit_name(&self) -> &'static str {
        match self {
            Self::Engine => Self::ENGINE_MEMORY,
            Self::Node => Self::NODE_MEMORY,
            Self::Host(_) => Self::HOST_MEMORY,
            Self::Process => LimitName::Memory.as_str(),
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine => f.write_str("the engine"),
            Self::Node => f.write_str("the node"),
            Self::Host(id) => write!(f, "host `{id}`"),
            Self::Process => f.write_str("the process"),
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

/// How much there is of something, and how much of that is kept for services: the part that they don't use already.
#[derive(Debug)]
pub(crate) struct Room {
    limit: u64,
    used: u64,
    /// The part of `used` that services have.
    services: u64,
    kept: u64,
}

impl Room {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, used: 0, services: 0, kept: 0 }
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    pub(crate) fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    pub(crate) fn used(&self) -> u64 {
        self.used
    }

    pub(crate) fn keep(&mut self, amount: u64) {
        self.kept = self.kept.saturating_add(amount);
    }

    pub(crate) fn let_go(&mut self, amount: u64) {
        self.kept = self.kept.saturating_sub(amount);
    }

    pub(crate) fn has(&self, amount: u64, rank: Rank) -> bool {
        let kept = match rank {
            Rank::Ordinary => self.kept.saturating_sub(self.services),
            Rank::Service => 0,
        };
        self.used.saturating_add(amount) <= self.limit.saturating_sub(kept)
    }

    pub(crate) fn take(&mut self, amount: u64, rank: Rank) {
        self.set(self.used.saturating_add(amount), rank);
    }

    pub(crate) fn give_back(&mut self, amount: u64, rank: Rank) {
        self.set(self.used.saturating_sub(amount), rank);
    }

    fn set(&mut self, used: u64, rank: Rank) {
        if rank == Rank::Service {
            self.services = self.services.saturating_add(used).saturating_sub(self.used);
        }
        self.used = used;
    }
}

/// A budget and what is charged to it. Locks are taken from the child to the parent, and held for a few additions.
pub struct Account {
    budget: Budget,
    parent: Option<Arc<Account>>,
    now: Now,
    book: Mutex<Book>,
    messages: AtomicU64,
    spawns: AtomicU64,
}

/// What is held now, and was over time.
#[derive(Debug)]
struct Book {
    room: Room,
    /// Charged to the parent whether it is used or not.
    reserve: u64,
    /// Until when it is summed up.
    until: Uptime,
    /// Bytes times the nanoseconds for which they were held: 2^128 are more than all memory there is for all time.
    byte_nanos: u128,
}

impl Book {
    /// What its parent holds more for it, beside the reserve, when it uses `more` than when it uses `less`.
    fn beyond_reserve(&self, less: u64, more: u64) -> u64 {
        more.saturating_sub(self.reserve).saturating_sub(less.saturating_sub(self.reserve))
    }

    fn sum_up(&mut self, now: Uptime) {
        let held = u128::from(self.room.used()).saturating_mul(now.since(self.until).as_nanos());
        self.byte_nanos = self.byte_nanos.saturating_add(held);
        // Of two that come at once, the later one may have looked at the clock before.
        self.until = self.until.max(now);
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("budget", &self.budget).field("book", &self.book).finish_non_exhaustive()
    }
}

impl Account {
    /// An account without a parent.
    pub fn root(budget: Budget, limit: u64, now: Now) -> Arc<Self> {
        Self::open(budget, None, limit, 0, now)
    }

    fn open(budget: Budget, parent: Option<Arc<Self>>, limit: u64, reserve: u64, now: Now) -> Arc<Self> {
        let book = Book { room: Room::new(limit), reserve, until: now(), byte_nanos: 0 };
        let (messages, spawns) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { budget, parent, now, book: Mutex::new(book), messages, spawns })
    }

    /// An account below another. `limit` may be larger than the parent's: then that one's counts. `reserve` (at most the
    /// limit) stays free for it. Errors: the parent has no room for the reserve.
    pub fn child(parent: &Arc<Self>, budget: Budget, limit: u64, reserve: u64) -> Result<Arc<Self>, Exhausted> {
        let reserve = reserve.min(limit);
        let now = (parent.now)();
        parent.charge(reserve, Rank::Ordinary, now)?;
        Ok(Self::open(budget, Some(Arc::clone(parent)), limit, reserve, Arc::clone(&parent.now)))
    }

    /// The account of a process below its host's. It has no limit: the host's counts.
    pub fn of_process(host: &Arc<Self>) -> Arc<Self> {
        Self::open(Budget::Process, Some(Arc::clone(host)), u64::MAX, 0, Arc::clone(&host.now))
    }

    /// Bytes charged to it.
    pub fn used(&self) -> u64 {
        self.book.lock().room.used()
    }

    /// The most that can be charged to it.
    pub fn limit(&self) -> u64 {
        self.book.lock().room.limit()
    }

    /// From now on these are its limit and its reserve. What is held stays, also beyond the limit: nothing is added then until enough was
    /// given back. Meant for an account whose parent keeps no headroom: what services hold isn't told from the rest there.
    ///
    /// Errors: the parent has no room for the reserve; nothing is changed then.
    pub fn set_bounds(&self, limit: u64, reserve: u64) -> Result<(), Exhausted> {
        let now = (self.now)();
        let mut book = self.book.lock();
        let reserve = reserve.min(limit);
        if let Some(parent) = &self.parent {
            let used = book.room.used();
            let (before, after) = (book.reserve.max(used), reserve.max(used));
            if after > before {
                parent.charge(after.saturating_sub(before), Rank::Ordinary, now)?;
            } else {
                parent.release_at(before.saturating_sub(after), Rank::Ordinary, now);
            }
        }
        book.reserve = reserve;
        book.room.set_limit(limit);
        Ok(())
    }

    /// From now on this is its limit, and its reserve stays. What is held stays, also beyond the limit: nothing is added then until enough
    /// was given back, but for what those below it have in reserve.
    pub fn set_limit(&self, limit: u64) {
        self.book.lock().room.set_limit(limit);
    }

    /// Bytes that were charged to it, times the seconds for which they were.
    pub fn byte_seconds(&self) -> u64 {
        let now = (self.now)();
        let mut book = self.book.lock();
        book.sum_up(now);
        u64::try_from(book.byte_nanos / 1_000_000_000).unwrap_or(u64::MAX)
    }

    /// Counts messages that were accepted, here and above.
    pub fn count_messages(&self, messages: u64) {
        for account in self.and_above() {
            account.messages.fetch_add(messages, Relaxed);
        }
    }

    /// Counts a process that was started, here and above.
    pub fn count_spawn(&self) {
        for account in self.and_above() {
            account.spawns.fetch_add(1, Relaxed);
        }
    }

    /// Messages that were counted.
    pub fn messages(&self) -> u64 {
        self.messages.load(Relaxed)
    }

    /// Starts that were counted.
    pub fn spawns(&self) -> u64 {
        self.spawns.load(Relaxed)
    }

    fn and_above(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |account| account.parent.as_deref())
    }

    /// Adds to what only services may use. Whatever is held already stays.
    pub fn add_headroom(&self, bytes: u64) {
        self.book.lock().room.keep(bytes);
    }

    /// Takes so much away again from what only services may use.
    pub fn remove_headroom(&self, bytes: u64) {
        self.book.lock().room.let_go(bytes);
    }

    /// Charges it and all above it, or none. Errors: whose budget would be exceeded.
    fn charge(&self, bytes: u64, rank: Rank, now: Uptime) -> Result<(), Exhausted> {
        // What is within the reserve of one below is charged already, also where more is held than the limit is now.
        if bytes == 0 {
            return Ok(());
        }
        let mut book = self.book.lock();
        let room = &book.room;
        if !room.has(bytes, rank) {
            return Err(Exhausted { budget: self.budget.clone(), limit: room.limit() });
        }
        if let Some(parent) = &self.parent {
            parent.charge(book.beyond_reserve(room.used(), room.used().saturating_add(bytes)), rank, now)?;
        }
        book.sum_up(now);
        book.room.take(bytes, rank);
        Ok(())
    }

    /// Charges what can't be refused.
    fn charge_anyway(&self, bytes: u64, rank: Rank, now: Uptime) {
        let mut book = self.book.lock();
        if let Some(parent) = &self.parent {
            let used = book.room.used();
            parent.charge_anyway(book.beyond_reserve(used, used.saturating_add(bytes)), rank, now);
        }
        book.sum_up(now);
        book.room.take(bytes, rank);
    }

    fn release(&self, bytes: u64, rank: Rank) {
        // Most that is dropped holds nothing any more.
        if bytes > 0 {
            self.release_at(bytes, rank, (self.now)());
        }
    }

    fn release_at(&self, bytes: u64, rank: Rank, now: Uptime) {
        if bytes == 0 {
            return;
        }
        let mut book = self.book.lock();
        if let Some(parent) = &self.parent {
            let used = book.room.used();
            parent.release_at(book.beyond_reserve(used.saturating_sub(bytes), used), rank, now);
        }
        book.sum_up(now);
        book.room.give_back(bytes, rank);
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if let Some(parent) = &self.parent {
            parent.release(self.book.get_mut().reserve, Rank::Ordinary);
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

    /// So many bytes of this, all at most, as another holder's. Changes nothing for the accounts.
    pub fn split(&mut self, bytes: u64) -> Self {
        let bytes = bytes.min(self.bytes);
        self.bytes = self.bytes.saturating_sub(bytes);
        let mut other = self.another();
        other.bytes = bytes;
        other
    }

    /// Bytes held.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whose account it is.
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Holds so many bytes more. Errors: whose budget would be exceeded; nothing is changed then.
    pub fn grow(&mut self, bytes: u64) -> Result<(), Exhausted> {
        self.account.charge(bytes, self.rank, (self.account.now)())?;
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }

    /// The same for what can't be refused, because it is there already.
    pub fn grow_anyway(&mut self, bytes: u64) {
        self.account.charge_anyway(bytes, self.rank, (self.account.now)());
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

#[cfg(test)]
mod tests;
