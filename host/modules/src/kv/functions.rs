//! The functions of `kv`: arguments checked, grants asked, answers and errors in a script's words.
//!
//! What comes beside a value stands behind `err`, so that `local value, err = …` is right for each.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lunarium::{Caller, ErrorKind, FunctionError, Module, Raw};
use serde_derive::{Deserialize, Serialize};

use super::NAME;
use super::fault::{Fault, WriteError};
use super::grant::{self, Prefixes, Use};
use super::store::Store;
use super::table::{Act, Range, Refused, Write, Written};
use super::ttl::Ttl;

/// Bytes of a key. At the limit: `INVALID`. The number: room for a path of names; a page of the file holds several.
pub(super) const KEY: usize = 512;
/// Entries of a page of a list where none is said, and at most.
const PAGE: usize = 100;
const MOST_PAGE: usize = 1000;
/// Bytes of a page of a list, or half of the limit `message`. The number: quick to read and to decode.
const PAGE_BYTES: usize = 256 << 10;
/// Bytes of a page of one entry beside its key, its value and where the next page begins: lengths, names of fields, version.
const PAGE_FRAME: usize = 48;
/// Bytes of a key that a message repeats.
const SHOWN: usize = 64;
/// `nil` as a payload.
const NIL: u8 = 0xc0;

/// Where the module finds its store: a module is needed before there can be a thread, to read what grants say; a store has one.
#[derive(Clone, Default)]
pub struct Slot(Arc<OnceLock<Store>>);

impl Slot {
    /// Puts the store there. A second one is dropped.
    pub fn fill(&self, store: Store) {
        drop(self.0.set(store));
    }

    /// [`Store::set_quota`] of what is there.
    pub fn set_quota(&self, quota: u64) {
        self.0.get().into_iter().for_each(|store| store.set_quota(quota));
    }

    /// Whether there is a store.
    pub fn is_filled(&self) -> bool {
        self.0.get().is_some()
    }

    fn store(&self) -> Result<&Store, FunctionError> {
        let none = || FunctionError::new(ErrorKind::Unavailable, "the node has no store");
        self.0.get().ok_or_else(none)
    }
}

impl From<Store> for Slot {
    fn from(store: Store) -> Slot {
        Slot(Arc::new(OnceLock::from(store)))
    }
}

/// The module `kv` over a store. For one node: where several have it, they share the store.
pub fn module(store: impl Into<Slot>) -> Module {
    let slot = store.into();
    let with = |slot: &Slot| Slot::clone(slot);
    let (getting, listing, setting, deleting, incrementing) =
        (with(&slot), with(&slot), with(&slot), with(&slot), slot);
    Module::new(NAME)
        .settings(Prefixes::read)
        .bounded(grant::within)
        .blocking("get", move |caller, (key,): (String,)| get(&getting, &caller, &key))
        .blocking("list", move |caller, (prefix, options): (String, Option<Listing>)| {
            list(&listing, &caller, &prefix, &options.unwrap_or_default())
        })
        .function("set", move |caller, (key, value, options): (String, Raw, Option<Setting>)| {
            let slot = setting.clone();
            async move { set(&slot, &caller, key, value, options.unwrap_or_default()).await }
        })
        .function("delete", move |caller, (key, options): (String, Option<Deleting>)| {
            let slot = deleting.clone();
            async move { delete(&slot, &caller, key, &options.unwrap_or_default()).await }
        })
        .function("increment", move |caller, (key, by, options): (String, Option<i64>, Option<Setting>)| {
            let slot = incrementing.clone();
            async move { increment(&slot, &caller, key, by.unwrap_or(1), options.unwrap_or_default()).await }
        })
}

/// `{ttl, if_version}`
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    ttl: Option<Ttl>,
    if_version: Option<u64>,
}

/// `{if_version}`
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deleting {
    if_version: Option<u64>,
}

/// `{limit, after, values}`
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    limit: Option<u64>,
    after: Option<String>,
    values: Option<bool>,
}

/// An entry of a page.
#[derive(Serialize)]
struct Item {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Raw>,
    version: u64,
}

fn get(slot: &Slot, caller: &Caller, key: &str) -> Result<(Raw, (), u64), FunctionError> {
    check_key(key)?;
    grant::check(caller, key, Use::Read)?;
    match slot.store()?.get(key).map_err(of_fault)? {
        Some(found) => Ok((Raw(found.value), (), found.version)),
        None => Err(FunctionError::new(ErrorKind::NotFound, format!("no key `{}`", shown(key)))),
    }
}

