//! Starting processes: from what is asked for to an accepted process and its runner.
//!
//! Owns the order of checks, what a child has of its parent, its host and its entry, and what happens when a wanted name
//! is taken. Refuses decisions about links, monitors and names: they are the kernel's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use lunarium_kernel::{
    Account, Denied, EntryId, ErrorKind, Exhausted, Holding, HostError, HostId, JoinError, Kernel, LimitName,
    LimitsOverride, Mailbox, Message, Name, NameError, PROCESS_BYTES, Pid, Rank, Refusal, SHOWN, Security, SendError,
    SpawnSpec, Topic, TopicError, action, cut,
};

use super::ending::lifetime;
use super::runner::Held;
use super::{NodeEvent, NodeInner, runner};
use crate::catalogue::{Arguments, Code, Policies, ProcessHost, Program, SecurityError, SecuritySpec};
use crate::module::Raw;
use crate::process::{Beginning, Level, LogField, Origin, Process, charged_for};
use crate::value::{Value, ValueError};

/// What `Node::spawn` starts. Made by [`SpawnRequest::new`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SpawnRequest {
    /// A defined entry.
    pub entry: EntryId,
    /// An added process host.
    pub host: HostId,
    /// What the method gets.
    pub arguments: Vec<Value>,
    /// Limits instead of the entry's and the host's, be they more or less. The budgets hold anyway.
    pub limits: LimitsOverride,
    /// Another actor, another scope or both than the host's.
    pub security: Option<SecuritySpec>,
    /// What `ctx.get` gives by these names, to the process and those that it starts.
    pub context: BTreeMap<String, Value>,
    /// Its registered name, from the start on. One that somebody has is refused, `AlreadyExists`: who wants that process sends to the
    /// name.
    pub name: Option<String>,
    /// Topics and values of messages that it finds in its mailbox, before all others. They have no sender.
    pub messages: Vec<(String, Value)>,
    /// Somebody outside has asked for it, of whom there may be many: it begins behind what else begins, and takes nothing of what
    /// is kept for [services](crate::Node::keep_place). False by default.
    pub is_ordinary: bool,
    /// What the method gets, instead of `arguments`: for who encodes by himself.
    raw: Option<Raw>,
}

impl SpawnRequest {
    /// A spawn without arguments, within the limits of entry and host, with the host's actor and scope.
    pub fn new(entry: EntryId, host: HostId) -> SpawnRequest {
        SpawnRequest {
            entry,
            host,
            arguments: Vec::new(),
            limits: LimitsOverride::default(),
            security: None,
            context: BTreeMap::new(),
            name: None,
            messages: Vec::new(),
            is_ordinary: false,
            raw: None,
        }
    }

    /// The same with these arguments.
    #[must_use]
    pub fn with_arguments(self, arguments: Vec<Value>) -> SpawnRequest {
        SpawnRequest { arguments, ..self }
    }

    /// The same with arguments that are encoded already, by [`to_arguments`](crate::to_arguments) or as that does. What is no payload
    /// ends the process, `Invalid`.
    #[must_use]
    pub fn with_raw_arguments(self, arguments: Raw) -> SpawnRequest {
        SpawnRequest { raw: Some(arguments), ..self }
    }

    /// The same, behind what else begins and below what is kept for services: see
    /// [`is_ordinary`](SpawnRequest::is_ordinary).
    #[must_use]
    pub fn ordinary(self) -> SpawnRequest {
        SpawnRequest { is_ordinary: true, ..self }
    }

    /// The same with these limits instead of the entry's and the host's.
    #[must_use]
    pub fn with_limits(self, limits: LimitsOverride) -> SpawnRequest {
        SpawnRequest { limits, ..self }
    }

    /// The same with another actor, another scope or both.
    #[must_use]
    pub fn with_security(self, security: SecuritySpec) -> SpawnRequest {
        SpawnRequest { security: Some(security), ..self }
    }

    /// The same with this value in its context.
    #[must_use]
    pub fn with_context(mut self, key: impl Into<String>, value: impl Into<Value>) -> SpawnRequest {
        self.context.insert(key.into(), value.into());
        self
    }

