//! The serde side of reading: which Lua value passes for which type.

use lunarium_kernel::{SHOWN, cut};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::super::time::Std;
use super::{Head, ReadError, Reader, integer};
use crate::value::RAW;

/// A key as Lua would write it behind what has it, as much as a message repeats.
fn shown(key: Head<'_>) -> String {
    match key {
        Head::Text(name) => format!(".{}", cut(&String::from_utf8_lossy(name), SHOWN)),
        Head::Integer(number) => format!("[{number}]"),
        _ => "[…]".to_owned(),
    }
}

impl<'p> Reader<'p> {
    fn list<V: Visitor<'p>>(&mut self, count: usize, visitor: V) -> Result<V::Value, ReadError> {
        self.deeper(|reader| {
            let mut items = Items { reader, count, next: 0 };
            let value = visitor.visit_seq(&mut items)?;
            match items.next < count {
                true => Err(ReadError::new(format!("list of {} expected, got one of {count}", items.next))),
                false => Ok(value),
            }
        })
    }

    fn map<V: Visitor<'p>>(&mut self, count: usize, visitor: V) -> Result<V::Value, ReadError> {
        self.deeper(|reader| {
            let mut pairs = Pairs { reader, left: count, key: Head::Nil };
            let value = visitor.visit_map(&mut pairs)?;
            match pairs.left {
                0 => Ok(value),
                _ => Err(ReadError::new("table has too many keys")),
            }
        })
    }

    fn std<V: Visitor<'p>>(&mut self, std: Std, visitor: V) -> Result<V::Value, ReadError> {
        self.read(|reader, head| match head {
            Head::Extension(kind, bytes) if kind == std.kind() => std.read(bytes, visitor),
            // As serde has it elsewhere, and as `Std::write` finds it.
            Head::Map(count) => reader.map(count, visitor),
            other => Err(ReadError::mismatch(std.name(), other.name())),
        })
    }
}

macro_rules! integers {
    ($($name:ident)+) => {
        $(fn $name<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
            self.read(|_, head| visitor.visit_i64(integer(head)?))
        })+
    };
}

impl<'p> Deserializer<'p> for &mut Reader<'p> {
    type Error = ReadError;

    integers!(deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128);
    integers!(deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128);

    fn deserialize_any<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.read(|reader, head| match head {
            head if head.is_none() => visitor.visit_unit(),
            Head::Boolean(value) => visitor.visit_bool(value),
            Head::Integer(number) => visitor.visit_i64(number),
            Head::Float(number) => visitor.visit_f64(number),
            Head::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => visitor.visit_borrowed_str(text),
                Err(_) => visitor.visit_borrowed_bytes(bytes),
            },
            Head::List(count) => reader.list(count, visitor),
            Head::Map(count) => reader.map(count, visitor),
            // Only a `Value` takes it.
            Head::Extension(kind, bytes) => visitor.visit_newtype_struct(Extension { kind, bytes }),
            Head::Nil => visitor.visit_unit(),
        })
    }

    fn deserialize_bool<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.read(|_, head| match head {
            Head::Boolean(value) => visitor.visit_bool(value),
            other => Err(ReadError::mismatch("boolean", other.name())),
        })
    }

    fn deserialize_f32<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.read(|_, head| match head {
            Head::Float(number) => visitor.visit_f64(number),
            Head::Integer(number) => visitor.visit_i64(number),
            other => Err(ReadError::mismatch("number", other.name())),
        })
    }

    fn deserialize_char<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.read(|_, head| match head {
            Head::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => visitor.visit_borrowed_str(text),
                Err(_) => Err(ReadError::new("string is not valid UTF-8")),
            },
            other => Err(ReadError::mismatch("string", other.name())),
        })
    }

    fn deserialize_string<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.read(|_, head| match head {
            Head::Text(bytes) => visitor.visit_borrowed_bytes(bytes),
            other => Err(ReadError::mismatch("string", other.name())),
        })
    }

    fn deserialize_byte_buf<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if self.peek()?.is_none() {
            self.head()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.read(|_, head| match head.is_none() {
            true => visitor.visit_unit(),
            false => Err(ReadError::mismatch("nil", head.name())),
        })
    }

    fn deserialize_unit_struct<V: Visitor<'p>>(self, _: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'p>>(self, name: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        match name {
            RAW => visitor.visit_bytes(&self.whole()?),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.read(|reader, head| match head {
            Head::List(count) => reader.list(count, visitor),
            Head::Map(0) => reader.list(0, visitor),
            Head::Map(_) => Err(ReadError::mismatch("list", "table with other keys")),
            other => Err(ReadError::mismatch("list", other.name())),
        })
    }

    fn deserialize_tuple<V: Visitor<'p>>(self, _: usize, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'p>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.read(|reader, head| match head {
            Head::Map(count) => reader.map(count, visitor),
            Head::List(count) => reader.deeper(|reader| visitor.visit_map(Numbered { reader, count, next: 0 })),
            other => Err(ReadError::mismatch("table", other.name())),
        })
    }

    fn deserialize_struct<V: Visitor<'p>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        if let Some(std) = Std::of(name, fields) {
            return self.std(std, visitor);
        }
        self.read(|reader, head| match head {
            Head::Map(count) => reader.map(count, visitor),
            Head::List(0) => reader.map(0, visitor),
            Head::List(_) => Err(ReadError::mismatch("table with names", "list")),
            other => Err(ReadError::mismatch("table", other.name())),
        })
    }

    fn deserialize_enum<V: Visitor<'p>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.read(|reader, head| match head {
            Head::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => visitor.visit_enum(text.into_deserializer()),
                Err(_) => Err(ReadError::new("string is not valid UTF-8")),
            },
            Head::Map(1) => reader.deeper(|reader| visitor.visit_enum(Variant { reader })),
            Head::Map(_) | Head::List(_) => Err(ReadError::mismatch("string or table with one key", "table")),
            other => Err(ReadError::mismatch("string", other.name())),
        })
    }

    fn deserialize_identifier<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.read(|_, head| match head {
            Head::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => visitor.visit_borrowed_str(text),
                Err(_) => visitor.visit_borrowed_bytes(bytes),
            },
            other => Err(ReadError::mismatch("string as a key", other.name())),
        })
    }

    fn deserialize_ignored_any<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.skip(&mut None)?;
        visitor.visit_unit()
    }
}

