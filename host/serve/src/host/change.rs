//! How a tenant comes from one application to the next: read, checked, kept, switched to.
//!
//! Owns the order of these, so that whatever goes wrong, and whenever the host is killed, the tenant has the old application or the new
//! one, never a part. Decides nothing about what runs: see `attend`.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use cap_std::fs::Dir;
use lunarium_app::{App, ServiceAction};
use lunarium_engine::{EntryId, Level};
use tokio::sync::oneshot;

use super::attend::{Actions, Order};
use super::config::{Folder, TenantConfig};
use super::error::HostError;
use super::on_disk;
use super::store::Store;
use super::tenant::{Deployment, Origin, Running, Tenant, TenantState};
use super::unpack::unpack;

/// Deployments that are kept of a tenant, the current one among them. At the limit: the oldest is taken away.
pub(super) const KEPT: usize = 3;

/// What a change of a tenant has done.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Change {
    /// What it runs now.
    pub deployment: Deployment,
    /// What becomes of services: those that aren't named aren't touched.
    pub services: Vec<(EntryId, ServiceAction)>,
    /// What hardly can be meant, for people; empty when there is nothing.
    pub warnings: String,
}

/// An application that a tenant has had.
#[derive(Clone)]
pub(super) struct Version {
    number: u64,
    /// Of a folder: as it was read, as nobody keeps what the folder was. None: it was sent, and is kept on the disk.
    app: Option<Arc<App>>,
}

impl Version {
    fn origin(&self) -> Origin {
        if self.app.is_some() { Origin::Folder } else { Origin::Archive }
    }

    /// Its number in the store. None: nobody keeps it there.
    fn sent(&self) -> Option<u64> {
        (self.origin() == Origin::Archive).then_some(self.number)
    }
}

/// An application that can be switched to.
struct Checked {
    app: Arc<App>,
    warnings: String,
}

impl Tenant {
    /// Reads its application and starts it. What is wrong is its state from then on; one that was stopped for good before stays so.
    pub(super) async fn start(&self) {
        let mut versions = self.inner.versions.lock().await;
        if self.state() == TenantState::Stopping {
            return;
        }
        if let Err(error) = self.load(&mut versions, None).await {
            self.fail(&error);
        }
    }

    /// Reads its application again, with another entry if one is given, whose budgets count at once: whatever is wrong with an application keeps
    /// nobody from giving it less.
    pub(super) async fn reload(&self, config: Option<TenantConfig>) -> Result<Change, HostError> {
        let mut versions = self.inner.versions.lock().await;
        if let Some(config) = &config {
            self.set_budgets(config)?;
        }
        self.load(&mut versions, config).await
    }

    /// Ends all that it runs, and starts its application anew. What is wrong with that is said before anything has ended.
    pub(super) async fn restart(&self) -> Result<Change, HostError> {
        let mut versions = self.inner.versions.lock().await;
        self.read(&mut versions, &self.config()).await?;
        let is_stopping = || self.inner.shared.tenants.lock().stopping;
        if is_stopping() {
            return Err(HostError::Stopping);
        }
        self.halt().await;
        if is_stopping() {
            return Err(HostError::Stopping);
        }
        self.begin();
        let started = self.load(&mut versions, None).await;
        started.map_err(|error| {
            self.fail(&error);
            HostError::Ended(Box::new(error))
        })
    }

    /// Reads what counts, the tenant's folder or what was sent last, and switches to it. Nothing is changed by an error.
    async fn load(&self, versions: &mut Vec<Version>, config: Option<TenantConfig>) -> Result<Change, HostError> {
        let config = config.map_or_else(|| self.config(), Arc::new);
        let read = self.read(versions, &config).await;
        if matches!(read, Err(HostError::Nothing(_))) && self.deployment().is_none() {
            // What is deployed to it has this entry.
            self.set_config(Arc::clone(&config));
        }
        let Read { running, store, sent, checked } = read?;
        let app = Arc::clone(&checked.app);
        let actions = self.switch(&running, &config, &app).await?;
        let number = match sent {
            Some(number) => number,
            None => {
                let number = next_number(versions, store.as_ref()).await;
                versions.push(Version { number, app: Some(app) });
                self.prune(versions, store.as_ref()).await;
                number
            }
        };
        let origin = if sent.is_some() { Origin::Archive } else { Origin::Folder };
        self.set_config(config);
        Ok(self.changed(number, origin, actions, checked.warnings))
    }