    /// The same with this registered name.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> SpawnRequest {
        SpawnRequest { name: Some(name.into()), ..self }
    }

    /// The same with one first message more.
    #[must_use]
    pub fn with_message(mut self, topic: impl Into<String>, value: impl Into<Value>) -> SpawnRequest {
        self.messages.push((topic.into(), value.into()));
        self
    }

    pub(crate) fn into_spawn(self) -> Result<Spawn, SpawnError> {
        let SpawnRequest { entry, host, arguments, limits, security, context, name, messages, is_ordinary, raw } = self;
        let arguments = match raw {
            Some(Raw(payload)) => payload,
            None => Value::to_arguments(&arguments)?.into(),
        };
        let message = |(place, (topic, value)): (usize, (String, Value))| {
            let payload = value.to_payload_of(&format!("messages[{}]", place.saturating_add(1)))?;
            Ok(Message::new(None, Topic::new(&topic)?, payload.into()))
        };
        let messages = messages.into_iter().enumerate().map(message).collect::<Result<_, SpawnError>>()?;
        Ok(Spawn {
            wish: Some(limits),
            security,
            context: encode_context(context)?,
            name: name.as_deref().map(Name::new).transpose()?,
            messages,
            is_ordinary,
            ..Spawn::new(entry, host, arguments)
        })
    }
}

/// The payload of a context, as the guest makes it: each value is encoded by itself, and decoded when it is asked for.
fn encode_context(context: BTreeMap<String, Value>) -> Result<Option<Bytes>, ValueError> {
    let encode = |(key, value): (String, Value)| {
        let payload = value.to_payload_of(&format!("context.{key}"))?;
        Ok((Value::from(key), Value::String(payload)))
    };
    let pairs = context.into_iter().map(encode).collect::<Result<Vec<_>, ValueError>>()?;
    Ok((!pairs.is_empty()).then(|| Value::Map(pairs).encode().into()))
}

