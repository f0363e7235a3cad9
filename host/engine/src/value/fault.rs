//! How a process ends by what the host finds: a limit, a trap, a bug of ours. Owns the form of such an end; the words
//! come from where it is found.

use bytes::Bytes;
use lunarium_contract::payload::extension;
use lunarium_kernel::{ErrorKind, Failure, Outcome};

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

/// The payload of `{limit = name}`.
pub(crate) fn limit_details(limit: &'static str) -> Bytes {
    Value::Map(vec![(Value::from("limit"), Value::from(limit))]).encode().into()
}

/// Our own mistake.
pub(crate) fn bug(what: &str) -> Outcome {
    failed(ErrorKind::Internal, &format!("host bug: {what}"))
}

/// The payload of an error object: what the guest's own encoder makes of one.
pub(crate) fn failure_payload(failure: &Failure) -> Vec<u8> {
    let nil = vec![NIL];
    let text = |text: &str| Value::from(text).encode();
    let parts = [
        vec![FIVE_ITEMS],
        text(failure.kind.as_str()),
        text(&failure.message),
        Value::Boolean(failure.retryable).encode(),
        failure.details.as_ref().map_or_else(|| nil.clone(), |details| details.to_vec()),
        failure.stack.as_ref().map_or_else(|| nil.clone(), |stack| text(stack)),
    ];
    Value::Extension(extension::ERROR.cast_signed(), parts.concat()).encode()
}

/// MessagePack's nil, and the head of an array of five.
const NIL: u8 = 0xc0;
const FIVE_ITEMS: u8 = 0x95;
