//! A node: process hosts, definitions and living processes, on an engine.
//!
//! Owns the embedding API's main type and the way of a spawn. Refuses YAML, files and ambient authority: what
//! processes may do comes in through the configuration.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use lunarium_kernel::{
    EntryId, HostError, HostId, HostSpec, Kernel, Message, NodeLimits, Outcome, Pid, Policy, ResolveError, SendError,
    TenantId, Topic, TopicError,
};
use lunarium_schedule::{Sleep, TimerKey};

use crate::code::Code;
use crate::control::{Census, Control, Counted};
use crate::definition::{Chunk, Definition, HostDefinition};
use crate::engine::{Engine, StartError};
use crate::output::Output;
use crate::process::{Inspection, Process};
use crate::security::Policies;
use crate::spawn::{Spawn, SpawnError, SpawnRequest};
use crate::value::Value;
use crate::{check, wall};

/// What a node is made of. Everything a process can reach outside of the node stands here.
#[derive(Clone)]
pub struct NodeConfig {
    /// Processes alive at once, 1 or more; 8,000 by default. At the limit: `spawn` is refused, `ResourceExhausted`.
    pub max_processes: u32,
    /// A process with neither actor nor scope may do nothing to others; false by default: it may do everything.
    pub strict: bool,
    /// Where processes print and log.
    pub output: Arc<dyn Output>,
}

impl NodeConfig {
    /// The defaults, with this output.
    pub fn new(output: Arc<dyn Output>) -> NodeConfig {
        NodeConfig { max_processes: NodeLimits::default().max_processes, strict: false, output }
    }
}

/// A running node. Cheap to clone; processes live until they end, are terminated, or `shutdown`.
#[derive(Clone)]
pub struct Node {
    inner: Arc<NodeInner>,
}

/// A process that was spawned from outside.
#[derive(Clone)]
pub struct Handle {
    process: Arc<Process>,
}

/// Why a message from outside was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeliverError {
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

pub(crate) struct NodeInner {
    engine: Engine,
    pub(crate) control: Control,
    /// The clock's timer for the kernel's next deadline.
    alarm: Mutex<Option<TimerKey>>,
    pub(crate) definitions: RwLock<HashMap<EntryId, Arc<Code>>>,
    pub(crate) hosts: RwLock<HashMap<HostId, HostDefinition>>,
    pub(crate) policies: Policies,
    output: Arc<dyn Output>,
    /// A keyed function of a counter: seeds that no script can guess from its own.
    seed_key: RandomState,
    seeds: AtomicU64,
    instances: Arc<Census>,
}

impl Node {
    /// Starts a node on an engine of its own.
    ///
    /// Errors: see [`Engine::new`].
    pub fn start(config: NodeConfig) -> Result<Node, StartError> {
        let engine = Engine::new(config.max_processes)?;
        Ok(Node::start_on(&engine, config))
    }

    /// Starts a node on an engine that others use too. Beyond the engine's own number, starts wait.
    pub fn start_on(engine: &Engine, config: NodeConfig) -> Node {
        let limits = NodeLimits { max_processes: config.max_processes };
        let policies = Policies::default();
        policies.set_strict(config.strict);
        let inner = Arc::new_cyclic(|node: &Weak<NodeInner>| {
            let alarm = node.clone();
            NodeInner {
                engine: engine.clone(),
                control: Control::new(limits, Box::new(move || set_alarm(&alarm))),
                alarm: Mutex::default(),
                definitions: RwLock::default(),
                hosts: RwLock::default(),
                policies,
                output: config.output,
                seed_key: RandomState::new(),
                seeds: AtomicU64::new(0),
                instances: Arc::default(),
            }
        });
        Node { inner }
    }

    /// Adds a definition or replaces it. Processes that run keep the one they started with.
    pub fn define(&self, definition: Definition) {
        let mut definitions = self.inner.definitions.write().unwrap_or_else(PoisonError::into_inner);
        definitions.insert(definition.entry.clone(), Arc::new(Code::new(definition)));
    }

    /// Adds a policy or replaces it, and puts it into these groups and no others. Processes that run keep the policies
    /// they started with.
    pub fn define_policy(&self, policy: Policy, groups: &[EntryId]) {
        self.inner.policies.define(policy, groups);
    }

    /// Whether a process with neither actor nor scope may do nothing to others. Counts for processes that start from
    /// now on.
    pub fn set_strict(&self, strict: bool) {
        self.inner.policies.set_strict(strict);
    }

