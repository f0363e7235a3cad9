//! What can go wrong, as one type. Owns that each error has a kind.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use lunarium_engine::{
    CallError, DeliverError, ErrorKind, Failure, HostError, LinkError, ModuleError, MonitorError, PathError, PoolError,
    ReadError, Refusal, ResolveError, SecurityError, SpawnError, StartError, ValueError, WriteError,
};

use crate::FailureExt as _;

/// Why something didn't work: its [kind](Error::kind) says what to do, its text what happened. What lies behind it is its
/// `source`.
#[derive(Clone)]
pub struct Error {
    kind: ErrorKind,
    retryable: bool,
    limit: Option<String>,
    cause: Arc<dyn StdError + Send + Sync>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Error {
        Failure::new(kind, text).into()
    }

    /// What kind of error it is; the same kinds as in scripts.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether trying again may help without anybody changing anything else.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// The limit or budget that was reached, by its name (`cpu`, `node.memory`), if that is why. A script's own error may claim one, too.
    pub fn limit(&self) -> Option<&str> {
        self.limit.as_deref()
    }

    /// How a process ended, if that is what happened: with Lua's traceback and details.
    pub fn failure(&self) -> Option<&Failure> {
        self.cause.downcast_ref()
    }

    fn of(kind: ErrorKind, cause: impl StdError + Send + Sync + 'static) -> Error {
        Error { kind, retryable: false, limit: None, cause: Arc::new(cause) }
    }

    fn refused(refusal: impl Refusal + StdError + Send + Sync + 'static) -> Error {
        let (retryable, limit) = (refusal.retryable(), refusal.limit().map(str::to_owned));
        Error { retryable, limit, ..Error::of(refusal.kind(), refusal) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.cause)?;
        match self.failure().and_then(|failure| failure.stack.as_ref()) {
            Some(stack) => write!(f, "\n{stack}"),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.cause)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        let (retryable, limit) = (failure.retryable == Some(true), failure.limit());
        Error { retryable, limit, ..Error::of(failure.kind, failure) }
    }
}

macro_rules! refusals {
    ($($error:ty)+) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Error {
                Error::refused(error)
            }
        })+
    };
}

refusals!(
    DeliverError HostError LinkError ModuleError MonitorError ResolveError SecurityError SpawnError ValueError WriteError
);

macro_rules! of_kind {
    ($($error:ty: $kind:ident;)+) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Error {
                Error::of(ErrorKind::$kind, error)
            }
        })+
    };
}

of_kind! {
    PathError: Invalid;
    ReadError: Invalid;
    PoolError: ResourceExhausted;
    StartError: ResourceExhausted;
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Error {
        match error {
            CallError::Failed(failure) => Arc::unwrap_or_clone(failure).into(),
            error => Error::refused(error),
        }
    }
}
