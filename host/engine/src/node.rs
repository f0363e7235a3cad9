//! A node: process hosts, definitions and living processes, on an engine.
//!
//! Owns the embedding API's main type and the way of a spawn. Refuses YAML, files and ambient authority: what
//! processes may do comes in through the configuration.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use lunarium_kernel::{
    Denied, EntryId, ErrorKind, HostError, HostId, HostSpec, JoinError, Kernel, Limits, LimitsOverride, Mailbox,
    Message, Name, NodeLimits, Outcome, Pid, Policy, Refusal, ResolveError, Security, SendError, SpawnSpec, TenantId,
    Timestamp, Topic, TopicError, action,
};

use crate::code::Code;
use crate::control::{Census, Control, Counted};
use crate::definition::{Chunk, Definition, HostDefinition};
use crate::engine::{Engine, StartError};
use crate::grants::Grants;
use crate::incarnation::Incarnation;
use crate::output::Output;
use crate::process::{Inspection, Origin, Process};
use crate::runner::{self, Job, Start};
use crate::security::{Policies, SecurityError, SecuritySpec};
use crate::sleep::Sleep;
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

/// What `Node::spawn` starts.
#[derive(Debug, Clone)]
pub struct SpawnRequest {
    /// A defined entry.
    pub entry: EntryId,
    /// An added process host.
    pub host: HostId,
    /// What the method gets.
    pub arguments: Vec<Value>,
    /// Limits below the entry's and the host's.
    pub limits: LimitsOverride,
    /// Another actor, another scope or both than the host's.
    pub security: Option<SecuritySpec>,
}

/// A process that was spawned from outside.
#[derive(Clone)]
pub struct Handle {
    process: Arc<Process>,
}

