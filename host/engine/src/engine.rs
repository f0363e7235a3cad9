//! The machinery all nodes of an operating-system process share: instances, workers, clock.
//!
//! Owns what is made once. Refuses to know nodes and processes.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use lunarium_schedule::{Clock, Scheduler};

use crate::instances::Instances;
use crate::pool::PoolError;

/// Compiled guest, instance pool, worker threads and clock. Cheap to clone.
///
/// One an operating-system process: it reserves address space for `max_processes` instances (8 GiB each, of 128 TiB),
/// in steps of a thousand.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    max_processes: u32,
    instances: Arc<Instances>,
    clock: Arc<Clock>,
    scheduler: Arc<Scheduler>,
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
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

impl StartError {
    pub(crate) fn from_wasm(error: wasmtime::Error) -> StartError {
        StartError::Wasm(format!("{error:#}"))
    }
}

impl Engine {
    /// Loads the compiled guest (about 3 ms), makes the first instances and starts one worker thread per core.
    ///
    /// Errors: the machine's settings don't allow `max_processes`, its CPU is older than x86-64-v3, or it is out of
    /// address space or threads.
    pub fn new(max_processes: u32) -> Result<Engine, StartError> {
        let instances = Arc::new(Instances::new(max_processes)?);
        let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let scheduler = Scheduler::start(workers)?;
        let ticking = (Arc::clone(&instances), Arc::clone(&scheduler));
        let clock = Clock::start(Box::new(move || {
            ticking.0.tick();
            ticking.1.tick();
        }))
        .inspect_err(|_| scheduler.stop())?;
        Ok(Engine { inner: Arc::new(Inner { max_processes, instances, clock, scheduler }) })
    }

    /// The number of processes this engine was made for.
    pub fn max_processes(&self) -> u32 {
        self.inner.max_processes
    }

    pub(crate) fn instances(&self) -> &Instances {
        &self.inner.instances
    }

    pub(crate) fn clock(&self) -> &Arc<Clock> {
        &self.inner.clock
    }

    pub(crate) fn scheduler(&self) -> &Arc<Scheduler> {
        &self.inner.scheduler
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.scheduler.stop();
    }
}
