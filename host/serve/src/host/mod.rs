//! Tenants: who there is, and how they start, change and end.
//!
//! Owns the table of tenants and the engine that they share. What one of them is and how it changes is `tenant`'s.

mod attend;
mod change;
mod config;
mod error;
mod logs;
mod output;
mod reload;
mod store;
mod tenant;
mod unpack;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use cap_std::fs::Dir;
use lunarium_app::TenantBudget;
use lunarium_engine::{Engine, EngineConfig, Level, PoolError, StartError};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task;

pub use change::Change;
pub use config::{Folder, HostConfig, Surroundings, TenantConfig};
pub use error::HostError;
pub use logs::{LogEvent, LogFilter, LogLine, LogReader, Logs};
pub(crate) use reload::Unasked;
pub use reload::{HostChange, ReloadRequest, Reloader, TenantChange, TenantChanges};
pub use tenant::{Deployment, Origin, Tenant, TenantState};
pub use unpack::MAX_ARCHIVE;

/// How long a tenant's services may take to stop. At the limit: what is left is terminated.
const PATIENCE: Duration = Duration::from_secs(30);

/// A host of many tenants. Cheap to clone.
#[derive(Clone)]
pub struct Host {
    shared: Arc<Shared>,
}

/// What the tenants of a host have in common.
struct Shared {
    engine: Engine,
    defaults: Mutex<TenantBudget>,
    data: Option<Dir>,
    surroundings: Arc<dyn Surroundings>,
    debug: AtomicBool,
    tenants: Mutex<Table>,
    /// How often something has changed of what requests become.
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Table {
    tenants: BTreeMap<String, Tenant>,
    /// No more may come.
    stopping: bool,
}

impl Shared {
    fn defaults(&self) -> TenantBudget {
        *self.defaults.lock()
    }

    /// A tenant that has no entry in the node's file.
    fn unnamed(&self, name: &str) -> TenantConfig {
        TenantConfig { budget: self.defaults(), ..TenantConfig::new(name) }
    }

    /// An entry with what it doesn't say itself.
    fn completed(&self, mut config: TenantConfig) -> TenantConfig {
        config.budget = config.budget.or(self.defaults());
        config
    }

    fn note(&self, level: Level, message: &str) {
        self.surroundings.note(level, message, &[]);
    }
}

impl Host {
    /// Starts the engine and every tenant, also those that were deployed to a host before this one, and returns when each of
    /// them runs or has failed. Needs a tokio runtime, for as long as the host is there.
    ///
    /// Errors: the machine doesn't give what the engine needs. What is wrong with a tenant is that tenant's state.
    pub async fn start(config: HostConfig) -> Result<Self, StartError> {
        let HostConfig { max_processes, memory, defaults, data, tenants, surroundings, debug } = config;
        let mut engine = EngineConfig::new(max_processes);
        engine.memory = memory;
        let engine = Engine::new(engine)?;
        let (defaults, debug) = (Mutex::new(defaults), AtomicBool::new(debug));
        let (all, changes) = (Mutex::default(), watch::Sender::new(0));
        let host =
            Self { shared: Arc::new(Shared { engine, defaults, data, surroundings, debug, tenants: all, changes }) };
        let named: BTreeSet<String> = tenants.iter().map(|tenant| tenant.name.clone()).collect();
        let shared = Arc::clone(&host.shared);
        let kept = on_disk(move || {
            let kept = shared.data.as_ref().map_or_else(|| Ok(Vec::new()), |data| store::kept(data, &named));
            kept.map_err(HostError::disk("what was deployed can't be looked for"))
        });
        let kept = kept.await.unwrap_or_else(|error| {
            host.shared.note(Level::Error, &error.to_string());
            Vec::new()
        });
        let kept: Vec<TenantConfig> = kept.iter().map(|name| host.shared.unnamed(name)).collect();
        let configs = tenants.into_iter().map(|config| host.shared.completed(config)).chain(kept);
        let starts = configs.map(|config| {
            let tenant = Tenant::new(&host.shared, config);
            host.shared.tenants.lock().tenants.insert(tenant.name().to_owned(), tenant.clone());
            // Each in a task of its own: one that takes long to be read holds up no other.
            tokio::spawn(async move { tenant.start().await })
        });
        for start in starts.collect::<Vec<_>>() {
            // A tenant whose start has panicked stays as it is.
            let _ = start.await;
        }
        Ok(host)
    }

    /// Its tenants, by name.
    pub fn tenants(&self) -> Vec<Tenant> {
        self.shared.tenants.lock().tenants.values().cloned().collect()
    }

    /// The tenant of this name.
    pub fn tenant(&self, name: &str) -> Option<Tenant> {
        self.shared.tenants.lock().tenants.get(name).cloned()
    }

