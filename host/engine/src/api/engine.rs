//! The machinery all nodes of an operating-system process share. Owns nothing but its handle.

use std::sync::Arc;

use crate::node::{Machine, StartError};
use crate::syscall;
use crate::wasm::System;

/// Compiled guest, instance pool, worker threads and clock. Cheap to clone.
///
/// One an operating-system process: it reserves address space for `max_processes` instances (8 GiB each, of 128 TiB),
/// in steps of a thousand.
#[derive(Clone)]
pub struct Engine {
    machine: Arc<Machine>,
}

impl Engine {
    /// Reads what engines need of the system's files, once: the number of cores, `vm.max_map_count`, and the process's page
    /// map, which stays open. Starts no thread. The first engine does it itself; a program that gives up its files (see
    /// `lunarium-confine`) has it done before.
    pub fn prepare() {
        System::get();
    }

    /// Loads the compiled guest (about 3 ms), makes the first instances and starts one worker thread per core.
    ///
    /// Errors: the machine's settings don't allow `max_processes`, its CPU is older than x86-64-v3, or it is out of
    /// address space or threads.
    pub fn new(max_processes: u32) -> Result<Engine, StartError> {
        Ok(Engine { machine: Arc::new(Machine::start(max_processes, syscall::add_to_linker)?) })
    }

    /// The number of processes this engine was made for.
    pub fn max_processes(&self) -> u32 {
        self.machine.max_processes
    }

    pub(crate) fn machine(&self) -> &Arc<Machine> {
        &self.machine
    }
}
