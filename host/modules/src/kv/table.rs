//! What stands in the store's file, and what one write does to it.
//!
//! Owns the form of an entry, versions, expiry and the sums that the quota counts, within one transaction. A write that is
//! refused changes nothing. Knows neither threads nor clocks nor who writes.

use std::ops::Bound;
use std::time::Duration;

use bytes::Bytes;
use redb::{ReadTransaction, ReadableTable, Table, TableDefinition, TableError, WriteTransaction};

use super::number;

/// Key → [`Entry`].
const ENTRIES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("entries");
/// When it expires, and which.
const EXPIRING: TableDefinition<'_, (u64, &str), ()> = TableDefinition::new("expiring");
const SUMS: TableDefinition<'_, &str, u64> = TableDefinition::new("sums");

/// The form of the file. Another one is refused.
pub(super) const FORM: u64 = 1;

/// What an entry counts for beside its key and its value. The number: its head (16 bytes), its place in a page that is two
/// thirds full, and its part of the pages above; a file of small entries is as large as what they count (see the tests).
pub(super) const ENTRY: u64 = 64;
/// The same for its place in the order of expiry, where its key stands again.
pub(super) const EXPIRY: u64 = 48;

/// How many expired entries one write transaction takes away. The number: few enough to be unnoticed by who waits for it.
pub(super) const SWEEP: usize = 256;

/// Bytes that a sweep passes over, and those that a page looks at: an entry lies in pages of its own when it is large, and they are
/// read for its head. The number: as one transaction's, twice.
pub(super) const LOOK: u64 = 8 << 20;

/// An entry: its version and when it expires (0: never), little-endian, and the value's payload.
struct Entry<'b> {
    version: u64,
    expires: u64,
    value: &'b [u8],
}

const HEAD: usize = 16;

impl<'b> Entry<'b> {
    fn read(bytes: &'b [u8]) -> Option<Entry<'b>> {
        let (version, rest) = bytes.split_first_chunk()?;
        let (expires, value) = rest.split_first_chunk()?;
        Some(Entry { version: u64::from_le_bytes(*version), expires: u64::from_le_bytes(*expires), value })
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD.saturating_add(self.value.len()));
        bytes.extend_from_slice(&self.version.to_le_bytes());
        bytes.extend_from_slice(&self.expires.to_le_bytes());
        bytes.extend_from_slice(self.value);
        bytes
    }

    fn is_there(&self, now: u64) -> bool {
        self.expires == 0 || self.expires > now
    }
}

/// What an entry counts for.
pub(super) fn cost(key: &str, value: usize, expires: bool) -> u64 {
    let length = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
    let place = if expires { length(key.len()).saturating_add(EXPIRY) } else { 0 };
    length(key.len()).saturating_add(length(value)).saturating_add(ENTRY).saturating_add(place)
}

/// A change of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Whose.
    pub key: String,
    /// Only if the entry has this version; 0: only if there is none.
    pub if_version: Option<u64>,
    /// What becomes of it.
    pub act: Act,
}

/// What becomes of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// It has this value, and expires after this time, or never.
    Set(Bytes, Option<Duration>),
    /// It is gone.
    Delete,
    /// Its number is this much higher. One that isn't there is 0, and expires after this time, or never.
    Increment(i64, Option<Duration>),
}

/// What has become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It has this version.
    Set(u64),
    /// Whether it was there.
    Deleted(bool),
    /// Its number, its version.
    Incremented(i64, u64),
}

/// Why an entry stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It isn't the version that was asked for.
    #[error("{}", conflict(*.0))]
    Conflict(u64),
    /// The store would hold more than it may.
    #[error("the store is full: {needed} bytes more than its {quota}")]
    Full {
        /// Bytes that it may hold.
        quota: u64,
        /// Bytes too many.
        needed: u64,
        /// Entries that have expired count until they are swept.
        sweeping: bool,
    },
    /// Its value is no integer.
    #[error("the value is no integer")]
    NotInteger,
    /// The sum has more than 64 bits.
    #[error("integer overflow: {0} and {1} is more than an integer can be")]
    Overflow(i64, i64),
}

fn conflict(present: u64) -> String {
    match present {
        0 => "there is no such key".to_owned(),
        present => format!("the key has version {present}"),
    }
}

/// Sums over the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// What the entries count for, in bytes.
    pub bytes: u64,
    /// How many there are, expired ones that nobody has swept yet among them.
    pub entries: u64,
    /// The version given last.
    pub version: u64,
    /// Transactions so far.
    pub commits: u64,
}

impl Sums {
    fn fields(&mut self) -> [(&'static str, &mut u64); 4] {
        let Sums { bytes, entries, version, commits } = self;
        [("bytes", bytes), ("entries", entries), ("version", version), ("commits", commits)]
    }
}

/// The tables, in a write transaction.
pub(super) struct Tables<'t> {
    entries: Table<'t, &'static str, &'static [u8]>,
    expiring: Table<'t, (u64, &'static str), ()>,
    sums: Table<'t, &'static str, u64>,
    now: Sums,
    before: Sums,
    clock: u64,
    quota: u64,
}

