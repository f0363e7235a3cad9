//! The open connections: how many there are, which of them nobody would miss, and which don't read.
//!
//! Owns the bounds: when all places are taken, the connection that has been idle for the longest time makes room for the next one, so
//! thousands that ask for nothing keep nobody out; and of one address so many may leave unread what they have asked for. Refuses to know what is
//! spoken.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parking_lot::Mutex;

use crate::clients::{Activity, Addresses, Away, Busy, Key};
use crate::metrics::ConnectionsReading;

/// Connections at once, where nothing else is said. The number: the file descriptors of a program are often 1,024, and the tenants need some.
pub(crate) const CONNECTIONS: usize = 256;
/// Of four of them so many over TCP, where anybody comes in who finds the port: the rest is the Unix sockets' alone, so that no stranger keeps
/// out whoever has the machine.
const REMOTE: usize = 3;
/// Connections over TCP of one address whose other end has to read before more can be written. The number: an eighth of the streams that there
/// may be. At the limit: the one that would be one more is closed.
pub(crate) const UNREAD: u32 = 8;

/// The open connections.
pub(crate) struct Connections {
    most: usize,
    table: Mutex<Table>,
    clock: Arc<AtomicU64>,
}

#[derive(Default)]
struct Table {
    open: HashMap<u64, Arc<Connection>>,
    next: u64,
    /// Those over TCP that don't read.
    unread: Addresses,
    away: Away,
}

/// One of them.
pub(crate) struct Connection {
    id: u64,
    /// Whose it is, if it came over TCP.
    address: Option<IpAddr>,
    activity: Arc<Activity>,
    /// It counts as one that doesn't read.
    unread: Mutex<Option<Key>>,
}

