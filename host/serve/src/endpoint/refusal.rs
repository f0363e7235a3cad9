//! Why a request isn't answered by its script: a status for the client, a reason for the log.
//!
//! Owns which failure is which status. A client learns no more than the status: what went wrong inside is the tenant's.

use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use lunarium_app::HttpMethod;
use lunarium_engine::{Ending, ErrorKind, Failure, Level, LimitName, Pid};

use super::answer::AnswerBody;
use super::traffic::Bound;

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) reason: String,
    /// Whose failure it was.
    pub(super) pid: Option<Pid>,
    pub(super) stack: Option<String>,
    /// The site's bound that is reached.
    pub(super) bound: Option<Bound>,
    allow: Vec<HttpMethod>,
    /// What follows on the connection isn't read.
    closes: bool,
}

impl Refusal {
    fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into(), pid: None, stack: None, bound: None, allow: Vec::new(), closes: false }
    }

    fn beyond(bound: Bound, status: StatusCode, reason: impl Into<String>) -> Self {
        Self { bound: Some(bound), ..Self::new(status, reason) }
    }

    /// 400, and the connection is closed: what follows may be meant otherwise than it is read.
    pub(super) fn bad_request(reason: impl Into<String>) -> Self {
        Self { closes: true, ..Self::new(StatusCode::BAD_REQUEST, reason) }
    }

    pub(super) fn not_found(reason: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, reason)
    }

    pub(super) fn other_methods(allow: Vec<HttpMethod>) -> Self {
        Self { allow, ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "no endpoint of the path has the method") }
    }

    pub(super) fn too_many(per_second: u32) -> Self {
        let reason = format!("more than {per_second} requests in a second");
        Self::beyond(Bound::PerSecond, StatusCode::TOO_MANY_REQUESTS, reason)
    }

    pub(super) fn too_many_at_once(most: u32) -> Self {
        Self::beyond(Bound::AtOnce, StatusCode::SERVICE_UNAVAILABLE, format!("more than {most} requests at once"))
    }

    pub(super) fn too_many_bytes() -> Self {
        let reason = "the bodies of the site's requests and answers are too many bytes";
        Self::beyond(Bound::Bytes, StatusCode::SERVICE_UNAVAILABLE, reason)
    }

    pub(super) fn too_many_bodies(most: u32) -> Self {
        let reason = format!("the bodies of {most} other requests of its address are waited for");
        Self { closes: true, ..Self::beyond(Bound::SlowBodies, StatusCode::TOO_MANY_REQUESTS, reason) }
    }

    pub(super) fn too_many_unread(most: u32) -> Self {
        let reason = format!("the answers to {most} other requests of its address are not read");
        Self { closes: true, ..Self::beyond(Bound::UnreadAnswers, StatusCode::TOO_MANY_REQUESTS, reason) }
    }

    pub(super) fn body_too_large(most: u64) -> Self {
        Self { closes: true, ..Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a body of more than {most} bytes")) }
    }

    pub(super) fn body_too_slow() -> Self {
        Self { closes: true, ..Self::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time") }
    }

    pub(super) fn unavailable(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, reason)
    }

    pub(super) fn no_answer(timeout: std::time::Duration) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, format!("no answer within {timeout:?}"))
    }

    /// What the script answered is no answer.
    pub(super) fn bad_answer(reason: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, format!("no answer that can be sent: {reason}"))
    }

    /// What the host refused.
    pub(super) fn of_kind(kind: ErrorKind, reason: String) -> Self {
        let status = match kind {
            ErrorKind::ResourceExhausted
            | ErrorKind::RateLimited
            | ErrorKind::Unavailable
            | ErrorKind::NotFound
            | ErrorKind::AlreadyExists => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::BAD_GATEWAY,
        };
        Self::new(status, reason)
    }

    /// How a process ended, or what a called function raised.
    pub(super) fn of_failure(failure: &Failure) -> Self {
        let limit = match Ending::failed(failure) {
            Ending::Failed { limit, .. } => limit,
            _ => None,
        };
        let times = [LimitName::Cpu, LimitName::CpuTotal, LimitName::Lifetime].map(LimitName::as_str);
        let is_slow = limit.is_some_and(|limit| times.contains(&limit.as_str()));
        let status = match failure.kind {
            ErrorKind::ResourceExhausted if is_slow => StatusCode::GATEWAY_TIMEOUT,
            ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
            ErrorKind::ResourceExhausted | ErrorKind::RateLimited | ErrorKind::Unavailable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::BAD_GATEWAY,
        };
        let kind = failure.kind.as_str();
        let kind = if kind.is_empty() { String::new() } else { format!(" ({kind})") };
        Self { stack: failure.stack.clone(), ..Self::new(status, format!("failed: {}{kind}", failure.message)) }
    }

    pub(super) fn of(self, pid: &Pid) -> Self {
        Self { pid: Some(pid.clone()), ..self }
    }

    /// How much it matters: what the site couldn't do is its author's to see, what a client did wrong hardly is.
    pub(super) fn level(&self) -> Level {
        match self.status {
            status if status.is_server_error() => Level::Warn,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT => Level::Info,
            _ => Level::Debug,
        }
    }

    /// What the client gets.
    pub(super) fn response(&self) -> Response<AnswerBody> {
        let text = format!("{}\n", self.status.canonical_reason().unwrap_or_default());
        let mut response = Response::new(AnswerBody::own(text));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if !self.allow.is_empty() {
            let mut allow = self.allow.clone();
            allow.sort_unstable();
            let allow = allow.into_iter().map(HttpMethod::as_str).collect::<Vec<_>>().join(", ");
            if let Ok(allow) = HeaderValue::from_str(&allow) {
                headers.insert(ALLOW, allow);
            }
        }
        if matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.closes {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
