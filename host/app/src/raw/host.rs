//! `process.host` as written.
//!
//! Owns its keys.

use std::time::Duration;

use lunarium_engine::Portion;
use lunarium_kernel::LimitsOverride;

use super::fields::Fields;
use super::grants::{self, RawGrants};
use super::lifecycle::{self, RawLifecycle};
use super::limits;
use super::security::{self, RawSecurity};
use crate::source::At;

#[derive(Debug)]
pub(crate) struct RawHost {
    pub(crate) max_processes: Option<At<u32>>,
    /// Bytes that all its processes may hold.
    pub(crate) memory: Option<u64>,
    /// Bytes that are kept free for it.
    pub(crate) reserve: Option<u64>,
    /// Bytes that they may log in a second.
    pub(crate) log_bytes: Option<u64>,
    /// Their part of the node's time.
    pub(crate) cpu_weight: Option<u32>,
    /// CPU time that they may have in a second.
    pub(crate) cpu_max: Option<Duration>,
    pub(crate) limits: LimitsOverride,
    pub(crate) security: Option<RawSecurity>,
    pub(crate) grants: RawGrants,
    pub(crate) lifecycle: RawLifecycle,
}

pub(super) fn read(fields: &mut Fields<'_>) -> RawHost {
    let (mut max_processes, mut memory, mut reserve, mut log_bytes) = (None, None, None, None);
    let (mut cpu_weight, mut cpu_max) = (None, None);
    if let Some(mut own) = fields.table("host") {
        max_processes = own.placed_count("max_processes", 1..=u32::MAX);
        memory = own.size("memory");
        reserve = own.size("reserve");
        log_bytes = own.size("log_bytes");
        cpu_weight = own.count("cpu_weight", Portion::WEIGHTS);
        cpu_max = own.cores("cpu_max");
        own.foreign(&[
            ("workers", "the workers are the engine's, for all hosts: `cpu_weight` and `cpu_max` share them out"),
            ("queue_size", "every process has a mailbox of its own: `limits: {mailbox_messages: …}`"),
            ("local_queue_size", "every process has a mailbox of its own: `limits: {mailbox_messages: …}`"),
        ]);
        own.finish();
    }
    fields.foreign(&[("hide_logs", "what is logged is the command's: `--log-level`")]);
    let own_security = security::read(fields);
    let (lifecycle, security) = lifecycle::read(fields, own_security);
    RawHost {
        max_processes,
        memory,
        reserve,
        log_bytes,
        cpu_weight,
        cpu_max,
        limits: limits::read(fields),
        grants: grants::read(fields),
        security,
        lifecycle,
    }
}