    /// Reads what counts, with everything that it needs.
    async fn read(&self, versions: &mut Vec<Version>, config: &Arc<TenantConfig>) -> Result<Read, HostError> {
        whole(config)?;
        let store = self.store().await?;
        if let Some(store) = &store {
            remember(versions, store).await?;
        }
        let running = self.running(config).await?;
        let sent = versions.last().and_then(Version::sent);
        let folder = match (sent, &store) {
            (Some(number), Some(store)) => sent_folder(store, number, self.name()).await?,
            _ => own_folder(config)?.ok_or_else(|| HostError::Nothing(self.name().to_owned()))?,
        };
        let checked = check(folder, config, &running).await?;
        Ok(Read { running, store, sent, checked })
    }

    /// Switches to what was sent, once it is unpacked, checked and kept.
    pub(super) async fn deploy(&self, archive: Bytes) -> Result<Change, HostError> {
        let mut versions = self.inner.versions.lock().await;
        let store = self.store().await?.ok_or(HostError::NoData)?;
        let config = self.config();
        whole(&config)?;
        remember(&mut versions, &store).await?;
        let running = self.running(&config).await?;
        let number = next_number(&versions, Some(&store)).await;
        let deployed = async {
            let unpacking = Arc::clone(&store);
            let dir = on_disk(move || unpack_beside(&unpacking, number, &archive)).await?;
            let folder = Folder { dir, shown: PathBuf::from(self.name()) };
            let checked = check(folder, &config, &running).await?;
            ask(&store, "what was sent can't be kept", move |store| store.finish(number)).await?;
            let actions = self.switch(&running, &config, &checked.app).await?;
            Ok((checked, actions))
        };
        match deployed.await {
            Ok((checked, actions)) => {
                versions.push(Version { number, app: None });
                self.prune(&mut versions, Some(&store)).await;
                Ok(self.changed(number, Origin::Archive, actions, checked.warnings))
            }
            Err(error) => {
                self.undo(&versions, &store).await;
                Err(error)
            }
        }
    }

    /// What was begun is taken away, and what counted before counts.
    async fn undo(&self, versions: &[Version], store: &Arc<Store>) {
        let (current, sent) = (versions.last().and_then(Version::sent), all_sent(versions));
        let undone =
            ask(store, "what was not deployed can't be taken away", move |store| store.restore(current, &sent));
        if let Err(error) = undone.await {
            self.note(Level::Error, &error.to_string(), Vec::new());
        }
    }

    /// Switches to the application before this one; from the oldest that was sent to the tenant's folder, if it has one.
    pub(super) async fn rollback(&self) -> Result<Change, HostError> {
        let mut versions = self.inner.versions.lock().await;
        let (store, config) = (self.store().await?, self.config());
        let mut left = versions.clone();
        let last = left.pop();
        let (running, checked) = match left.last() {
            Some(earlier) => {
                let running = self.running(&config).await?;
                let checked = match (&earlier.app, &store) {
                    (Some(app), _) => Checked { app: Arc::clone(app), warnings: String::new() },
                    (None, Some(store)) => {
                        check(sent_folder(store, earlier.number, self.name()).await?, &config, &running).await?
                    }
                    (None, None) => return Err(HostError::NoData),
                };
                (running, checked)
            }
            None => {
                let none = || HostError::NoEarlier(self.name().to_owned());
                last.as_ref().and_then(Version::sent).ok_or_else(none)?;
                whole(&config)?;
                let folder = own_folder(&config)?.ok_or_else(none)?;
                let running = self.running(&config).await?;
                let checked = check(folder, &config, &running).await?;
                let number = next_number(&versions, store.as_ref()).await;
                left.push(Version { number, app: Some(Arc::clone(&checked.app)) });
                (running, checked)
            }
        };
        let back = left.last().map(|back| (back.number, back.origin(), back.sent()));
        let (number, origin, sent) = back.ok_or_else(|| HostError::NoEarlier(self.name().to_owned()))?;
        if let Some(store) = &store {
            ask(store, "what counts can't be kept", move |store| store.set_current(sent)).await?;
        }
        match self.switch(&running, &config, &checked.app).await {
            Ok(actions) => {
                *versions = left;
                self.prune(&mut versions, store.as_ref()).await;
                Ok(self.changed(number, origin, actions, checked.warnings))
            }
            Err(error) => {
                if let Some(store) = &store {
                    self.undo(&versions, store).await;
                }
                Err(error)
            }
        }
    }

