//! The machinery all nodes of an operating-system process share. Owns nothing but its handle.

use std::sync::Arc;

use crate::node::{Machine, StartError, Usage};
use crate::syscall;
use crate::wasm::{GuestCode, PoolError, System};
use lunarium_schedule::{Delay, Urgency};

/// Compiled guest, instance pool, worker threads and clock. Cheap to clone.
///
/// One an operating-system process: it reserves address space for `max_processes` instances (8 GiB each, of 128 TiB),
/// in steps of a thousand.
#[derive(Clone)]
pub struct Engine {
    machine: Arc<Machine>,
}

/// What an engine is made of. Made by [`EngineConfig::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineConfig {
    /// Processes of all nodes alive at once, 1 or more. At the limit: starts wait.
    pub max_processes: u32,
    /// Bytes that all processes of all nodes may hold together. None, the default: half of what the machine has, or its
    /// control group. At the limit: `spawn` and `send` are refused, and memory doesn't grow: a Lua error.
    pub memory: Option<u64>,
    /// Threads that run processes, 1 or more. None, the default: one for each core. With one, processes take turns in an order that
    /// follows from what they do, so a test that has failed fails again.
    pub workers: Option<usize>,
    pub(super) guest: GuestCode,
}

/// The places for instances, of all nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Slots {
    /// Processes of all nodes that may be alive at once.
    pub most: u32,
    /// Places that are made now: more are when these run out.
    pub made: usize,
    /// Places that an instance has: of a process that lives or ends, or of a source that is compiled.
    pub held: usize,
}

/// How long tasks have waited for a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delays {
    /// Processes for which something had come.
    pub woken: Delay,
    /// Processes that had used up their time slice.
    pub preempted: Delay,
    /// Starts and ends.
    pub background: Delay,
}

impl EngineConfig {
    /// Room for so many processes, and the default of memory.
    pub fn new(max_processes: u32) -> EngineConfig {
        EngineConfig { max_processes, memory: None, workers: None, guest: GuestCode::default() }
    }

    /// The same with this many bytes for all processes.
    #[must_use]
    pub fn with_memory(self, memory: u64) -> EngineConfig {
        EngineConfig { memory: Some(memory), ..self }
    }

    /// The same with so many threads that run processes.
    #[must_use]
    pub fn with_workers(self, workers: usize) -> EngineConfig {
        EngineConfig { workers: Some(workers), ..self }
    }

    /// The same with another component in place of the guest: all processes of the engine run that. For tests.
    ///
    /// # Safety
    ///
    /// `code` is what `host/engine/compiler.rs` has made, in this very build: it is run as it is.
    #[cfg(feature = "other-guests")]
    #[must_use]
    #[allow(unsafe_code, reason = "compiled code can't be checked: whoever brings it promises where it comes from")]
    pub unsafe fn with_guest(self, code: &'static [u8]) -> EngineConfig {
        // SAFETY: the same promise.
        EngineConfig { guest: unsafe { GuestCode::other(code) }, ..self }
    }
}

impl Engine {
    /// Reads what engines need of the system's files, once: the number of cores, `vm.max_map_count` and the process's page
    /// map, which stay open, and in some programs a device with random bytes. Starts no thread. The first engine does it itself; a program that gives up its files (see
    /// `lunarium-confine`) has it done before, and one that wants to start quickly, before its first thread: what the kernel
    /// is told for the engine's tables has it wait for all cores where there is another thread (some milliseconds).
    pub fn prepare() {
        System::get();
        // In a static program it opens a device, which stays open. What it fails of, a node's start tells.
        let _ = getrandom::fill(&mut [0]);
        // The first of its kind registers for barriers (`membarrier`).
        drop(papaya::HashMap::<u8, u8>::new());
    }

    /// Loads the compiled guest, makes the first instances and starts one worker thread per core.
    ///
    /// Errors: the machine's settings don't allow `max_processes`, its CPU is older than x86-64-v3, or it is out of
    /// address space or threads.
    pub fn new(config: EngineConfig) -> Result<Engine, StartError> {
        Engine::prepare();
        let EngineConfig { max_processes, memory, workers, guest } = config;
        let machine = Machine::start(max_processes, memory, workers, guest, syscall::add_to_linker)?;
        Ok(Engine { machine: Arc::new(machine) })
    }

    /// Processes of all nodes that may be alive at once: what it was made for, or [`Engine::set_limits`] has said.
    pub fn max_processes(&self) -> u32 {
        self.machine.instances.max_processes()
    }

    /// From now on these are `max_processes` and `memory` of its [`EngineConfig`], in processes and bytes. What lives and is held stays, also
    /// beyond: then starts wait until enough processes have ended, and memory is refused until enough was given back, but for what nodes
    /// have in reserve. Starts that wait already get what there is more. Nodes' own budgets stay as they are.
    ///
    /// Errors: 0 processes, or more than address space or the machine's settings allow; nothing is changed then.
    pub fn set_limits(&self, max_processes: u32, memory: Option<u64>) -> Result<(), PoolError> {
        self.machine.set_limits(max_processes, memory)
    }

    /// What all nodes have used since it started, also those that are gone, and what they hold now: `engine.memory`, with what
    /// they keep free for their processes.
    pub fn usage(&self) -> Usage {
        self.machine.usage()
    }

    /// How many instances there can be, are made, and are held.
    pub fn slots(&self) -> Slots {
        let (made, free) = self.machine.instances.count();
        Slots { most: self.machine.instances.max_processes(), made, held: made.saturating_sub(free) }
    }

    /// How long what can run has waited for a worker thread, since the engine started: measured of one in 61.
    pub fn delays(&self) -> Delays {
        let of = |urgency| self.machine.scheduler.delay(urgency);
        Delays { woken: of(Urgency::Woken), preempted: of(Urgency::Preempted), background: of(Urgency::Background) }
    }

    pub(crate) fn machine(&self) -> &Arc<Machine> {
        &self.machine
    }
}
