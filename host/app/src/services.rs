//! A running application: its hosts and definitions on a node, its services started and stopped in order.
//!
//! Owns who starts before whom and who stops before whom. Refuses to know what a process is; it spawns, cancels and
//! waits. Does not yet restart: what a service's `restart` says is checked and kept.

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use lunarium_engine::{Handle, Node, SpawnError, SpawnRequest};
use lunarium_kernel::{EntryId, HostError, HostId, LimitsOverride, Outcome, Pid};
use thiserror::Error;

use crate::application::{App, Service};

/// Why a service didn't start.
#[derive(Debug, Error)]
#[error("service `{service}` does not start: {error}")]
pub struct StartServiceError {
    /// Its id.
    pub service: EntryId,
    /// Why its process wasn't accepted.
    pub error: SpawnError,
}

/// A service's process has ended.
#[derive(Debug, Clone)]
pub struct ServiceEnd {
    /// The service's id.
    pub service: EntryId,
    /// Its process.
    pub pid: Pid,
    /// How it ended.
    pub outcome: Outcome,
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

/// The running services of an application.
pub struct Services {
    node: Node,
    running: Vec<Running>,
    ends: FuturesUnordered<BoxFuture<'static, (usize, Outcome)>>,
    stopping: bool,
}

struct Running {
    service: Service,
    handle: Handle,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Up,
    Asked,
    Ended,
}

impl Services {
    /// Starts the services of an installed application, needed ones first.
    ///
    /// A service counts as started when its process is accepted, which never waits: `start_timeout` can't pass.
    /// Errors: the first that isn't accepted; those before it run on and end with the node.
    pub fn start(node: &Node, app: &App) -> Result<Self, StartServiceError> {
        let mut services =
            Self { node: node.clone(), running: Vec::new(), ends: FuturesUnordered::new(), stopping: false };
        for service in app.services() {
            let request = SpawnRequest {
                entry: service.process.clone(),
                host: service.host.clone(),
                arguments: service.input.clone(),
                limits: LimitsOverride::default(),
                security: service.security.clone(),
            };
            let handle =
                node.spawn(request).map_err(|error| StartServiceError { service: service.id.clone(), error })?;
            services.watch(service.clone(), handle);
        }
        Ok(services)
    }

    fn watch(&mut self, service: Service, handle: Handle) {
        let number = self.running.len();
        let waiting = handle.clone();
        self.ends.push(Box::pin(async move { (number, waiting.wait().await) }));
        self.running.push(Running { service, handle, state: State::Up });
    }

    /// Waits until a service ends; none when all have ended.
    ///
    /// Cancel safety: no end is lost.
    pub async fn next_end(&mut self) -> Option<ServiceEnd> {
        let (number, outcome) = self.ends.next().await?;
        let running = self.running.get_mut(number)?;
        running.state = State::Ended;
        let end = ServiceEnd { service: running.service.id.clone(), pid: running.handle.pid().clone(), outcome };
        if self.stopping {
            self.ask();
        }
        Some(end)
    }

    /// Begins to stop every service: each gets a CANCEL with its `stop_timeout` as deadline, as soon as those that
    /// depend on it are gone. Take the ends until there is none.
    ///
    /// At the limit: a service that is still there at its deadline is terminated.
    pub fn begin_stop(&mut self) {
        self.stopping = true;
        self.ask();
    }

    /// Asks every service to end that nobody needs any more.
    fn ask(&mut self) {
        let needed: Vec<EntryId> = self
            .running
            .iter()
            .filter(|running| running.state != State::Ended)
            .flat_map(|running| running.service.lifecycle.depends_on.iter().cloned())
            .collect();
        for running in &mut self.running {
            if running.state == State::Up && !needed.contains(&running.service.id) {
                running.state = State::Asked;
                // It may have ended by itself in between.
                let _ = self.node.cancel(running.handle.pid(), Some(running.service.lifecycle.stop_timeout));
            }
        }
    }
}
