//! How a process ended, and why a call was refused. Owns the error kinds a script can see. Does not encode anything:
//! payloads are opaque bytes.

use std::fmt;
use std::sync::Arc;

/// One MessagePack value, carried and never decoded.
pub type Payload = Arc<[u8]>;

/// The kinds of error a script can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// Absent, ended, or another tenant's.
    NotFound,
    /// It is there already.
    AlreadyExists,
    /// The arguments can't be used.
    Invalid,
    /// A policy or an owner forbids it.
    PermissionDenied,
    /// Stopped, for now.
    Unavailable,
    /// A script's error, and what follows from it.
    Internal,
    /// Ended by request.
    Canceled,
    /// Somebody else changed it first.
    Conflict,
    /// Time ran out.
    Timeout,
    /// Too much at once; later it may work.
    RateLimited,
    /// A limit is reached.
    ResourceExhausted,
    /// No kind was given.
    Unknown,
}

impl ErrorKind {
    /// The kind as a script sees it; `Unknown` is empty.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "NotFound",
            Self::AlreadyExists => "AlreadyExists",
            Self::Invalid => "Invalid",
            Self::PermissionDenied => "PermissionDenied",
            Self::Unavailable => "Unavailable",
            Self::Internal => "Internal",
            Self::Canceled => "Canceled",
            Self::Conflict => "Conflict",
            Self::Timeout => "Timeout",
            Self::RateLimited => "RateLimited",
            Self::ResourceExhausted => "ResourceExhausted",
            Self::Unknown => "",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal: a call did nothing, and the script gets an error value. Its text is the `Display` form.
pub trait Refusal: fmt::Display {
    /// What a script tests with `errors.is`.
    fn kind(&self) -> ErrorKind;

    /// Whether the same call may succeed later without anybody changing anything else.
    fn retryable(&self) -> bool {
        false
    }
}

/// Why a process ended abnormally. Shared between all who learn of it, so it is made once and never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What a script tests with `errors.is`.
    pub kind: ErrorKind,
    /// What a person reads.
    pub message: String,
    /// Whether trying again may help.
    pub retryable: bool,
    /// A table, or none.
    pub details: Option<Payload>,
    /// The Lua traceback of where it was raised, or none.
    pub stack: Option<String>,
}

impl Failure {
    /// A failure with neither details nor stack that isn't retryable.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retryable: false, details: None, stack: None }
    }

    /// Bytes that it holds on the host.
    pub(crate) fn size(&self) -> usize {
        let details = self.details.as_ref().map_or(0, |details| details.len());
        let stack = self.stack.as_ref().map_or(0, String::len);
        self.message.len().saturating_add(details).saturating_add(stack)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Normally, with its result.
    Completed(Payload),
    /// Abnormally: who is linked learns of it or ends too.
    Failed(Arc<Failure>),
}

impl Outcome {
    /// An abnormal end.
    pub fn failed(failure: Failure) -> Self {
        Self::Failed(Arc::new(failure))
    }

    /// Why it ended abnormally, or none.
    pub fn failure(&self) -> Option<&Arc<Failure>> {
        match self {
            Self::Completed(_) => None,
            Self::Failed(failure) => Some(failure),
        }
    }

    /// Bytes that it holds on the host.
    pub fn size(&self) -> u64 {
        let size = match self {
            Self::Completed(payload) => payload.len(),
            Self::Failed(failure) => failure.size(),
        };
        u64::try_from(size).unwrap_or(u64::MAX)
    }
}
