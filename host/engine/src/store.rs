//! What a wasm Store carries: whose it is, and how much memory it may have.
//!
//! Owns the memory limit of the whole instance and the creation of instances. Identity comes from here, never from an
//! argument of a host call.

use std::sync::Arc;

use lunarium_contract::call;
use lunarium_kernel::Limits;
use wasmtime::{ResourceLimiter, Store, UpdateDeadline};

use crate::bindings::LuaProcess;
use crate::incarnation::{Incarnation, Upgrade};
use crate::instances::Slot;
use crate::node::NodeInner;
use crate::process::Process;

/// Linear memory the guest has before a script holds anything (code's data, stack, the snapshot's Lua state), and the
/// GC heap's page. Measured: 1.8 MiB.
const FIXED_MEMORY: u64 = 5 << 19;

/// Ticks a process runs before it yields: between one and two, because the first is under way already.
const SLICE: u64 = 2;

/// Handles a guest may hold. Its world has no resources: it needs none.
const MAX_HANDLES: usize = 16;

pub(crate) struct StoreData {
    pub(crate) node: Arc<NodeInner>,
    pub(crate) process: Arc<Process>,
    pub(crate) incarnation: Arc<Incarnation>,
    /// What the guest has asked to go on as.
    pub(crate) upgrade: Option<Upgrade>,
    memory: MemoryLimiter,
}

/// Why a call into an instance ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    #[error("the process was killed")]
    Killed,
    #[error("the cpu limit was reached")]
    Cpu,
}

impl StoreData {
    /// The script asked for more memory than the instance may have.
    pub(crate) fn memory_refused(&self) -> bool {
        self.memory.refused
    }

    /// Bytes of the instance's memories and tables.
    pub(crate) fn memory_used(&self) -> u64 {
        self.memory.used
    }
}

/// A fresh instance for `process`.
pub(crate) async fn instantiate(
    node: &Arc<NodeInner>,
    process: &Arc<Process>,
    incarnation: &Arc<Incarnation>,
    slot: &Slot,
) -> wasmtime::Result<(Store<StoreData>, LuaProcess)> {
    let pre = slot.pre();
    let memory = MemoryLimiter::new(&incarnation.limits);
    let (process, incarnation) = (Arc::clone(process), Arc::clone(incarnation));
    let fuel = hostcall_fuel(&incarnation.limits);
    let data = StoreData { node: Arc::clone(node), process, incarnation, upgrade: None, memory };
    let mut store = Store::new(pre.engine(), data);
    store.limiter(|data| &mut data.memory);
    store.set_hostcall_fuel(fuel);
    store.set_max_component_handles(MAX_HANDLES);
    store.epoch_deadline_callback(|context| {
        let data = context.data();
        let now = data.node.engine().clock().now();
        if data.process.is_killed() {
            return Err(Stopped::Killed.into());
        }
        if data.incarnation.cpu.used(now) >= data.incarnation.limits.cpu {
            return Err(Stopped::Cpu.into());
        }
        data.process.preempt();
        Ok(UpdateDeadline::Yield(1))
    });
    start_slice(&mut store);
    let instance = pre.instantiate_async(&mut store).await?;
    Ok((store, instance))
}

/// Sets the deadline of a call: it is absolute, so each call needs it.
pub(crate) fn start_slice(store: &mut Store<StoreData>) {
    store.set_epoch_deadline(SLICE);
}

/// Bytes one host call may copy out of the guest. The guest makes no larger call, so a script never sees this trap.
fn hostcall_fuel(limits: &Limits) -> usize {
    call::largest(usize::try_from(limits.message).unwrap_or(usize::MAX))
}

/// What is given back may have been larger than the guest's own messages may be: an event holds another's result. It
/// came out of the instance's memory, though.
pub(crate) fn allow_give_back(store: &mut Store<StoreData>) {
    let limits = &store.data().incarnation.limits;
    let memory = usize::try_from(limits.memory).unwrap_or(usize::MAX);
    let fuel = hostcall_fuel(limits).saturating_add(memory);
    store.set_hostcall_fuel(fuel);
}

/// Counts the memories and tables of one store together.
struct MemoryLimiter {
    used: u64,
    limit: u64,
    refused: bool,
}

impl MemoryLimiter {
    /// Lua's own limit sits below: the script gets a Lua error first. On top of it, what is fixed and what a batch of
    /// messages and their decoding may take for a moment.
    fn new(limits: &Limits) -> MemoryLimiter {
        let transient = u64::from(limits.message).saturating_mul(3).saturating_add(1 << 20);
        let limit = limits.memory.saturating_add(limits.memory / 8).saturating_add(FIXED_MEMORY);
        MemoryLimiter { used: 0, limit: limit.saturating_add(transient), refused: false }
    }

    fn grow(&mut self, current: usize, desired: usize, unit: u64) -> bool {
        let more = u64::try_from(desired.saturating_sub(current)).unwrap_or(u64::MAX).saturating_mul(unit);
        let used = self.used.saturating_add(more);
        if used > self.limit {
            self.refused = true;
            return false;
        }
        self.used = used;
        true
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, 1))
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, 8))
    }
}
