//! The world of a simulation: a kernel, mailboxes, and an engine that performs effects when the script says so. Owns
//! the comparison with the model after every step. Anything may lag behind the kernel here, as it does in the engine.
#![allow(clippy::indexing_slicing, reason = "ordinals are the model's own: a wrong one is a bug of the simulation")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Display};

use lunarium_kernel::{
    BatchLimits, CountLimits, Effect, EntryId, ErrorKind, Event, Failure, HostId, HostSpec, Kernel, Mailbox, Message,
    NodeLimits, Outcome, Pid, Refusal, SpawnSpec, TenantId, Timestamp, Topic, Unread, Usage,
};

use super::model::{End, Expect, Model, ModelHost, Ordinal, SpawnWish, Target};
use super::model_mailbox::{LIMITS, ModelMailbox};
use super::script::{Dest, LIVING, NAMES, REACH, Step, Who};
use super::{Run, Stats};

type Checked<T = ()> = Result<T, String>;

const NODE_MAX: usize = 12;
/// Links, monitors and names that a process may have.
const LIMIT_OF: [usize; 8] = [50, 50, 50, 2, 2, 2, 1, 0];

pub struct World {
    kernel: Kernel,
    model: Model,
    pids: Vec<Pid>,
    mailboxes: BTreeMap<Ordinal, (Mailbox, ModelMailbox)>,
    /// How each process ended whose `Ended` was performed.
    ended: BTreeMap<Ordinal, Outcome>,
    /// Messages accepted, and read, by sender and receiver.
    sent: BTreeMap<(Option<Ordinal>, Ordinal), u32>,
    read: BTreeMap<(Option<Ordinal>, Ordinal), u32>,
    stats: Stats,
    trace: Vec<String>,
}

fn hosts() -> Vec<ModelHost> {
    let host = |id, tenant, max| ModelHost { id, tenant, max, stopped: false };
    vec![host("app:a", 0, 5), host("app:b", 0, 50), host("other", 1, 4)]
}

fn host_id(id: &str) -> HostId {
    HostId::new(id)
}

fn same<T: PartialEq + Debug + ?Sized>(what: &str, kernel: &T, model: &T) -> Checked {
    if kernel == model { Ok(()) } else { Err(format!("{what}: {kernel:?}, and the model says {model:?}")) }
}

impl World {
    pub fn new() -> Checked<Self> {
        let mut kernel = Kernel::new(NodeLimits { max_processes: NODE_MAX as u32 });
        for host in hosts() {
            let (id, tenant) = (host_id(host.id), TenantId::new(host.tenant));
            let spec = HostSpec { id, tenant, max_processes: host.max as u32 };
            kernel.add_host(spec).map_err(|refusal| refusal.to_string())?;
        }
        Ok(Self {
            kernel,
            model: Model::new(NODE_MAX, hosts()),
            pids: Vec::new(),
            mailboxes: BTreeMap::new(),
            ended: BTreeMap::new(),
            sent: BTreeMap::new(),
            read: BTreeMap::new(),
            stats: Stats::new(),
            trace: Vec::new(),
        })
    }

