//! What changes a tenant, or the host: reload, restart, deployment, rollback, removal.
//!
//! Owns that a change goes on when whoever asked for it goes away: it runs where the host runs. The rules of a change are the host's.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use lunarium_engine::ErrorKind;
use serde_derive::Serialize;

use super::Shared;
use super::access::Peer;
use super::answer::{Failed, Told, json};
use super::body::{self, Named};
use super::routes::Route;
use super::tenants::Deployment;
use crate::host::{Change, Host, HostChange, HostError, MAX_ARCHIVE, TenantChange, TenantState, Unasked};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/host/reload", reload_host),
        Route::post("/v1/tenants/{name}/reload", reload),
        Route::post("/v1/tenants/{name}/restart", restart),
        Route::post("/v1/tenants/{name}/rollback", rollback),
        Route::put("/v1/tenants/{name}", deploy),
        Route::delete("/v1/tenants/{name}", remove),
    ]
}

/// Does it where the host runs, to its end, and notes it.
async fn noted<T: Send + 'static, E: Into<Failed>>(
    shared: &Arc<Shared>,
    peer: &Peer,
    action: &'static str,
    tenant: Option<&str>,
    change: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, Failed> {
    let (noting, peer, name) = (Arc::clone(shared), peer.clone(), tenant.map(str::to_owned));
    let done = shared.runtime.spawn(async move {
        let done = change.await.map_err(Into::into);
        let told = done.as_ref().map(|_| ()).map_err(Failed::message);
        noting.audit.note(&peer, action, name.as_deref(), None, told);
        done
    });
    done.await.map_err(|error| Failed::bug(&error))?
}

