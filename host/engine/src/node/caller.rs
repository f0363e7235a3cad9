//! Who is in an instance: the process behind every import.
//!
//! Owns identity, which is never an argument of a call, and that the dead do nothing: an import begins by asking
//! [`Caller::living`]. Refuses to know what imports do.

use std::sync::{Arc, OnceLock, Weak};

use lunarium_kernel::{Holding, Limits, ResolveError, Security, Timestamp, Topic, TopicError, Unread};

use super::NodeInner;
use crate::catalogue::Program;
use crate::module::Calling;
use crate::process::{CpuMeter, Incarnation, Process};
use crate::wasm::{MemoryLimiter, Occupant, Refused, Stopped};

pub(crate) struct Caller {
    pub(crate) node: Arc<NodeInner>,
    /// None: nobody, the instance only compiles.
    who: Option<Who>,
    cpu: Arc<CpuMeter>,
    memory: MemoryLimiter,
    /// What the process goes on as.
    pub(crate) upgrade: Option<Program>,
    /// What it has sent last.
    pub(crate) sent: Sent,
}

/// What a process has sent last, and to whom, be it a message or a call: most send to the same again, about the same, and hold as much unread.
#[derive(Default)]
pub(crate) struct Sent {
    topic: Option<Topic>,
    /// To a pid. It may have ended.
    target: Weak<Process>,
    /// What it held unread, as it told; none: it was handed something since.
    pub(crate) unread: Option<Unread>,
}

impl Sent {
    /// A text as a topic. Errors: it can't be one.
    pub(crate) fn topic(&mut self, text: &str) -> Result<Topic, TopicError> {
        match &self.topic {
            Some(last) if last.as_str() == text => Ok(last.clone()),
            _ => Ok(self.topic.insert(Topic::new(text)?).clone()),
        }
    }

    /// Who was sent to last, if this is its pid and it lives.
    fn target(&self, destination: &str) -> Option<Arc<Process>> {
        self.target.upgrade().filter(|target| target.pid.as_str() == destination && !target.life.has_ended())
    }
}

/// A process as it is now.
pub(crate) struct Who {
    pub(crate) process: Arc<Process>,
    pub(crate) incarnation: Arc<Incarnation>,
    /// As functions of modules know it, once it has called one.
    pub(super) calling: OnceLock<Arc<Calling>>,
}

impl Who {
    pub(crate) fn limits(&self) -> &Limits {
        self.incarnation.limits()
    }

    pub(crate) fn security(&self) -> &Security {
        &self.process.origin.security
    }
}

impl Caller {
    /// A process that runs. What its memory grows by is charged to `holding`.
    pub(crate) fn of(
        node: &Arc<NodeInner>,
        process: &Arc<Process>,
        incarnation: &Arc<Incarnation>,
        holding: Holding,
    ) -> Caller {
        let (process, incarnation) = (Arc::clone(process), Arc::clone(incarnation));
        let cpu = Arc::clone(&incarnation.cpu);
        let nobody = Caller::nobody(node, cpu, incarnation.limits(), holding);
        Caller { who: Some(Who { process, incarnation, calling: OnceLock::new() }), ..nobody }
    }

    /// Nobody: whatever it might call stops the instance.
    pub(crate) fn nobody(node: &Arc<NodeInner>, cpu: Arc<CpuMeter>, limits: &Limits, holding: Holding) -> Caller {
        let memory = MemoryLimiter::new(limits, holding);
        Caller { node: Arc::clone(node), who: None, cpu, memory, upgrade: None, sent: Sent::default() }
    }

    /// The process that calls. Errors: it has ended.
    pub(crate) fn living(&self) -> Result<&Who, Stopped> {
        let who = self.who.as_ref().filter(|who| !who.process.life.has_ended());
        who.ok_or(Stopped::Killed)
    }

    /// The living process to send to, or to call. Errors: there is none, or the text is neither pid nor name.
    pub(crate) fn target(&mut self, destination: &str) -> Result<Arc<Process>, ResolveError> {
        if let Some(target) = self.sent.target(destination) {
            return Ok(target);
        }
        let target = self.node.find(destination)?;
        if target.pid.as_str() == destination {
            self.sent.target = Arc::downgrade(&target);
        }
        Ok(target)
    }

    /// Why the instance got no memory when it last asked in vain in this call. None: it didn't.
    pub(crate) fn memory_refused(&self) -> Option<&Refused> {
        self.memory.refused()
    }

    /// Bytes of the instance's memories and tables.
    pub(crate) fn memory_used(&self) -> u64 {
        self.memory.used()
    }

    /// The monotonic clock as the guest reads it: the process's own.
    pub(crate) fn monotonic(&self) -> u64 {
        let began = self.who.as_ref().map_or(0, |who| who.process.began);
        self.node.time.clock.now().saturating_sub(began)
    }

    /// Wall-clock time as the guest reads it.
    pub(crate) fn wall(&self) -> Timestamp {
        self.node.time.wall()
    }
}

impl Occupant for Caller {
    fn memory(&mut self) -> &mut MemoryLimiter {
        &mut self.memory
    }

    fn slice_over(&self) -> Result<(), Stopped> {
        let life = self.who.as_ref().map(|who| &who.process.life);
        if life.is_some_and(|life| life.is_killed()) {
            return Err(Stopped::Killed);
        }
        if let Some(limit) = self.cpu.used_up(self.node.clock().now()) {
            return Err(Stopped::Limit(limit));
        }
        if let Some(life) = life {
            life.preempt();
        }
        Ok(())
    }
}
