//! Looks whether what is kept in several places agrees: the kernel, the table, inboxes, accounts, instances.
//!
//! Owns what must be true of a node whenever nobody holds the kernel's lock. Changes nothing. For tests: it takes time in
//! proportion to the node.

use lunarium_kernel::{Kernel, PROCESS_BYTES, Tally};

use super::NodeInner;
use super::control::Control;

impl NodeInner {
    /// What the node holds.
    ///
    /// Errors: the first thing that is wrong, in words.
    pub(crate) fn audit(&self) -> Result<Tally, String> {
        self.kernel(|kernel| {
            kernel.check_invariants()?;
            self.control.audit(kernel)?;
            let usage = kernel.usage();
            let (instances, all) = (self.instance_count(), self.control.table.all());
            let guests = all.iter().filter(|process| !process.is_mailbox).count();
            ensure(instances >= guests, || format!("{instances} instances of {guests} processes"))?;
            let (used, least) = (self.budgets.memory.used(), PROCESS_BYTES.saturating_mul(guests as u64));
            ensure(used >= least, || format!("{guests} processes are charged {used} bytes"))?;
            Ok(usage)
        })
    }
}

impl Control {
    /// The table has who lives, under the names that the kernel knows.
    fn audit(&self, kernel: &Kernel) -> Result<(), String> {
        let processes = self.table.all();
        let (found, living) = (processes.len(), kernel.process_count());
        ensure(found == living, || format!("the table has {found} processes, {living} live"))?;
        for process in processes {
            let pid = &process.pid;
            ensure(kernel.is_alive(pid), || format!("the table has {pid}, dead"))?;
            process.audit().map_err(|fault| format!("{pid}: {fault}"))?;
        }
        let names = self.table.names();
        let (found, held) = (names.len(), kernel.usage().names);
        ensure(found == held, || format!("the table has {found} names, the kernel {held}"))?;
        names.into_iter().try_for_each(|(name, number)| {
            let holder = kernel.holder(name.as_str()).map(|pid| pid.number());
            ensure(holder == Some(number), || format!("name {name} is number {number}'s in the table, {holder:?}'s"))
        })
    }
}

fn ensure(holds: bool, broken: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(broken()) }
}
