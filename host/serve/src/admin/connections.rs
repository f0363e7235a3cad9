//! The open connections: how many there are, and which of them nobody would miss.
//!
//! Owns the bound: when it is reached, the connection that has been idle for the longest time makes room for the next one, so thousands that
//! ask for nothing keep nobody out. Refuses to know what is spoken.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Connections at once, where nothing else is said. The number: the file descriptors of a program are often 1,024, and the tenants need some.
pub(crate) const CONNECTIONS: usize = 256;
/// Of four of them so many over TCP, where anybody comes in who finds the port: the rest is the Unix sockets' alone, so that no stranger keeps
/// out whoever has the machine.
const REMOTE: usize = 3;

/// The open connections.
pub(crate) struct Connections {
    most: usize,
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    next: AtomicU64,
    /// Counts requests: what ends later is a larger number.
    clock: Arc<AtomicU64>,
}

/// One of them.
pub(crate) struct Connection {
    id: u64,
    /// It came over TCP.
    is_remote: bool,
    /// Requests whose answers aren't handed over.
    requests: AtomicUsize,
    /// The other end has to read before more can be written.
    writes: AtomicBool,
    /// Since when it is idle, by the clock.
    idle_since: AtomicU64,
    clock: Arc<AtomicU64>,
    /// It has to go.
    evicted: Notify,
}

impl Connections {
    /// None so far, of so many at most.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, open: Mutex::default(), next: AtomicU64::new(0), clock: Arc::default() }
    }

    /// A new connection. None: all others are in use, or those over TCP if it is one of them.
    pub(crate) fn enter(&self, is_remote: bool) -> Option<Arc<Connection>> {
        let mut open = self.open.lock();
        let remote = || open.values().filter(|connection| connection.is_remote).count();
        let among_remote = is_remote && remote() >= remote_most(self.most);
        if among_remote || open.len() >= self.most {
            let id = idle(&open, among_remote)?;
            if let Some(idle) = open.remove(&id) {
                idle.evicted.notify_one();
            }
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let clock = Arc::clone(&self.clock);
        let idle_since = AtomicU64::new(clock.fetch_add(1, Ordering::Relaxed));
        let connection = Arc::new(Connection {
            id,
            is_remote,
            requests: AtomicUsize::new(0),
            writes: AtomicBool::new(false),
            idle_since,
            clock,
            evicted: Notify::new(),
        });
        open.insert(id, Arc::clone(&connection));
        Some(connection)
    }

    /// It is closed.
    pub(crate) fn leave(&self, connection: &Connection) {
        self.open.lock().remove(&connection.id);
    }

    /// Closes the one that has been idle for the longest time, if there is one.
    pub(crate) fn evict(&self) {
        let mut open = self.open.lock();
        if let Some(idle) = idle(&open, false).and_then(|id| open.remove(&id)) {
            idle.evicted.notify_one();
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.open.lock().len()
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }
}

/// How many of so many may come over TCP.
fn remote_most(most: usize) -> usize {
    most.saturating_mul(REMOTE).div_ceil(4)
}

fn idle(open: &HashMap<u64, Arc<Connection>>, among_remote: bool) -> Option<u64> {
    let idle = open.values().filter(|connection| connection.is_idle() && (connection.is_remote || !among_remote));
    idle.min_by_key(|connection| connection.idle_since.load(Ordering::Relaxed)).map(|connection| connection.id)
}

impl Connection {
    fn is_idle(&self) -> bool {
        self.requests.load(Ordering::Relaxed) == 0 && !self.writes.load(Ordering::Relaxed)
    }

    /// Whether the other end has to read before more can be written.
    pub(crate) fn set_writes(&self, writes: bool) {
        self.writes.store(writes, Ordering::Relaxed);
    }

    /// Somebody needs its place.
    pub(crate) async fn evicted(&self) {
        self.evicted.notified().await;
    }

    /// A request has come.
    pub(crate) fn begin(self: &Arc<Self>) -> Busy {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }
}

/// A request under way, until it is dropped.
pub(crate) struct Busy(Arc<Connection>);

impl Drop for Busy {
    fn drop(&mut self) {
        let Connection { requests, idle_since, clock, .. } = &*self.0;
        idle_since.store(clock.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        requests.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_lite::future::{block_on, poll_once};

    use super::{CONNECTIONS, Connections, remote_most};

    fn is_evicted(connection: &super::Connection) -> bool {
        block_on(poll_once(connection.evicted())).is_some()
    }

    #[test]
    fn whoever_is_idle_for_the_longest_time_makes_room() {
        let connections = Connections::new(CONNECTIONS);
        let all: Vec<_> = (0..CONNECTIONS).map(|_| connections.enter(false).unwrap()).collect();
        let asks = all[0].begin();
        // It was the second, and has asked for something since.
        drop(all[1].begin());
        all[2].set_writes(true);
        let newcomer = connections.enter(false).unwrap();
        assert_eq!(connections.count(), CONNECTIONS);
        let evicted: Vec<_> = (0..CONNECTIONS).filter(|place| is_evicted(&all[*place])).collect();
        assert_eq!(evicted, [3]);
        drop(asks);
        connections.leave(&newcomer);
        connections.leave(&newcomer);
        assert_eq!(connections.count(), CONNECTIONS - 1);
        connections.evict();
        assert!(is_evicted(&all[4]));
    }

    #[test]
    fn when_all_are_in_use_a_newcomer_is_turned_away() {
        let connections = Connections::new(CONNECTIONS);
        let all: Vec<_> = (0..CONNECTIONS).map(|_| connections.enter(false).unwrap()).collect();
        let busy: Vec<_> = all.iter().map(|connection| connection.begin()).collect();
        assert!(connections.enter(false).is_none());
        drop(busy);
        assert!(connections.enter(false).is_some());
    }

    #[test]
    fn strangers_leave_room_for_the_sockets_of_the_machine() {
        let connections = Connections::new(CONNECTIONS);
        let local = connections.enter(false).unwrap();
        let strangers: Vec<_> = (0..remote_most(CONNECTIONS)).map(|_| connections.enter(true).unwrap()).collect();
        let mut busy: Vec<_> = strangers.iter().map(|connection| connection.begin()).collect();
        assert!(connections.enter(true).is_none() && connections.enter(false).is_some());
        // Nor does one of them take the place of one that is idle there.
        busy.pop();
        assert!(connections.enter(true).is_some());
        assert!(is_evicted(&strangers[191]) && !is_evicted(&local));
    }
}
