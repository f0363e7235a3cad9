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
use super::tenants::Deployment;
use crate::host::{Change, HostError, MAX_ARCHIVE};

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
        error if error.is_disk_full() => (StatusCode::INSUFFICIENT_STORAGE, ErrorKind::ResourceExhausted),
        error if error.is_temporary() => (StatusCode::SERVICE_UNAVAILABLE, ErrorKind::Unavailable),
        HostError::Disk { .. } => (StatusCode::INTERNAL_SERVER_ERROR, ErrorKind::Unavailable),
        _ => (StatusCode::CONFLICT, ErrorKind::Conflict),
    };
    match &error {
        HostError::Wrong(report) => {
            let mistakes = report.mistakes().len().saturating_sub(report.warning_count());
            let mistakes = if mistakes == 1 { "a mistake".to_owned() } else { format!("{mistakes} mistakes") };
            let message = format!("the application has {mistakes}, and nothing was changed");
            Failed::new(status, kind, message).with_report(report.render(false))
        }
        _ if error.is_disk_full() => {
            Failed::new(status, kind, error.to_string()).with_help("make room on the disk, and try again")
        }
        _ => Failed::new(status, kind, error.to_string()),
    }
}

#[derive(Serialize)]
struct Service {
    id: String,
    step: &'static str,
}

#[derive(Serialize)]
struct Changed<'c> {
    tenant: &'c str,
    deployment: Deployment,
    services: Vec<Service>,
    warnings: &'c str,
}

fn changed(shared: &Shared, tenant: &str, change: &Change) -> Result<Response, Failed> {
    let services = change.services.iter().map(|(id, step)| Service { id: id.to_string(), step: step.as_str() });
    let changed = Changed {
        tenant,
        deployment: (&change.deployment).into(),
        services: services.collect(),
        warnings: &change.warnings,
    };
    json(&shared.memory, StatusCode::OK, &changed)
}

async fn reload(
    State(shared): State<Arc<Shared>>,
    Named(name): Named<String>,
    Extension(peer): Extension<Peer>,
) -> Result<Response, Failed> {
    let (host, tenant) = (shared.host.clone(), name.clone());
    let change = noted(&shared, &peer, "reload", &name, async move { host.reload(&tenant).await }).await?;
    changed(&shared, &name, &change)
}

async fn rollback(
    State(shared): State<Arc<Shared>>,
    Named(name): Named<String>,
    Extension(peer): Extension<Peer>,
) -> Result<Response, Failed> {
    let (host, tenant) = (shared.host.clone(), name.clone());
    let change = noted(&shared, &peer, "rollback", &name, async move { host.rollback(&tenant).await }).await?;
    changed(&shared, &name, &change)
}

async fn deploy(
    State(shared): State<Arc<Shared>>,
    Named(name): Named<String>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failed> {
    let busy = |_| Failed::busy("another deployment is being received");
    let permit = Arc::clone(&shared.uploads).try_acquire_owned().map_err(busy)?;
    let (tar, charge) = body::bytes(&shared.memory, &headers, body, MAX_ARCHIVE).await?;
    drop(permit);
    let (host, tenant) = (shared.host.clone(), name.clone());
    let change = async move {
        let deployed = host.deploy(&tenant, tar.into()).await;
        drop(charge);
        deployed
    };
    let change = noted(&shared, &peer, "deploy", &name, change).await?;
    changed(&shared, &name, &change)
}

async fn remove(
    State(shared): State<Arc<Shared>>,
    Named(name): Named<String>,
    Extension(peer): Extension<Peer>,
) -> Result<Response, Failed> {
    #[derive(Serialize)]
    struct Removed<'n> {
        removed: &'n str,
    }
    let (host, tenant) = (shared.host.clone(), name.clone());
    noted(&shared, &peer, "remove", &name, async move { host.remove(&tenant).await }).await?;
    json(&shared.memory, StatusCode::OK, &Removed { removed: &name })
}
