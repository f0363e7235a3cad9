//! Which values can travel: the rules of Lua's own payloads, for those that Rust made.

use lunarium_contract::payload::{DEPTH, extension};
use lunarium_kernel::{ErrorKind, Refusal};

use super::Value;

/// Why a value can't travel: which part of it, and what that is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path} {fault}")]
pub struct ValueError {
    /// Where, as Lua would write it: `payload.list[2]`.
    path: String,
    fault: Fault,
}

impl ValueError {
    /// Where in the value, as Lua would write it: `payload.list[2]`.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl Refusal for ValueError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Fault {
    #[error("is nested deeper than {DEPTH} levels")]
    Deep,
    #[error("has nil as a key")]
    NilKey,
    #[error("has NaN as a key")]
    NanKey,
    #[error("has a table as a key")]
    TableKey,
    #[error("is of the unknown extension type {0}")]
    Extension(i8),
}

/// Errors: what can't travel, under `root`.
pub(super) fn check(value: &Value, root: &str) -> Result<(), ValueError> {
    look(value, 0).map_err(|Found { mut steps, fault }| {
        steps.reverse();
        ValueError { path: format!("{root}{}", steps.concat()), fault }
    })
}

/// A fault and the way to it, innermost step first.
struct Found {
    steps: Vec<String>,
    fault: Fault,
}

impl Found {
    fn here(fault: Fault) -> Found {
        Found { steps: Vec::new(), fault }
    }

    fn inside(mut self, step: String) -> Found {
        self.steps.push(step);
        self
    }
}

fn look(value: &Value, depth: usize) -> Result<(), Found> {
    let deeper = depth.saturating_add(1);
    match value {
        Value::Array(_) | Value::Map(_) if deeper > DEPTH => Err(Found::here(Fault::Deep)),
        Value::Array(items) => {
            let mut places = items.iter().zip(1_u64..);
            places.try_for_each(|(item, place)| look(item, deeper).map_err(|found| found.inside(format!("[{place}]"))))
        }
        Value::Map(pairs) => pairs.iter().try_for_each(|(key, value)| {
            look_at_key(key)?;
            look(value, deeper).map_err(|found| found.inside(step(key)))
        }),
        Value::Extension(kind, _)
            if !u8::try_from(*kind).is_ok_and(|kind| (extension::SEEN..=extension::NULL).contains(&kind)) =>
        {
            Err(Found::here(Fault::Extension(*kind)))
        }
        _ => Ok(()),
    }
}

fn look_at_key(key: &Value) -> Result<(), Found> {
    Err(Found::here(match key {
        Value::Nil => Fault::NilKey,
        Value::Float(number) if number.is_nan() => Fault::NanKey,
        Value::Array(_) | Value::Map(_) | Value::Extension(..) => Fault::TableKey,
        Value::Boolean(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => return Ok(()),
    }))
}

/// A key as Lua would write it.
fn step(key: &Value) -> String {
    match key {
        Value::String(name) => format!(".{}", String::from_utf8_lossy(name)),
        Value::Boolean(value) => format!("[{value}]"),
        Value::Integer(number) => format!("[{number}]"),
        Value::Float(number) => format!("[{number:?}]"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{DEPTH, Value, check};

    fn fault(value: &Value) -> String {
        check(value, "payload").map_or_else(|error| error.to_string(), |()| String::new())
    }

    fn nested(levels: usize) -> Value {
        (0..levels).fold(Value::Nil, |inner, _| Value::Array(vec![inner]))
    }

    #[test]
    fn what_cannot_travel_is_named_with_its_path() {
        let map = |key, value| Value::Map(vec![(key, value)]);
        let list = |value| map(Value::from("list"), Value::Array(vec![Value::Nil, value]));
        assert_eq!(fault(&list(map(Value::Nil, Value::Nil))), "payload.list[2] has nil as a key");
        assert_eq!(fault(&map(Value::Float(f64::NAN), Value::Nil)), "payload has NaN as a key");
        assert_eq!(fault(&map(nested(1), Value::Nil)), "payload has a table as a key");
        assert_eq!(fault(&list(Value::Extension(9, vec![]))), "payload.list[2] is of the unknown extension type 9");
        assert_eq!(fault(&list(Value::Extension(3, vec![]))), "");
        assert_eq!(fault(&map(Value::Float(0.5), Value::Float(f64::NAN))), "");
    }

    #[test]
    fn a_hundred_levels_travel_and_one_more_does_not() {
        assert_eq!(fault(&nested(DEPTH)), "");
        let deep = nested(DEPTH + 1);
        assert!(fault(&deep).ends_with("[1] is nested deeper than 100 levels"), "{}", fault(&deep));
        assert!(Value::decode(&nested(DEPTH).encode()).is_ok());
        assert!(Value::decode(&deep.encode()).is_err());
    }
}
