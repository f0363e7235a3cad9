//! Payloads as Rust types and back, for embedders.

use serde::Serialize;
use serde::de::DeserializeOwned;

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
