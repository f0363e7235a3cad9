//! How much memory an instance may have: its memories and tables together.
//!
//! Owns the arithmetic between a process's limit and the instance's. Lua's own limit sits below it, so that a script
//! gets a Lua error before its instance is stopped.

use lunarium_kernel::{Budget, Exhausted, Holding, LimitName, Limits};
use wasmtime::ResourceLimiter;

/// Linear memory the guest has before a script holds anything (code's data, stack, the snapshot's Lua state), and the
/// GC heap's page. Measured: 1.8 MiB.
const FIXED: u64 = 5 << 19;

/// Bytes of a table's element.
const ELEMENT: u64 = 8;

/// Counts the memories and tables of one store together, and charges what they grow by.
pub(crate) struct MemoryLimiter {
    used: u64,
    limit: u64,
    /// Of the call that is under way.
    refused: Option<Refused>,
    /// What they begin with is no part of it: all processes holding its pages until they write to them
    /// ([`PROCESS_BYTES`](lunarium_kernel::PROCESS_BYTES)).
    holding: Holding,
}

/// Why memory didn't grow.
#[derive(Debug, Clone)]
pub(crate) enum Refused {
    /// The instance's own limit.
    Limit,
    /// A budget that it shares.
    Budget(Exhausted),
    /// The system has no more.
    System,
}

impl Refused {
    /// The name of what was reached.
    pub(crate) fn limit_name(&self) -> &'static str {
        match self {
            Refused::Limit => LimitName::Memory.as_str(),
            Refused::Budget(exhausted) => exhausted.budget.limit_name(),
            Refused::System => Budget::ENGINE_MEMORY,
        }
    }
}

impl MemoryLimiter {
    /// On top of the process's limit: what is fixed, and what a batch of messages and their decoding may take for a
    /// moment.
    pub(crate) fn new(limits: &Limits, holding: Holding) -> MemoryLimiter {
        let transient = u64::from(limits.message).saturating_mul(3).saturating_add(1 << 20);
        let limit = limits.memory.saturating_add(limits.memory / 8).saturating_add(FIXED);
        MemoryLimiter { used: 0, limit: limit.saturating_add(transient), refused: None, holding }
    }

    /// Bytes of the memories and tables.
    pub(crate) fn used(&self) -> u64 {
        self.used
    }

    /// Why memory didn't grow when that was last refused in this call, also when some was granted since: what ends for want of it may have got
    /// some on its way out, to tell of it. None: it wasn't.
    pub(crate) fn refused(&self) -> Option<&Refused> {
        self.refused.as_ref()
    }

    /// A call into the instance begins.
    pub(crate) fn begin_call(&mut self) {
        self.refused = None;
    }

    fn grow(&mut self, current: usize, desired: usize, unit: u64) -> bool {
        let more = u64::try_from(desired.saturating_sub(current)).unwrap_or(u64::MAX).saturating_mul(unit);
        let used = self.used.saturating_add(more);
        let refused = match used > self.limit {
            true => Some(Refused::Limit),
            false if current > 0 => self.holding.grow(more).err().map(Refused::Budget),
            false => None,
        };
        match refused {
            Some(refused) => {
                self.refused = Some(refused);
                false
            }
            None => {
                self.used = used;
                true
            }
        }
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, 1))
    }

    /// What was granted can't be had. It stays charged: which growth has failed isn't told, and it is the last one's at most.
    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = Some(Refused::System);
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, ELEMENT))
    }
}
