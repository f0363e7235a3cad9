//! `/metrics`, and the curves of the last ten minutes.
//!
//! Owns their form. What is measured, and when, is `metrics`'s.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_derive::Serialize;

use super::answer::{Failed, charged, json};
use super::body::Named;
use super::routes::Route;
use super::{Shared, tenants};
use crate::metrics::{CONTENT_TYPE, Point, STEP};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/metrics", metrics),
        Route::get("/v1/history", host),
        Route::get("/v1/tenants/{name}/history", tenant),
    ]
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Result<Response, Failed> {
    let text = shared.metrics.text().await;
    charged(&shared.memory, StatusCode::OK, CONTENT_TYPE, text.as_bytes().to_vec())
}

async fn host(State(shared): State<Arc<Shared>>) -> Result<Response, Failed> {
    let points = shared.metrics.history(None).unwrap_or_default();
    json(&shared.memory, StatusCode::OK, &History::of(None, &points))
}

async fn tenant(State(shared): State<Arc<Shared>>, Named(name): Named<String>) -> Result<Response, Failed> {
    let points = match shared.metrics.history(Some(&name)) {
        Some(points) => points,
        // It is so new that no point has been taken.
        None => tenants::find(&shared, &name).map(|_| Vec::new())?,
    };
    json(&shared.memory, StatusCode::OK, &History::of(Some(&name), &points))
}

/// A point's values, in the order of the columns.
type Row = (f64, u64, u64, f64, u64, u64, u64, u64, u64, u64);

#[derive(Serialize)]
struct History<'h> {
    tenant: Option<&'h str>,
    step_seconds: f64,
    columns: [&'static str; 10],
    rows: Vec<Row>,
}

impl History<'_> {
    fn of<'h>(tenant: Option<&'h str>, points: &[Point]) -> History<'h> {
        let row = |point: &Point| {
            (
                point.at.as_secs_f64(),
                point.processes,
                point.memory,
                point.cpu.as_secs_f64(),
                point.spawns,
                point.failures,
                point.messages,
                point.unread,
                point.refusals,
                point.requests,
            )
        };
        let columns = [
            "at",
            "processes",
            "memory",
            "cpu_seconds",
            "spawns",
            "failures",
            "messages",
            "unread",
            "refusals",
            "requests",
        ];
        History { tenant, step_seconds: STEP.as_secs_f64(), columns, rows: points.iter().map(row).collect() }
    }
}
