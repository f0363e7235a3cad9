//! One case: a node of its own, whose time stands still, and the case's process on it, to its end.
//!
//! Owns when time goes on, and when a case is given up. How a case ended, it tells; what that means is the report's.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lunarium_app::{App, DEFAULT_HOST, TestFile};
use lunarium_engine::{
    Engine, Failure, Handle, HostId, LimitsOverride, Node, NodeConfig, Outcome, SpawnRequest, Value,
};
use tokio::select;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use super::capture::Capture;
use super::module::{Bench, NAME, Wish, module};
use crate::Refused;

const FACE: &str = include_str!("test.lua");
const DRIVER: &str = include_str!("driver.lua");

/// The function of the driver that tells the cases of a file.
pub const LIST: &str = "list";
/// The function of the driver that runs one, by its number.
pub const RUN: &str = "run";
/// The function of the driver that tells where the one that runs is: a traceback.
const WAITS: &str = "waits";

/// Where the processes of cases run.
const HOST: &str = "test:cases";

/// When a case begins, by its own clock: 2026-01-01, noon, UTC.
const START: Duration = Duration::from_secs(1_767_268_800);

/// How far time goes on by itself in one case, because all wait. At the limit: the case has failed. Who waits longer says so by
/// `test.advance`.
pub const PATIENCE: Duration = Duration::from_secs(3600);

/// How long what is left of a case may take to come to rest, by the machine's clock.
const LAST_STEPS: Duration = Duration::from_millis(500);

/// What all cases have together.
pub struct Cases<'a> {
    pub engine: &'a Engine,
    pub app: &'a App,
    pub limits: &'a LimitsOverride,
    /// How long a case may take, by the machine's clock.
    pub timeout: Duration,
    pub max_processes: u32,
}

/// How a case came to its end.
pub enum End {
    Outcome(Outcome),
    /// All wait, and nobody for a time; the traceback of the case.
    Stuck(Option<String>),
    /// It waits on after [`PATIENCE`]; the same.
    Endless(Option<String>),
    /// The machine's clock has run out.
    TimedOut,
}

/// What is left of a case.
pub struct Ran {
    pub end: End,
    pub capture: Arc<Capture>,
    /// Entries and pids of processes that have outlived it.
    pub left: Vec<String>,
    /// Those of processes that it has spawned and that have failed, and why.
    pub failed: Vec<(String, Arc<Failure>)>,
}

impl Cases<'_> {
    /// Runs a function of the driver to its end; no process is left then.
    ///
    /// Errors: the machine refuses a node.
    pub async fn run(
        &self,
        file: TestFile<'_>,
        method: &str,
        arguments: Vec<Value>,
        seed: u64,
    ) -> Result<Ran, Refused> {
        let refused = |error: &dyn std::fmt::Display| Refused::machine(error.to_string());
        let capture = Arc::new(Capture::default());
        let mut config = NodeConfig::new(Arc::<Capture>::clone(&capture)).with_max_processes(self.max_processes);
        config.seed = Some(seed);
        config.still = Some(UNIX_EPOCH.checked_add(START).unwrap_or(SystemTime::UNIX_EPOCH));
        let node = Node::start_on(self.engine, config).map_err(|error| refused(&error))?;
        let (wishes, mut wished) = unbounded_channel();
        let bench = Bench {
            host: self.app.hosts().first().map_or(HostId::new(DEFAULT_HOST), |host| host.definition.id.clone()),
            capture: Arc::clone(&capture),
            wishes,
            entries: self.app.definitions().iter().map(|definition| definition.entry.to_string()).collect(),
            spawned: Arc::default(),
        };
        node.add_module(module(&bench)).map_err(|error| refused(&error))?;
        self.app.install(&node, None).map_err(|error| refused(&error))?;
        // In a strict application, a test may do everything all the same.
        self.app.allow_everything(&node);
        node.add_host(self.app.own_host(HOST)).map_err(|error| refused(&error))?;
        let definition = self.app.test_definition(file, method, NAME, FACE, DRIVER);
        let mut request = SpawnRequest::new(definition.entry.clone(), HostId::new(HOST)).with_arguments(arguments);
        request.limits = self.limits.clone();
        node.define(definition);
        let handle = node.spawn(request).map_err(|error| refused(&error))?;
        let deadline = Instant::now() + self.timeout;
        let end = select! {
            biased;
            end = follow(&node, &handle, &mut wished) => end,
            () = sleep_until(deadline) => End::TimedOut,
        };
        if matches!(end, End::Outcome(_)) {
            // Who was asked to end, or whose parent has ended, gets that far.
            let _ = tokio::time::timeout(LAST_STEPS, node.settled()).await;
        }
        let left = node.processes().into_iter().filter(|process| process.pid != *handle.pid());
        let left = left.map(|process| format!("{} {}", process.entry, process.pid)).collect();
        let failed = bench.failed();
        node.shutdown(Duration::ZERO).await;
        Ok(Ran { end, capture, left, failed })
    }
}

/// The traceback of a case that waits.
async fn waits(handle: &Handle) -> Option<String> {
    let told = tokio::time::timeout(LAST_STEPS, handle.call(WAITS, &[])).await;
    told.ok()?.ok()?.first()?.as_str().map(str::to_owned)
}

/// Lets time go on when the case wants it, and when nothing else happens any more, up to the case's end.
async fn follow(node: &Node, handle: &Handle, wishes: &mut UnboundedReceiver<Wish>) -> End {
    let mut alone = Duration::ZERO;
    loop {
        let wish = select! {
            biased;
            outcome = handle.wait() => return End::Outcome(outcome),
            Some(wish) = wishes.recv() => Some(wish),
            () = node.settled() => None,
        };
        // What has come to rest may have wished for something, or ended, just before.
        let wish = wish.or_else(|| wishes.try_recv().ok());
        if let Some(Wish { by, done }) = wish {
            select! {
                biased;
                outcome = handle.wait() => return End::Outcome(outcome),
                () = node.advance(by) => {}
            }
            // It may have ended meanwhile.
            let _ = done.send(());
            continue;
        }
        if let Some(outcome) = handle.outcome() {
            return End::Outcome(outcome.clone());
        }
        let Some(due) = node.next_timer() else { return End::Stuck(waits(handle).await) };
        let step = due.saturating_sub(node.uptime());
        alone = alone.saturating_add(step);
        if alone > PATIENCE {
            return End::Endless(waits(handle).await);
        }
        node.advance(step).await;
    }
}
