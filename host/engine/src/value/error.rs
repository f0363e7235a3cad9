//! Error objects as values: a failure that travels inside of a payload. Owns the form, which is the guest's too.

use bytes::Bytes;
use lunarium_contract::payload::extension;
use lunarium_kernel::{ErrorKind, Failure};

use super::Value;

/// MessagePack's head of an array of five.
const FIVE_ITEMS: u8 = 0x95;

/// The payload of an error object: what the guest's own encoder makes of one.
pub(crate) fn failure_payload(failure: &Failure) -> Vec<u8> {
    Value::error(failure).encode()
}

impl Value {
    /// The error object that a script sees of a failure.
    pub fn error(failure: &Failure) -> Value {
        let text = |text: &str| Value::from(text).encode();
        let parts = [
            vec![FIVE_ITEMS],
            text(failure.kind.as_str()),
            text(&failure.message),
            failure.retryable.map_or(Value::Nil, Value::Boolean).encode(),
            failure.details.as_ref().map_or_else(|| Value::Nil.encode(), |details| details.to_vec()),
            failure.stack.as_deref().map_or_else(|| Value::Nil.encode(), text),
        ];
        Value::Extension(extension::ERROR.cast_signed(), parts.concat())
    }

    /// The failure that an error object is. None: it is no error object.
    pub fn failure(&self) -> Option<Failure> {
        let Value::Extension(kind, bytes) = self else { return None };
        if *kind != extension::ERROR.cast_signed() {
            return None;
        }
        let Ok(Value::Array(parts)) = Value::decode(bytes) else { return None };
        let mut parts = parts.into_iter();
        let mut next = || parts.next().unwrap_or_default();
        let kind = next().as_str().and_then(ErrorKind::parse).unwrap_or(ErrorKind::Unknown);
        let message = next().as_str().unwrap_or_default().to_owned();
        let retryable = match next() {
            Value::Boolean(retryable) => Some(retryable),
            _ => None,
        };
        let details = Some(next()).filter(|details| *details != Value::Nil);
        let stack = next().as_str().map(str::to_owned);
        let details = details.map(|details| Bytes::from(details.encode()));
        Some(Failure { kind, message, retryable, details, stack })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use lunarium_kernel::{ErrorKind, Failure};

    use crate::value::Value;

    #[test]
    fn a_failure_survives_as_an_error_object() {
        let details = Value::Map(vec![(Value::from("limit"), Value::from("memory"))]).encode();
        let failure = Failure {
            details: Some(Bytes::from(details)),
            stack: Some("stack traceback:".to_owned()),
            retryable: Some(true),
            ..Failure::new(ErrorKind::RateLimited, "slowly")
        };
        assert_eq!(Value::error(&failure).failure(), Some(failure));
        let plain = Failure::new(ErrorKind::Unknown, "");
        assert_eq!(Value::error(&plain).failure(), Some(plain.clone()));
        let open = Failure { retryable: None, ..plain };
        assert_eq!(Value::error(&open).failure(), Some(open));
        assert_eq!(Value::from("text").failure(), None);
    }
}
