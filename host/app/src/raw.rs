//! An `_index.yaml` as written: shapes checked, references not yet followed.
//!
//! Owns the keys and kinds of the format. Refuses to know about other files: whether an id exists, whether a source
//! can be read and whether imports go in circles is `resolve`'s.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use lunarium_kernel::LimitsOverride;

use crate::fields::{self, Fields};
use crate::grants::{self, RawGrants, RawVariable};
use crate::identifier::{NAME_FORM, NAMESPACE_FORM, full_id_at, is_name, is_namespace};
use crate::limits;
use crate::report::{Findings, Report, SourceFile};
use crate::security::{self, RawPolicy, RawSecurity};
use crate::suggest;
use crate::yaml::{self, At, Node, Shape};

/// The version of the format.
const VERSION: &str = "1.0";

const PROCESS: &str = "process.lua";
const LIBRARY: &str = "library.lua";
const HOST: &str = "process.host";
const SERVICE: &str = "process.service";
const POLICY: &str = "security.policy";
const VARIABLE: &str = "env.variable";
const KINDS: [&str; 6] = [PROCESS, LIBRARY, HOST, SERVICE, POLICY, VARIABLE];

/// An entry with its full id and its place.
#[derive(Debug)]
pub(crate) struct RawEntry {
    pub(crate) file: Arc<SourceFile>,
    /// The folder of its file, relative to the app.
    pub(crate) folder: String,
    /// The place is the name's.
    pub(crate) id: At<String>,
    pub(crate) body: RawBody,
}

/// What an entry is.
#[derive(Debug)]
pub(crate) enum RawBody {
    Process(RawProcess),
    Library(RawLibrary),
    Host(RawHost),
    Service(RawService),
    Policy(RawPolicy),
    Variable(RawVariable),
    /// A kind that was reported; the id is kept, so that references to it aren't reported too.
    Unusable,
}

impl RawBody {
    /// The kind, as messages name it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Process(_) => PROCESS,
            Self::Library(_) => LIBRARY,
            Self::Host(_) => HOST,
            Self::Service(_) => SERVICE,
            Self::Policy(_) => POLICY,
            Self::Variable(_) => VARIABLE,
            Self::Unusable => "",
        }
    }
}

/// One line of `imports`: the alias and the full id.
#[derive(Debug)]
pub(crate) struct RawImport {
    pub(crate) alias: At<String>,
    pub(crate) entry: At<String>,
}

#[derive(Debug)]
pub(crate) struct RawProcess {
    pub(crate) source: Option<At<String>>,
    pub(crate) method: Option<String>,
    pub(crate) imports: Vec<RawImport>,
    pub(crate) limits: LimitsOverride,
    pub(crate) grants: RawGrants,
}

#[derive(Debug)]
pub(crate) struct RawLibrary {
    pub(crate) source: Option<At<String>>,
    pub(crate) imports: Vec<RawImport>,
}

#[derive(Debug)]
pub(crate) struct RawHost {
    pub(crate) max_processes: Option<u32>,
    pub(crate) limits: LimitsOverride,
    pub(crate) security: Option<RawSecurity>,
    pub(crate) grants: RawGrants,
    pub(crate) lifecycle: RawLifecycle,
}

#[derive(Debug)]
pub(crate) struct RawService {
    pub(crate) process: Option<At<String>>,
    pub(crate) host: Option<At<String>>,
    pub(crate) input: Vec<Node>,
    pub(crate) security: Option<RawSecurity>,
    pub(crate) lifecycle: RawLifecycle,
}

#[derive(Debug, Default)]
pub(crate) struct RawLifecycle {
    pub(crate) auto_start: Option<bool>,
    pub(crate) depends_on: Vec<At<String>>,
    pub(crate) start_timeout: Option<Duration>,
    pub(crate) stop_timeout: Option<Duration>,
    pub(crate) restart: RawRestart,
}

#[derive(Debug, Default)]
pub(crate) struct RawRestart {
    pub(crate) initial_delay: Option<Duration>,
    pub(crate) max_delay: Option<Duration>,
    pub(crate) backoff_factor: Option<f64>,
    pub(crate) jitter: Option<f64>,
    pub(crate) max_attempts: Option<u32>,
    pub(crate) stable_threshold: Option<Duration>,
}

/// What one file holds.
#[derive(Debug, Default)]
pub(crate) struct RawIndex {
    pub(crate) entries: Vec<RawEntry>,
    /// The application is strict.
    pub(crate) strict: bool,
}

