//! Tenants: who there is, and how they start, change and end.
//!
//! Owns the table of tenants and the engine that they share. What one of them is and how it changes is `tenant`'s.

mod config;
mod error;
mod logs;
mod tenant;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::future::zip;
use lunarium_app::TenantBudget;
use lunarium_engine::{Engine, EngineConfig, StartError};
use parking_lot::Mutex;

pub use config::{Folder, HostConfig, Surroundings, TenantConfig};
pub use error::HostError;
pub use logs::{LogEvent, LogFilter, LogLine, LogReader, Logs};
pub use tenant::{Deployment, Origin, Tenant, TenantState};

/// How long a tenant's services may take to stop. At the limit: what is left is terminated.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A host of many tenants. Cheap to clone.
#[derive(Clone)]
pub struct Host {
    shared: Arc<Shared>,
}

/// What the tenants of a host have in common.
pub(crate) struct Shared {
    engine: Engine,
    defaults: TenantBudget,
    surroundings: Arc<dyn Surroundings>,
    debug: bool,
    tenants: Mutex<BTreeMap<String, Tenant>>,
}

impl Host {
    /// Starts the engine and every tenant, and returns when each of them runs or has failed. Needs a tokio runtime, for as long
    /// as the host is there.
    ///
    /// Errors: the machine doesn't give what the engine needs. What is wrong with a tenant is that tenant's state.
    pub async fn start(config: HostConfig) -> Result<Self, StartError> {
        let HostConfig { max_processes, memory, defaults, data: _, tenants, surroundings, debug } = config;
        let mut engine = EngineConfig::new(max_processes);
        engine.memory = memory;
        let engine = Engine::new(engine)?;
        let shared = Shared { engine, defaults, surroundings, debug, tenants: Mutex::default() };
        let host = Self { shared: Arc::new(shared) };
        let mut starts = Vec::new();
        for config in tenants {
            let tenant = Tenant::new(&host.shared, config);
            host.shared.tenants.lock().insert(tenant.name().to_owned(), tenant.clone());
            // Each in a task of its own: one that takes long to be read holds up no other.
            starts.push(tokio::spawn(async move { tenant.start().await }));
        }
        for start in starts {
            // A tenant whose start has panicked stays as it is.
            let _ = start.await;
        }
        Ok(host)
    }

    /// Its tenants, by name.
    pub fn tenants(&self) -> Vec<Tenant> {
        self.shared.tenants.lock().values().cloned().collect()
    }

    /// The tenant of this name.
    pub fn tenant(&self, name: &str) -> Option<Tenant> {
        self.shared.tenants.lock().get(name).cloned()
    }

    /// The engine that all of them run on.
    pub fn engine(&self) -> &Engine {
        &self.shared.engine
    }

    /// Stops every tenant: its services get a CANCEL event, as they would alone, and all of it may take 30 seconds. What is left then is
    /// terminated. Returns when nothing runs any more.
    pub async fn stop(&self) {
        let mut all = Box::pin(async {}) as std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
        for tenant in self.tenants() {
            all = Box::pin(async move {
                zip(all, tenant.stop()).await;
            });
        }
        all.await;
    }
}
