//! `node.yaml`, checked: what a host of many tenants is made of.
//!
//! Owns its resolved form, and what its parts say of each other. Opens nothing but the file itself: paths stay paths, for
//! whoever has the power to open them.

mod allowance;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cap_std::fs::Dir;

pub use self::allowance::Allowance;
use self::allowance::Allowed;
use crate::raw::{self, RawBudget, RawGrants, RawSource, RawTenant};
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

/// A text of the file with its place.
#[derive(Debug, Clone)]
pub struct Written {
    text: String,
    place: Place,
}

/// `admin:` of the file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AdminFile {
    /// `unix:PATH` or `tcp:ADDRESS:PORT`.
    pub address: Written,
    /// The file with the token that callers must know.
    pub token_file: Option<Written>,
}

/// `http:` of the file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpFile {
    /// `ADDRESS:PORT`.
    pub address: Written,
    /// Who is believed about whom a request comes from: addresses or networks.
    pub proxies: Vec<Written>,
}

/// What a tenant gets of the machine. None: see [`NodeFile::defaults`], then the engine's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TenantBudget {
    /// Bytes that all its processes may hold.
    pub memory: Option<u64>,
    /// Bytes that stay free for it.
    pub reserve: Option<u64>,
    /// Processes alive at once.
    pub processes: Option<u32>,
    /// Its part of the CPU beside other tenants.
    pub cpu_weight: Option<u32>,
    /// CPU time that it may have in a second.
    pub cpu_max: Option<Duration>,
    /// Bytes that it may print and log in a second.
    pub log_bytes: Option<u64>,
    /// Strict, whatever its application says. `false` forces nothing.
    pub strict: Option<bool>,
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

/// Where a variable's value comes from.
#[derive(Debug, Clone)]
pub enum VariableFile {
    /// It stands in the file.
    Text(String),
    /// It is what a file holds, without the last newline.
    File(Written),
}

impl Written {
    fn of(At { value, place }: At<String>) -> Self {
        Self { text: value, place }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// A mistake of what stands here.
    pub fn mistake(&self, message: impl Into<String>, hint: Option<String>) -> Mistake {
        Mistake::new(message).at(&self.place).hint(hint)
    }
}

impl NodeFile {
    /// Reads the file of this name in `dir`, which people see as `shown`.
    ///
    /// Errors: the report of everything that is wrong with it.
    pub fn read(dir: &Dir, shown: &Path, name: &str) -> Result<Self, Report> {
        let (file, mut report) = Self::draft(dir, shown, name);
        if report.is_empty() {
            return Ok(file);
        }
        report.sort();
        Err(report)
    }

    /// The same, as far as it can be used, with what is wrong with it.
    pub fn draft(dir: &Dir, shown: &Path, name: &str) -> (Self, Report) {
        let mut report = Report::default();
        let file = match Files::new(dir, shown).read(name) {
            Ok(file) => Self::of(raw::read_node(&file, &mut report), &mut report),
            Err(error) => {
                report.push(Mistake::new(error.to_string()));
                Self::default()
            }
        };
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
            data: raw.data.map(Written::of),
            data_max: raw.data_max,
            log_level: raw.log_level,
            log_format: raw.log_format,
            admin: raw.admin.map(|raw| AdminFile {
                address: Written::of(raw.address),
                token_file: raw.token_file.map(Written::of),
            }),
            http: raw.http.map(|raw| HttpFile {
                address: Written::of(raw.address),
                proxies: raw.proxies.into_iter().map(Written::of).collect(),
            }),
            defaults: budget(&raw.defaults),
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
            path: Some(Written { text: path.to_owned(), place: place.clone() }),
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
    /// What of it is said when a node is made; the rest can change while it runs.
    #[must_use]
    pub fn of_node(self) -> Self {
        Self { strict: None, log_bytes: None, ..self }
    }

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

fn budget(raw: &RawBudget) -> TenantBudget {
    let RawBudget { memory, reserve, processes, cpu_weight, cpu_max, log_bytes, strict } = *raw;
    TenantBudget { memory, reserve, processes, cpu_weight, cpu_max, log_bytes, strict }
}

fn tenant(raw: RawTenant) -> TenantFile {
    let variables = raw.env.iter().map(|setting| setting.name.value.clone()).collect();
    let env = raw.env.into_iter().map(|setting| {
        let value = match setting.value {
            RawSource::Text(text) => VariableFile::Text(text),
            RawSource::File(path) => VariableFile::File(Written::of(path)),
        };
        (setting.name.value, value)
    });
    TenantFile {
        name: raw.name.value,
        path: raw.path.map(Written::of),
        budget: budget(&raw.budget),
        env: env.collect(),
        hosts: raw.hosts.into_iter().map(Written::of).collect(),
        requests: raw.requests,
        allowance: Allowance::of(Allowed { variables, grants: raw.grants, place: Some(raw.place) }),
    }
}
