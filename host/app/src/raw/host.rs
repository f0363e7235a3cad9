//! `process.host` as written.
//!
//! Owns its keys.

use lunarium_kernel::LimitsOverride;

use super::fields::Fields;
use super::grants::{self, RawGrants};
use super::lifecycle::{self, RawLifecycle};
use super::limits;
use super::security::{self, RawSecurity};

#[derive(Debug)]
pub(crate) struct RawHost {
    pub(crate) max_processes: Option<u32>,
    pub(crate) limits: LimitsOverride,
    pub(crate) security: Option<RawSecurity>,
    pub(crate) grants: RawGrants,
    pub(crate) lifecycle: RawLifecycle,
}

pub(super) fn read(fields: &mut Fields<'_>) -> RawHost {
    let max_processes = fields.table("host").and_then(|mut own| {
        let max_processes = own.count("max_processes", 1);
        own.finish();
        max_processes
    });
    RawHost {
        max_processes,
        limits: limits::read(fields),
        grants: grants::read(fields),
        security: security::read(fields),
        lifecycle: lifecycle::read(fields),
    }
}
