//! The embedding API's main type: a node.

use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::sync::{Arc, Weak};
use std::time::Duration;

use lunarium_kernel::{
    Account, Budget, EntryId, ErrorKind, Exhausted, Holding, HostError, HostId, LimitsOverride, LogBudget, Message,
    NodeLimits, PROCESS_BYTES, Pid, Policy, Rank, Refusal, ResolveError, SendError, Tally, Topic, TopicError, action,
};

use super::handle::{call, values};
use super::{Engine, EngineConfig, Handle, Mailbox, NodeConfig};
use crate::catalogue::{Chunk, Definition, HostDefinition, ProcessHost, World};
use crate::module::{Caller, Module, ModuleError, Raw};
use crate::node::{
    Budgets, CallError, CompileError, Events, Globals, NodeCounts, NodeEvent, NodeInner, ProcessDetails, ProcessInfo,
    Relations, Seeds, SpawnError, SpawnRequest, StartError, Time, Usage,
};
use crate::process::{AtRest, Level, LogField};
use crate::value::{Value, ValueError, WriteError};
use lunarium_schedule::{Portion, Share, Sleep, Watch};

/// Memory that is kept for a service: what it takes to start, to load its libraries and to take messages.
const SERVICE_BYTES: u64 = PROCESS_BYTES + (2 << 20);

/// A running node. Cheap to clone; processes live until they end, are terminated, or the last clone is dropped.
#[derive(Clone)]
pub struct Node {
    owner: Arc<Owner>,
}

impl Caller {
    /// The node that the process is on. None: it is ending.
    pub fn node(&self) -> Option<Node> {
        let owner = self.any_node()?.downcast().ok()?;
        Some(Node { owner })
    }
}

/// A node that may have ended: it keeps nothing.
#[derive(Clone)]
pub struct WeakNode {
    owner: Weak<Owner>,
}

impl WeakNode {
    /// The node. None: its last [`Node`] was dropped.
    pub fn upgrade(&self) -> Option<Node> {
        self.owner.upgrade().map(|owner| Node { owner })
    }
}

/// Ends the node when nobody can reach it any more: its own processes hold it too.
struct Owner {
    engine: Engine,
    inner: Arc<NodeInner>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.inner.end_all();
    }
}

/// Why a message from outside was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeliverError {
    /// The payload can't travel.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// Dead or unknown.
    #[error(transparent)]
    Destination(#[from] ResolveError),
    /// Not a topic.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// Too large, or the mailbox is full.
    #[error(transparent)]
    Mailbox(#[from] SendError),
    /// The value can't travel.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl DeliverError {
    fn refusal(&self) -> &dyn Refusal {
        match self {
            DeliverError::Value(refusal) => refusal,
            DeliverError::Destination(refusal) => refusal,
            DeliverError::Topic(refusal) => refusal,
            DeliverError::Mailbox(refusal) => refusal,
            DeliverError::Write(refusal) => refusal,
        }
    }
}

impl Refusal for DeliverError {
    fn kind(&self) -> ErrorKind {
        self.refusal().kind()
    }

    fn retryable(&self) -> bool {
        self.refusal().retryable()
    }

    fn limit(&self) -> Option<&'static str> {
        self.refusal().limit()
    }
}

