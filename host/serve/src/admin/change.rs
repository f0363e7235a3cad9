//! What changes a tenant: reload, deployment, rollback, removal.
//!
//! Owns that a change goes on when whoever asked for it goes away: it runs where the host runs. The rules of a change are the host's.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use lunarium_engine::ErrorKind;
use serde_derive::Serialize;

use super::Shared;
use super::access::Peer;
use super::answer::{Failed, json};
use super::body::{self, Named};
use super::routes::Route;
use crate::{Change, HostError};

/// Bytes of a deployment. The number: sources of thousands of modules; what is larger is no sources.
const TAR_BYTES: usize = 32 << 20;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/tenants/{name}/reload", reload),
        Route::post("/v1/tenants/{name}/rollback", rollback),
        Route::put("/v1/tenants/{name}", deploy),
        Route::delete("/v1/tenants/{name}", remove),
    ]
}

/// Does it where the host runs, to its end, and notes it.
async fn noted<T: Send + 'static>(
    shared: &Arc<Shared>,
    peer: &Peer,
    action: &'static str,
    tenant: &str,
    change: impl Future<Output = Result<T, HostError>> + Send + 'static,
) -> Result<T, Failed> {
    let (noting, peer, name) = (Arc::clone(shared), peer.clone(), tenant.to_owned());
    let done = shared.runtime.spawn(async move {
        let done = change.await.map_err(refused);
        let told = done.as_ref().map(|_| ()).map_err(Failed::message);
        noting.audit.note(&peer, action, Some(&name), None, told);
        done
    });
    done.await.map_err(|error| Failed::bug(&error))?
}

fn refused(error: HostError) -> Failed {
    let (status, kind) = match &error {
        HostError::Unknown(_) => (StatusCode::NOT_FOUND, ErrorKind::NotFound),
        HostError::Name(_) | HostError::Archive(_) => (StatusCode::BAD_REQUEST, ErrorKind::Invalid),
        HostError::Wrong(_) => (StatusCode::UNPROCESSABLE_ENTITY, ErrorKind::Invalid),
        HostError::Stopping => (StatusCode::SERVICE_UNAVAILABLE, ErrorKind::Unavailable),
        _ => (StatusCode::CONFLICT, ErrorKind::Conflict),
    };
    match &error {
        HostError::Wrong(report) => {
            let mistakes = report.mistakes().len().saturating_sub(report.warning_count());
            let message = format!("the application has {mistakes} mistakes, and nothing was changed");
            Failed::new(status, kind, message).with_report(report.render(false))
        }
        _ => Failed::new(status, kind, error.to_string()),
    }
}
