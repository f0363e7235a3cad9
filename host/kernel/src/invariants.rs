//! The kernel's invariants as code. Owns what must be true of the state between any two calls. Changes nothing, and
//! assumes nothing that it doesn't check. What only a history can show (exactly one EXIT) is the simulation's.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::{Host, Kernel, Pid, Process};

type Check = Result<(), String>;

/// What the other end of a relation holds of it.
type Back = fn(&Process) -> &BTreeSet<u64>;

impl Kernel {
    /// Checks the whole state; takes time in proportion to it, so it is for tests.
    /// Errors: the first broken invariant, in words.
    pub fn check_invariants(&self) -> Check {
        for (number, process) in &self.processes {
            self.check_identity(*number, process)?;
            self.check_relations_of(process)?;
            self.check_consequence_of(process)?;
            check_limits(process)?;
        }
        self.check_names()?;
        self.check_groups()?;
        self.check_deadlines()?;
        self.check_relation_counts()?;
        self.check_counts()
    }

    /// What waits for a process is something, and has its turn.
    fn check_consequence_of(&self, process: &Process) -> Check {
        let Some(consequence) = &process.consequence else { return Ok(()) };
        let pid = process.pid();
        let something = consequence.orphaned || !consequence.failures.is_empty();
        ensure(something, || format!("{pid} has a turn for nothing"))?;
        let has = self.turns.contains(&(consequence.turn, pid.number()));
        ensure(has, || format!("{pid} has no turn"))
    }

    /// The node's sums are those of its processes, and every turn is somebody's.
    fn check_relation_counts(&self) -> Check {
        let (links, monitors) =
            (self.sum(|process| process.links.len()) / 2, self.sum(|process| process.monitors.len()));
        let links = links + self.sum(|process| process.held_links() - process.links.len());
        let (kept, kept_monitors) = (self.link_count(), self.monitor_count());
        ensure(kept == links, || format!("the node counts {kept} links of {links}"))?;
        ensure(kept_monitors == monitors, || format!("the node counts {kept_monitors} monitors of {monitors}"))?;
        for (word, held, limit) in
            [("links", links, self.limits.max_links), ("monitors", monitors, self.limits.max_monitors)]
        {
            ensure(held <= limit as usize, || format!("the node has {held} {word} of {limit}"))?;
        }
        let (turns, waiting) = (self.turns.len(), self.sum(|process| usize::from(process.consequence.is_some())));
        ensure(turns == waiting, || format!("{turns} turns are kept, {waiting} processes have one"))
    }

    fn check_identity(&self, number: u64, process: &Process) -> Check {
        let pid = process.pid();
        ensure(pid.number() == number, || format!("{pid} is kept as number {number}"))?;
        let read = Pid::parse(pid.as_str()).map(|pid| pid.number());
        ensure(read == Some(number), || format!("{pid} doesn't read as {number}"))?;
        ensure((1..=self.last_number).contains(&number), || format!("{pid} is beyond the counter"))?;
        ensure((1..=number).contains(&process.chain()), || format!("{pid} is of a chain that began after it"))?;
        let host = process.host().id();
        ensure(Pid::new(host, number).as_str() == pid.as_str(), || format!("{pid} lives on {host}"))
    }

    /// Links and monitors join two living processes, and both ends know.
    fn check_relations_of(&self, process: &Process) -> Check {
        let number = process.pid().number();
        let ways: [(&str, &BTreeSet<u64>, Back); 3] = [
            ("link", &process.links, |far| &far.links),
            ("monitor", &process.monitors, |far| &far.watchers),
            ("watcher", &process.watchers, |far| &far.monitors),
        ];
        for (word, ends, back) in ways {
            for end in ends {
                let named = || format!("{word} from {} to number {end}", process.pid());
                ensure(*end != number, || format!("{}: oneself", named()))?;
                let far = self.processes.get(end).ok_or_else(|| format!("{}: dead", named()))?;
                ensure(back(far).contains(&number), || format!("{}: the other end doesn't know", named()))?;
            }
        }
        self.check_calls_of(process)
    }

    /// An executed process and its caller live and know of each other; the chain is the caller's.
    fn check_calls_of(&self, process: &Process) -> Check {
        let (pid, number) = (process.pid(), process.pid().number());
        for callee in &process.callees {
            let far = self.processes.get(callee).ok_or_else(|| format!("{pid} executes number {callee}, dead"))?;
            let knows = far.call.is_some_and(|call| call.caller == number);
            ensure(knows, || format!("{pid} executes {}, which doesn't know", far.pid()))?;
        }
        let Some(call) = process.call else { return Ok(()) };
        let caller = self.processes.get(&call.caller).ok_or_else(|| format!("{pid} is executed by the dead"))?;
        ensure(caller.callees.contains(&number), || format!("{} doesn't know that it executes {pid}", caller.pid()))?;
        ensure(caller.chain() == process.chain(), || format!("{pid} is executed on another chain"))
    }

