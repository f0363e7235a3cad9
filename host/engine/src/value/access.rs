//! Values made of Rust's and read as such, one at a time. Whole types go by serde.
//!
//! Owns which conversions lose nothing: only those are there.

use std::fmt;

use super::{ReadError, Value};

/// As derived, but for strings: those are text where they can be.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Nil => f.write_str("Nil"),
            Value::Boolean(value) => f.debug_tuple("Boolean").field(value).finish(),
            Value::Integer(value) => f.debug_tuple("Integer").field(value).finish(),
            Value::Float(value) => f.debug_tuple("Float").field(value).finish(),
            Value::String(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => f.debug_tuple("String").field(&text).finish(),
                Err(_) => f.debug_tuple("String").field(&format_args!("b\"{}\"", bytes.escape_ascii())).finish(),
            },
            Value::Array(items) => f.debug_tuple("Array").field(items).finish(),
            Value::Map(pairs) => f.debug_tuple("Map").field(pairs).finish(),
            Value::Extension(kind, data) => f.debug_tuple("Extension").field(kind).field(data).finish(),
        }
    }
}

impl Value {
    /// The boolean that it is.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer that it is, or an integral float stands for.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Integer(number) => Some(*number),
            Value::Float(number) => integral(*number),
            _ => None,
        }
    }

    /// The number that it is; an integer beyond 2^53 is the nearest float.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The text of a string that is valid UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        self.as_bytes().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// The bytes of a string.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::String(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The values of a table with the keys 1..n; none of an empty one.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(values) => Some(values),
            Value::Map(pairs) if pairs.is_empty() => Some(&[]),
            _ => None,
        }
    }

    /// The pairs of a table that is no array; none of an empty one.
    pub fn as_map(&self) -> Option<&[(Value, Value)]> {
        match self {
            Value::Map(pairs) => Some(pairs),
            Value::Array(values) if values.is_empty() => Some(&[]),
            _ => None,
        }
    }

    /// Whether it is nil.
    pub fn is_nil(&self) -> bool {
        *self == Value::Nil
    }

    /// The field of a table. None: it has none of this name, or isn't a table with names.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let pairs = self.as_map()?;
        pairs.iter().find(|(name, _)| name.as_bytes() == Some(key.as_bytes())).map(|(_, value)| value)
    }

    /// What Lua calls its type.
    fn type_name(&self) -> &'static str {
        match self {
            Value::Nil => "nil",
            Value::Boolean(_) => "boolean",
            Value::Integer(_) => "integer",
            Value::Float(_) => "float",
            Value::String(_) => "string",
            Value::Array(_) | Value::Map(_) => "table",
            Value::Extension(..) => "extension",
        }
    }

    fn isnt(&self, expected: &str) -> ReadError {
        ReadError::mismatch(expected, self.type_name())
    }
}

/// The integer that a float is exactly.
fn integral(number: f64) -> Option<i64> {
    // 2^63, the first that is too large; -2^63 is the last that isn't too small.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    (number.fract() == 0.0 && (-BEYOND..BEYOND).contains(&number)).then_some(number as i64)
}

macro_rules! from_integers {
    ($($integer:ty)+) => {
        $(impl From<$integer> for Value {
            fn from(number: $integer) -> Value {
                Value::Integer(number.into())
            }
        })+
    };
}

from_integers!(i8 i16 i32 i64 u8 u16 u32);

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Boolean(value)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Float(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.as_bytes().to_vec())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text.into_bytes())
    }
}

/// A string.
impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Value {
        Value::String(bytes.to_vec())
    }
}

impl From<Vec<Value>> for Value {
    fn from(values: Vec<Value>) -> Value {
        Value::Array(values)
    }
}

/// A table with these keys: `Value::from([("who", Value::from("Ada")), ("cents", Value::from(250))])`.
impl<K: Into<Value>, const N: usize> From<[(K, Value); N]> for Value {
    fn from(pairs: [(K, Value); N]) -> Value {
        Value::Map(pairs.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Nil, Into::into)
    }
}

impl TryFrom<Value> for bool {
    type Error = ReadError;

    fn try_from(value: Value) -> Result<bool, ReadError> {
        value.as_bool().ok_or_else(|| value.isnt("boolean"))
    }
}

impl TryFrom<Value> for i64 {
    type Error = ReadError;

