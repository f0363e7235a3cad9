//! What an embedder holds of a process that it has started.

use std::sync::Arc;

use lunarium_kernel::{Outcome, Pid};

use crate::process::Process;

/// A process that was spawned from outside. It doesn't keep the node: that ends when its last [`Node`](crate::Node) is
/// dropped.
#[derive(Clone)]
pub struct Handle {
    process: Arc<Process>,
}

impl Handle {
    pub(super) fn new(process: Arc<Process>) -> Handle {
        Handle { process }
    }

    /// The process.
    pub fn pid(&self) -> &Pid {
        &self.process.pid
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
