//! The way of a call: into the mailbox of who is called, and its answer back to who asked.
//!
//! Owns that every call that was accepted is answered once: by the guest, when the wait for it is over, or when the process that was
//! called ends or goes on as another program. Refuses to know what a function does.

use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use lunarium_contract::length;
use lunarium_kernel::{ErrorKind, Failure, Outcome, Refusal, RequestError, ResolveError, SendError, action};
use lunarium_schedule::{Clock, nanoseconds};
use tokio::sync::oneshot::Receiver;

use super::NodeInner;
use crate::process::{Asker, Process};
use crate::value::{Value, ValueError, result_too_large};

/// What is called.
pub(crate) struct CallSpec {
    pub(crate) method: Arc<str>,
    /// A payload: an array with the values.
    pub(crate) arguments: Bytes,
    /// How long the caller waits.
    pub(crate) timeout: Option<Duration>,
}

/// Why a call has no results.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// An argument can't travel, or the answer is none.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// Dead or unknown.
    #[error(transparent)]
    Destination(#[from] ResolveError),
    /// No name of a function.
    #[error("method of {length} bytes is not 1 to {} bytes long", length::METHOD)]
    Method {
        /// Its bytes.
        length: usize,
    },
    /// The caller has too many requests under way.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Too large, or too much waits there.
    #[error(transparent)]
    Mailbox(#[from] SendError),
    /// What the function raised, or what became of the process or of the wait.
    #[error("{0}")]
    Failed(Arc<Failure>),
}

impl CallError {
    /// What a script would test with `errors.is`.
    pub fn kind(&self) -> ErrorKind {
        Refusal::kind(self)
    }
}

impl Refusal for CallError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Value(_) | Self::Method { .. } => ErrorKind::Invalid,
            Self::Destination(refusal) => refusal.kind(),
            Self::Request(refusal) => refusal.kind(),
            Self::Mailbox(refusal) => refusal.kind(),
            Self::Failed(failure) => failure.kind,
        }
    }

    fn retryable(&self) -> bool {
        match self {
            Self::Value(_) | Self::Method { .. } => false,
            Self::Destination(refusal) => refusal.retryable(),
            Self::Request(refusal) => refusal.retryable(),
            Self::Mailbox(refusal) => refusal.retryable(),
            Self::Failed(failure) => failure.retryable == Some(true),
        }
    }

    fn limit(&self) -> Option<&'static str> {
        match self {
            Self::Value(_) | Self::Method { .. } | Self::Failed(_) => None,
            Self::Destination(refusal) => refusal.limit(),
            Self::Request(refusal) => refusal.limit(),
            Self::Mailbox(refusal) => refusal.limit(),
        }
    }
}

impl NodeInner {
    /// A process calls another, or itself: the request that the answer replies to. It mustn't have ended.
    pub(crate) fn call_from(
        &self,
        caller: &Arc<Process>,
        target: &Arc<Process>,
        call: CallSpec,
    ) -> Result<u64, CallError> {
        let request = caller.begin_request()?;
        let begun = self.begin_call(Some(caller), target, call, Asker::process(caller, request));
        if begun.is_err() {
            caller.cancel_request();
        }
        begun.map(|_| request)
    }

    /// The embedder calls a process.
    pub(crate) fn call_from_host(
        &self,
        target: &Arc<Process>,
        call: CallSpec,
    ) -> Result<(Waiting, Receiver<Outcome>), CallError> {
        let (asker, answer) = Asker::host();
        let call = self.noting(None, action::CALL, target.pid.as_str(), self.begin_call(None, target, call, asker))?;
        Ok((Waiting { node: self.this.clone(), target: Arc::downgrade(target), call }, answer))
    }

    fn begin_call(
        &self,
        caller: Option<&Arc<Process>>,
        target: &Arc<Process>,
        call: CallSpec,
        asker: Asker,
    ) -> Result<u64, CallError> {
        let CallSpec { method, arguments, timeout } = call;
        if method.is_empty() || method.len() > length::METHOD {
            return Err(CallError::Method { length: method.len() });
        }
        let id = target.call(caller.map(|caller| caller.pid.clone()), method, arguments, asker)?;
        if let Some(timeout) = timeout {
            self.limit_wait(target, id, timeout);
        }
        Ok(id)
    }

