//! The machinery all nodes of an operating-system process share: compiled guest, pool of instances, workers, clock.
//!
//! Owns what is made once. Refuses to know nodes and processes.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use tokio::sync::Semaphore;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, InstanceAllocationStrategy};

use crate::bindings::LuaProcessPre;
use crate::clock::Clock;
use crate::pool::{self, PoolError};
use crate::scheduler::Scheduler;
use crate::store::StoreData;
use crate::{syscall, tunables};

/// The guest, compiled by the build script.
const GUEST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.cwasm"));

/// Compiled guest, instance pool, worker threads and clock. Cheap to clone.
///
/// One an operating-system process: each reserves address space for `max_processes` instances (8 GiB each, of 128 TiB).
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    pre: LuaProcessPre<StoreData>,
    max_processes: u32,
    /// Free instances of the pool. Waited for, so that a start never fails for want of one.
    instances: Arc<Semaphore>,
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

impl Engine {
    /// Loads the compiled guest (about 3 ms), reserves the pool and starts one worker thread per core.
    ///
    /// Errors: the machine's settings don't allow `max_processes`, its CPU is older than x86-64-v3, or it is out of
    /// address space or threads.
    pub fn new(max_processes: u32) -> Result<Engine, StartError> {
        let mut config = Config::new();
        tunables::tune(&mut config);
        config.async_stack_zeroing(true);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool::pool(max_processes)?));
        let wasm = wasmtime::Engine::new(&config).map_err(wasm_error)?;
        let pre = link(&wasm).map_err(wasm_error)?;
        let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let scheduler = Scheduler::start(workers)?;
        let ticking = Arc::clone(&scheduler);
        let clock = Clock::start(Box::new(move || {
            wasm.increment_epoch();
            ticking.tick();
        }))?;
        let instances = Arc::new(Semaphore::new(usize::try_from(pool::instances(max_processes)).unwrap_or(usize::MAX)));
        Ok(Engine { inner: Arc::new(Inner { pre, max_processes, instances, clock, scheduler }) })
    }

    /// The number of processes this engine was made for.
    pub fn max_processes(&self) -> u32 {
        self.inner.max_processes
    }

    pub(crate) fn pre(&self) -> &LuaProcessPre<StoreData> {
        &self.inner.pre
    }

    pub(crate) fn instances(&self) -> &Arc<Semaphore> {
        &self.inner.instances
    }

    pub(crate) fn clock(&self) -> &Clock {
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

fn wasm_error(error: wasmtime::Error) -> StartError {
    StartError::Wasm(format!("{error:#}"))
}

fn link(wasm: &wasmtime::Engine) -> wasmtime::Result<LuaProcessPre<StoreData>> {
    let component = load(wasm)?;
    let mut linker = Linker::new(wasm);
    syscall::add_to_linker(&mut linker, &component)?;
    linker.define_unknown_imports_as_traps(&component)?;
    LuaProcessPre::new(linker.instantiate_pre(&component)?)
}

#[allow(unsafe_code, reason = "loading code that was compiled ahead of time is the one unsafe act of the host")]
fn load(wasm: &wasmtime::Engine) -> wasmtime::Result<Component> {
    // SAFETY: `deserialize` requires bytes made by `Engine::precompile_component` of the same wasmtime version with
    // compatible settings, unmodified. They are: `build.rs` made them in this very build, from the wasmtime version
    // that Cargo.toml pins with `=` for both sides and with the settings of `tunables.rs` that both sides share;
    // `include_bytes!` puts them into this binary, where nothing writes. Version, settings and CPU features are
    // checked by wasmtime once more, and refused with an error.
    unsafe { Component::deserialize(wasm, GUEST) }
}