    /// Does one step in the kernel and in the model. A step that names a process when there is none does nothing.
    pub fn step(&mut self, step: &Step) -> Checked {
        match step {
            Step::Spawn { parent, host, monitored, linked, room } => {
                let limit = LIMIT_OF[usize::from(*room) % LIMIT_OF.len()];
                // Where nobody lives, a parent is wished for in vain, and the runtime spawns.
                let wished = parent.filter(|parent| *parent >= LIVING || self.kernel.process_count() > 0);
                let parent = wished.and_then(|parent| self.who(parent));
                self.spawn(SpawnWish {
                    parent,
                    host: usize::from(*host),
                    monitored: *monitored,
                    linked: *linked,
                    limit,
                })
            }
            Step::StopHost(host) => self.stop_host(usize::from(*host)),
            Step::Advance(nanos) => {
                self.model.now += i64::from(*nanos);
                self.model.timeout();
                self.kernel.handle_timeout(self.now());
                Ok(())
            }
            Step::Perform(count) => (0..*count).try_for_each(|_| self.perform().map(drop)),
            Step::Send(from, to, bytes) => self.send(*from, to, *bytes),
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
            | Step::Read(who, _)
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
                (kind(self.kernel.link(&pid, &text))?, shown(self.model.link(who, &target)))
            }
            Step::Unlink(_, dest) => {
                let (text, target) = self.dest(dest);
                (kind(self.kernel.unlink(&pid, &text))?, shown(self.model.unlink(who, &target)))
            }
            Step::Monitor(_, dest) => {
                let (text, target) = self.dest(dest);
                (kind(self.kernel.monitor(&pid, &text))?, shown(self.model.monitor(who, &target)))
            }
            Step::Unmonitor(_, dest) => {
                let (text, target) = self.dest(dest);
                (kind(self.kernel.unmonitor(&pid, &text))?, shown(self.model.unmonitor(who, &target)))
            }
            Step::Register(_, name, dest) => {
                let (text, target) = dest.as_ref().map(|dest| self.dest(dest)).unzip();
                let kernel = kind(self.kernel.register(&pid, &name_text(*name), text.as_deref()))?;
                (kernel, shown(self.model.register(who, &name_text(*name), target.as_ref())))
            }
            Step::Lookup(_, name) => {
                let found = self.model.resolve(Some(who), &Target::Name(name_text(*name)));
                let found = found.map(|found| self.pids[found].clone());
                (kind(self.kernel.lookup(&pid, &name_text(*name)))?, shown(found))
            }
            Step::Unregister(_, name) => {
                let kernel = kind(self.kernel.unregister(&pid, &name_text(*name)))?;
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
            Step::Read(_, count) => return self.read(who, usize::from(*count)),
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

    fn spawn(&mut self, wish: SpawnWish) -> Checked {
        let parent = wish.parent.map(|parent| self.pids[parent].clone());
        let limit = wish.limit as u32;
        let spec = SpawnSpec {
            host: host_id(self.model.hosts.get(wish.host).map_or("absent", |host| host.id)),
            entry: EntryId::new("app:main"),
            monitored: wish.monitored,
            linked: wish.linked,
            name: None,
            limits: CountLimits { links: limit, monitors: limit, names: limit },
        };
        let spawned = self.kernel.spawn(parent.as_ref(), spec);
        let model = self.model.spawn(&wish);
        if let (Ok(spawned), Ok(who)) = (&spawned, &model) {
            let process = &self.model.processes[*who];
            same("pid", &spawned.pid.as_str(), &process.text.as_str())?;
            same("chain", &spawned.chain, &process.chain)?;
            self.pids.push(spawned.pid.clone());
            self.mailboxes.insert(*who, (Mailbox::new(LIMITS), ModelMailbox::default()));
        }
        let step = Step::Spawn { parent: None, host: 0, monitored: false, linked: false, room: 0 };
        self.compare(&step, kind(spawned.map(drop))?, shown(model.map(drop)))
    }

    fn stop_host(&mut self, host: usize) -> Checked {
        let Some(host) = self.model.hosts.get_mut(host) else {
            let absent = self.kernel.stop_host(&host_id("absent"));
            return same("stop", &absent.map_err(|refusal| refusal.kind()), &Err(ErrorKind::NotFound));
        };
        host.stopped = true;
        self.kernel.stop_host(&host_id(host.id)).map_err(|refusal| refusal.to_string())
    }

    fn terminate(&mut self, caller: Option<Who>, dest: &Dest) -> Checked {
        let (caller, (text, target)) = (caller.and_then(|who| self.who(who)), self.dest(dest));
        let kernel = kind(self.kernel.terminate(caller.map(|who| &self.pids[who]), &text, self.now()))?;
        let model = shown(self.model.terminate(caller, &target));
        self.compare(&Step::Terminate(None, Dest::Never), kernel, model)
    }

    fn cancel(&mut self, caller: Option<Who>, dest: &Dest, deadline: Option<i8>) -> Checked {
        let (caller, (text, target)) = (caller.and_then(|who| self.who(who)), self.dest(dest));
        let deadline = deadline.map(|nanos| self.model.now + i64::from(nanos));
        let pid = caller.map(|who| &self.pids[who]);
        let kernel = kind(self.kernel.cancel(pid, &text, deadline.map(Timestamp::from_nanos), self.now()))?;
        let model = shown(self.model.cancel(caller, &target, deadline));
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

    fn send(&mut self, from: Option<Who>, to: &Dest, size: u8) -> Checked {
        let (from, (text, target)) = (from.and_then(|who| self.who(who)), self.dest(to));
        let sender = from.map(|who| self.pids[who].clone());
        let found = self.kernel.resolve(sender.as_ref(), &text);
        let expected = self.model.resolve(from, &target);
        let step = Step::Send(None, Dest::Never, 0);
        let (Ok(_), Ok(to)) = (&found, &expected) else {
            return self.compare(&step, kind(found.map(drop))?, shown(expected.map(drop)));
        };
        let number = self.sent.get(&(from, *to)).copied().unwrap_or(0);
        let mut payload = number.to_be_bytes().to_vec();
        payload.resize(4 + usize::from(size), 0);
        let topic = Topic::new("topic").map_err(|refusal| refusal.to_string())?;
        let message = Message { sender, topic, payload };
        // Who lives has a mailbox that is open: it is closed by the effect of the end.
        let (mailbox, model) = self.mailboxes.get_mut(to).ok_or("the living have no mailbox")?;
        let (kernel, model) = (kind(mailbox.push(message.clone()))?, shown(model.push(&message)));
        if kernel.is_ok() {
            self.sent.insert((from, *to), number + 1);
        }
        self.compare(&step, kernel, model)
    }

    fn take(&mut self, who: Ordinal, batch: BatchLimits, credit: u64) -> Checked {
        let Some((mailbox, model)) = self.mailboxes.get_mut(&who) else { return Ok(()) };
        let deliverable = mailbox.has_deliverable(credit);
        let (items, expected) = (mailbox.take(batch, credit), model.take(batch, credit));
        *self.stats.entry(format!("take of {}", items.len().min(3))).or_default() += 1;
        self.trace.push(format!("take {items:?}"));
        same("taken", &items, &expected)?;
        same("deliverable", &(deliverable && batch.items > 0), &!items.is_empty())?;
        same("empty", &mailbox.is_empty(), &model.is_empty())
    }

    /// The script reads; what it reads from each sender is what that one sent, in order and without a gap.
    fn read(&mut self, who: Ordinal, count: usize) -> Checked {
        let Some((mailbox, model)) = self.mailboxes.get_mut(&who) else { return Ok(()) };
        let (messages, (left, bytes)) = model.read(count);
        mailbox.report_unread(Unread { messages: left, bytes });
        for message in messages {
            let from = message.sender.map(|sender| sender.number() as usize - 1);
            let number = self.read.entry((from, who)).or_default();
            same("order of messages", &message.payload[..4], &number.to_be_bytes()[..])?;
            *number += 1;
            *self.stats.entry("read".to_owned()).or_default() += 1;
        }
        Ok(())
    }

    /// Performs one effect: it must be owed now, and all that must come before it must have come.
    fn perform(&mut self) -> Checked<bool> {
        let Some(effect) = self.kernel.poll_effect() else {
            return same("effects owed", &0, &self.model.expected.len()).map(|()| false);
        };
        self.trace.push(format!("{effect:?}"));
        let owed = self.model.owed();
        let found = owed.iter().find(|(_, now, expect)| self.is(&effect, *now, expect));
        let Some((at, _, expect)) = found.cloned() else {
            return Err(format!("effect {effect:?}, and what is owed is {owed:?}"));
        };
        self.model.expected.remove(at);
        let word = format!("{expect:?}");
        *self.stats.entry(word.split(' ').next().unwrap_or_default().to_owned()).or_default() += 1;
        match (effect, expect) {
            (Effect::Ended { outcome, .. }, Expect::Ended { who, .. }) => self.perform_end(who, outcome)?,
            (Effect::Deliver { event, .. }, expect) => self.deliver(event, &expect)?,
            (effect, _) => return Err(format!("effect {effect:?} is none of a delivery")),
        }
        Ok(true)
    }

    fn perform_end(&mut self, who: Ordinal, outcome: Outcome) -> Checked {
        same("ended before", &self.ended.insert(who, outcome), &None)?;
        let (mut mailbox, _) = self.mailboxes.remove(&who).ok_or("the end of no mailbox")?;
        mailbox.close();
        same("a name of the dead", &self.model.names_of(who), &0)
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
            Expect::Ended { .. } => return Err("an end isn't delivered".to_owned()),
        };
        let (mailbox, model) = self.mailboxes.get_mut(&to).ok_or("delivery to the dead")?;
        mailbox.push_event(event.clone());
        model.push_event(event);
        Ok(())
    }

    /// Whether an effect is what is expected.
    fn is(&self, effect: &Effect, now: i64, expect: &Expect) -> bool {
        let pid = |who: &Ordinal| &self.pids[*who];
        let outcome_of = |who: &Ordinal| self.ended.get(who);
        let now = Timestamp::from_nanos(now);
        match (effect, expect) {
            (Effect::Ended { pid: of, outcome, forced }, Expect::Ended { who, end, forced: by_force }) => {
                of == pid(who) && forced == by_force && self.ends_so(outcome, end)
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
            _ => false,
        }
    }

    fn ends_so(&self, outcome: &Outcome, end: &End) -> bool {
        let message = outcome.failure().map(|failure| failure.message.as_str());
        match (end, message) {
            (End::Completed, None) => true,
            (End::Failed(expected), Some(message)) => message == expected,
            (End::Linked(with, cause), Some(message)) => with.iter().any(|other| {
                let expected = format!("linked process failed: {}: {cause}", self.pids[*other]);
                message == expected
            }),
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
        same("names", &usage.names, &model.names.len())?;
        same("next deadline", &self.kernel.next_deadline(), &model.next_deadline().map(Timestamp::from_nanos))?;
        same("effects", &usage.effects, &model.expected.len())?;
        for (who, process) in model.processes.iter().enumerate() {
            let pid = &self.pids[who];
            same("alive", &self.kernel.is_alive(pid), &process.alive)?;
            same("trap", &self.kernel.trap_links(pid), &process.trap)?;
            let found = self.kernel.resolve(None, pid.as_str());
            same("found", &found.is_ok(), &process.alive)?;
            self.check_names_of(who)?;
        }
        Ok(())
    }

    /// Each process sees the names of its tenant; the dead see nothing.
    fn check_names_of(&self, who: Ordinal) -> Checked {
        for name in (0..NAMES).map(name_text) {
            let seen = self.kernel.lookup(&self.pids[who], &name).map_err(|refusal| refusal.kind());
            let model = self.model.resolve(Some(who), &Target::Name(name)).map(|holder| self.pids[holder].clone());
            same("name", &seen, &model)?;
        }
        Ok(())
    }

    /// Ends everything: nothing may be left over, and nothing owed.
    pub fn finish(mut self) -> Checked<Run> {
        for who in self.model.living().collect::<BTreeSet<_>>() {
            self.exit(who, who % 2 == 0)?;
            self.check()?;
        }
        while self.perform()? {}
        same("usage", &self.kernel.usage(), &Usage::default())?;
        same("ends", &self.ended.len(), &self.pids.len())?;
        same("mailboxes", &self.mailboxes.len(), &0)?;
        Ok(Run { stats: self.stats, trace: self.trace })
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
