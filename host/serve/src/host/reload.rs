//! A reload of the host, or of one tenant, that somebody asks for: what a host is made of lies outside of it, and so does who reads it again.
//!
//! Owns that few wait while another is under way, and what is told of it.

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::{Change, HostError, TenantState};

/// What became of a tenant when what the host is made of was read again.
#[derive(Debug)]
pub enum TenantChange {
    /// Its application was.
    Changed(Change),
    /// It is new: how it is after its start.
    Added(TenantState),
    /// It has no application yet: that is to be deployed.
    Waits,
    /// It isn't named any more, and has ended.
    Removed,
}

/// What became of each tenant, by name. Errors: it runs what it ran.
pub type TenantChanges = Vec<(String, Result<TenantChange, HostError>)>;

/// What a reload of the whole host has done.
#[derive(Debug, Default)]
pub struct HostChange {
    /// What is the host's own and stays as it was: its name, and why.
    pub kept: Vec<(String, String)>,
    /// As [`Host::configure`](super::Host::configure) returns it.
    pub tenants: TenantChanges,
}

/// How many reloads wait while one is under way. At the limit: 503.
const WAITING: usize = 16;

/// Somebody waits for a reload.
#[derive(Debug)]
#[must_use = "somebody waits for the answer"]
pub struct ReloadRequest {
    tenant: Option<String>,
    answer: oneshot::Sender<Result<HostChange, String>>,
}

impl ReloadRequest {
    /// The tenant that is to be read again, with its entry: what is the host's own stays, and so do the others. None: all of it.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Tells what was done, or why nothing was: every mistake of what was read, in as many lines as it takes.
    pub fn answer(self, done: Result<HostChange, String>) {
        // Whoever has asked may be gone.
        let _ = self.answer.send(done);
    }
}

/// Where reloads are asked for.
#[derive(Debug, Clone)]
pub struct Reloader(mpsc::Sender<ReloadRequest>);

/// Why there was none.
pub(crate) enum Unasked {
    /// Too many wait.
    Busy,
    /// The host stops.
    Stopping,
}

impl Reloader {
    /// With the other end, where somebody is to answer: what is asked meanwhile waits, sixteen at most.
    pub fn new() -> (Self, mpsc::Receiver<ReloadRequest>) {
        let (asked, asks) = mpsc::channel(WAITING);
        (Self(asked), asks)
    }

    /// Cancel safety: what has begun goes on.
    pub(crate) async fn reload(&self, tenant: Option<String>) -> Result<Result<HostChange, String>, Unasked> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(ReloadRequest { tenant, answer }).map_err(|error| match error {
            TrySendError::Full(_) => Unasked::Busy,
            TrySendError::Closed(_) => Unasked::Stopping,
        })?;
        answered.await.map_err(|_| Unasked::Stopping)
    }
}
