//! A process host of a checked application.
//!
//! Owns its resolved form, and the host there is when none is defined.

use std::sync::Arc;

use lunarium_engine::{Grants, HostDefinition, SecuritySpec};
use lunarium_kernel::{HostId, Limits};

/// The host that an application without a `process.host` has.
pub const DEFAULT_HOST: &str = "app:processes";
/// The most processes of a host that doesn't say: the node's own limit holds.
pub(super) const UNBOUNDED: u32 = u32::MAX;

/// A process host.
#[derive(Debug)]
pub struct Host {
    /// What the engine needs of it.
    pub definition: HostDefinition,
    /// True when it takes processes from the start on: by `auto_start`, or because a service needs it.
    pub started: bool,
}

impl Host {
    /// The host of an application that defines none.
    pub(crate) fn of_default() -> Self {
        Self::new(DEFAULT_HOST, Limits::default(), Arc::default(), None)
    }

    /// A host that takes processes from the start on, as many and with as much memory as the node has.
    pub(crate) fn new(id: &str, limits: Limits, grants: Arc<Grants>, security: Option<SecuritySpec>) -> Self {
        let mut definition = HostDefinition::new(HostId::new(id)).with_limits(limits).with_grants(grants);
        definition.security = security;
        Self { definition, started: true }
    }
}
