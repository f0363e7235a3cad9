//! One incarnation of a process: what changes when the process upgrades, while it keeps its pid.
//!
//! Owns the label, the limits and the meter of CPU time. Refuses what outlives it: mailbox, requests and flags are the
//! process's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lunarium_kernel::Limits;

use crate::code::Code;
use crate::output::ProcessLabel;

pub(crate) struct Incarnation {
    pub(crate) label: ProcessLabel,
    pub(crate) limits: Limits,
    pub(crate) cpu: CpuMeter,
}

/// What a process has noted to go on as. It holds the limits it will have.
pub(crate) struct Upgrade {
    pub(crate) code: Arc<Code>,
    pub(crate) limits: Limits,
    /// A payload: an array with the values.
    pub(crate) arguments: Vec<u8>,
}

impl Incarnation {
    pub(crate) fn new(label: ProcessLabel, limits: Limits) -> Arc<Incarnation> {
        Arc::new(Incarnation { label, limits, cpu: CpuMeter::default() })
    }
}

/// CPU time since the process last waited: the sum over polls of its instance, each timed.
#[derive(Debug, Default)]
pub(crate) struct CpuMeter {
    /// Nanoseconds of the slices that are over.
    used: AtomicU64,
    /// When the slice under way began, by the engine's clock.
    since: AtomicU64,
}

impl CpuMeter {
    pub(crate) fn reset(&self) {
        self.used.store(0, Ordering::Relaxed);
    }

    pub(crate) fn begin(&self, now: u64) {
        self.since.store(now, Ordering::Relaxed);
    }

    pub(crate) fn end(&self, now: u64) {
        self.used.store(nanos(self.used(now)), Ordering::Relaxed);
    }

    /// The time used, the slice under way included.
    pub(crate) fn used(&self, now: u64) -> Duration {
        let slice = now.saturating_sub(self.since.load(Ordering::Relaxed));
        Duration::from_nanos(self.used.load(Ordering::Relaxed).saturating_add(slice))
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
