//! A running application: its hosts and definitions on a node, its services started, restarted and stopped in order.
//!
//! Owns who starts after whom and who stops before whom, and carries out what the kernel decides about restarts. Refuses
//! to know what a process is: it spawns, cancels and waits. Does nothing by itself: whoever takes the events moves it on.
//!
//! A service has started when its process first waits: by then it has its names and its listeners, if it wants any.
//! Each is supervised alone: that one restarts ends none of those that depend on it, which have monitors for that.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use lunarium_engine::{Handle, Node, Sleep, SpawnRequest};
use lunarium_kernel::{
    EntryId, ErrorKind, Failure, HostError, HostId, Outcome, Pid, Refusal, RestartDecision, Restarts,
};

use crate::application::{App, Service};

/// Delays that are kept of what was tried: enough to show how they grew, and no more however often it was.
const TRIED: usize = 8;

/// Something has changed about a service.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceEvent {
    /// Its id.
    pub service: EntryId,
    /// What has happened.
    pub change: ServiceChange,
}

/// What has happened to a service.
#[derive(Debug, Clone, PartialEq)]
pub enum ServiceChange {
    /// Its process has started: those that depend on it can.
    Started {
        /// The process.
        pid: Pid,
    },
    /// Its process has ended normally. Its work is done, and what depends on it can start.
    Ended {
        /// The process.
        pid: Pid,
    },
    /// It has failed, and starts again after a while.
    Restarting {
        /// The process that failed; none when it wasn't accepted.
        pid: Option<Pid>,
        /// Why.
        failure: Arc<Failure>,
        /// Until the next start.
        delay: Duration,
        /// The how-manieth in a row this will be, from 1.
        attempt: u32,
        /// How many there may be; 0: any number.
        max_attempts: u32,
    },
    /// It has failed, every attempt behind it: it doesn't start again.
    GivenUp {
        /// The process that failed last; none when it wasn't accepted.
        pid: Option<Pid>,
        /// Why.
        failure: Arc<Failure>,
        /// How often it was started again in a row.
        attempts: u32,
        /// The delays before the first of these, at most eight.
        delays: Vec<Duration>,
    },
    /// It never starts, because one that it depends on was given up or never starts.
    NotStarted {
        /// That one.
        needs: EntryId,
    },
    /// Its process has ended while all services stop.
    Stopped {
        /// The process.
        pid: Pid,
        /// How it ended.
        outcome: Outcome,
    },
}

impl App {
    /// Puts the policies, the definitions and the hosts onto a node, and makes it strict when the application is.
    /// Hosts that don't start with the application refuse processes,
    /// unless it is `wanted`.
    ///
    /// Errors: a host's id is taken on this node.
    pub fn install(&self, node: &Node, wanted: Option<&HostId>) -> Result<(), HostError> {
        if self.strict {
            node.set_strict(true);
        }
        for (policy, groups) in self.policies() {
            node.define_policy(policy.clone(), groups);
        }
        for definition in &self.definitions {
            node.define(definition.clone());
        }
        for host in &self.hosts {
            node.add_host(host.definition.clone())?;
            if !host.started && wanted != Some(&host.definition.id) {
                node.stop_host(&host.definition.id)?;
            }
        }
        Ok(())
    }
}

/// The services of an application that runs.
pub struct Services {
    node: Node,
    /// Needed ones first.
    all: Vec<Supervised>,
    /// What each service under way waits for: one thing at a time.
    steps: FuturesUnordered<BoxFuture<'static, (usize, Step)>>,
    events: VecDeque<ServiceEvent>,
    stopping: bool,
}

struct Supervised {
    service: Service,
    /// The numbers of the services it depends on.
    needs: Vec<usize>,
    state: State,
    /// It has got its CANCEL.
    asked: bool,
    restarts: Restarts,
    /// The first delays of the attempts in a row.
    delays: Vec<Duration>,
}

enum State {
    /// For those that it depends on.
    Waiting,
    /// The process hasn't waited yet.
    Starting(Handle),
    /// The process has started, at this uptime of the node.
    Up(Handle, Duration),
    /// Until the next attempt.
    Pausing,
    /// It has ended normally.
    Done,
    /// It won't start any more.
    GivenUp,
    /// It has ended, or was not under way, when all stopped.
    Stopped,
}

/// What a service's wait has come to.
enum Step {
    Started,
    TimedOut,
    Ended(Outcome),
    Due,
}

