//! One round of a storm: some nodes, some seconds, and an end after which nothing may be left. Owns what is done to the
//! nodes from outside, and every check. What is done follows from the dice; when, from the machine.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use lunarium_engine::{Chunk, Engine, Handle, Outcome, Tally, Value};
use lunarium_tests::{Dice, engine_memory, node_memory};

use crate::program::{HOSTS, Moves, PROGRAMS};
use crate::system;
use crate::world::Tenant;

const TENANTS: usize = 3;
/// Processes of a node that are started from outside when there are fewer.
const ENOUGH: usize = 50;
/// How long a process may take to be at rest.
const AT_REST: Duration = Duration::from_secs(2);
/// How long what has to come may take: nothing is measured by it, it tells a storm that hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a round was.
pub struct Report {
    pub processes: u64,
    pub printed: u64,
    pub logged: u64,
    pub audits: u64,
    /// The longest that the neighbour went without an answer.
    pub pause: Duration,
}

pub struct Round<'a> {
    pub engine: &'a Engine,
    pub quiet: &'a Tenant,
    pub moves: &'a Moves,
    pub seed: u64,
    pub length: Duration,
}

impl Round<'_> {
    /// Errors: what must not have been, in words.
    pub fn run(&self) -> Result<Report, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut dice = Dice::new(self.seed);
        let held = engine_memory(self.engine);
        let mut report = Report { processes: 0, printed: 0, logged: 0, audits: 0, pause: Duration::ZERO };
        self.quiet.watch.lines();
        let mut tenants: Vec<Tenant> =
            (0..TENANTS).map(|_| Tenant::new(self.engine, &mut dice, self.moves, folder.path())).collect();
        let mut roots = Vec::new();
        let began = Instant::now();
        let mut steps = 0;
        while began.elapsed() < self.length {
            let tenant = usize::try_from(dice.below(TENANTS as u64)).unwrap();
            self.populate(&mut tenants[tenant], &mut dice, &mut roots);
            self.act(&tenants[tenant], &mut dice)?;
            if dice.once_in(400) {
                let new = Tenant::new(self.engine, &mut dice, self.moves, folder.path());
                let old = std::mem::replace(&mut tenants[tenant], new);
                report.take(&old)?;
                // All that live there end with it.
                drop(old.node);
            }
            steps += 1;
            if steps % 20 == 0 {
                tenants.iter().try_for_each(|tenant| report.audit(tenant))?;
                report.audit(self.quiet)?;
                trim(folder.path());
            }
            thread::sleep(Duration::from_millis(3));
        }
        for tenant in tenants {
            finish(tenant, &mut dice, &mut report)?;
        }
        wait_for("the end of all that were started", || roots.iter().all(|root| root.outcome().is_some()))?;
        roots.iter().try_for_each(check_end)?;
        // Each keeps the account of its host, and so its node's reserve.
        drop(roots);
        wait_for("the engine's memory", || engine_memory(self.engine) <= held)?;
        wait_for("open files", || system::handles_below(folder.path()) == 0)?;
        self.check_quiet(&mut report)?;
        Ok(report)
    }

    /// Starts processes; those that live start others.
    fn populate(&self, tenant: &mut Tenant, dice: &mut Dice, roots: &mut Vec<Handle>) {
        let places = ENOUGH.saturating_sub(tenant.node.process_count());
        for _ in 0..places {
            // At a budget it is refused.
            if let Ok(handle) = tenant.node.spawn(tenant.request(dice)) {
                tenant.started = tenant.started.max(number(handle.pid().as_str()));
                roots.push(handle);
            }
        }
    }

    /// Does something to a node from outside.
    fn act(&self, tenant: &Tenant, dice: &mut Dice) -> Result<(), String> {
        let node = &tenant.node;
        let pids = node.pids();
        match dice.below(12) {
            0..=3 if !pids.is_empty() => {
                for _ in 0..dice.below(6) {
                    // It may have ended meanwhile.
                    let _ = node.terminate(dice.pick(&pids));
                }
            }
            4 if !pids.is_empty() => {
                let within = Duration::from_millis(dice.below(20));
                let _ = node.cancel(dice.pick(&pids), dice.once_in(2).then_some(within));
            }
            5 if dice.once_in(20) => pids.iter().for_each(|pid| drop(node.terminate(pid))),
            6 => tenant.define(dice.between(1, PROGRAMS), dice, self.moves),
            7 => tenant.watch.set_full(dice.once_in(2)),
            8 if !pids.is_empty() => {
                let to = dice.pick(&pids);
                for _ in 0..dice.below(50) {
                    let value =
                        Value::Array(vec![Value::from("from outside"); usize::try_from(dice.below(9)).unwrap()]);
                    let _ = node.send(to.as_str(), &format!("t{}", dice.below(6)), &value);
                }
            }
            9 if dice.once_in(20) => {
                let source = self.moves.program(dice);
                // Whether it compiles is its own affair.
                let _ = block_on(node.check(&Chunk::new("@checked.lua", source)));
            }
            10 if !pids.is_empty() && dice.once_in(20) => {
                tenant.watch.set_full(false);
                let pid = dice.pick(&pids);
                let (done, waits) = channel::<()>();
                let seen = thread::scope(|scope| {
                    // Some are never at rest, as others write to them without end; and nobody else ends any meanwhile.
                    scope.spawn(move || {
                        if waits.recv_timeout(AT_REST) == Err(RecvTimeoutError::Timeout) {
                            let _ = node.terminate(pid);
                        }
                    });
                    let seen = node.at_rest_blocking(pid);
                    drop(done);
                    seen
                });
                if let Some(seen) = seen {
                    ensure(seen.memory > 0, || "an instance without memory".to_owned())?;
                }
            }
            11 if dice.once_in(4) => {
                let (seen, mut events) = (node.processes(), node.events());
                if !seen.is_empty() {
                    // It may have ended meanwhile.
                    drop(node.process(&dice.pick(&seen).pid));
                }
                while events.try_next().is_some() {}
            }
            _ => {}
        }
        Ok(())
    }

    /// The neighbour goes on, and holds what it held.
    fn check_quiet(&self, report: &mut Report) -> Result<(), String> {
        let lines = self.quiet.watch.lines();
        report.pause = lines.longest_pause;
        let before = lines.printed;
        wait_for("an answer to the neighbour", || self.quiet.watch.lines().printed > before)?;
        ensure(self.quiet.node.process_count() == 2, || "the neighbour's processes have ended".to_owned())?;
        report.audit(self.quiet)?;
        no_finding(self.quiet)
    }
}

