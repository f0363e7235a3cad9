//! `node.yaml` as written: the host of many tenants.
//!
//! Owns its keys, and the complaints about what one of them says. Opens nothing: paths stay paths, secrets stay names of files.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use lunarium_engine::{Level, Portion};

use super::field::{Field, Name, Page};
use super::fields::Fields;
use super::grants::{self, RawGrants};
use crate::notation::{TENANT_FORM, hint, is_tenant, unfit_variable};
use crate::report::{Mistake, Report};
use crate::source::{self, At, Place, Shape, SourceFile};

/// The forms of a log line, by the words of `--log-format`.
const FORMATS: [&str; 2] = ["text", "json"];

/// What the file says.
#[derive(Debug, Default)]
pub(crate) struct RawNode {
    pub(crate) memory: Option<u64>,
    pub(crate) processes: Option<u32>,
    pub(crate) data: Option<Written>,
    pub(crate) data_max: Option<u64>,
    pub(crate) log_level: Option<String>,
    pub(crate) log_format: Option<String>,
    pub(crate) admin: Option<AdminFile>,
    pub(crate) http: Option<HttpFile>,
    pub(crate) defaults: TenantBudget,
    pub(crate) tenants: Vec<RawTenant>,
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

/// What a tenant gets of the machine. None: see [`NodeFile::defaults`](crate::NodeFile::defaults), then the engine's own.
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
#[derive(Debug)]
pub(crate) struct RawTenant {
    pub(crate) name: At<String>,
    pub(crate) path: Option<Written>,
    pub(crate) budget: TenantBudget,
    pub(crate) env: Vec<RawSetting>,
    pub(crate) grants: RawGrants,
    pub(crate) hosts: Vec<Written>,
    pub(crate) requests: Option<u32>,
    /// Where the complaints stand that are about all of it.
    pub(crate) place: Place,
}

/// A variable of a tenant.
#[derive(Debug)]
pub(crate) struct RawSetting {
    pub(crate) name: At<String>,
    pub(crate) value: VariableFile,
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
    pub(crate) fn new(At { value, place }: At<String>) -> Self {
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

    /// A mistake of what stands here, because it stands there, too.
    pub fn again(&self, message: impl Into<String>, first: &Written) -> Mistake {
        Mistake::new(message).at(&self.place).related(&first.place, "first named here")
    }
}

/// Reads the file. Whatever is wrong goes into the report.
pub(crate) fn read(file: &Arc<SourceFile>, report: &mut Report) -> RawNode {
    let (mistakes, foreign) = (RefCell::default(), Cell::new(false));
    let page = Page { file, namespace: "", mistakes: &mistakes, foreign: &foreign };
    let node = match source::parse(&file.text) {
        Ok(node) if matches!(node.shape, Shape::Null) => {
            page.push(Mistake::new("the file is empty").at(&page.place(&(0..0))));
            RawNode::default()
        }
        Ok(node) => top(Field { node: &node, name: Name::Noun("the file"), page }),
        Err(error) => {
            page.push(Mistake::new(error.message).at(&page.place(&error.span)));
            RawNode::default()
        }
    };
    report.extend(mistakes.into_inner());
    node
}

fn top(field: Field<'_>) -> RawNode {
    let Some(mut own) = Fields::open(field) else { return RawNode::default() };
    let node = RawNode {
        memory: own.size("memory"),
        processes: own.count("processes", 1..=u32::MAX),
        data: own.text("data").map(Written::new),
        data_max: own.size("data_max"),
        log_level: own.optional("log_level").and_then(|field| one_of(field, &Level::ALL.map(Level::as_str))),
        log_format: own.optional("log_format").and_then(|field| one_of(field, &FORMATS)),
        admin: own.optional("admin").and_then(admin),
        http: own.optional("http").and_then(http),
        defaults: own.optional("defaults").and_then(defaults).unwrap_or_default(),
        tenants: tenants(&mut own),
    };
    own.finish();
    node
}

fn one_of(field: Field<'_>, words: &[&str]) -> Option<String> {
    let text = field.text()?.value;
    if !words.contains(&text.as_str()) {
        field.hinted(format!("{} can't be `{text}`", field.name), hint(&text, words));
        return None;
    }
    Some(text)
}

fn admin(field: Field<'_>) -> Option<AdminFile> {
    if let Shape::Text(_) = field.node.shape {
        return Some(AdminFile { address: Written::new(field.text()?), token_file: None });
    }
    let mut own = Fields::open(field)?;
    let (address, token_file) = (own.required_text("address"), own.text("token_file").map(Written::new));
    own.finish();
    Some(AdminFile { address: Written::new(address?), token_file })
}

fn http(field: Field<'_>) -> Option<HttpFile> {
    // A port alone is one of this machine's own address.
    if let Shape::Text(_) | Shape::Integer(_) = field.node.shape {
        return Some(HttpFile { address: Written::new(field.text_or_integer()?), proxies: Vec::new() });
    }
    let mut own = Fields::open(field)?;
    let address = own.required("address").and_then(Field::text_or_integer);
    let proxies = texts(&mut own, "proxies", "a proxy");
    own.finish();
    Some(HttpFile { address: Written::new(address?), proxies })
}

fn texts(fields: &mut Fields<'_>, key: &'static str, noun: &'static str) -> Vec<Written> {
    let Some(field) = fields.optional(key) else { return Vec::new() };
    field.items(Name::Noun(noun)).filter_map(Field::text).map(Written::new).collect()
}

fn defaults(field: Field<'_>) -> Option<TenantBudget> {
    let mut own = Fields::open(field)?;
    let budget = budget(&mut own);
    own.finish();
    Some(budget)
}

fn budget(own: &mut Fields<'_>) -> TenantBudget {
    TenantBudget {
        memory: own.size("memory"),
        reserve: own.size("reserve"),
        processes: own.count("processes", 1..=u32::MAX),
        cpu_weight: own.count("cpu_weight", Portion::WEIGHTS),
        cpu_max: own.cores("cpu_max"),
        log_bytes: own.size("log_bytes"),
        strict: own.boolean("strict"),
    }
}

fn tenants(own: &mut Fields<'_>) -> Vec<RawTenant> {
    let Some(field) = own.optional("tenants") else { return Vec::new() };
    field.items(Name::Noun("a tenant")).filter_map(tenant).collect()
}

fn tenant(field: Field<'_>) -> Option<RawTenant> {
    let mut own = Fields::open(field)?;
    let name = own.required("name").and_then(name);
    let place = name.as_ref().map_or_else(|| field.place(), |name| name.place.clone());
    if let Some(name) = &name {
        own.rename(format!("tenant `{}`", name.value));
        own.shown_at(place.clone());
    }
    let path = own.text("path").map(Written::new);
    let budget = budget(&mut own);
    let env = own.optional("env").map(env).unwrap_or_default();
    let grants = grants::read_allowed(&mut own);
    let (mut hosts, mut requests) = (Vec::new(), None);
    if let Some(mut http) = own.table("http") {
        hosts = texts(&mut http, "hosts", "a host name");
        requests = http.count("requests", 1..=u32::MAX);
        http.finish();
    }
    own.finish();
    Some(RawTenant { name: name?, path, budget, env, grants, hosts, requests, place })
}

fn name(field: Field<'_>) -> Option<At<String>> {
    let name = field.text()?;
    if !is_tenant(&name.value) {
        field.hinted(format!("`{}` can't be the name of a tenant", name.value), Some(TENANT_FORM.to_owned()));
        return None;
    }
    Some(name)
}

fn env(field: Field<'_>) -> Vec<RawSetting> {
    let mut settings = Vec::new();
    for (name, value) in field.pairs(Name::Noun("a variable's value")) {
        if let Some(form) = unfit_variable(&name.value) {
            let message = format!("`{}` can't be the name of an environment variable", name.value);
            value.page.push(Mistake::new(message).at(&name.place).hint(Some(form)));
            continue;
        }
        if let Some(value) = setting(value) {
            settings.push(RawSetting { name, value });
        }
    }
    settings
}

/// A text, or `{file: PATH}`.
fn setting(field: Field<'_>) -> Option<VariableFile> {
    if !matches!(field.node.shape, Shape::Table(_)) {
        return field.text().map(|text| VariableFile::Text(text.value));
    }
    let mut own = Fields::open(field)?;
    let file = own.required_text("file");
    own.finish();
    file.map(|path| VariableFile::File(Written::new(path)))
}