    fn try_from(value: Value) -> Result<i64, ReadError> {
        value.as_i64().ok_or_else(|| value.isnt("integer"))
    }
}

impl TryFrom<Value> for f64 {
    type Error = ReadError;

    fn try_from(value: Value) -> Result<f64, ReadError> {
        value.as_f64().ok_or_else(|| value.isnt("number"))
    }
}

impl TryFrom<Value> for String {
    type Error = ReadError;

    fn try_from(value: Value) -> Result<String, ReadError> {
        let bytes = Vec::try_from(value)?;
        String::from_utf8(bytes).map_err(|_| ReadError::mismatch("text", "a string that isn't UTF-8"))
    }
}

/// The bytes of a string.
impl TryFrom<Value> for Vec<u8> {
    type Error = ReadError;

    fn try_from(value: Value) -> Result<Vec<u8>, ReadError> {
        match value {
            Value::String(bytes) => Ok(bytes),
            other => Err(other.isnt("string")),
        }
    }
}

impl TryFrom<Value> for Vec<Value> {
    type Error = ReadError;

    fn try_from(value: Value) -> Result<Vec<Value>, ReadError> {
        match value {
            Value::Array(values) => Ok(values),
            Value::Map(pairs) if pairs.is_empty() => Ok(Vec::new()),
            other => Err(other.isnt("list")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn what_a_value_is_can_be_read_and_nothing_else() {
        let order = Value::from([
            ("who", Value::from("Ada")),
            ("cents", Value::from(250)),
            ("share", Value::from(2.0)),
            ("items", vec![Value::from(true), Value::from(None::<i64>)].into()),
        ]);
        assert_eq!(order.get("who").and_then(Value::as_str), Some("Ada"));
        assert_eq!(order.get("cents").and_then(Value::as_f64), Some(250.0));
        assert_eq!(order.get("share").and_then(Value::as_i64), Some(2));
        assert_eq!(order.get("items").and_then(Value::as_array), Some(&[Value::Boolean(true), Value::Nil][..]));
        assert_eq!((order.get("nobody"), order.as_map().map(<[_]>::len), order.as_array()), (None, Some(4), None));
        assert_eq!(Value::Array(Vec::new()).as_map(), Some(&[][..]), "an empty table is both");
        assert_eq!((Value::from("x").get("x"), Value::Nil.is_nil()), (None, true));
        assert_eq!(Value::String(vec![0xff]).as_str(), None);
    }

    #[test]
    fn strings_are_shown_as_text_where_they_can_be() {
        let shown = format!(
            "{:?}",
            Value::from([("who", Value::Array(vec![Value::from("Ada"), Value::String(vec![b'a', 0xff])]))])
        );
        assert_eq!(shown, r#"Map([(String("who"), Array([String("Ada"), String(b"a\xff")]))])"#);
    }

    #[test]
    fn only_integral_floats_within_the_range_are_integers() {
        let read = |number: f64| Value::Float(number).as_i64();
        assert_eq!((read(-3.0), read(0.5), read(f64::NAN), read(f64::INFINITY)), (Some(-3), None, None, None));
        assert_eq!((read(-9_223_372_036_854_775_808.0), read(9_223_372_036_854_775_808.0)), (Some(i64::MIN), None));
    }

    #[test]
    fn what_is_not_of_the_type_is_said_in_lua_s_words() {
        fn error<T: TryFrom<Value, Error = super::ReadError>>(value: Value) -> String {
            T::try_from(value).err().map(|error| error.to_string()).unwrap_or_default()
        }
        assert_eq!(i64::try_from(Value::from(3.0)), Ok(3));
        assert_eq!(String::try_from(Value::from("text".to_owned())), Ok("text".to_owned()));
        assert_eq!(Vec::<u8>::try_from(Value::from(&[0xff_u8][..])), Ok(vec![0xff]));
        assert_eq!(error::<i64>(Value::from(0.5)), "integer expected, got float");
        assert_eq!(error::<bool>(Value::Nil), "boolean expected, got nil");
        assert_eq!(error::<f64>(Value::from("1")), "number expected, got string");
        assert_eq!(error::<String>(Value::String(vec![0xff])), "text expected, got a string that isn't UTF-8");
        assert_eq!(error::<Vec<Value>>(Value::from([("a", Value::Nil)])), "list expected, got table");
    }
}
