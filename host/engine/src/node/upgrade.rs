//! The way from one incarnation of a process to the next: what it notes to go on as, and what the kernel and its inbox
//! do then. What the runner does in between is its own.

use std::sync::Arc;

use bytes::Bytes;
use lunarium_kernel::{EntryId, Uptime};

use super::ending::lifetime;
use super::spawn::{SpawnError, fits};
use super::{NodeEvent, NodeInner};
use crate::catalogue::{Arguments, Program};
use crate::process::Process;

impl NodeInner {
    /// What a process would go on as.
    ///
    /// Errors: unknown entry, arguments too large or beyond a budget.
    pub(crate) fn plan_upgrade(
        &self,
        process: &Process,
        entry: &EntryId,
        arguments: Bytes,
    ) -> Result<Program, SpawnError> {
        let code = self.code(entry)?;
        let origin = &process.origin;
        let mut holding = process.holding();
        holding.grow(Arguments::bytes(&arguments))?;
        let arguments = Arguments::new(arguments, Some(holding));
        let program = Program::new(code, &origin.host, origin.wish.as_ref(), arguments);
        fits(&program)?;
        Ok(program)
    }

    /// The process goes on as another program; its last instance is gone. False: it has ended.
    pub(crate) fn restart(&self, process: &Process, program: &Program) -> bool {
        let entry = program.code.definition.entry.clone();
        let counts = program.limits.counts();
        let lifetime = lifetime(&program.limits, Uptime::from_nanos(process.began));
        let goes_on = self.kernel(|kernel| {
            let goes_on = kernel.upgrade(&process.pid, entry.clone(), counts, lifetime);
            if goes_on {
                self.journal.note(|| NodeEvent::Upgraded {
                    pid: process.pid.clone(),
                    from: process.entry(),
                    to: entry.clone(),
                });
            }
            goes_on
        });
        if !goes_on {
            return false;
        }
        let mut remains = process.restart(Arc::clone(&program.code), &program.limits);
        self.cancel_calls(std::mem::take(&mut remains.askers), process.pid.as_str(), None);
        true
    }
}
