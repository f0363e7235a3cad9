//! The size of the instance pool, and whether this machine can hold it.
//!
//! Owns the factors between a number of processes and wasmtime's pool counts, and the refusal at start-up: past the
//! kernel's limits it isn't `spawn` that would fail but an allocation anywhere.

use wasmtime::{Enabled, PoolingAllocationConfig};

use super::system::System;

/// Instances beyond `max_processes`: upgrades under way, Stores of killed processes that aren't dropped yet. A start that finds none free
/// waits.
const SPARE: u32 = 64;

/// Memory mappings of one process: two of its stack, the rest of its memories and tables. Rounded up from what the
/// benchmark measures over 5,000 processes.
const MAPPINGS_PER_PROCESS: u64 = 7;

/// Mappings left for everything else in this operating-system process: code, heaps, threads, the embedding program.
const SPARE_MAPPINGS: u64 = 8_000;

/// What one process takes of each pool; a test on the built guest holds these.
pub(crate) mod factor {
    /// The guest, and what fills its table with the imports that need its memory.
    pub(crate) const CORE_INSTANCES: u32 = 2;
    /// The guest's function table.
    pub(crate) const TABLES: u32 = 1;
    /// The linear memory and the GC heap.
    pub(crate) const MEMORIES: u32 = 2;
}

/// Two reservations of 4 GiB with their guards, in 128 TiB, with room for everything else. Measured: about 10,900.
const MOST_PROCESSES: u32 = 10_500;

/// Bytes of a slot's memory that are copied back when it is reused, instead of giving the pages to the system and
/// faulting them in again. Kept for every slot ever used.
const KEEP_RESIDENT: usize = 192 << 10;

/// Why a pool of this size can't be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// `max_processes` is zero.
    #[error("max_processes must be at least 1")]
    Empty,
    /// Memories are reserved whole, 4 GiB each and two a process.
    #[error("{max_processes} processes don't fit into 47 bits of address space: at most {MOST_PROCESSES} do")]
    AddressSpace {
        /// What was asked for.
        max_processes: u32,
    },
    /// The kernel allows too few memory mappings.
    #[error(
        "{max_processes} processes need {needed} memory mappings, vm.max_map_count allows {allowed}: \
         lower max_processes to {possible} or raise the limit (sysctl -w vm.max_map_count={needed})"
    )]
    Mappings {
        /// What was asked for.
        max_processes: u32,
        /// Mappings for that many.
        needed: u64,
        /// The kernel's setting.
        allowed: u64,
        /// The most processes under this setting.
        possible: u64,
    },
}

/// Instances in the pool for `max_processes`.
pub(crate) fn instances(max_processes: u32) -> u32 {
    max_processes.saturating_add(SPARE)
}

/// For how many processes a pool has so many instances.
pub(crate) fn processes(instances: u32) -> u32 {
    instances.saturating_sub(SPARE)
}

/// Whether this machine's settings and address space allow `max_processes`.
pub(crate) fn check(max_processes: u32) -> Result<(), PoolError> {
    if max_processes == 0 {
        return Err(PoolError::Empty);
    }
    if max_processes > MOST_PROCESSES {
        return Err(PoolError::AddressSpace { max_processes });
    }
    check_mappings(max_processes, System::get().max_map_count())
}

/// A pool of this many instances.
pub(crate) fn pool(count: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(count)
        .total_core_instances(count.saturating_mul(factor::CORE_INSTANCES))
        .total_tables(count.saturating_mul(factor::TABLES))
        .total_memories(count.saturating_mul(factor::MEMORIES))
        .total_gc_heaps(count)
        .total_stacks(count)
        .max_memory_size(4 << 30)
        .max_unused_warm_slots(count)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(KEEP_RESIDENT)
        .async_stack_keep_resident(16 << 10)
        .pagemap_scan(Enabled::Auto);
    pool
}

fn check_mappings(max_processes: u32, allowed: Option<u64>) -> Result<(), PoolError> {
    let Some(allowed) = allowed else { return Ok(()) };
    let needed = u64::from(max_processes).saturating_mul(MAPPINGS_PER_PROCESS).saturating_add(SPARE_MAPPINGS);
    if needed <= allowed {
        return Ok(());
    }
    let possible = allowed.saturating_sub(SPARE_MAPPINGS) / MAPPINGS_PER_PROCESS;
    Err(PoolError::Mappings { max_processes, needed, allowed, possible })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_fits_the_default_sysctl() {
        assert!(check_mappings(lunarium_kernel::NodeLimits::default().max_processes, Some(65_530)).is_ok());
    }

    #[test]
    fn too_many_processes_name_the_sysctl() {
        let error = check_mappings(20_000, Some(65_530)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "20000 processes need 148000 memory mappings, vm.max_map_count allows 65530: \
             lower max_processes to 8218 or raise the limit (sysctl -w vm.max_map_count=148000)"
        );
    }
}
