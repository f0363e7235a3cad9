//! What has happened on a node, for whoever attends: the last events, in one order for all readers.
//!
//! Owns that nobody who attends can hold up who works, and that nobody who doesn't costs more than a look: the events stand once, in a
//! ring of a fixed length, whoever is too slow for it is told how many it has missed. Events are noted where they happen, also
//! under the kernel's lock; readers are woken outside of it. Refuses to know what an event means.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use futures_lite::Stream;
use futures_lite::future::{block_on, poll_fn};
use parking_lot::Mutex;

use super::NodeEvent;
use lunarium_schedule::contain;

/// Events that are kept for readers. At the limit: the oldest is dropped, and counted for each reader that hasn't had it. The
/// number: a burst of a few hundred starts and ends fits; with the largest texts it is 2 MiB, once for a node that somebody attends.
pub(crate) const KEPT: usize = 1_024;

#[derive(Default)]
pub(crate) struct Journal {
    /// How many read; written under the lock alone.
    readers: AtomicUsize,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    kept: VecDeque<NodeEvent>,
    /// The number of the next event.
    next: u64,
    /// Who reads, with who is to be woken.
    readers: BTreeMap<u64, Option<Waker>>,
    last_reader: u64,
    /// Nothing happens any more.
    closed: bool,
}

impl Journal {
    /// Whether anybody attends. Most nodes pay for this one look.
    pub(crate) fn is_read(&self) -> bool {
        self.readers.load(Ordering::Relaxed) > 0
    }

    /// Notes an event, if anybody attends. Wakes nobody: it may be called under any lock.
    pub(crate) fn note(&self, event: impl FnOnce() -> NodeEvent) {
        if !self.is_read() {
            return;
        }
        let event = event();
        let mut log = self.log.lock();
        if log.readers.is_empty() {
            return;
        }
        let oldest = if log.kept.len() < KEPT { None } else { log.kept.pop_front() };
        log.kept.push_back(event);
        log.next = log.next.saturating_add(1);
        drop(log);
        drop(oldest);
    }

    /// Wakes who waits for events. Their wakers are strangers, so no lock may be held.
    pub(crate) fn wake(&self) {
        if self.is_read() {
            self.wake_all();
        }
    }

    fn wake_all(&self) {
        let wakers: Vec<Waker> = self.log.lock().readers.values_mut().filter_map(Option::take).collect();
        wakers.into_iter().for_each(|waker| contain(|| waker.wake()));
    }

    /// Nothing happens any more: who has read everything is told so.
    pub(crate) fn close(&self) {
        self.log.lock().closed = true;
        self.wake_all();
    }

    /// A reader of what happens from now on.
    pub(crate) fn attend(self: &Arc<Journal>) -> Events {
        let mut log = self.log.lock();
        let id = log.last_reader.saturating_add(1);
        log.last_reader = id;
        log.readers.insert(id, None);
        self.readers.store(log.readers.len(), Ordering::Relaxed);
        let next = log.next;
        drop(log);
        Events { journal: Arc::clone(self), id, next }
    }
}

impl Log {
    fn first(&self) -> u64 {
        self.next.saturating_sub(u64::try_from(self.kept.len()).unwrap_or(u64::MAX))
    }
}

/// What happens on a node, from [`Node::events`](crate::Node::events) on: one event after the other, by [`Events::next`], as a
/// [`Stream`], or blocking. Any number may read, each has all. It doesn't keep the node.
///
/// At the limit: of 1,024 events that weren't read the oldest are lost, and [`NodeEvent::Missed`] says how many. Nobody ever waits for
/// a reader.
pub struct Events {
    journal: Arc<Journal>,
    id: u64,
    /// The number of the next event to read.
    next: u64,
}

impl Events {
    /// The next event. None: the node has ended, and this was all.
    ///
    /// Cancel safety: nothing is lost.
    pub async fn next(&mut self) -> Option<NodeEvent> {
        poll_fn(|context| self.poll(context)).await
    }

    /// The same, blocking the thread. Not for a thread that runs async tasks.
    pub fn next_blocking(&mut self) -> Option<NodeEvent> {
        block_on(self.next())
    }