/// Reads one file. Whatever is wrong goes into the report; entries are returned as far as they can be used.
pub(crate) fn read(file: &Arc<SourceFile>, folder: &str, report: &mut Report) -> RawIndex {
    let mut findings = Findings { file, report };
    let node = match yaml::parse(&file.text) {
        Ok(node) => node,
        Err(error) => {
            findings.mistake(&error.span, error.message);
            return RawIndex::default();
        }
    };
    if matches!(node.shape, Shape::Null) {
        findings.mistake(&(0..0), "the file is empty");
        return RawIndex::default();
    }
    let Some(mut top) = Fields::open(&node, "the file", &mut findings) else { return RawIndex::default() };
    // Its table begins at the first key, which is a fine place for what the file lacks.
    top.shown_at(&(0..0));
    version(&mut top, &mut findings);
    let namespace = namespace(&mut top, &mut findings);
    let entries = top.required("entries", &mut findings);
    let strict = security::read_strict(&mut top, folder.is_empty(), &mut findings);
    top.finish(&mut findings);
    let mut found = Vec::new();
    let items = entries.map(|entries| fields::list(entries, "`entries`", &mut findings)).unwrap_or_default();
    for item in items {
        if let Some((id, body)) = entry(item, namespace.as_deref(), &mut findings) {
            found.push(RawEntry { file: Arc::clone(file), folder: folder.to_owned(), id, body });
        }
    }
    RawIndex { entries: found, strict }
}

fn version(top: &mut Fields<'_>, findings: &mut Findings<'_>) {
    let Some(version) = top.required_text("version", findings) else { return };
    if version.value != VERSION {
        let message = format!("version `{}` is not known", version.value);
        findings.hinted(&version.span, message, Some(format!("write `version: \"{VERSION}\"`")));
    }
}

fn namespace(top: &mut Fields<'_>, findings: &mut Findings<'_>) -> Option<String> {
    let namespace = top.required_text("namespace", findings)?;
    if !is_namespace(&namespace.value) {
        let message = format!("`{}` is not a namespace", namespace.value);
        findings.hinted(&namespace.span, message, Some(NAMESPACE_FORM.to_owned()));
        return None;
    }
    Some(namespace.value)
}

/// Reads one entry. Without a usable name nothing can refer to it, so it is checked and dropped.
fn entry(item: &Node, namespace: Option<&str>, findings: &mut Findings<'_>) -> Option<(At<String>, RawBody)> {
    let mut fields = Fields::open(item, "an entry", findings)?;
    let name = fields.required_text("name", findings);
    let what = name.as_ref().map_or_else(|| "the entry".to_owned(), |name| format!("entry `{}`", name.value));
    fields.rename(what);
    fields.shown_at(&name.as_ref().map_or_else(|| first_byte(&item.span), |name| name.span.clone()));
    let kind = fields.required_text("kind", findings);
    if let Some(meta) = fields.optional("meta") {
        fields::table(meta, "`meta`", findings);
    }
    let space = namespace.unwrap_or_default();
    let body = match &kind {
        Some(kind) => body(kind, &mut fields, space, findings),
        None => None,
    };
    let body = match body {
        Some(body) => {
            fields.finish(findings);
            body
        }
        // Which keys belong here isn't known.
        None => RawBody::Unusable,
    };
    let name = name?;
    if !is_name(&name.value) {
        let message = format!("`{}` is not a name", name.value);
        findings.hinted(&name.span, message, Some(NAME_FORM.to_owned()));
        return None;
    }
    Some((full_id_at(namespace?, name), body))
}

fn first_byte(span: &Range<usize>) -> Range<usize> {
    span.start..span.start.saturating_add(1)
}

fn body(kind: &At<String>, fields: &mut Fields<'_>, space: &str, findings: &mut Findings<'_>) -> Option<RawBody> {
    match kind.value.as_str() {
        PROCESS => Some(RawBody::Process(process(fields, space, findings))),
        LIBRARY => Some(RawBody::Library(library(fields, space, findings))),
        HOST => Some(RawBody::Host(host(fields, space, findings))),
        SERVICE => Some(RawBody::Service(service(fields, space, findings))),
        POLICY => Some(RawBody::Policy(security::read_policy(fields, space, findings))),
        VARIABLE => Some(RawBody::Variable(grants::read_variable(fields, findings))),
        other => {
            findings.hinted(&kind.span, format!("unknown kind `{other}`"), suggest::hint(other, &KINDS));
            None
        }
    }
}

