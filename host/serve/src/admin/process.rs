//! One process with everything about it.
//!
//! Owns how a process is named in a path: by its pid, the pid's number, or a registered name.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use lunarium_engine::{Definition, LimitName, Node, Pid, ProcessDetails};
use serde_derive::Serialize;

use super::answer::{Failed, json};
use super::body::Named;
use super::host::{Held, bound, held};
use super::json::seconds;
use super::logs::Line;
use super::processes::state;
use super::routes::Route;
use super::{Shared, tenants};
use crate::host::{LogFilter, Tenant};

/// Pids of a list.
const PIDS: usize = 1_000;
/// Lines of its log.
const LINES: usize = 50;

pub(crate) fn routes() -> Vec<Route> {
    vec![Route::get("/v1/tenants/{name}/processes/{pid}", process)]
}

/// A tenant with its node and the pid of a living process.
///
/// Errors: there is no such tenant, or no such process of it.
pub(crate) fn find(shared: &Shared, tenant: &str, text: &str) -> Result<(Tenant, Node, Pid), Failed> {
    let tenant = tenants::find(shared, tenant)?;
    let node = tenant.node();
    let pid = node.as_ref().and_then(|node| node.find(text).or_else(|| by_number(node, text)));
    match node.zip(pid) {
        Some((node, pid)) => Ok((tenant, node, pid)),
        None => {
            let shown: String = text.chars().take(100).collect();
            Err(Failed::absent(format!("tenant `{}` has no process `{shown}`", tenant.name())))
        }
    }
}

/// `0x0001f`: what a pid has at its end.
fn by_number(node: &Node, text: &str) -> Option<Pid> {
    let number = u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()?;
    node.pids().into_iter().find(|pid| pid.number() == number)
}

#[derive(Serialize)]
struct Runs<'p> {
    entry: &'p str,
    file: &'p str,
    method: Option<&'p str>,
    imports: Vec<String>,
    is_current: bool,
}

#[derive(Serialize)]
struct Process<'p> {
    tenant: &'p str,
    pid: &'p str,
    parent: Option<&'p str>,
    entry: &'p str,
    host: &'p str,
    state: &'static str,
    names: &'p [String],
    cpu_seconds: f64,
    memory: u64,
    messages: u64,
    message_bytes: u64,
    calls: usize,
    links: usize,
    monitors: usize,
    watchers: usize,
    uptime_seconds: f64,
    actor: Option<&'p str>,
    frame: &'p str,
    definition: Option<Runs<'p>>,
    linked: Vec<&'p str>,
    monitoring: Vec<&'p str>,
    monitored_by: Vec<&'p str>,
    scope: Option<Vec<&'p str>>,
    limits: BTreeMap<&'static str, Option<u64>>,
    usage: Vec<Held>,
    log: Vec<Line>,
}

async fn process(
    State(shared): State<Arc<Shared>>,
    Named((name, pid)): Named<(String, String)>,
) -> Result<Response, Failed> {
    let (tenant, node, pid) = find(&shared, &name, &pid)?;
    let gone = || Failed::absent(format!("tenant `{}` has no process `{pid}`", tenant.name()));
    let seen = node.process(&pid).ok_or_else(gone)?;
    let lines = tenant.logs().last(LINES, &LogFilter::default().of(pid.clone()));
    let log = lines.iter().map(|line| Line::new(tenant.name(), line)).collect();
    json(&shared.memory, StatusCode::OK, &shown(tenant.name(), &seen, log))
}

fn shown<'p>(tenant: &'p str, seen: &'p ProcessDetails, log: Vec<Line>) -> Process<'p> {
    let ProcessDetails { info, frame, definition, is_current, links, monitors, watchers, scope, limits, usage, .. } =
        seen;
    let pids = |pids: &'p [Pid]| pids.iter().take(PIDS).map(Pid::as_str).collect();
    let limit = |name: LimitName| (name.as_str(), bound(limits.get(name)));
    Process {
        tenant,
        pid: info.pid.as_str(),
        parent: info.parent.as_ref().map(Pid::as_str),
        entry: info.entry.as_str(),
        host: info.host.as_str(),
        state: state(info.state),
        names: &info.names,
        cpu_seconds: seconds(info.cpu),
        memory: info.memory,
        messages: info.messages,
        message_bytes: info.message_bytes,
        calls: info.calls,
        links: info.links,
        monitors: info.monitors,
        watchers: info.watchers,
        uptime_seconds: seconds(info.uptime),
        actor: info.actor.as_deref(),
        frame,
        definition: definition.as_ref().map(|definition| runs(definition, *is_current)),
        linked: pids(links),
        monitoring: pids(monitors),
        monitored_by: pids(watchers),
        scope: scope.as_ref().map(|scope| scope.iter().map(|policy| policy.as_str()).collect()),
        limits: LimitName::ALL.into_iter().map(limit).collect(),
        usage: held(usage),
        log,
    }
}

fn runs(definition: &Definition, is_current: bool) -> Runs<'_> {
    let name: &str = &definition.chunk.name;
    let imports = definition.imports.iter().map(|import| format!("{}: {}", import.alias, import.entry));
    Runs {
        entry: definition.entry.as_str(),
        // Lua's mark of a file, or of another name.
        file: name.strip_prefix(['@', '=']).unwrap_or(name),
        method: definition.method.as_deref(),
        imports: imports.collect(),
        is_current,
    }
}
