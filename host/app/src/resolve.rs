//! From entries as written to an application: references followed, defaults filled in.
//!
//! Owns every check that needs more than one entry: ids that are taken or unknown, imports, circles. Does not parse
//! and does not compile.

use std::collections::BTreeMap;
use std::sync::Arc;

use lunarium_engine::{Chunk, Definition, Grants, HostDefinition, Import, Library, Value};
use lunarium_kernel::{EntryId, HostId, Limits, RestartPolicy};

use crate::application::{App, DEFAULT_HOST, Host, Lifecycle, MAIN, Service, UNBOUNDED};
use crate::excess;
use crate::files::Files;
use crate::grants::{Authority, Granter};
use crate::graph::{self, Edges};
use crate::limits;
use crate::program::Programs;
use crate::raw::{RawBody, RawEntry, RawHost, RawImport, RawLifecycle, RawProcess, RawRestart, RawService};
use crate::report::{Findings, Mistake, Place, Report};
use crate::suggest;
use crate::unused;
use crate::yaml::{At, Node, Shape};

/// Modules that `require` always finds: an import with such an alias would never be seen.
const MODULES: [&str; 11] =
    ["process", "channel", "coroutine", "time", "errors", "ctx", "security", "json", "logger", "env", "fs"];

/// Follows every reference. Whatever is wrong goes into the report; the application is only fit to run without. Warnings
/// are of one without.
pub(crate) fn resolve(
    entries: &[RawEntry],
    files: &mut Files<'_>,
    authority: &dyn Authority,
    report: &mut Report,
) -> (App, Vec<Mistake>) {
    let mut granter = Granter::new(files.dir(), authority, entries, report);
    let mut resolver = Resolver { entries, ids: BTreeMap::new(), programs: Programs::default(), report };
    resolver.collect_ids();
    let chunks = resolver.load_sources(files);
    let imports = resolver.check_imports();
    let definitions = resolver.definitions(&chunks, &imports, &mut granter);
    let services = resolver.services();
    let hosts = resolver.hosts(&services, &mut granter);
    let policies = resolver.policies();
    let programs = resolver.programs;
    let mut warnings = unused::unused(entries, &chunks);
    warnings.extend(excess::excess(entries));
    (App { definitions, hosts, services, programs, policies, strict: false }, warnings)
}

pub(crate) struct Resolver<'a> {
    pub(crate) entries: &'a [RawEntry],
    /// Where each id is defined first.
    ids: BTreeMap<&'a str, usize>,
    programs: Programs,
    report: &'a mut Report,
}

impl<'a> Resolver<'a> {
    pub(crate) fn findings(&mut self, entry: &'a RawEntry) -> Findings<'_> {
        Findings { file: &entry.file, report: self.report }
    }

    fn collect_ids(&mut self) {
        for (number, entry) in self.entries.iter().enumerate() {
            let id = entry.id.value.as_str();
            let first = self.ids.get(id).and_then(|first| self.entries.get(*first));
            match first {
                None => {
                    self.ids.insert(id, number);
                }
                Some(first) => self.report.push(
                    Mistake::new(format!("id `{id}` is defined twice"))
                        .at(Place::new(&entry.file, entry.id.span.clone()))
                        .related(Place::new(&first.file, first.id.span.clone()), "first defined here"),
                ),
            }
        }
    }

    /// The chunk of each entry, by its number.
    fn load_sources(&mut self, files: &mut Files<'_>) -> Vec<Option<Chunk>> {
        let mut chunks = Vec::with_capacity(self.entries.len());
        for entry in self.entries {
            let source = match &entry.body {
                RawBody::Process(process) => process.source.as_ref(),
                RawBody::Library(library) => library.source.as_ref(),
                _ => None,
            };
            chunks.push(source.and_then(|source| self.programs.load(entry, source, files, self.report)));
        }
        chunks
    }

    /// The entry that a reference names, when it exists and has one of the kinds; else the mistake is reported.
    pub(crate) fn find(&mut self, from: &'a RawEntry, reference: &At<String>, kinds: &[&'static str]) -> Option<usize> {
        let found = self.ids.get(reference.value.as_str()).copied();
        let entries = self.entries;
        let body = found.and_then(|number| entries.get(number)).map(|entry| &entry.body);
        match body {
            Some(RawBody::Unusable) => None,
            Some(body) if kinds.contains(&body.kind()) => found,
            Some(body) => {
                let message = format!("`{}` is a `{}`, not a `{}`", reference.value, body.kind(), kinds.join("` or `"));
                self.findings(from).mistake(&reference.span, message);
                None
            }
            None => {
                let candidates: Vec<&str> =
                    entries.iter().filter(|entry| kinds.contains(&entry.body.kind())).map(RawEntry::id).collect();
                let hint = suggest::hint(&reference.value, &candidates);
                let message = format!("there is no `{}` with the id `{}`", kinds.join("` or `"), reference.value);
                self.findings(from).hinted(&reference.span, message, hint);
                None
            }
        }
    }

