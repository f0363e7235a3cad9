//! The embedding API's main type: a node.

use std::sync::mpsc::channel;
use std::sync::{Arc, Weak};
use std::time::Duration;

use lunarium_kernel::{
    Account, Budget, EntryId, HostError, HostId, LOG_BYTES, LogBudget, Message, NodeLimits, PROCESS_BYTES, Pid, Policy,
    ResolveError, SendError, Tally, Topic, TopicError,
};

use super::handle::{call, values};
use super::{Engine, EngineConfig, Handle};
use crate::catalogue::{Chunk, Definition, HostDefinition, ProcessHost};
use crate::module::{Caller, Module, ModuleError, Raw};
use crate::node::{
    Budgets, CallError, CompileError, Globals, NodeInner, Seeds, Spawn, SpawnError, SpawnRequest, StartError, Usage,
};
use crate::process::{Inspection, Output};
use crate::value::{Value, ValueError};
use lunarium_schedule::{Portion, Share, Sleep};

/// What a node is made of. Everything a process can reach outside of the node stands here. Made by [`NodeConfig::new`].
#[derive(Clone)]
#[non_exhaustive]
pub struct NodeConfig {
    /// Processes alive at once, 1 or more; 8,000 by default. At the limit: `spawn` is refused, `ResourceExhausted`.
    pub max_processes: u32,
    /// Bytes that all its processes may hold together. None, the default: the engine's, which counts also when it is less.
    /// Counted is whatever they can choose the size of. At the limit: `spawn` and `send` are refused, and memory doesn't grow: a Lua error.
    pub memory: Option<u64>,
    /// Bytes of the engine's memory that stay free for it whatever the other nodes hold; 0 by default.
    pub reserve: u64,
    /// Bytes that all its processes may log in a second; 4 MiB by default. Half is for whoever comes first, the other half
    /// for all who log, in equal parts. At the limit: lines are dropped and counted.
    pub log_bytes: u64,
    /// Its part of the workers beside other nodes of the engine, one of [`Portion::WEIGHTS`]; 100 by default. While two nodes
    /// have more to run than there are workers, one of twice the weight gets twice the time, however many processes each
    /// has; what one doesn't need the others get.
    pub cpu_weight: u32,
    /// CPU time of all its processes in a second at most, one of [`Portion::MOSTS`]: 500 ms is half a core. None, the default:
    /// all that there is. At the limit: they rest until the allowance has grown again; who has used nothing for a while has
    /// that of 100 ms saved up.
    pub cpu_max: Option<Duration>,
    /// Links between all processes; a million by default. At the limit: `link` and a linked spawn are refused,
    /// `ResourceExhausted`. One takes about 42 bytes.
    pub max_links: u32,
    /// Monitors of all processes, as for links.
    pub max_monitors: u32,
    /// A process with neither actor nor scope may do nothing to others; false by default: it may do everything.
    pub strict: bool,
    /// What all chance of its processes follows from, by their pids: `math.random`, `random.bytes`, UUIDs. For tests, which can be
    /// run again then. None, the default: a key from the operating system, which nobody knows.
    pub seed: Option<u64>,
    /// Where processes print and log.
    pub output: Arc<dyn Output>,
}

impl NodeConfig {
    /// The defaults, with this output.
    pub fn new(output: Arc<dyn Output>) -> NodeConfig {
        let NodeLimits { max_processes, max_links, max_monitors } = NodeLimits::default();
        NodeConfig {
            max_processes,
            memory: None,
            reserve: 0,
            log_bytes: LOG_BYTES,
            cpu_weight: Portion::WEIGHT,
            cpu_max: None,
            max_links,
            max_monitors,
            strict: false,
            seed: None,
            output,
        }
    }

    /// The same with room for this many processes.
    #[must_use]
    pub fn with_max_processes(self, max_processes: u32) -> NodeConfig {
        NodeConfig { max_processes, ..self }
    }

    /// The same with this many bytes for all its processes, some of them kept free for it.
    #[must_use]
    pub fn with_memory(self, memory: u64, reserve: u64) -> NodeConfig {
        NodeConfig { memory: Some(memory), reserve, ..self }
    }

    /// The same with this many bytes of log lines in a second.
    #[must_use]
    pub fn with_log_bytes(self, log_bytes: u64) -> NodeConfig {
        NodeConfig { log_bytes, ..self }
    }

    /// The same with this weight beside other nodes.
    #[must_use]
    pub fn with_cpu_weight(self, cpu_weight: u32) -> NodeConfig {
        NodeConfig { cpu_weight, ..self }
    }

    /// The same with this much CPU time in a second at most.
    #[must_use]
    pub fn with_cpu_max(self, cpu_max: Duration) -> NodeConfig {
        NodeConfig { cpu_max: Some(cpu_max), ..self }
    }

    /// The same with this many links, and as many monitors.
    #[must_use]
    pub fn with_max_relations(self, most: u32) -> NodeConfig {
        NodeConfig { max_links: most, max_monitors: most, ..self }
    }

