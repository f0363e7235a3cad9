//! The model: what must come of each command, in the simplest words. Owns a second opinion on the kernel, from sets of
//! pairs and loops over everything; shares no code with it, so that both would have to be wrong in the same way.
#![allow(clippy::indexing_slicing, reason = "ordinals are the model's own: a wrong one is a bug of the simulation")]

use std::collections::{BTreeMap, BTreeSet};

use lunarium_kernel::ErrorKind;

const TERMINATED: &str = "process terminated";

/// The n-th process that was ever accepted.
pub type Ordinal = usize;

type Refusable<T> = Result<T, ErrorKind>;

pub struct ModelHost {
    pub id: &'static str,
    pub max: usize,
    pub stopped: bool,
}

pub struct ModelProcess {
    pub text: String,
    pub host: usize,
    pub chain: u64,
    /// Links, monitors and names, each.
    pub limit: usize,
    pub alive: bool,
    pub trap: bool,
    /// By the monotonic clock.
    pub deadline: Option<u64>,
}

/// How a process ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Completed,
    Failed(String),
    /// With others: as a callee, or by a link with one of these, because of a failure with one of these messages.
    Along {
        called: bool,
        links: BTreeSet<Ordinal>,
        causes: Vec<String>,
    },
}

/// An effect that must come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    Named { name: String, who: Ordinal },
    Unnamed { name: String },
    Ended { who: Ordinal, end: End, forced: bool },
    Exit { to: Ordinal, from: Ordinal },
    LinkDown { to: Ordinal, from: Ordinal },
    Cancel { to: Ordinal, from: Option<Ordinal>, deadline: Option<i64> },
    Reply { to: Ordinal, from: Ordinal, request: u64 },
}

/// An expected effect, with its place in [`Model::expected`] and the wall clock's time of its command.
pub type Owed = (usize, i64, Expect);

/// A destination, understood.
#[derive(Clone, Debug)]
pub enum Target {
    Process(Ordinal),
    Name(String),
    /// A pid's form, and nobody's.
    Nobody,
    Unusable,
}

pub struct SpawnWish {
    pub parent: Option<Ordinal>,
    pub host: usize,
    pub monitored: bool,
    pub linked: bool,
    pub exec: Option<u64>,
    pub name: Option<String>,
    pub limit: usize,
}

pub struct Model {
    pub max: usize,
    pub hosts: Vec<ModelHost>,
    pub processes: Vec<ModelProcess>,
    /// The smaller ordinal first.
    pub links: BTreeSet<(Ordinal, Ordinal)>,
    /// Watcher and watched.
    pub monitors: BTreeSet<(Ordinal, Ordinal)>,
    /// Callee to caller, with the request.
    pub calls: BTreeMap<Ordinal, (Ordinal, u64)>,
    pub names: BTreeMap<String, Ordinal>,
    /// With the number of the command and the wall clock's time; those of one command may come in several orders.
    pub expected: Vec<(u64, i64, Expect)>,
    /// What the wall clock shows.
    pub now: i64,
    pub uptime: u64,
    command: u64,
}

fn pair(a: Ordinal, b: Ordinal) -> (Ordinal, Ordinal) {
    (a.min(b), a.max(b))
}

impl Model {
    pub fn new(max: usize, hosts: Vec<ModelHost>) -> Self {
        Self {
            max,
            hosts,
            processes: Vec::new(),
            links: BTreeSet::new(),
            monitors: BTreeSet::new(),
            calls: BTreeMap::new(),
            names: BTreeMap::new(),
            expected: Vec::new(),
            now: 1_000,
            uptime: 500,
            command: 0,
        }
    }

    pub fn living(&self) -> impl Iterator<Item = Ordinal> {
        (0..self.processes.len()).filter(|who| self.processes[*who].alive)
    }

    pub fn living_on(&self, host: usize) -> usize {
        self.living().filter(|who| self.processes[*who].host == host).count()
    }

    pub fn links_of(&self, who: Ordinal) -> usize {
        self.links.iter().filter(|(a, b)| *a == who || *b == who).count()
    }

