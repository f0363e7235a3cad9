//! Values outside of Lua: arguments given by Rust, results read by Rust; and how the host itself ends a process.
//!
//! Owns the mapping to MessagePack payloads for the edges of the system, with serde or without. Never used between two processes: their
//! payloads travel as bytes.

mod access;
mod error;
mod fault;
mod quantity;
mod read;
mod serde;
mod string;
mod time;
mod travel;
mod typed;
mod write;

pub(crate) use self::serde::RawBytes;
pub(crate) use error::failure_payload;
pub(crate) use fault::{bug, failed, limit_reached, refused, result_too_large};
pub use quantity::{DurationError, SizeError, parse_duration, parse_size};
pub use read::ReadError;
pub(crate) use read::{Missing, Reader};
pub(crate) use string::StringPayload;
pub use travel::ValueError;
pub(crate) use typed::from_values;
pub use typed::{from_payload, from_results, to_arguments, to_payload};
pub use write::WriteError;
pub(crate) use write::{RAW, payload, results};

/// One Lua value that can travel.
#[derive(Clone, PartialEq, Default)]
pub enum Value {
    /// `nil`
    #[default]
    Nil,
    /// A boolean.
    Boolean(bool),
    /// A Lua integer.
    Integer(i64),
    /// A Lua float.
    Float(f64),
    /// A string: any bytes.
    String(Vec<u8>),
    /// A table with the keys 1..n.
    Array(Vec<Value>),
    /// Any other table, in the order it was encoded.
    Map(Vec<(Value, Value)>),
    /// A time ([`Value::as_time`]), a duration ([`Value::as_duration`]); or what has no form in Rust: an error object, `json.null`, a
    /// table seen before. Extension type and bytes.
    Extension(i8, Vec<u8>),
}

impl Value {
    /// Encodes as a payload. Whether it can travel isn't asked: a spawn and a send do.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes, self);
        bytes
    }

    /// The payload of a value that can travel.
    ///
    /// Errors: it can't, with the path to what can't.
    pub(crate) fn to_payload(&self) -> Result<Vec<u8>, ValueError> {
        self.to_payload_of("payload")
    }

    /// The same; `root` is what messages call it.
    ///
    /// Errors: as there.
    pub(crate) fn to_payload_of(&self, root: &str) -> Result<Vec<u8>, ValueError> {
        travel::check(self, root)?;
        Ok(self.encode())
    }

    /// The payload of a spawn's arguments.
    ///
    /// Errors: one can't travel, with the path to what can't.
    pub(crate) fn to_arguments(values: &[Value]) -> Result<Vec<u8>, ValueError> {
        for (place, value) in values.iter().enumerate() {
            travel::check(value, &format!("arguments[{}]", place.saturating_add(1)))?;
        }
        let mut bytes = Vec::new();
        infallible(rmp::encode::write_array_len(&mut bytes, length(values.len())));
        values.iter().for_each(|value| write(&mut bytes, value));
        Ok(bytes)
    }

    /// Decodes a payload.
    ///
    /// Errors: bytes that are not one MessagePack value, or tables nested deeper than 100 levels.
    pub fn decode(payload: &[u8]) -> Result<Value, DecodeError> {
        let mut rest = payload;
        let value = read(&mut rest, MAX_DEPTH)?;
        if rest.is_empty() { Ok(value) } else { Err(DecodeError::Trailing(rest.len())) }
    }

    /// Whether a payload is that of an array, by its first byte.
    pub(crate) fn is_array(payload: &[u8]) -> bool {
        use rmp::Marker;
        let marker = payload.first().map(|byte| Marker::from_u8(*byte));
        matches!(marker, Some(Marker::FixArray(_) | Marker::Array16 | Marker::Array32))
    }
}

/// Depth of tables in a payload.
const MAX_DEPTH: usize = lunarium_contract::payload::DEPTH;

/// Why bytes are no payload.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end in the middle of a value.
    #[error("payload ends early")]
    Short,
    /// Tables nested too deeply.
    #[error("payload is nested deeper than {MAX_DEPTH} levels")]
    Deep,
    /// Bytes after the value.
    #[error("payload has {0} bytes after its value")]
    Trailing(usize),
    /// A MessagePack marker that no guest writes.
    #[error("payload has the unknown marker {0:?}")]
    Marker(rmp::Marker),
}

fn write(bytes: &mut Vec<u8>, value: &Value) {
    use rmp::encode as put;
    match value {
        Value::Nil => infallible(put::write_nil(bytes)),
        Value::Boolean(value) => infallible(put::write_bool(bytes, *value)),
        Value::Integer(value) => drop(put::write_sint(bytes, *value)),
        Value::Float(value) => infallible(put::write_f64(bytes, *value)),
        Value::String(text) => match std::str::from_utf8(text) {
            Ok(text) => infallible(put::write_str(bytes, text)),
            Err(_) => infallible(put::write_bin(bytes, text)),
        },
        Value::Array(values) => {
            infallible(put::write_array_len(bytes, length(values.len())));
            values.iter().for_each(|value| write(bytes, value));
        }
        Value::Map(pairs) => {
            infallible(put::write_map_len(bytes, length(pairs.len())));
            pairs.iter().for_each(|(key, value)| {
                write(bytes, key);
                write(bytes, value);
            });
        }
        Value::Extension(kind, data) => {
            infallible(put::write_ext_meta(bytes, length(data.len()), *kind));
            bytes.extend_from_slice(data);
        }
    }
}

/// Writing into a `Vec` can't fail.
fn infallible<T, E>(_: Result<T, E>) {}

fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn read(rest: &mut &[u8], depth: usize) -> Result<Value, DecodeError> {
    use rmp::Marker;
    let marker = rmp::decode::read_marker(rest).map_err(|_| DecodeError::Short)?;
    match marker {
        Marker::Null => Ok(Value::Nil),
        Marker::True => Ok(Value::Boolean(true)),
        Marker::False => Ok(Value::Boolean(false)),
        Marker::FixPos(value) => Ok(Value::Integer(value.into())),
        Marker::FixNeg(value) => Ok(Value::Integer(value.into())),
        Marker::U8 => Ok(Value::Integer(u8::from_be_bytes(fixed(rest)?).into())),
        Marker::U16 => Ok(Value::Integer(u16::from_be_bytes(fixed(rest)?).into())),
        Marker::U32 => Ok(Value::Integer(u32::from_be_bytes(fixed(rest)?).into())),
        Marker::U64 => Ok(Value::Integer(u64::from_be_bytes(fixed(rest)?).cast_signed())),
        Marker::I8 => Ok(Value::Integer(i8::from_be_bytes(fixed(rest)?).into())),
        Marker::I16 => Ok(Value::Integer(i16::from_be_bytes(fixed(rest)?).into())),
        Marker::I32 => Ok(Value::Integer(i32::from_be_bytes(fixed(rest)?).into())),
        Marker::I64 => Ok(Value::Integer(i64::from_be_bytes(fixed(rest)?))),
        Marker::F32 => Ok(Value::Float(f32::from_be_bytes(fixed(rest)?).into())),
        Marker::F64 => Ok(Value::Float(f64::from_be_bytes(fixed(rest)?))),
        Marker::FixStr(_)
        | Marker::Str8
        | Marker::Str16
        | Marker::Str32
        | Marker::Bin8
        | Marker::Bin16
        | Marker::Bin32 => Ok(Value::String(read_string(rest, marker)?)),
        Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => {
            let (count, depth) = (read_length(rest, marker)?, deeper(depth)?);
            (0..count).map(|_| read(rest, depth)).collect::<Result<_, _>>().map(Value::Array)
        }
        Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => {
            let (count, depth) = (read_length(rest, marker)?, deeper(depth)?);
            (0..count).map(|_| Ok((read(rest, depth)?, read(rest, depth)?))).collect::<Result<_, _>>().map(Value::Map)
        }
        Marker::FixExt1
        | Marker::FixExt2
        | Marker::FixExt4
        | Marker::FixExt8
        | Marker::FixExt16
        | Marker::Ext8
        | Marker::Ext16
        | Marker::Ext32 => {
            let count = read_length(rest, marker)?;
            let [kind] = fixed(rest)?;
            Ok(Value::Extension(kind.cast_signed(), bytes(rest, count)?.to_vec()))
        }
        Marker::Reserved => Err(DecodeError::Marker(marker)),
    }
}

fn deeper(depth: usize) -> Result<usize, DecodeError> {
    depth.checked_sub(1).ok_or(DecodeError::Deep)
}

fn read_string(rest: &mut &[u8], marker: rmp::Marker) -> Result<Vec<u8>, DecodeError> {
    let count = read_length(rest, marker)?;
    bytes(rest, count).map(<[u8]>::to_vec)
}

/// The length that belongs to a marker.
fn read_length(rest: &mut &[u8], marker: rmp::Marker) -> Result<usize, DecodeError> {
    use rmp::Marker;
    let length = match marker {
        Marker::FixStr(length) | Marker::FixArray(length) | Marker::FixMap(length) => length.into(),
        Marker::FixExt1 => 1,
        Marker::FixExt2 => 2,
        Marker::FixExt4 => 4,
        Marker::FixExt8 => 8,
        Marker::FixExt16 => 16,
        Marker::Str8 | Marker::Bin8 | Marker::Ext8 => u8::from_be_bytes(fixed(rest)?).into(),
        Marker::Str16 | Marker::Bin16 | Marker::Array16 | Marker::Map16 | Marker::Ext16 => {
            u16::from_be_bytes(fixed(rest)?).into()
        }
        _ => u32::from_be_bytes(fixed(rest)?),
    };
    Ok(usize::try_from(length).unwrap_or(usize::MAX))
}

fn fixed<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], DecodeError> {
    let (head, tail) = rest.split_first_chunk().ok_or(DecodeError::Short)?;
    *rest = tail;
    Ok(*head)
}

fn bytes<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], DecodeError> {
    let (head, tail) = rest.split_at_checked(count).ok_or(DecodeError::Short)?;
    *rest = tail;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_survives_its_payload() {
        let value = Value::Map(vec![
            (Value::from("list"), Value::Array(vec![Value::Nil, Value::Boolean(true), Value::Integer(-70_000)])),
            (Value::Integer(1), Value::Float(1.0)),
            (Value::from("bytes"), Value::String(vec![0xff, 0])),
            (Value::from("error"), Value::Extension(2, vec![0x90])),
            (Value::from("long"), Value::String(vec![b'x'; 70_000])),
        ]);
        assert_eq!(Value::decode(&value.encode()), Ok(value));
    }

    #[test]
    fn bytes_that_are_no_payload_are_refused() {
        assert_eq!(Value::decode(&[]), Err(DecodeError::Short));
        assert_eq!(Value::decode(&[0xdd, 0xff, 0xff, 0xff, 0xff]), Err(DecodeError::Short));
        assert_eq!(Value::decode(&[0xc0, 0xc0]), Err(DecodeError::Trailing(1)));
        assert_eq!(Value::decode(&[0xc1]), Err(DecodeError::Marker(rmp::Marker::Reserved)));
        assert_eq!(Value::decode(&[0x91; 200]), Err(DecodeError::Deep));
    }
}
