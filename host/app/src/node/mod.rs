//! `node.yaml`, checked: what a host of many tenants is made of.
//!
//! Owns its resolved form, and what its parts say of each other. Opens nothing but the file itself: paths stay paths, for
//! whoever has the power to open them.

mod allowance;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::Dir;

pub use self::allowance::Allowance;
use self::allowance::Allowed;
use crate::raw::{self, RawGrants, RawTenant};
pub use crate::raw::{AdminFile, HttpFile, TenantBudget, VariableFile, Written};
use crate::report::{Mistake, Report};
use crate::source::{At, Files, Place};

/// The name of the file in a folder.
pub const NODE_FILE: &str = "node.yaml";

/// What a host of many tenants is made of, as its file says it. What it doesn't say is none.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct NodeFile {
    /// Bytes that all tenants may hold together.
    pub memory: Option<u64>,
    /// Processes of all tenants.
    pub processes: Option<u32>,
    /// The directory of what outlives the host: stores, and what was deployed.
    pub data: Option<Written>,
    /// Bytes that one tenant's store may hold.
    pub data_max: Option<u64>,
    /// The least important log lines to show: `debug`, `info`, `warn` or `error`.
    pub log_level: Option<String>,
    /// How log lines are written: `text` or `json`.
    pub log_format: Option<String>,
    /// Where the admin interface listens.
    pub admin: Option<AdminFile>,
    /// Where requests from outside are taken.
    pub http: Option<HttpFile>,
    /// What a tenant has whose own entry doesn't say, and one that was deployed without an entry.
    pub defaults: TenantBudget,
    /// The tenants, in the order of the file.
    pub tenants: Vec<TenantFile>,
}

/// An item of `tenants`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TenantFile {
    /// Its name.
    pub name: String,
    /// Its application's folder; none: it is deployed.
    pub path: Option<Written>,
    /// What it gets of the machine.
    pub budget: TenantBudget,
    /// Its variables.
    pub env: BTreeMap<String, VariableFile>,
    /// Names of hosts whose requests are its own.
    pub hosts: Vec<Written>,
    /// Requests that it takes in a second.
    pub requests: Option<u32>,
    /// What its application may grant.
    pub allowance: Allowance,
}

impl NodeFile {
    /// Reads the file of this name in `dir`, which people see as `shown`: as far as it can be used, with everything that is wrong with it.
    pub fn draft(dir: &Dir, shown: &Path, name: &str) -> (Self, Report) {
        let mut report = Report::default();
        let file = match Files::new(dir, shown).read(name) {
            Ok(file) => Self::of(raw::read_node(&file, &mut report), &mut report),
            Err(error) => {
                report.push(Mistake::new(error.to_string()));
                Self::default()
            }
        };
        report.sort();
        (file, report)
    }

    fn of(raw: raw::RawNode, report: &mut Report) -> Self {
        let mut first: BTreeMap<&str, &Place> = BTreeMap::new();
        for RawTenant { name, .. } in &raw.tenants {
            match first.get(name.value.as_str()) {
                None => drop(first.insert(&name.value, &name.place)),
                Some(first) => {
                    let mistake = Mistake::new(format!("tenant `{}` is named twice", name.value)).at(&name.place);
                    report.push(mistake.related(first, "first named here"));
                }
            }
        }
        if let Some(path) = raw.tenants.iter().find(|tenant| tenant.path.is_none() && raw.data.is_none()) {
            let message = format!("tenant `{}` has no `path`, and there is no `data` to deploy it to", path.name.value);
            report.push(Mistake::new(message).at(&path.place));
        }
        Self {
            memory: raw.memory,
            processes: raw.processes,
            data: raw.data,
            data_max: raw.data_max,
            log_level: raw.log_level,
            log_format: raw.log_format,
            admin: raw.admin,
            http: raw.http,
            defaults: raw.defaults,
            tenants: raw.tenants.into_iter().map(tenant).collect(),
        }
    }

    /// The tenant of this name.
    pub fn tenant(&self, name: &str) -> Option<&TenantFile> {
        self.tenants.iter().find(|tenant| tenant.name == name)
    }
}

impl TenantFile {
    /// A tenant whose application lies in this folder, with nothing but that.
    pub fn at(name: &str, place: &str, path: &str) -> Self {
        let file = crate::source::SourceFile::new(place.to_owned(), path.into());
        let place = Place::new(&Arc::new(file), 0..path.len());
        Self {
            name: name.to_owned(),
            path: Some(Written::new(At { value: path.to_owned(), place: place.clone() })),
            budget: TenantBudget::default(),
            env: BTreeMap::new(),
            hosts: Vec::new(),
            requests: None,
            allowance: Allowance::of(Allowed {
                variables: Vec::new(),
                grants: RawGrants::default(),
                place: Some(place),
            }),
        }
    }
}

impl TenantBudget {
    /// The same, and what it doesn't say from another.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            memory: self.memory.or(other.memory),
            reserve: self.reserve.or(other.reserve),
            processes: self.processes.or(other.processes),
            cpu_weight: self.cpu_weight.or(other.cpu_weight),
            cpu_max: self.cpu_max.or(other.cpu_max),
            log_bytes: self.log_bytes.or(other.log_bytes),
            strict: self.strict.or(other.strict),
        }
    }
}

fn tenant(raw: RawTenant) -> TenantFile {
    let variables = raw.env.iter().map(|setting| setting.name.value.clone()).collect();
    let env = raw.env.into_iter().map(|setting| (setting.name.value, setting.value));
    TenantFile {
        name: raw.name.value,
        path: raw.path,
        budget: raw.budget,
        env: env.collect(),
        hosts: raw.hosts,
        requests: raw.requests,
        allowance: Allowance::of(Allowed { variables, grants: raw.grants, place: Some(raw.place) }),
    }
}
