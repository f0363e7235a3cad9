//! The world of a simulation: a kernel, inboxes, and an engine that performs effects when the script says so. Owns the
//! comparison with the model after every step. Anything may lag behind the kernel here, as it does in the engine, which
//! sends by its own tables of processes and names and never asks the kernel.
#![allow(clippy::indexing_slicing, reason = "ordinals are the model's own: a wrong one is a bug of the simulation")]

mod arrivals;
mod groups;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Display};
use std::sync::Arc;

use lunarium_kernel::{
    BatchLimits, CountLimits, Deadline, Destination, Effect, EntryId, ErrorKind, Event, Failure, Host, HostId, Inbox,
    Kernel, Limits, Mailbox, Name, NodeLimits, Outcome, Pid, Refusal, RegisterError, ResolveError, SpawnSpec, Tally,
    Timestamp, Uptime,
};

use super::model::{End, Expect, Model, ModelHost, Ordinal, Owed, SpawnWish, Target};
use super::model_mailbox::{LIMITS, ModelMailbox};
use super::model_requests::{Kind, ModelRequests};
use super::script::{Dest, LIVING, NAMES, REACH, Step, Who};
use super::{Run, Stats};

type Checked<T = ()> = Result<T, String>;

const NODE_MAX: usize = 12;
/// Links and monitors of the node, each.
const NODE_MOST: u32 = 14;
/// Links, monitors and names that a process may have.
const LIMIT_OF: [usize; 8] = [50, 50, 50, 2, 2, 2, 1, 0];

pub struct World {
    kernel: Kernel,
    model: Model,
    hosts: Vec<Arc<Host>>,
    pids: Vec<Pid>,
    /// Of everybody who ever lived. A task is the number of its request.
    inboxes: Vec<(Inbox<(), ()>, ModelMailbox, ModelRequests)>,
    /// Whom the engine finds, by number.
    table: BTreeMap<u64, Ordinal>,
    /// Which names it finds: what `Named` and `Unnamed` have told; and what the model's have.
    names: BTreeMap<Name, Pid>,
    model_names: BTreeMap<String, Ordinal>,
    /// How each process ended whose `Ended` was performed.
    ended: BTreeMap<Ordinal, Outcome>,
    /// Who found that it had ended when it wanted to start over: its runner is gone.
    gone: BTreeSet<Ordinal>,
    /// Messages accepted, and read, by sender, receiver and topic.
    sent: BTreeMap<(Option<Ordinal>, Ordinal, u8), u32>,
    read: BTreeMap<(Option<Ordinal>, Ordinal, u8), u32>,
    stats: Stats,
    trace: Vec<String>,
}

fn hosts() -> Vec<ModelHost> {
    let host = |id, max| ModelHost { id, max, stopped: false };
    vec![host("app:a", 5), host("app:b", 50), host("other", 4)]
}

fn same<T: PartialEq + Debug + ?Sized>(what: &str, kernel: &T, model: &T) -> Checked {
    if kernel == model { Ok(()) } else { Err(format!("{what}: {kernel:?}, and the model says {model:?}")) }
}

impl World {
    pub fn new() -> Checked<Self> {
        let made = |host: ModelHost| Host::new(HostId::new(host.id), host.max as u32, Limits::default()).map(Arc::new);
        let made = hosts().into_iter().map(made).collect::<Result<Vec<_>, _>>();
        Ok(Self {
            kernel: Kernel::new(NodeLimits {
                max_processes: NODE_MAX as u32,
                max_links: NODE_MOST,
                max_monitors: NODE_MOST,
            }),
            model: Model::new(NODE_MAX, NODE_MOST as usize, hosts()),
            hosts: made.map_err(|refusal| refusal.to_string())?,
            pids: Vec::new(),
            inboxes: Vec::new(),
            table: BTreeMap::new(),
            names: BTreeMap::new(),
            model_names: BTreeMap::new(),
            ended: BTreeMap::new(),
            gone: BTreeSet::new(),
            sent: BTreeMap::new(),
            read: BTreeMap::new(),
            stats: Stats::new(),
            trace: Vec::new(),
        })
    }

