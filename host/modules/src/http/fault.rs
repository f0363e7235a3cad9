//! Why a request has no answer. Owns the kinds and the words that scripts get.

use std::time::Duration;

use lunarium::{ErrorKind, FunctionError};
use serde_derive::Serialize;

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// What was asked for isn't a request.
    Invalid(String),
    /// No grant allows this request.
    NotGranted(String),
    /// The host has addresses, and no grant names them.
    Address(String),
    /// A redirect that can't be followed.
    Redirect(String),
    Redirects(usize),
    /// The name has no address.
    Unknown(String),
    /// The server, or a name server, can't be reached or vanished: what was tried, and what happened.
    Unavailable(String),
    /// The server speaks, and no HTTP.
    Malformed(String),
    Certificate(String),
    Timeout(Duration),
    /// A limit with its name, and the words for it.
    Limit(&'static str, String),
    /// The same for one that is there again in a minute.
    Rate(&'static str, String),
}

/// What a script finds as `err:details()`.
#[derive(Serialize)]
struct Details {
    limit: &'static str,
}

impl From<Fault> for FunctionError {
    fn from(fault: Fault) -> FunctionError {
        match fault {
            Fault::Invalid(text) => FunctionError::new(ErrorKind::Invalid, text),
            Fault::NotGranted(text) => {
                FunctionError::new(ErrorKind::PermissionDenied, format!("no grant allows {text}"))
            }
            Fault::Address(host) => FunctionError::new(
                ErrorKind::PermissionDenied,
                format!("`{host}` has no public address, and no grant names the one that it has"),
            ),
            Fault::Redirect(text) => {
                FunctionError::new(ErrorKind::Invalid, format!("redirect can't be followed: {text}"))
            }
            Fault::Redirects(most) => FunctionError::new(ErrorKind::Invalid, format!("more than {most} redirects")),
            Fault::Unknown(host) => FunctionError::new(ErrorKind::NotFound, format!("there is no host `{host}`")),
            Fault::Unavailable(text) => FunctionError::new(ErrorKind::Unavailable, text).retryable(),
            Fault::Malformed(text) => FunctionError::new(ErrorKind::Unavailable, text),
            Fault::Certificate(text) => FunctionError::new(ErrorKind::Unavailable, text),
            Fault::Timeout(time) => {
                FunctionError::new(ErrorKind::Timeout, format!("request took longer than {time:?}")).retryable()
            }
            Fault::Limit(limit, text) => {
                FunctionError::new(ErrorKind::ResourceExhausted, text).with_details(&Details { limit })
            }
            Fault::Rate(limit, text) => {
                FunctionError::new(ErrorKind::RateLimited, text).retryable().with_details(&Details { limit })
            }
        }
    }
}