impl Services {
    /// Starts the services of an installed application that need no other. The rest follows as the events are taken.
    pub fn start(node: &Node, app: &App) -> Self {
        let numbers: HashMap<&EntryId, usize> = app.services().iter().map(|service| &service.id).zip(0..).collect();
        let mut services = Self {
            node: node.clone(),
            all: app.services().iter().map(|service| Supervised::new(service, &numbers)).collect(),
            steps: FuturesUnordered::new(),
            events: VecDeque::new(),
            stopping: false,
        };
        services.start_ready();
        services
    }

    /// Waits until something happens to a service. None: none is under way, and none will be.
    ///
    /// Cancel safety: no event is lost.
    pub async fn next_event(&mut self) -> Option<ServiceEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if self.all.iter().all(Supervised::is_over) {
                return None;
            }
            let (number, step) = self.steps.next().await?;
            self.take(number, step);
        }
    }

    /// Begins to stop every service: each gets a CANCEL with its `stop_timeout` as deadline, as soon as those that
    /// depend on it are gone. Restarts that are pending are dropped. Take the events until there is none.
    ///
    /// At the limit: a service that is still there at its deadline is terminated.
    pub fn begin_stop(&mut self) {
        self.stopping = true;
        for supervised in &mut self.all {
            if matches!(supervised.state, State::Waiting | State::Pausing) {
                supervised.state = State::Stopped;
            }
        }
        self.ask();
    }

    /// Asks every service to end that nobody needs any more.
    fn ask(&mut self) {
        let mut needed = vec![false; self.all.len()];
        for number in self.all.iter().filter(|one| one.handle().is_some()).flat_map(|one| &one.needs) {
            if let Some(needed) = needed.get_mut(*number) {
                *needed = true;
            }
        }
        for (supervised, needed) in self.all.iter_mut().zip(needed) {
            if let (Some(handle), false, false) = (supervised.handle(), supervised.asked, needed) {
                // It may have ended by itself in between.
                let _ = self.node.cancel(handle.pid(), Some(supervised.service.lifecycle.stop_timeout));
                supervised.asked = true;
            }
        }
    }

    /// Starts every service whose turn has come. One pass is enough, as needed ones come first.
    fn start_ready(&mut self) {
        for number in 0..self.all.len() {
            let Some(supervised) = self.all.get(number).filter(|one| matches!(one.state, State::Waiting)) else {
                continue;
            };
            let needs = || supervised.needs.iter().filter_map(|need| self.all.get(*need));
            if let Some(missing) = needs().find(|need| matches!(need.state, State::GivenUp)) {
                let needs = missing.service.id.clone();
                self.set(number, State::GivenUp);
                self.tell(number, ServiceChange::NotStarted { needs });
            } else if needs().all(|need| matches!(need.state, State::Up(..) | State::Done)) {
                self.spawn(number);
            }
        }
    }

    fn spawn(&mut self, number: usize) {
        let Some(supervised) = self.all.get(number) else { return };
        match self.node.spawn(request(&supervised.service)) {
            Ok(handle) => {
                let timeout = self.node.sleep(supervised.service.lifecycle.start_timeout);
                self.watch(number, starting(handle.clone(), timeout));
                self.set(number, State::Starting(handle));
            }
            Err(refused) => {
                self.failed(number, None, None, Arc::new(Failure::new(refused.kind(), refused.to_string())))
            }
        }
    }

    fn watch(&mut self, number: usize, step: impl Future<Output = Step> + Send + 'static) {
        self.steps.push(Box::pin(async move { (number, step.await) }));
    }

    fn take(&mut self, number: usize, step: Step) {
        let Some(supervised) = self.all.get(number) else { return };
        match (step, &supervised.state) {
            (Step::Started, State::Starting(handle)) => {
                let handle = handle.clone();
                let pid = handle.pid().clone();
                let waited = handle.clone();
                self.watch(number, async move { Step::Ended(waited.wait().await) });
                self.set(number, State::Up(handle, self.node.uptime()));
                self.tell(number, ServiceChange::Started { pid });
            }
            (Step::TimedOut, State::Starting(handle)) => match self.node.terminate(handle.pid()) {
                Ok(()) => self.ended(number, Outcome::failed(not_started(&supervised.service))),
                // It has ended just now.
                Err(_) => {
                    let handle = handle.clone();
                    self.watch(number, async move { Step::Ended(handle.wait().await) });
                }
            },
            (Step::Ended(outcome), State::Starting(_) | State::Up(..)) => self.ended(number, outcome),
            (Step::Due, State::Pausing) => self.spawn(number),
            // The pause of one that was stopped.
            _ => {}
        }
        if self.stopping {
            self.ask();
        } else {
            self.start_ready();
        }
    }

    fn ended(&mut self, number: usize, outcome: Outcome) {
        let Some(supervised) = self.all.get_mut(number) else { return };
        let (handle, since) = match mem::replace(&mut supervised.state, State::Stopped) {
            State::Starting(handle) => (handle, None),
            State::Up(handle, since) => (handle, Some(since)),
            _ => return,
        };
        let pid = handle.pid().clone();
        match outcome {
            outcome if self.stopping => self.tell(number, ServiceChange::Stopped { pid, outcome }),
            Outcome::Completed(_) => {
                self.set(number, State::Done);
                self.tell(number, ServiceChange::Ended { pid });
            }
            Outcome::Failed(failure) => self.failed(number, Some(pid), since, failure),
        }
    }

    /// Carries out what the kernel decides about a failure, of a process or of its start.
    fn failed(&mut self, number: usize, pid: Option<Pid>, since: Option<Duration>, failure: Arc<Failure>) {
        let (ran, chance) = (since.map(|since| self.node.uptime().saturating_sub(since)), self.node.chance());
        let Some(supervised) = self.all.get_mut(number) else { return };
        let policy = supervised.service.lifecycle.restart;
        match supervised.restarts.after(&policy, &Outcome::Failed(Arc::clone(&failure)), ran, chance) {
            RestartDecision::Restart { delay, attempt } => {
                supervised.note(delay, attempt);
                let pause = self.node.sleep(delay);
                self.watch(number, async move {
                    pause.await;
                    Step::Due
                });
                self.set(number, State::Pausing);
                let max_attempts = policy.max_attempts;
                self.tell(number, ServiceChange::Restarting { pid, failure, delay, attempt, max_attempts });
            }
            RestartDecision::GiveUp { attempts } => {
                let delays = mem::take(&mut supervised.delays);
                self.set(number, State::GivenUp);
                self.tell(number, ServiceChange::GivenUp { pid, failure, attempts, delays });
            }
            // That is said of normal ends only.
            RestartDecision::Done => self.set(number, State::Done),
        }
    }

    fn set(&mut self, number: usize, state: State) {
        if let Some(supervised) = self.all.get_mut(number) {
            supervised.state = state;
        }
    }

    fn tell(&mut self, number: usize, change: ServiceChange) {
        if let Some(supervised) = self.all.get(number) {
            self.events.push_back(ServiceEvent { service: supervised.service.id.clone(), change });
        }
    }
}

