//! Tenants as they are shown.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_derive::Serialize;

use super::Shared;
use super::answer::{Failed, json};
use super::body::Named;
use super::host::{Held, held};
use super::json::{seconds, time};
use super::routes::Route;
use crate::host::{Origin, Tenant, TenantState};

pub(crate) fn routes() -> Vec<Route> {
    vec![Route::get("/v1/tenants", tenants), Route::get("/v1/tenants/{name}", tenant)]
}

/// The tenant of this name.
///
/// Errors: there is none.
pub(crate) fn find(shared: &Shared, name: &str) -> Result<Tenant, Failed> {
    shared.host.tenant(name).ok_or_else(|| {
        let shown: String = name.chars().take(100).collect();
        Failed::absent(format!("there is no tenant `{shown}`"))
    })
}

/// Why it has failed.
pub(crate) fn why(state: &TenantState) -> Option<&str> {
    match state {
        TenantState::Failed { why } => Some(why),
        _ => None,
    }
}

#[derive(Serialize)]
struct Service {
    id: String,
    state: &'static str,
    restarts: u32,
    why: Option<String>,
    pid: Option<String>,
}

/// Which application a tenant runs.
#[derive(Serialize)]
pub(crate) struct Deployment {
    number: u64,
    since: String,
    origin: &'static str,
}

impl From<&crate::host::Deployment> for Deployment {
    fn from(deployment: &crate::host::Deployment) -> Self {
        let origin = match deployment.origin {
            Origin::Folder => "folder",
            Origin::Archive => "archive",
        };
        Self { number: deployment.number, since: time(deployment.since), origin }
    }
}

#[derive(Serialize)]
struct Shown {
    name: String,
    state: &'static str,
    why: Option<String>,
    processes: usize,
    cpu_seconds: f64,
    memory_byte_seconds: u64,
    messages: u64,
    spawns: u64,
    budgets: Vec<Held>,
    services: Vec<Service>,
    deployment: Option<Deployment>,
}

fn shown(tenant: &Tenant) -> Shown {
    let now = tenant.state();
    let node = tenant.node();
    let usage = node.as_ref().map(lunarium_engine::Node::usage);
    let services = tenant.services().into_iter().map(|service| Service {
        id: service.id.to_string(),
        state: service.state.as_str(),
        restarts: service.restarts,
        why: service.last_failure.as_ref().map(|failure| failure.message.chars().take(1_000).collect()),
        pid: service.pid.map(|pid| pid.to_string()),
    });
    let deployment = tenant.deployment().as_ref().map(Deployment::from);
    Shown {
        name: tenant.name().to_owned(),
        state: now.as_str(),
        why: why(&now).map(str::to_owned),
        processes: node.as_ref().map_or(0, lunarium_engine::Node::process_count),
        cpu_seconds: usage.as_ref().map_or(0.0, |usage| seconds(usage.cpu)),
        memory_byte_seconds: usage.as_ref().map_or(0, |usage| usage.memory_seconds),
        messages: usage.as_ref().map_or(0, |usage| usage.messages),
        spawns: usage.as_ref().map_or(0, |usage| usage.spawns),
        budgets: usage.as_ref().map_or_else(Vec::new, held),
        services: services.collect(),
        deployment,
    }
}

async fn tenants(State(shared): State<Arc<Shared>>) -> Result<Response, Failed> {
    #[derive(Serialize)]
    struct All {
        tenants: Vec<Shown>,
    }
    let tenants = shared.host.tenants().iter().map(shown).collect();
    json(&shared.memory, StatusCode::OK, &All { tenants })
}

async fn tenant(State(shared): State<Arc<Shared>>, Named(name): Named<String>) -> Result<Response, Failed> {
    json(&shared.memory, StatusCode::OK, &shown(&find(&shared, &name)?))
}