    /// Every name leads to a living process that knows it, and every process has the names it thinks it has.
    fn check_names(&self) -> Check {
        for (name, pid) in &self.names {
            let process = self.process(pid).ok_or_else(|| format!("name {name} leads to {pid}, dead"))?;
            ensure(process.names.contains(name), || format!("{pid} doesn't know of its name {name}"))?;
        }
        let held = self.names.len();
        let known = self.sum(|process| process.names.len());
        ensure(held == known, || format!("the registry has {held} names, processes have {known}"))
    }

    /// Members and watchers live and know of it, also the other way round; and no group is kept for nobody.
    fn check_groups(&self) -> Check {
        let (mut members, mut watchers) = (0_usize, 0_usize);
        for (name, group) in &self.groups {
            ensure(!group.is_idle(), || format!("group {name} is kept for nobody"))?;
            for number in &group.members {
                let process = self.processes.get(number).ok_or_else(|| format!("{number} in {name}, dead"))?;
                ensure(process.groups.contains(name), || format!("{} doesn't know of group {name}", process.pid()))?;
            }
            for (number, request) in &group.watchers {
                let process = self.processes.get(number).ok_or_else(|| format!("{number} watches {name}, dead"))?;
                let knows = process.watched_groups.contains(&(name.clone(), *request));
                ensure(knows, || format!("{} doesn't know that it watches group {name}", process.pid()))?;
            }
            members = members.saturating_add(group.members.len());
            watchers = watchers.saturating_add(group.watchers.len());
        }
        let known = (self.sum(|process| process.groups.len()), self.sum(|process| process.watched_groups.len()));
        ensure((members, watchers) == known, || {
            format!("groups have {members} members and {watchers} watchers, processes know of {known:?}")
        })
    }

    fn check_deadlines(&self) -> Check {
        for (deadline, number) in &self.deadlines {
            let process = self.processes.get(number).ok_or_else(|| format!("deadline for number {number}, dead"))?;
            let pid = process.pid();
            ensure(process.deadline == Some(*deadline), || format!("{pid} doesn't know of its deadline"))?;
        }
        for (until, number) in &self.lifetimes {
            let process = self.processes.get(number).ok_or_else(|| format!("lifetime of number {number}, dead"))?;
            let knows = process.lifetime.as_ref().is_some_and(|lifetime| lifetime.until == *until);
            ensure(knows, || format!("{} doesn't know of its lifetime", process.pid()))?;
        }
        let count = |has: fn(&Process) -> bool| self.processes.values().filter(|process| has(process)).count();
        let known = count(|process| process.deadline.is_some());
        let held = self.deadlines.len();
        ensure(held == known, || format!("{held} deadlines are kept, {known} processes have one"))?;
        let (held, known) = (self.lifetimes.len(), count(|process| process.lifetime.is_some()));
        ensure(held == known, || format!("{held} lifetimes are kept, {known} processes have one"))
    }

    fn check_counts(&self) -> Check {
        let mut counts: Vec<(&Arc<Host>, u32)> = Vec::new();
        for process in self.processes.values() {
            match counts.iter_mut().find(|(host, _)| Arc::ptr_eq(host, process.host())) {
                Some((_, count)) => *count = count.saturating_add(1),
                None => counts.push((process.host(), 1)),
            }
        }
        // A host on which nobody lives isn't known here.
        for (host, lives) in counts {
            let (id, counted, most) = (host.id(), host.process_count(), host.max_processes());
            ensure(counted == lives, || format!("host {id} counts {counted} processes, {lives} live"))?;
            ensure(counted <= most, || format!("host {id} has {counted} processes of {most}"))?;
        }
        let (lives, counted, most) = (self.processes.len(), self.places.used(), self.limits.max_processes);
        ensure(counted == lives as u64, || format!("the node counts {counted} processes, {lives} live"))?;
        ensure(counted <= most.into(), || format!("the node has {counted} processes of {most}"))
    }
}

/// Nobody holds more than it may, but for what it held before an upgrade.
fn check_limits(process: &Process) -> Check {
    let (pid, usage, limits, carried) = (process.pid(), process.usage(), process.limits, process.carried);
    let counts = [
        ("links", usage.links, limits.links, carried.links),
        ("monitors", usage.monitors, limits.monitors, carried.monitors),
        ("names", usage.names, limits.names, carried.names),
        ("groups", usage.groups, limits.groups, carried.groups),
    ];
    for (word, held, limit, carried) in counts {
        ensure(held <= limit.max(carried), || format!("{pid} has {held} {word} of {limit}"))?;
    }
    Ok(())
}

fn ensure(holds: bool, broken: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(broken()) }
}
