//! One tenant: an application on a node of its own.
//!
//! Owns its states, and that its services are supervised by one task, whatever else is asked of it meanwhile. Refuses to end the
//! host: what is wrong with a tenant is its state.

use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant, SystemTime};

use lunarium_app::{App, Draft, ServiceChange, ServiceEvent, ServiceStatus, Services};
use lunarium_engine::{Level, Module, Node, NodeConfig, Output, ProcessLabel};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio::task;

use super::config::{Folder, Reach, TenantConfig};
use super::error::HostError;
use super::logs::{LogLine, Logs, PrintBudget};
use super::{PATIENCE, Shared, Surroundings};

/// Bytes that a tenant may print in a second where nothing else is said. The number: four times what a terminal shows.
const PRINT_BYTES: u64 = 1 << 20;

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
    /// Its number: each change has one more than the one before.
    pub number: u64,
    /// Since when it counts.
    pub since: SystemTime,
    /// Where it came from.
    pub origin: Origin,
}

/// A tenant of a host. Cheap to clone.
#[derive(Clone)]
pub struct Tenant {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    shared: Arc<Shared>,
    config: Mutex<Arc<TenantConfig>>,
    output: Arc<TenantOutput>,
    now: Mutex<Now>,
    /// One change at a time, in the order they were asked for.
    changing: tokio::sync::Mutex<()>,
}

/// What others see of a tenant.
struct Now {
    /// What its application's state is, without its services.
    state: TenantState,
    running: Option<Running>,
    app: Option<Arc<App>>,
    services: Vec<ServiceStatus>,
    deployment: Option<Deployment>,
}

/// A node with the task that attends to it.
#[derive(Clone)]
struct Running {
    node: Node,
    modules: Arc<[Module]>,
    orders: mpsc::Sender<Order>,
}

/// What the task is told.
enum Order {
    /// From now on this application counts.
    Switch(Arc<App>, oneshot::Sender<Result<(), HostError>>),
    /// The services end, and the task.
    Stop(oneshot::Sender<()>),
}