    /// What each entry imports, as numbers of entries, in the order of its `imports`.
    fn check_imports(&mut self) -> Edges {
        let mut edges = vec![Vec::new(); self.entries.len()];
        for (entry, edges) in self.entries.iter().zip(&mut edges) {
            for import in entry.imports() {
                self.check_alias(entry, import);
                edges.extend(self.find(entry, &import.entry, &["library.lua"]));
            }
        }
        for circle in graph::order(&edges).circles {
            self.report_circle(&circle, "libraries import each other in a circle");
        }
        edges
    }

    fn check_alias(&mut self, entry: &'a RawEntry, import: &RawImport) {
        let alias = import.alias.value.as_str();
        if MODULES.contains(&alias) {
            let message = format!("alias `{alias}` is the name of a module that is always there");
            let hint = Some("choose another alias: `require` would find the module".to_owned());
            self.findings(entry).hinted(&import.alias.span, message, hint);
        } else if alias.is_empty() || alias.len() > 255 {
            self.findings(entry).mistake(&import.alias.span, "an alias has from 1 to 255 bytes");
        }
    }

    fn report_circle(&mut self, circle: &[usize], what: &str) {
        let names: Vec<&str> =
            circle.iter().chain(circle.first()).filter_map(|n| self.entries.get(*n)).map(RawEntry::id).collect();
        if let Some(first) = circle.first().and_then(|number| self.entries.get(*number)) {
            let message = format!("{what}: `{}`", shortened(&names).join("` → `"));
            self.findings(first).mistake(&first.id.span, message);
        }
    }

    /// The services to start, needed ones first.
    fn services(&mut self) -> Vec<Service> {
        let mut edges: Edges = vec![Vec::new(); self.entries.len()];
        let mut roots = Vec::new();
        for (number, entry) in self.entries.iter().enumerate() {
            let Some(lifecycle) = entry.lifecycle() else { continue };
            let needs: Vec<usize> = lifecycle
                .depends_on
                .iter()
                .filter_map(|id| self.find(entry, id, &["process.service", "process.host"]))
                .collect();
            if let Some(edges) = edges.get_mut(number) {
                *edges = needs;
            }
            if matches!(entry.body, RawBody::Service(_)) && lifecycle.auto_start.unwrap_or(true) {
                roots.push(number);
            }
        }
        let order = graph::order(&edges);
        for circle in &order.circles {
            self.report_circle(circle, "entries depend on each other in a circle");
        }
        let started = graph::reachable(roots, &edges);
        let mut services = Vec::new();
        // All are checked, and those to start are kept.
        for number in order.order {
            let Some(entry) = self.entries.get(number) else { continue };
            if let RawBody::Service(raw) = &entry.body {
                let service = self.service(entry, raw);
                services.extend(service.filter(|_| started.get(number) == Some(&true)));
            }
        }
        services
    }

    fn service(&mut self, entry: &'a RawEntry, raw: &'a RawService) -> Option<Service> {
        let process = raw.process.as_ref().and_then(|id| self.find(entry, id, &["process.lua"]).map(|_| id));
        let host = raw.host.as_ref().filter(|id| self.host_exists(entry, id));
        let input = raw.input.iter().map(value).collect();
        let security = self.security(entry, raw.security.as_ref());
        let (process, host) = (process?, host?);
        let lifecycle = lifecycle(&raw.lifecycle);
        Some(Service {
            id: EntryId::new(entry.id()),
            process: EntryId::new(process.value.as_str()),
            host: HostId::new(host.value.as_str()),
            input,
            security,
            lifecycle,
        })
    }

    fn has_hosts(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.body, RawBody::Host(_)))
    }

    fn host_exists(&mut self, entry: &'a RawEntry, id: &At<String>) -> bool {
        (id.value == DEFAULT_HOST && !self.has_hosts()) || self.find(entry, id, &["process.host"]).is_some()
    }

    fn definitions(&mut self, chunks: &[Option<Chunk>], imports: &Edges, granter: &mut Granter<'_>) -> Vec<Definition> {
        let entries = self.entries;
        let mut definitions = Vec::new();
        for (number, (entry, chunk)) in entries.iter().zip(chunks).enumerate() {
            let RawBody::Process(process) = &entry.body else { continue };
            let grants = granter.grants(&process.grants, &mut self.findings(entry));
            let Some(chunk) = chunk else { continue };
            let needed = graph::reachable(imports.get(number).into_iter().flatten().copied(), imports);
            let libraries = entries.iter().zip(chunks).zip(needed).filter(|(_, needed)| *needed);
            let libraries = libraries.filter_map(|((entry, chunk), _)| {
                let imports = resolved_imports(entry);
                Some(Library { entry: EntryId::new(entry.id()), chunk: chunk.clone()?, imports })
            });
            definitions.push(definition(entry, process, chunk.clone(), libraries.collect(), grants));
        }
        definitions
    }

    fn hosts(&mut self, services: &[Service], granter: &mut Granter<'_>) -> Vec<Host> {
        if !self.has_hosts() {
            return vec![default_host()];
        }
        let mut hosts = Vec::new();
        for entry in self.entries {
            let RawBody::Host(raw) = &entry.body else { continue };
            let needed = services.iter().any(|service| {
                service.host.as_str() == entry.id()
                    || service.lifecycle.depends_on.iter().any(|id| id.as_str() == entry.id())
            });
            let started = needed || raw.lifecycle.auto_start.unwrap_or(true);
            let grants = granter.grants(&raw.grants, &mut self.findings(entry));
            let security = self.security(entry, raw.security.as_ref());
            let definition = HostDefinition { grants, security, ..host_definition(entry.id(), raw) };
            hosts.push(Host { definition, started });
        }
        hosts
    }
}

