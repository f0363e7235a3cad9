//! Who is connected: how many come from one address, and who makes room when all places are taken.
//!
//! Owns that those who ask for nothing keep nobody out: when a newcomer finds no place, connections that have been idle for the longest time
//! are closed. What was closed and refused is counted, and told now and then. Reads no HTTP.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Of all places so many are emptied at once: finding who is idle looks at everybody, so a flood of newcomers pays for a look as seldom.
const PART: usize = 64;

/// How often it is told that connections were closed or refused.
const TOLD: Duration = Duration::from_secs(10);

type Take = Arc<dyn Fn(&str) + Send + Sync>;

/// Takes a line of the server's for whoever runs it. Called from its threads: must not block.
#[derive(Clone, Default)]
pub struct Notes(Option<Take>);

impl Notes {
    /// Lines go there.
    pub fn new(take: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(take)))
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Notes(…)" } else { "Notes(nowhere)" })
    }
}

/// Everybody who is connected.
#[derive(Debug)]
pub(super) struct Crowd {
    most: usize,
    table: Mutex<Table>,
    /// Counts the ends of requests: what has been idle for longer has a smaller number.
    clock: AtomicU64,
    turned_away: Mutex<TurnedAway>,
    notes: Notes,
}

#[derive(Debug, Default)]
struct Table {
    /// Connections that are open.
    by_address: Counts,
    /// Those of them that nobody was asked to leave.
    open: HashMap<u64, Arc<Guest>>,
    next: u64,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Guest {
    /// It is being answered, or waits for others to make room.
    is_asking: AtomicBool,
    /// Its other end has to read before more can be written.
    is_stalled: AtomicBool,
    idle_since: AtomicU64,
    leaves: Notify,
}

/// The place of a connection, until this is dropped.
pub(super) struct Place {
    crowd: Arc<Crowd>,
    key: IpAddr,
    id: u64,
    guest: Arc<Guest>,
}

/// How many were closed and refused, ever and since it was told.
#[derive(Debug, Default)]
struct TurnedAway {
    ever: Away,
    untold: Away,
    /// The last failure to accept.
    failure: String,
    told: Option<Instant>,
}

/// Connections that were closed or refused, by why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Away {
    /// Idle ones, for others.
    pub idle: u64,
    /// More than one address may have.
    pub beyond_address: u64,
    /// How often none could be accepted, for want of descriptors or memory.
    pub unaccepted: u64,
}

impl Crowd {
    /// Nobody, of so many at most.
    pub(super) fn new(most: usize, notes: Notes) -> Arc<Self> {
        let (table, clock, turned_away) = (Mutex::default(), AtomicU64::new(0), Mutex::default());
        Arc::new(Self { most, table, clock, turned_away, notes })
    }

    /// A place for one more of an address, which counts as busy until [`Place::settle`]. None: it has as many as it may.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr, most: u32) -> Option<Place> {
        let mut table = self.table.lock();
        let Some(key) = table.by_address.enter(address, most) else {
            drop(table);
            self.turn_away(|away| away.beyond_address = away.beyond_address.saturating_add(1), None);
            return None;
        };
        let id = table.next;
        table.next = id.saturating_add(1);
        let guest = Arc::new(Guest {
            is_asking: AtomicBool::new(true),
            is_stalled: AtomicBool::new(false),
            idle_since: AtomicU64::new(0),
            leaves: Notify::new(),
        });
        table.open.insert(id, Arc::clone(&guest));
        drop(table);
        Some(Place { crowd: Arc::clone(self), key, id, guest })
    }

    /// Has those leave who have been idle for the longest time: a part of all. False: nobody is idle.
    pub(super) fn make_room(&self) -> bool {
        let mut table = self.table.lock();
        let idle = table.open.iter().filter(|(_, guest)| !guest.is_busy());
        let mut idle: Vec<(u64, u64)> = idle.map(|(id, guest)| (guest.idle_since.load(Relaxed), *id)).collect();
        let part = (self.most / PART).max(1).min(idle.len());
        if part < idle.len() {
            idle.select_nth_unstable(part);
        }
        let leaving = idle.into_iter().take(part).filter_map(|(_, id)| table.open.remove(&id));
        let leaving: Vec<_> = leaving.collect();
        drop(table);
        leaving.iter().for_each(|guest| guest.leaves.notify_one());
        let count = u64::try_from(leaving.len()).unwrap_or(u64::MAX);
        if count > 0 {
            self.turn_away(|away| away.idle = away.idle.saturating_add(count), None);
        }
        count > 0
    }

    /// One couldn't be accepted.
    pub(super) fn unaccepted(&self, failure: &std::io::Error) {
        self.turn_away(|away| away.unaccepted = away.unaccepted.saturating_add(1), Some(failure));
    }

    /// Connections that are open.
    pub(super) fn connections(&self) -> u64 {
        self.table.lock().by_address.sum()
    }

    /// Those that were closed or refused so far.
    pub(super) fn away(&self) -> Away {
        self.turned_away.lock().ever
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Relaxed)
    }

    fn turn_away(&self, count: impl Fn(&mut Away), failure: Option<&std::io::Error>) {
        let now = Instant::now();
        let line = {
            let mut turned = self.turned_away.lock();
            count(&mut turned.ever);
            count(&mut turned.untold);
            if let Some(failure) = failure {
                turned.failure = failure.to_string();
            }
            if turned.told.is_some_and(|told| now.saturating_duration_since(told) < TOLD) {
                return;
            }
            turned.told = Some(now);
            let untold = std::mem::take(&mut turned.untold);
            untold.line(&turned.failure)
        };
        if let Some(take) = &self.notes.0 {
            take(&line);
        }
    }
}

