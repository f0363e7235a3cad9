//! Upgrades: a process starts over in a fresh instance. Owns what it loses here (options, whom it executes) and what it
//! becomes, and how long it may still live; all else it keeps: pid, names, groups, links, monitors, its caller, a deadline. Its mailbox is the engine's.

use crate::{CountLimits, EntryId, Kernel, Lifetime, Pid};

impl Kernel {
    /// The process goes on as another entry, or the same one anew. All it executes are terminated, each in its turn, and
    /// no longer linked with it: it has let them go itself. Links aren't trapped any more. What it holds beyond the new
    /// limits it keeps. False: it has ended; nothing goes on.
    pub fn upgrade(&mut self, pid: &Pid, entry: EntryId, limits: CountLimits, lifetime: Option<Lifetime>) -> bool {
        let Some(process) = self.living_mut(pid) else { return false };
        let watched = std::mem::take(&mut process.watched_groups);
        process.start_over(entry, limits);
        let callees: Vec<u64> = process.callees.iter().copied().collect();
        self.forget_watched(pid.number(), &watched);
        self.set_lifetime(pid.number(), lifetime);
        for callee in callees {
            self.take_link(pid.number(), callee);
            self.note_orphan(callee);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{FEW, NOW, completed, effects, exec, failed, kernel, kill, name, settled, spawn};
    use crate::{CountLimits, EntryId, Kernel, Pid, Tally};

    fn upgrade(kernel: &mut Kernel, pid: &Pid) -> bool {
        kernel.upgrade(pid, EntryId::new("app:next"), FEW, None)
    }

    #[test]
    fn all_but_options_and_callees_is_kept() {
        let mut kernel = kernel();
        let caller = spawn(&mut kernel);
        let pid = exec(&mut kernel, &caller, 3);
        let (callee, friend) = (exec(&mut kernel, &pid, 1), spawn(&mut kernel));
        kernel.register(&pid, name("name"), &pid).unwrap();
        kernel.link(&pid, &friend).unwrap();
        kernel.monitor(&pid, &friend).unwrap();
        kernel.monitor(&friend, &pid).unwrap();
        kernel.set_trap_links(&pid, true);
        assert!(upgrade(&mut kernel, &pid));
        // The reply is dropped by who knows no such request, and ends it.
        assert_eq!(
            settled(&mut kernel),
            [
                "name is {h|0x00002}",
                "stop {h|0x00003}: Canceled process terminated",
                "{h|0x00002} reply 1: Canceled process terminated",
            ]
        );
        assert!(!kernel.is_alive(&callee) && !kernel.trap_links(&pid));
        let process = kernel.process(&pid).unwrap();
        assert_eq!((process.entry().as_str(), process.chain()), ("app:next", 1));
        assert_eq!(process.usage(), CountLimits { links: 1, monitors: 1, names: 1, groups: 0 });
        kernel.handle_exit(&pid, completed(), NOW);
        assert_eq!(
            effects(&mut kernel),
            ["name is free", "ended {h|0x00002}: [1]", "{h|0x00004} EXIT {h|0x00002}: [1]", "{h|0x00001} reply 3: [1]",]
        );
    }

    #[test]
    fn links_end_it_again_as_if_it_had_never_trapped() {
        let mut kernel = kernel();
        let (pid, friend) = (spawn(&mut kernel), spawn(&mut kernel));
        kernel.link(&pid, &friend).unwrap();
        kernel.set_trap_links(&pid, true);
        assert!(upgrade(&mut kernel, &pid));
        kernel.handle_exit(&friend, failed("boom"), NOW);
        assert_eq!(settled(&mut kernel).len(), 2);
        assert_eq!(kernel.usage(), Tally::default());
    }

    #[test]
    fn a_link_with_a_callee_ends_with_the_upgrade() {
        for traps in [false, true] {
            let mut kernel = kernel();
            let pid = spawn(&mut kernel);
            let callee = exec(&mut kernel, &pid, 1);
            kernel.link(&callee, &pid).unwrap();
            kernel.set_trap_links(&pid, traps);
            assert!(upgrade(&mut kernel, &pid));
            settled(&mut kernel);
            assert!(kernel.is_alive(&pid) && !kernel.is_alive(&callee));
        }
    }

    #[test]
    fn a_failure_that_waits_ends_it_after_the_upgrade() {
        let mut kernel = kernel();
        let (pid, friend) = (spawn(&mut kernel), spawn(&mut kernel));
        kernel.link(&pid, &friend).unwrap();
        kernel.handle_exit(&friend, failed("boom"), NOW);
        assert!(upgrade(&mut kernel, &pid));
        settled(&mut kernel);
        assert!(!kernel.is_alive(&pid));
    }

    #[test]
    fn what_it_holds_beyond_its_new_limits_it_keeps() {
        let mut kernel = kernel();
        let pid = spawn(&mut kernel);
        let friends: Vec<Pid> = (0..4).map(|_| spawn(&mut kernel)).collect();
        for friend in &friends[..3] {
            kernel.link(&pid, friend).unwrap();
        }
        assert!(upgrade(&mut kernel, &pid));
        effects(&mut kernel);
        assert_eq!(kernel.usage().links, 3);
        assert!(kernel.link(&pid, &friends[3]).is_err());
        kernel.unlink(&pid, &friends[0]).unwrap();
        assert!(kernel.link(&pid, &friends[3]).is_err());
        kernel.unlink(&pid, &friends[1]).unwrap();
        kernel.link(&pid, &friends[3]).unwrap();
    }

    #[test]
    fn the_dead_do_not_start_over() {
        let mut kernel = kernel();
        let pid = spawn(&mut kernel);
        kill(&mut kernel, &pid);
        assert!(!upgrade(&mut kernel, &pid));
        assert!(effects(&mut kernel).is_empty());
    }
}
