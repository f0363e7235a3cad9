//! How much memory an instance may have: its memories and tables together.
//!
//! Owns the arithmetic between a process's limit and the instance's. Lua's own limit sits below it, so that a script
//! gets a Lua error before its instance is stopped.

use lunarium_kernel::Limits;
use wasmtime::ResourceLimiter;

/// Linear memory the guest has before a script holds anything (code's data, stack, the snapshot's Lua state), and the
/// GC heap's page. Measured: 1.8 MiB.
const FIXED: u64 = 5 << 19;

/// Bytes of a table's element.
const ELEMENT: u64 = 8;

/// Counts the memories and tables of one store together.
pub(crate) struct MemoryLimiter {
    used: u64,
    limit: u64,
    refused: bool,
}

impl MemoryLimiter {
    /// On top of the process's limit: what is fixed, and what a batch of messages and their decoding may take for a
    /// moment.
    pub(crate) fn new(limits: &Limits) -> MemoryLimiter {
        let transient = u64::from(limits.message).saturating_mul(3).saturating_add(1 << 20);
        let limit = limits.memory.saturating_add(limits.memory / 8).saturating_add(FIXED);
        MemoryLimiter { used: 0, limit: limit.saturating_add(transient), refused: false }
    }

    /// Bytes of the memories and tables.
    pub(crate) fn used(&self) -> u64 {
        self.used
    }

    /// More was asked for than there may be.
    pub(crate) fn was_refused(&self) -> bool {
        self.refused
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
        Ok(self.grow(current, desired, ELEMENT))
    }
}