impl From<&HostError> for Failed {
    fn from(error: &HostError) -> Self {
        let (status, kind) = match error {
            HostError::Unknown(_) => (StatusCode::NOT_FOUND, ErrorKind::NotFound),
            HostError::Name(_) | HostError::Archive(_) => (StatusCode::BAD_REQUEST, ErrorKind::Invalid),
            HostError::Wrong(_) => (StatusCode::UNPROCESSABLE_ENTITY, ErrorKind::Invalid),
            error if error.is_disk_full() => (StatusCode::INSUFFICIENT_STORAGE, ErrorKind::ResourceExhausted),
            error if error.is_temporary() => (StatusCode::SERVICE_UNAVAILABLE, ErrorKind::Unavailable),
            HostError::Disk { .. } => (StatusCode::INTERNAL_SERVER_ERROR, ErrorKind::Unavailable),
            _ => (StatusCode::CONFLICT, ErrorKind::Conflict),
        };
        match error {
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
}

impl From<HostError> for Failed {
    fn from(error: HostError) -> Self {
        Self::from(&error)
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

impl<'c> Changed<'c> {
    fn of(tenant: &'c str, change: &'c Change) -> Self {
        let services = change.services.iter().map(|(id, step)| Service { id: id.to_string(), step: step.as_str() });
        Self {
            tenant,
            deployment: (&change.deployment).into(),
            services: services.collect(),
            warnings: &change.warnings,
        }
    }
}

/// The same with a tenant, and says what it has done.
async fn changed<E: Into<Failed>>(
    shared: &Arc<Shared>,
    peer: &Peer,
    action: &'static str,
    tenant: &str,
    change: impl Future<Output = Result<Change, E>> + Send + 'static,
) -> Result<Response, Failed> {
    let change = noted(shared, peer, action, Some(tenant), change).await?;
    json(&shared.memory, StatusCode::OK, &Changed::of(tenant, &change))
}

/// What is the host's own and stays as it was.
#[derive(Serialize)]
struct Kept<'c> {
    key: &'c str,
    message: &'c str,
}

/// What became of one tenant.
#[derive(Serialize)]
struct TenantChanged<'c> {
    tenant: &'c str,
    step: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<Changed<'c>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Told>,
}

impl<'c> TenantChanged<'c> {
    fn of(tenant: &'c str, result: &'c Result<TenantChange, HostError>) -> Self {
        let (step, change, error) = match result {
            Ok(TenantChange::Changed(change)) => ("changed", Some(Changed::of(tenant, change)), None),
            Ok(TenantChange::Added(TenantState::Failed { why })) => {
                let message = format!("it has failed: {why}");
                ("added", None, Some(Failed::new(StatusCode::CONFLICT, ErrorKind::Invalid, message)))
            }
            Ok(TenantChange::Added(_)) => ("added", None, None),
            Ok(TenantChange::Waits) => ("waits", None, None),
            Ok(TenantChange::Removed) => ("removed", None, None),
            Err(error) => ("kept", None, Some(error.into())),
        };
        Self { tenant, step, change, error: error.map(Failed::into_told) }
    }
}

#[derive(Serialize)]
struct HostChanged<'c> {
    kept: Vec<Kept<'c>>,
    tenants: Vec<TenantChanged<'c>>,
}

async fn reload_host(State(shared): State<Arc<Shared>>, Extension(peer): Extension<Peer>) -> Result<Response, Failed> {
    let (host, reloader) = (shared.host.clone(), shared.reloader.clone());
    let change = noted(&shared, &peer, "reload", None, async move {
        match reloader {
            Some(reloader) => reloaded(reloader.reload(None).await),
            None => Ok(each(&host).await),
        }
    });
    let HostChange { kept, tenants } = change.await?;
    let changed = HostChanged {
        kept: kept.iter().map(|(key, message)| Kept { key, message }).collect(),
        tenants: tenants.iter().map(|(tenant, result)| TenantChanged::of(tenant, result)).collect(),
    };
    json(&shared.memory, StatusCode::OK, &changed)
}

fn reloaded(done: Result<Result<HostChange, String>, Unasked>) -> Result<HostChange, Failed> {
    match done {
        Ok(Ok(change)) => Ok(change),
        Ok(Err(report)) => {
            let message = "what the host is made of has mistakes, and nothing was changed";
            Err(Failed::new(StatusCode::UNPROCESSABLE_ENTITY, ErrorKind::Invalid, message).with_report(report))
        }
        Err(Unasked::Busy) => Err(Failed::busy("too many reloads wait already")),
        Err(Unasked::Stopping) => Err(HostError::Stopping.into()),
    }
}

/// The applications alone, where nobody reads anything else.
async fn each(host: &Host) -> HostChange {
    let mut tenants = Vec::new();
    for tenant in host.tenants() {
        tenants.push((tenant.name().to_owned(), host.reload(tenant.name()).await.map(TenantChange::Changed)));
    }
    HostChange { kept: Vec::new(), tenants }
}

async fn reload(
    State(shared): State<Arc<Shared>>,
    Named(name): Named<String>,
    Extension(peer): Extension<Peer>,
) -> Result<Response, Failed> {
    let (host, tenant) = (shared.host.clone(), name.clone());
    let reloader = shared.reloader.clone();
    let change = async move {
        if host.tenant(&tenant).is_none() {
            return Err(Failed::from(HostError::Unknown(tenant)));
        }
        let Some(reloader) = reloader else { return Ok(host.reload(&tenant).await?) };
        let HostChange { tenants, kept } = reloaded(reloader.reload(Some(tenant.clone())).await)?;
        match tenants.into_iter().next() {
            Some((_, Ok(TenantChange::Changed(mut change)))) => {
                // It has changed all the same.
                change.warnings.extend(kept.iter().map(|(_, why)| format!("warning: {why}\n")));
                Ok(change)
            }
            Some((_, Err(error))) => Err(error.into()),
            Some((_, Ok(TenantChange::Waits))) => Err(HostError::Nothing(tenant).into()),
            // It has come or gone meanwhile.
            _ => Err(HostError::Unknown(tenant).into()),
        }
    };
    changed(&shared, &peer, "reload", &name, change).await
}

async fn restart(
    State(shared): State<Arc<Shared>>,
    Named(name): Named<String>,
    Extension(peer): Extension<Peer>,
) -> Result<Response, Failed> {
    let (host, tenant) = (shared.host.clone(), name.clone());
    // It would only stop once more.
    if shared.draining.load(Ordering::Relaxed) {
        return Err(HostError::Stopping.into());
    }
    changed(&shared, &peer, "restart", &name, async move { host.restart(&tenant).await }).await
}

async fn rollback(
    State(shared): State<Arc<Shared>>,
    Named(name): Named<String>,
    Extension(peer): Extension<Peer>,
) -> Result<Response, Failed> {
    let (host, tenant) = (shared.host.clone(), name.clone());
    changed(&shared, &peer, "rollback", &name, async move { host.rollback(&tenant).await }).await
}

async fn deploy(
    State(shared): State<Arc<Shared>>,
    Named(name): Named<String>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failed> {
    let busy = |_| Failed::busy("another deployment is being received").with_help("try again");
    let permit = Arc::clone(&shared.uploads).try_acquire_owned().map_err(busy)?;
    let (tar, charge) = body::bytes(&shared.memory, &headers, body, MAX_ARCHIVE).await?;
    drop(permit);
    let (host, tenant) = (shared.host.clone(), name.clone());
    let change = async move {
        let deployed = host.deploy(&tenant, tar.into()).await;
        drop(charge);
        deployed
    };
    changed(&shared, &peer, "deploy", &name, change).await
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
    noted(&shared, &peer, "remove", Some(&name), async move { host.remove(&tenant).await }).await?;
    json(&shared.memory, StatusCode::OK, &Removed { removed: &name })
}