    /// The same, strict or not.
    #[must_use]
    pub fn with_strict(self, strict: bool) -> NodeConfig {
        NodeConfig { strict, ..self }
    }
}

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
            seed,
            output,
        } = config;
        let machine = Arc::clone(engine.machine());
        let budgets = Budgets {
            memory: Account::child(&machine.memory, Budget::Node, memory.unwrap_or(u64::MAX), reserve)?,
            log: LogBudget::new(log_bytes),
            cpu: Share::new(Portion { weight: cpu_weight, most: cpu_max }),
        };
        let seeds = Seeds::new(seed).map_err(|error| StartError::Random(error.to_string()))?;
        let limits = NodeLimits { max_processes, max_links, max_monitors };
        let inner = NodeInner::new(machine, limits, budgets, output, seeds);
        inner.catalogue.policies.set_strict(strict);
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

    /// Its modules, by name.
    pub fn modules(&self) -> Vec<Module> {
        self.inner().modules.all()
    }

    /// Adds a policy or replaces it, and puts it into these groups and no others. Processes that run keep the policies
    /// they started with.
    pub fn define_policy(&self, policy: Policy, groups: &[EntryId]) {
        self.inner().catalogue.policies.define(policy, groups);
    }

    /// Whether a process with neither actor nor scope may do nothing to others. Counts for processes that start from
    /// now on.
    pub fn set_strict(&self, strict: bool) {
        self.inner().catalogue.policies.set_strict(strict);
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
        let (inner, known) = (self.inner(), self.known_host(host)?);
        inner.kernel(|kernel| kernel.keep_place(known.kernel()));
        known.memory.add_headroom(SERVICE_BYTES);
        inner.budgets.memory.add_headroom(SERVICE_BYTES);
        Ok(())
    }

    /// What all its processes have used since it started, also those that have ended, and what they hold now: `node.memory`
    /// (with what hosts keep free for theirs), `node.processes`, `node.links`, `node.monitors`, and `node.log_bytes` of this
    /// second. It looks at every process.
    pub fn usage(&self) -> Usage {
        self.inner().usage()
    }

    /// The same of a host: `host.memory`, `host.processes`, `host.log_bytes`.
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
    /// Errors: unknown entry, host or policy, a stopped or full host, a full node, arguments that can't travel or are too
    /// large.
    pub fn spawn(&self, request: SpawnRequest) -> Result<Handle, SpawnError> {
        let SpawnRequest { entry, host, arguments, limits, security, .. } = request;
        let arguments = Value::to_arguments(&arguments)?;
        let spawn = Spawn { wish: Some(limits), security, ..Spawn::new(entry, host, arguments.into()) };
        Ok(Handle::new(self.inner(), self.inner().spawn(spawn)?))
    }

    /// Sends a message without a sender. `destination` is a pid's text or a registered name.
    ///
    /// Errors: as `process.send` has them.
    pub fn send(&self, destination: &str, topic: &str, payload: &Value) -> Result<(), DeliverError> {
        let topic = Topic::new(topic)?;
        let payload = payload.to_payload()?;
        let process = self.inner().find(destination)?;
        process.send(Message::new(None, topic, payload.into()))?;
        Ok(())
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

    /// The living processes.
    pub fn pids(&self) -> Vec<Pid> {
        self.inner().control.table.all().iter().map(|process| process.pid.clone()).collect()
    }

    /// Processes that wait now: their instances are at rest.
    pub fn waiting_count(&self) -> usize {
        self.inner().control.table.all().iter().filter(|process| process.is_waiting()).count()
    }

    /// Looks at a process's instance the next time it is at rest, blocking the thread until then. None when the
    /// process is dead or ends first.
    pub fn inspect_blocking(&self, pid: &Pid) -> Option<Inspection> {
        let (reply, inspection) = channel();
        self.inner().control.table.get(pid)?.inspect(reply);
        inspection.recv().ok()
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

    /// Waits on the engine's clock, which goes on while a system's time is set.
    ///
    /// Cancel safety: a wait that is dropped is forgotten.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.inner().machine.clock.sleep(duration)
    }

    /// Time since the engine started, by the clock of [`Node::sleep`].
    pub fn uptime(&self) -> Duration {
        Duration::from_nanos(self.inner().clock().now())
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

    /// Closes all hosts, terminates what is left, and waits until every instance is gone.
    ///
    /// Cancel safety: what was terminated stays so; call it again to wait on.
    pub async fn shutdown(self) {
        self.inner().end_all();
        self.inner().empty().await;
    }

    fn known_host(&self, host: &HostId) -> Result<Arc<ProcessHost>, HostError> {
        self.inner().catalogue.host(host).ok_or_else(|| HostError::Unknown { id: host.clone() })
    }

    pub(crate) fn inner(&self) -> &Arc<NodeInner> {
        &self.owner.inner
    }
}
