//! The body of a request: read whole before anything runs for it.
//!
//! Owns its bounds: bytes, time, and what the site may hold. So a client that is slow holds a buffer, and no process.

use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use futures_lite::future::poll_once;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use lunarium_engine::Holding;
use tokio::time::timeout;

use super::refusal::Refusal;
use super::traffic::{Traffic, UnderWay};

/// In which steps a body that comes is charged.
const STEP: u64 = 16 << 10;

/// What is held for a body while it waits, of a request or of an answer.
pub(super) struct Room<'r> {
    pub(super) holding: &'r mut Holding,
    pub(super) under_way: &'r mut UnderWay,
}

impl Room<'_> {
    /// Holds so many bytes more.
    ///
    /// Errors: the site, or its node, has no room for them.
    pub(super) fn grow(&mut self, bytes: u64) -> Result<(), Refusal> {
        if !self.under_way.hold(bytes) {
            return Err(Refusal::too_many_bytes());
        }
        self.holding.grow(bytes).map_err(|exhausted| Refusal::unavailable(exhausted.to_string()))
    }
}

/// Whose body is read, and how long that may take.
pub(super) struct Reading<'r> {
    pub(super) traffic: &'r Traffic,
    pub(super) remote: IpAddr,
    pub(super) patience: Duration,
}

/// Reads a body of at most `most` bytes.
///
/// Errors: it is larger, slower, half, or more than the site may hold; too many of this client's are waited for.
pub(super) async fn read(body: Incoming, most: u64, reading: Reading<'_>, room: Room<'_>) -> Result<Vec<u8>, Refusal> {
    if body.is_end_stream() {
        return Ok(Vec::new());
    }
    // Before the client is told to go on, if it waits for that.
    if body.size_hint().lower() > most {
        return Err(Refusal::body_too_large(most));
    }
    let mut collecting = pin!(collect(body, most, room));
    if let Some(collected) = poll_once(&mut collecting).await {
        return collected;
    }
    let Reading { traffic, remote, patience } = reading;
    let most = traffic.limits().slow_per_address();
    let _waits = traffic.wait_for_body(remote).ok_or_else(|| Refusal::too_many_bodies(most))?;
    timeout(patience, collecting).await.unwrap_or_else(|_| Err(Refusal::body_too_slow()))
}

async fn collect(body: Incoming, most: u64, mut room: Room<'_>) -> Result<Vec<u8>, Refusal> {
    let (mut collected, mut charged) = (Vec::new(), 0_u64);
    let mut body = pin!(body);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Refusal::bad_request(format!("the body broke off: {error}")))?;
        // Trailers say nothing.
        let Ok(data) = frame.into_data() else { continue };
        let size = u64::try_from(collected.len().saturating_add(data.len())).unwrap_or(u64::MAX);
        if size > most {
            return Err(Refusal::body_too_large(most));
        }
        if size > charged {
            let more = size.saturating_sub(charged).max(STEP);
            room.grow(more)?;
            charged = charged.saturating_add(more);
        }
        collected.extend_from_slice(&data);
    }
    Ok(collected)
}