impl Report {
    fn audit(&mut self, tenant: &Tenant) -> Result<(), String> {
        self.audits += 1;
        tenant.node.audit()?;
        no_finding(tenant)
    }

    /// What came from a node that goes.
    fn take(&mut self, tenant: &Tenant) -> Result<(), String> {
        tenant.watch.set_full(false);
        let lines = tenant.watch.lines();
        self.printed += lines.printed;
        self.logged += lines.logged;
        self.processes += tenant.started;
        no_finding(tenant)
    }
}

/// Processes are numbered.
fn number(pid: &str) -> u64 {
    let number = pid.rsplit_once("0x").map(|(_, number)| number.trim_end_matches('}'));
    number.and_then(|number| u64::from_str_radix(number, 16).ok()).unwrap_or_default()
}

/// Ends a node in one of several ways; nothing is left of it.
fn finish(tenant: Tenant, dice: &mut Dice, report: &mut Report) -> Result<(), String> {
    tenant.watch.set_full(false);
    let node = tenant.node.clone();
    match dice.below(3) {
        0 => block_on(tenant.node.clone().shutdown(Duration::ZERO)),
        1 => {
            for host in 0..HOSTS {
                node.stop_host(&lunarium_engine::HostId::new(format!("app:h{host}")))
                    .map_err(|error| error.to_string())?;
            }
            wait_for("the end of a node that is killed again and again", || {
                node.pids().iter().for_each(|pid| drop(node.terminate(pid)));
                node.process_count() == 0
            })?;
        }
        _ => {
            for host in 0..HOSTS {
                node.stop_host(&lunarium_engine::HostId::new(format!("app:h{host}")))
                    .map_err(|error| error.to_string())?;
            }
            for pid in node.pids() {
                let _ = node.cancel(&pid, Some(Duration::from_millis(dice.below(50))));
            }
            block_on(node.idle());
        }
    }
    wait_for("instances of a node that has ended", || node.instance_count() == 0)?;
    let usage = node.audit()?;
    ensure(usage == Tally::default(), || format!("left behind: {usage:?}"))?;
    wait_for("the memory of a node that has ended", || node_memory(&node) == tenant.reserve)?;
    report.take(&tenant)
}

fn check_end(root: &Handle) -> Result<(), String> {
    const OURS: [&str; 5] = ["host bug", "trapped", "cannot make an instance", "the guest ", "corrupt payload"];
    match root.outcome() {
        Some(Outcome::Failed(failure)) if OURS.iter().any(|text| failure.message.contains(text)) => {
            Err(format!("{} ended: {}", root.pid(), failure.message))
        }
        _ => Ok(()),
    }
}

fn no_finding(tenant: &Tenant) -> Result<(), String> {
    let found = tenant.watch.found();
    ensure(found.is_empty(), || found.join("\n"))
}

/// Files don't grow for ever: how much a grant may fill isn't bounded.
fn trim(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.metadata().is_ok_and(|file| file.is_file() && file.len() > 4 << 20) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn wait_for(what: &str, is_there: impl Fn() -> bool) -> Result<(), String> {
    let began = Instant::now();
    while !is_there() {
        if began.elapsed() > PATIENCE {
            return Err(format!("{what}: nothing for {PATIENCE:?}"));
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

pub fn ensure(holds: bool, broken: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(broken()) }
}