impl Supervised {
    /// `numbers` are those of all services. What it depends on besides is a process host, which is there from the start.
    fn new(service: &Service, numbers: &HashMap<&EntryId, usize>) -> Self {
        let depends_on = service.lifecycle.depends_on.iter();
        Self {
            needs: depends_on.filter_map(|need| numbers.get(need).copied()).collect(),
            service: service.clone(),
            state: State::Waiting,
            asked: false,
            restarts: Restarts::default(),
            delays: Vec::new(),
        }
    }

    fn handle(&self) -> Option<&Handle> {
        match &self.state {
            State::Starting(handle) | State::Up(handle, _) => Some(handle),
            _ => None,
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Done | State::GivenUp | State::Stopped)
    }

    fn note(&mut self, delay: Duration, attempt: u32) {
        if attempt == 1 {
            self.delays.clear();
        }
        if self.delays.len() < TRIED {
            self.delays.push(delay);
        }
    }
}

fn request(service: &Service) -> SpawnRequest {
    SpawnRequest {
        arguments: service.input.clone(),
        security: service.security.clone(),
        ..SpawnRequest::new(service.process.clone(), service.host.clone())
    }
}

/// Waits until a process has started, has ended before that, or has had its time.
async fn starting(handle: Handle, timeout: Sleep) -> Step {
    let started = pin!(handle.started());
    match select(started, timeout).await {
        Either::Left((true, _)) => Step::Started,
        Either::Left((false, _)) => Step::Ended(handle.wait().await),
        Either::Right(_) => Step::TimedOut,
    }
}

fn not_started(service: &Service) -> Failure {
    let (id, limit) = (&service.id, service.lifecycle.start_timeout);
    Failure::new(
        ErrorKind::Timeout,
        format!("service `{id}` has not waited for anything within its start_timeout of {limit:?}"),
    )
}