    pub fn monitors_of(&self, who: Ordinal) -> usize {
        self.monitors.iter().filter(|(watcher, _)| *watcher == who).count()
    }

    pub fn names_of(&self, who: Ordinal) -> usize {
        self.names.values().filter(|holder| **holder == who).count()
    }

    pub fn next_deadline(&self) -> Option<u64> {
        self.living().filter_map(|who| self.processes[who].deadline).min()
    }

    fn alive_caller(&self, caller: Ordinal) -> Refusable<()> {
        if self.processes[caller].alive { Ok(()) } else { Err(ErrorKind::Canceled) }
    }

    pub fn resolve(&self, caller: Option<Ordinal>, target: &Target) -> Refusable<Ordinal> {
        if matches!(target, Target::Unusable) {
            return Err(ErrorKind::Invalid);
        }
        caller.map_or(Ok(()), |caller| self.alive_caller(caller))?;
        let found = match target {
            Target::Unusable | Target::Nobody => None,
            Target::Name(name) => self.names.get(name).copied(),
            Target::Process(who) => self.processes[*who].alive.then_some(*who),
        };
        found.ok_or(ErrorKind::NotFound)
    }

    pub fn spawn(&mut self, wish: &SpawnWish) -> Refusable<Ordinal> {
        match wish.parent {
            Some(parent) => self.alive_caller(parent)?,
            None if wish.monitored || wish.linked || wish.exec.is_some() => return Err(ErrorKind::Invalid),
            None => {}
        }
        let host = &self.hosts[wish.host];
        if host.stopped {
            return Err(ErrorKind::Unavailable);
        }
        let mut full = self.living_on(wish.host) >= host.max || self.living().count() >= self.max;
        if let Some(parent) = wish.parent {
            let limit = self.processes[parent].limit;
            full |= wish.linked && (self.links_of(parent) >= limit || wish.limit == 0);
            full |= wish.monitored && self.monitors_of(parent) >= limit;
        }
        if full {
            return Err(ErrorKind::ResourceExhausted);
        }
        if let Some(name) = &wish.name {
            if self.names.contains_key(name) {
                return Err(ErrorKind::AlreadyExists);
            }
            if wish.limit == 0 {
                return Err(ErrorKind::ResourceExhausted);
            }
        }
        let who = self.processes.len();
        self.processes.push(ModelProcess {
            text: format!("{{{}|0x{:05x}}}", host.id, who + 1),
            host: wish.host,
            chain: wish.parent.map_or(who as u64 + 1, |parent| self.processes[parent].chain),
            limit: wish.limit,
            alive: true,
            trap: false,
            deadline: None,
        });
        if let Some(parent) = wish.parent {
            self.links.extend(wish.linked.then_some(pair(parent, who)));
            self.monitors.extend(wish.monitored.then_some((parent, who)));
            self.calls.extend(wish.exec.map(|request| (who, (parent, request))));
        }
        if let Some(name) = &wish.name {
            self.give_name(name, who);
        }
        Ok(who)
    }

    pub fn link(&mut self, caller: Ordinal, target: &Target) -> Refusable<()> {
        let other = self.resolve(Some(caller), target)?;
        if other == caller {
            return Err(ErrorKind::Invalid);
        }
        if self.links.contains(&pair(caller, other)) {
            return Ok(());
        }
        if [caller, other].iter().any(|end| self.links_of(*end) >= self.processes[*end].limit) {
            return Err(ErrorKind::ResourceExhausted);
        }
        self.links.insert(pair(caller, other));
        Ok(())
    }

    pub fn monitor(&mut self, caller: Ordinal, target: &Target) -> Refusable<()> {
        let other = self.resolve(Some(caller), target)?;
        if other == caller {
            return Err(ErrorKind::Invalid);
        }
        if self.monitors.contains(&(caller, other)) {
            return Err(ErrorKind::AlreadyExists);
        }
        if self.monitors_of(caller) >= self.processes[caller].limit {
            return Err(ErrorKind::ResourceExhausted);
        }
        self.monitors.insert((caller, other));
        Ok(())
    }