/// The values of a list.
struct Items<'r, 'p> {
    reader: &'r mut Reader<'p>,
    count: usize,
    next: usize,
}

impl<'p> SeqAccess<'p> for &mut Items<'_, 'p> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'p>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        if self.next >= self.count {
            return Ok(None);
        }
        self.next = self.next.saturating_add(1);
        let place = self.next;
        seed.deserialize(&mut *self.reader).map(Some).map_err(|error| error.under(|| format!("[{place}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        // Each takes a byte of the payload at least.
        Some(self.count.saturating_sub(self.next).min(self.reader.bytes.len()))
    }
}

/// The pairs of a map.
struct Pairs<'r, 'p> {
    reader: &'r mut Reader<'p>,
    left: usize,
    /// Of the pair whose value is next.
    key: Head<'p>,
}

impl<'p> MapAccess<'p> for &mut Pairs<'_, 'p> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'p>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        self.key = self.reader.peek()?;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'p>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        seed.deserialize(&mut *self.reader).map_err(|error| error.under(|| shown(self.key)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.min(self.reader.bytes.len()))
    }
}

/// A list as a map with the keys 1..n.
struct Numbered<'r, 'p> {
    reader: &'r mut Reader<'p>,
    count: usize,
    next: usize,
}

impl<'p> MapAccess<'p> for Numbered<'_, 'p> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'p>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        if self.next >= self.count {
            return Ok(None);
        }
        self.next = self.next.saturating_add(1);
        let key = i64::try_from(self.next).unwrap_or(i64::MAX);
        seed.deserialize(key.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'p>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let place = self.next;
        seed.deserialize(&mut *self.reader).map_err(|error| error.under(|| format!("[{place}]")))
    }
}

/// A table whose one key is a variant's name.
struct Variant<'r, 'p> {
    reader: &'r mut Reader<'p>,
}

impl<'p> EnumAccess<'p> for Variant<'_, 'p> {
    type Error = ReadError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'p>>(self, seed: V) -> Result<(V::Value, Self), ReadError> {
        Ok((seed.deserialize(&mut *self.reader)?, self))
    }
}

impl<'p> VariantAccess<'p> for Variant<'_, 'p> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        self.reader.skip(&mut None)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'p>>(self, seed: T) -> Result<T::Value, ReadError> {
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'p>>(self, length: usize, visitor: V) -> Result<V::Value, ReadError> {
        self.reader.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'p>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.reader.deserialize_struct("", fields, visitor)
    }
}

/// A value without a form of serde's: its kind and its bytes, one after the other.
struct Extension<'p> {
    kind: u8,
    bytes: &'p [u8],
}

impl<'p> Deserializer<'p> for Extension<'p> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_byte_buf([&[self.kind], self.bytes].concat())
    }

    forward_to_deserialize_any! {
        <V: Visitor<'p>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Nil, where there is no value: an argument that wasn't given.
pub(crate) struct Missing;

impl<'p> Deserializer<'p> for Missing {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'p>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'p>>(self, name: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        match name {
            RAW => visitor.visit_unit(),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    forward_to_deserialize_any! {
        <V: Visitor<'p>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}
