//! The model: what must come of each command, in the simplest words. Owns a second opinion on the kernel, from sets of
//! pairs and loops over everything; shares no code with it, so that both would have to be wrong in the same way.
#![allow(clippy::indexing_slicing, reason = "ordinals are the model's own: a wrong one is a bug of the simulation")]

use std::collections::{BTreeMap, BTreeSet};

use lunarium_kernel::ErrorKind;

const TERMINATED: &str = "process terminated";
/// How a process ends with its lifetime.
pub const TOO_OLD: &str = "too old";

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
    /// By the same.
    pub lifetime: Option<u64>,
}

/// How a process ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Completed,
    Failed(String),
}

/// What waits for a process until its turn.
pub struct Waiting {
    pub who: Ordinal,
    pub orphaned: bool,
    /// Who failed while linked with it, and when.
    pub failures: Vec<(Ordinal, i64)>,
}

/// An effect that must come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    Named {
        name: String,
        who: Ordinal,
    },
    Unnamed {
        name: String,
    },
    Ended {
        who: Ordinal,
        end: End,
        forced: bool,
    },
    Exit {
        to: Ordinal,
        from: Ordinal,
    },
    LinkDown {
        to: Ordinal,
        from: Ordinal,
    },
    Cancel {
        to: Ordinal,
        from: Option<Ordinal>,
        deadline: Option<i64>,
    },
    Reply {
        to: Ordinal,
        from: Ordinal,
        request: u64,
    },
    /// A group isn't as it was.
    Changed {
        to: Ordinal,
        request: u64,
    },
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
    pub lifetime: Option<u64>,
}

