//! What a node is made of: its limits, its part of the workers, where it writes. Owns the defaults.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lunarium_kernel::{LOG_BYTES, NodeLimits};

use crate::process::Output;
use lunarium_schedule::Portion;

/// What a node is made of. Everything a process can reach outside of the node stands here. Made by [`NodeConfig::new`].
#[derive(Clone)]
#[non_exhaustive]
pub struct NodeConfig {
    /// Processes alive at once, 1 or more; 8,000 by default. At the limit: `spawn` is refused, `ResourceExhausted`.
    pub max_processes: u32,
    /// Bytes that all its processes may hold together. None, the default: the engine's, which counts also when it is less.
    /// Counted is whatever they can choose the size of. At the limit: `spawn` and `send` are refused, and memory doesn't grow: a Lua error.
    pub memory: Option<u64>,
    /// Bytes of the engine's memory that stay free for it whatever the other nodes hold; 0 by default.
    pub reserve: u64,
    /// Bytes that all its processes may log in a second; 4 MiB by default. Half is for whoever comes first, the other half
    /// for all who log, in equal parts. At the limit: lines are dropped and counted.
    pub log_bytes: u64,
    /// Its part of the workers beside other nodes of the engine, one of [`Portion::WEIGHTS`]; 100 by default. While two nodes
    /// have more to run than there are workers, one of twice the weight gets twice the time, however many processes each
    /// has; what one doesn't need the others get.
    pub cpu_weight: u32,
    /// CPU time of all its processes in a second at most, one of [`Portion::MOSTS`]: 500 ms is half a core. None, the default:
    /// all that there is. At the limit: they rest until the allowance has grown again; who has used nothing for a while has
    /// that of 100 ms saved up.
    pub cpu_max: Option<Duration>,
    /// Links between all processes; a million by default. At the limit: `link` and a linked spawn are refused,
    /// `ResourceExhausted`. One takes about 42 bytes.
    pub max_links: u32,
    /// Monitors of all processes, as for links.
    pub max_monitors: u32,
    /// A process with neither actor nor scope may do nothing to others; false by default: it may do everything.
    pub strict: bool,
    /// Each start and each end of a process is a line of the log, at debug level; false by default. They count to what may be logged.
    pub debug: bool,
    /// What all chance of its processes follows from, by their pids: `math.random`, `random.bytes`, UUIDs. For tests, which can be
    /// run again then. None, the default: a key from the operating system, which nobody knows.
    pub seed: Option<u64>,
    /// Time stands still on the node, at first at this one, and goes on by [`Node::advance`](crate::Node::advance) alone: for tests, in
    /// which nothing waits then and timers fire in order. CPU time is the machine's all the same. None, the default: it goes by.
    pub still: Option<SystemTime>,
    /// Where processes print and log.
    pub output: Arc<dyn Output>,
}

impl NodeConfig {
    /// The defaults, with this output.
    pub fn new(output: Arc<dyn Output>) -> NodeConfig {
        let NodeLimits { max_processes, max_links, max_monitors } = NodeLimits::default();
        NodeConfig {
            max_processes,
            memory: None,
            reserve: 0,
            log_bytes: LOG_BYTES,
            cpu_weight: Portion::WEIGHT,
            cpu_max: None,
            max_links,
            max_monitors,
            strict: false,
            seed: None,
            still: None,
            debug: false,
            output,
        }
    }

    /// The same with room for this many processes.
    #[must_use]
    pub fn with_max_processes(self, max_processes: u32) -> NodeConfig {
        NodeConfig { max_processes, ..self }
    }

    /// The same with this many bytes for all its processes, some of them kept free for it.
    #[must_use]
    pub fn with_memory(self, memory: u64, reserve: u64) -> NodeConfig {
        NodeConfig { memory: Some(memory), reserve, ..self }
    }

    /// The same with this many bytes of log lines in a second.
    #[must_use]
    pub fn with_log_bytes(self, log_bytes: u64) -> NodeConfig {
        NodeConfig { log_bytes, ..self }
    }

    /// The same with this weight beside other nodes.
    #[must_use]
    pub fn with_cpu_weight(self, cpu_weight: u32) -> NodeConfig {
        NodeConfig { cpu_weight, ..self }
    }

    /// The same with this much CPU time in a second at most.
    #[must_use]
    pub fn with_cpu_max(self, cpu_max: Duration) -> NodeConfig {
        NodeConfig { cpu_max: Some(cpu_max), ..self }
    }

    /// The same with this many links, and as many monitors.
    #[must_use]
    pub fn with_max_relations(self, most: u32) -> NodeConfig {
        NodeConfig { max_links: most, max_monitors: most, ..self }
    }

    /// The same, strict or not.
    #[must_use]
    pub fn with_strict(self, strict: bool) -> NodeConfig {
        NodeConfig { strict, ..self }
    }

    /// The same with a time that stands still, at first at `start`.
    #[must_use]
    pub fn with_still_time(self, start: SystemTime) -> NodeConfig {
        NodeConfig { still: Some(start), ..self }
    }

    /// The same, with starts and ends in the log or without.
    #[must_use]
    pub fn with_debug(self, debug: bool) -> NodeConfig {
        NodeConfig { debug, ..self }
    }
}