    /// Adds a process host.
    ///
    /// Errors: the id is taken or can't stand in a pid.
    pub fn add_host(&self, host: HostDefinition) -> Result<(), HostError> {
        let spec = HostSpec { id: host.id.clone(), tenant: TenantId::default(), max_processes: host.max_processes };
        // First where a spawn looks for limits, then where it is accepted: one that is accepted finds both.
        let mut hosts = self.inner.hosts.write().unwrap_or_else(PoisonError::into_inner);
        self.inner.kernel(|kernel| kernel.add_host(spec))?;
        hosts.insert(host.id.clone(), host);
        Ok(())
    }

    /// Closes a host for new processes; those that run go on.
    ///
    /// Errors: an unknown host.
    pub fn stop_host(&self, host: &HostId) -> Result<(), HostError> {
        self.inner.kernel(|kernel| kernel.stop_host(host))
    }

    /// Starts a process and returns at once.
    ///
    /// Errors: unknown entry, host or policy, a stopped or full host, a full node, arguments too large.
    pub fn spawn(&self, request: SpawnRequest) -> Result<Handle, SpawnError> {
        let arguments = Value::encode_all(&request.arguments);
        let SpawnRequest { entry, host, limits, security, .. } = request;
        let spawn = Spawn { entry, host, arguments, limits: Some(limits), context: None, security };
        Ok(Handle { process: self.inner.spawn(spawn)? })
    }

    /// Sends a message without a sender. `destination` is a pid's text or a registered name.
    ///
    /// Errors: as `process.send` has them.
    pub fn send(&self, destination: &str, topic: &str, payload: &Value) -> Result<(), DeliverError> {
        let topic = Topic::new(topic)?;
        let process = self.inner.find(None, destination)?;
        process.send(Message { sender: None, topic, payload: payload.encode() })?;
        Ok(())
    }

    /// Asks a process to end: a CANCEL event. With a deadline it is terminated when it is still there then.
    ///
    /// Errors: dead or unknown.
    pub fn cancel(&self, pid: &Pid, deadline: Option<Duration>) -> Result<(), ResolveError> {
        self.inner.cancel(None, pid.as_str(), deadline)
    }

    /// Ends a process by force.
    ///
    /// Errors: dead or unknown.
    pub fn terminate(&self, pid: &Pid) -> Result<(), ResolveError> {
        self.inner.terminate(None, pid.as_str())
    }

    /// Compiles a source in a fresh instance, without running it, and tells which globals it uses.
    ///
    /// Errors: Lua's message; or the source took more memory or CPU time than a process may have.
    pub async fn check(&self, chunk: &Chunk) -> Result<check::Globals, check::CompileError> {
        check::check(&self.inner, chunk).await
    }

    /// Processes alive now.
    pub fn process_count(&self) -> usize {
        self.inner.kernel(|kernel| kernel.process_count())
    }

    /// The living processes.
    pub fn pids(&self) -> Vec<Pid> {
        self.inner.control.all().iter().map(|process| process.pid.clone()).collect()
    }

    /// Processes that wait now: their instances are at rest.
    pub fn waiting_count(&self) -> usize {
        self.inner.control.all().iter().filter(|process| process.is_waiting()).count()
    }

    /// Looks at a process's instance the next time it is at rest, blocking the thread until then. None when the
    /// process is dead or ends first.
    pub fn inspect_blocking(&self, pid: &Pid) -> Option<Inspection> {
        let (reply, inspection) = channel();
        self.inner.control.find(pid.as_str())?.inspect(reply);
        inspection.recv().ok()
    }

    /// Instances held now: living processes that have started, and dead ones whose memory isn't given back yet.
    pub fn instance_count(&self) -> usize {
        self.inner.instances.count()
    }

    /// Waits on the engine's clock, which goes on while a system's time is set.
    ///
    /// Cancel safety: a wait that is dropped is forgotten.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.inner.engine.clock().sleep(duration)
    }

    /// Time since the engine started, by the clock of [`Node::sleep`].
    pub fn uptime(&self) -> Duration {
        Duration::from_nanos(self.inner.engine.clock().now())
    }

    /// A random number from 0 up to 1. It comes from the keyed stream that seeds processes.
    pub fn chance(&self) -> f64 {
        // The 53 bits that a float holds exactly.
        let bits = self.inner.next_seed() >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }

    /// The engine it runs on.
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// Waits until no process lives.
    ///
    /// Cancel safety: nothing is changed by waiting.
    pub async fn idle(&self) {
        while self.process_count() > 0 {
            self.inner.instances.empty().await;
            // One that was accepted just now has no instance yet.
            if self.process_count() > 0 {
                self.sleep(Duration::from_millis(1)).await;
            }
        }
    }

    /// Terminates what is left, and waits until every instance is gone.
    ///
    /// Cancel safety: what was terminated stays so; call it again to wait on.
    pub async fn shutdown(self) {
        let hosts: Vec<HostId> =
            self.inner.hosts.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect();
        for host in hosts {
            // It exists: hosts are never forgotten.
            let _ = self.stop_host(&host);
        }
        for process in self.inner.control.all() {
            // It may have ended in between.
            let _ = self.terminate(&process.pid);
        }
        self.inner.instances.empty().await;
    }
}

