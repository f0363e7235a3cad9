//! A kernel with one host, for unit tests. Owns short words for what every test does.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::{
    CountLimits, Deadline, Effect, EntryId, ErrorKind, Event, Failure, Host, HostId, Kernel, Limits, Name, NodeLimits,
    Outcome, Pid, SpawnError, SpawnSpec, Spawned, Timestamp, Uptime,
};

pub(crate) const NOW: Timestamp = Timestamp::from_nanos(1_000);

pub(crate) const FEW: CountLimits = CountLimits { links: 2, monitors: 2, names: 2, groups: 2 };

/// A kernel, and the host on which its tests' processes live.
pub(crate) struct Node {
    pub(crate) kernel: Kernel,
    pub(crate) host: Arc<Host>,
}

impl Deref for Node {
    type Target = Kernel;
    fn deref(&self) -> &Kernel {
        &self.kernel
    }
}

impl DerefMut for Node {
    fn deref_mut(&mut self) -> &mut Kernel {
        &mut self.kernel
    }
}

impl Node {
    pub(crate) fn new(limits: NodeLimits) -> Self {
        Self { kernel: Kernel::new(limits), host: host("h", u32::MAX) }
    }

    /// Spawns on the one host.
    pub(crate) fn spawn(&mut self, parent: Option<&Pid>, spec: SpawnSpec) -> Result<Spawned, SpawnError> {
        self.kernel.spawn(parent, &self.host, spec)
    }
}

pub(crate) fn kernel() -> Node {
    Node::new(NodeLimits::default())
}

pub(crate) fn host(id: &str, max_processes: u32) -> Arc<Host> {
    Host::new(HostId::new(id), max_processes, Limits::default()).unwrap().into()
}

pub(crate) fn spec() -> SpawnSpec {
    SpawnSpec {
        entry: EntryId::new("app:main"),
        monitored: false,
        linked: false,
        exec: None,
        name: None,
        limits: CountLimits::default(),
        lifetime: None,
        ordinary: false,
    }
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A pid that somebody claims.
pub(crate) fn pid(text: &str) -> Pid {
    Pid::parse(text).unwrap()
}

/// A deadline so many nanoseconds after a monotonic zero. The wall clock is years behind, as if it had been set.
pub(crate) fn due(nanos: u64) -> Deadline {
    Deadline { due: Uptime::from_nanos(nanos), shown: Timestamp::from_nanos(-1) }
}

pub(crate) fn spawn(kernel: &mut Node) -> Pid {
    kernel.spawn(None, spec()).unwrap().pid
}

pub(crate) fn spawn_few(kernel: &mut Node) -> Pid {
    kernel.spawn(None, SpawnSpec { limits: FEW, ..spec() }).unwrap().pid
}

/// A process that `caller` executes by this request.
pub(crate) fn exec(kernel: &mut Node, caller: &Pid, request: u64) -> Pid {
    kernel.spawn(Some(caller), SpawnSpec { exec: Some(request), ..spec() }).unwrap().pid
}

pub(crate) fn completed() -> Outcome {
    Outcome::Completed([1].as_slice().into())
}

pub(crate) fn failed(message: &str) -> Outcome {
    Outcome::failed(Failure::new(ErrorKind::Internal, message))
}

/// Ends a process by its own doing and forgets the effects.
pub(crate) fn kill(kernel: &mut Kernel, pid: &Pid) {
    kernel.handle_exit(pid, completed(), NOW);
    effects(kernel);
}

/// Drains the effects, in short words, and checks the state.
pub(crate) fn effects(kernel: &mut Kernel) -> Vec<String> {
    let effects: Vec<String> = std::iter::from_fn(|| kernel.poll_effect()).map(|effect| shown(&effect)).collect();
    kernel.check_invariants().unwrap();
    effects
}

/// Carries out all consequences, one after the other, and drains the effects.
pub(crate) fn settled(kernel: &mut Kernel) -> Vec<String> {
    let mut all = effects(kernel);
    while kernel.owes_consequences() {
        kernel.handle_consequence(NOW);
        all.extend(effects(kernel));
    }
    all
}

fn shown(effect: &Effect) -> String {
    match effect {
        Effect::Named { name, pid } => format!("{name} is {pid}"),
        Effect::Unnamed { name } => format!("{name} is free"),
        Effect::Ended { pid, outcome, forced: true } => format!("stop {pid}: {}", told(outcome)),
        Effect::Ended { pid, outcome, forced: false } => format!("ended {pid}: {}", told(outcome)),
        Effect::Reply { to, request, outcome } => format!("{to} reply {request}: {}", told(outcome)),
        Effect::Deliver { to, event } => match event {
            Event::Exit { from, outcome, .. } => format!("{to} EXIT {from}: {}", told(outcome)),
            Event::LinkDown { from, outcome, .. } => format!("{to} LINK_DOWN {from}: {}", told(outcome)),
            Event::Cancel { from: Some(from), .. } => format!("{to} CANCEL {from}"),
            Event::Cancel { from: None, .. } => format!("{to} CANCEL"),
        },
    }
}

fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Completed(payload) => format!("{:?}", &payload[..]),
        Outcome::Failed(failure) => format!("{} {}", failure.kind, failure.message),
    }
}
