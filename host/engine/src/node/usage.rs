//! What has been used and is held: of a process, a process host, a node and all nodes.
//!
//! Owns nothing but the reading: each sum stands where it is made. Refuses to count.

use std::time::Duration;

use lunarium_kernel::{Account, Budget, Host, LimitName, NodeLimits, Pid, Process as Known};
use lunarium_schedule::nanoseconds;

use super::{Machine, NodeInner};
use crate::catalogue::ProcessHost;
use crate::process::Process;

/// What somebody has used over time, and holds now of what there is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// CPU time, but for what runs just now.
    pub cpu: Duration,
    /// Bytes that were held, times the seconds for which they were.
    pub memory_seconds: u64,
    /// Messages that mailboxes have accepted, whoever sent them. Of an engine: those of living processes in steps of 256.
    pub messages: u64,
    /// Processes that were started.
    pub spawns: u64,
    /// What is held now, by the names of limits and budgets as `details().limit` has them.
    pub held: Vec<Held>,
}

/// What is held of one limit or budget: bytes, nanoseconds or a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Held {
    /// The limit or budget.
    pub name: &'static str,
    /// What is held of it.
    pub used: u64,
    /// The most that may be.
    pub limit: u64,
}

impl Usage {
    /// What is held of the limit or budget of this name. None: it isn't one of this level.
    pub fn of(&self, name: &str) -> Option<Held> {
        self.held.iter().find(|held| held.name == name).copied()
    }

    fn new(cpu: Duration, memory: &Account, held: Vec<Held>) -> Usage {
        let (memory_seconds, messages, spawns) = (memory.byte_seconds(), memory.messages(), memory.spawns());
        Usage { cpu, memory_seconds, messages, spawns, held }
    }
}

fn held(name: &'static str, used: impl TryInto<u64>, limit: impl TryInto<u64>) -> Held {
    let number = |number: Result<u64, ()>| number.unwrap_or(u64::MAX);
    Held { name, used: number(used.try_into().map_err(drop)), limit: number(limit.try_into().map_err(drop)) }
}

fn memory(name: &'static str, account: &Account) -> Held {
    held(name, account.used(), account.limit())
}

impl ProcessHost {
    /// Processes and memory.
    pub(super) fn held(&self) -> (Held, Held) {
        let processes = held(Host::PROCESSES, self.process_count(), self.max_processes());
        (processes, memory(Budget::HOST_MEMORY, &self.memory))
    }
}

impl Machine {
    pub(crate) fn usage(&self) -> Usage {
        let memory = memory(Budget::ENGINE_MEMORY, &self.memory);
        Usage::new(self.scheduler.used(), &self.memory, vec![memory])
    }
}

impl NodeInner {
    pub(crate) fn usage(&self) -> Usage {
        // So that none appears later than it was accepted.
        self.control.table.all().iter().for_each(|process| process.count_accepted());
        self.usage_so_far()
    }

    /// The same for who has looked at every process.
    pub(super) fn usage_so_far(&self) -> Usage {
        let budgets = &self.budgets;
        // Sums that the kernel keeps: nobody waits for its lock until thousands of processes are counted.
        let (limits, [processes, links, monitors]) = self.kernel(|kernel| {
            (kernel.limits().clone(), [kernel.process_count(), kernel.link_count(), kernel.monitor_count()])
        });
        let held = vec![
            memory(Budget::NODE_MEMORY, &budgets.memory),
            held(NodeLimits::PROCESSES, processes, limits.max_processes),
            held(NodeLimits::LINKS, links, limits.max_links),
            held(NodeLimits::MONITORS, monitors, limits.max_monitors),
            held(NodeLimits::LOG_BYTES, budgets.log.used(self.second()), budgets.log.limit()),
        ];
        Usage::new(budgets.cpu.used(), &budgets.memory, held)
    }

    pub(crate) fn usage_of_host(&self, host: &ProcessHost) -> Usage {
        let all = self.control.table.all();
        let own = all.iter().filter(|process| std::ptr::eq(&*process.origin.host, host));
        own.for_each(|process| process.count_accepted());
        let (processes, memory) = host.held();
        let held = vec![memory, processes, held(Host::LOG_BYTES, host.log.used(self.second()), host.log.limit())];
        Usage::new(host.cpu.used(), &host.memory, held)
    }

    /// None: it has ended.
    pub(crate) fn usage_of_process(&self, pid: &Pid) -> Option<Usage> {
        Some(self.used_by(&*self.control.table.get(pid)?))
    }

    pub(super) fn used_by(&self, process: &Process) -> Usage {
        process.count_accepted();
        let mut all = vec![held(LimitName::Memory.as_str(), process.memory.used(), process.unread().2.memory)];
        all.extend(self.held_by(process));
        Usage::new(process.cpu.total(), &process.memory, all)
    }

    /// What a process holds of the limits that the host counts.
    pub(crate) fn held_by(&self, process: &Process) -> Vec<Held> {
        let (messages, bytes, limits) = process.unread();
        let counts = self.kernel(|kernel| kernel.process(&process.pid).map(Known::usage));
        let (links, monitors, names, groups) =
            counts.map_or((0, 0, 0, 0), |has| (has.links, has.monitors, has.names, has.groups));
        let (now, alive) = (self.clock().now(), self.time.clock.now().saturating_sub(process.began));
        let of = |name: LimitName, used: u64| held(name.as_str(), used, limits.get(name));
        vec![
            of(LimitName::Cpu, nanoseconds(process.cpu.burst())),
            of(LimitName::CpuTotal, nanoseconds(process.cpu.total())),
            of(LimitName::Lifetime, alive),
            of(LimitName::MailboxMessages, messages),
            of(LimitName::MailboxBytes, bytes),
            of(LimitName::Links, links.into()),
            of(LimitName::Monitors, monitors.into()),
            of(LimitName::Names, names.into()),
            of(LimitName::Groups, groups.into()),
            of(LimitName::LogLines, process.log.lock().used(now).into()),
        ]
    }

    fn second(&self) -> u64 {
        self.clock().now() / 1_000_000_000
    }
}