impl Tenant {
    pub(super) fn new(shared: &Arc<Shared>, config: TenantConfig) -> Self {
        let bytes = config.budget.or(shared.defaults).log_bytes.unwrap_or(PRINT_BYTES);
        let output = TenantOutput {
            tenant: config.name.clone(),
            logs: Logs::default(),
            print: Mutex::new(PrintBudget::new(bytes)),
            surroundings: Arc::clone(&shared.surroundings),
        };
        let state = TenantState::Starting;
        let now = Now { state, running: None, app: None, services: Vec::new(), deployment: None };
        let inner = Inner {
            name: config.name.clone(),
            shared: Arc::clone(shared),
            config: Mutex::new(Arc::new(config)),
            output: Arc::new(output),
            now: Mutex::new(now),
            changing: tokio::sync::Mutex::new(()),
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
        let failed = now.services.iter().filter_map(ServiceStatus::failure);
        let failed: Vec<String> = failed.collect();
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

    /// Reads its application and starts it. What is wrong is its state from then on.
    pub(super) async fn start(&self) {
        let _changing = self.inner.changing.lock().await;
        if let Err(error) = self.load().await {
            self.fail(&error);
        }
    }

    fn fail(&self, error: &HostError) {
        let why = error.to_string();
        self.inner.output.note(Level::Error, &format!("tenant has failed: {why}"), Vec::new());
        self.inner.now.lock().state = TenantState::Failed { why };
    }

    async fn load(&self) -> Result<(), HostError> {
        let config = self.config();
        if let Some(fault) = config.fault() {
            return Err(HostError::Refused(fault));
        }
        let running = self.running()?;
        let folder = match &config.folder {
            Some(Ok(folder)) => folder,
            _ => return Err(HostError::Nothing(self.name().to_owned())),
        };
        let (app, warnings) = checked(folder, &config, &running).await?;
        for warning in warnings.lines() {
            self.inner.output.note(Level::Warn, warning, Vec::new());
        }
        self.switch(&running, app).await?;
        let mut now = self.inner.now.lock();
        let number = now.deployment.as_ref().map_or(1, |deployment| deployment.number.saturating_add(1));
        now.deployment = Some(Deployment { number, since: SystemTime::now(), origin: Origin::Folder });
        Ok(())
    }

    async fn switch(&self, running: &Running, app: Arc<App>) -> Result<(), HostError> {
        let (reply, switched) = oneshot::channel();
        let order = Order::Switch(app, reply);
        running.orders.send(order).await.map_err(|_| HostError::Stopping)?;
        switched.await.unwrap_or(Err(HostError::Stopping))
    }

    /// Its node, which is started if it isn't there.
    fn running(&self) -> Result<Running, HostError> {
        if let Some(running) = &self.inner.now.lock().running {
            return Ok(running.clone());
        }
        let inner = &self.inner;
        let refused = |error: String| HostError::Refused(error);
        let node = Node::start_on(&inner.shared.engine, self.node_config());
        let node = node.map_err(|error| refused(error.to_string()))?;
        let modules = inner.shared.surroundings.modules(self.name()).map_err(refused)?;
        for module in &modules {
            node.add_module(module.clone()).map_err(|error| refused(error.to_string()))?;
        }
        let (orders, received) = mpsc::channel(1);
        let running = Running { node: node.clone(), modules: modules.into(), orders };
        inner.now.lock().running = Some(running.clone());
        tokio::spawn(attend(self.clone(), node, received));
        Ok(running)
    }

    fn node_config(&self) -> NodeConfig {
        let budget = self.config().budget.or(self.inner.shared.defaults);
        let mut config = NodeConfig::new(Arc::<TenantOutput>::clone(&self.inner.output));
        config.max_processes = budget.processes.unwrap_or(config.max_processes);
        config.memory = budget.memory;
        config.reserve = budget.reserve.unwrap_or(config.reserve);
        config.cpu_weight = budget.cpu_weight.unwrap_or(config.cpu_weight);
        config.cpu_max = budget.cpu_max;
        config.log_bytes = budget.log_bytes.unwrap_or(config.log_bytes);
        config.strict = budget.strict.unwrap_or_default();
        config.debug = self.inner.shared.debug;
        config
    }

    /// Ends it: its services first, then what else lives.
    pub(super) async fn stop(&self) {
        let _changing = self.inner.changing.lock().await;
        let running = {
            let mut now = self.inner.now.lock();
            now.state = TenantState::Stopping;
            now.running.take()
        };
        if let Some(Running { node, orders, .. }) = running {
            let (reply, stopped) = oneshot::channel();
            if orders.send(Order::Stop(reply)).await.is_ok() {
                // Or the task has ended.
                let _ = stopped.await;
            }
            node.shutdown(Duration::ZERO).await;
        }
        self.inner.output.logs.close();
    }
}

/// The application in a folder, read and compiled, with what hardly can be meant.
///
/// Errors: what is wrong with it.
async fn checked(
    folder: &Folder,
    config: &Arc<TenantConfig>,
    running: &Running,
) -> Result<(Arc<App>, String), HostError> {
    let dir = folder.dir.try_clone().map_err(HostError::disk("the application's folder can't be opened"))?;
    let (shown, config, modules) = (folder.shown.clone(), Arc::clone(config), Arc::clone(&running.modules));
    // Native parsers and a disk: nobody else may wait for them.
    let read =
        task::spawn_blocking(move || Draft::of_folder(&dir, &shown, &Reach { config: &config, modules: &modules }));
    let mut draft = read.await.map_err(|error| HostError::Refused(format!("can't be read: {error}")))?;
    draft.compile(&running.node).await;
    let (app, warnings) = draft.judge().map_err(|report| HostError::Wrong(Arc::new(report)))?;
    Ok((Arc::new(app), warnings.to_string()))
}

/// Supervises a tenant's services, and switches from one application to the next.
async fn attend(tenant: Tenant, node: Node, mut orders: mpsc::Receiver<Order>) {
    let mut services: Option<Services> = None;
    loop {
        let event = async {
            match &mut services {
                Some(services) => services.next_event().await,
                None => None,
            }
        };
        tokio::select! {
            biased;
            order = orders.recv() => match order {
                Some(Order::Switch(app, reply)) => {
                    let switched = tenant.install(&node, &app, &mut services);
                    // Whoever asked may be gone.
                    let _ = reply.send(switched);
                }
                Some(Order::Stop(reply)) => {
                    if let Some(services) = &mut services {
                        services.begin_stop();
                        let stopped = tokio::time::timeout(PATIENCE, tenant.follow(services)).await;
                        if stopped.is_err() {
                            let text = format!("services are still there after {PATIENCE:?} and are terminated");
                            tenant.inner.output.note(Level::Warn, &text, Vec::new());
                        }
                    }
                    let _ = reply.send(());
                    return;
                }
                None => return,
            },
            Some(event) = event => {
                tenant.tell(&event);
                tenant.look(services.as_ref());
                // A service that is refused and restarted without delay always has an event.
                task::yield_now().await;
            }
        }
    }
}

impl Tenant {
    fn install(&self, node: &Node, app: &Arc<App>, services: &mut Option<Services>) -> Result<(), HostError> {
        app.install(node, None).map_err(|error| HostError::Refused(error.to_string()))?;
        *services = Some(Services::start(node, app));
        {
            let mut now = self.inner.now.lock();
            now.app = Some(Arc::clone(app));
            now.state = TenantState::Running;
        }
        self.look(services.as_ref());
        Ok(())
    }

    async fn follow(&self, services: &mut Services) {
        while let Some(event) = services.next_event().await {
            self.tell(&event);
            self.look(Some(services));
            task::yield_now().await;
        }
    }

    fn look(&self, services: Option<&Services>) {
        let status = services.map(Services::status).unwrap_or_default();
        self.inner.now.lock().services = status;
    }

    fn tell(&self, event: &ServiceEvent) {
        let note = {
            let now = self.inner.now.lock();
            let known = now.app.as_ref().and_then(|app| app.services().iter().find(|known| known.id == event.service));
            event.note(known)
        };
        self.inner.output.note(note.level, &note.message, note.fields);
        if let ServiceChange::GivenUp { failure, .. } | ServiceChange::Restarting { failure, .. } = &event.change
            && let Some(app) = self.app()
        {
            let explained = app.explain("", failure, None);
            if !explained.is_bare() {
                self.inner.output.note(note.level, &explained.render(false), Vec::new());
            }
        }
    }
}

/// Where a tenant's processes print and log.
struct TenantOutput {
    tenant: String,
    logs: Logs,
    print: Mutex<PrintBudget>,
    surroundings: Arc<dyn Surroundings>,
}

impl TenantOutput {
    /// A line of the host about this tenant.
    fn note(&self, level: Level, message: &str, fields: Vec<(String, String)>) {
        self.push(LogLine { fields, ..LogLine::new(None, level, message) });
    }

    fn push(&self, line: LogLine) {
        let line = self.logs.push(line);
        self.surroundings.line(&self.tenant, &line);
    }
}

impl Output for TenantOutput {
    /// Nobody waits for who reads: what is beyond the budget is lost.
    fn print(&self, process: &ProcessLabel, line: &str) -> bool {
        let Some(dropped) = self.print.lock().admit(line.len(), Instant::now()) else { return true };
        let mut line = LogLine { printed: true, ..LogLine::new(Some(process), Level::Info, line) };
        if dropped > 0 {
            line.fields.push(("dropped_lines".to_owned(), dropped.to_string()));
        }
        self.push(line);
        true
    }

    fn on_ready(&self, waker: Waker) {
        waker.wake();
    }

    fn log(&self, process: &ProcessLabel, level: Level, message: &str, fields: &[(String, String)]) {
        self.push(LogLine { fields: fields.to_vec(), ..LogLine::new(Some(process), level, message) });
    }
}