impl Handle {
    /// The process.
    pub fn pid(&self) -> &Pid {
        &self.process.pid
    }

    /// How the process ended; none while it lives.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.process.outcome()
    }

    /// Waits until the process has started: it waits for something for the first time, whatever that is. True: it did;
    /// false: it ended before. Any number may wait.
    ///
    /// Cancel safety: nothing is lost.
    pub async fn started(&self) -> bool {
        loop {
            let listener = self.process.progress();
            // The end first: one that starts and ends between two looks has started.
            let ended = self.process.outcome().is_some();
            if self.process.has_started() || ended {
                return self.process.has_started();
            }
            listener.await;
        }
    }

    /// Waits for the end. Any number may wait.
    ///
    /// Cancel safety: nothing is lost.
    pub async fn wait(&self) -> Outcome {
        loop {
            let listener = self.process.progress();
            if let Some(outcome) = self.process.outcome() {
                return outcome.clone();
            }
            listener.await;
        }
    }

    /// Waits for the end, blocking the thread. Not for a thread that runs async tasks.
    pub fn wait_blocking(&self) -> Outcome {
        futures_lite::future::block_on(self.wait())
    }
}

impl NodeInner {
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn output(&self) -> &dyn Output {
        &*self.output
    }

    pub(crate) fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Runs a closure on the kernel, then what follows from it.
    pub(crate) fn kernel<R>(&self, act: impl FnOnce(&mut Kernel) -> R) -> R {
        self.control.with(act)
    }

    /// Counts an instance for as long as the result lives.
    pub(crate) fn count_instance(&self) -> Counted {
        self.instances.enter()
    }

    pub(crate) fn next_seed(&self) -> u64 {
        self.seed_key.hash_one(self.seeds.fetch_add(1, Ordering::Relaxed))
    }

    /// The living process that a destination names. Only a name takes the kernel's lock.
    pub(crate) fn find(&self, caller: Option<&Process>, destination: &str) -> Result<Arc<Process>, ResolveError> {
        if let Some(process) = self.control.find(destination) {
            return Ok(process);
        }
        let caller = caller.map(|process| &process.pid);
        let pid = self.kernel(|kernel| kernel.resolve(caller, destination))?;
        // It may end between the two steps.
        self.control.find(pid.as_str()).ok_or_else(|| ResolveError::UnknownPid { pid: pid.to_string() })
    }

    pub(crate) fn terminate(&self, caller: Option<&Process>, destination: &str) -> Result<(), ResolveError> {
        let caller = caller.map(|process| &process.pid);
        self.kernel(|kernel| kernel.terminate(caller, destination, wall::now()))
    }

    pub(crate) fn cancel(
        &self,
        caller: Option<&Process>,
        destination: &str,
        deadline: Option<Duration>,
    ) -> Result<(), ResolveError> {
        let now = wall::now();
        let caller = caller.map(|process| &process.pid);
        let deadline = deadline.map(|deadline| now.saturating_add(deadline));
        self.kernel(|kernel| kernel.cancel(caller, destination, deadline, now))
    }

    pub(crate) fn handle_exit(&self, process: &Process, outcome: Outcome) {
        self.kernel(|kernel| kernel.handle_exit(&process.pid, outcome, wall::now()));
    }
}

/// Lets the clock call the kernel when its next deadline is due. There is one alarm, however often deadlines change: a
/// script may set them in a loop.
fn set_alarm(node: &Weak<NodeInner>) {
    let Some(inner) = node.upgrade() else { return };
    let clock = inner.engine.clock();
    let mut alarm = inner.alarm.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(earlier) = alarm.take() {
        clock.cancel(earlier);
    }
    // Asked under the alarm's lock: of two that come at once, the later one knows the deadline of both.
    *alarm = inner.control.next_deadline().map(|deadline| {
        let delay = u64::try_from(deadline.since(wall::now()).as_nanos()).unwrap_or(u64::MAX);
        clock.set(clock.now().saturating_add(delay), Waker::from(Arc::new(Alarm(node.clone()))))
    });
}

struct Alarm(Weak<NodeInner>);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        let Some(node) = self.0.upgrade() else { return };
        node.kernel(|kernel| kernel.handle_timeout(wall::now()));
        // Also when no deadline has passed: the wall clock may have been set back.
        set_alarm(&self.0);
    }
}

#[cfg(test)]
mod tests;
