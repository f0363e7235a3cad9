//! One incarnation of a process: what changes when the process upgrades, while it keeps its pid.
//!
//! Owns the label, the program and the meter of CPU time, whose sums are the process's. Refuses what outlives it: mailbox, requests and flags are the
//! process's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lunarium_kernel::{LimitName, Limits};
use lunarium_schedule::nanoseconds;

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
        let label = process.label();
        process.cpu.burst.store(0, Ordering::Relaxed);
        let cpu = Arc::new(CpuMeter::new(&program.limits, Arc::clone(&process.cpu)));
        Incarnation { label, program, cpu, number: process.life.incarnation() }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.program.limits
    }
}

/// CPU time that a process has used: the sum over polls of its instances, each timed.
#[derive(Debug, Default)]
pub(crate) struct CpuTime {
    /// Nanoseconds since it last waited.
    burst: AtomicU64,
    /// Nanoseconds of its whole life, over all incarnations.
    total: AtomicU64,
}

impl CpuTime {
    pub(crate) fn burst(&self) -> Duration {
        Duration::from_nanos(self.burst.load(Ordering::Relaxed))
    }

    pub(crate) fn total(&self) -> Duration {
        Duration::from_nanos(self.total.load(Ordering::Relaxed))
    }
}

/// Counts the CPU time of one incarnation, within its limits.
#[derive(Debug)]
pub(crate) struct CpuMeter {
    burst: Duration,
    total: Duration,
    time: Arc<CpuTime>,
    /// When the slice under way began, by the engine's clock.
    since: AtomicU64,
}

impl CpuMeter {
    pub(crate) fn new(limits: &Limits, time: Arc<CpuTime>) -> CpuMeter {
        CpuMeter { burst: limits.cpu, total: limits.cpu_total, time, since: AtomicU64::new(0) }
    }

    /// The process has waited.
    pub(crate) fn reset(&self) {
        self.time.burst.store(0, Ordering::Relaxed);
    }

    /// What was used since the total was this was of use to others.
    pub(crate) fn forget(&self, total: Duration) {
        self.reset();
        self.time.total.store(nanoseconds(total), Ordering::Relaxed);
    }

    pub(crate) fn begin(&self, now: u64) {
        self.since.store(now, Ordering::Relaxed);
    }

    pub(crate) fn end(&self, now: u64) {
        let slice = self.slice(now);
        for sum in [&self.time.burst, &self.time.total] {
            sum.store(sum.load(Ordering::Relaxed).saturating_add(slice), Ordering::Relaxed);
        }
    }

    /// The limit that is reached, the slice under way included.
    pub(crate) fn used_up(&self, now: u64) -> Option<LimitName> {
        self.reached(Duration::from_nanos(self.slice(now)))
    }

    /// The limit that the slices that are over have reached.
    pub(crate) fn was_used_up(&self) -> Option<LimitName> {
        self.reached(Duration::ZERO)
    }

    /// The time of the slices that are over since the process has waited.
    pub(crate) fn used(&self) -> Duration {
        self.time.burst()
    }

    /// The time of all slices that are over.
    pub(crate) fn total(&self) -> Duration {
        self.time.total()
    }

    fn reached(&self, more: Duration) -> Option<LimitName> {
        let is_reached = |used: Duration, limit| used.saturating_add(more) >= limit;
        if is_reached(self.time.burst(), self.burst) {
            Some(LimitName::Cpu)
        } else {
            is_reached(self.time.total(), self.total).then_some(LimitName::CpuTotal)
        }
    }

    fn slice(&self, now: u64) -> u64 {
        now.saturating_sub(self.since.load(Ordering::Relaxed))
    }
}