pub struct Model {
    pub max: usize,
    /// Links and monitors of the whole node, each.
    pub most: usize,
    pub hosts: Vec<ModelHost>,
    pub processes: Vec<ModelProcess>,
    /// The smaller ordinal first.
    pub links: BTreeSet<(Ordinal, Ordinal)>,
    /// Watcher and watched.
    pub monitors: BTreeSet<(Ordinal, Ordinal)>,
    /// Callee to caller, with the request.
    pub calls: BTreeMap<Ordinal, (Ordinal, u64)>,
    pub names: BTreeMap<String, Ordinal>,
    /// Group and member.
    pub members: BTreeSet<(u8, Ordinal)>,
    /// Group, who waits for a change of it, and the request.
    pub group_watchers: BTreeSet<(u8, Ordinal, u64)>,
    /// In the order of their turns.
    pub waiting: Vec<Waiting>,
    /// The message of the first failure on the way to each process that failed.
    causes: BTreeMap<Ordinal, String>,
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
    pub fn new(max: usize, most: usize, hosts: Vec<ModelHost>) -> Self {
        Self {
            max,
            most,
            hosts,
            processes: Vec::new(),
            links: BTreeSet::new(),
            monitors: BTreeSet::new(),
            calls: BTreeMap::new(),
            names: BTreeMap::new(),
            members: BTreeSet::new(),
            group_watchers: BTreeSet::new(),
            waiting: Vec::new(),
            causes: BTreeMap::new(),
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

    /// A failure that isn't told counts as the link that it was.
    pub fn links_of(&self, who: Ordinal) -> usize {
        let untold = self.waiting.iter().filter(|waiting| waiting.who == who).map(|waiting| waiting.failures.len());
        self.links.iter().filter(|(a, b)| *a == who || *b == who).count() + untold.sum::<usize>()
    }

    fn all_links(&self) -> usize {
        self.links.len() + self.waiting.iter().map(|waiting| waiting.failures.len()).sum::<usize>()
    }

    pub fn monitors_of(&self, who: Ordinal) -> usize {
        self.monitors.iter().filter(|(watcher, _)| *watcher == who).count()
    }

    pub fn names_of(&self, who: Ordinal) -> usize {
        self.names.values().filter(|holder| **holder == who).count()
    }

    pub fn next_deadline(&self) -> Option<u64> {
        self.times().map(|(time, ..)| time).min()
    }

    /// When somebody ends, by a deadline (false) or with its lifetime.
    fn times(&self) -> impl Iterator<Item = (u64, bool, Ordinal)> {
        let of = |who: Ordinal| [(self.processes[who].deadline, false), (self.processes[who].lifetime, true)];
        let all = self.living().flat_map(move |who| of(who).map(|(time, lifetime)| (time, lifetime, who)));
        all.filter_map(|(time, lifetime, who)| Some((time?, lifetime, who)))
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
            full |= wish.linked && (self.links_of(parent) >= limit || wish.limit == 0 || self.all_links() >= self.most);
            full |= wish.monitored && (self.monitors_of(parent) >= limit || self.monitors.len() >= self.most);
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
            lifetime: wish.lifetime,
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
        if [caller, other].iter().any(|end| self.links_of(*end) >= self.processes[*end].limit)
            || self.all_links() >= self.most
        {
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
        if self.monitors_of(caller) >= self.processes[caller].limit || self.monitors.len() >= self.most {
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

    pub fn groups_of(&self, who: Ordinal) -> usize {
        let watched = self.group_watchers.iter().filter(|(_, watcher, _)| *watcher == who).count();
        self.members.iter().filter(|(_, member)| *member == who).count() + watched
    }

    pub fn join_group(&mut self, who: Ordinal, group: u8) -> Refusable<bool> {
        self.alive_caller(who)?;
        if self.members.contains(&(group, who)) {
            return Ok(false);
        }
        if self.groups_of(who) >= self.processes[who].limit {
            return Err(ErrorKind::ResourceExhausted);
        }
        self.members.insert((group, who));
        self.command += 1;
        self.group_changed(group);
        Ok(true)
    }

    pub fn leave_group(&mut self, who: Ordinal, group: u8) -> Refusable<bool> {
        self.alive_caller(who)?;
        let was_in_it = self.members.remove(&(group, who));
        if was_in_it {
            self.command += 1;
            self.group_changed(group);
        }
        Ok(was_in_it)
    }

    /// `changed`: it isn't any more as the watcher thinks.
    pub fn watch_group(&mut self, who: Ordinal, group: u8, request: u64, changed: bool) -> Refusable<()> {
        self.alive_caller(who)?;
        if changed {
            self.command += 1;
            self.expect(Expect::Changed { to: who, request });
        } else if self.groups_of(who) >= self.processes[who].limit {
            return Err(ErrorKind::ResourceExhausted);
        } else {
            self.group_watchers.insert((group, who, request));
        }
        Ok(())
    }

    pub fn unwatch_group(&mut self, who: Ordinal, group: u8) -> Refusable<()> {
        self.alive_caller(who)?;
        self.command += 1;
        self.answer_watchers(|(watched, watcher, _)| *watched == group && *watcher == who);
        Ok(())
    }

    fn group_changed(&mut self, group: u8) {
        self.answer_watchers(|(watched, ..)| *watched == group);
    }

    fn answer_watchers(&mut self, of: impl Fn(&(u8, Ordinal, u64)) -> bool) {
        for watcher in self.group_watchers.clone().into_iter().filter(|watcher| of(watcher)) {
            self.group_watchers.remove(&watcher);
            self.expect(Expect::Changed { to: watcher.1, request: watcher.2 });
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

    /// Whose deadline or lifetime has passed: the earliest ends.
    pub fn timeout(&mut self) {
        let due = self.times().min().filter(|(time, ..)| *time <= self.uptime);
        if let Some((_, lifetime, who)) = due {
            let message = if lifetime { TOO_OLD } else { TERMINATED };
            self.end(who, End::Failed(message.to_owned()), true);
        }
    }

    pub fn end(&mut self, who: Ordinal, end: End, forced: bool) {
        let cause = match &end {
            End::Completed => None,
            End::Failed(message) => Some(message.clone()),
        };
        self.end_because(who, end, forced, cause);
    }

    /// The process starts over: it lets its callees go. Whether it lives.
    pub fn upgrade(&mut self, who: Ordinal, limit: usize) -> bool {
        if self.processes[who].alive {
            for callee in self.callees(who) {
                self.links.remove(&pair(who, callee));
                self.waiting_of(callee).orphaned = true;
            }
            self.group_watchers.retain(|(_, watcher, _)| *watcher != who);
            let process = &mut self.processes[who];
            (process.trap, process.limit, process.lifetime) = (false, limit, None);
        }
        self.processes[who].alive
    }

    /// The first who waits has its turn.
    pub fn turn(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let Waiting { who, orphaned, failures } = self.waiting.remove(0);
        if orphaned {
            self.end(who, End::Failed(TERMINATED.to_owned()), true);
        } else if self.processes[who].trap {
            self.command += 1;
            for (from, at) in failures {
                self.expected.push((self.command, at, Expect::LinkDown { to: who, from }));
            }
        } else if let Some((from, _)) = failures.first() {
            let cause = self.causes[from].clone();
            let message = format!("linked process failed: {}: {cause}", self.processes[*from].text);
            self.end_because(who, End::Failed(message), true, Some(cause));
        }
    }

    fn callees(&self, who: Ordinal) -> Vec<Ordinal> {
        self.calls.iter().filter(|(_, (caller, _))| *caller == who).map(|(callee, _)| *callee).collect()
    }

    fn waiting_of(&mut self, who: Ordinal) -> &mut Waiting {
        let at = self.waiting.iter().position(|waiting| waiting.who == who).unwrap_or_else(|| {
            self.waiting.push(Waiting { who, orphaned: false, failures: Vec::new() });
            self.waiting.len() - 1
        });
        &mut self.waiting[at]
    }

    fn end_because(&mut self, who: Ordinal, end: End, forced: bool, cause: Option<String>) {
        if !self.processes[who].alive {
            return;
        }
        self.waiting.retain(|waiting| waiting.who != who);
        self.command += 1;
        self.expect(Expect::Ended { who, end, forced });
        for (name, holder) in self.names.clone() {
            if holder == who {
                self.names.remove(&name);
                self.expect(Expect::Unnamed { name });
            }
        }
        for (to, from) in self.monitors.clone() {
            if from == who {
                self.expect(Expect::Exit { to, from });
            }
        }
        for callee in self.callees(who) {
            self.calls.remove(&callee);
            self.waiting_of(callee).orphaned = true;
        }
        if let Some((to, request)) = self.calls.remove(&who) {
            self.expect(Expect::Reply { to, from: who, request });
        }
        if let Some(cause) = cause {
            self.causes.insert(who, cause);
            self.fail_linked(who);
        }
        self.group_watchers.retain(|(_, watcher, _)| *watcher != who);
        for (group, member) in self.members.clone() {
            if member == who {
                self.members.remove(&(group, member));
                self.group_changed(group);
            }
        }
        self.links.retain(|(a, b)| *a != who && *b != who);
        self.monitors.retain(|(a, b)| *a != who && *b != who);
        let process = &mut self.processes[who];
        (process.alive, process.trap, process.deadline, process.lifetime) = (false, false, None, None);
    }

    fn fail_linked(&mut self, from: Ordinal) {
        let ends = self.links.iter().filter_map(|(a, b)| match (*a == from, *b == from) {
            (true, _) => Some(*b),
            (_, true) => Some(*a),
            _ => None,
        });
        for to in ends.collect::<BTreeSet<_>>() {
            let waits = self.waiting.iter().any(|waiting| waiting.who == to);
            if self.processes[to].trap && !waits {
                self.expect(Expect::LinkDown { to, from });
            } else {
                let failure = (from, self.now);
                self.waiting_of(to).failures.push(failure);
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