    /// Told whenever a tenant has another application or another entry than before, comes or goes: for who serves them.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// The engine that all of them run on.
    pub fn engine(&self) -> &Engine {
        &self.shared.engine
    }

    fn known(&self, name: &str) -> Result<Tenant, HostError> {
        self.tenant(name).ok_or_else(|| HostError::Unknown(name.to_owned()))
    }

    /// Reads a tenant's application again and switches to it: its folder, or what was deployed last, with the entry that it has.
    /// What hasn't changed isn't touched.
    ///
    /// Errors: as it says; the tenant is as it was.
    ///
    /// Cancel safety: what has begun goes on.
    pub async fn reload(&self, name: &str) -> Result<Change, HostError> {
        let tenant = self.known(name)?;
        alone(async move { tenant.reload(None).await }).await
    }

    /// Switches a tenant to what is sent, a tar of an application's folder of at most [`MAX_ARCHIVE`] bytes; there is one from then on
    /// if there wasn't. What hasn't changed isn't touched.
    ///
    /// Errors: as it says; the tenant is as it was.
    ///
    /// Cancel safety: what has begun goes on.
    pub async fn deploy(&self, name: &str, tar: Bytes) -> Result<Change, HostError> {
        if !lunarium_app::is_tenant(name) {
            return Err(HostError::Name(name.to_owned()));
        }
        if self.shared.data.is_none() {
            return Err(HostError::NoData);
        }
        let (tenant, is_new) = {
            let mut table = self.shared.tenants.lock();
            if table.stopping {
                return Err(HostError::Stopping);
            }
            let is_new = !table.tenants.contains_key(name);
            let make = || Tenant::new(&self.shared, self.shared.unnamed(name));
            (table.tenants.entry(name.to_owned()).or_insert_with(make).clone(), is_new)
        };
        let host = self.clone();
        alone(async move {
            let deployed = tenant.deploy(tar).await;
            // Unless another one has come meanwhile, which is right.
            if deployed.is_err() && is_new && tenant.stop_unless_deployed().await {
                host.forget(tenant.name()).await;
                host.shared.tenants.lock().tenants.remove(tenant.name());
            }
            deployed
        })
        .await
    }

    /// Switches a tenant to the application before this one, and forgets this one.
    ///
    /// Errors: as it says; the tenant is as it was.
    ///
    /// Cancel safety: what has begun goes on.
    pub async fn rollback(&self, name: &str) -> Result<Change, HostError> {
        let tenant = self.known(name)?;
        alone(async move { tenant.rollback().await }).await
    }

    /// Ends a tenant as [`Host::stop`] does, and forgets it: what was deployed, and what its modules have kept.
    ///
    /// Errors: there is none; the node's file names it, so that it would come back.
    ///
    /// Cancel safety: what has begun goes on.
    pub async fn remove(&self, name: &str) -> Result<(), HostError> {
        let tenant = self.known(name)?;
        if tenant.config().named {
            return Err(HostError::Named(name.to_owned()));
        }
        let host = self.clone();
        alone(async move {
            tenant.stop().await;
            // As long as it is in the table, nobody begins another one of its name, whose files these would be.
            host.forget(tenant.name()).await;
            host.shared.tenants.lock().tenants.remove(tenant.name());
            Ok(())
        })
        .await
    }

    async fn forget(&self, name: &str) {
        let (shared, name) = (Arc::clone(&self.shared), name.to_owned());
        let forgotten = on_disk(move || {
            shared.surroundings.forget(&name);
            let forgotten = shared.data.as_ref().map_or(Ok(()), |data| store::forget(data, &name));
            forgotten.map_err(HostError::disk(format!("what is kept of tenant `{name}` can't be taken away")))
        });
        if let Err(error) = forgotten.await {
            self.shared.note(Level::Error, &error.to_string());
        }
    }

    /// From now on all tenants may have so many processes and hold so many bytes together: what [`HostConfig`] says of both. Whoever lives
    /// and whatever is held stays, also beyond: starts wait, and more memory is refused, until enough has ended or was given back.
    ///
    /// Errors: the machine's settings don't allow so many processes; nothing is changed then.
    pub fn set_limits(&self, max_processes: u32, memory: Option<u64>) -> Result<(), PoolError> {
        self.shared.engine.set_limits(max_processes, memory)
    }

    /// From now on each start and each end of a process is a line of its tenant's log, or none is: [`HostConfig::debug`].
    pub fn set_debug(&self, debug: bool) {
        self.shared.debug.store(debug, Ordering::Relaxed);
        self.tenants().iter().filter_map(Tenant::node).for_each(|node| node.set_debug(debug));
    }