fn process(fields: &mut Fields<'_>, space: &str, findings: &mut Findings<'_>) -> RawProcess {
    let source = fields.required_text("source", findings);
    let method = fields.text("method", findings);
    let imports = imports(fields, space, findings);
    modules(fields, findings);
    let limits = fields.optional("limits").map(|node| limits::read(node, findings)).unwrap_or_default();
    let grants = grants(fields, findings);
    if let Some(method) = method.as_ref().filter(|method| method.value.is_empty()) {
        findings.mistake(&method.span, "`method` is empty");
    }
    RawProcess { source, method: method.map(|method| method.value), imports, limits, grants }
}

fn grants(fields: &mut Fields<'_>, findings: &mut Findings<'_>) -> RawGrants {
    fields.optional("grants").map(|node| grants::read(node, findings)).unwrap_or_default()
}

fn library(fields: &mut Fields<'_>, space: &str, findings: &mut Findings<'_>) -> RawLibrary {
    let source = fields.required_text("source", findings);
    let imports = imports(fields, space, findings);
    modules(fields, findings);
    RawLibrary { source, imports }
}

/// `modules:` is accepted and means nothing: every module is always there.
fn modules(fields: &mut Fields<'_>, findings: &mut Findings<'_>) {
    let Some(node) = fields.optional("modules") else { return };
    for item in fields::list(node, "`modules`", findings) {
        fields::text(item, "a module", findings);
    }
}

fn imports(fields: &mut Fields<'_>, space: &str, findings: &mut Findings<'_>) -> Vec<RawImport> {
    let Some(node) = fields.optional("imports") else { return Vec::new() };
    let mut imports = Vec::new();
    for (alias, value) in fields::table(node, "`imports`", findings) {
        if let Some(entry) = fields::text(value, "an import", findings) {
            imports.push(RawImport { alias: alias.clone(), entry: full_id_at(space, entry) });
        }
    }
    imports
}

fn host(fields: &mut Fields<'_>, space: &str, findings: &mut Findings<'_>) -> RawHost {
    let settings = fields.optional("host").and_then(|node| Fields::open(node, "`host`", findings));
    let max_processes = settings.and_then(|mut settings| {
        let max_processes = settings.count("max_processes", 1, findings);
        settings.finish(findings);
        max_processes
    });
    let limits = fields.optional("limits").map(|node| limits::read(node, findings)).unwrap_or_default();
    let grants = grants(fields, findings);
    let security = security::read_security(fields, space, findings);
    RawHost { max_processes, limits, grants, security, lifecycle: lifecycle(fields, space, findings) }
}

fn service(fields: &mut Fields<'_>, space: &str, findings: &mut Findings<'_>) -> RawService {
    let process = fields.required_text("process", findings).map(|id| full_id_at(space, id));
    let host = fields.required_text("host", findings).map(|id| full_id_at(space, id));
    let input = fields.optional("input").map(|node| fields::list(node, "`input`", findings).to_vec());
    let security = security::read_security(fields, space, findings);
    let lifecycle = lifecycle(fields, space, findings);
    RawService { process, host, input: input.unwrap_or_default(), security, lifecycle }
}

fn lifecycle(fields: &mut Fields<'_>, space: &str, findings: &mut Findings<'_>) -> RawLifecycle {
    let Some(node) = fields.optional("lifecycle") else { return RawLifecycle::default() };
    let Some(mut own) = Fields::open(node, "`lifecycle`", findings) else { return RawLifecycle::default() };
    let auto_start = own.boolean("auto_start", findings);
    let mut depends_on = Vec::new();
    if let Some(list) = own.optional("depends_on") {
        for item in fields::list(list, "`depends_on`", findings) {
            depends_on.extend(fields::text(item, "an id", findings).map(|id| full_id_at(space, id)));
        }
    }
    let start_timeout = own.duration("start_timeout", findings);
    let stop_timeout = own.duration("stop_timeout", findings);
    let restart = own.optional("restart").map(|node| restart(node, findings)).unwrap_or_default();
    own.finish(findings);
    RawLifecycle { auto_start, depends_on, start_timeout, stop_timeout, restart }
}

fn restart(node: &Node, findings: &mut Findings<'_>) -> RawRestart {
    let Some(mut own) = Fields::open(node, "`restart`", findings) else { return RawRestart::default() };
    let restart = RawRestart {
        initial_delay: own.duration("initial_delay", findings),
        max_delay: own.duration("max_delay", findings),
        backoff_factor: own.number("backoff_factor", 1.0..=1000.0, findings),
        jitter: own.number("jitter", 0.0..=1.0, findings),
        max_attempts: own.count("max_attempts", 0, findings),
        stable_threshold: own.duration("stable_threshold", findings),
    };
    own.finish(findings);
    restart
}
