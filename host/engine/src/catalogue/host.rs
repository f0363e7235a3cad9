//! A process host: what its processes have in common. Owns grants and security of it; identity, limits and counts are
//! the kernel's part of the same thing.

use std::ops::Deref;
use std::sync::Arc;

use lunarium_kernel::{Host, HostError};

use super::{Grants, HostDefinition, SecuritySpec};

/// One host. Each of its processes holds it.
pub(crate) struct ProcessHost {
    kernel: Arc<Host>,
    pub(crate) grants: Arc<Grants>,
    /// What a process starts with that gets nothing else.
    pub(crate) security: Option<SecuritySpec>,
}

impl ProcessHost {
    /// Errors: an id that can't stand in a pid.
    pub(crate) fn new(definition: HostDefinition) -> Result<ProcessHost, HostError> {
        let HostDefinition { id, max_processes, limits, grants, security } = definition;
        Ok(ProcessHost { kernel: Arc::new(Host::new(id, max_processes, limits)?), grants, security })
    }

    /// The kernel's part.
    pub(crate) fn kernel(&self) -> &Arc<Host> {
        &self.kernel
    }
}

impl Deref for ProcessHost {
    type Target = Host;

    fn deref(&self) -> &Host {
        &self.kernel
    }
}