    pub fn unlink(&mut self, caller: Ordinal, target: &Target) -> Refusable<()> {
        if let Some(other) = self.resolve_or_gone(caller, target)? {
            self.links.remove(&pair(caller, other));
        }
        Ok(())
    }

    pub fn unmonitor(&mut self, caller: Ordinal, target: &Target) -> Refusable<()> {
        if let Some(other) = self.resolve_or_gone(caller, target)? {
            self.monitors.remove(&(caller, other));
        }
        Ok(())
    }

    fn resolve_or_gone(&self, caller: Ordinal, target: &Target) -> Refusable<Option<Ordinal>> {
        match (self.resolve(Some(caller), target), target) {
            (Err(ErrorKind::NotFound), Target::Process(_) | Target::Nobody) => Ok(None),
            (result, _) => result.map(Some),
        }
    }

    pub fn register(&mut self, caller: Ordinal, name: &str, target: Option<&Target>) -> Refusable<()> {
        if matches!(target, Some(Target::Name(_) | Target::Unusable)) {
            return Err(ErrorKind::Invalid);
        }
        self.alive_caller(caller)?;
        let who = target.map_or(Ok(caller), |target| self.resolve(Some(caller), target))?;
        match self.names.get(name) {
            Some(holder) if *holder == who => return Ok(()),
            Some(_) => return Err(ErrorKind::AlreadyExists),
            None => {}
        }
        if self.names_of(who) >= self.processes[who].limit {
            return Err(ErrorKind::ResourceExhausted);
        }
        self.give_name(name, who);
        Ok(())
    }

    fn give_name(&mut self, name: &str, who: Ordinal) {
        self.names.insert(name.to_owned(), who);
        self.command += 1;
        self.expect(Expect::Named { name: name.to_owned(), who });
    }

    pub fn unregister(&mut self, caller: Ordinal, name: &str) -> Refusable<bool> {
        self.alive_caller(caller)?;
        match self.names.get(name) {
            None => Ok(false),
            Some(holder) if *holder == caller => {
                self.names.remove(name);
                self.command += 1;
                self.expect(Expect::Unnamed { name: name.to_owned() });
                Ok(true)
            }
            Some(_) => Err(ErrorKind::PermissionDenied),
        }
    }

    pub fn set_trap(&mut self, who: Ordinal, trap: bool) {
        let process = &mut self.processes[who];
        process.trap = process.alive && trap;
    }

    pub fn terminate(&mut self, caller: Option<Ordinal>, target: &Target) -> Refusable<()> {
        let who = self.resolve(caller, target)?;
        self.end(who, End::Failed(TERMINATED.to_owned()), true);
        Ok(())
    }

    /// The deadline is so far from now, in both times.
    pub fn cancel(&mut self, caller: Option<Ordinal>, target: &Target, deadline: Option<i64>) -> Refusable<()> {
        let to = self.resolve(caller, target)?;
        let old = self.processes[to].deadline;
        let due = deadline.and_then(|delay| self.uptime.checked_add_signed(delay));
        self.processes[to].deadline = old.into_iter().chain(due).min();
        let deadline = deadline.map(|delay| self.now + delay);
        self.command += 1;
        self.expected.push((self.command, self.now, Expect::Cancel { to, from: caller, deadline }));
        Ok(())
    }

    pub fn timeout(&mut self) {
        let due = |model: &Self| {
            let with = model.living().filter_map(|who| Some((model.processes[who].deadline?, who)));
            with.min().filter(|(deadline, _)| *deadline <= model.uptime)
        };
        while let Some((_, who)) = due(self) {
            self.end(who, End::Failed(TERMINATED.to_owned()), true);
        }
    }

    pub fn end(&mut self, who: Ordinal, end: End, forced: bool) {
        if self.processes[who].alive {
            self.end_all(&BTreeMap::from([(who, (end, forced))]));
        }
    }

