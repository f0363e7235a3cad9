//! What an engine reads of the operating system's files: how many cores and how much memory it may use, a setting, this process's page map.
//!
//! Owns that all of it is opened by the first engine at the latest, and read then, but for what may change: a program that gives up its files has
//! that done before.

use std::fs::File;
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt as _;
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
    /// The file of `vm.max_map_count`, open: it may be raised while the program runs.
    max_map_count: Option<File>,
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
            max_map_count: File::open("/proc/sys/vm/max_map_count").ok(),
        }
    }

    /// `vm.max_map_count` as it is now; none where there is no such thing.
    pub(crate) fn max_map_count(&self) -> Option<u64> {
        let mut digits = [0; 20];
        let length = self.max_map_count.as_ref()?.read_at(&mut digits, 0).ok()?;
        str::from_utf8(digits.get(..length)?).ok()?.trim().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::System;

    #[test]
    fn a_setting_is_read_as_it_is_now() {
        let text = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
        for _ in 0..2 {
            assert_eq!(System::get().max_map_count(), text.trim().parse().ok());
        }
    }
}
