//! The machinery that all nodes of an operating-system process share: instances, workers, clock.
//!
//! Owns what is made once, and that it ends with its last user. Refuses to know nodes and processes.

use std::sync::Arc;

use std::time::Instant;

use lunarium_kernel::{Account, Budget, Exhausted, Uptime};

use super::Caller;
use crate::wasm::{GuestCode, Instances, InstancesError, Link, PoolError, System};
use lunarium_schedule::{Clock, Scheduler};

pub(crate) struct Machine {
    /// What all processes of all nodes hold together.
    pub(crate) memory: Arc<Account>,
    pub(crate) instances: Arc<Instances<Caller>>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) scheduler: Arc<Scheduler>,
}

/// Why an engine can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The pool can't have this size here.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The compiled guest doesn't run on this CPU, or address space could not be reserved.
    #[error("cannot start the WebAssembly engine: {0}")]
    Wasm(String),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}: raise what limits them (ulimit -u, pids.max of the control group)")]
    Thread(#[from] std::io::Error),
    /// The engine can't keep so much memory free.
    #[error("no room for the node's reserve: {0}")]
    Reserve(#[from] Exhausted),
    /// The operating system has no random bytes for the node's key.
    #[error("no random bytes from the operating system: {0}")]
    Random(String),
}

impl From<InstancesError> for StartError {
    fn from(error: InstancesError) -> StartError {
        match error {
            InstancesError::Pool(error) => StartError::Pool(error),
            InstancesError::Wasm(error) => StartError::Wasm(error),
        }
    }
}

impl Machine {
    /// `memory` bytes for all processes; none: half of what there is for this program. `workers` threads; none: one for each core. `link` gives the guest its imports.
    pub(crate) fn start(
        max_processes: u32,
        memory: Option<u64>,
        workers: Option<usize>,
        guest: GuestCode,
        link: Link<Caller>,
    ) -> Result<Machine, StartError> {
        let instances = Arc::new(Instances::new(max_processes, guest, link)?);
        let scheduler = Scheduler::start(workers.unwrap_or(System::get().cores).max(1))?;
        let ticking = (Arc::clone(&instances), Arc::clone(&scheduler));
        let clock = Clock::start(Box::new(move || {
            ticking.0.tick();
            ticking.1.tick();
        }))?;
        let origin = Instant::now();
        let now = move || Uptime::default().saturating_add(origin.elapsed());
        let memory = Account::root(Budget::Engine, bytes(memory), Arc::new(now));
        Ok(Machine { memory, instances, clock, scheduler })
    }

    /// From now on these are its limits; `memory` as at the start. Errors: this machine can't hold as many; nothing is changed then.
    pub(crate) fn set_limits(&self, max_processes: u32, memory: Option<u64>) -> Result<(), PoolError> {
        self.instances.set_most(max_processes, || self.memory.set_limit(bytes(memory)))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.scheduler.stop();
    }
}

/// What all processes may hold. None: half of what there is for this program.
fn bytes(memory: Option<u64>) -> u64 {
    memory.or_else(|| Some(System::get().memory? / 2)).unwrap_or(u64::MAX)
}