impl RawEntry {
    fn id(&self) -> &str {
        &self.id.value
    }

    pub(crate) fn imports(&self) -> &[RawImport] {
        match &self.body {
            RawBody::Process(process) => &process.imports,
            RawBody::Library(library) => &library.imports,
            _ => &[],
        }
    }

    pub(crate) fn lifecycle(&self) -> Option<&RawLifecycle> {
        match &self.body {
            RawBody::Host(host) => Some(&host.lifecycle),
            RawBody::Service(service) => Some(&service.lifecycle),
            _ => None,
        }
    }
}

/// A long circle by its ends: the middle of a thousand names tells nothing.
fn shortened<'n>(names: &[&'n str]) -> Vec<&'n str> {
    match (names.get(..4), names.last()) {
        (Some(first), Some(last)) if names.len() > 8 => first.iter().copied().chain(["…", last]).collect(),
        _ => names.to_vec(),
    }
}

/// The host of an application that defines none.
pub(crate) fn default_host() -> Host {
    let id = HostId::new(DEFAULT_HOST);
    let (limits, grants) = (Limits::default(), Arc::default());
    Host {
        definition: HostDefinition { max_processes: UNBOUNDED, limits, grants, ..HostDefinition::new(id) },
        started: true,
    }
}

fn host_definition(id: &str, raw: &RawHost) -> HostDefinition {
    HostDefinition {
        max_processes: raw.max_processes.unwrap_or(UNBOUNDED),
        limits: limits::of_host(&raw.limits),
        ..HostDefinition::new(HostId::new(id))
    }
}

fn definition(
    entry: &RawEntry,
    process: &RawProcess,
    chunk: Chunk,
    libraries: Vec<Library>,
    grants: Arc<Grants>,
) -> Definition {
    Definition {
        entry: EntryId::new(entry.id()),
        method: process.method.as_deref().unwrap_or(MAIN).into(),
        chunk,
        imports: resolved_imports(entry),
        libraries,
        limits: process.limits.clone(),
        grants,
    }
}

fn resolved_imports(entry: &RawEntry) -> Vec<Import> {
    let import = |import: &RawImport| Import {
        alias: Arc::from(import.alias.value.as_str()),
        entry: EntryId::new(import.entry.value.as_str()),
    };
    entry.imports().iter().map(import).collect()
}

fn lifecycle(raw: &RawLifecycle) -> Lifecycle {
    let default = Lifecycle::default();
    Lifecycle {
        auto_start: raw.auto_start.unwrap_or(default.auto_start),
        depends_on: raw.depends_on.iter().map(|id| EntryId::new(id.value.as_str())).collect(),
        start_timeout: raw.start_timeout.unwrap_or(default.start_timeout),
        stop_timeout: raw.stop_timeout.unwrap_or(default.stop_timeout),
        restart: restart(&raw.restart),
    }
}

fn restart(raw: &RawRestart) -> RestartPolicy {
    let default = RestartPolicy::default();
    RestartPolicy {
        initial_delay: raw.initial_delay.unwrap_or(default.initial_delay),
        max_delay: raw.max_delay.unwrap_or(default.max_delay),
        backoff_factor: raw.backoff_factor.unwrap_or(default.backoff_factor),
        jitter: raw.jitter.unwrap_or(default.jitter),
        max_attempts: raw.max_attempts.unwrap_or(default.max_attempts),
        stable_threshold: raw.stable_threshold.unwrap_or(default.stable_threshold),
    }
}

/// A value of `input` as Lua sees it.
pub(crate) fn value(node: &Node) -> Value {
    match &node.shape {
        Shape::Null => Value::Nil,
        Shape::Boolean(value) => Value::Boolean(*value),
        Shape::Integer(value) => Value::Integer(*value),
        Shape::Float(value) => Value::Float(*value),
        Shape::Text(value) => Value::String(value.clone().into_bytes()),
        Shape::List(items) => Value::Array(items.iter().map(value).collect()),
        Shape::Table(pairs) => Value::Map(
            pairs.iter().map(|(key, item)| (Value::String(key.value.clone().into_bytes()), value(item))).collect(),
        ),
    }
}
