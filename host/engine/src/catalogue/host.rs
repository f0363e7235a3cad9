//! A process host: what its processes have in common. Owns grants and security of it; identity, limits and counts are
//! the kernel's part of the same thing.

use std::ops::Deref;
use std::sync::Arc;

use lunarium_kernel::{Account, Budget, Host, HostError, LogBudget};

use super::{Counts, Grants, HostDefinition, SecuritySpec};
use lunarium_schedule::{Portion, Share};

/// One host. Each of its processes holds it.
pub(crate) struct ProcessHost {
    kernel: Arc<Host>,
    /// What its processes hold together.
    pub(crate) memory: Arc<Account>,
    /// What they log together.
    pub(crate) log: LogBudget,
    /// Of the node's time.
    pub(crate) cpu: Arc<Share>,
    /// What has happened to them.
    pub(crate) counts: Counts,
    pub(crate) grants: Arc<Grants>,
    /// What a process starts with that gets nothing else.
    pub(crate) security: Option<SecuritySpec>,
}

impl ProcessHost {
    /// `memory` and `cpu` are the node's. Errors: an id that can't stand in a pid; no room for its reserve.
    pub(crate) fn new(
        definition: HostDefinition,
        memory: &Arc<Account>,
        cpu: &Arc<Share>,
    ) -> Result<ProcessHost, HostError> {
        let HostDefinition {
            id,
            max_processes,
            memory: limit,
            reserve,
            log_bytes,
            cpu_weight,
            cpu_max,
            limits,
            grants,
            security,
        } = definition;
        let kernel = Arc::new(Host::new(id.clone(), max_processes, limits)?);
        let memory = Account::child(memory, Budget::Host(id), limit, reserve)?;
        let cpu = Share::inside(cpu, Portion { weight: cpu_weight, most: cpu_max });
        Ok(ProcessHost {
            kernel,
            memory,
            log: LogBudget::new(log_bytes),
            cpu,
            counts: Counts::default(),
            grants,
            security,
        })
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