    /// Does one step in the kernel and in the model. A step that names a process when there is none does nothing.
    pub fn step(&mut self, step: &Step) -> Checked {
        match step {
            Step::Spawn { parent, host, monitored, linked, exec, name, room } => {
                let limit = LIMIT_OF[usize::from(*room) % LIMIT_OF.len()];
                // Where nobody lives, a parent is wished for in vain, and the runtime spawns.
                let wished = parent.filter(|parent| *parent >= LIVING || self.kernel.process_count() > 0);
                let parent = wished.and_then(|parent| self.who(parent));
                let (host, name) = (usize::from(*host), name.map(name_text));
                let lifetime = (*room % 16 == 8).then(|| self.model.uptime + u64::from(*room));
                let (monitored, linked) = (*monitored, *linked);
                let wish = SpawnWish { parent, host, monitored, linked, exec: None, name, limit, lifetime };
                match (exec, parent) {
                    (false, _) => self.spawn(step, wish).map(drop),
                    (true, None) => self.spawn(step, SpawnWish { exec: Some(1), ..wish }).map(drop),
                    (true, Some(caller)) => self.exec(step, caller, wish),
                }
            }
            Step::StopHost(host) => {
                let host = usize::from(*host);
                self.model.hosts[host].stopped = true;
                self.kernel.stop_host(&self.hosts[host]);
                Ok(())
            }
            Step::Advance(nanos) => {
                self.model.now += i64::from(*nanos);
                self.model.uptime += u64::from(*nanos);
                while self.kernel.next_deadline().is_some_and(|deadline| deadline <= self.uptime()) {
                    self.model.timeout();
                    self.kernel.handle_timeout(self.uptime(), self.now());
                }
                Ok(())
            }
            Step::SetClock(nanos) => {
                self.model.now += i64::from(*nanos);
                Ok(())
            }
            Step::Perform(count) => (0..*count).try_for_each(|_| self.perform().map(drop)),
            Step::Turn(count) => {
                (0..*count).for_each(|_| self.turn());
                Ok(())
            }
            Step::Send(from, to, topic, bytes) => self.send(*from, to, *topic, *bytes),
            Step::Terminate(caller, dest) => self.terminate(*caller, dest),
            Step::Cancel(caller, dest, deadline) => self.cancel(*caller, dest, *deadline),
            Step::Link(who, _)
            | Step::Unlink(who, _)
            | Step::Monitor(who, _)
            | Step::Unmonitor(who, _)
            | Step::Register(who, _, _)
            | Step::Lookup(who, _)
            | Step::Unregister(who, _)
            | Step::Trap(who, _)
            | Step::Exit(who, _)
            | Step::Read(who, _, _, _)
            | Step::Listen(who, _)
            | Step::Unlisten(who, _)
            | Step::ListenToAll(who)
            | Step::Upgrade(who, _)
            | Step::JoinGroup(who, _)
            | Step::LeaveGroup(who, _)
            | Step::WatchGroup(who, _, _)
            | Step::UnwatchGroup(who, _)
            | Step::Ask(who)
            | Step::Task(who, _)
            | Step::NextTask(who)
            | Step::Answer(who, _, _)
            | Step::Take { who, .. } => match self.who(*who) {
                Some(who) => self.step_of(who, step),
                None => Ok(()),
            },
        }
    }

