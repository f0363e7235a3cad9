//! How a function fails: what a script gets as `err`.

use std::any::Any;
use std::error::Error;
use std::fmt;

use lunarium_kernel::{ErrorKind, Failure};
use serde::Serialize;

use crate::value::payload;

/// What a script gets as `err`: kind, text, whether trying again may help, details. Every `std::error::Error` becomes one by
/// `?` and `into`, of kind `Internal` with its text, and a [`Failure`] as it is. It is no `std::error::Error` itself: nothing
/// else could become one then.
#[derive(Clone, PartialEq, Eq)]
pub struct FunctionError {
    failure: Failure,
}

impl FunctionError {
    /// An error of this kind that isn't retryable.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> FunctionError {
        FunctionError { failure: Failure::new(kind, message) }
    }

    /// The same, and trying again may help.
    #[must_use]
    pub fn retryable(mut self) -> FunctionError {
        self.failure.retryable = Some(true);
        self
    }

    /// The same with details, which the script finds as `err:details()`. A value that can't travel, or is larger than 64 KiB,
    /// leaves it without any.
    #[must_use]
    pub fn with_details(mut self, details: &(impl Serialize + ?Sized)) -> FunctionError {
        self.failure.details = payload(details, MOST_DETAILS).ok().map(Into::into);
        self
    }

    /// Its kind.
    pub fn kind(&self) -> ErrorKind {
        self.failure.kind
    }

    /// What a person reads.
    pub fn message(&self) -> &str {
        &self.failure.message
    }

    pub(crate) fn into_failure(self) -> Failure {
        self.failure
    }
}

/// Bytes of an error's details. The number: they are for telling errors apart, not for data.
const MOST_DETAILS: usize = 64 << 10;

impl<E: Error + 'static> From<E> for FunctionError {
    fn from(error: E) -> FunctionError {
        let failure = match (&error as &dyn Any).downcast_ref::<Failure>() {
            Some(failure) => failure.clone(),
            None => Failure::new(ErrorKind::Internal, error.to_string()),
        };
        FunctionError { failure }
    }
}

impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
    }
}

impl fmt::Debug for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.failure.kind, self.failure.message)
    }
}
