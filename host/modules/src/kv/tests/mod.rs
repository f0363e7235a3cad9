//! The store as such: what is acknowledged stays, whatever the disk does.

mod disk;
mod durable;
mod entries;
mod queue;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;

use super::fault::{OpenError, WriteError};
use super::store::{Opened, Store};
use super::table::{Act, Range, Write, Written, cost};
use disk::Disk;

/// A clock that a test sets.
#[derive(Clone, Default)]
struct Clock(Arc<AtomicU64>);

impl Clock {
    fn set(&self, milliseconds: u64) {
        self.0.store(milliseconds, Ordering::SeqCst);
    }
}

fn start(disk: &Disk, quota: u64, clock: &Clock) -> Result<Store, OpenError> {
    let time = Arc::clone(&clock.0);
    Opened::on(disk.clone()).start_at(quota, |_| {}, Arc::new(move || time.load(Ordering::SeqCst)))
}

fn new(disk: &Disk) -> Store {
    start(disk, 1 << 30, &Clock::default()).unwrap()
}

fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Any bytes do: the store doesn't look into values.
fn put(key: &str, value: &[u8]) -> Write {
    Write { key: key.to_owned(), if_version: None, act: Act::Set(Bytes::copy_from_slice(value), None) }
}

fn remove(key: &str) -> Write {
    Write { key: key.to_owned(), if_version: None, act: Act::Delete }
}

fn add(key: &str, by: i64) -> Write {
    Write { key: key.to_owned(), if_version: None, act: Act::Increment(by, None) }
}

impl Write {
    fn if_version(self, version: u64) -> Write {
        Write { if_version: Some(version), ..self }
    }

    fn ttl(mut self, milliseconds: u64) -> Write {
        match &mut self.act {
            Act::Set(_, ttl) | Act::Increment(_, ttl) => *ttl = Some(Duration::from_millis(milliseconds)),
            Act::Delete => {}
        }
        self
    }
}

fn write(store: &Store, write: Write) -> Result<Written, WriteError> {
    wait(store.write("a", write))
}

/// The text of why a write isn't there.
fn refusal(store: &Store, what: Write) -> String {
    write(store, what).unwrap_err().to_string()
}

fn value(store: &Store, key: &str) -> Option<Vec<u8>> {
    store.get(key).unwrap().map(|found| found.value.to_vec())
}

fn everything() -> Range<'static> {
    Range { prefix: "", after: None, entries: usize::MAX, bytes: usize::MAX, values: true }
}

/// The sums are those of what is there. Only where nothing expires.
fn check_sums(store: &Store) {
    let page = store.list(&everything()).unwrap();
    let bytes: u64 = page.entries.iter().map(|found| cost(&found.key, found.value.len(), false)).sum();
    let sums = store.sums().unwrap();
    assert_eq!((sums.bytes, sums.entries), (bytes, page.entries.len() as u64));
    assert!(page.entries.iter().all(|found| found.version <= sums.version));
}

/// Numbers of a seed (xorshift).
fn dice(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 11
    }
}

/// Waits for all: they are one transaction, or few.
async fn all<F: Future<Output = Result<Written, WriteError>> + Unpin>(mut writes: Vec<F>) {
    std::future::poll_fn(|context| {
        writes.retain_mut(|write| match std::pin::Pin::new(write).poll(context) {
            std::task::Poll::Ready(written) => {
                written.unwrap();
                false
            }
            std::task::Poll::Pending => true,
        });
        if writes.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}
