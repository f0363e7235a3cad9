//! What a run runs: an application's services or one process.
//!
//! Owns the choice of entry and host from what was asked and what the application has. Starts nothing.

use lunarium_app::{App, DEFAULT_HOST, hint};
use lunarium_engine::{EntryId, HostId};
use thiserror::Error;

/// What to run.
#[derive(Debug, PartialEq, Eq)]
pub enum Plan {
    /// The application's services, until an interrupt or the end of every process.
    Services,
    /// One process, and the run ends with it.
    Process {
        /// What it runs.
        entry: EntryId,
        /// Where it runs.
        host: HostId,
    },
}

/// Why nothing can be run.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum PlanError {
    /// `-x` names nothing.
    #[error("there is no entry `{0}` to run")]
    UnknownEntry(String),
    /// `--host` names nothing.
    #[error("there is no process host `{0}`")]
    UnknownHost(String),
    /// Several hosts, none named.
    #[error("the application has {0} process hosts: `--host` must name one")]
    ManyHosts(usize),
    /// No service, no `main`, no `-x`.
    #[error("the application has no service to start and no single entry named `main`: `-x` must name what to run")]
    NothingToRun,
    /// Something was given that only a process takes.
    #[error("the application's services take no {0}: `-x` names one process to run")]
    OnlyForProcess(&'static str),
}

/// What was asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish<'a> {
    /// `-x`
    pub execute: Option<&'a str>,
    /// `--host`
    pub host: Option<&'a str>,
    /// Arguments were given.
    pub has_arguments: bool,
    /// Limits were given.
    pub has_limits: bool,
    /// Grants were given.
    pub has_grants: bool,
    /// `--http`
    pub is_served: bool,
}

/// Chooses what to run.
///
/// Errors: what was asked for isn't there, or can't be chosen without asking.
pub fn plan(app: &App, wish: Wish<'_>) -> Result<Plan, PlanError> {
    if wish.execute.is_none() && (!app.services().is_empty() || wish.is_served) {
        let only_for_process = [
            (wish.host.is_some(), "`--host`"),
            (wish.has_limits, "`--limit`"),
            (wish.has_grants, "grants"),
            (wish.has_arguments, "arguments"),
        ];
        return match only_for_process.into_iter().find(|(given, _)| *given) {
            Some((_, what)) => Err(PlanError::OnlyForProcess(what)),
            None => Ok(Plan::Services),
        };
    }
    let entry = match wish.execute {
        Some(id) => app.definition(id).ok_or_else(|| PlanError::UnknownEntry(id.to_owned()))?,
        None => app.main_entry().ok_or(PlanError::NothingToRun)?,
    };
    Ok(Plan::Process { entry: entry.entry.clone(), host: choose_host(app, wish.host)? })
}

fn choose_host(app: &App, wish: Option<&str>) -> Result<HostId, PlanError> {
    let host = match (wish, app.hosts()) {
        (Some(id), _) => app.host(id).ok_or_else(|| PlanError::UnknownHost(id.to_owned()))?,
        (None, [only]) => only,
        (None, []) => return Ok(HostId::new(DEFAULT_HOST)),
        (None, hosts) => return Err(PlanError::ManyHosts(hosts.len())),
    };
    Ok(host.definition.id.clone())
}

impl PlanError {
    /// What would be right for this application.
    pub fn hint(&self, app: &App) -> Option<String> {
        let entries = || app.definitions().iter().map(|definition| definition.entry.as_str()).collect::<Vec<_>>();
        let hosts = || app.hosts().iter().map(|host| host.definition.id.as_str()).collect::<Vec<_>>();
        match self {
            Self::UnknownEntry(id) => hint(id, &entries()),
            Self::UnknownHost(id) => hint(id, &hosts()),
            Self::ManyHosts(_) => hint("", &hosts()),
            Self::NothingToRun if !app.endpoints().is_empty() => {
                Some("`--http ADDRESS` serves the application's endpoints".to_owned())
            }
            Self::NothingToRun => hint("", &entries()),
            Self::OnlyForProcess(_) => None,
        }
    }
}
