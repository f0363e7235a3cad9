//! One incarnation of a process: what changes when the process upgrades, while it keeps its pid.
//!
//! Owns the label, limits, grants and the meter of CPU time, and the way from one to the next. Refuses what outlives it: mailbox, requests and flags are the
//! process's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lunarium_kernel::{EntryId, Limits};

use crate::code::Code;
use crate::grants::Grants;
use crate::node::NodeInner;
use crate::output::ProcessLabel;
use crate::process::Process;
use crate::runner::Start;
use crate::spawn::{SpawnError, Terms};
use crate::wall;

pub(crate) struct Incarnation {
    pub(crate) label: ProcessLabel,
    pub(crate) limits: Limits,
    /// Files and variables: the entry's and the host's, so they change with the entry.
    pub(crate) grants: Arc<Grants>,
    pub(crate) cpu: CpuMeter,
}

/// What a process has noted to go on as. It holds the limits it will have.
pub(crate) struct Upgrade {
    pub(crate) code: Arc<Code>,
    pub(crate) limits: Limits,
    pub(crate) grants: Arc<Grants>,
    /// A payload: an array with the values.
    pub(crate) arguments: Vec<u8>,
}

impl Incarnation {
    pub(crate) fn new(label: ProcessLabel, limits: Limits, grants: Arc<Grants>) -> Arc<Incarnation> {
        Arc::new(Incarnation { label, limits, grants, cpu: CpuMeter::default() })
    }

    /// One of this process, as this entry.
    pub(crate) fn of(process: &Process, entry: EntryId, limits: Limits, grants: Arc<Grants>) -> Arc<Incarnation> {
        let frame = format!("{entry}#{:05x}", process.chain).into();
        Incarnation::new(ProcessLabel { pid: process.pid.clone(), frame, entry }, limits, grants)
    }
}

impl NodeInner {
    /// What a process would go on as.
    pub(crate) fn plan_upgrade(
        &self,
        process: &Process,
        entry: &EntryId,
        arguments: Vec<u8>,
    ) -> Result<Upgrade, SpawnError> {
        let code = self.code(entry)?;
        let Terms { limits, grants } = self.terms_of(&code, &process.host, process.wish.as_ref());
        let (size, limit) = (arguments.len(), limits.message);
        if u32::try_from(size).map_or(true, |size| size > limit) {
            return Err(SpawnError::Arguments { size, limit });
        }
        Ok(Upgrade { code, limits, grants, arguments })
    }

    /// The process goes on as another incarnation; its last one is gone. None: it has ended.
    pub(crate) fn restart(&self, process: &Process, upgrade: Upgrade) -> Option<Start> {
        let Upgrade { code, limits, grants, arguments } = upgrade;
        let entry = code.definition.entry.clone();
        let counts = limits.counts();
        if !self.kernel(|kernel| kernel.upgrade(&process.pid, entry.clone(), counts, wall::now())) {
            return None;
        }
        process.restart(&limits);
        let incarnation = Incarnation::of(process, entry, limits, grants);
        Some(Start { incarnation, code, arguments, seed: self.next_seed() })
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
