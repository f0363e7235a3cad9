//! What every measurement needs: a node, definitions, what the process holds of the machine, and medians.

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use lunarium_engine::{
    Chunk, Definition, EntryId, Handle, HostDefinition, HostId, Level, LogField, Node, NodeConfig, Outcome, Output,
    ProcessLabel, SpawnRequest, Value,
};

pub(crate) const HOST: &str = "bench:processes";

pub(crate) struct Bench {
    pub(crate) node: Node,
    pub(crate) output: Arc<LastPrint>,
}

/// Remembers when the last line was printed.
#[derive(Default)]
pub(crate) struct LastPrint(Mutex<Option<Instant>>);

impl LastPrint {
    pub(crate) fn take(&self) -> Option<Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Output for LastPrint {
    fn print(&self, _: &ProcessLabel, _: &str) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        true
    }

    fn on_ready(&self, waker: Waker) {
        waker.wake();
    }

    fn log(&self, process: &ProcessLabel, level: Level, message: &str, _: &[LogField]) {
        eprintln!("{level:?} {}: {message}", process.frame);
    }
}

impl Bench {
    pub(crate) fn new() -> Bench {
        let output = Arc::new(LastPrint::default());
        let node = Node::start(NodeConfig::new(Arc::<LastPrint>::clone(&output)))
            .unwrap_or_else(|error| fail(&format!("no node: {error}")));
        let mut host = HostDefinition::new(HostId::new(HOST));
        host.max_processes = node.engine().max_processes();
        host.limits.memory = 512 << 20;
        host.limits.cpu = Duration::from_secs(600);
        node.add_host(host).unwrap_or_else(|error| fail(&format!("no host: {error}")));
        Bench { node, output }
    }

    pub(crate) fn define(&self, entry: &str, source: &str) -> EntryId {
        let id = EntryId::new(entry);
        let chunk = Chunk::new(format!("@{entry}.lua"), source);
        self.node.define(Definition::new(id.clone(), chunk));
        id
    }

    pub(crate) fn spawn(&self, entry: &EntryId, arguments: Vec<Value>) -> Handle {
        let mut request = SpawnRequest::new(entry.clone(), HostId::new(HOST));
        request.arguments = arguments;
        self.node.spawn(request).unwrap_or_else(|error| fail(&format!("cannot spawn {entry}: {error}")))
    }

    /// Runs an entry to its end and gives its result.
    pub(crate) fn run(&self, entry: &EntryId) -> Value {
        self.finish(&self.spawn(entry, Vec::new()))
    }

    pub(crate) fn finish(&self, handle: &Handle) -> Value {
        match handle.wait_blocking() {
            Outcome::Completed(result) => {
                Value::decode(&result).unwrap_or_else(|error| fail(&format!("bad result: {error}")))
            }
            Outcome::Failed(failure) => fail(&format!("{} failed: {failure:?}", handle.pid())),
        }
    }
}

/// What the operating system holds for this whole process, in bytes.
pub(crate) struct Footprint {
    pub(crate) private: u64,
    pub(crate) tables: u64,
    pub(crate) mappings: u64,
}

impl Footprint {
    pub(crate) fn now() -> Footprint {
        let rollup = fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
        Footprint {
            private: kib(&rollup, "Private_Clean:") + kib(&rollup, "Private_Dirty:"),
            tables: kib(&status, "VmPTE:"),
            mappings: maps.lines().count() as u64,
        }
    }
}

fn kib(text: &str, key: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or_else(|_| fail(&format!("no {key}"))) * 1024
}

pub(crate) fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// A benchmark that can't measure has nothing else to say.
#[allow(clippy::exit, reason = "a benchmark's failure ends it")]
pub(crate) fn fail(text: &str) -> ! {
    eprintln!("bench: {text}");
    std::process::exit(1)
}
