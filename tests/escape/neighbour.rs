//! A quiet process of another node on the engine under attack: it ticks every five milliseconds. Owns the measuring of how
//! late it was.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use lunarium_engine::{
    Chunk, Definition, Engine, EntryId, Handle, HostDefinition, HostId, Level, LogField, Node, NodeConfig, Output,
    ProcessLabel, SpawnRequest,
};

const PERIOD: Duration = Duration::from_millis(5);

/// How long to wait for it before it counts as gone: no measure, only an end for a test that would hang.
const GONE: Duration = Duration::from_secs(60);

pub struct Neighbour {
    _node: Node,
    process: Handle,
    ticks: Arc<Ticks>,
}

struct Ticks(Mutex<Seen>);

struct Seen {
    count: u64,
    last: Instant,
    worst: Duration,
}

impl Seen {
    fn late(&self) -> Duration {
        self.last.elapsed().saturating_sub(PERIOD)
    }
}

impl Ticks {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Output for Ticks {
    fn print(&self, _: &ProcessLabel, _: &str) -> bool {
        let mut seen = self.seen();
        seen.count += 1;
        seen.worst = seen.worst.max(seen.late());
        seen.last = Instant::now();
        true
    }

    fn on_ready(&self, waker: Waker) {
        waker.wake();
    }

    fn log(&self, _: &ProcessLabel, _: Level, _: &str, _: &[LogField]) {}
}

impl Neighbour {
    /// `source`: a program that prints every five milliseconds.
    pub fn new(engine: &Engine, source: &str) -> Neighbour {
        let ticks = Arc::new(Ticks(Mutex::new(Seen { count: 0, last: Instant::now(), worst: Duration::ZERO })));
        let node = Node::start_on(engine, NodeConfig::new(Arc::<Ticks>::clone(&ticks))).expect("a node");
        let (entry, host) = (EntryId::new("quiet:main"), HostId::new("quiet:processes"));
        node.add_host(HostDefinition::new(host.clone())).expect("a fresh node");
        node.define(Definition::new(entry.clone(), Chunk::new("@quiet.lua", source)));
        let process = node.spawn(SpawnRequest::new(entry, host)).expect("a process");
        let neighbour = Neighbour { _node: node, process, ticks };
        neighbour.wait(2);
        neighbour
    }

    /// Waits until it has ticked so often. False: it is gone.
    pub fn wait(&self, ticks: u64) -> bool {
        let (wanted, begin) = (self.ticks.seen().count + ticks, Instant::now());
        while self.ticks.seen().count < wanted {
            if self.process.outcome().is_some() || begin.elapsed() > GONE {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }

    /// Forgets how late it was.
    pub fn forget(&self) {
        self.wait(1);
        self.ticks.seen().worst = Duration::ZERO;
    }

    /// The most that it was late since [`Neighbour::forget`]. None: it is gone.
    pub fn worst(&self) -> Option<Duration> {
        self.wait(1).then(|| self.ticks.seen().worst)
    }
}
