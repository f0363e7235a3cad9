//! How a process ends by what the host finds: a limit, a trap, a bug of ours. Owns the form of such an end; the words
//! come from where it is found.

use bytes::Bytes;
use lunarium_kernel::{ErrorKind, Failure, Outcome, Refusal};

use super::Value;

/// An abnormal end of this kind.
pub(crate) fn failed(kind: ErrorKind, text: &str) -> Outcome {
    Outcome::failed(Failure::new(kind, text))
}

/// A limit was reached that can't be refused: `details` is `{limit = name}`.
pub(crate) fn limit_reached(limit: &'static str, text: &str) -> Outcome {
    let failure = Failure::new(ErrorKind::ResourceExhausted, text);
    Outcome::failed(Failure { details: Some(limit_details(limit)), ..failure })
}

/// What was refused, as a failure: its kind and text, whether trying again may help, and the limit's name in its details.
pub(crate) fn refused(refusal: &impl Refusal) -> Failure {
    Failure {
        retryable: Some(refusal.retryable()),
        details: refusal.limit().map(limit_details),
        ..Failure::new(refusal.kind(), refusal.to_string())
    }
}

/// The payload of `{limit = name}`.
fn limit_details(limit: &'static str) -> Bytes {
    Value::Map(vec![(Value::from("limit"), Value::from(limit))]).encode().into()
}

/// A result that can't travel for its size.
pub(crate) fn result_too_large(size: usize, limit: u32) -> Outcome {
    failed(ErrorKind::Invalid, &format!("result of {size} bytes exceeds the message limit of {limit}"))
}

/// Our own mistake.
pub(crate) fn bug(what: &str) -> Outcome {
    failed(ErrorKind::Internal, &format!("host bug: {what}"))
}