    fn step_of(&mut self, who: Ordinal, step: &Step) -> Checked {
        let pid = self.pids[who].clone();
        let (kernel, model): (_, Result<String, ErrorKind>) = match step {
            Step::Link(_, dest) => {
                let (text, target) = self.dest(dest);
                let found = self.find(Some(&pid), &text).map_err(Into::into);
                (kind(found.and_then(|other| self.kernel.link(&pid, &other)))?, shown(self.model.link(who, &target)))
            }
            Step::Unlink(_, dest) => {
                let (text, target) = self.dest(dest);
                let found = self.find(Some(&pid), &text).map_err(Into::into);
                let kernel = kind(found.and_then(|other| self.kernel.unlink(&pid, &other)))?;
                (kernel, shown(self.model.unlink(who, &target)))
            }
            Step::Monitor(_, dest) => {
                let (text, target) = self.dest(dest);
                let found = self.find(Some(&pid), &text).map_err(Into::into);
                let kernel = kind(found.and_then(|other| self.kernel.monitor(&pid, &other)))?;
                (kernel, shown(self.model.monitor(who, &target)))
            }
            Step::Unmonitor(_, dest) => {
                let (text, target) = self.dest(dest);
                let found = self.find(Some(&pid), &text).map_err(Into::into);
                let kernel = kind(found.and_then(|other| self.kernel.unmonitor(&pid, &other)))?;
                (kernel, shown(self.model.unmonitor(who, &target)))
            }
            Step::Register(_, name, dest) => {
                let (text, target) = dest.as_ref().map(|dest| self.dest(dest)).unzip();
                let to = text
                    .map_or(Ok(pid.clone()), |text| Pid::parse(&text).ok_or_else(|| RegisterError::not_a_pid(&text)));
                let kernel = to.and_then(|to| self.kernel.register(&pid, checked_name(*name), &to));
                (kind(kernel)?, shown(self.model.register(who, &name_text(*name), target.as_ref())))
            }
            Step::Lookup(_, name) => {
                let found = self.model.resolve(Some(who), &Target::Name(name_text(*name)));
                let found = found.map(|found| self.pids[found].clone());
                (kind(self.kernel.resolve(Some(&pid), &Destination::Name(&name_text(*name))))?, shown(found))
            }
            Step::Unregister(_, name) => {
                let kernel = kind(self.kernel.unregister(&pid, &checked_name(*name)))?;
                (kernel, shown(self.model.unregister(who, &name_text(*name))))
            }
            Step::Trap(_, trap) => {
                self.kernel.set_trap_links(&pid, *trap);
                self.model.set_trap(who, *trap);
                return Ok(());
            }
            Step::Exit(_, failed) => return self.exit(who, *failed),
            Step::Take { items, bytes, credit, .. } => {
                let batch = BatchLimits { items: u32::from(*items), bytes: u64::from(*bytes) };
                return self.take(who, batch, u64::from(*credit));
            }
            Step::Read(_, topic, count, waits) => return self.read(who, *topic, usize::from(*count), *waits),
            Step::Listen(..) | Step::Unlisten(..) | Step::ListenToAll(_) => return self.listen(who, step),
            Step::JoinGroup(..) | Step::LeaveGroup(..) | Step::WatchGroup(..) | Step::UnwatchGroup(..) => {
                return self.group(who, step);
            }
            Step::Ask(_) => return self.begin(who, Kind::Foreign).map(drop),
            Step::Task(_, count) => return (0..*count).try_for_each(|_| self.begin(who, Kind::Task).map(drop)),
            Step::NextTask(_) => return self.next_task(who),
            Step::Answer(_, which, bytes) => return self.answer(who, usize::from(*which), usize::from(*bytes)),
            Step::Upgrade(_, room) => return self.upgrade(who, LIMIT_OF[usize::from(*room) % LIMIT_OF.len()]),
            _ => return Ok(()),
        };
        self.compare(step, kernel, model)
    }

    /// Compares what a command said, and counts it.
    fn compare(&mut self, step: &Step, kernel: Answer, model: Answer) -> Checked {
        let text = format!("{step:?}");
        let word = text.split(['(', ' ']).next().unwrap_or_default();
        let result = kernel.as_ref().map_or_else(|kind| kind.as_str(), |_| "ok");
        *self.stats.entry(format!("{word} {result}")).or_default() += 1;
        self.trace.push(format!("{word} {kernel:?}"));
        same("answer", &kernel, &model)
    }

