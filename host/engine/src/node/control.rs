//! The kernel behind its one lock, and the table of processes its effects are performed on.
//!
//! Owns the order: effects are performed under the lock, in the order in which the kernel gives them, so that nobody
//! sees an EXIT before the name is free. The lock is a closure: it can't be held across an await. Under it a process's
//! own locks may be taken, never the other way round. Refuses decisions.
//!
//! A panic under the lock leaves a state that nobody can trust: the kernel is replaced by one that has stopped, and all
//! processes end.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lunarium_kernel::{Effect, Kernel, NodeLimits, Outcome, Pid, Uptime};
use parking_lot::Mutex;

use super::journal::Journal;
use super::table::Table;
use super::{Ending, NodeEvent};
use crate::process::{Process, Remains};
use crate::value::bug;

pub(crate) struct Control {
    kernel: Mutex<Kernel>,
    pub(crate) table: Table,
    journal: Arc<Journal>,
    /// Somebody carries out consequences, or is about to. Written under the lock alone.
    reaped: AtomicBool,
    /// How often the lock was taken for a closure.
    #[cfg(test)]
    pub(super) takings: std::sync::atomic::AtomicU64,
}

/// What is left to do when the lock is released: waking strangers, who may do anything, and dropping what may be large.
#[derive(Default)]
pub(crate) struct Afterwards {
    /// Who has ended, and what it left.
    pub(crate) ended: Vec<(Arc<Process>, Remains)>,
    pub(crate) flooded: Vec<Arc<Process>>,
    /// Nobody lives any more.
    pub(crate) idle: bool,
    pub(crate) deadline_changed: bool,
    /// Consequences are owed, and nobody carries them out: whoever sees this has to.
    pub(crate) reap: bool,
    /// Why the kernel is gone.
    pub(crate) panic: Option<Box<dyn Any + Send>>,
}

impl Control {
    pub(crate) fn new(limits: NodeLimits, journal: Arc<Journal>) -> Control {
        let kernel = Mutex::new(Kernel::new(limits));
        Control {
            kernel,
            table: Table::default(),
            journal,
            reaped: AtomicBool::new(false),
            #[cfg(test)]
            takings: Default::default(),
        }
    }

    /// When the kernel wants to be called next.
    pub(crate) fn next_deadline(&self) -> Option<Uptime> {
        self.kernel.lock().next_deadline()
    }

    /// Runs `act` on the kernel and performs the effects. The result is none when that panicked.
    pub(crate) fn locked<R>(&self, act: impl FnOnce(&mut Kernel) -> R) -> (Option<R>, Afterwards) {
        let mut afterwards = Afterwards::default();
        let mut kernel = self.kernel.lock();
        #[cfg(test)]
        self.takings.fetch_add(1, Ordering::Relaxed);
        let before = kernel.next_deadline();
        let result = catch_unwind(AssertUnwindSafe(|| {
            let result = act(&mut kernel);
            while let Some(effect) = kernel.poll_effect() {
                self.perform(effect, &mut afterwards);
            }
            result
        }));
        let result = result.map_err(|panic| {
            self.collapse(&mut kernel, &mut afterwards);
            afterwards.panic = Some(panic);
        });
        afterwards.deadline_changed = kernel.next_deadline() != before;
        afterwards.reap = kernel.owes_consequences() && !self.reaped.swap(true, Ordering::Relaxed);
        afterwards.idle = !afterwards.ended.is_empty() && kernel.process_count() == 0;
        (result.ok(), afterwards)
    }

    /// Whether consequences are owed. If not, who carried them out has done with it. Called with the lock held.
    pub(crate) fn reap_on(&self, kernel: &Kernel) -> bool {
        let owes = kernel.owes_consequences();
        self.reaped.store(owes, Ordering::Relaxed);
        owes
    }

    fn perform(&self, effect: Effect, afterwards: &mut Afterwards) {
        match effect {
            Effect::Named { name, pid } => {
                if let Some(holder) = self.table.get(&pid) {
                    holder.hold(name.bytes());
                }
                self.table.name(name, &pid);
            }
            Effect::Unnamed { name } => {
                if let Some(holder) = self.table.forget_name(&name) {
                    holder.free(name.bytes());
                }
            }
            Effect::Deliver { to, event } => self.tell(&to, |process| process.deliver(event), afterwards),
            Effect::Reply { to, request, outcome } => {
                self.tell(&to, |process| process.reply(request, outcome), afterwards);
            }
            Effect::Ended { pid, outcome, forced } => {
                let Some(process) = self.table.remove(&pid) else { return };
                self.end(process, outcome, forced, afterwards);
            }
        }
    }

    /// Events and replies can't be refused; `tell` says whether too many lie unread.
    fn tell(&self, to: &Pid, tell: impl FnOnce(&Process) -> bool, afterwards: &mut Afterwards) {
        let Some(process) = self.table.get(to) else { return };
        if tell(&process) {
            afterwards.flooded.push(process);
        }
    }

    fn collapse(&self, kernel: &mut Kernel, afterwards: &mut Afterwards) {
        let broken = std::mem::replace(kernel, Kernel::stopped());
        // What a half-changed state does when it is dropped isn't known.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(broken)));
        for process in self.table.take_all() {
            self.end(process, bug("the node's state is broken, and it has stopped"), true, afterwards);
        }
    }

    fn end(&self, process: Arc<Process>, outcome: Outcome, forced: bool, afterwards: &mut Afterwards) {
        self.journal.note(|| NodeEvent::Ended {
            pid: process.pid.clone(),
            entry: process.entry(),
            ending: Ending::of(&outcome),
        });
        process.origin.host.counts.end(outcome.failure().map(|failure| failure.kind));
        let remains = process.end(outcome, forced);
        afterwards.ended.push((process, remains));
    }
}
