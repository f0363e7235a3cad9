//! Who is connected to the server: how many come from one address, and who makes room when all places are taken.
//!
//! Owns that those who ask for nothing keep nobody out: when a newcomer finds no place, connections that have been idle for the longest time
//! are closed. What was closed and refused is counted, and told now and then. Reads no HTTP.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::clients::{Activity, Addresses, Away, Busy, Key, Reader};
use crate::metrics::ConnectionsReading;

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
    clock: Arc<AtomicU64>,
    turned_away: Mutex<TurnedAway>,
    notes: Notes,
}

#[derive(Debug, Default)]
struct Table {
    /// Connections that are open.
    by_address: Addresses,
    /// Those of them that nobody was asked to leave.
    open: HashMap<u64, Arc<Activity>>,
    next: u64,
}

/// The place of a connection, until this is dropped.
pub(super) struct Place {
    crowd: Arc<Crowd>,
    key: Key,
    id: u64,
    activity: Arc<Activity>,
    /// It isn't served yet.
    arrives: Option<Busy<Arc<Activity>>>,
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

impl Crowd {
    /// Nobody, of so many at most.
    pub(super) fn new(most: usize, notes: Notes) -> Arc<Self> {
        let (table, clock, turned_away) = (Mutex::default(), Arc::default(), Mutex::default());
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
        let activity = Arc::new(Activity::new(&self.clock));
        let arrives = Some(Busy::begin(Arc::clone(&activity)));
        table.open.insert(id, Arc::clone(&activity));
        drop(table);
        Some(Place { crowd: Arc::clone(self), key, id, activity, arrives })
    }

    /// Has those leave who have been idle for the longest time: a part of all. False: nobody is idle.
    pub(super) fn make_room(&self) -> bool {
        let mut table = self.table.lock();
        let idle = table.open.iter().filter(|(_, activity)| activity.is_idle());
        let mut idle: Vec<(u64, u64)> = idle.map(|(id, activity)| (activity.idle_since(), *id)).collect();
        let part = (self.most / PART).max(1).min(idle.len());
        if part < idle.len() {
            idle.select_nth_unstable(part);
        }
        let leaving = idle.into_iter().take(part).filter_map(|(_, id)| table.open.remove(&id));
        let leaving: Vec<_> = leaving.collect();
        drop(table);
        leaving.iter().for_each(|activity| activity.leave());
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

    /// What is told of them in the metrics.
    pub(super) fn reading(&self) -> ConnectionsReading {
        ConnectionsReading { server: "requests", open: self.connections(), away: self.turned_away.lock().ever }
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
            line(untold, &turned.failure)
        };
        if let Some(take) = &self.notes.0 {
            take(&line);
        }
    }
}

/// What is told in words; this server has other reasons not.
fn line(away: Away, failure: &str) -> String {
    let Away { idle, beyond_address, unaccepted, .. } = away;
    let parts = [
        (idle, format!("{idle} idle closed for others")),
        (beyond_address, format!("{beyond_address} refused beyond what one address may have")),
        (unaccepted, format!("{unaccepted} times none could be accepted: {failure}")),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, part)| part).collect();
    format!("connections: {}", parts.join(", "))
}

impl Reader for Arc<Activity> {
    fn stalls(&self) -> bool {
        self.set_stalled(true);
        true
    }

    fn reads(&self) {
        self.set_stalled(false);
    }
}

impl Place {
    /// The connection's part, for who reads and writes.
    pub(super) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// It is served from now on.
    pub(super) fn settle(&mut self) {
        self.arrives = None;
    }

    /// A request has come. It is under way until what is returned is dropped.
    pub(super) fn begin(&self) -> Busy<&Activity> {
        Busy::begin(&self.activity)
    }

    /// Waits until its place is somebody else's.
    pub(super) async fn leaves(&self) {
        self.activity.leaves().await;
    }

    pub(super) fn is_busy(&self) -> bool {
        !self.activity.is_idle()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.crowd.table.lock();
        let activity = table.open.remove(&self.id);
        table.by_address.leave(self.key);
        drop(table);
        drop(activity);
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

    fn away(crowd: &Crowd) -> Away {
        crowd.reading().away
    }

    #[test]
    fn an_address_has_so_many_connections() {
        let crowd = Crowd::new(100, Notes::default());
        let (one, two) = (enter(&crowd, "10.0.0.1"), enter(&crowd, "10.0.0.1"));
        assert!(one.is_some() && two.is_some() && enter(&crowd, "10.0.0.1").is_none());
        assert!(enter(&crowd, "10.0.0.2").is_some());
        drop(one);
        assert!(enter(&crowd, "10.0.0.1").is_some());
        drop(two);
        assert!(crowd.connections() == 0 && crowd.table.lock().open.is_empty());
        assert_eq!(away(&crowd), Away { beyond_address: 1, ..Away::default() });
    }

    #[test]
    fn whoever_is_idle_for_the_longest_time_makes_room_and_it_is_told_now_and_then() {
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let told = Arc::clone(&lines);
        let crowd = Crowd::new(3, Notes::new(move |line| told.lock().push(line.to_owned())));
        let mut all: Vec<_> = (0..4).map(|number| enter(&crowd, &format!("10.0.0.{number}")).unwrap()).collect();
        assert!(!crowd.make_room(), "they aren't served yet");
        all.iter_mut().for_each(Place::settle);
        let asks = all[0].begin();
        // It was the second, and has asked for something since.
        drop(all[1].begin());
        all[2].activity().set_stalled(true);
        let leaves = |place: usize| block_on(poll_once(all[place].leaves())).is_some();
        assert!(crowd.make_room());
        assert_eq!([0, 1, 2, 3].map(leaves), [false, false, false, true]);
        assert!(crowd.make_room() && leaves(1));
        assert!(!crowd.make_room(), "all that are left are busy");
        drop(asks);
        assert!(crowd.make_room() && leaves(0));
        crowd.unaccepted(&std::io::Error::other("no more"));
        assert_eq!(*lines.lock(), ["connections: 1 idle closed for others"]);
        assert_eq!(away(&crowd), Away { idle: 3, unaccepted: 1, ..Away::default() });
        let line = super::line(crowd.turned_away.lock().untold, "no more");
        assert_eq!(line, "connections: 2 idle closed for others, 1 times none could be accepted: no more");
        assert_eq!(crowd.connections(), 4, "open until they have left");
    }
}
