//! What an engine reads of the operating system's files: how many cores and how much memory it may use, a setting, this process's page map.
//!
//! Owns that it is read once, by the first engine at the latest: a program that gives up its files has it read before.

use std::fs;
use std::num::NonZeroUsize;
use std::sync::LazyLock;
use std::thread;

use wasmtime::PoolingAllocationConfig;

use super::available;

static SYSTEM: LazyLock<System> = LazyLock::new(System::read);

pub(crate) struct System {
    /// Cores by affinity and quota, at least 1.
    pub(crate) cores: usize,
    /// Bytes that this program may use; none where nothing says.
    pub(crate) memory: Option<u64>,
    /// `vm.max_map_count`; none where there is no such thing.
    pub(crate) max_map_count: Option<u64>,
}

impl System {
    /// What was read.
    pub(crate) fn get() -> &'static System {
        &SYSTEM
    }

    fn read() -> System {
        // wasmtime opens the page map when it is first asked, and keeps it: by it a slot's reset finds what was written.
        PoolingAllocationConfig::is_pagemap_scan_available();
        System {
            cores: thread::available_parallelism().map_or(1, NonZeroUsize::get),
            memory: available::memory(),
            max_map_count: fs::read_to_string("/proc/sys/vm/max_map_count")
                .ok()
                .and_then(|text| text.trim().parse().ok()),
        }
    }
}
