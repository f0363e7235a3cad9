//! What an embedder holds of a process that it has started.

use std::sync::{Arc, Weak};

use lunarium_kernel::{ErrorKind, Failure, Outcome, Pid, ResolveError};

use crate::node::{CallError, CallSpec, NodeInner};
use crate::process::Process;
use crate::value::{Value, failed};

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
        let gone = || ResolveError::UnknownPid { pid: self.pid().to_string() };
        let node = self.node.upgrade().ok_or_else(gone)?;
        let answer = call(&node, &self.process, method, arguments);
        drop(node);
        answer.await
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
    arguments: &[Value],
) -> impl Future<Output = Result<Vec<Value>, CallError>> + Send + use<> {
    let begun = Value::to_arguments(arguments).map_err(CallError::from).and_then(|arguments| {
        let call = CallSpec { method: method.to_owned(), arguments: arguments.into(), timeout: None };
        node.call_from_host(target, call)
    });
    async move {
        let (_waiting, answer) = begun?;
        // Nobody is left who would answer: the node has ended.
        let outcome = answer.await.unwrap_or_else(|_| failed(ErrorKind::Canceled, "node has ended"));
        results(outcome)
    }
}

fn results(outcome: Outcome) -> Result<Vec<Value>, CallError> {
    let payload = match outcome {
        Outcome::Completed(payload) => payload,
        Outcome::Failed(failure) => return Err(CallError::Failed(failure)),
    };
    let value = Value::decode(&payload);
    if let Ok(Value::Array(values)) = value {
        return Ok(values);
    }
    let failure = value.ok().and_then(|value| value.failure());
    let corrupt = || Failure::new(ErrorKind::Invalid, "answer is no payload of results");
    Err(CallError::Failed(Arc::new(failure.unwrap_or_else(corrupt))))
}
