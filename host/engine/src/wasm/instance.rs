//! One instance of the guest: how it is made, and the calls into it.
//!
//! Owns the time slice of a call and the bytes it may copy. Refuses to know whose it is: an occupant says how much
//! memory there is, and at each tick whether the instance may go on.

use std::sync::Arc;

use lunarium_contract::call;
use lunarium_kernel::{LimitName, Limits};
use wasmtime::{Store, UpdateDeadline, component};

use super::convert::Batch;
use super::exports::Exports;
use super::guest::{Chunk, EventResult, Globals, Program, Status};
use super::instances::Slot;
use super::memory::MemoryLimiter;

/// Ticks a process runs before it yields: between one and two, because the first is under way already.
const SLICE: u64 = 2;

/// Handles a guest may hold. Its world has no resources: it needs none.
const MAX_HANDLES: usize = 16;

/// Who is in an instance: identity comes from here, never from an argument of an import.
pub(crate) trait Occupant: Send + 'static {
    /// What the instance may have.
    fn memory(&mut self) -> &mut MemoryLimiter;

    /// Its time slice is over. Errors: the instance has to stop; else it yields.
    fn slice_over(&self) -> Result<(), Stopped>;
}

/// Why a call into an instance ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stopped {
    /// The process has ended: whatever its guest still does has no effect.
    #[error("the process was killed")]
    Killed,
    /// Of CPU time.
    #[error("the limit `{0}` was reached")]
    Limit(LimitName),
}

/// An instance and its store. A call that was dropped leaves it unusable: drop it then.
pub(crate) struct Instance<T: Occupant> {
    store: Store<T>,
    instance: component::Instance,
    exports: Arc<Exports>,
}

impl<T: Occupant> Instance<T> {
    /// A fresh one, in a slot that outlives it.
    pub(crate) async fn new(slot: &Slot<T>, occupant: T, limits: &Limits) -> wasmtime::Result<Instance<T>> {
        let pre = slot.pre();
        let mut store = Store::new(pre.engine(), occupant);
        store.limiter(|occupant| occupant.memory());
        store.set_hostcall_fuel(hostcall_fuel(limits));
        store.set_max_component_handles(MAX_HANDLES);
        store.epoch_deadline_callback(|context| {
            context.data().slice_over()?;
            Ok(UpdateDeadline::Yield(1))
        });
        store.set_epoch_deadline(SLICE);
        let exports = Arc::clone(slot.exports());
        let instance = exports.instantiate(pre, &mut store).await?;
        Ok(Instance { store, instance, exports })
    }

    pub(crate) fn occupant(&self) -> &T {
        self.store.data()
    }

    pub(crate) fn occupant_mut(&mut self) -> &mut T {
        self.store.data_mut()
    }

    pub(crate) async fn start(&mut self, program: Program<'_>, arguments: &[u8]) -> wasmtime::Result<Status> {
        let function = self.exports.start.of(&mut self.store, &self.instance)?;
        let (result,) = function.call_async(slice(&mut self.store), (program, arguments)).await?;
        Ok(result)
    }

    pub(crate) async fn resume(&mut self, batch: &Batch<'_>) -> wasmtime::Result<Status> {
        let function = self.exports.resume.of(&mut self.store, &self.instance)?;
        // An empty list would be a call of the guest's allocator.
        let events = Some(&batch.events[..]).filter(|events| !events.is_empty());
        let (result,) = function.call_async(slice(&mut self.store), (&batch.bytes, events)).await?;
        Ok(result)
    }

    pub(crate) async fn give_back(&mut self) -> wasmtime::Result<Vec<EventResult>> {
        let function = self.exports.give_back.of(&mut self.store, &self.instance)?;
        let (result,) = function.call_async(slice(&mut self.store), ()).await?;
        Ok(result)
    }

    pub(crate) async fn check(&mut self, chunk: Chunk<'_>) -> wasmtime::Result<Result<Globals, String>> {
        let function = self.exports.check.of(&mut self.store, &self.instance)?;
        let (result,) = function.call_async(slice(&mut self.store), (chunk,)).await?;
        Ok(result)
    }

    pub(crate) async fn compile(&mut self, chunk: Chunk<'_>) -> wasmtime::Result<Result<Vec<u8>, String>> {
        let function = self.exports.compile.of(&mut self.store, &self.instance)?;
        let (result,) = function.call_async(slice(&mut self.store), (chunk,)).await?;
        Ok(result)
    }

    pub(crate) async fn stack_pointer(&mut self) -> wasmtime::Result<u32> {
        let function = self.exports.stack_pointer.of(&mut self.store, &self.instance)?;
        let (result,) = function.call_async(slice(&mut self.store), ()).await?;
        Ok(result)
    }

    /// What is given back may have been larger than the guest's own messages may be: an event holds another's result.
    /// It came out of the instance's memory, though.
    pub(crate) fn allow_give_back(&mut self, limits: &Limits) {
        let memory = usize::try_from(limits.memory).unwrap_or(usize::MAX);
        self.store.set_hostcall_fuel(hostcall_fuel(limits).saturating_add(memory));
    }
}

/// What each call begins with: the deadline of a slice, which is absolute, and no memory refused.
fn slice<T: Occupant>(store: &mut Store<T>) -> &mut Store<T> {
    store.set_epoch_deadline(SLICE);
    store.data_mut().memory().begin_call();
    store
}

/// Bytes one host call may copy out of the guest: those of the largest call that it makes. It refuses what is more, so a
/// script sees `Invalid` and never this trap.
fn hostcall_fuel(limits: &Limits) -> usize {
    call::largest(usize::try_from(limits.message).unwrap_or(usize::MAX))
}