    /// The next event if there is one.
    pub fn try_next(&mut self) -> Option<NodeEvent> {
        let journal = Arc::clone(&self.journal);
        self.take(&journal.log.lock())
    }

    fn take(&mut self, log: &Log) -> Option<NodeEvent> {
        let first = log.first();
        if self.next < first {
            let missed = first.saturating_sub(self.next);
            self.next = first;
            return Some(NodeEvent::Missed { events: missed });
        }
        let place = usize::try_from(self.next.saturating_sub(first)).ok()?;
        let event = log.kept.get(place)?.clone();
        self.next = self.next.saturating_add(1);
        Some(event)
    }

    fn poll(&mut self, context: &Context<'_>) -> Poll<Option<NodeEvent>> {
        // Cloned and dropped outside of the lock: it is a stranger's.
        let waker = context.waker().clone();
        let journal = Arc::clone(&self.journal);
        let mut log = journal.log.lock();
        if let Some(event) = self.take(&log) {
            return Poll::Ready(Some(event));
        }
        if log.closed {
            return Poll::Ready(None);
        }
        let before = log.readers.get_mut(&self.id).and_then(|kept| kept.replace(waker));
        drop(log);
        drop(before);
        Poll::Pending
    }
}

impl Stream for Events {
    type Item = NodeEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<NodeEvent>> {
        self.poll(context)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let mut log = self.journal.log.lock();
        let waker = log.readers.remove(&self.id);
        self.journal.readers.store(log.readers.len(), Ordering::Relaxed);
        // Nobody is left who would read them.
        let kept = if log.readers.is_empty() { std::mem::take(&mut log.kept) } else { VecDeque::new() };
        drop(log);
        drop((waker, kept));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_lite::future::{block_on, or};
    use lunarium_kernel::EntryId;

    use super::{Events, Journal, KEPT};
    use crate::NodeEvent;

    fn note(journal: &Journal, number: usize) {
        journal.note(|| event(number));
    }

    fn event(number: usize) -> NodeEvent {
        let service = EntryId::new(number.to_string());
        NodeEvent::Service { service: service.clone(), change: crate::ServiceStep::NotStarted { needs: service } }
    }

    fn rest(events: &mut Events) -> Vec<NodeEvent> {
        std::iter::from_fn(|| events.try_next()).collect()
    }

    #[test]
    fn each_reader_has_what_happens_while_it_attends_and_nobody_else_is_asked_for_it() {
        let journal = Arc::new(Journal::default());
        journal.note(|| unreachable!("nobody attends"));
        let mut first = journal.attend();
        note(&journal, 1);
        let mut second = journal.attend();
        note(&journal, 2);
        assert_eq!(rest(&mut first), [event(1), event(2)]);
        assert_eq!(rest(&mut second), [event(2)]);
        drop(first);
        note(&journal, 3);
        assert_eq!(rest(&mut second), [event(3)]);
        drop(second);
        journal.note(|| unreachable!("nobody attends"));
        assert_eq!(journal.log.lock().kept.capacity(), 0);
        assert_eq!(rest(&mut journal.attend()), []);
    }

    #[test]
    fn who_lags_is_told_how_much_it_has_missed() {
        let journal = Arc::new(Journal::default());
        let (mut slow, mut quick) = (journal.attend(), journal.attend());
        for number in 0..KEPT + 3 {
            note(&journal, number);
            assert_eq!(quick.try_next(), Some(event(number)));
        }
        assert_eq!(slow.try_next(), Some(NodeEvent::Missed { events: 3 }));
        assert_eq!(slow.try_next(), Some(event(3)));
        assert_eq!((rest(&mut slow).len(), rest(&mut quick).len()), (KEPT - 1, 0));
    }

    #[test]
    fn who_waits_is_woken_by_an_event_and_by_the_end() {
        let journal = Arc::new(Journal::default());
        let mut events = journal.attend();
        let noted = async {
            note(&journal, 1);
            journal.wake();
            std::future::pending().await
        };
        assert_eq!(block_on(or(events.next(), noted)), Some(event(1)));
        let closed = async {
            journal.close();
            std::future::pending().await
        };
        assert_eq!(block_on(or(events.next(), closed)), None);
    }
}