/// The file's form, as it stands there.
pub(super) fn form(transaction: &WriteTransaction) -> Result<u64, redb::Error> {
    let mut sums = transaction.open_table(SUMS)?;
    let form = sums.get("form")?.map(|form| form.value());
    if let Some(form) = form {
        return Ok(form);
    }
    sums.insert("form", FORM)?;
    transaction.open_table(ENTRIES)?;
    transaction.open_table(EXPIRING)?;
    Ok(FORM)
}

impl<'t> Tables<'t> {
    /// At this time, in milliseconds since 1970.
    pub(super) fn open(transaction: &'t WriteTransaction, clock: u64, quota: u64) -> Result<Tables<'t>, redb::Error> {
        let sums = transaction.open_table(SUMS)?;
        let mut before = Sums::default();
        for (name, field) in before.fields() {
            *field = sums.get(name)?.map_or(0, |value| value.value());
        }
        let entries = transaction.open_table(ENTRIES)?;
        let expiring = transaction.open_table(EXPIRING)?;
        Ok(Tables { entries, expiring, sums, now: before, before, clock, quota })
    }

    /// Notes the sums. None: nothing has changed, so there is nothing to commit.
    pub(super) fn close(mut self) -> Result<Option<Sums>, redb::Error> {
        if self.now == self.before {
            return Ok(None);
        }
        self.now.commits = self.now.commits.saturating_add(1);
        for (name, field) in self.now.fields() {
            self.sums.insert(name, *field)?;
        }
        Ok(Some(self.now))
    }

    /// Takes away what has expired, up to a bound.
    pub(super) fn sweep(&mut self) -> Result<(), redb::Error> {
        let mut due = Vec::new();
        for row in self.expiring.range(..(self.clock.saturating_add(1), ""))?.take(SWEEP) {
            due.push(row?.0.value().1.to_owned());
        }
        let begun = self.now.bytes;
        for key in &due {
            if begun.saturating_sub(self.now.bytes) >= LOOK {
                break;
            }
            self.remove(key)?;
        }
        Ok(())
    }

    /// When the next entry expires.
    pub(super) fn next_expiry(&self) -> Result<Option<u64>, redb::Error> {
        Ok(self.expiring.first()?.map(|row| row.0.value().0))
    }

    /// What one write does.
    pub(super) fn apply(&mut self, write: &Write) -> Result<Result<Written, Refused>, redb::Error> {
        let (present, expires, value) = self.present(&write.key)?;
        if write.if_version.is_some_and(|wanted| wanted != present) {
            return Ok(Err(Refused::Conflict(present)));
        }
        match &write.act {
            Act::Set(value, ttl) => {
                let set = self.set(&write.key, value, self.expiry(*ttl))?;
                Ok(set.map(Written::Set))
            }
            Act::Delete => {
                self.remove(&write.key)?;
                Ok(Ok(Written::Deleted(present != 0)))
            }
            Act::Increment(by, ttl) => {
                let Some(number) = number::read(value.as_deref()) else { return Ok(Err(Refused::NotInteger)) };
                let Some(sum) = number.checked_add(*by) else { return Ok(Err(Refused::Overflow(number, *by))) };
                let expires = if present == 0 { self.expiry(*ttl) } else { expires };
                let set = self.set(&write.key, &number::write(sum), expires)?;
                Ok(set.map(|version| Written::Incremented(sum, version)))
            }
        }
    }

    fn expiry(&self, ttl: Option<Duration>) -> u64 {
        let Some(ttl) = ttl else { return 0 };
        // Never before its time, and never 0.
        let milliseconds = u64::try_from(ttl.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        self.clock.saturating_add(milliseconds).max(1)
    }

    /// Version, expiry and small value of what hasn't expired; all 0 and none where nothing is.
    fn present(&self, key: &str) -> Result<(u64, u64, Option<Vec<u8>>), redb::Error> {
        let found = self.entries.get(key)?;
        let Some(found) = &found else { return Ok((0, 0, None)) };
        let entry = Entry::read(found.value()).ok_or_else(damaged)?;
        if !entry.is_there(self.clock) {
            return Ok((0, 0, None));
        }
        let value = entry.value.get(..entry.value.len().min(number::MOST.saturating_add(1))).map(<[u8]>::to_vec);
        Ok((entry.version, entry.expires, value))
    }

    fn set(&mut self, key: &str, value: &[u8], expires: u64) -> Result<Result<u64, Refused>, redb::Error> {
        let new = cost(key, value.len(), expires != 0);
        let old = self.cost_of(key)?;
        let (old_cost, old_expires) = old.unwrap_or_default();
        let total = self.now.bytes.saturating_sub(old_cost).saturating_add(new);
        // What takes no more than before may stand also in a store that holds too much already.
        if total > self.quota && new > old_cost {
            let sweeping = self.next_expiry()?.is_some_and(|next| next <= self.clock);
            return Ok(Err(Refused::Full { quota: self.quota, needed: total.saturating_sub(self.quota), sweeping }));
        }
        if old_expires != expires {
            if old_expires != 0 {
                self.expiring.remove((old_expires, key))?;
            }
            if expires != 0 {
                self.expiring.insert((expires, key), ())?;
            }
        }
        let version = self.now.version.saturating_add(1);
        self.entries.insert(key, Entry { version, expires, value }.bytes().as_slice())?;
        self.now.version = version;
        self.now.bytes = total;
        if old.is_none() {
            self.now.entries = self.now.entries.saturating_add(1);
        }
        Ok(Ok(version))
    }

    fn remove(&mut self, key: &str) -> Result<(), redb::Error> {
        let Some((cost, expires)) = self.cost_of(key)? else { return Ok(()) };
        self.entries.remove(key)?;
        if expires != 0 {
            self.expiring.remove((expires, key))?;
        }
        self.now.bytes = self.now.bytes.saturating_sub(cost);
        self.now.entries = self.now.entries.saturating_sub(1);
        Ok(())
    }

    /// What the entry counts for, and when it expires, whether it has or not.
    fn cost_of(&self, key: &str) -> Result<Option<(u64, u64)>, redb::Error> {
        let found = self.entries.get(key)?;
        let Some(found) = &found else { return Ok(None) };
        let entry = Entry::read(found.value()).ok_or_else(damaged)?;
        Ok(Some((cost(key, entry.value.len(), entry.expires != 0), entry.expires)))
    }
}

/// An entry as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its key.
    pub key: String,
    /// Its value's payload.
    pub value: Bytes,
    /// Its version.
    pub version: u64,
}

/// A part of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// In the order of their keys' bytes.
    pub entries: Vec<Found>,
    /// What the next page begins behind; none: there is no more.
    pub next: Option<String>,
}

