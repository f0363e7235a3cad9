//! The host itself: that it answers, whether it is ready, what it holds, and who has changed what.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use lunarium_engine::Usage;
use serde_derive::{Deserialize, Serialize};

use super::answer::{Failed, bytes_of, json};
use super::body::Parameters;
use super::json::{seconds, time};
use super::routes::Route;
use super::{OPENAPI, STREAMS, Shared};
use crate::host::TenantState;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/healthz", health).open(),
        Route::get("/readyz", ready).open(),
        Route::get("/openapi.json", openapi).open(),
        Route::get("/v1/host", host),
        Route::get("/v1/audit", audit),
    ]
}

async fn health(State(shared): State<Arc<Shared>>) -> Result<Response, Failed> {
    #[derive(Serialize)]
    struct Health {
        status: &'static str,
    }
    json(&shared.memory, StatusCode::OK, &Health { status: "ok" })
}

async fn openapi() -> Response {
    bytes_of(StatusCode::OK, "application/json", OPENAPI)
}

/// Tenants by state.
#[derive(Default, Serialize)]
struct Counts {
    starting: usize,
    running: usize,
    failed: usize,
    stopping: usize,
}

impl Counts {
    fn of(shared: &Shared) -> Self {
        let mut counts = Self::default();
        for tenant in shared.host.tenants() {
            let count = match tenant.state() {
                TenantState::Starting => &mut counts.starting,
                TenantState::Running => &mut counts.running,
                TenantState::Failed { .. } => &mut counts.failed,
                TenantState::Stopping => &mut counts.stopping,
            };
            *count = count.saturating_add(1);
        }
        counts
    }
}

async fn ready(State(shared): State<Arc<Shared>>) -> Result<Response, Failed> {
    #[derive(Serialize)]
    struct Ready {
        ready: bool,
        starting: usize,
        failed: usize,
        stopping: bool,
    }
    let Counts { starting, failed, .. } = Counts::of(&shared);
    let stopping = shared.draining.load(Ordering::Relaxed);
    // A tenant that starts later is one of many.
    let ready = !stopping;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(&shared.memory, status, &Ready { ready, starting, failed, stopping })
}

/// What is held of a limit or budget.
#[derive(Debug, Serialize)]
pub(crate) struct Held {
    name: &'static str,
    used: u64,
    limit: Option<u64>,
}

/// None: no bound of its own. Neither has a JSON reader in a browser exact integers beyond 53 bits.
pub(crate) fn bound(limit: u64) -> Option<u64> {
    (limit < 1 << 53).then_some(limit)
}

/// What is held, by name.
pub(crate) fn held(usage: &Usage) -> Vec<Held> {
    let held = usage.held.iter();
    held.map(|held| Held { name: held.name, used: held.used, limit: bound(held.limit) }).collect()
}

async fn host(State(shared): State<Arc<Shared>>) -> Result<Response, Failed> {
    #[derive(Serialize)]
    struct Admin {
        connections: usize,
        max_connections: usize,
        streams: usize,
        max_streams: usize,
    }
    #[derive(Serialize)]
    struct Host {
        version: &'static str,
        started_at: String,
        uptime_seconds: f64,
        stopping: bool,
        cpu_seconds: f64,
        memory_byte_seconds: u64,
        messages: u64,
        spawns: u64,
        budgets: Vec<Held>,
        tenants: Counts,
        admin: Admin,
    }
    let usage = shared.host.engine().usage();
    let (started, began) = shared.began;
    let admin = Admin {
        connections: shared.connections.count(),
        max_connections: shared.connections.most(),
        streams: STREAMS.saturating_sub(shared.streams.available_permits()),
        max_streams: STREAMS,
    };
    let host = Host {
        version: env!("CARGO_PKG_VERSION"),
        started_at: time(started),
        uptime_seconds: seconds(began.elapsed()),
        stopping: shared.draining.load(Ordering::Relaxed),
        cpu_seconds: seconds(usage.cpu),
        memory_byte_seconds: usage.memory_seconds,
        messages: usage.messages,
        spawns: usage.spawns,
        budgets: held(&usage),
        tenants: Counts::of(&shared),
        admin,
    };
    json(&shared.memory, StatusCode::OK, &host)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Most {
    limit: Option<usize>,
}

async fn audit(State(shared): State<Arc<Shared>>, Parameters(most): Parameters<Most>) -> Result<Response, Failed> {
    #[derive(Serialize)]
    struct Answer<R> {
        records: Vec<R>,
        missed: u64,
    }
    let limit = at_most("limit", most.limit, 100, 1, 1_000)?;
    let (last, missed) = shared.audit.last(limit);
    json(&shared.memory, StatusCode::OK, &Answer { records: last.iter().map(|record| &**record).collect(), missed })
}

/// A parameter that is a number in a span.
///
/// Errors: it lies outside.
pub(crate) fn at_most(
    name: &str,
    given: Option<usize>,
    default: usize,
    least: usize,
    most: usize,
) -> Result<usize, Failed> {
    match given.unwrap_or(default) {
        given if (least..=most).contains(&given) => Ok(given),
        given => Err(Failed::invalid(format!("parameter: `{name}` is {given}, and has to be from {least} to {most}"))),
    }
}
