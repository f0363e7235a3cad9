//! Starting processes: from what is asked for to an accepted process and its runner.
//!
//! Owns the order of checks, what a child has of its parent, its host and its entry, and what happens when a wanted name is
//! taken. Refuses decisions about links, monitors and names: they are the kernel's.

use std::sync::{Arc, PoisonError};

use lunarium_kernel::{
    Denied, EntryId, ErrorKind, HostId, JoinError, Kernel, Limits, LimitsOverride, Mailbox, Message, Name, Pid,
    Refusal, Security, SendError, SpawnSpec, action,
};

use crate::code::Code;
use crate::convert::{SHOWN, cut};
use crate::definition::HostDefinition;
use crate::grants::Grants;
use crate::incarnation::Incarnation;
use crate::node::NodeInner;
use crate::process::{Origin, Process};
use crate::runner::{self, Job, Start};
use crate::security::{SecurityError, SecuritySpec};
use crate::value::Value;

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

impl SpawnRequest {
    /// A spawn without arguments, within the limits of entry and host, with the host's actor and scope.
    pub fn new(entry: EntryId, host: HostId) -> SpawnRequest {
        SpawnRequest { entry, host, arguments: Vec::new(), limits: LimitsOverride::default(), security: None }
    }
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
    /// The name changed hands whenever its holder had been looked at.
    #[error("the name's holder changes too fast")]
    Unsettled,
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
            SpawnError::Unsettled => ErrorKind::Conflict,
            SpawnError::Mailbox(error) => error.kind(),
        }
    }

    fn retryable(&self) -> bool {
        match self {
            SpawnError::Unsettled => true,
            SpawnError::Mailbox(error) => error.retryable(),
            _ => false,
        }
    }
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

/// How often a spawn looks who has its name, while that changes between the look and the act. At the limit: `Conflict`. A
/// script that takes and frees the name in a loop must not hold up the worker of another.
const LOOKS: u32 = 16;

/// What has come of a look at a name.
enum Settled {
    Child(Arc<Process>),
    Holder(Pid),
    /// Somebody else has the name by now, or nobody; the messages come back.
    Changed(Vec<Message>),
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

impl<'a> Parent<'a> {
    /// One that executes the child by this request.
    pub(crate) fn exec(process: &'a Process, request: u64) -> Parent<'a> {
        Parent { process, monitored: false, linked: false, exec: Some(request), name: None, messages: Vec::new() }
    }

    /// Who has the wanted name.
    fn holder(&self, kernel: &Kernel) -> Option<Pid> {
        kernel.holder(&self.process.pid, self.name.as_ref()?)
    }

    /// Whether the parent may claim the name or, when somebody has it already, do to them what it wants.
    fn authorize(&self, holder: Option<&Pid>, sends: bool) -> Result<(), Denied> {
        let caller = self.process;
        let ask = |action, resource| caller.security.authorize(action, resource, &caller.pid, None);
        match (holder, &self.name) {
            (Some(holder), _) => {
                let wanted = [(sends, action::SEND), (self.monitored, action::MONITOR), (self.linked, action::LINK)];
                let mut wanted = wanted.into_iter().filter(|(wanted, _)| *wanted);
                wanted.try_for_each(|(_, action)| ask(action, holder.as_str()))
            }
            (None, Some(name)) => ask(action::REGISTER, name.as_str()),
            (None, None) => Ok(()),
        }
    }
}

impl NodeInner {
    /// Starts a process without a parent.
    pub(crate) fn spawn(self: &Arc<NodeInner>, spawn: Spawn) -> Result<Arc<Process>, SpawnError> {
        let plan = self.plan(spawn, None)?;
        let mailbox = Mailbox::new(plan.limits.mailbox());
        let process = self.kernel(|kernel| self.accept(kernel, None, &plan, mailbox))?;
        self.launch(&process, plan);
        Ok(process)
    }

    /// Starts a child, or gives the holder of the wanted name what the child would have had. The pid of either.
    ///
    /// Policies are asked outside of the kernel's lock, so that they hold up nobody else; what was allowed is done only if
    /// the name is still where it was then.
    pub(crate) fn spawn_child(self: &Arc<NodeInner>, mut parent: Parent<'_>, spawn: Spawn) -> Result<Pid, SpawnError> {
        let plan = self.plan(spawn, Some(parent.process))?;
        let mut messages = std::mem::take(&mut parent.messages);
        for _ in 0..LOOKS {
            let holder = parent.name.is_some().then(|| self.kernel(|kernel| parent.holder(kernel))).flatten();
            parent.authorize(holder.as_ref(), !messages.is_empty())?;
            match self.settle(&parent, &plan, holder.as_ref(), messages)? {
                Settled::Child(process) => {
                    self.launch(&process, plan);
                    return Ok(process.pid.clone());
                }
                Settled::Holder(holder) => return Ok(holder),
                Settled::Changed(unsent) => messages = unsent,
            }
        }
        Err(SpawnError::Unsettled)
    }

    /// Starts the child or joins the holder of its name, unless that isn't who was `checked`.
    fn settle(
        &self,
        parent: &Parent<'_>,
        plan: &Plan,
        checked: Option<&Pid>,
        messages: Vec<Message>,
    ) -> Result<Settled, SpawnError> {
        self.kernel(|kernel| {
            let holder = parent.holder(kernel);
            if holder.as_ref() != checked && !parent.process.security.allows_everything() {
                return Ok(Settled::Changed(messages));
            }
            if let Some(holder) = holder {
                kernel.find_host(&parent.process.pid, &plan.host)?;
                return self.join(kernel, parent, holder, messages).map(Settled::Holder);
            }
            let mut mailbox = Mailbox::new(plan.limits.mailbox());
            mailbox.push_all(messages)?;
            self.accept(kernel, Some(parent), plan, mailbox).map(Settled::Child)
        })
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

    pub(crate) fn code(&self, entry: &EntryId) -> Result<Arc<Code>, SpawnError> {
        let definitions = self.definitions.read().unwrap_or_else(PoisonError::into_inner);
        let unknown = || SpawnError::UnknownEntry(EntryId::new(cut(entry.to_string(), SHOWN)));
        definitions.get(entry).cloned().ok_or_else(unknown)
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
