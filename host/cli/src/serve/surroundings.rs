//! What a host has from the command: the modules of its tenants, and where lines go.
//!
//! Owns each tenant's store, which outlives its node.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lunarium_engine::{Level, LogField, Module};
use lunarium_modules::http::{self, Http};
use lunarium_modules::kv;
use lunarium_serve::{HostError, LogLine, Surroundings, TenantConfig};

use super::names::Names;
use crate::modules;
use crate::terminal::Screen;

/// What a host has from the command.
pub struct World {
    screen: Arc<Screen>,
    data: Option<PathBuf>,
    most: AtomicU64,
    stores: Mutex<HashMap<String, kv::Slot>>,
    names: Names,
    /// Why nobody can open sockets to servers, if it is so.
    unreachable: Option<String>,
}

impl World {
    /// Stores lie below `data`, each of at most so many bytes. Requests ask `names` for addresses and go by its connector; `unreachable`: why
    /// no server can be reached, if it is so.
    pub fn new(
        screen: &Arc<Screen>,
        data: Option<&Path>,
        most: u64,
        names: Names,
        unreachable: Option<String>,
    ) -> Self {
        Self {
            screen: Arc::clone(screen),
            data: data.map(Path::to_owned),
            most: AtomicU64::new(most),
            stores: Mutex::default(),
            names,
            unreachable,
        }
    }

    /// From now on each store may hold at most so many bytes.
    pub fn set_most(&self, most: u64) {
        self.most.store(most, Ordering::Relaxed);
        self.stores.lock().unwrap_or_else(PoisonError::into_inner).values().for_each(|slot| slot.set_quota(most));
    }

    /// Errors: a tenant may ask servers, and nobody here can.
    fn check_sockets(&self, tenant: &TenantConfig) -> Result<(), HostError> {
        match &self.unreachable {
            Some(why) if tenant.allowance.has_module(http::NAME) => Err(HostError::Refused(format!(
                "`http` is allowed, and this host can reach no servers: {why}\nhelp: restart the host"
            ))),
            _ => Ok(()),
        }
    }

    /// The place for a tenant's store, with the store from when on it may have one.
    fn store(&self, tenant: &TenantConfig) -> Result<kv::Slot, HostError> {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = stores.entry(tenant.name.clone()).or_default().clone();
        if slot.is_filled() || !tenant.allowance.has_module(kv::NAME) {
            return Ok(slot);
        }
        let none = "`kv` is allowed, and the host has no `data` directory for its store";
        let data = self.data.as_ref().ok_or_else(|| HostError::Refused(none.to_owned()))?;
        let tenants = data.join("tenants");
        let directory = tenants.join(&tenant.name);
        no_link(&tenants)?;
        no_link(&directory)?;
        let file = kv::Opened::in_directory(&directory);
        let (screen, name) = (Arc::clone(&self.screen), tenant.name.clone());
        let report = move |line: &str| screen.note(Level::Warn, &format!("tenant {name}: {line}"), &[]);
        let store = file.and_then(|file| file.start(self.most.load(Ordering::Relaxed), report)).map_err(unusable)?;
        slot.fill(store);
        Ok(slot)
    }
}

/// Why there is no store: the disk's doing, or somebody has to change something.
fn unusable(error: kv::OpenError) -> HostError {
    match error {
        kv::OpenError::Io { path, error } => HostError::disk(format!("`{}` can't be opened", path.display()))(error),
        other => HostError::Refused(other.to_string()),
    }
}

/// Errors: somebody has put a link there, which leads who knows where.
fn no_link(path: &Path) -> Result<(), HostError> {
    if path.is_symlink() {
        return Err(HostError::Refused(format!("`{}` is a symbolic link, and none is followed here", path.display())));
    }
    // What else is wrong is told when it is opened.
    Ok(())
}

impl Surroundings for World {
    fn modules(&self, tenant: &TenantConfig) -> Result<Vec<Module>, HostError> {
        self.check_sockets(tenant)?;
        let http = Http::new().resolver(self.names.clone()).connector(Arc::clone(self.names.connector()));
        Ok(modules::for_tenants(http, self.store(tenant)?))
    }

    fn extend(&self, tenant: &TenantConfig) -> Result<(), HostError> {
        self.check_sockets(tenant)?;
        self.store(tenant).map(drop)
    }

    fn line(&self, tenant: &str, line: &LogLine) {
        self.screen.tenant(tenant, line);
    }

    fn note(&self, level: Level, message: &str, fields: &[LogField]) {
        self.screen.note(level, message, fields);
    }

    fn forget(&self, tenant: &str) {
        let store = self.stores.lock().unwrap_or_else(PoisonError::into_inner).remove(tenant);
        drop(store);
    }
}