impl Away {
    fn line(self, failure: &str) -> String {
        let Away { idle, beyond_address, unaccepted } = self;
        let parts = [
            (idle, format!("{idle} idle closed for others")),
            (beyond_address, format!("{beyond_address} refused beyond what one address may have")),
            (unaccepted, format!("{unaccepted} times none could be accepted: {failure}")),
        ];
        let parts: Vec<String> = parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, part)| part).collect();
        format!("connections: {}", parts.join(", "))
    }
}

impl Guest {
    fn is_busy(&self) -> bool {
        self.is_asking.load(Relaxed) || self.is_stalled.load(Relaxed)
    }

    /// Whether the other end has to read before more can be written.
    pub(super) fn set_stalled(&self, stalled: bool) {
        self.is_stalled.store(stalled, Relaxed);
    }
}

impl Place {
    /// The connection's part, for who reads and writes.
    pub(super) fn guest(&self) -> &Arc<Guest> {
        &self.guest
    }

    /// It is served from now on.
    pub(super) fn settle(&self) {
        self.guest.idle_since.store(self.crowd.tick(), Relaxed);
        self.guest.is_asking.store(false, Relaxed);
    }

    /// A request has come. It is under way until what is returned is dropped.
    pub(super) fn begin(&self) -> Asking<'_> {
        self.guest.is_asking.store(true, Relaxed);
        Asking(self)
    }

    /// Waits until its place is somebody else's.
    pub(super) async fn leaves(&self) {
        self.guest.leaves.notified().await;
    }

    pub(super) fn is_busy(&self) -> bool {
        self.guest.is_busy()
    }
}

/// A request under way.
pub(super) struct Asking<'p>(&'p Place);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.settle();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.crowd.table.lock();
        let guest = table.open.remove(&self.id);
        table.by_address.leave(self.key);
        drop(table);
        drop(guest);
    }
}

/// How many there are of each address.
#[derive(Debug, Default)]
pub(super) struct Counts(pub(super) HashMap<IpAddr, u32>);

impl Counts {
    /// One more, and what it leaves by. None: of this address there are so many.
    pub(super) fn enter(&mut self, address: IpAddr, most: u32) -> Option<IpAddr> {
        let key = key(address);
        let count = self.0.entry(key).or_default();
        if *count >= most {
            return None;
        }
        *count = count.saturating_add(1);
        Some(key)
    }

    pub(super) fn leave(&mut self, key: IpAddr) {
        if let Some(count) = self.0.get_mut(&key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(&key);
            }
        }
    }

    pub(super) fn sum(&self) -> u64 {
        self.0.values().map(|count| u64::from(*count)).sum()
    }
}

/// Whoever has one address of IPv6 has a network of them.
fn key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_lite::future::{block_on, poll_once};
    use parking_lot::Mutex;

    use super::{Away, Crowd, Notes, Place};

    fn enter(crowd: &Arc<Crowd>, address: &str) -> Option<Place> {
        address.parse().ok().and_then(|address| crowd.enter(address, 2))
    }

    #[test]
    fn an_address_has_so_many_connections_and_a_network_counts_as_one() {
        let crowd = Crowd::new(100, Notes::default());
        let (one, two) = (enter(&crowd, "2001:db8::1"), enter(&crowd, "2001:db8::2"));
        assert!(one.is_some() && two.is_some() && enter(&crowd, "2001:db8::3").is_none());
        assert!(enter(&crowd, "2001:db8:0:1::1").is_some() && enter(&crowd, "10.0.0.1").is_some());
        drop(one);
        assert!(enter(&crowd, "2001:db8::3").is_some());
        drop(two);
        assert!(crowd.table.lock().by_address.0.is_empty() && crowd.table.lock().open.is_empty());
        assert_eq!(crowd.away(), Away { beyond_address: 1, ..Away::default() });
    }

    #[test]
    fn whoever_is_idle_for_the_longest_time_makes_room_and_it_is_told_now_and_then() {
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let told = Arc::clone(&lines);
        let crowd = Crowd::new(3, Notes::new(move |line| told.lock().push(line.to_owned())));
        let all: Vec<_> = (0..4).map(|number| enter(&crowd, &format!("10.0.0.{number}")).unwrap()).collect();
        assert!(!crowd.make_room(), "they aren't served yet");
        all.iter().for_each(Place::settle);
        let asks = all[0].begin();
        // It was the second, and has asked for something since.
        drop(all[1].begin());
        all[2].guest().set_stalled(true);
        let leaves = |place: usize| block_on(poll_once(all[place].leaves())).is_some();
        assert!(crowd.make_room());
        assert_eq!([0, 1, 2, 3].map(leaves), [false, false, false, true]);
        assert!(crowd.make_room() && leaves(1));
        assert!(!crowd.make_room(), "all that are left are busy");
        drop(asks);
        assert!(crowd.make_room() && leaves(0));
        crowd.unaccepted(&std::io::Error::other("no more"));
        assert_eq!(*lines.lock(), ["connections: 1 idle closed for others"]);
        assert_eq!(crowd.away(), Away { idle: 3, unaccepted: 1, ..Away::default() });
        let line = crowd.turned_away.lock().untold.line("no more");
        assert_eq!(line, "connections: 2 idle closed for others, 1 times none could be accepted: no more");
        assert_eq!(crowd.connections(), 4, "open until they have left");
    }
}
