//! A running application: its services started, restarted and stopped in order.
//!
//! Owns who starts after whom and who stops before whom, and carries out what the kernel decides about restarts. Refuses
//! to know what a process is: it spawns, cancels and waits. Does nothing by itself: whoever takes the events moves it on.
//!
//! A service has started when its process first waits: by then it has its names and its listeners, if it wants any.
//! Each is supervised alone: that one restarts ends none of those that depend on it, which have monitors for that.

mod change;
mod event;
mod note;
mod running;
mod status;
mod supervised;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use lunarium_engine::{Handle, Node, Sleep, SpawnRequest};
use lunarium_kernel::{ErrorKind, Failure, Outcome, Pid, Refusal, RestartDecision};

pub use change::ServiceAction;
pub use event::{ServiceChange, ServiceEvent};
pub use note::{ServiceNote, given_up};
pub use running::Running;
pub use status::{ServiceState, ServiceStatus};

use self::supervised::{State, Supervised};
use crate::application::{App, Service};

/// The services of an application that runs.
pub struct Services {
    node: Node,
    /// By a key of each one's own, which it keeps when the application changes.
    all: BTreeMap<u64, Supervised>,
    /// Their keys, needed ones first.
    order: Vec<u64>,
    last: u64,
    /// What each service under way waits for: one thing at a time.
    steps: FuturesUnordered<BoxFuture<'static, (u64, u64, Step)>>,
    events: VecDeque<ServiceEvent>,
    /// The process of each, for who is elsewhere.
    running: Running,
    stopping: bool,
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
        let mut services = Self {
            node: node.clone(),
            all: BTreeMap::new(),
            order: Vec::new(),
            last: 0,
            steps: FuturesUnordered::new(),
            events: VecDeque::new(),
            running: Running::default(),
            stopping: false,
        };
        services.replace(app);
        services
    }

    /// The process that each service has at the time, for who calls them.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Waits until something happens to a service. None: none is under way, and none will be.
    ///
    /// Cancel safety: no event is lost.
    pub async fn next_event(&mut self) -> Option<ServiceEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if self.all.values().all(Supervised::is_over) {
                return None;
            }
            let (key, wait, step) = self.steps.next().await?;
            if self.all.get(&key).is_some_and(|supervised| supervised.wait == wait) {
                self.take(key, step);
            }
        }
    }

    /// How each service is now, those that others depend on first.
    pub fn status(&self) -> Vec<ServiceStatus> {
        self.order.iter().filter_map(|key| self.all.get(key)).map(Supervised::status).collect()
    }

    /// Begins to stop every service: each gets a CANCEL with its `stop_timeout` as deadline, as soon as those that
    /// depend on it are gone. Restarts that are pending are dropped. Take the events until there is none.
    ///
    /// At the limit: a service that is still there at its deadline is terminated.
    pub fn begin_stop(&mut self) {
        self.stopping = true;
        for supervised in self.all.values_mut() {
            if matches!(supervised.state, State::Waiting | State::Pausing) {
                supervised.state = State::Stopped;
            }
        }
        self.ask();
    }

    /// Asks every service to end that is to end, and that nobody needs any more.
    fn ask(&mut self) {
        let lives = |supervised: &&Supervised| supervised.handle().is_some();
        let needed: BTreeSet<u64> = self.all.values().filter(lives).flat_map(|one| one.needs.clone()).collect();
        for (key, supervised) in &mut self.all {
            let ends = (self.stopping || supervised.leaves) && !supervised.asked && !needed.contains(key);
            if let Some(handle) = supervised.handle().filter(|_| ends) {
                // It may have ended by itself in between.
                let _ = self.node.cancel(handle.pid(), Some(supervised.service.lifecycle.stop_timeout));
                supervised.asked = true;
            }
        }
    }

    /// Starts every service whose turn has come. One pass is enough, as needed ones come first.
    fn start_ready(&mut self) {
        for key in self.order.clone() {
            let Some(supervised) = self.all.get(&key).filter(|one| matches!(one.state, State::Waiting)) else {
                continue;
            };
            let needs = || supervised.needs.iter().filter_map(|need| self.all.get(need));
            if let Some(missing) = needs().find(|need| matches!(need.state, State::GivenUp | State::Unreached)) {
                let needs = missing.service.id.clone();
                self.set(key, State::Unreached);
                self.tell(key, ServiceChange::NotStarted { needs });
            } else if needs().all(|need| matches!(need.state, State::Up(..) | State::Done)) {
                self.spawn(key);
            }
        }
    }

    fn spawn(&mut self, number: u64) {
        let Some(supervised) = self.all.get_mut(&number) else { return };
        supervised.runs = Some(supervised.program.clone());
        supervised.again = false;
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

    fn watch(&mut self, key: u64, step: impl Future<Output = Step> + Send + 'static) {
        let Some(supervised) = self.all.get_mut(&key) else { return };
        supervised.wait = supervised.wait.saturating_add(1);
        let wait = supervised.wait;
        self.steps.push(Box::pin(async move { (key, wait, step.await) }));
    }

    fn take(&mut self, number: u64, step: Step) {
        let Some(supervised) = self.all.get(&number) else { return };
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
        self.ask();
        if !self.stopping {
            self.start_ready();
        }
    }

    fn ended(&mut self, number: u64, outcome: Outcome) {
        let Some(supervised) = self.all.get_mut(&number) else { return };
        let (handle, since) = match mem::replace(&mut supervised.state, State::Stopped) {
            State::Starting(handle) => (handle, None),
            State::Up(handle, since) => (handle, Some(since)),
            _ => return,
        };
        self.running.set(&supervised.service.id, None);
        let pid = handle.pid().clone();
        let (leaves, again) = (supervised.leaves, supervised.again);
        match outcome {
            outcome if leaves => {
                self.tell(number, ServiceChange::Stopped { pid, outcome });
                self.forget(number);
            }
            outcome if again && !self.stopping => {
                self.tell(number, ServiceChange::Replaced { pid, outcome });
                if let Some(supervised) = self.all.get_mut(&number) {
                    supervised.reset();
                }
            }
            outcome if self.stopping => self.tell(number, ServiceChange::Stopped { pid, outcome }),
            Outcome::Completed(_) => {
                self.set(number, State::Done);
                self.tell(number, ServiceChange::Ended { pid });
            }
            Outcome::Failed(failure) => self.failed(number, Some(pid), since, failure),
        }
    }

    /// Carries out what the kernel decides about a failure, of a process or of its start.
    fn failed(&mut self, number: u64, pid: Option<Pid>, since: Option<Duration>, failure: Arc<Failure>) {
        let (ran, chance) = (since.map(|since| self.node.uptime().saturating_sub(since)), self.node.chance());
        let Some(supervised) = self.all.get_mut(&number) else { return };
        let policy = supervised.service.lifecycle.restart;
        supervised.last_failure = Some(Arc::clone(&failure));
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

    fn set(&mut self, number: u64, state: State) {
        if let Some(supervised) = self.all.get_mut(&number) {
            supervised.state = state;
            self.running.set(&supervised.service.id, supervised.handle());
        }
    }

    fn tell(&mut self, number: u64, change: ServiceChange) {
        if let Some(supervised) = self.all.get(&number) {
            let event = ServiceEvent { service: supervised.service.id.clone(), change };
            if let Some(event) = event.of_node() {
                self.node.announce(event);
            }
            self.events.push_back(event);
        }
    }
}

fn request(service: &Service) -> SpawnRequest {
    let mut request = SpawnRequest::new(service.process.clone(), service.host.clone());
    request.arguments = service.input.clone();
    request.security = service.security.clone();
    request
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
