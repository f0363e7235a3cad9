//! A process host: what its processes have in common. Owns grants and security of it; identity, limits and counts are
//! the kernel's part of the same thing.

use std::ops::Deref;
use std::sync::Arc;

use lunarium_kernel::{Account, Budget, Host, HostError, LogBudget};

use super::{Counts, Grants, HostDefinition, SecuritySpec};
use lunarium_schedule::{Portion, Share};

/// One host. Each of its processes holds it. A clone shares all but the definition.
#[derive(Clone)]
pub(crate) struct ProcessHost {
    kernel: Arc<Host>,
    /// What its processes hold together.
    pub(crate) memory: Arc<Account>,
    /// What they log together.
    pub(crate) log: Arc<LogBudget>,
    /// Of the node's time.
    pub(crate) cpu: Arc<Share>,
    /// What has happened to them.
    pub(crate) counts: Arc<Counts>,
    /// What all of it was made of.
    definition: HostDefinition,
}

impl ProcessHost {
    /// `memory` and `cpu` are the node's. Errors: an id that can't stand in a pid; no room for its reserve.
    pub(crate) fn new(
        definition: HostDefinition,
        memory: &Arc<Account>,
        cpu: &Arc<Share>,
    ) -> Result<ProcessHost, HostError> {
        let kept = definition.clone();
        let HostDefinition {
            id, max_processes, memory: limit, reserve, log_bytes, cpu_weight, cpu_max, limits, ..
        } = definition;
        let kernel = Arc::new(Host::new(id.clone(), max_processes, limits)?);
        let memory = Account::child(memory, Budget::Host(id), limit, reserve)?;
        let cpu = Share::inside(cpu, Portion { weight: cpu_weight, most: cpu_max });
        let log = Arc::new(LogBudget::new(log_bytes));
        Ok(ProcessHost { kernel, memory, log, cpu, counts: Arc::default(), definition: kept })
    }

    /// The one that comes after `old`: itself when nothing differs, one with the same budgets and counts when it is only grants and
    /// security, else a new one.
    ///
    /// Errors: as for [`ProcessHost::new`].
    pub(crate) fn after(
        old: &Arc<ProcessHost>,
        definition: HostDefinition,
        memory: &Arc<Account>,
        cpu: &Arc<Share>,
    ) -> Result<Arc<ProcessHost>, HostError> {
        if old.definition == definition {
            return Ok(Arc::clone(old));
        }
        let HostDefinition { grants, security, .. } = old.definition.clone();
        if old.definition != (HostDefinition { grants, security, ..definition.clone() }) {
            return Ok(Arc::new(ProcessHost::new(definition, memory, cpu)?));
        }
        Ok(Arc::new(ProcessHost { definition, ..ProcessHost::clone(old) }))
    }

    pub(crate) fn grants(&self) -> &Arc<Grants> {
        &self.definition.grants
    }

    /// What a process starts with that gets nothing else.
    pub(crate) fn security(&self) -> Option<&SecuritySpec> {
        self.definition.security.as_ref()
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