    /// Mostly one of the living, counted back from the youngest; else one of the youngest, dead or alive.
    fn who(&self, who: Who) -> Option<Ordinal> {
        let living: Vec<Ordinal> = self.model.living().collect();
        let all: Vec<Ordinal> = (self.pids.len().saturating_sub(REACH)..self.pids.len()).collect();
        let among = if who < LIVING && !living.is_empty() { living } else { all };
        let back = usize::from(who).checked_rem(among.len())?;
        Some(among[among.len() - 1 - back])
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.model.now)
    }

    fn uptime(&self) -> Uptime {
        Uptime::from_nanos(self.model.uptime)
    }

    /// The pid for a command. What is written as a pid may be anybody's; a name must be somebody's.
    fn find(&self, caller: Option<&Pid>, text: &str) -> Result<Pid, ResolveError> {
        match Destination::parse(text)? {
            Destination::Pid { text, .. } => Pid::parse(text).ok_or_else(|| ResolveError::unknown_pid(text)),
            name @ Destination::Name(_) => self.kernel.resolve(caller, &name),
        }
    }

    fn dest(&self, dest: &Dest) -> (String, Target) {
        let nobody = || ("{app:a|0x0ffff}".to_owned(), Target::Nobody);
        match dest {
            Dest::Pid(who) => self.who(*who).map_or_else(nobody, |who| {
                let text = self.model.processes[who].text.clone();
                (text, Target::Process(who))
            }),
            Dest::WrongHost(who) => self.who(*who).map_or_else(nobody, |who| {
                let wrong = if self.model.processes[who].host == 0 { "app:b" } else { "app:a" };
                (format!("{{{wrong}|0x{:05x}}}", who + 1), Target::Nobody)
            }),
            Dest::Never => nobody(),
            Dest::Name(name) => (name_text(*name), Target::Name(name_text(*name))),
            Dest::Empty => (String::new(), Target::Unusable),
            Dest::Long => ("n".repeat(256), Target::Unusable),
        }
    }

    /// Whether it was spawned.
    fn spawn(&mut self, step: &Step, wish: SpawnWish) -> Checked<bool> {
        let parent = wish.parent.map(|parent| self.pids[parent].clone());
        let limit = wish.limit as u32;
        let spec = SpawnSpec {
            entry: EntryId::new("app:main"),
            monitored: wish.monitored,
            linked: wish.linked,
            exec: wish.exec,
            name: wish.name.as_deref().map(Name::new).transpose().map_err(|refusal| refusal.to_string())?,
            limits: CountLimits { links: limit, monitors: limit, names: limit, groups: limit },
            lifetime: wish.lifetime.map(arrivals::lasting),
            ordinary: false,
        };
        let spawned = self.kernel.spawn(parent.as_ref(), &self.hosts[wish.host], spec);
        let model = self.model.spawn(&wish);
        if let (Ok(spawned), Ok(who)) = (&spawned, &model) {
            let process = &self.model.processes[*who];
            same("pid", &spawned.pid.as_str(), &process.text.as_str())?;
            same("chain", &spawned.chain, &process.chain)?;
            self.table.insert(spawned.pid.number(), *who);
            self.pids.push(spawned.pid.clone());
            let inbox = Inbox::new(Mailbox::new(LIMITS), &spawned.pid);
            self.inboxes.push((inbox, ModelMailbox::new(spawned.pid.clone()), ModelRequests::default()));
        }
        let is_spawned = spawned.is_ok();
        self.compare(step, kind(spawned.map(drop))?, shown(model.map(drop)))?;
        Ok(is_spawned)
    }

    /// As the engine does it: the request is begun first, and canceled when nothing is spawned.
    fn exec(&mut self, step: &Step, caller: Ordinal, wish: SpawnWish) -> Checked {
        let Some(request) = self.begin(caller, Kind::Exec)? else { return Ok(()) };
        if !self.spawn(step, SpawnWish { exec: Some(request), ..wish })? {
            let (inbox, _, requests) = &mut self.inboxes[caller];
            inbox.cancel_request();
            requests.cancel(request);
        }
        Ok(())
    }

    fn terminate(&mut self, caller: Option<Who>, dest: &Dest) -> Checked {
        let (caller, (text, target)) = (caller.and_then(|who| self.who(who)), self.dest(dest));
        let pid = caller.map(|who| self.pids[who].clone());
        let (found, at) = (self.find(pid.as_ref(), &text), self.now());
        let kernel = kind(found.and_then(|other| self.kernel.terminate(pid.as_ref(), &other, at)))?;
        let model = shown(self.model.terminate(caller, &target));
        self.compare(&Step::Terminate(None, Dest::Never), kernel, model)
    }

    fn cancel(&mut self, caller: Option<Who>, dest: &Dest, deadline: Option<i8>) -> Checked {
        let (caller, (text, target)) = (caller.and_then(|who| self.who(who)), self.dest(dest));
        let delay = deadline.map(i64::from);
        let deadline = delay.map(|delay| Deadline {
            due: Uptime::from_nanos(self.model.uptime.saturating_add_signed(delay)),
            shown: Timestamp::from_nanos(self.model.now + delay),
        });
        let pid = caller.map(|who| self.pids[who].clone());
        let (found, at) = (self.find(pid.as_ref(), &text), self.now());
        let kernel = kind(found.and_then(|other| self.kernel.cancel(pid.as_ref(), &other, deadline, at)))?;
        let model = shown(self.model.cancel(caller, &target, delay));
        self.compare(&Step::Cancel(None, Dest::Never, None), kernel, model)
    }

    fn exit(&mut self, who: Ordinal, failed: bool) -> Checked {
        let (outcome, end) = if failed {
            let message = format!("boom {who}");
            (Outcome::failed(Failure::new(ErrorKind::Internal, message.clone())), End::Failed(message))
        } else {
            (Outcome::Completed([0].as_slice().into()), End::Completed)
        };
        self.kernel.handle_exit(&self.pids[who], outcome, self.now());
        self.model.end(who, end, false);
        Ok(())
    }

    fn turn(&mut self) {
        let living = self.kernel.process_count();
        self.model.turn();
        self.kernel.handle_consequence(self.now());
        let word = if self.kernel.process_count() < living { "Turn ends" } else { "Turn ends nobody" };
        *self.stats.entry(word.to_owned()).or_default() += 1;
    }

    /// Performs one effect: it must be owed now, and all that must come before it must have come.
    fn perform(&mut self) -> Checked<bool> {
        let Some(effect) = self.kernel.poll_effect() else {
            return same("effects owed", &0, &self.model.expected.len()).map(|()| false);
        };
        self.trace.push(format!("{effect:?}"));
        // All of one command, also when this is the last of it: what later commands owe comes later.
        let owed = self.model.owed();
        let found = owed.iter().find(|(_, now, expect)| self.is(&effect, *now, expect));
        let Some((at, _, expect)) = found.cloned() else {
            return Err(format!("effect {effect:?}, and what is owed is {owed:?}"));
        };
        self.model.expected.remove(at);
        let word = format!("{expect:?}");
        *self.stats.entry(word.split(' ').next().unwrap_or_default().to_owned()).or_default() += 1;
        match (effect, expect) {
            (Effect::Named { name, pid }, Expect::Named { name: text, who }) => {
                same("a name is told once", &self.names.insert(name, pid), &None)?;
                self.model_names.insert(text, who);
            }
            (Effect::Unnamed { name }, Expect::Unnamed { name: text }) => {
                same("a free name", &self.names.remove(&name).is_some(), &true)?;
                self.model_names.remove(&text);
            }
            (Effect::Ended { outcome, .. }, Expect::Ended { who, .. }) => self.perform_end(who, outcome, &owed)?,
            (Effect::Deliver { event, .. }, expect) => self.deliver(event, &expect)?,
            (Effect::Reply { outcome, .. }, Expect::Reply { to, from, request }) => {
                self.check_reply(from)?;
                let (inbox, _, requests) = &mut self.inboxes[to];
                same("a reply to the dead", &inbox.is_closed(), &false)?;
                let bytes = outcome.size();
                same("flooded", &inbox.reply(request, outcome), &false)?;
                requests.reply(request, bytes);
            }
            (Effect::Reply { outcome, .. }, Expect::Changed { to, request }) => {
                self.tell_change(to, request, outcome)?
            }
            (effect, _) => return Err(format!("effect {effect:?} is none of a delivery")),
        }
        Ok(true)
    }

    /// `owed` is what the command that ended it owed until now: names of all who end together are free by then.
    fn perform_end(&mut self, who: Ordinal, outcome: Outcome, owed: &[Owed]) -> Checked {
        let unfreed = owed.iter().any(|(_, _, expect)| matches!(expect, Expect::Unnamed { .. }));
        same("a name is to be freed first", &unfreed, &false)?;
        same("a name of the dead", &self.names.values().any(|pid| *pid == self.pids[who]), &false)?;
        same("ended before", &self.ended.insert(who, outcome), &None)?;
        same("the end of a stranger", &self.table.remove(&self.pids[who].number()), &Some(who))?;
        let (inbox, mailbox, requests) = &mut self.inboxes[who];
        drop(inbox.close());
        *mailbox = ModelMailbox::new(self.pids[who].clone());
        requests.close();
        Ok(())
    }

    fn deliver(&mut self, event: Event, expect: &Expect) -> Checked {
        let to = match expect {
            Expect::Exit { to, from } | Expect::LinkDown { to, from } => {
                same("told before the end", &self.ended.contains_key(from), &true)?;
                let exit = Expect::Exit { to: *to, from: *from };
                let owed = self.model.owed().iter().any(|(_, _, expect)| *expect == exit);
                same("an EXIT is owed first", &owed, &false)?;
                *to
            }
            Expect::Cancel { to, .. } => *to,
            _ => return Err("it isn't delivered".to_owned()),
        };
        let (inbox, mailbox, _) = &mut self.inboxes[to];
        same("delivery to the dead", &inbox.is_closed(), &false)?;
        mailbox.push_event(event.clone());
        same("flooded", &inbox.push_event(event), &false)
    }

    /// Whether an effect is what is expected.
    fn is(&self, effect: &Effect, now: i64, expect: &Expect) -> bool {
        let pid = |who: &Ordinal| &self.pids[*who];
        let outcome_of = |who: &Ordinal| self.ended.get(who);
        let now = Timestamp::from_nanos(now);
        match (effect, expect) {
            (Effect::Ended { pid: of, outcome, forced }, Expect::Ended { who, end, forced: by_force }) => {
                of == pid(who) && forced == by_force && Self::ends_so(outcome, end)
            }
            (Effect::Deliver { to, event: Event::Exit { from, outcome, at } }, Expect::Exit { to: t, from: f })
            | (
                Effect::Deliver { to, event: Event::LinkDown { from, outcome, at } },
                Expect::LinkDown { to: t, from: f },
            ) => to == pid(t) && from == pid(f) && *at == now && outcome_of(f) == Some(outcome),
            (
                Effect::Deliver { to, event: Event::Cancel { from, deadline, at } },
                Expect::Cancel { to: t, from: f, deadline: d },
            ) => {
                let from_same = from.as_ref() == f.as_ref().map(pid);
                to == pid(t) && from_same && *deadline == d.map(Timestamp::from_nanos) && *at == now
            }
            (Effect::Named { name, pid: of }, Expect::Named { name: text, who }) => {
                name.as_str() == text && of == pid(who)
            }
            (Effect::Unnamed { name }, Expect::Unnamed { name: text }) => name.as_str() == text,
            (Effect::Reply { to, request, outcome }, Expect::Reply { to: t, from, request: r }) => {
                to == pid(t) && request == r && outcome_of(from) == Some(outcome)
            }
            (Effect::Reply { to, request, .. }, Expect::Changed { to: t, request: r }) => to == pid(t) && request == r,
            _ => false,
        }
    }

    fn ends_so(outcome: &Outcome, end: &End) -> bool {
        let message = outcome.failure().map(|failure| failure.message.as_str());
        match (end, message) {
            (End::Completed, None) => true,
            (End::Failed(expected), Some(message)) => message == expected,
            _ => false,
        }
    }

    /// What must be true between any two steps.
    pub fn check(&self) -> Checked {
        self.kernel.check_invariants()?;
        let (usage, model) = (self.kernel.usage(), &self.model);
        same("processes", &usage.processes, &model.living().count())?;
        same("links", &usage.links, &model.links.len())?;
        same("monitors", &usage.monitors, &model.monitors.len())?;
        same("consequences", &usage.consequences, &model.waiting.len())?;
        same("calls", &usage.calls, &model.calls.len())?;
        same("names", &usage.names, &model.names.len())?;
        same("groups", &usage.groups, &(model.members.len() + model.group_watchers.len()))?;
        self.check_groups()?;
        same("next deadline", &self.kernel.next_deadline(), &model.next_deadline().map(Uptime::from_nanos))?;
        same("effects", &usage.effects, &model.expected.len())?;
        for (who, process) in model.processes.iter().enumerate() {
            let pid = &self.pids[who];
            same("alive", &self.kernel.is_alive(pid), &process.alive)?;
            same("trap", &self.kernel.trap_links(pid), &process.trap)?;
            let found = self.kernel.resolve(None, &Destination::Pid { number: pid.number(), text: pid.as_str() });
            same("found", &found.is_ok(), &process.alive)?;
            self.check_inbox_of(who)?;
        }
        for (at, host) in self.hosts.iter().enumerate() {
            same("processes of a host", &(host.process_count() as usize), &model.living_on(at))?;
        }
        self.check_names()
    }

    fn check_inbox_of(&self, who: Ordinal) -> Checked {
        let (inbox, _, requests) = &self.inboxes[who];
        same("closed", &inbox.is_closed(), &self.ended.contains_key(&who))?;
        same("requests under way", &inbox.requests_under_way(), &requests.under_way())
    }

    /// Names lead to their holders; and once all effects are performed the engine knows them all.
    fn check_names(&self) -> Checked {
        for text in (0..NAMES).map(name_text) {
            let holder = self.model.names.get(&text).map(|holder| &self.pids[*holder]);
            same("holder", &self.kernel.holder(&text), &holder)?;
            if self.model.expected.is_empty() {
                same("name in the engine", &self.names.get(text.as_str()), &holder)?;
            }
        }
        Ok(())
    }

    /// Ends everything: nothing may be left over, and nothing owed.
    pub fn finish(mut self) -> Checked<Run> {
        self.settle()?;
        for who in 0..self.pids.len() {
            self.settle_requests(who)?;
        }
        for who in self.model.living().collect::<BTreeSet<_>>() {
            self.exit(who, who % 2 == 0)?;
            self.check()?;
        }
        self.settle()?;
        self.check()?;
        same("usage", &self.kernel.usage(), &Tally::default())?;
        same("ends", &self.ended.len(), &self.pids.len())?;
        same("processes in the engine", &self.table.len(), &0)?;
        same("names in the engine", &self.names.len(), &0)?;
        let under_way: u32 = self.inboxes.iter().map(|(inbox, _, _)| inbox.requests_under_way()).sum();
        same("requests under way", &under_way, &0)?;
        Ok(Run { stats: self.stats, trace: self.trace })
    }

    /// Performs all effects, and carries out all consequences.
    fn settle(&mut self) -> Checked {
        while self.perform()? {}
        while self.kernel.owes_consequences() {
            self.turn();
            self.check()?;
            while self.perform()? {}
        }
        Ok(())
    }

    /// Answers all that somebody outside can answer, and hands it over: what stays under way is executed by somebody.
    fn settle_requests(&mut self, who: Ordinal) -> Checked {
        const ALL: BatchLimits = BatchLimits { items: 1, bytes: u64::MAX };
        while self.inboxes[who].2.may_begin(Kind::Foreign).is_ok() && !self.inboxes[who].2.tasks_done() {
            self.next_task(who)?;
        }
        while !self.inboxes[who].2.owed().is_empty() {
            self.answer(who, 0, 1)?;
        }
        self.take(who, ALL, 0)?;
        let (inbox, _, requests) = &self.inboxes[who];
        same("requests that stay", &inbox.requests_under_way(), &requests.execs())
    }
}

/// What a command said, made comparable.
type Answer = Result<String, ErrorKind>;

/// The kernel's answer. Every refusal says something, and only a full mailbox calls itself worth another try.
fn kind<T: Debug, R: Refusal + Display>(result: Result<T, R>) -> Checked<Answer> {
    if let Err(refusal) = &result {
        same("a refusal without text", &refusal.to_string().is_empty(), &false)?;
        same("retryable", &refusal.retryable(), &(refusal.kind() == ErrorKind::RateLimited))?;
    }
    Ok(result.map(|value| format!("{value:?}")).map_err(|refusal| refusal.kind()))
}

fn shown<T: Debug>(result: Result<T, ErrorKind>) -> Answer {
    result.map(|value| format!("{value:?}"))
}

fn name_text(name: u8) -> String {
    format!("name-{name}")
}

fn checked_name(name: u8) -> Name {
    Name::new(&name_text(name)).unwrap_or_else(|refusal| unreachable!("{refusal}"))
}
