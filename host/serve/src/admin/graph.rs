//! What is between the processes of a tenant: links, monitors, who has started whom; and names.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use lunarium_engine::{Node, Pid, ProcessInfo};
use serde_derive::{Deserialize, Serialize};

use super::answer::{Failed, json};
use super::body::{Named, Parameters};
use super::host::at_most;
use super::processes::{Search, state};
use super::routes::Route;
use super::{Shared, tenants};

/// Processes where nothing else is asked for, and at most.
const PROCESSES: (usize, usize) = (500, 2_000);
/// Links and monitors together. The number: a picture of more of them shows nothing.
const PAIRS: usize = 10_000;

pub(crate) fn routes() -> Vec<Route> {
    vec![Route::get("/v1/tenants/{name}/graph", graph)]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    limit: Option<usize>,
    search: Option<String>,
}

type Edge = (usize, usize);

#[derive(Serialize)]
struct Graph<'p> {
    tenant: &'p str,
    total: usize,
    complete: bool,
    nodes: Vec<(&'p str, &'p str, &'static str, &'p [String])>,
    links: Vec<Edge>,
    monitors: Vec<Edge>,
    parents: Vec<Edge>,
}

async fn graph(
    State(shared): State<Arc<Shared>>,
    Named(name): Named<String>,
    Parameters(wish): Parameters<Wish>,
) -> Result<Response, Failed> {
    let limit = at_most("limit", wish.limit, PROCESSES.0, 1, PROCESSES.1)?;
    let search = Search::new(wish.search.as_deref())?;
    let tenant = tenants::find(&shared, &name)?;
    let node = tenant.node();
    let all = node.as_ref().map(Node::processes).unwrap_or_default();
    let shown: Vec<&ProcessInfo> = all.iter().filter(|process| search.finds(process)).take(limit).collect();
    let pids: Vec<Pid> = shown.iter().map(|process| process.pid.clone()).collect();
    let found = node.as_ref().map(|node| node.relations(&pids, PAIRS));
    let places: HashMap<u64, usize> = pids.iter().enumerate().map(|(place, pid)| (pid.number(), place)).collect();
    let place = |number: u64| places.get(&number).copied();
    let edges = |pairs: &[(u64, u64)]| pairs.iter().filter_map(|(a, b)| Some((place(*a)?, place(*b)?))).collect();
    let parents = shown.iter().enumerate().filter_map(|(child, process)| {
        let parent = process.parent.as_ref()?;
        Some((place(parent.number())?, child))
    });
    let graph = Graph {
        tenant: tenant.name(),
        total: all.len(),
        complete: shown.len() == all.len() && found.as_ref().is_none_or(|found| found.is_complete),
        nodes: shown.iter().map(|process| node_of(process)).collect(),
        links: found.as_ref().map_or_else(Vec::new, |found| edges(&found.links)),
        monitors: found.as_ref().map_or_else(Vec::new, |found| edges(&found.monitors)),
        parents: parents.collect(),
    };
    json(&shared.memory, StatusCode::OK, &graph)
}

fn node_of(process: &ProcessInfo) -> (&str, &str, &'static str, &[String]) {
    (process.pid.as_str(), process.entry.as_str(), state(process.state), &process.names)
}
