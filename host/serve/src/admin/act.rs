//! What is done to a process: asked to end, ended, sent to, called.
//!
//! Owns the records of it. The host acts: no policy of a tenant decides.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use lunarium_engine::{CallError, ErrorKind, Node, Pid, Refusal, Value};
use serde_derive::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Shared;
use super::access::Peer;
use super::answer::{Failed, json};
use super::body::{self, Named};
use super::json::{from_json, to_json};
use super::process::find;
use super::routes::Route;

/// How long a call waits where nothing is said, and at most.
const WAIT: (u64, u64) = (30_000, 600_000);

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/tenants/{name}/processes/{pid}/cancel", cancel),
        Route::post("/v1/tenants/{name}/processes/{pid}/terminate", terminate),
        Route::post("/v1/tenants/{name}/processes/{pid}/send", send),
        Route::post("/v1/tenants/{name}/processes/{pid}/call", call),
    ]
}

/// Notes in the audit log what was wanted and whether it was done.
fn noted<T>(
    shared: &Shared,
    peer: &Peer,
    action: &'static str,
    (tenant, target): (&str, &str),
    done: Result<T, Failed>,
) -> Result<T, Failed> {
    let told = done.as_ref().map(|_| ()).map_err(Failed::message);
    shared.audit.note(peer, action, Some(tenant), Some(target), told);
    done
}

/// Does something to a process that is there, and tells its pid.
fn acted<E: Refusal>(
    shared: &Shared,
    peer: &Peer,
    action: &'static str,
    (tenant, target): (&str, &str),
    status: StatusCode,
    act: impl FnOnce(&Node, &Pid) -> Result<(), E>,
) -> Result<Response, Failed> {
    #[derive(Serialize)]
    struct Asked {
        pid: String,
    }
    let done = find(shared, tenant, target).and_then(|(_, node, pid)| {
        act(&node, &pid).map_err(|error| Failed::refused(&error))?;
        Ok(pid.to_string())
    });
    let pid = noted(shared, peer, action, (tenant, target), done)?;
    json(&shared.memory, status, &Asked { pid })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancel {
    deadline_ms: Option<u64>,
}

async fn cancel(
    State(shared): State<Arc<Shared>>,
    Named((tenant, pid)): Named<(String, String)>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failed> {
    let Cancel { deadline_ms } = body::json(&shared.memory, &headers, body).await?;
    let deadline = deadline_ms.map(Duration::from_millis);
    acted(&shared, &peer, "cancel", (&tenant, &pid), StatusCode::ACCEPTED, |node, pid| node.cancel(pid, deadline))
}

async fn terminate(
    State(shared): State<Arc<Shared>>,
    Named((tenant, pid)): Named<(String, String)>,
    Extension(peer): Extension<Peer>,
) -> Result<Response, Failed> {
    acted(&shared, &peer, "terminate", (&tenant, &pid), StatusCode::OK, Node::terminate)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Send {
    topic: String,
    #[serde(default)]
    value: Json,
}

async fn send(
    State(shared): State<Arc<Shared>>,
    Named((tenant, pid)): Named<(String, String)>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failed> {
    let Send { topic, value } = body::json(&shared.memory, &headers, body).await?;
    let value = from_json(value);
    let send = |node: &Node, pid: &Pid| node.send(pid.as_str(), &topic, &value);
    acted(&shared, &peer, "send", (&tenant, &pid), StatusCode::ACCEPTED, send)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    method: String,
    #[serde(default)]
    arguments: Vec<Json>,
    timeout_ms: Option<u64>,
}

async fn call(
    State(shared): State<Arc<Shared>>,
    Named((tenant, pid)): Named<(String, String)>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failed> {
    #[derive(Serialize)]
    struct Results {
        results: Vec<Json>,
    }
    let call: Call = body::json(&shared.memory, &headers, body).await?;
    let target = format!("{pid} {}", call.method);
    let results = noted(&shared, &peer, "call", (&tenant, &target), answered(&shared, &tenant, &pid, call).await)?;
    json(&shared.memory, StatusCode::OK, &Results { results: results.iter().map(to_json).collect() })
}

async fn answered(shared: &Arc<Shared>, tenant: &str, pid: &str, call: Call) -> Result<Vec<Value>, Failed> {
    let wait = call.timeout_ms.unwrap_or(WAIT.0);
    if wait > WAIT.1 {
        let message = format!("`timeout_ms` is {wait}, and may be {} at most", WAIT.1);
        return Err(Failed::invalid(message));
    }
    let busy = |_| Failed::busy("too many calls of this interface wait for their answers");
    let _permit = Arc::clone(&shared.calls).try_acquire_owned().map_err(busy)?;
    let arguments: Vec<Value> = call.arguments.into_iter().map(from_json).collect();
    let (_, node, pid) = find(shared, tenant, pid)?;
    let answer = node.call(pid.as_str(), &call.method, &arguments);
    let late = |_| {
        let message = format!("there is no answer within {wait} ms; the function goes on");
        Failed::new(StatusCode::GATEWAY_TIMEOUT, ErrorKind::Timeout, message)
    };
    let answer = tokio::time::timeout(Duration::from_millis(wait), answer).await.map_err(late)?;
    answer.map_err(|error| match error {
        CallError::Failed(failure) => Failed::failure(&failure),
        refused => Failed::refused(&refused),
    })
}
