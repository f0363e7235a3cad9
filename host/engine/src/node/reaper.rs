//! Carries out what the end of a process means for others: one of them at a time, with the kernel's lock free in between.
//!
//! Owns the one task for it, which is there while something is owed. It runs as a process would: woken, for a slice, and
//! then behind those that were woken before. So nobody waits for a mesh of thousands to end, and no load keeps it from
//! ending. Refuses decisions: who ends is the kernel's.

use std::sync::Arc;

use super::NodeInner;
use super::turn::give_way;
use lunarium_schedule::{Member, TICK, Urgency};

impl NodeInner {
    /// Starts the task. Called by whom [`super::control::Afterwards`] tells to.
    pub(super) fn reap(&self) {
        let Some(node) = self.this.upgrade() else { return };
        let (scheduler, member) = (&self.machine.scheduler, Member::of(&self.budgets.cpu));
        // Ends wait for no allowance, and neither does who carries them out.
        scheduler.end(&member);
        scheduler.spawn(&member, run(node), || Urgency::Woken);
    }

    /// Carries out one consequence. False: no more are owed, and who causes the next one starts the task anew.
    fn reap_one(&self) -> bool {
        self.kernel(|kernel| {
            kernel.handle_consequence(self.time.wall());
            self.control.reap_on(kernel)
        })
    }

    /// Carries out consequences for a slice. False: no more are owed.
    fn reap_for_a_slice(&self) -> bool {
        let began = self.clock().now();
        while u128::from(self.clock().now().saturating_sub(began)) < TICK.as_nanos() {
            if !self.reap_one() {
                return false;
            }
        }
        true
    }
}

async fn run(node: Arc<NodeInner>) {
    while node.reap_for_a_slice() {
        give_way().await;
    }
}