    /// Reads every tenant's application again, with these entries from now on: who is new starts, who was in the file and isn't any
    /// more ends (what is kept of it stays). Budgets count at once, whatever becomes of the rest. What each has
    /// come to, by name.
    ///
    /// Cancel safety: what has begun goes on.
    pub async fn configure(&self, defaults: TenantBudget, tenants: Vec<TenantConfig>) -> TenantChanges {
        let host = self.clone();
        let configured = tokio::spawn(async move { host.apply(defaults, tenants).await });
        configured.await.unwrap_or_default()
    }

    /// The same for one tenant alone, that is there.
    ///
    /// Errors: as it says; the tenant runs what it ran.
    ///
    /// Cancel safety: what has begun goes on.
    pub async fn configure_tenant(&self, config: TenantConfig) -> Result<TenantChange, HostError> {
        let (tenant, config) = (self.known(&config.name)?, self.shared.completed(config));
        alone(async move { reload_with(&tenant, config).await }).await
    }

    /// Ends all that a tenant runs, as [`Host::stop`] does, and starts its application anew, with the entry that it has.
    ///
    /// Errors: there is none; its application is wrong, and it runs what it ran; it can't start, and has ended.
    ///
    /// Cancel safety: what has begun goes on.
    pub async fn restart(&self, name: &str) -> Result<Change, HostError> {
        let tenant = self.known(name)?;
        alone(async move { tenant.restart().await }).await
    }

    async fn apply(&self, defaults: TenantBudget, tenants: Vec<TenantConfig>) -> TenantChanges {
        *self.shared.defaults.lock() = defaults;
        let named: BTreeSet<String> = tenants.iter().map(|tenant| tenant.name.clone()).collect();
        let (gone, others): (Vec<Tenant>, Vec<Tenant>) = self
            .tenants()
            .into_iter()
            .filter(|tenant| !named.contains(tenant.name()))
            .partition(|tenant| tenant.config().named);
        // What they have others may need.
        let mut results = self.stop_all(gone).await;
        for tenant in others {
            // Of tenants without an entry these are the whole budget. One that is removed meanwhile stays so.
            let config = self.shared.unnamed(tenant.name());
            results.push((tenant.name().to_owned(), reload_with(&tenant, config).await));
        }
        for config in tenants {
            let (name, config) = (config.name.clone(), self.shared.completed(config));
            let result = match self.tenant(&name) {
                Some(tenant) => reload_with(&tenant, config).await,
                None => self.add(config).await,
            };
            results.push((name, result));
        }
        results
    }

    /// Ends tenants, side by side, and forgets that they were there.
    async fn stop_all(&self, gone: Vec<Tenant>) -> TenantChanges {
        let stopping: Vec<_> = gone
            .into_iter()
            .map(|tenant| {
                let host = self.clone();
                tokio::spawn(async move {
                    tenant.stop().await;
                    host.shared.tenants.lock().tenants.remove(tenant.name());
                    tenant.name().to_owned()
                })
            })
            .collect();
        let mut results = Vec::new();
        for stopped in stopping {
            results.extend(stopped.await.map(|name| (name, Ok(TenantChange::Removed))));
        }
        results
    }

    async fn add(&self, config: TenantConfig) -> Result<TenantChange, HostError> {
        let tenant = Tenant::new(&self.shared, config);
        {
            let mut table = self.shared.tenants.lock();
            if table.stopping {
                return Err(HostError::Stopping);
            }
            table.tenants.insert(tenant.name().to_owned(), tenant.clone());
        }
        tenant.start().await;
        Ok(TenantChange::Added(tenant.state()))
    }

    /// Stops every tenant: its services get a CANCEL event, as they would alone, and all of it may take 30 seconds. What is left then is
    /// terminated. Returns when nothing runs any more.
    pub async fn stop(&self) {
        self.shared.tenants.lock().stopping = true;
        let stops = self.tenants().into_iter().map(|tenant| tokio::spawn(async move { tenant.stop().await }));
        for stop in stops.collect::<Vec<_>>() {
            // One that has panicked has stopped.
            let _ = stop.await;
        }
    }
}

/// Does what waits for the disk on a thread for blocking work: on the host's own, tenants' services and everybody's changes would wait
/// with it.
///
/// Cancel safety: what has begun goes on.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HostError> + Send + 'static,
) -> Result<T, HostError> {
    let done = task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(HostError::Refused(format!("it has broken off: {error}"))))
}

async fn reload_with(tenant: &Tenant, config: TenantConfig) -> Result<TenantChange, HostError> {
    match tenant.reload(Some(config)).await {
        Err(HostError::Nothing(_)) if tenant.deployment().is_none() => Ok(TenantChange::Waits),
        result => result.map(TenantChange::Changed),
    }
}

/// Carries a change out in a task of its own: who asked for it may go away, and half a change is none.
async fn alone<T: Send + 'static>(
    change: impl Future<Output = Result<T, HostError>> + Send + 'static,
) -> Result<T, HostError> {
    tokio::spawn(change).await.unwrap_or(Err(HostError::Stopping))
}