/// Why nothing was spawned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// No such entry.
    #[error("entry `{0}` not found")]
    UnknownEntry(EntryId),
    /// An argument can't travel.
    #[error(transparent)]
    Value(#[from] ValueError),
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
    /// The name changed hands whenever its holder had been looked at.
    #[error("the name's holder changes too fast")]
    Unsettled,
    /// The first messages don't fit into the mailbox.
    #[error(transparent)]
    Mailbox(#[from] SendError),
    /// What it would hold from the start exceeds a budget.
    #[error(transparent)]
    Budget(#[from] Exhausted),
    /// What it should be called is no name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// What its first message should be about is no topic.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// The node has no room for the process host of mailboxes.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl Refusal for SpawnError {
    fn kind(&self) -> ErrorKind {
        match self {
            SpawnError::UnknownEntry(_) => ErrorKind::NotFound,
            SpawnError::Value(_) | SpawnError::Arguments { .. } | SpawnError::Context { .. } => ErrorKind::Invalid,
            SpawnError::Security(error) => error.kind(),
            SpawnError::Denied(denied) => denied.kind(),
            SpawnError::Kernel(error) => error.kind(),
            SpawnError::Join(error) => error.kind(),
            SpawnError::Unsettled => ErrorKind::Conflict,
            SpawnError::Mailbox(error) => error.kind(),
            SpawnError::Budget(error) => error.kind(),
            SpawnError::Name(error) => error.kind(),
            SpawnError::Topic(error) => error.kind(),
            SpawnError::Host(error) => error.kind(),
        }
    }

    fn retryable(&self) -> bool {
        match self {
            SpawnError::Unsettled => true,
            SpawnError::Mailbox(error) => error.retryable(),
            _ => false,
        }
    }

    fn limit(&self) -> Option<&'static str> {
        match self {
            SpawnError::Kernel(error) => error.limit(),
            SpawnError::Join(error) => error.limit(),
            SpawnError::Mailbox(error) => error.limit(),
            SpawnError::Budget(error) => error.limit(),
            SpawnError::Arguments { .. } | SpawnError::Context { .. } => Some(LimitName::Message.as_str()),
            _ => None,
        }
    }
}

/// What a spawn asks for.
pub(crate) struct Spawn {
    pub(crate) entry: EntryId,
    pub(crate) host: HostId,
    /// A payload: an array with the values.
    pub(crate) arguments: Bytes,
    /// Limits that who starts it from outside sets instead.
    pub(crate) wish: Option<LimitsOverride>,
    /// None: the parent's.
    pub(crate) context: Option<Bytes>,
    /// None: the parent's, or the host's.
    pub(crate) security: Option<SecuritySpec>,
    /// The parent monitors the child, before its first instruction.
    pub(crate) monitored: bool,
    /// Both are linked, before its first instruction.
    pub(crate) linked: bool,
    /// The parent's request that the child's end answers.
    pub(crate) exec: Option<u64>,
    pub(crate) name: Option<Name>,
    /// From the parent, delivered first.
    pub(crate) messages: Vec<Message>,
    /// Without a parent, and no service.
    pub(crate) is_ordinary: bool,
}

impl Spawn {
    pub(crate) fn new(entry: EntryId, host: HostId, arguments: Bytes) -> Spawn {
        Spawn {
            entry,
            host,
            arguments,
            wish: None,
            context: None,
            security: None,
            monitored: false,
            linked: false,
            exec: None,
            name: None,
            messages: Vec::new(),
            is_ordinary: false,
        }
    }

    /// Whether `parent` may claim the name or, when somebody has it already, do to them what it wants.
    fn authorize(&self, parent: &Process, holder: Option<&Pid>) -> Result<(), Denied> {
        let security = &parent.origin.security;
        let ask = |action, resource| security.authorize(action, resource, &parent.pid, None);
        match (holder, &self.name) {
            (Some(holder), _) => {
                let sends = !self.messages.is_empty();
                let wanted = [(sends, action::SEND), (self.monitored, action::MONITOR), (self.linked, action::LINK)];
                let mut wanted = wanted.into_iter().filter(|(wanted, _)| *wanted);
                wanted.try_for_each(|(_, action)| ask(action, holder.as_str()))
            }
            (None, Some(name)) => ask(action::REGISTER, name.as_str()),
            (None, None) => Ok(()),
        }
    }
}

/// How often a spawn looks who has its name, while that changes between the look and the act. At the limit: `Conflict`. A
/// script that takes and frees the name in a loop must not hold up the worker of another.
const LOOKS: u32 = 16;

/// What has come of a look at a name.
enum Settled {
    Child(Arc<Process>),
    Holder(Pid),
    /// Somebody else has the name by now, or nobody.
    Changed,
}

/// What a process will be made of.
struct Plan {
    origin: Origin,
    program: Program,
    held: Held,
    /// For its inbox; the first messages are charged already.
    inbox: Holding,
}

impl NodeInner {
    /// Starts a process without a parent.
    pub(crate) fn spawn(self: &Arc<NodeInner>, spawn: Spawn) -> Result<Arc<Process>, SpawnError> {
        let entry = spawn.entry.clone();
        self.noting(None, action::SPAWN, entry.as_str(), self.start(spawn))
    }

    fn start(self: &Arc<NodeInner>, mut spawn: Spawn) -> Result<Arc<Process>, SpawnError> {
        let mut plan = self.plan(&spawn, None)?;
        let mut mailbox = Mailbox::new(plan.program.limits.mailbox());
        mailbox.push_first(std::mem::take(&mut spawn.messages))?;
        let process = self.kernel(|kernel| self.accept(kernel, None, &spawn, &mut plan, mailbox))?;
        self.log_start(&process, None);
        runner::start(Arc::clone(self), Arc::clone(&process), plan.program, plan.held);
        Ok(process)
    }

    /// Starts a child, or gives the holder of the wanted name what the child would have had. The pid of either.
    ///
    /// Policies are asked outside of the kernel's lock, so that they hold up nobody else; what was allowed is done only if
    /// the name is still where it was then.
    pub(crate) fn spawn_child(self: &Arc<NodeInner>, parent: &Process, mut spawn: Spawn) -> Result<Pid, SpawnError> {
        let mut plan = self.plan(&spawn, Some(parent))?;
        for _ in 0..LOOKS {
            let holder = spawn.name.as_ref().and_then(|name| self.control.table.holder(name.as_str()));
            let holder = holder.map(|holder| holder.pid.clone());
            spawn.authorize(parent, holder.as_ref())?;
            match self.settle(parent, &mut spawn, &mut plan, holder.as_ref())? {
                Settled::Child(process) => {
                    let pid = process.pid.clone();
                    self.log_start(&process, Some(&parent.pid));
                    runner::start(Arc::clone(self), process, plan.program, plan.held);
                    return Ok(pid);
                }
                Settled::Holder(holder) => return Ok(holder),
                Settled::Changed => {}
            }
        }
        Err(SpawnError::Unsettled)
    }

    /// Starts the child or joins the holder of its name, unless that isn't who was `checked`.
    fn settle(
        &self,
        parent: &Process,
        spawn: &mut Spawn,
        plan: &mut Plan,
        checked: Option<&Pid>,
    ) -> Result<Settled, SpawnError> {
        self.kernel(|kernel| {
            let holder = spawn.name.as_ref().and_then(|name| kernel.holder(name.as_str()).cloned());
            if holder.as_ref() != checked && !parent.origin.security.allows_everything() {
                return Ok(Settled::Changed);
            }
            if let Some(holder) = holder {
                return self.join(kernel, parent, spawn, holder).map(Settled::Holder);
            }
            let mut mailbox = Mailbox::new(plan.program.limits.mailbox());
            mailbox.push_first(std::mem::take(&mut spawn.messages))?;
            self.accept(kernel, Some(parent), spawn, plan, mailbox).map(Settled::Child)
        })
    }

    /// What a process will be made of. Checked as far as the kernel isn't needed for it.
    fn plan(&self, spawn: &Spawn, parent: Option<&Process>) -> Result<Plan, SpawnError> {
        let (code, host, security) = self.look_up(spawn, parent)?;
        // Before it exists: whoever sees that nobody lives and nothing is counted sees that nothing is left.
        let counted = self.count_instance();
        let rank = if parent.is_some() || spawn.is_ordinary { Rank::Ordinary } else { Rank::Service };
        let arguments = Arguments::new(spawn.arguments.clone(), None);
        let mut program = Program::new(code, &host, spawn.wish.as_ref(), arguments);
        fits(&program)?;
        let limit = program.limits.message;
        if let Some(context) = spawn.context.as_ref().filter(|context| exceeds(context, limit)) {
            return Err(SpawnError::Context { size: context.len(), limit });
        }
        let security = security?;
        let context = spawn.context.clone().or_else(|| parent.and_then(|parent| parent.origin.context.clone()));
        // Counted for each who has it: which of them will be the last isn't known.
        let context_bytes = context.as_ref().map_or(0, |context| u64::try_from(context.len()).unwrap_or(u64::MAX));
        let for_arguments = Arguments::bytes(&spawn.arguments);
        let for_inbox = charged_for(&spawn.messages);
        // All at once: an account takes three locks each time.
        let all = [PROCESS_BYTES, context_bytes, security.bytes(), for_arguments, for_inbox];
        let mut memory = Holding::new(Account::of_process(&host.memory), rank);
        memory.grow(all.into_iter().fold(0, u64::saturating_add))?;
        program.arguments = Arguments::new(spawn.arguments.clone(), Some(memory.split(for_arguments)));
        let inbox = memory.split(for_inbox);
        let origin = Origin { host, wish: spawn.wish.clone(), context, security };
        Ok(Plan { origin, program, held: Held { counted, memory }, inbox })
    }

    /// Lets the kernel accept a process and puts it into the table.
    fn accept(
        &self,
        kernel: &mut Kernel,
        parent: Option<&Process>,
        spawn: &Spawn,
        plan: &mut Plan,
        mailbox: Mailbox,
    ) -> Result<Arc<Process>, SpawnError> {
        let began = self.uptime();
        let spec = SpawnSpec {
            entry: spawn.entry.clone(),
            monitored: spawn.monitored,
            linked: spawn.linked,
            exec: spawn.exec,
            name: spawn.name.clone(),
            limits: plan.program.limits.counts(),
            lifetime: lifetime(&plan.program.limits, began),
            ordinary: spawn.is_ordinary,
        };
        let origin = plan.origin.clone();
        let spawned = kernel.spawn(parent.map(|parent| &parent.pid), origin.host.kernel(), spec)?;
        let unused = plan.inbox.another();
        let holding = std::mem::replace(&mut plan.inbox, unused);
        holding.account().count_spawn();
        // A service that comes back doesn't wait behind all that others of its node have started: each of those has one turn
        // in a rotation of the busy ones, so behind a few hundred it would be minutes.
        let beginning = Beginning {
            code: Arc::clone(&plan.program.code),
            limits: plan.program.limits.clone(),
            began: began.as_nanos(),
            parent: parent.map(|parent| parent.pid.clone()),
            is_mailbox: false,
            hurries: parent.is_none() && !spawn.is_ordinary,
        };
        let process = Arc::new(Process::new(spawned, origin, mailbox, holding, beginning));
        self.control.table.insert(Arc::clone(&process));
        self.journal.note(|| NodeEvent::Spawned {
            pid: process.pid.clone(),
            entry: spawn.entry.clone(),
            parent: process.parent.clone(),
        });
        Ok(process)
    }

    fn log_start(&self, process: &Process, parent: Option<&Pid>) {
        if self.debug.load(Ordering::Relaxed) {
            let parent = parent.map(|parent| LogField::text("parent", parent.as_str()));
            self.log(process, &process.label(), Level::Debug, "started", &parent.into_iter().collect::<Vec<_>>());
        }
    }

    /// Gives the holder of a name the messages, monitor and link, all or none of them.
    fn join(&self, kernel: &mut Kernel, parent: &Process, spawn: &mut Spawn, holder: Pid) -> Result<Pid, SpawnError> {
        let (monitored, linked) = (spawn.monitored, spawn.linked);
        kernel.check_join(&parent.pid, &holder, monitored, linked)?;
        if let Some(holder) = self.control.table.get(&holder) {
            holder.send_all(std::mem::take(&mut spawn.messages))?;
        }
        kernel.join(&parent.pid, &holder, monitored, linked)?;
        Ok(holder)
    }

    pub(crate) fn code(&self, entry: &EntryId) -> Result<Arc<Code>, SpawnError> {
        self.catalogue.code(entry).ok_or_else(|| unknown_entry(entry))
    }

    pub(crate) fn host(&self, id: &HostId) -> Result<Arc<ProcessHost>, SpawnError> {
        self.catalogue.host(id).ok_or_else(|| lunarium_kernel::SpawnError::unknown_host(id.as_str()).into())
    }

    /// What a start needs to know, all of it by one look: what is replaced meanwhile is so for all of it or for nothing.
    fn look_up(&self, spawn: &Spawn, parent: Option<&Process>) -> Result<Found, SpawnError> {
        let known = self.catalogue.known();
        let code = known.code(&spawn.entry).ok_or_else(|| unknown_entry(&spawn.entry))?;
        let unknown_host = || lunarium_kernel::SpawnError::unknown_host(spawn.host.as_str());
        let host = known.host(&spawn.host).ok_or_else(unknown_host)?;
        let security = child_security(&known.policies, parent, spawn, host);
        Ok((Arc::clone(code), Arc::clone(host), security))
    }
}

type Found = (Arc<Code>, Arc<ProcessHost>, Result<Arc<Security>, SecurityError>);

fn unknown_entry(entry: &EntryId) -> SpawnError {
    SpawnError::UnknownEntry(EntryId::new(cut(entry.as_str(), SHOWN)))
}

/// Whose security a new process has: its parent's, else its host's, with what the spawn changes.
fn child_security(
    policies: &Policies,
    parent: Option<&Process>,
    spawn: &Spawn,
    host: &ProcessHost,
) -> Result<Arc<Security>, SecurityError> {
    let inherited = parent.map(|parent| &parent.origin.security).filter(|security| !security.is_none());
    let base = match (inherited, host.security()) {
        (Some(security), _) => Arc::clone(security),
        (None, Some(spec)) => policies.change(&policies.none(), spec)?.into(),
        (None, None) => policies.none().into(),
    };
    match &spawn.security {
        Some(change) => Ok(policies.change(&base, change)?.into()),
        None => Ok(base),
    }
}

/// Errors: the arguments are larger than a message of the process may be.
pub(super) fn fits(program: &Program) -> Result<(), SpawnError> {
    let limit = program.limits.message;
    let arguments = program.arguments.payload();
    match exceeds(arguments, limit) {
        true => Err(SpawnError::Arguments { size: arguments.len(), limit }),
        false => Ok(()),
    }
}

fn exceeds(payload: &[u8], limit: u32) -> bool {
    u32::try_from(payload.len()).map_or(true, |size| size > limit)
}
