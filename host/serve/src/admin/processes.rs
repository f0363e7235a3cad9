//! Processes of a tenant as a table: sorted, searched, cut.
//!
//! Owns the columns. A row is an array, so that 8,000 of them are a megabyte.

use std::cmp::Ordering;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use lunarium_engine::{Node, Pid, ProcessInfo, ProcessState};
use serde_derive::{Deserialize, Serialize};

use super::answer::{Failed, json};
use super::body::{Named, Parameters};
use super::host::at_most;
use super::json::seconds;
use super::routes::Route;
use super::{Shared, tenants};

/// Rows of an answer where nothing else is asked for, and at most.
const ROWS: (usize, usize) = (1_000, 10_000);
/// Bytes of a text to search for.
const SEARCH: usize = 256;

pub(crate) fn routes() -> Vec<Route> {
    vec![Route::get("/v1/tenants/{name}/processes", processes)]
}

/// A column to sort by.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Column {
    Pid,
    Parent,
    Entry,
    Host,
    State,
    Names,
    CpuSeconds,
    Memory,
    Messages,
    MessageBytes,
    Calls,
    Links,
    Monitors,
    Watchers,
    UptimeSeconds,
    Actor,
}

/// Their names, as they stand in a row.
const COLUMNS: [&str; 16] = [
    "pid",
    "parent",
    "entry",
    "host",
    "state",
    "names",
    "cpu_seconds",
    "memory",
    "messages",
    "message_bytes",
    "calls",
    "links",
    "monitors",
    "watchers",
    "uptime_seconds",
    "actor",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    Asc,
    Desc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State_ {
    Starting,
    Running,
    Waiting,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    sort: Option<Column>,
    order: Option<Order>,
    limit: Option<usize>,
    offset: Option<usize>,
    search: Option<String>,
    state: Option<State_>,
    host: Option<String>,
}

type Row<'p> = (
    &'p str,
    Option<&'p str>,
    &'p str,
    &'p str,
    &'static str,
    &'p [String],
    f64,
    u64,
    u64,
    u64,
    usize,
    usize,
    usize,
    usize,
    f64,
    Option<&'p str>,
);

#[derive(Serialize)]
struct Table<'p> {
    tenant: &'p str,
    total: usize,
    matched: usize,
    offset: usize,
    columns: [&'static str; 16],
    rows: Vec<Row<'p>>,
}

async fn processes(
    State(shared): State<Arc<Shared>>,
    Named(name): Named<String>,
    Parameters(wish): Parameters<Wish>,
) -> Result<Response, Failed> {
    let limit = at_most("limit", wish.limit, ROWS.0, 1, ROWS.1)?;
    let search = Search::new(wish.search.as_deref())?;
    let tenant = tenants::find(&shared, &name)?;
    let mut all = tenant.node().as_ref().map(Node::processes).unwrap_or_default();
    let total = all.len();
    all.retain(|process| {
        search.finds(process)
            && wish.state.is_none_or(|state| state == state_of(process.state))
            && wish.host.as_deref().is_none_or(|host| host == process.host.as_str())
    });
    let (matched, offset) = (all.len(), wish.offset.unwrap_or(0));
    // They are in the order of their starts, which counts between equals, too.
    if let Some(column) = wish.sort {
        all.sort_by(|a, b| compare(column, a, b));
    }
    if wish.order == Some(Order::Desc) {
        all.reverse();
    }
    let rows = all.iter().skip(offset).take(limit).map(row).collect();
    let table = Table { tenant: tenant.name(), total, matched, offset, columns: COLUMNS, rows };
    json(&shared.memory, StatusCode::OK, &table)
}

fn state_of(state: ProcessState) -> State_ {
    match state {
        ProcessState::Starting => State_::Starting,
        ProcessState::Waiting => State_::Waiting,
        _ => State_::Running,
    }
}

/// The state as it is shown.
pub(crate) fn state(state: ProcessState) -> &'static str {
    match state_of(state) {
        State_::Starting => "starting",
        State_::Running => "running",
        State_::Waiting => "waiting",
    }
}

fn row(process: &ProcessInfo) -> Row<'_> {
    (
        process.pid.as_str(),
        process.parent.as_ref().map(Pid::as_str),
        process.entry.as_str(),
        process.host.as_str(),
        state(process.state),
        &process.names,
        seconds(process.cpu),
        process.memory,
        process.messages,
        process.message_bytes,
        process.calls,
        process.links,
        process.monitors,
        process.watchers,
        seconds(process.uptime),
        process.actor.as_deref(),
    )
}

fn compare(column: Column, a: &ProcessInfo, b: &ProcessInfo) -> Ordering {
    match column {
        Column::Pid => a.pid.cmp(&b.pid),
        Column::Parent => a.parent.cmp(&b.parent),
        Column::Entry => a.entry.as_str().cmp(b.entry.as_str()),
        Column::Host => a.host.as_str().cmp(b.host.as_str()),
        Column::State => state(a.state).cmp(state(b.state)),
        Column::Names => a.names.cmp(&b.names),
        Column::CpuSeconds => a.cpu.cmp(&b.cpu),
        Column::Memory => a.memory.cmp(&b.memory),
        Column::Messages => a.messages.cmp(&b.messages),
        Column::MessageBytes => a.message_bytes.cmp(&b.message_bytes),
        Column::Calls => a.calls.cmp(&b.calls),
        Column::Links => a.links.cmp(&b.links),
        Column::Monitors => a.monitors.cmp(&b.monitors),
        Column::Watchers => a.watchers.cmp(&b.watchers),
        Column::UptimeSeconds => a.uptime.cmp(&b.uptime),
        Column::Actor => a.actor.cmp(&b.actor),
    }
}

/// A text that a process must have somewhere.
pub(crate) struct Search(Option<String>);

impl Search {
    /// Errors: it is too long.
    pub(crate) fn new(text: Option<&str>) -> Result<Self, Failed> {
        match text {
            Some(text) if text.len() > SEARCH => {
                Err(Failed::invalid(format!("parameter: `search` has {} bytes, and may have {SEARCH}", text.len())))
            }
            text => Ok(Self(text.filter(|text| !text.is_empty()).map(str::to_lowercase))),
        }
    }

    pub(crate) fn finds(&self, process: &ProcessInfo) -> bool {
        let Some(wanted) = &self.0 else { return true };
        let texts = [process.pid.as_str(), process.entry.as_str(), process.host.as_str()];
        let others = process.parent.as_ref().map(Pid::as_str).into_iter().chain(process.actor.as_deref());
        let mut all = texts.into_iter().chain(others).chain(process.names.iter().map(String::as_str));
        all.any(|text| text.to_lowercase().contains(wanted.as_str()))
    }
}
