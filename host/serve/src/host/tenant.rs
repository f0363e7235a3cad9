//! One tenant: an application on a node of its own.
//!
//! Owns its states, and what others see of it. What changes it is `change`'s, its services are `attend`'s.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use lunarium_app::{App, ServiceStatus, Services};
use lunarium_engine::{Level, LogField, Module, Node, NodeConfig};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::attend::{Order, attend};
use super::change::Version;
use super::config::TenantConfig;
use super::error::HostError;
use super::logs::Logs;
use super::output::TenantOutput;
use super::{Shared, on_disk};

/// How a tenant is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TenantState {
    /// Its application is read and checked.
    Starting,
    /// Its services are under way, or have done their work.
    Running,
    /// Its application is wrong, or services of it were given up; the others run.
    Failed {
        /// Why, for people: one or more lines.
        why: String,
    },
    /// Its services are asked to end, or have ended.
    Stopping,
}

impl TenantState {
    /// The names of all states.
    pub const NAMES: [&'static str; 4] = ["starting", "running", "failed", "stopping"];

    /// Its name.
    pub fn as_str(&self) -> &'static str {
        let [starting, running, failed, stopping] = Self::NAMES;
        match self {
            Self::Starting => starting,
            Self::Running => running,
            Self::Failed { .. } => failed,
            Self::Stopping => stopping,
        }
    }
}

/// Where an application came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The folder that the tenant's entry names.
    Folder,
    /// An archive that was sent.
    Archive,
}

/// Which application a tenant runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deployment {
    /// Its number: what is new has a larger one than all before.
    pub number: u64,
    /// Since when it counts, on this host.
    pub since: SystemTime,
    /// Where it came from.
    pub origin: Origin,
}

/// A tenant of a host. Cheap to clone.
#[derive(Clone)]
pub struct Tenant {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    name: String,
    pub(super) shared: Arc<Shared>,
    config: Mutex<Arc<TenantConfig>>,
    output: Arc<TenantOutput>,
    now: Mutex<Now>,
    /// One change at a time, in the order they were asked for. What it can go back to, the current one last.
    pub(super) versions: tokio::sync::Mutex<Vec<Version>>,
}

/// What others see of a tenant.
struct Now {
    /// How it is, without its services.
    state: TenantState,
    running: Option<Running>,
    app: Option<Arc<App>>,
    services: Vec<ServiceStatus>,
    /// The processes of its services, for who calls them.
    callable: lunarium_app::Running,
    deployment: Option<Deployment>,
}

/// A node with the task that attends to it.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) node: Node,
    pub(super) modules: Arc<[Module]>,
    pub(super) orders: mpsc::Sender<Order>,
}