    async fn store(&self) -> Result<Option<Arc<Store>>, HostError> {
        let tenant = self.clone();
        on_disk(move || {
            let data = tenant.inner.shared.data.as_ref();
            let store = data.map(|data| Store::open(data, tenant.name()).map(Arc::new)).transpose();
            store.map_err(HostError::disk("the tenant's directory in `data` can't be had"))
        })
        .await
    }

    async fn switch(&self, running: &Running, config: &TenantConfig, app: &Arc<App>) -> Result<Actions, HostError> {
        let strict = config.budget.strict.unwrap_or_default();
        let (reply, switched) = oneshot::channel();
        let order = Order::Switch { app: Arc::clone(app), strict, reply };
        running.orders.send(order).await.map_err(|_| HostError::Stopping)?;
        switched.await.unwrap_or(Err(HostError::Stopping))
    }

    fn changed(&self, number: u64, origin: Origin, services: Actions, warnings: String) -> Change {
        for warning in warnings.lines().filter(|line| !line.is_empty()) {
            self.note(Level::Warn, warning, Vec::new());
        }
        let deployment = self.set_deployment(number, origin);
        let what = if origin == Origin::Archive { "an archive" } else { "its folder" };
        self.note(Level::Info, &format!("tenant runs deployment {number}, from {what}"), Vec::new());
        Change { deployment, services, warnings }
    }

    /// Forgets what is too old to go back to.
    async fn prune(&self, versions: &mut Vec<Version>, store: Option<&Arc<Store>>) {
        let old = versions.len().saturating_sub(KEPT);
        versions.drain(..old);
        let Some(store) = store else { return };
        let sent = all_sent(versions);
        let pruned = ask(store, "an old deployment can't be taken away", move |store| store.keep_only(&sent));
        if let Err(error) = pruned.await {
            self.note(Level::Warn, &error.to_string(), Vec::new());
        }
    }
}

/// What a tenant is to run: its application, and what it needs.
struct Read {
    running: Running,
    store: Option<Arc<Store>>,
    /// The number of what was sent; none: it is a folder's.
    sent: Option<u64>,
    checked: Checked,
}

/// A tenant's own folder, if its entry has one that can be read.
fn own_folder(config: &TenantConfig) -> Result<Option<Folder>, HostError> {
    let Some(Ok(Folder { dir, shown })) = &config.folder else { return Ok(None) };
    let dir = dir.try_clone().map_err(HostError::disk("the application's folder can't be opened"))?;
    Ok(Some(Folder { dir, shown: shown.clone() }))
}

/// Asks the disk for a tenant's deployments. `what` is what an error says.
async fn ask<T: Send + 'static>(
    store: &Arc<Store>,
    what: impl Into<String> + Send + 'static,
    work: impl FnOnce(&Store) -> std::io::Result<T> + Send + 'static,
) -> Result<T, HostError> {
    let store = Arc::clone(store);
    on_disk(move || work(&store).map_err(HostError::disk(what))).await
}

/// Errors: something is wrong with what a tenant has from outside.
fn whole(config: &TenantConfig) -> Result<(), HostError> {
    config.fault().map_or(Ok(()), |fault| Err(HostError::Refused(fault)))
}

