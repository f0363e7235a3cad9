//! What a request carries: its parameters, and its body.
//!
//! Owns that what a client sends is bounded, charged, and no longer waited for than it comes. Unknown parameters and fields are refused: who
//! misspells one learns of it.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use lunarium_engine::ErrorKind;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::answer::{Charge, Failed, Memory};

/// Bytes of a body of JSON. The number: a message is 1 MiB at most, and JSON needs more for the same.
pub(crate) const JSON_BYTES: usize = 4 << 20;
/// How long a body may stand still.
const STANDSTILL: Duration = Duration::from_secs(10);
/// How long a body may take.
const WHOLE: Duration = Duration::from_secs(300);

/// The parameters behind the `?`.
pub(crate) struct Parameters<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let Query(parameters) = Query::<T>::from_request_parts(parts, state).await.map_err(|rejection| {
            Failed::invalid(rejection.body_text().replace("Failed to deserialize query string: ", "parameter: "))
        })?;
        Ok(Self(parameters))
    }
}

/// What stands in the path.
pub(crate) struct Named<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let Path(named) = Path::<T>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Failed::invalid(rejection.body_text()))?;
        Ok(Self(named))
    }
}

/// A body of at most so many bytes, with what it is charged.
///
/// Errors: it is larger, stands still, or isn't all there.
pub(crate) async fn bytes(
    memory: &Memory,
    headers: &HeaderMap,
    body: Body,
    most: usize,
) -> Result<(Vec<u8>, Charge), Failed> {
    let too_large = || {
        let message = format!("the body is larger than {most} bytes");
        Failed::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorKind::Invalid, message)
    };
    let claimed = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if claimed.is_some_and(|claimed| claimed > most) {
        return Err(too_large());
    }
    let mut charge = memory.nothing();
    let collect = async {
        let (mut all, mut body, mut charged) = (Vec::new(), body, 0);
        if let Some(claimed) = claimed {
            memory.grow(&mut charge, claimed)?;
            all = Vec::with_capacity(claimed);
            charged = all.capacity();
        }
        loop {
            let late = || Failed::new(StatusCode::REQUEST_TIMEOUT, ErrorKind::Timeout, "the body doesn't come");
            let Some(frame) = timeout(STANDSTILL, body.frame()).await.map_err(|_| late())? else { return Ok(all) };
            let frame = frame.map_err(|error| Failed::invalid(format!("the body ends early: {error}")))?;
            let Ok(piece): Result<Bytes, _> = frame.into_data() else { continue };
            if all.len().saturating_add(piece.len()) > most {
                return Err(too_large());
            }
            all.extend_from_slice(&piece);
            // Charged is what it takes, which grows by doubling.
            if all.capacity() > charged {
                memory.grow(&mut charge, all.capacity().saturating_sub(charged))?;
                charged = all.capacity();
            }
        }
    };
    let late = || Failed::new(StatusCode::REQUEST_TIMEOUT, ErrorKind::Timeout, "the body takes too long");
    let all = timeout(WHOLE, collect).await.map_err(|_| late())??;
    Ok((all, charge))
}

/// A body of JSON; nothing at all is `{}`.
///
/// Errors: it isn't of its form; the text says where.
pub(crate) async fn json<T: DeserializeOwned>(memory: &Memory, headers: &HeaderMap, body: Body) -> Result<T, Failed> {
    let (all, _charge) = bytes(memory, headers, body, JSON_BYTES).await?;
    if all.is_empty() {
        return serde_json::from_slice(b"{}").map_err(|error| Failed::invalid(format!("there is no body: {error}")));
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let failed =
            Failed::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorKind::Invalid, "the body isn't said to be JSON");
        return Err(failed.with_help("a body has the header `Content-Type: application/json`"));
    }
    serde_json::from_slice(&all).map_err(|error| Failed::invalid(format!("body: {error}")))
}