impl Tenant {
    pub(super) fn new(shared: &Arc<Shared>, config: TenantConfig) -> Self {
        let bytes = config.budget.log_bytes;
        let state = TenantState::Starting;
        let now = Now {
            state,
            running: None,
            app: None,
            services: Vec::new(),
            callable: lunarium_app::Running::default(),
            deployment: None,
        };
        let inner = Inner {
            output: Arc::new(TenantOutput::new(&config.name, bytes, &shared.surroundings)),
            name: config.name.clone(),
            shared: Arc::clone(shared),
            config: Mutex::new(Arc::new(config)),
            now: Mutex::new(now),
            versions: tokio::sync::Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// How it is.
    pub fn state(&self) -> TenantState {
        let now = self.inner.now.lock();
        let failed: Vec<String> = now.services.iter().filter_map(ServiceStatus::failure).collect();
        match &now.state {
            TenantState::Running if !failed.is_empty() => TenantState::Failed { why: failed.join("\n") },
            state => state.clone(),
        }
    }

    /// Its node: processes, events, usage, and what can be done to them. None: it has none, because it has failed or has ended.
    pub fn node(&self) -> Option<Node> {
        let now = self.inner.now.lock();
        now.running.as_ref().map(|running| running.node.clone())
    }

    /// Its application. None: it has none that was right.
    pub fn app(&self) -> Option<Arc<App>> {
        self.inner.now.lock().app.clone()
    }

    /// Its services, those that others depend on first.
    pub fn services(&self) -> Vec<ServiceStatus> {
        self.inner.now.lock().services.clone()
    }

    /// The process that each of its services has at the time.
    pub fn callable(&self) -> lunarium_app::Running {
        self.inner.now.lock().callable.clone()
    }

    /// Which application it runs. None: none so far.
    pub fn deployment(&self) -> Option<Deployment> {
        self.inner.now.lock().deployment.clone()
    }

    /// What its processes print and log.
    pub fn logs(&self) -> Logs {
        self.inner.output.logs.clone()
    }

    /// Its entry: budgets, host names, requests in a second.
    pub fn config(&self) -> Arc<TenantConfig> {
        Arc::clone(&self.inner.config.lock())
    }

    pub(super) fn set_config(&self, config: Arc<TenantConfig>) {
        self.inner.output.set_bytes(config.budget.log_bytes);
        *self.inner.config.lock() = config;
        self.tell_servers();
    }

    /// A line of the host about it.
    pub(super) fn note(&self, level: Level, message: &str, fields: Vec<LogField>) {
        self.inner.output.note(level, message, fields);
    }

    /// It isn't over for good, as it is while it [halts](Tenant::halt).
    pub(super) fn begin(&self) {
        self.inner.now.lock().state = TenantState::Starting;
    }

    /// What keeps it from running.
    pub(super) fn fail(&self, error: &HostError) {
        let why = error.to_string();
        self.note(Level::Error, &format!("tenant has failed: {why}"), Vec::new());
        self.inner.now.lock().state = TenantState::Failed { why };
    }

    /// It runs this application now.
    pub(super) fn runs(&self, app: &Arc<App>) {
        let mut now = self.inner.now.lock();
        let before = now.app.replace(Arc::clone(app));
        now.state = TenantState::Running;
        drop(now);
        drop(before);
    }

    /// Tells those who serve it.
    fn tell_servers(&self) {
        self.inner.shared.changes.send_modify(|count| *count = count.saturating_add(1));
    }

    /// These are its services from now on.
    pub(super) fn calls(&self, services: &Services) {
        self.inner.now.lock().callable = services.running().clone();
        self.tell_servers();
    }

    /// What there is of its services now.
    pub(super) fn see(&self, services: Option<&Services>) {
        let status = services.map(Services::status).unwrap_or_default();
        self.inner.now.lock().services = status;
    }

    pub(super) fn set_deployment(&self, number: u64, origin: Origin) -> Deployment {
        let deployment = Deployment { number, since: SystemTime::now(), origin };
        self.inner.now.lock().deployment = Some(deployment.clone());
        deployment
    }

    /// Its node, which is started with the budgets of this entry if it isn't there, with all that its modules need for the entry. Whoever calls it changes the tenant: nobody else does meanwhile.
    ///
    /// Errors: there is no room for it; its modules can't be had; it has been stopped.
    pub(super) async fn running(&self, config: &Arc<TenantConfig>) -> Result<Running, HostError> {
        let running = {
            let now = self.inner.now.lock();
            if now.state == TenantState::Stopping {
                return Err(HostError::Stopping);
            }
            now.running.clone()
        };
        let (tenant, config) = (self.clone(), Arc::clone(config));
        // Modules open files.
        if let Some(running) = running {
            on_disk(move || tenant.inner.shared.surroundings.extend(&config)).await?;
            return Ok(running);
        }
        let (node, modules) = on_disk(move || tenant.start_node(&config)).await?;
        let (orders, received) = mpsc::channel(1);
        let running = Running { node: node.clone(), modules: modules.into(), orders };
        self.inner.now.lock().running = Some(running.clone());
        // It may have changed meanwhile.
        node.set_debug(self.inner.shared.debug.load(Ordering::Relaxed));
        tokio::spawn(attend(self.clone(), node, received));
        Ok(running)
    }

    fn start_node(&self, config: &TenantConfig) -> Result<(Node, Vec<Module>), HostError> {
        let shared = &self.inner.shared;
        let node = Node::start_on(&shared.engine, self.node_config(config));
        let node = node.map_err(|error| HostError::NoRoom(error.to_string()))?;
        let modules = shared.surroundings.modules(config)?;
        for module in &modules {
            node.add_module(module.clone()).map_err(|error| HostError::Refused(error.to_string()))?;
        }
        Ok((node, modules))
    }

    /// Gives its node the budgets of an entry, if it has one.
    ///
    /// Errors: there is no room for the reserve; nothing is changed then.
    pub(super) fn set_budgets(&self, config: &TenantConfig) -> Result<(), HostError> {
        let Some(node) = self.node() else { return Ok(()) };
        let set = node.set_budgets(&self.node_config(config));
        set.map_err(|error| HostError::NoRoom(format!("no room for the tenant's reserve: {error}")))?;
        self.inner.output.set_bytes(config.budget.log_bytes);
        Ok(())
    }

    /// What a node of this entry is made of.
    fn node_config(&self, config: &TenantConfig) -> NodeConfig {
        let budget = config.budget;
        let mut config = NodeConfig::new(Arc::<TenantOutput>::clone(&self.inner.output));
        config.max_processes = budget.processes.unwrap_or(config.max_processes);
        config.memory = budget.memory;
        config.reserve = budget.reserve.unwrap_or(config.reserve);
        config.cpu_weight = budget.cpu_weight.unwrap_or(config.cpu_weight);
        config.cpu_max = budget.cpu_max;
        config.log_bytes = budget.log_bytes.unwrap_or(config.log_bytes);
        config.strict = budget.strict.unwrap_or_default();
        config.debug = self.inner.shared.debug.load(Ordering::Relaxed);
        config
    }

    /// Ends what it runs: its services first, then what else lives.
    pub(super) async fn halt(&self) {
        let running = {
            let mut now = self.inner.now.lock();
            now.state = TenantState::Stopping;
            now.running.take()
        };
        let Some(Running { node, orders, modules }) = running else { return };
        self.tell_servers();
        let (reply, stopped) = oneshot::channel();
        if orders.send(Order::Stop(reply)).await.is_ok() {
            // Or the task has ended.
            let _ = stopped.await;
        }
        node.clone().shutdown(Duration::ZERO).await;
        // Whoever still looks at it, or waits for the end of an answer, keeps nothing from who comes after it.
        let mut budgets = self.node_config(&self.config());
        budgets.reserve = 0;
        let _ = node.set_budgets(&budgets);
        drop(modules);
    }

    /// Ends it for good.
    pub(super) async fn stop(&self) {
        let _changing = self.inner.versions.lock().await;
        self.halt().await;
        self.inner.output.logs.close();
    }

    /// Ends it for good if it has never run anything; false: it has.
    pub(super) async fn stop_unless_deployed(&self) -> bool {
        let _changing = self.inner.versions.lock().await;
        if self.deployment().is_some() {
            return false;
        }
        self.halt().await;
        self.inner.output.logs.close();
        true
    }
}