/// Why a process wasn't told to go on as another entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// Dead or unknown.
    #[error(transparent)]
    Process(#[from] ResolveError),
    /// What it would become can't be.
    #[error(transparent)]
    Program(#[from] SpawnError),
}

impl Node {
    /// Starts a node on an engine of its own, with the node's `memory`.
    ///
    /// Errors: see [`Engine::new`].
    pub fn start(config: NodeConfig) -> Result<Node, StartError> {
        let engine = EngineConfig { memory: config.memory, ..EngineConfig::new(config.max_processes) };
        let engine = Engine::new(engine)?;
        Node::start_on(&engine, config)
    }

    /// Starts a node on an engine that others use too. Beyond the engine's own number, starts wait.
    ///
    /// Errors: the engine's memory has no room for its reserve; the operating system has no random bytes for its key.
    pub fn start_on(engine: &Engine, config: NodeConfig) -> Result<Node, StartError> {
        let NodeConfig {
            max_processes,
            memory,
            reserve,
            log_bytes,
            cpu_weight,
            cpu_max,
            max_links,
            max_monitors,
            strict,
            debug,
            seed,
            still,
            output,
        } = config;
        let machine = Arc::clone(engine.machine());
        let portion = Portion { weight: cpu_weight, most: cpu_max };
        let (time, cpu) = match still {
            None => (Time::of_engine(&machine.clock), Share::new(portion)),
            Some(start) => {
                let watch = Arc::<Watch>::default();
                (Time::still(start, Arc::clone(&watch)), Share::watched(portion, watch))
            }
        };
        let budgets = Budgets {
            memory: Account::child(&machine.memory, Budget::Node, memory.unwrap_or(u64::MAX), reserve)?,
            log: LogBudget::new(log_bytes),
            cpu,
        };
        let seeds = Seeds::new(seed).map_err(|error| StartError::Random(error.to_string()))?;
        let limits = NodeLimits { max_processes, max_links, max_monitors };
        let inner = NodeInner::new(machine, time, limits, budgets, output, debug, seeds);
        inner.catalogue.set_strict(strict);
        let owner = Arc::new(Owner { engine: engine.clone(), inner });
        let weak: Weak<Owner> = Arc::downgrade(&owner);
        owner.inner.set_handle(weak);
        Ok(Node { owner })
    }

    /// The same node, without keeping it.
    pub fn downgrade(&self) -> WeakNode {
        WeakNode { owner: Arc::downgrade(&self.owner) }
    }

    /// Adds a definition or replaces it; one that is equal stays, with what was compiled of it. Processes that run keep the one
    /// they started with.
    pub fn define(&self, definition: Definition) {
        self.inner().catalogue.define(definition);
    }

    /// Adds a module, for processes that are granted it.
    ///
    /// Errors: a name that scripts can't write, or that is taken.
    pub fn add_module(&self, module: Module) -> Result<(), ModuleError> {
        self.inner().modules.add(module)
    }

    /// The same, and one of that name is replaced, for every process at once. Calls under way go on in the old one.
    ///
    /// Errors: a name that scripts can't write, or that is the runtime's.
    pub fn replace_module(&self, module: Module) -> Result<(), ModuleError> {
        self.inner().modules.replace(module)
    }

    /// Takes a module away, from every process at once: further calls are refused, `NotFound`. Those under way go on. False:
    /// there is none of that name.
    pub fn remove_module(&self, name: &str) -> bool {
        self.inner().modules.remove(name)
    }

    /// Whether it has a module of that name.
    pub fn has_module(&self, name: &str) -> bool {
        self.inner().modules.has(name)
    }

    /// Its module of that name.
    pub fn module(&self, name: &str) -> Option<Arc<Module>> {
        self.inner().modules.get(name)
    }

    /// Its modules, by name.
    pub fn modules(&self) -> Vec<Module> {
        self.inner().modules.all()
    }

    /// Adds a policy or replaces it, and puts it into these groups and no others. Processes that run keep the policies
    /// they started with.
    pub fn define_policy(&self, policy: Policy, groups: &[EntryId]) {
        self.inner().catalogue.define_policy(policy, groups);
    }

    /// Whether a process with neither actor nor scope may do nothing to others. Counts for processes that start from
    /// now on.
    pub fn set_strict(&self, strict: bool) {
        self.inner().catalogue.set_strict(strict);
    }

    /// From now on it has the budgets of this configuration: `max_processes`, `memory`, `reserve`, `log_bytes`, `cpu_weight` and `cpu_max`,
    /// of which nothing else counts. Whatever is held stays, also beyond a budget: more is refused then until enough was given back. CPU time
    /// that was used counts as it did.
    ///
    /// Errors: the engine's memory has no room for the reserve; nothing is changed then.
    pub fn set_budgets(&self, config: &NodeConfig) -> Result<(), Exhausted> {
        let inner = self.inner();
        inner.budgets.memory.set_bounds(config.memory.unwrap_or(u64::MAX), config.reserve)?;
        inner.budgets.log.set_limit(config.log_bytes);
        inner.budgets.cpu.set_portion(Portion { weight: config.cpu_weight, most: config.cpu_max });
        inner.kernel(|kernel| kernel.set_max_processes(config.max_processes));
        Ok(())
    }

    /// From now on each start and each end of a process is a line of the log, or none is: [`NodeConfig::debug`].
    pub fn set_debug(&self, debug: bool) {
        self.inner().debug.store(debug, Ordering::Relaxed);
    }

    /// Adds a process host.
    ///
    /// Errors: the id is taken or can't stand in a pid; the node's memory has no room for its reserve.
    pub fn add_host(&self, host: HostDefinition) -> Result<(), HostError> {
        let budgets = &self.inner().budgets;
        self.inner().catalogue.add_host(host, &budgets.memory, &budgets.cpu)
    }

    /// Keeps a place on a host, and memory for a small process, for one service more: what a process starts ends below
    /// that, so a service that comes back finds room. Services are what [`Node::spawn`] starts.
    ///
    /// Errors: an unknown host.
    pub fn keep_place(&self, host: &HostId) -> Result<(), HostError> {
        let host = self.inner().catalogue.note_place(host)?;
        self.keep_places(&host, 1);
        Ok(())
    }

    fn keep_places(&self, host: &ProcessHost, places: u64) {
        let inner = self.inner();
        inner.kernel(|kernel| (0..places).for_each(|_| kernel.keep_place(host.kernel())));
        let bytes = SERVICE_BYTES.saturating_mul(places);
        host.memory.add_headroom(bytes);
        inner.budgets.memory.add_headroom(bytes);
    }

    fn let_go_places(&self, host: &ProcessHost, places: u64) {
        let inner = self.inner();
        inner.kernel(|kernel| kernel.let_go_places(host.kernel(), places));
        let bytes = SERVICE_BYTES.saturating_mul(places);
        host.memory.remove_headroom(bytes);
        inner.budgets.memory.remove_headroom(bytes);
    }

    /// From now on the node knows this and nothing else, for every process that starts: at once, nobody sees a part of it. Processes that
    /// run keep what they started with. What is equal stays, with what was compiled of it. A host that differs in its grants
    /// or its security alone keeps its budgets; another one begins anew, and who lives on the old one stays within that
    /// one's.
    ///
    /// Errors: as [`Node::add_host`] and [`Node::keep_place`]; nothing is changed then.
    pub fn replace(&self, world: World) -> Result<(), HostError> {
        let inner = self.inner();
        let replaced = inner.catalogue.replace(world, &inner.budgets.memory, &inner.budgets.cpu)?;
        replaced.let_go.iter().for_each(|(host, places)| self.let_go_places(host, *places));
        replaced.keep.iter().for_each(|(host, places)| self.keep_places(host, *places));
        inner.kernel(|kernel| replaced.closed.iter().for_each(|host| kernel.stop_host(host.kernel())));
        Ok(())
    }

    /// Has a process go on as another entry, or as its own anew, as it can itself by `process.upgrade`: it keeps its pid, names, links,
    /// monitors and the messages that its script hasn't received, and loses what it has in memory. It does so the next time
    /// it waits. A second order before that replaces the first.
    ///
    /// Errors: dead or unknown, an unknown entry, arguments that can't travel or are too large.
    pub fn upgrade(&self, pid: &Pid, entry: &EntryId, arguments: &[Value]) -> Result<(), UpgradeError> {
        let inner = self.inner();
        let process = inner.find_pid(pid.as_str()).map_err(|_| ResolveError::unknown_pid(pid.as_str()))?;
        let arguments = Value::to_arguments(arguments).map_err(SpawnError::from)?;
        let program = inner.plan_upgrade(&process, entry, arguments.into())?;
        process.order_upgrade(program);
        Ok(())
    }

    /// What all its processes have used since it started, also those that have ended, and what they hold now: `node.memory`
    /// (with what hosts keep free for theirs), `node.processes`, `node.links`, `node.monitors`, and `node.log_bytes` of this
    /// second. It looks at every process.
    pub fn usage(&self) -> Usage {
        self.inner().usage()
    }

    /// The node in numbers, also by process host: for who draws curves. It looks at every process, and takes no lock that others need
    /// for long.
    pub fn counts(&self) -> NodeCounts {
        self.inner().counts()
    }

    /// What [`Node::usage`] tells, of a host: `host.memory`, `host.processes`, `host.log_bytes`.
    ///
    /// Errors: an unknown host.
    pub fn host_usage(&self, host: &HostId) -> Result<Usage, HostError> {
        Ok(self.inner().usage_of_host(&*self.known_host(host)?))
    }

    /// The same of a living process, by the names of its limits but for those that it counts itself: `memory` is all that is
    /// held for it, of which its limit is a part. None: dead or unknown.
    pub fn process_usage(&self, pid: &Pid) -> Option<Usage> {
        self.inner().usage_of_process(pid)
    }

    /// Closes a host for new processes; those that run go on.
    ///
    /// Errors: an unknown host.
    pub fn stop_host(&self, host: &HostId) -> Result<(), HostError> {
        let known = self.known_host(host)?;
        self.inner().kernel(|kernel| kernel.stop_host(known.kernel()));
        Ok(())
    }

    /// Starts a process and returns at once.
    ///
    /// Errors: unknown entry, host or policy, a stopped or full host, a full node, a name that is taken; arguments, context values or
    /// first messages that can't travel or are too large.
    pub fn spawn(&self, request: SpawnRequest) -> Result<Handle, SpawnError> {
        Ok(Handle::new(self.inner(), self.inner().spawn(request.into_spawn()?)?))
    }

    /// Sends a message without a sender. `destination` is a pid's text or a registered name.
    ///
    /// Errors: as `process.send` has them.
    pub fn send(&self, destination: &str, topic: &str, payload: &Value) -> Result<(), DeliverError> {
        let send = || {
            let topic = Topic::new(topic)?;
            let payload = payload.to_payload()?;
            let process = self.inner().find(destination)?;
            Ok(process.send(Message::new(None, topic, payload.into()))?)
        };
        self.inner().noting(None, action::SEND, destination, send())
    }

    /// Opens a mailbox of the program's own, under a name that scripts send to. It counts as a process of the node.
    ///
    /// Errors: no name, or one that somebody has; a full node; a budget.
    pub fn mailbox(&self, name: &str) -> Result<Mailbox, SpawnError> {
        self.mailbox_within(name, &LimitsOverride::default())
    }

    /// The same with limits instead of the default ones: `mailbox_messages`, `mailbox_bytes`, `message`, `links`, `monitors`, `names`
    /// and `lifetime` mean something for a mailbox.
    ///
    /// Errors: as [`Node::mailbox`].
    pub fn mailbox_within(&self, name: &str, limits: &LimitsOverride) -> Result<Mailbox, SpawnError> {
        Ok(Mailbox::new(self.inner(), self.inner().open_mailbox(name, limits)?))
    }

    /// Calls a function of the table that a process's chunk has returned, and waits for its results. `destination` is a pid's text or a
    /// registered name. Called is every function but the one that the process runs; it runs in a coroutine of its own, and can
    /// wait. The calls that wait are bounded by the process's mailbox, those that aren't answered by 1,000.
    ///
    /// Errors: as `process.call` has them; what the function raised.
    ///
    /// Cancel safety: the function runs on, and nobody gets its results.
    pub async fn call(&self, destination: &str, method: &str, arguments: &[Value]) -> Result<Vec<Value>, CallError> {
        let target = self.inner().find(destination)?;
        let arguments = Value::to_arguments(arguments)?;
        values(&call(self.inner(), &target, method, Raw(arguments.into())).await?)
    }

    /// Asks a process to end: a CANCEL event. With a deadline it is terminated when it is still there then.
    ///
    /// Errors: dead or unknown.
    pub fn cancel(&self, pid: &Pid, deadline: Option<Duration>) -> Result<(), ResolveError> {
        self.inner().cancel(None, pid, deadline)
    }

    /// Ends a process by force.
    ///
    /// Errors: dead or unknown.
    pub fn terminate(&self, pid: &Pid) -> Result<(), ResolveError> {
        self.inner().terminate(None, pid)
    }

    /// Compiles a source in a fresh instance, without running it, and tells which globals it uses.
    ///
    /// Errors: Lua's message; or the source took more memory or CPU time than a process may have.
    pub async fn check(&self, chunk: &Chunk) -> Result<Globals, CompileError> {
        self.inner().check(chunk).await
    }

    /// Processes alive now.
    pub fn process_count(&self) -> usize {
        self.inner().kernel(|kernel| kernel.process_count())
    }

    /// Every living process, oldest first, each as it is at some moment of the call. A process that begins or ends meanwhile may be
    /// there or not. It holds up nobody for long: what needs the node's lock is read for 64 processes at a time.
    pub fn processes(&self) -> Vec<ProcessInfo> {
        self.inner().processes()
    }

    /// All that can be seen of one process, without asking it. None: dead or unknown.
    pub fn process(&self, pid: &Pid) -> Option<ProcessDetails> {
        self.inner().process(pid)
    }

    /// Who is linked with whom and who monitors whom among these processes, at most so many pairs together; what isn't there any more is
    /// left out. It takes the node's lock for one process after the other, and reads at most twice `most` numbers of each.
    pub fn relations(&self, among: &[Pid], most: usize) -> Relations {
        self.inner().relations(among, most)
    }

    /// The living process that a text stands for: a pid's text, or a registered name. None: dead or unknown.
    pub fn find(&self, destination: &str) -> Option<Pid> {
        self.inner().find(destination).ok().map(|process| process.pid.clone())
    }

    /// What happens on the node from now on: an unread event costs the node nothing, and nobody waits for who reads.
    pub fn events(&self) -> Events {
        self.inner().journal.attend()
    }

    /// Puts an event among those of the node: for who supervises services.
    pub fn announce(&self, event: NodeEvent) {
        self.inner().note(|| event);
    }

    /// The living processes.
    pub fn pids(&self) -> Vec<Pid> {
        self.inner().control.table.all().iter().map(|process| process.pid.clone()).collect()
    }

    /// Processes that wait now: their instances are at rest.
    pub fn waiting_count(&self) -> usize {
        self.inner().control.table.all().iter().filter(|process| process.is_waiting()).count()
    }

    /// Looks at a process's instance the next time it is at rest, blocking the thread until then. None when the
    /// process is dead or ends first. For tests; what else there is to see tells [`Node::process`] at once.
    pub fn at_rest_blocking(&self, pid: &Pid) -> Option<AtRest> {
        let (reply, inspection) = channel();
        self.inner().control.table.get(pid)?.inspect(reply);
        inspection.recv().ok()
    }

    /// Writes a line of the node's own log: for who works in its name. What can't be seen is spelled out; a long line is cut.
    ///
    /// At the limit: 1,000 lines in a second and the node's `log_bytes`; then lines are dropped, and counted in the next.
    pub fn log(&self, level: Level, message: &str, fields: &[LogField]) {
        self.inner().log_own(level, message, fields);
    }

    /// Nothing yet of the node's memory, for who holds something in its name, and less urgently than its services.
    pub fn holding(&self) -> Holding {
        Holding::new(Arc::clone(&self.inner().budgets.memory), Rank::Ordinary)
    }

    /// Looks whether everything that is kept of the node in several places agrees, and counts what it holds. Takes time in
    /// proportion to that, while nobody can start, end or link a process: for tests.
    ///
    /// Errors: the first thing that is wrong, in words.
    pub fn audit(&self) -> Result<Tally, String> {
        self.inner().audit()
    }

    /// Instances held now or about to be made: those of living processes, and of dead ones whose memory isn't given back
    /// yet.
    pub fn instance_count(&self) -> usize {
        self.inner().instance_count()
    }

    /// Waits on the node's clock, which goes on while a system's time is set, and stands still where [`NodeConfig::still`] says so.
    ///
    /// Cancel safety: a wait that is dropped is forgotten.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.inner().time.clock.sleep(duration)
    }

    /// Time since the engine started, by the clock of [`Node::sleep`]; one that stands still has begun with the node.
    pub fn uptime(&self) -> Duration {
        Duration::from_nanos(self.inner().time.clock.now())
    }

    /// Lets the time of a node whose time stands still ([`NodeConfig::still`]) go on by so much: from one timer to the next in the
    /// order of their deadlines, and what each leads to has happened before the clock moves again. Ready when nothing happens
    /// any more. On another node nothing is done.
    ///
    /// What a function of a module waits for of the world outside isn't waited for. A process that never waits lets nothing come to
    /// rest until it meets its limit.
    ///
    /// Cancel safety: time stands where it has come to.
    pub async fn advance(&self, by: Duration) {
        if self.inner().time.is_still() {
            self.inner().time.advance(by).await;
        }
    }

    /// Waits until nothing happens any more on a node whose time stands still, unless that goes on or somebody outside does something. Where
    /// time goes by, nothing is waited for.
    ///
    /// Cancel safety: nothing is changed by waiting.
    pub async fn settled(&self) {
        self.inner().time.settled().await;
    }

    /// When the next timer is due, by the clock of [`Node::uptime`]. None: there is none; or time goes by on this node.
    pub fn next_timer(&self) -> Option<Duration> {
        let time = &self.inner().time;
        time.clock.next_due().filter(|_| time.is_still()).map(Duration::from_nanos)
    }

    /// A random number from 0 up to 1. It follows from the key that processes' chance follows from.
    pub fn chance(&self) -> f64 {
        // The 53 bits that a float holds exactly.
        let bits = self.inner().seeds.draw() >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }

    /// The engine it runs on.
    pub fn engine(&self) -> &Engine {
        &self.owner.engine
    }

    /// Waits until no process lives.
    ///
    /// Cancel safety: nothing is changed by waiting.
    pub async fn idle(&self) {
        self.inner().idle().await;
    }

    /// Closes all hosts, asks every process to end as [`Node::cancel`] does, terminates those that are there when the deadline is
    /// over, and waits until every instance is gone. Zero: they are terminated at once.
    ///
    /// Cancel safety: what has begun goes on; call it again to wait on.
    pub async fn shutdown(self, deadline: Duration) {
        if deadline.is_zero() {
            self.inner().end_all();
        } else {
            self.inner().ask_all_to_end(deadline);
            self.inner().idle().await;
        }
        self.inner().empty().await;
    }

    fn known_host(&self, host: &HostId) -> Result<Arc<ProcessHost>, HostError> {
        self.inner().catalogue.host(host).ok_or_else(|| HostError::Unknown { id: host.clone() })
    }

    pub(crate) fn inner(&self) -> &Arc<NodeInner> {
        &self.owner.inner
    }
}
