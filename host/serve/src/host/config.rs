//! What a host is made of, with everything opened that it may open.
//!
//! Owns the resolved forms. Opens nothing: whoever makes a configuration has that power, and gives a part of it.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use cap_std::fs::Dir;
use lunarium_app::{Allowance, Authority, Draft, TenantBudget};
use lunarium_engine::{Directory, Level, LogField, Module};

use super::error::HostError;
use super::logs::LogLine;

/// What a host is made of. Made by [`HostConfig::new`].
#[non_exhaustive]
pub struct HostConfig {
    /// Processes of all tenants alive at once; 8,000 by default. At the limit: starts wait.
    pub max_processes: u32,
    /// Bytes that all tenants may hold together. None, the default: half of what the machine has.
    pub memory: Option<u64>,
    /// What a tenant has that its own budget doesn't say, and one that is deployed without an entry.
    pub defaults: TenantBudget,
    /// Where what is deployed is kept. None, the default: nothing can be deployed.
    pub data: Option<Dir>,
    /// The tenants to start.
    pub tenants: Vec<TenantConfig>,
    /// What a host has from outside.
    pub surroundings: Arc<dyn Surroundings>,
    /// Each start and each end of a process is a line of its tenant's log, at debug level.
    pub debug: bool,
}

impl HostConfig {
    /// Processes of all tenants alive at once, by default: what Linux' default number of memory mappings has room for.
    pub const MAX_PROCESSES: u32 = 8_000;

    /// A host without tenants.
    pub fn new(surroundings: Arc<dyn Surroundings>) -> Self {
        Self {
            max_processes: Self::MAX_PROCESSES,
            memory: None,
            defaults: TenantBudget::default(),
            data: None,
            tenants: Vec::new(),
            surroundings,
            debug: false,
        }
    }
}

/// What a host has from outside.
pub trait Surroundings: Send + Sync {
    /// The modules of a tenant's node, made anew: what a module counts and keeps, it counts and keeps for one tenant.
    ///
    /// Errors: what they need can't be had; of a disk [`HostError::disk`] tells it.
    fn modules(&self, tenant: &TenantConfig) -> Result<Vec<Module>, HostError>;

    /// What the modules of a node that runs need when its tenant has this entry from now on: it may allow more than the one that the node
    /// was started with.
    ///
    /// Errors: it can't be had; the tenant goes on with the entry that it has.
    fn extend(&self, _tenant: &TenantConfig) -> Result<(), HostError> {
        Ok(())
    }

    /// Takes a line of a tenant's log. Called from worker threads: must not block. What doesn't fit is its to drop and count.
    fn line(&self, tenant: &str, line: &LogLine);

    /// Takes a line of the host itself, in the same way.
    fn note(&self, level: Level, message: &str, fields: &[LogField]);

    /// A tenant is gone for good: what its modules have kept goes, too.
    fn forget(&self, _tenant: &str) {}
}

/// A folder that was opened, with its path for people.
pub struct Folder {
    /// The folder.
    pub dir: Dir,
    /// What messages put before the paths of its files.
    pub shown: PathBuf,
}

/// A tenant, with everything opened that its entry names. Made by [`TenantConfig::new`].
#[non_exhaustive]
pub struct TenantConfig {
    /// Its name.
    pub name: String,
    /// The node's file names it: it isn't removed but there.
    pub named: bool,
    /// Its application. None: it is deployed. Error: it can't be opened, in words; the tenant shows as failed with them.
    pub folder: Option<Result<Folder, String>>,
    /// What it gets of the machine.
    pub budget: TenantBudget,
    /// Its variables with their values; an error: of a variable that can't be had, in words.
    pub env: BTreeMap<String, Result<String, String>>,
    /// The absolute directories that its application may grant, by their normal names.
    pub directories: BTreeMap<String, io::Result<Dir>>,
    /// What its application may grant.
    pub allowance: Allowance,
    /// Names of hosts whose requests are its own.
    pub hosts: Vec<String>,
    /// Requests that it takes in a second; none: any number.
    pub requests: Option<u32>,
}

impl TenantConfig {
    /// A tenant that gets nothing beyond the defaults, and is deployed.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            named: false,
            folder: None,
            budget: TenantBudget::default(),
            env: BTreeMap::new(),
            directories: BTreeMap::new(),
            allowance: Allowance::nothing(),
            hosts: Vec::new(),
            requests: None,
        }
    }

    /// Reads its application in a folder, with what it may reach; `modules` are its node's.
    pub fn draft(&self, folder: &Folder, modules: &[Module]) -> Draft {
        Draft::of_folder(&folder.dir, &folder.shown, &Reach { config: self, modules })
    }

    /// What is wrong with its surroundings, in words; all of it.
    pub(super) fn fault(&self) -> Option<String> {
        let folder = self.folder.iter().filter_map(|folder| folder.as_ref().err()).cloned();
        let env = self.env.iter().filter_map(|(name, value)| {
            let error = value.as_ref().err()?;
            Some(format!("variable `{name}`: {error}"))
        });
        let faults: Vec<String> = folder.chain(env).collect();
        (!faults.is_empty()).then(|| faults.join("\n"))
    }
}

/// What a tenant's application can reach: its own variables and directories, and its node's modules.
struct Reach<'t> {
    config: &'t TenantConfig,
    modules: &'t [Module],
}

impl Authority for Reach<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.config.env.get(name)?.as_ref().ok().cloned()
    }

    /// Opens what lies in one of the tenant's directories.
    fn open_directory(&self, path: &str) -> io::Result<Dir> {
        let path = Directory::normal_name(path).map_err(|error| io::Error::other(error.to_string()))?;
        let inside = self.config.directories.iter().filter_map(|(name, dir)| Some((dir, rest(name, &path)?)));
        // Of several the innermost.
        let (dir, rest) = inside.min_by_key(|(_, rest)| rest.len()).ok_or(io::ErrorKind::PermissionDenied)?;
        let dir = dir.as_ref().map_err(|error| io::Error::from(error.kind()))?;
        if rest.is_empty() { dir.try_clone() } else { dir.open_dir(rest) }
    }

    fn modules(&self) -> &[Module] {
        self.modules
    }

    fn allowance(&self) -> Allowance {
        self.config.allowance.clone()
    }
}

/// What is left of a path inside of a directory; none when it lies elsewhere.
fn rest<'p>(name: &str, path: &'p str) -> Option<&'p str> {
    let rest = path.strip_prefix(name)?;
    if rest.is_empty() || name == "/" { Some(rest) } else { rest.strip_prefix('/') }
}
