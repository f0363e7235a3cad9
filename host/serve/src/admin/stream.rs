//! Server-sent events: a body that goes on.
//!
//! Owns that a stream takes from its source only what the client reads, in pieces; that it is alive for whoever looks; and that it ends with
//! the host. Refuses to know what it tells.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use futures_lite::Stream;
use hyper::body::Frame;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::answer::{Failed, bytes_of};
use super::{STREAMS, Shared};

/// How often a source is asked in one turn: what it tells may be nothing that the client wants.
const ASKED: usize = 256;
/// Bytes of a piece, after which the client has to read.
const PIECE: usize = 16 << 10;
/// Time between two signs of life. The number: what stands between gives up a silent connection after 30 seconds at the soonest.
const BEAT: Duration = Duration::from_secs(15);
/// Time between two looks at what wakes nobody.
const LOOK: Duration = Duration::from_millis(500);

/// What a stream tells.
pub(crate) trait Source: Send + Unpin + 'static {
    /// Looks at what wakes nobody; called twice a second.
    fn look(&mut self, out: &mut String);

    /// Appends what comes next, by [`event`]; one of them a call. Ready(false): nothing comes any more.
    fn poll_next(&mut self, context: &mut Context<'_>, out: &mut String) -> Poll<bool>;
}

/// Appends a server-sent event.
pub(crate) fn event(out: &mut String, name: &str, data: &impl serde::Serialize) {
    // A type of ours, which can be written; JSON has no newline.
    let Ok(data) = serde_json::to_string(data) else { return };
    for piece in ["event: ", name, "\ndata: ", &data, "\n\n"] {
        out.push_str(piece);
    }
}

/// Takes one item of each tenant's stream: a tenant where much happens doesn't hide the others. What a source's `poll_next` says then, and the
/// streams that have ended, which are taken out.
pub(crate) fn poll_each<S: Stream + Unpin>(
    streams: &mut BTreeMap<String, S>,
    context: &mut Context<'_>,
    mut tell: impl FnMut(&str, S::Item),
) -> (Poll<bool>, Vec<(String, S)>) {
    let (mut told, mut ended) = (false, Vec::new());
    for (tenant, stream) in &mut *streams {
        match Pin::new(stream).poll_next(context) {
            Poll::Ready(Some(item)) => {
                told = true;
                tell(tenant, item);
            }
            Poll::Ready(None) => ended.push(tenant.clone()),
            Poll::Pending => {}
        }
    }
    let ended = ended.iter().filter_map(|tenant| streams.remove_entry(tenant)).collect();
    (if told { Poll::Ready(true) } else { Poll::Pending }, ended)
}

/// The answer that tells what a source has.
///
/// Errors: there are too many of them.
pub(crate) fn stream(shared: &Arc<Shared>, source: impl Source) -> Result<Response, Failed> {
    let permit = Arc::clone(&shared.streams).try_acquire_owned();
    let permit = permit.map_err(|_| Failed::busy(format!("{STREAMS} streams are open, and no more can be")))?;
    let mut stopping = shared.stopping.clone();
    let stop = async move { drop(stopping.wait_for(|stops| *stops).await) };
    let (mut beat, mut look) = (interval(BEAT), interval(LOOK));
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let told = Told { source, beat, look, stop: Box::pin(stop), has_ended: false, _permit: permit };
    Ok(bytes_of(StatusCode::OK, "text/event-stream", Body::new(told)))
}

struct Told<S> {
    source: S,
    beat: Interval,
    look: Interval,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    has_ended: bool,
    _permit: OwnedSemaphorePermit,
}

impl<S: Source> HttpBody for Told<S> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let told = &mut *self;
        let mut out = String::new();
        if told.stop.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        while told.look.poll_tick(context).is_ready() {
            told.source.look(&mut out);
        }
        let mut asked = 0;
        while !told.has_ended && out.len() < PIECE {
            if asked == ASKED {
                // Others have a turn before it goes on.
                context.waker().wake_by_ref();
                break;
            }
            asked += 1;
            match told.source.poll_next(context, &mut out) {
                Poll::Ready(more) => told.has_ended = !more,
                Poll::Pending => break,
            }
        }
        if out.is_empty() && told.has_ended {
            return Poll::Ready(None);
        }
        // At the start at once: whoever waits for the head has it.
        while told.beat.poll_tick(context).is_ready() {
            out.push_str(":\n\n");
        }
        if out.is_empty() { Poll::Pending } else { Poll::Ready(Some(Ok(Frame::data(out.into())))) }
    }
}
