//! A service of a checked application.
//!
//! Owns its resolved form and the defaults of its life cycle. Runs nothing.

use std::time::Duration;

use lunarium_engine::{SecuritySpec, Value};
use lunarium_kernel::{EntryId, HostId, RestartPolicy};

use crate::notation::OnChange;

/// A process that the application keeps running.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its id.
    pub id: EntryId,
    /// What it runs.
    pub process: EntryId,
    /// Where it runs.
    pub host: HostId,
    /// Arguments of its method.
    pub input: Vec<Value>,
    /// Another actor, another scope or both than its host's.
    pub security: Option<SecuritySpec>,
    /// When it starts, stops and starts again.
    pub lifecycle: Lifecycle,
}

/// When a service starts, stops and starts again.
#[derive(Debug, Clone, PartialEq)]
pub struct Lifecycle {
    /// Starts with the application; true by default. A service that doesn't still starts when another depends on it.
    pub auto_start: bool,
    /// Services that start before it and stop after it.
    pub depends_on: Vec<EntryId>,
    /// How long its process may take until it first waits; 10 s by default. At the limit: it is terminated, and the
    /// start has failed.
    pub start_timeout: Duration,
    /// How long it has after its CANCEL; 10 s by default. At the limit: it is terminated.
    pub stop_timeout: Duration,
    /// What happens after an abnormal end.
    pub restart: RestartPolicy,
    /// What becomes of it when a reload brings other code; it restarts by default.
    pub on_change: OnChange,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            auto_start: true,
            depends_on: Vec::new(),
            start_timeout: Duration::from_secs(10),
            stop_timeout: Duration::from_secs(10),
            restart: RestartPolicy::default(),
            on_change: OnChange::default(),
        }
    }
}
