//! How a process ended, and why a call was refused. Owns what both are made of; the kinds of error are the contract's.
//! Does not encode anything: payloads are opaque bytes.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use lunarium_contract::ErrorKind;

/// One MessagePack value, carried and never decoded. Handing it on copies nothing. Whoever makes one gives it a buffer of
/// its own: a slice of something larger would hold all of that, and count for less.
pub type Payload = Bytes;

/// A refusal: a call did nothing, and the script gets an error value. Its text is the `Display` form.
pub trait Refusal: fmt::Display {
    /// What a script tests with `errors.is`.
    fn kind(&self) -> ErrorKind;

    /// Whether the same call may succeed later without anybody changing anything else.
    fn retryable(&self) -> bool {
        false
    }

    /// The name of the limit or budget that was reached, which a script finds as `details().limit`.
    fn limit(&self) -> Option<&'static str> {
        None
    }
}

/// Why a process ended abnormally. Shared between all who learn of it, so it is made once and never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What a script tests with `errors.is`.
    pub kind: ErrorKind,
    /// What a person reads.
    pub message: String,
    /// Whether trying again may help. None: nobody said, as of what a script raises.
    pub retryable: Option<bool>,
    /// A table, or none.
    pub details: Option<Payload>,
    /// The Lua traceback of where it was raised, or none.
    pub stack: Option<String>,
}

impl Failure {
    /// A failure with neither details nor stack that isn't retryable.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retryable: Some(false), details: None, stack: None }
    }

    /// Bytes that it holds on the host.
    pub(crate) fn size(&self) -> usize {
        let details = self.details.as_ref().map_or(0, Bytes::len);
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
