//! What an embedder holds of a process that it has started.

use std::sync::{Arc, Weak};
use std::time::Duration;

use lunarium_kernel::{ErrorKind, Failure, Message, Outcome, Pid, ResolveError, Topic, action};
use serde::Serialize;

use super::DeliverError;
use crate::module::Raw;
use crate::node::{CallError, CallSpec, NodeInner, ProcessDetails, Usage};
use crate::process::Process;
use crate::value::{Value, failed, to_payload};

/// A process that was spawned from outside. It doesn't keep the node: that ends when its last [`Node`](crate::Node) is
/// dropped.
#[derive(Clone)]
pub struct Handle {
    node: Weak<NodeInner>,
    process: Arc<Process>,
}

impl Handle {
    pub(super) fn new(node: &Arc<NodeInner>, process: Arc<Process>) -> Handle {
        Handle { node: Arc::downgrade(node), process }
    }

    /// The process.
    pub fn pid(&self) -> &Pid {
        &self.process.pid
    }

    /// Calls a function of the process: see [`Node::call`](crate::Node::call).
    ///
    /// Errors and cancel safety: as there.
    pub async fn call(&self, method: &str, arguments: &[Value]) -> Result<Vec<Value>, CallError> {
        let arguments = Value::to_arguments(arguments)?;
        values(&self.call_raw(method, Raw(arguments.into())).await?)
    }

    /// The same for who encodes and decodes by himself: both payloads are arrays with the values.
    ///
    /// Errors: as [`Handle::call`]; arguments that are no payload are the function's error.
    pub async fn call_raw(&self, method: &str, arguments: Raw) -> Result<Raw, CallError> {
        let node = self.node()?;
        let answer = call(&node, &self.process, method, arguments);
        drop(node);
        answer.await
    }

    /// Sends a message without a sender.
    ///
    /// Errors: as `process.send` has them; a value that can't travel; it has ended.
    pub fn send(&self, topic: &str, value: &(impl Serialize + ?Sized)) -> Result<(), DeliverError> {
        let message = Message::new(None, Topic::new(topic)?, to_payload(value)?.into());
        let sent = || Ok(self.process.send(message)?);
        self.node()?.noting(None, action::SEND, self.pid().as_str(), sent())
    }

    /// Asks it to end: a CANCEL event. With a deadline it is terminated when it is still there then.
    ///
    /// Errors: it has ended.
    pub fn cancel(&self, deadline: Option<Duration>) -> Result<(), ResolveError> {
        self.node()?.cancel(None, self.pid(), deadline)
    }

    /// Ends it by force.
    ///
    /// Errors: it has ended.
    pub fn terminate(&self) -> Result<(), ResolveError> {
        self.node()?.terminate(None, self.pid())
    }

    /// What it has used and holds: see [`Node::process_usage`](crate::Node::process_usage). None: it has ended.
    pub fn usage(&self) -> Option<Usage> {
        self.node.upgrade()?.usage_of_process(self.pid())
    }

    /// All that can be seen of it: see [`Node::process`](crate::Node::process). None: it has ended.
    pub fn inspect(&self) -> Option<ProcessDetails> {
        self.node.upgrade()?.process(self.pid())
    }

    fn node(&self) -> Result<Arc<NodeInner>, ResolveError> {
        self.node.upgrade().ok_or_else(|| ResolveError::unknown_pid(self.pid().as_str()))
    }

    /// How the process ended; none while it lives.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.process.life.outcome()
    }

    /// Waits until the process has started: it waits for something for the first time, whatever that is. True: it did;
    /// false: it ended before. Any number may wait.
    ///
    /// Cancel safety: nothing is lost.
    pub async fn started(&self) -> bool {
        self.process.life.started().await
    }

    /// Waits for the end. Any number may wait.
    ///
    /// Cancel safety: nothing is lost.
    pub async fn wait(&self) -> Outcome {
        self.process.life.ended().await
    }

    /// Waits for the end, blocking the thread. Not for a thread that runs async tasks.
    pub fn wait_blocking(&self) -> Outcome {
        futures_lite::future::block_on(self.wait())
    }
}

/// Calls, and waits for the results. The node isn't held meanwhile.
pub(super) fn call(
    node: &NodeInner,
    target: &Arc<Process>,
    method: &str,
    Raw(arguments): Raw,
) -> impl Future<Output = Result<Raw, CallError>> + Send + use<> {
    let call = CallSpec { method: method.into(), arguments, timeout: None };
    let begun = node.call_from_host(target, call);
    async move {
        let (waiting, answer) = begun?;
        let outcome = match answer.await {
            Ok(outcome) => {
                waiting.answered();
                outcome
            }
            // Nobody is left who would answer: the node has ended.
            Err(_) => failed(ErrorKind::Canceled, "node has ended"),
        };
        match outcome {
            Outcome::Completed(payload) if Value::is_array(&payload) => Ok(Raw(payload)),
            Outcome::Completed(payload) => {
                let failure = Value::decode(&payload).ok().and_then(|value| value.failure());
                Err(failure.map_or_else(corrupt, |failure| CallError::Failed(Arc::new(failure))))
            }
            Outcome::Failed(failure) => Err(CallError::Failed(failure)),
        }
    }
}

/// The values of an answer.
pub(super) fn values(Raw(payload): &Raw) -> Result<Vec<Value>, CallError> {
    match Value::decode(payload) {
        Ok(Value::Array(values)) => Ok(values),
        _ => Err(corrupt()),
    }
}

fn corrupt() -> CallError {
    let failure = Failure::new(ErrorKind::Invalid, "answer is no payload of results");
    CallError::Failed(Arc::new(failure))
}