impl Connections {
    /// None so far, of so many at most.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, table: Mutex::default(), clock: Arc::default() }
    }

    /// A new connection, of this address if it came over TCP. None: all others are in use, or those over TCP if it is one of them.
    pub(crate) fn enter(&self, address: Option<IpAddr>) -> Option<Arc<Connection>> {
        let mut table = self.table.lock();
        let remote = || table.open.values().filter(|connection| connection.address.is_some()).count();
        let among_remote = address.is_some() && remote() >= remote_most(self.most);
        if (among_remote || table.open.len() >= self.most) && !table.evict(among_remote) {
            table.away.no_place = table.away.no_place.saturating_add(1);
            return None;
        }
        let id = table.next;
        table.next = id.saturating_add(1);
        let activity = Arc::new(Activity::new(&self.clock));
        let connection = Arc::new(Connection { id, address, activity, unread: Mutex::default() });
        table.open.insert(id, Arc::clone(&connection));
        Some(connection)
    }

    /// It is closed.
    pub(crate) fn leave(&self, connection: &Connection) {
        self.reads(connection);
        self.table.lock().open.remove(&connection.id);
    }

    /// One couldn't be accepted. The one that has been idle for the longest time is closed, if there is one.
    pub(crate) fn unaccepted(&self) {
        let mut table = self.table.lock();
        table.away.unaccepted = table.away.unaccepted.saturating_add(1);
        table.evict(false);
    }

    /// The other end has to read before more can be written. False: so many of its address have to already.
    pub(crate) fn stalls(&self, connection: &Connection) -> bool {
        connection.activity.set_stalled(true);
        let Some(address) = connection.address else { return true };
        let mut table = self.table.lock();
        let key = table.unread.enter(address, UNREAD);
        if key.is_none() {
            table.away.unread = table.away.unread.saturating_add(1);
        }
        *connection.unread.lock() = key;
        key.is_some()
    }

    /// It has read all of it.
    pub(crate) fn reads(&self, connection: &Connection) {
        connection.activity.set_stalled(false);
        let key = connection.unread.lock().take();
        if let Some(key) = key {
            self.table.lock().unread.leave(key);
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.table.lock().open.len()
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// What is told of them in the metrics.
    pub(crate) fn reading(&self) -> ConnectionsReading {
        let table = self.table.lock();
        let open = u64::try_from(table.open.len()).unwrap_or(u64::MAX);
        ConnectionsReading { server: "admin", open, away: table.away }
    }
}

/// How many of so many may come over TCP.
fn remote_most(most: usize) -> usize {
    most.saturating_mul(REMOTE).div_ceil(4)
}

impl Table {
    /// Has the one leave that has been idle for the longest time. False: there is none.
    fn evict(&mut self, among_remote: bool) -> bool {
        let fits = |connection: &&Arc<Connection>| {
            connection.activity.is_idle() && (connection.address.is_some() || !among_remote)
        };
        let idle = self.open.values().filter(fits).min_by_key(|connection| connection.activity.idle_since());
        let Some(idle) = idle.map(|connection| connection.id).and_then(|id| self.open.remove(&id)) else {
            return false;
        };
        idle.activity.leave();
        self.away.idle = self.away.idle.saturating_add(1);
        true
    }
}

impl Connection {
    /// A request has come. It is under way until what is returned is dropped.
    pub(crate) fn begin(&self) -> Busy<Arc<Activity>> {
        Busy::begin(Arc::clone(&self.activity))
    }

    /// Waits until its place is somebody else's.
    pub(crate) async fn leaves(&self) {
        self.activity.leaves().await;
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;

    use futures_lite::future::{block_on, poll_once};

    use super::{Away, CONNECTIONS, Connection, Connections, UNREAD, remote_most};

    const STRANGER: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));

    fn leaves(connection: &Connection) -> bool {
        block_on(poll_once(connection.leaves())).is_some()
    }

    fn all(connections: &Connections) -> Vec<Arc<Connection>> {
        (0..CONNECTIONS).map(|_| connections.enter(None).unwrap()).collect()
    }

    #[test]
    fn whoever_is_idle_for_the_longest_time_makes_room() {
        let connections = Connections::new(CONNECTIONS);
        let all = all(&connections);
        let asks = all[0].begin();
        // It was the second, and has asked for something since.
        drop(all[1].begin());
        assert!(connections.stalls(&all[2]));
        let newcomer = connections.enter(None).unwrap();
        assert_eq!(connections.count(), CONNECTIONS);
        let left: Vec<_> = (0..CONNECTIONS).filter(|place| leaves(&all[*place])).collect();
        assert_eq!(left, [3]);
        drop(asks);
        connections.leave(&newcomer);
        connections.leave(&newcomer);
        assert_eq!(connections.count(), CONNECTIONS - 1);
        connections.unaccepted();
        assert!(leaves(&all[4]));
        assert_eq!(connections.reading().away, Away { idle: 2, unaccepted: 1, ..Away::default() });
    }

    #[test]
    fn when_all_are_in_use_a_newcomer_is_turned_away() {
        let connections = Connections::new(CONNECTIONS);
        let all = all(&connections);
        let busy: Vec<_> = all.iter().map(|connection| connection.begin()).collect();
        assert!(connections.enter(None).is_none());
        assert_eq!(connections.reading().away, Away { no_place: 1, ..Away::default() });
        drop(busy);
        assert!(connections.enter(None).is_some());
    }

    #[test]
    fn strangers_leave_room_for_the_sockets_of_the_machine() {
        let connections = Connections::new(CONNECTIONS);
        let local = connections.enter(None).unwrap();
        let strangers: Vec<_> = (0..remote_most(CONNECTIONS)).map(|_| connections.enter(STRANGER).unwrap()).collect();
        let mut busy: Vec<_> = strangers.iter().map(|connection| connection.begin()).collect();
        assert!(connections.enter(STRANGER).is_none() && connections.enter(None).is_some());
        // Nor does one of them take the place of one that is idle there.
        busy.pop();
        assert!(connections.enter(STRANGER).is_some());
        assert!(leaves(&strangers[191]) && !leaves(&local));
    }

    #[test]
    fn of_one_address_few_may_not_read() {
        let connections = Connections::new(CONNECTIONS);
        let of = |address: Option<IpAddr>| connections.enter(address).unwrap();
        let slow: Vec<_> = (0..UNREAD).map(|_| of(STRANGER)).collect();
        assert!(slow.iter().all(|connection| connections.stalls(connection)));
        let beyond = of(STRANGER);
        assert!(!connections.stalls(&beyond));
        connections.leave(&beyond);
        assert_eq!(connections.reading().away, Away { unread: 1, ..Away::default() });
        // Others may, and who has the machine; and the same one when one of its own has read, or is gone.
        assert!(connections.stalls(&of(Some(Ipv4Addr::LOCALHOST.into()))) && connections.stalls(&of(None)));
        connections.reads(&slow[0]);
        connections.leave(&slow[1]);
        assert!([STRANGER; 2].map(of).iter().all(|connection| connections.stalls(connection)));
        assert!(!connections.stalls(&of(STRANGER)));
    }
}
