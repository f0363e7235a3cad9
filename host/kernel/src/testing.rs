//! A kernel with one host, for unit tests. Owns short words for what every test does.

use crate::{
    CountLimits, Effect, EntryId, ErrorKind, Event, Failure, HostId, HostSpec, Kernel, NodeLimits, Outcome, Pid,
    SpawnSpec, TenantId, Timestamp,
};

pub(crate) const NOW: Timestamp = Timestamp::from_nanos(1_000);

pub(crate) const FEW: CountLimits = CountLimits { links: 2, monitors: 2, names: 2 };

pub(crate) fn kernel() -> Kernel {
    let mut kernel = Kernel::new(NodeLimits::default());
    add_host(&mut kernel, "h", 0, u32::MAX);
    kernel
}

pub(crate) fn add_host(kernel: &mut Kernel, id: &str, tenant: u32, max_processes: u32) {
    kernel.add_host(HostSpec { id: HostId::new(id), tenant: TenantId::new(tenant), max_processes }).unwrap();
}

pub(crate) fn spec(host: &str) -> SpawnSpec {
    SpawnSpec {
        host: HostId::new(host),
        entry: EntryId::new("app:main"),
        monitored: false,
        linked: false,
        name: None,
        limits: CountLimits::default(),
    }
}

pub(crate) fn spawn(kernel: &mut Kernel) -> Pid {
    kernel.spawn(None, spec("h")).unwrap().pid
}

pub(crate) fn spawn_few(kernel: &mut Kernel) -> Pid {
    kernel.spawn(None, SpawnSpec { limits: FEW, ..spec("h") }).unwrap().pid
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

fn shown(effect: &Effect) -> String {
    match effect {
        Effect::Ended { pid, outcome, forced: true } => format!("stop {pid}: {}", told(outcome)),
        Effect::Ended { pid, outcome, forced: false } => format!("ended {pid}: {}", told(outcome)),
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
        Outcome::Completed(payload) => format!("{payload:?}"),
        Outcome::Failed(failure) => format!("{} {}", failure.kind, failure.message),
    }
}