    /// The process starts over: its callees end, and perhaps itself with them. Whether it lives.
    pub fn upgrade(&mut self, who: Ordinal, limit: usize) -> bool {
        if self.processes[who].alive {
            let callees = self.calls.iter().filter(|(_, (caller, _))| *caller == who).map(|(callee, _)| *callee);
            let end = (End::Failed(TERMINATED.to_owned()), true);
            self.end_all(&callees.map(|callee| (callee, end.clone())).collect());
        }
        let process = &mut self.processes[who];
        if process.alive {
            (process.trap, process.limit) = (false, limit);
        }
        process.alive
    }

    fn end_all(&mut self, first: &BTreeMap<Ordinal, (End, bool)>) {
        let failed = |who: &Ordinal| !matches!(first.get(who), Some((End::Completed, _)));
        let mut causes = vec![TERMINATED.to_owned()];
        causes.extend(first.values().filter_map(|(end, _)| match end {
            End::Failed(message) => Some(message.clone()),
            _ => None,
        }));
        let mut dying: BTreeSet<Ordinal> = first.keys().copied().collect();
        while let Some(more) = self.next_dying(&dying, failed) {
            dying.insert(more);
        }
        self.command += 1;
        for who in &dying {
            let (end, forced) = first.get(who).cloned().unwrap_or_else(|| {
                let called = self.calls.get(who).is_some_and(|(caller, _)| dying.contains(caller));
                (End::Along { called, links: self.linked_among(*who, &dying), causes: causes.clone() }, true)
            });
            self.expect(Expect::Ended { who: *who, end, forced });
        }
        for (name, holder) in self.names.clone() {
            if dying.contains(&holder) {
                self.expect(Expect::Unnamed { name });
            }
        }
        self.expect_events(&dying, failed);
        self.links.retain(|(a, b)| !dying.contains(a) && !dying.contains(b));
        self.monitors.retain(|(a, b)| !dying.contains(a) && !dying.contains(b));
        self.calls.retain(|callee, _| !dying.contains(callee));
        self.names.retain(|_, holder| !dying.contains(holder));
        for who in dying {
            let process = &mut self.processes[who];
            (process.alive, process.trap, process.deadline) = (false, false, None);
        }
    }

    fn next_dying(&self, dying: &BTreeSet<Ordinal>, failed: impl Fn(&Ordinal) -> bool) -> Option<Ordinal> {
        let both = self.links.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]);
        let linked = both.filter(|(a, b)| failed(a) && !self.processes[*b].trap);
        let called = self.calls.iter().map(|(callee, (caller, _))| (*caller, *callee));
        let mut next = linked.chain(called).filter(|(a, b)| dying.contains(a) && !dying.contains(b));
        next.next().map(|(_, b)| b)
    }

    fn linked_among(&self, who: Ordinal, dying: &BTreeSet<Ordinal>) -> BTreeSet<Ordinal> {
        dying.iter().copied().filter(|other| self.links.contains(&pair(who, *other))).collect()
    }

    fn expect_events(&mut self, dying: &BTreeSet<Ordinal>, failed: impl Fn(&Ordinal) -> bool) {
        for (to, from) in self.monitors.clone() {
            if dying.contains(&from) && !dying.contains(&to) {
                self.expect(Expect::Exit { to, from });
            }
        }
        let both: Vec<_> = self.links.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]).collect();
        for (from, to) in both {
            if failed(&from) && dying.contains(&from) && !dying.contains(&to) {
                self.expect(Expect::LinkDown { to, from });
            }
        }
        for (from, (to, request)) in self.calls.clone() {
            if dying.contains(&from) && !dying.contains(&to) {
                self.expect(Expect::Reply { to, from, request });
            }
        }
    }

    fn expect(&mut self, expect: Expect) {
        self.expected.push((self.command, self.now, expect));
    }

    /// What must come next: everything of the oldest command that is still owed something.
    pub fn owed(&self) -> Vec<Owed> {
        let oldest = self.expected.iter().map(|(command, _, _)| *command).min();
        let all = self.expected.iter().enumerate();
        let owed = all.filter(|(_, (command, _, _))| Some(*command) == oldest);
        owed.map(|(at, (_, now, expect))| (at, *now, expect.clone())).collect()
    }
}
