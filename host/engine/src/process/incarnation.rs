//! One incarnation of a process: what changes when the process upgrades, while it keeps its pid.
//!
//! Owns the label, the program and the meter of CPU time. Refuses what outlives it: mailbox, requests and flags are the
//! process's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lunarium_kernel::Limits;

use super::{Process, ProcessLabel};
use crate::catalogue::Program;

pub(crate) struct Incarnation {
    pub(crate) label: ProcessLabel,
    pub(crate) program: Program,
    pub(crate) cpu: Arc<CpuMeter>,
    /// Which one of the process's it is.
    pub(crate) number: u64,
}

impl Incarnation {
    /// The process as this program.
    pub(crate) fn new(process: &Process, program: Program) -> Incarnation {
        let entry = program.code.definition.entry.clone();
        let frame = format!("{entry}#{:05x}", process.chain).into();
        let label = ProcessLabel { pid: process.pid.clone(), frame, entry };
        let cpu = Arc::new(CpuMeter::new(program.limits.cpu));
        Incarnation { label, program, cpu, number: process.life.incarnation() }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.program.limits
    }
}

/// CPU time since the process last waited: the sum over polls of its instance, each timed.
#[derive(Debug)]
pub(crate) struct CpuMeter {
    limit: Duration,
    /// Nanoseconds of the slices that are over.
    used: AtomicU64,
    /// When the slice under way began, by the engine's clock.
    since: AtomicU64,
}

impl CpuMeter {
    pub(crate) fn new(limit: Duration) -> CpuMeter {
        CpuMeter { limit, used: AtomicU64::new(0), since: AtomicU64::new(0) }
    }

    pub(crate) fn reset(&self) {
        self.used.store(0, Ordering::Relaxed);
    }

    pub(crate) fn begin(&self, now: u64) {
        self.since.store(now, Ordering::Relaxed);
    }

    pub(crate) fn end(&self, now: u64) {
        self.used.store(self.used_until(now), Ordering::Relaxed);
    }

    /// Whether the limit is reached, the slice under way included.
    pub(crate) fn is_used_up(&self, now: u64) -> bool {
        Duration::from_nanos(self.used_until(now)) >= self.limit
    }

    /// Whether the slices that are over have reached the limit.
    pub(crate) fn was_used_up(&self) -> bool {
        self.used() >= self.limit
    }

    /// The time of the slices that are over.
    pub(crate) fn used(&self) -> Duration {
        Duration::from_nanos(self.used.load(Ordering::Relaxed))
    }

    fn used_until(&self, now: u64) -> u64 {
        let slice = now.saturating_sub(self.since.load(Ordering::Relaxed));
        self.used.load(Ordering::Relaxed).saturating_add(slice)
    }
}
