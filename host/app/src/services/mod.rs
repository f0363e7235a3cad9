//! A running application: its services started, restarted and stopped in order.
//!
//! Owns who starts after whom and who stops before whom, and carries out what the kernel decides about restarts. Refuses
//! to know what a process is: it spawns, cancels and waits. Does nothing by itself: whoever takes the events moves it on.
//!
//! A service has started when its process first waits: by then it has its names and its listeners, if it wants any.
//! Each is supervised alone: that one restarts ends none of those that depend on it, which have monitors for that.

mod event;
mod note;
mod running;
mod status;
mod supervised;

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use lunarium_engine::{Handle, Node, Sleep, SpawnRequest};
use lunarium_kernel::{EntryId, ErrorKind, Failure, Outcome, Pid, Refusal, RestartDecision};

pub use event::{ServiceChange, ServiceEvent};
pub use note::{ServiceNote, restarts};
pub use running::Running;
pub use status::{ServiceState, ServiceStatus};

use self::supervised::{State, Supervised};
use crate::application::{App, Service};

/// The services of an application that runs.
pub struct Services {
    node: Node,
    /// Needed ones first.
    all: Vec<Supervised>,
    /// What each service under way waits for: one thing at a time.
    steps: FuturesUnordered<BoxFuture<'static, (usize, Step)>>,
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
        let numbers: HashMap<&EntryId, usize> = app.services().iter().map(|service| &service.id).zip(0..).collect();
        let mut services = Self {
            node: node.clone(),
            all: app.services().iter().map(|service| Supervised::new(service, &numbers)).collect(),
            steps: FuturesUnordered::new(),
            events: VecDeque::new(),
            running: Running::default(),
            stopping: false,
        };
        services.start_ready();
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
            if self.all.iter().all(Supervised::is_over) {
                return None;
            }
            let (number, step) = self.steps.next().await?;
            self.take(number, step);
        }
    }

    /// How each service is now, those that others depend on first.
    pub fn status(&self) -> Vec<ServiceStatus> {
        self.all.iter().map(Supervised::status).collect()
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
            if let Some(missing) = needs().find(|need| matches!(need.state, State::GivenUp | State::Unreached)) {
                let needs = missing.service.id.clone();
                self.set(number, State::Unreached);
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
        self.running.set(&supervised.service.id, None);
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

    fn set(&mut self, number: usize, state: State) {
        if let Some(supervised) = self.all.get_mut(number) {
            supervised.state = state;
            self.running.set(&supervised.service.id, supervised.handle());
        }
    }

    fn tell(&mut self, number: usize, change: ServiceChange) {
        if let Some(supervised) = self.all.get(number) {
            let event = ServiceEvent { service: supervised.service.id.clone(), change };
            self.node.announce(event.of_node());
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
