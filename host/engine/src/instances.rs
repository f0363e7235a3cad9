//! The instances an engine can hold: pools in segments, each made when it is first needed.
//!
//! Owns who gets an instance, and that a start never fails for want of one: it waits. A pool costs a system call for
//! each of its stacks when it is made, so one pool of 8,000 would take longer than the rest of a short program.
//! Refuses to know what an instance is for.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, InstanceAllocationStrategy};

use crate::bindings::LuaProcessPre;
use crate::engine::StartError;
use crate::store::StoreData;
use crate::{pool, syscall, tunables};

/// The guest, compiled by the build script.
const GUEST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.cwasm"));

/// Instances of the first segment: enough for most programs, made in about a millisecond.
const FIRST: u32 = 256;

/// Instances of each later segment: about 5 ms for every thousand processes more.
const NEXT: u32 = 1024;

pub(crate) struct Instances {
    /// As many as there may be instances.
    permits: Arc<Semaphore>,
    segments: RwLock<Vec<Arc<Segment>>>,
    /// Held while a segment is made. The instances that later segments may have.
    left: Mutex<u32>,
}

struct Segment {
    pre: LuaProcessPre<StoreData>,
    free: AtomicU32,
}

/// The right to one instance; give it back after the Store is gone.
pub(crate) struct Slot {
    segment: Arc<Segment>,
    _permit: OwnedSemaphorePermit,
}

impl Instances {
    /// Checks that this machine can hold `max_processes`, and makes the first segment.
    pub(crate) fn new(max_processes: u32) -> Result<Instances, StartError> {
        pool::check(max_processes)?;
        let count = pool::instances(max_processes);
        let first = count.min(FIRST);
        Ok(Instances {
            permits: Arc::new(Semaphore::new(usize::try_from(count).unwrap_or(usize::MAX))),
            segments: RwLock::new(vec![Segment::new(first).map_err(StartError::from_wasm)?]),
            left: Mutex::new(count.saturating_sub(first)),
        })
    }

    /// Waits for an instance, first come first served.
    ///
    /// Errors: a further segment can't be made (out of address space).
    pub(crate) async fn acquire(&self) -> wasmtime::Result<Slot> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(wasmtime::Error::from)?;
        loop {
            if let Some(segment) = self.take() {
                return Ok(Slot { segment, _permit: permit });
            }
            self.grow()?;
        }
    }

    /// Ticks the epoch of every segment.
    pub(crate) fn tick(&self) {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        segments.iter().for_each(|segment| segment.pre.engine().increment_epoch());
    }

    /// Takes one of the oldest segment that has one: slots that were used before are the cheapest.
    fn take(&self) -> Option<Arc<Segment>> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        segments.iter().find(|segment| segment.take()).map(Arc::clone)
    }

    /// Makes a segment, unless somebody has just done so. Who holds a permit finds a slot when all are made.
    fn grow(&self) -> wasmtime::Result<()> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        if *left == 0 || segments.iter().any(|segment| segment.free.load(Ordering::Acquire) > 0) {
            return Ok(());
        }
        drop(segments);
        let size = NEXT.min(*left);
        let segment = Segment::new(size)?;
        *left = left.saturating_sub(size);
        self.segments.write().unwrap_or_else(PoisonError::into_inner).push(segment);
        Ok(())
    }
}

impl Segment {
    fn new(size: u32) -> wasmtime::Result<Arc<Segment>> {
        let mut config = Config::new();
        tunables::tune(&mut config);
        config.async_stack_zeroing(true);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool::pool(size)));
        let wasm = wasmtime::Engine::new(&config)?;
        let component = load(&wasm)?;
        let mut linker = Linker::new(&wasm);
        syscall::add_to_linker(&mut linker, &component)?;
        linker.define_unknown_imports_as_traps(&component)?;
        let pre = LuaProcessPre::new(linker.instantiate_pre(&component)?)?;
        Ok(Arc::new(Segment { pre, free: AtomicU32::new(size) }))
    }

    fn take(&self) -> bool {
        self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| free.checked_sub(1)).is_ok()
    }
}

impl Slot {
    pub(crate) fn pre(&self) -> &LuaProcessPre<StoreData> {
        &self.segment.pre
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // Before the permit, which is dropped after this: whoever gets that finds a slot.
        self.segment.free.fetch_add(1, Ordering::AcqRel);
    }
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
