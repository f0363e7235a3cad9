//! Answers: JSON, and what stands in one when nothing was done.
//!
//! Owns that an answer is charged until the client has read it: what isn't read can't pile up. Refuses to know what it says.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use lunarium_engine::{ErrorKind, Failure, Refusal};
use serde_derive::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Kibibytes that bodies of requests and unread answers may hold together. The number: a tar of the largest size, and a few hundred
/// lists of thousands of processes. At the limit: 503.
const KIBIBYTES: usize = 160 << 10;

/// What bodies of requests and unread answers hold.
#[derive(Clone)]
pub(crate) struct Memory(Arc<Semaphore>);

/// So many bytes of it, until it is dropped.
pub(crate) struct Charge(Option<OwnedSemaphorePermit>);

impl Memory {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(KIBIBYTES)))
    }

    /// Nothing yet.
    pub(crate) fn nothing(&self) -> Charge {
        Charge(None)
    }

    /// Charges so many bytes more.
    ///
    /// Errors: there is no room.
    pub(crate) fn grow(&self, charge: &mut Charge, bytes: usize) -> Result<(), Failed> {
        let kibibytes = u32::try_from(bytes.div_ceil(1 << 10)).unwrap_or(u32::MAX);
        let more = Arc::clone(&self.0)
            .try_acquire_many_owned(kibibytes)
            .map_err(|_| Failed::busy("too much that isn't read is held"))?;
        match &mut charge.0 {
            Some(permit) => permit.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

/// Bytes with what they are charged.
struct Charged {
    bytes: Vec<u8>,
    _charge: Charge,
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// An answer of JSON.
///
/// Errors: there is no room for it.
pub(crate) fn json(memory: &Memory, status: StatusCode, value: &impl serde::Serialize) -> Result<Response, Failed> {
    let bytes = serde_json::to_vec(value).map_err(|error| Failed::bug(&error))?;
    charged(memory, status, "application/json", bytes)
}

/// An answer of this type.
///
/// Errors: there is no room for it.
pub(crate) fn charged(
    memory: &Memory,
    status: StatusCode,
    kind: &'static str,
    bytes: Vec<u8>,
) -> Result<Response, Failed> {
    let mut charge = memory.nothing();
    memory.grow(&mut charge, bytes.len())?;
    Ok(bytes_of(status, kind, Bytes::from_owner(Charged { bytes, _charge: charge })))
}

/// An answer of this type, which nobody may keep or take for another.
pub(crate) fn bytes_of(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Why nothing was done.
#[derive(Debug)]
pub(crate) struct Failed {
    status: StatusCode,
    told: Box<Told>,
}

/// What a client is told of a failure.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    kind: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<String>,
}

impl Failed {
    pub(crate) fn new(status: StatusCode, kind: ErrorKind, message: impl Into<String>) -> Self {
        let kind = if kind == ErrorKind::Unknown { "Unknown" } else { kind.as_str() };
        let told = Told { kind, message: message.into(), help: None, limit: None, report: None, stack: None };
        Self { status, told: Box::new(told) }
    }

    /// The request is wrong.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorKind::Invalid, message)
    }

    /// There is no such thing.
    pub(crate) fn absent(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorKind::NotFound, message)
    }

    /// A later try may succeed.
    pub(crate) fn busy(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorKind::RateLimited, message)
    }

    /// Ours.
    pub(crate) fn bug(error: &dyn std::fmt::Display) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorKind::Internal, format!("a bug of the host: {error}"))
    }

    /// What a node has refused.
    pub(crate) fn refused(refusal: &dyn Refusal) -> Self {
        let kind = refusal.kind();
        let mut failed = Self::new(status(kind), kind, refusal.to_string());
        failed.told.limit = refusal.limit().map(str::to_owned);
        failed
    }

    /// What a function has raised, or what became of its process.
    pub(crate) fn failure(failure: &Failure) -> Self {
        let mut failed = Self::new(StatusCode::UNPROCESSABLE_ENTITY, failure.kind, failure.message.clone());
        failed.told.stack = failure.stack.clone();
        failed
    }

    /// The same with what to do.
    pub(crate) fn with_help(mut self, help: &'static str) -> Self {
        self.told.help = Some(help);
        self
    }

    /// The same with everything that is wrong with an application.
    pub(crate) fn with_report(mut self, report: String) -> Self {
        self.told.report = Some(report);
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn message(&self) -> &str {
        &self.told.message
    }

    /// As it stands in an answer.
    pub(crate) fn into_told(self) -> Told {
        *self.told
    }
}

fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::AlreadyExists | ErrorKind::Conflict | ErrorKind::Canceled => StatusCode::CONFLICT,
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::PermissionDenied => StatusCode::FORBIDDEN,
        ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Unavailable | ErrorKind::ResourceExhausted => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Internal | ErrorKind::Unknown => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Answer {
            error: Told,
        }
        // Texts alone, which can be written.
        let text = serde_json::to_vec(&Answer { error: *self.told }).unwrap_or_default();
        let mut response = bytes_of(self.status, "application/json", text);
        let headers = response.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                drop(headers.insert(RETRY_AFTER, HeaderValue::from_static("1")));
            }
            _ => {}
        }
        response
    }
}