    fn limit_wait(&self, target: &Arc<Process>, call: u64, timeout: Duration) {
        let clock = &self.time.clock;
        let deadline = Clock::due(clock.now().saturating_add(nanoseconds(timeout)));
        let patience = Patience { node: self.this.clone(), target: Arc::downgrade(target), call, timeout };
        let timer = clock.set(deadline, Waker::from(Arc::new(patience)));
        // The answer may be there already.
        if !target.set_timer(call, timer) {
            clock.cancel(timer);
        }
    }

    /// A process answers a call, with as much as its limit of a message has; nothing happens when nobody waits for it.
    pub(crate) fn answer(&self, process: &Process, call: u64, payload: Bytes, limit: u32) {
        let Some(asker) = process.answer(call) else { return };
        let size = payload.len();
        // An error has its text and traceback beside what it carries.
        let besides = if Value::is_array(&payload) { 0 } else { length::ERROR };
        let outcome = if u64::try_from(size.saturating_sub(besides)).unwrap_or(u64::MAX) > u64::from(limit) {
            result_too_large(size, limit)
        } else {
            Outcome::Completed(payload)
        };
        self.tell(asker, outcome);
    }

    /// Who waits for answers of a process that has ended so, or went on as another program (none), is told. To be called without
    /// a lock.
    pub(crate) fn cancel_calls(&self, askers: Vec<Asker>, pid: &str, ended: Option<&Outcome>) {
        if askers.is_empty() {
            return;
        }
        let text = match ended {
            Some(Outcome::Completed(_)) => format!("process `{pid}` has ended"),
            Some(Outcome::Failed(failure)) => format!("process `{pid}` has ended: {}", failure.message),
            None => format!("process `{pid}` goes on as another program"),
        };
        let details = ended.and_then(Outcome::failure).map(|failure| {
            let error = Value::error(failure);
            Bytes::from(Value::Map(vec![(Value::from("error"), error)]).encode())
        });
        let text = lunarium_kernel::cut(&text, length::FAILURE);
        let failure = Failure { details, retryable: Some(ended.is_none()), ..Failure::new(ErrorKind::Canceled, text) };
        let outcome = Outcome::failed(failure);
        for asker in askers {
            self.tell(asker, outcome.clone());
        }
    }

    fn tell(&self, mut asker: Asker, outcome: Outcome) {
        if let Some(timer) = asker.timer.take() {
            self.time.clock.cancel(timer);
        }
        if let Some(flooded) = asker.tell(outcome) {
            self.drown(&flooded);
        }
    }
}

/// Ends the wait for an answer.
struct Patience {
    node: Weak<NodeInner>,
    target: Weak<Process>,
    call: u64,
    timeout: Duration,
}

impl Wake for Patience {
    fn wake(self: Arc<Self>) {
        let (Some(node), Some(target)) = (self.node.upgrade(), self.target.upgrade()) else { return };
        let Some(mut asker) = target.answer(self.call) else { return };
        // It has just rung.
        asker.timer = None;
        let failure = Failure {
            retryable: Some(true),
            ..Failure::new(ErrorKind::Timeout, format!("no answer within {:?}", self.timeout))
        };
        node.tell(asker, Outcome::failed(failure));
    }
}

/// An embedder's wait. Dropped, nobody waits any more.
pub(crate) struct Waiting {
    node: Weak<NodeInner>,
    target: Weak<Process>,
    call: u64,
}

impl Waiting {
    /// The answer is there: who was called isn't asked for it again, under a lock that it needs itself.
    pub(crate) fn answered(mut self) {
        self.target = Weak::new();
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(target) = self.target.upgrade() else { return };
        let timer = target.answer(self.call).and_then(|asker| asker.timer);
        if let Some((timer, node)) = timer.zip(self.node.upgrade()) {
            node.time.clock.cancel(timer);
        }
    }
}