/// Which entries.
#[derive(Debug, Clone)]
pub struct Range<'r> {
    /// Their keys begin so.
    pub prefix: &'r str,
    /// And come behind this one.
    pub after: Option<&'r str>,
    /// At most so many.
    pub entries: usize,
    /// At most so many bytes of keys and values; the first one is given whatever it has.
    pub bytes: usize,
    /// With their values.
    pub values: bool,
}

/// Rows that a page looks at beyond those that it has, because they have expired. The number: as [`SWEEP`], a few
/// times: then the page ends where it is.
const EXPIRED_ROWS: usize = 1024;

fn entries(
    transaction: &ReadTransaction,
) -> Result<Option<redb::ReadOnlyTable<&'static str, &'static [u8]>>, redb::Error> {
    match transaction.open_table(ENTRIES) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn get(transaction: &ReadTransaction, key: &str, now: u64) -> Result<Option<Found>, redb::Error> {
    let Some(table) = entries(transaction)? else { return Ok(None) };
    let Some(found) = table.get(key)? else { return Ok(None) };
    let entry = Entry::read(found.value()).ok_or_else(damaged)?;
    let value = Bytes::copy_from_slice(entry.value);
    Ok(entry.is_there(now).then(|| Found { key: key.to_owned(), value, version: entry.version }))
}

pub(super) fn list(transaction: &ReadTransaction, range: &Range<'_>, now: u64) -> Result<Page, redb::Error> {
    let mut page = Page::default();
    let Some(table) = entries(transaction)? else { return Ok(page) };
    let start = match range.after {
        Some(after) if after >= range.prefix => Bound::Excluded(after),
        _ => Bound::Included(range.prefix),
    };
    let (mut bytes, mut expired, mut looked, mut last) = (0_usize, 0_usize, 0_u64, None);
    for row in table.range::<&str>((start, Bound::Unbounded))? {
        let (key, found) = row?;
        let key = key.value();
        if !key.starts_with(range.prefix) {
            return Ok(page);
        }
        let entry = Entry::read(found.value()).ok_or_else(damaged)?;
        let there = entry.is_there(now);
        let value = if range.values { entry.value } else { &[] };
        let size = key.len().saturating_add(value.len()).saturating_add(PAGE_ENTRY);
        let full = there && (page.entries.len() >= range.entries || bytes.saturating_add(size) > range.bytes);
        if last.is_some() && (full || expired >= EXPIRED_ROWS || looked >= LOOK) {
            page.next = last;
            return Ok(page);
        }
        if there {
            bytes = bytes.saturating_add(size);
            page.entries.push(Found {
                key: key.to_owned(),
                value: Bytes::copy_from_slice(value),
                version: entry.version,
            });
        } else {
            expired = expired.saturating_add(1);
        }
        looked = looked.saturating_add(cost(key, entry.value.len(), false));
        last = Some(key.to_owned());
    }
    Ok(page)
}

/// What an entry takes in a page beside key and value: the names of its fields, its version.
const PAGE_ENTRY: usize = 40;

pub(super) fn sums(transaction: &ReadTransaction) -> Result<Sums, redb::Error> {
    let mut sums = Sums::default();
    let table = match transaction.open_table(SUMS) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(sums),
        Err(error) => return Err(error.into()),
    };
    for (name, field) in sums.fields() {
        *field = table.get(name)?.map_or(0, |value| value.value());
    }
    Ok(sums)
}

fn damaged() -> redb::Error {
    redb::Error::Corrupted("an entry has no head".to_owned())
}
