//! Payloads as Rust types and back, for embedders.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Value;
use super::read::{Missing, ReadError, Reader};
use super::write::{WriteError, payload, results};

/// A payload as a Rust type, by serde: a process's result, a message, an error's details.
///
/// Errors: it isn't of the type; the text says where.
pub fn from_payload<T: DeserializeOwned>(payload: &[u8]) -> Result<T, ReadError> {
    T::deserialize(&mut Reader::new(payload))
}

/// The list of a function's results as a Rust type, by serde: none is nil, one is itself, several are a tuple.
///
/// Errors: as [`from_payload`].
pub fn from_results<T: DeserializeOwned>(payload: &[u8]) -> Result<T, ReadError> {
    let mut reader = Reader::new(payload);
    match reader.open_list()? {
        0 => T::deserialize(Missing),
        1 => T::deserialize(&mut reader),
        _ => from_payload(payload),
    }
}

/// What a script has sent as a Rust type: several values, which it packs into a table with the field `n`, are a tuple.
///
/// Errors: as [`from_payload`].
pub(crate) fn from_values<T: DeserializeOwned>(payload: &[u8]) -> Result<T, ReadError> {
    match Value::decode(payload).ok().and_then(Value::unpack) {
        Some(values) => from_payload(&Value::Array(values).encode()),
        None => from_payload(payload),
    }
}

impl Value {
    /// The values of a table that `table.pack` has made, or a send of several. None: it is anything else.
    fn unpack(self) -> Option<Vec<Value>> {
        let Value::Integer(count) = *self.get("n")? else { return None };
        // Holes aren't there, so it may be more than there are pairs; what a script claims isn't believed.
        let count = usize::try_from(count).ok().filter(|count| *count <= MOST_VALUES)?;
        let Value::Map(pairs) = self else { return None };
        let mut values = vec![Value::Nil; count];
        for (key, value) in pairs {
            let Value::Integer(place) = key else { continue };
            let place = usize::try_from(place).ok()?.checked_sub(1)?;
            *values.get_mut(place)? = value;
        }
        Some(values)
    }
}

/// Values that a script sends at once: as many as it may pass to a function.
const MOST_VALUES: usize = 256;

/// The payload of a Rust value.
///
/// Errors: it can't travel.
pub fn to_payload<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, WriteError> {
    payload(value, usize::MAX)
}

/// The payload of a tuple as a list of arguments; `()` is none, anything else one.
///
/// Errors: one can't travel.
pub fn to_arguments<T: Serialize + ?Sized>(values: &T) -> Result<Vec<u8>, WriteError> {
    results(values, usize::MAX)
}