/// Why nothing was spawned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// No such entry.
    #[error("entry `{0}` not found")]
    UnknownEntry(EntryId),
    /// The arguments are larger than a message may be.
    #[error("arguments of {size} bytes exceed the message limit of {limit}")]
    Arguments {
        /// Bytes of the encoded arguments.
        size: usize,
        /// The host's limit.
        limit: u32,
    },
    /// The context is larger than a message may be.
    #[error("context of {size} bytes exceeds the message limit of {limit}")]
    Context {
        /// Bytes of the encoded context.
        size: usize,
        /// The host's limit.
        limit: u32,
    },
    /// It can't get its actor or scope.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// The spawner may not claim the name, or not do to its holder what it wants.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The kernel refuses: host, limits.
    #[error(transparent)]
    Kernel(#[from] lunarium_kernel::SpawnError),
    /// The holder of the name can't be monitored or linked.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The first messages don't fit into the mailbox.
    #[error(transparent)]
    Mailbox(#[from] SendError),
}

impl Refusal for SpawnError {
    fn kind(&self) -> ErrorKind {
        match self {
            SpawnError::UnknownEntry(_) => ErrorKind::NotFound,
            SpawnError::Arguments { .. } | SpawnError::Context { .. } => ErrorKind::Invalid,
            SpawnError::Security(error) => error.kind(),
            SpawnError::Denied(denied) => denied.kind(),
            SpawnError::Kernel(error) => error.kind(),
            SpawnError::Join(error) => error.kind(),
            SpawnError::Mailbox(error) => error.kind(),
        }
    }

    fn retryable(&self) -> bool {
        matches!(self, SpawnError::Mailbox(error) if error.retryable())
    }
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
    control: Control,
    definitions: RwLock<HashMap<EntryId, Arc<Code>>>,
    hosts: RwLock<HashMap<HostId, HostDefinition>>,
    policies: Policies,
    output: Arc<dyn Output>,
    /// A keyed function of a counter: seeds that no script can guess from its own.
    seed_key: RandomState,
    seeds: AtomicU64,
    instances: Arc<Census>,
}

/// What a spawn needs to know.
pub(crate) struct Spawn {
    pub(crate) entry: EntryId,
    pub(crate) host: HostId,
    /// A payload: an array with the values.
    pub(crate) arguments: Vec<u8>,
    pub(crate) limits: Option<LimitsOverride>,
    /// None: the parent's.
    pub(crate) context: Option<Vec<u8>>,
    /// None: the parent's, or the host's.
    pub(crate) security: Option<SecuritySpec>,
}

/// What a process is made of, resolved.
struct Plan {
    code: Arc<Code>,
    host: HostId,
    limits: Limits,
    grants: Arc<Grants>,
    arguments: Vec<u8>,
    wish: Option<LimitsOverride>,
    context: Option<Arc<[u8]>>,
    security: Arc<Security>,
}

/// What a process may hold and use, or what a host gives to its processes.
#[derive(Default)]
pub(crate) struct Terms {
    pub(crate) limits: Limits,
    pub(crate) grants: Arc<Grants>,
}

/// Who spawns, and what stands between both before the child's first instruction.
pub(crate) struct Parent<'a> {
    pub(crate) process: &'a Process,
    pub(crate) monitored: bool,
    pub(crate) linked: bool,
    /// The parent's request that the child's end answers.
    pub(crate) exec: Option<u64>,
    pub(crate) name: Option<Name>,
    /// From the parent, delivered first.
    pub(crate) messages: Vec<Message>,
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
                control: Control::new(limits, Box::new(move |deadline| set_alarm(&alarm, deadline))),
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
        Sleep::new(self.inner.engine.clone(), duration)
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

impl<'a> Parent<'a> {
    /// One that executes the child by this request.
    pub(crate) fn exec(process: &'a Process, request: u64) -> Parent<'a> {
        Parent { process, monitored: false, linked: false, exec: Some(request), name: None, messages: Vec::new() }
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

    /// Starts a process without a parent.
    fn spawn(self: &Arc<NodeInner>, spawn: Spawn) -> Result<Arc<Process>, SpawnError> {
        let plan = self.plan(spawn, None)?;
        let mailbox = Mailbox::new(plan.limits.mailbox());
        let process = self.kernel(|kernel| self.accept(kernel, None, &plan, mailbox))?;
        self.launch(&process, plan);
        Ok(process)
    }

    /// Starts a child, or gives the holder of the wanted name what the child would have had. The pid of either.
    pub(crate) fn spawn_child(self: &Arc<NodeInner>, mut parent: Parent<'_>, spawn: Spawn) -> Result<Pid, SpawnError> {
        let plan = self.plan(spawn, Some(parent.process))?;
        let messages = std::mem::take(&mut parent.messages);
        let caller = &parent.process.pid;
        let accepted = self.kernel(|kernel| {
            let holder = parent.name.as_ref().and_then(|name| kernel.holder(caller, name));
            if let Some(holder) = holder {
                kernel.find_host(caller, &plan.host)?;
                let wanted = [
                    (!messages.is_empty(), action::SEND),
                    (parent.monitored, action::MONITOR),
                    (parent.linked, action::LINK),
                ];
                for (_, action) in wanted.into_iter().filter(|(wanted, _)| *wanted) {
                    parent.process.security.authorize(action, holder.as_str(), caller, None)?;
                }
                return self.join(kernel, &parent, holder, messages).map(Err);
            }
            if let Some(name) = &parent.name {
                parent.process.security.authorize(action::REGISTER, name.as_str(), caller, None)?;
            }
            let mut mailbox = Mailbox::new(plan.limits.mailbox());
            mailbox.push_all(messages)?;
            self.accept(kernel, Some(&parent), &plan, mailbox).map(Ok)
        });
        match accepted? {
            Ok(process) => {
                self.launch(&process, plan);
                Ok(process.pid.clone())
            }
            Err(holder) => Ok(holder),
        }
    }

    /// What a process will be made of. Checked as far as the kernel isn't needed for it.
    fn plan(&self, spawn: Spawn, parent: Option<&Process>) -> Result<Plan, SpawnError> {
        let code = self.code(&spawn.entry)?;
        let Terms { limits, grants } = self.terms_of(&code, &spawn.host, spawn.limits.as_ref());
        let limit = limits.message;
        let exceeds = |size: usize| u32::try_from(size).map_or(true, |size| size > limit);
        if exceeds(spawn.arguments.len()) {
            return Err(SpawnError::Arguments { size: spawn.arguments.len(), limit });
        }
        let security = self.child_security(parent, &spawn)?;
        let context = match spawn.context {
            Some(context) if exceeds(context.len()) => {
                return Err(SpawnError::Context { size: context.len(), limit });
            }
            Some(context) => Some(context.into()),
            None => parent.and_then(|parent| parent.context.clone()),
        };
        let (arguments, wish) = (spawn.arguments, spawn.limits);
        Ok(Plan { code, host: spawn.host, limits, grants, arguments, wish, context, security })
    }

    /// Limits: node → host → entry → who started it from outside. Grants: the entry's and the host's.
    pub(crate) fn terms_of(&self, code: &Code, host: &HostId, wish: Option<&LimitsOverride>) -> Terms {
        let host = self.host(host);
        let grants = Grants::union(&code.definition.grants, &host.grants);
        let limits = host.limits.narrow(&code.definition.limits);
        let limits = match wish {
            Some(wish) => limits.narrow(wish),
            None => limits,
        };
        Terms { limits, grants }
    }

    /// Lets the kernel accept a process and puts it into the table.
    fn accept(
        &self,
        kernel: &mut Kernel,
        parent: Option<&Parent<'_>>,
        plan: &Plan,
        mailbox: Mailbox,
    ) -> Result<Arc<Process>, SpawnError> {
        let spec = SpawnSpec {
            host: plan.host.clone(),
            entry: plan.code.definition.entry.clone(),
            monitored: parent.is_some_and(|parent| parent.monitored),
            linked: parent.is_some_and(|parent| parent.linked),
            exec: parent.and_then(|parent| parent.exec),
            name: parent.and_then(|parent| parent.name.clone()),
            limits: plan.limits.counts(),
        };
        let spawned = kernel.spawn(parent.map(|parent| &parent.process.pid), spec)?;
        let origin = Origin {
            pid: spawned.pid,
            host: plan.host.clone(),
            chain: spawned.chain,
            wish: plan.wish.clone(),
            context: plan.context.clone(),
            security: Arc::clone(&plan.security),
        };
        let process = Arc::new(Process::new(origin, plan.limits.log_lines, mailbox));
        self.control.insert(Arc::clone(&process));
        Ok(process)
    }

    /// Gives the holder of a name the messages, monitor and link, all or none of them.
    fn join(
        &self,
        kernel: &mut Kernel,
        parent: &Parent<'_>,
        holder: Pid,
        messages: Vec<Message>,
    ) -> Result<Pid, SpawnError> {
        let Parent { process, monitored, linked, .. } = *parent;
        kernel.check_join(&process.pid, &holder, monitored, linked)?;
        if let Some(holder) = self.control.find(holder.as_str()) {
            holder.send_all(messages)?;
        }
        kernel.join(&process.pid, &holder, monitored, linked)?;
        Ok(holder)
    }

    fn launch(self: &Arc<NodeInner>, process: &Arc<Process>, plan: Plan) {
        let incarnation = Incarnation::of(process, plan.code.definition.entry.clone(), plan.limits, plan.grants);
        let start = Start { incarnation, code: plan.code, arguments: plan.arguments, seed: self.next_seed() };
        runner::start(Job { node: Arc::clone(self), process: Arc::clone(process), start });
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

    pub(crate) fn code(&self, entry: &EntryId) -> Result<Arc<Code>, SpawnError> {
        let definitions = self.definitions.read().unwrap_or_else(PoisonError::into_inner);
        definitions.get(entry).cloned().ok_or_else(|| SpawnError::UnknownEntry(entry.clone()))
    }

    /// Whose security a new process has: its parent's, else its host's, with what the spawn changes.
    fn child_security(&self, parent: Option<&Process>, spawn: &Spawn) -> Result<Arc<Security>, SecurityError> {
        let inherited = parent.map(|parent| &parent.security).filter(|security| !security.is_none());
        let base = match inherited {
            Some(security) => Arc::clone(security),
            None => self.host_security(&spawn.host)?.into(),
        };
        match &spawn.security {
            Some(change) => Ok(self.policies.change(&base, change)?.into()),
            None => Ok(base),
        }
    }

    fn host_security(&self, host: &HostId) -> Result<Security, SecurityError> {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        match hosts.get(host).and_then(|host| host.security.as_ref()) {
            Some(spec) => self.policies.change(&self.policies.none(), spec),
            None => Ok(self.policies.none()),
        }
    }

    /// What a host gives to its processes; the defaults for an unknown one, which the kernel refuses.
    fn host(&self, host: &HostId) -> Terms {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        let terms = |host: &HostDefinition| Terms { limits: host.limits.clone(), grants: Arc::clone(&host.grants) };
        hosts.get(host).map(terms).unwrap_or_default()
    }
}

/// Lets the clock call the kernel when its next deadline is due. One alarm too many does nothing.
fn set_alarm(node: &Weak<NodeInner>, deadline: Timestamp) {
    let Some(inner) = node.upgrade() else { return };
    let clock = inner.engine.clock();
    let delay = u64::try_from(deadline.since(wall::now()).as_nanos()).unwrap_or(u64::MAX);
    clock.set(clock.now().saturating_add(delay), Waker::from(Arc::new(Alarm(node.clone()))));
}

struct Alarm(Weak<NodeInner>);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        let Some(node) = self.0.upgrade() else { return };
        let next = node.kernel(|kernel| {
            kernel.handle_timeout(wall::now());
            kernel.next_deadline()
        });
        // The wall clock may have been set back, or this was the alarm of a deadline that is gone.
        if let Some(deadline) = next {
            set_alarm(&self.0, deadline);
        }
    }
}
