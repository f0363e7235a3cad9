//! Payloads as Rust types and back, for embedders.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Value;
use super::read::{Missing, ReadError, Reader};
use super::write::{WriteError, payload, results};

/// A payload as a Rust type, by serde: a process's result, a message, an error's details.
///
/// Errors: it isn't of the type; the text says where.
pub fn from_payload<'p, T: Deserialize<'p>>(payload: &'p [u8]) -> Result<T, ReadError> {
    T::deserialize(&mut Reader::new(payload))
}

/// The list of a function's results as a Rust type, by serde: none is nil, one is itself, several are a tuple. Where they aren't, what
/// has only nils after it is itself, too: `return json.encode(x)` gives a text and nil.
///
/// Errors: as [`from_payload`].
pub fn from_results<'p, T: Deserialize<'p>>(payload: &'p [u8]) -> Result<T, ReadError> {
    let mut reader = Reader::new(payload);
    match reader.open_list()? {
        0 => T::deserialize(Missing),
        1 => T::deserialize(&mut reader),
        count => from_payload(payload).or_else(|error: ReadError| match first(&mut reader, count) {
            Some(value) => Ok(value),
            None => Err(error.of_several(count)),
        }),
    }
}

/// The first of so many values, if it is of the type and the others are nil.
fn first<'p, T: Deserialize<'p>>(reader: &mut Reader<'p>, count: usize) -> Option<T> {
    let value = T::deserialize(&mut *reader).ok()?;
    let is_nil = |_| matches!(Option::<Value>::deserialize(&mut *reader), Ok(None));
    (1..count).all(is_nil).then_some(value)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may panic")]

    use super::{Value, from_results};

    #[test]
    fn one_value_is_what_has_only_nils_after_it() {
        let results = |values: &[Value]| Value::Array(values.to_vec()).encode();
        let text = results(&[Value::from("text"), Value::Nil]);
        assert_eq!(from_results::<String>(&text).unwrap(), "text");
        assert_eq!(from_results::<(String, Option<i64>)>(&text).unwrap(), ("text".to_owned(), None));
        assert_eq!(from_results::<i64>(&text).unwrap_err().to_string(), "integer expected, got 2 values");
        let two = results(&[Value::from(1), Value::from(2)]);
        assert_eq!(from_results::<i64>(&two).unwrap_err().to_string(), "integer expected, got 2 values");
        assert_eq!(from_results::<(i64,)>(&two).unwrap_err().to_string(), "list of 1 expected, got one of 2");
    }
}