/// The numbers of those that were sent.
fn all_sent(versions: &[Version]) -> Vec<u64> {
    versions.iter().filter_map(Version::sent).collect()
}

/// Reads what a host before this one has left, where nothing has been on this one.
async fn remember(versions: &mut Vec<Version>, store: &Arc<Store>) -> Result<(), HostError> {
    if versions.is_empty() {
        *versions = ask(store, "what was deployed can't be read", remembered).await?;
    }
    Ok(())
}

/// What a host before this one has left: the deployment that counted, those before it, and nothing else.
fn remembered(store: &Store) -> std::io::Result<Vec<Version>> {
    let Some(current) = store.current()? else {
        store.keep_only(&[])?;
        return Ok(Vec::new());
    };
    let mut numbers = store.numbers()?;
    numbers.retain(|number| *number <= current);
    numbers.drain(..numbers.len().saturating_sub(KEPT));
    if numbers.last() != Some(&current) {
        return Err(std::io::Error::other(format!("deployment {current}, which counts, isn't there")));
    }
    // It is a folder, before anything else is taken away.
    store.folder(current)?;
    store.keep_only(&numbers)?;
    Ok(numbers.into_iter().map(|number| Version { number, app: None }).collect())
}

async fn next_number(versions: &[Version], store: Option<&Arc<Store>>) -> u64 {
    let kept = match store {
        Some(store) => ask(store, "what was deployed can't be read", Store::numbers).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let kept = kept.last().copied().unwrap_or_default();
    let last = versions.iter().map(|version| version.number).max().unwrap_or_default();
    last.max(kept).saturating_add(1)
}

fn unpack_beside(store: &Store, number: u64, archive: &[u8]) -> Result<Dir, HostError> {
    let dir = store.begin(number).map_err(HostError::disk("there is no place to unpack to"))?;
    unpack(archive, &dir)?;
    Ok(dir)
}

async fn sent_folder(store: &Arc<Store>, number: u64, name: &str) -> Result<Folder, HostError> {
    let what = format!("deployment {number} can't be opened");
    let dir = ask(store, what, move |store| store.folder(number)).await?;
    Ok(Folder { dir, shown: PathBuf::from(name) })
}

/// The application in a folder, read and compiled.
///
/// Errors: what is wrong with it.
async fn check(folder: Folder, config: &Arc<TenantConfig>, running: &Running) -> Result<Checked, HostError> {
    let (config, modules) = (Arc::clone(config), Arc::clone(&running.modules));
    // Native parsers and a disk: nobody else may wait for them.
    let mut draft = on_disk(move || Ok(config.draft(&folder, &modules))).await?;
    draft.compile(&running.node).await;
    let (app, warnings) = draft.judge().map_err(|report| HostError::Wrong(Arc::new(report)))?;
    Ok(Checked { app: Arc::new(app), warnings: warnings.to_string() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use std::sync::Arc;

    use lunarium_engine::{Level, LogField, Module};

    use super::super::{Host, HostConfig, HostError, LogLine, Surroundings, Tenant, TenantConfig, TenantState};

    struct Nowhere;

    impl Surroundings for Nowhere {
        fn modules(&self, _tenant: &TenantConfig) -> Result<Vec<Module>, HostError> {
            Ok(Vec::new())
        }

        fn line(&self, _tenant: &str, _line: &LogLine) {}

        fn note(&self, _level: Level, _message: &str, _fields: &[LogField]) {}
    }

    #[tokio::test]
    async fn who_was_stopped_before_its_start_has_not_failed() {
        let mut config = HostConfig::new(Arc::new(Nowhere));
        config.max_processes = 1;
        let host = Host::start(config).await.unwrap();
        let tenant = Tenant::new(&host.shared, TenantConfig::new("t"));
        tenant.stop().await;
        tenant.start().await;
        assert_eq!(tenant.state(), TenantState::Stopping);
        host.stop().await;
    }
}