fn list(
    slot: &Slot,
    caller: &Caller,
    prefix: &str,
    options: &Listing,
) -> Result<(Vec<Item>, (), Option<String>), FunctionError> {
    if prefix.len() > KEY {
        return Err(FunctionError::new(ErrorKind::Invalid, format!("prefix is longer than {KEY} bytes")));
    }
    let entries = options.limit.map_or(Some(PAGE), |limit| usize::try_from(limit).ok());
    let entries = entries.filter(|limit| (1..=MOST_PAGE).contains(limit));
    let entries = entries
        .ok_or_else(|| FunctionError::new(ErrorKind::Invalid, format!("limit must be from 1 to {MOST_PAGE}")))?;
    grant::check(caller, prefix, Use::List)?;
    let values = options.values.unwrap_or(true);
    let message = usize::try_from(caller.limits().message).unwrap_or(usize::MAX);
    let range = Range { prefix, after: options.after.as_deref(), entries, bytes: PAGE_BYTES.min(message / 2), values };
    let page = slot.store()?.list(&range).map_err(of_fault)?;
    // Who wrote it may have had a larger limit; and it came with less around it.
    let fits = |found: &super::Found| {
        let around = found.key.len().saturating_add(KEY).saturating_add(PAGE_FRAME);
        found.value.len().saturating_add(around) <= message
    };
    let item = |found: super::Found| Item {
        value: (values && fits(&found)).then_some(Raw(found.value)),
        key: found.key,
        version: found.version,
    };
    Ok((page.entries.into_iter().map(item).collect(), (), page.next))
}

async fn set(
    slot: &Slot,
    caller: &Caller,
    key: String,
    Raw(value): Raw,
    options: Setting,
) -> Result<u64, FunctionError> {
    if *value == [NIL] {
        return Err(FunctionError::new(ErrorKind::Invalid, "value is nil; kv.delete takes a key away"));
    }
    let act = Act::Set(value, ttl(&options));
    match write(slot, caller, key, options.if_version, act).await? {
        Written::Set(version) => Ok(version),
        other => Err(unexpected(other)),
    }
}

async fn delete(slot: &Slot, caller: &Caller, key: String, options: &Deleting) -> Result<bool, FunctionError> {
    match write(slot, caller, key, options.if_version, Act::Delete).await? {
        Written::Deleted(was_there) => Ok(was_there),
        other => Err(unexpected(other)),
    }
}

async fn increment(
    slot: &Slot,
    caller: &Caller,
    key: String,
    by: i64,
    options: Setting,
) -> Result<(i64, (), u64), FunctionError> {
    let act = Act::Increment(by, ttl(&options));
    match write(slot, caller, key, options.if_version, act).await? {
        Written::Incremented(sum, version) => Ok((sum, (), version)),
        other => Err(unexpected(other)),
    }
}

fn ttl(options: &Setting) -> Option<Duration> {
    options.ttl.map(|Ttl(time)| time)
}

async fn write(
    slot: &Slot,
    caller: &Caller,
    key: String,
    if_version: Option<u64>,
    act: Act,
) -> Result<Written, FunctionError> {
    check_key(&key)?;
    grant::check(caller, &key, Use::Write)?;
    let written = slot.store()?.write(&caller.pid().to_string(), Write { key, if_version, act }).await;
    written.map_err(of_write)
}

fn check_key(key: &str) -> Result<(), FunctionError> {
    match key.len() {
        0 => Err(FunctionError::new(ErrorKind::Invalid, "key is empty")),
        1..=KEY => Ok(()),
        _ => Err(FunctionError::new(ErrorKind::Invalid, format!("key is longer than {KEY} bytes"))),
    }
}

/// As much of a key as a message repeats.
pub(super) fn shown(key: &str) -> String {
    match key.get(..key.floor_char_boundary(SHOWN)) {
        Some(start) if start.len() < key.len() => format!("{start}…"),
        _ => key.to_owned(),
    }
}

/// What an error of this module says for programs.
#[derive(Default, Serialize)]
struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'static str>,
    /// The present version; 0: there is no entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
}

fn limit(limit: &'static str) -> Details {
    Details { limit: Some(limit), version: None }
}

fn of_write(error: WriteError) -> FunctionError {
    let refused = match error {
        WriteError::Fault(fault) => return of_fault(fault),
        WriteError::Busy => return FunctionError::new(ErrorKind::RateLimited, error.to_string()).retryable(),
        WriteError::Refused(refused) => refused,
    };
    let text = refused.to_string();
    match refused {
        Refused::Conflict(version) => {
            let details = Details { version: Some(version), limit: None };
            FunctionError::new(ErrorKind::Conflict, text).with_details(&details)
        }
        Refused::Full { sweeping, .. } => {
            let error = FunctionError::new(ErrorKind::ResourceExhausted, text).with_details(&limit("kv.bytes"));
            if sweeping { error.retryable() } else { error }
        }
        Refused::NotInteger | Refused::Overflow(..) => FunctionError::new(ErrorKind::Invalid, text),
    }
}

fn of_fault(fault: Fault) -> FunctionError {
    let text = fault.to_string();
    match fault {
        Fault::NoSpace => {
            FunctionError::new(ErrorKind::ResourceExhausted, text).retryable().with_details(&limit("disk"))
        }
        Fault::Disk(_) => FunctionError::new(ErrorKind::Unavailable, text).retryable(),
        Fault::Damaged(_) | Fault::Stopped => FunctionError::new(ErrorKind::Unavailable, text),
    }
}

/// Each act has its answer.
fn unexpected(written: Written) -> FunctionError {
    FunctionError::new(ErrorKind::Internal, format!("the store answered {written:?}"))
}
