//! A Rust value as a payload, by serde: the counterpart of `read.rs`.
//!
//! Owns what can travel, for values that Rust made, and that a payload isn't made larger than it may be. Several results of a
//! function are a tuple: as the outermost value it is the list of them, as `()` is the empty one, and anything else a list of one.

use std::fmt;

use lunarium_contract::payload::DEPTH;
use lunarium_kernel::{ErrorKind, Refusal};
use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::read::append;
use super::time::Std;

/// The name of the type whose bytes are a payload already.
pub(crate) const RAW: &str = "$lunarium::Raw";

/// The name of the type whose bytes are an extension: its kind, then what it has.
pub(crate) const EXTENSION: &str = "$lunarium::Extension";

/// Why a value can't travel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WriteError(String);

impl WriteError {
    pub(super) fn new(what: &str) -> WriteError {
        WriteError(what.to_owned())
    }

    fn key(what: &str) -> WriteError {
        WriteError(format!("has {what} as a key"))
    }
}

impl Refusal for WriteError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

impl ser::Error for WriteError {
    fn custom<T: fmt::Display>(message: T) -> WriteError {
        WriteError(message.to_string())
    }
}

/// What is written next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The outermost value, as a list of results.
    Results,
    Value,
    Key,
    /// Bytes that are written as they are.
    Raw,
    /// Bytes of an extension.
    Extension,
}

/// Bytes that there is room for at once: most payloads aren't moved while they are written.
const ROOM: usize = 128;

struct Writer {
    out: Vec<u8>,
    limit: usize,
    depth: usize,
    most_depth: usize,
    /// How many were opened, for values that refer to theirs by number.
    tables: usize,
    place: Place,
}

/// The payload of a value, of at most `limit` bytes.
///
/// Errors: it can't travel, or is larger.
pub(crate) fn payload<T: Serialize + ?Sized>(value: &T, limit: usize) -> Result<Vec<u8>, WriteError> {
    written(value, limit, Place::Value)
}

/// The payload of a function's results: a list.
///
/// Errors: as [`payload`].
pub(crate) fn results<T: Serialize + ?Sized>(value: &T, limit: usize) -> Result<Vec<u8>, WriteError> {
    written(value, limit, Place::Results)
}

fn written<T: Serialize + ?Sized>(value: &T, limit: usize, place: Place) -> Result<Vec<u8>, WriteError> {
    // Results are in a list of their own.
    let most_depth = DEPTH.saturating_add(usize::from(place == Place::Results));
    let mut writer = Writer { out: Vec::with_capacity(ROOM), limit, depth: 0, most_depth, tables: 0, place };
    value.serialize(&mut writer)?;
    writer.check_size()?;
    Ok(writer.out)
}

impl Writer {
    fn check_size(&self) -> Result<(), WriteError> {
        match self.out.len() > self.limit {
            true => Err(WriteError(format!("exceeds the message limit of {} bytes", self.limit))),
            false => Ok(()),
        }
    }

    /// Before a value that is no tuple: the list that it is alone in, if it is the outermost.
    fn begin(&mut self) -> Result<(), WriteError> {
        self.check_size()?;
        if self.place == Place::Results {
            self.place = Place::Value;
            self.depth = 1;
            self.tables = 1;
            let _ = rmp::encode::write_array_len(&mut self.out, 1);
        }
        Ok(())
    }

    /// Before what can't be a key.
    fn begin_value(&mut self, what: &str) -> Result<(), WriteError> {
        self.begin()?;
        if self.place == Place::Key { Err(WriteError::key(what)) } else { Ok(()) }
    }

    fn integer(&mut self, number: i64) -> Result<(), WriteError> {
        self.begin()?;
        // Into a `Vec`, as everywhere here: it can't fail.
        let _ = rmp::encode::write_sint(&mut self.out, number);
        Ok(())
    }

    fn wide(&mut self, number: Option<i64>, shown: impl fmt::Display) -> Result<(), WriteError> {
        let number = number.ok_or_else(|| WriteError(format!("has {shown}, which is no integer of Lua's")))?;
        self.integer(number)
    }

    /// Opens a list or a map of `values` values in all, if the number is known.
    fn open(&mut self, kind: Kind, count: Option<usize>) -> Result<Table<'_>, WriteError> {
        self.begin_value("a table")?;
        self.open_here(kind, count)
    }

    fn open_here(&mut self, kind: Kind, count: Option<usize>) -> Result<Table<'_>, WriteError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > self.most_depth {
            return Err(WriteError(format!("is nested deeper than {DEPTH} tables")));
        }
        self.tables = self.tables.saturating_add(1);
        let head = self.out.len();
        match count.and_then(|count| u32::try_from(count).ok()) {
            Some(count) => drop(kind.write(&mut self.out, count)),
            // The largest form has room for any number.
            None => drop(kind.write(&mut self.out, u32::MAX)),
        }
        Ok(Table { writer: self, kind, head, told: count, count: 0, closes: 1, std: None })
    }

    /// A table with one key, the variant's name, whose value follows.
    fn variant(&mut self, name: &'static str) -> Result<(), WriteError> {
        self.begin_value("a table")?;
        self.depth = self.depth.saturating_add(1);
        self.tables = self.tables.saturating_add(1);
        let _ = Kind::Map.write(&mut self.out, 1);
        let _ = rmp::encode::write_str(&mut self.out, name);
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Map,
}

impl Kind {
    fn write(self, out: &mut Vec<u8>, count: u32) -> Option<rmp::Marker> {
        match self {
            Kind::List => rmp::encode::write_array_len(out, count).ok(),
            Kind::Map => rmp::encode::write_map_len(out, count).ok(),
        }
    }
}

/// A list or map that is being written.
pub(crate) struct Table<'w> {
    writer: &'w mut Writer,
    kind: Kind,
    /// Where its head is.
    head: usize,
    /// How many values it was said to have.
    told: Option<usize>,
    count: usize,
    /// Tables that end with it.
    closes: usize,
    /// It may turn out to be no table.
    std: Option<Std>,
}

impl Table<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        self.count = self.count.saturating_add(1);
        self.writer.place = Place::Value;
        value.serialize(&mut *self.writer)
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), WriteError> {
        self.count = self.count.saturating_add(1);
        self.writer.place = Place::Key;
        key.serialize(&mut *self.writer)
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        self.writer.place = Place::Value;
        value.serialize(&mut *self.writer)
    }

    fn close(self) -> Result<(), WriteError> {
        let Table { writer, head, told, count, closes, kind, std } = self;
        writer.depth = writer.depth.saturating_sub(closes);
        if let Some(value) = std.and_then(|std| std.write(writer.out.get(head..).unwrap_or_default())) {
            writer.out.truncate(head);
            writer.out.extend(value?.encode());
            return Ok(());
        }
        if told == Some(count) {
            return Ok(());
        }
        if told.is_some() {
            return Err(WriteError("has another length than its type says".to_owned()));
        }
        let mut exact = Vec::new();
        let _ = kind.write(&mut exact, u32::try_from(count).unwrap_or(u32::MAX));
        // In place of the largest head.
        const LARGEST: usize = 5;
        writer.out.splice(head..head.saturating_add(LARGEST), exact);
        Ok(())
    }
}

impl<'w> Serializer for &'w mut Writer {
    type Ok = ();
    type Error = WriteError;
    type SerializeSeq = Table<'w>;
    type SerializeTuple = Table<'w>;
    type SerializeTupleStruct = Table<'w>;
    type SerializeTupleVariant = Table<'w>;
    type SerializeMap = Table<'w>;
    type SerializeStruct = Table<'w>;
    type SerializeStructVariant = Table<'w>;

    fn serialize_bool(self, value: bool) -> Result<(), WriteError> {
        self.begin()?;
        let _ = rmp::encode::write_bool(&mut self.out, value);
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), WriteError> {
        self.integer(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), WriteError> {
        self.integer(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), WriteError> {
        self.integer(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), WriteError> {
        self.integer(value)
    }

    fn serialize_i128(self, value: i128) -> Result<(), WriteError> {
        self.wide(value.try_into().ok(), value)
    }

    fn serialize_u8(self, value: u8) -> Result<(), WriteError> {
        self.integer(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), WriteError> {
        self.integer(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), WriteError> {
        self.integer(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), WriteError> {
        self.wide(value.try_into().ok(), value)
    }

    fn serialize_u128(self, value: u128) -> Result<(), WriteError> {
        self.wide(value.try_into().ok(), value)
    }

    fn serialize_f32(self, value: f32) -> Result<(), WriteError> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), WriteError> {
        self.begin()?;
        if self.place == Place::Key && value.is_nan() {
            return Err(WriteError::key("NaN"));
        }
        let _ = rmp::encode::write_f64(&mut self.out, value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), WriteError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), WriteError> {
        self.begin()?;
        let _ = rmp::encode::write_str(&mut self.out, value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), WriteError> {
        match self.place {
            // The whole payload: what it is, is its maker's.
            Place::Raw if self.out.is_empty() => self.out.extend_from_slice(value),
            Place::Raw => {
                self.check_size()?;
                let added = append(value, self.tables, self.depth, &mut self.out);
                let added = added
                    .ok_or_else(|| WriteError("has bytes that are no payload, or one too deep there".to_owned()))?;
                self.tables = self.tables.saturating_add(added);
            }
            Place::Extension => {
                let (kind, data) = value.split_first().ok_or_else(|| WriteError("is no extension".to_owned()))?;
                let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
                let _ = rmp::encode::write_ext_meta(&mut self.out, length, kind.cast_signed());
                self.out.extend_from_slice(data);
            }
            _ => {
                if let Ok(text) = std::str::from_utf8(value) {
                    return self.serialize_str(text);
                }
                self.begin()?;
                let _ = rmp::encode::write_bin(&mut self.out, value);
            }
        }
        Ok(())
    }

    fn serialize_none(self) -> Result<(), WriteError> {
        self.begin_value("nil")?;
        let _ = rmp::encode::write_nil(&mut self.out);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), WriteError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), WriteError> {
        if self.place == Place::Results {
            let _ = Kind::List.write(&mut self.out, 0);
            return Ok(());
        }
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), WriteError> {
        self.serialize_none()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), WriteError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<(), WriteError> {
        match name {
            RAW => {
                if self.place == Place::Key {
                    return Err(WriteError::key("a table"));
                }
                self.place = Place::Raw;
            }
            EXTENSION => {
                self.begin_value("a table")?;
                self.place = Place::Extension;
            }
            _ => {}
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), WriteError> {
        self.variant(variant)?;
        self.place = Place::Value;
        value.serialize(&mut *self)?;
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }

    fn serialize_seq(self, count: Option<usize>) -> Result<Table<'w>, WriteError> {
        self.open(Kind::List, count)
    }

    fn serialize_tuple(self, count: usize) -> Result<Table<'w>, WriteError> {
        if self.place == Place::Results {
            return self.open_here(Kind::List, Some(count));
        }
        self.open(Kind::List, Some(count))
    }

    fn serialize_tuple_struct(self, _: &'static str, count: usize) -> Result<Table<'w>, WriteError> {
        self.open(Kind::List, Some(count))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        count: usize,
    ) -> Result<Table<'w>, WriteError> {
        self.variant(variant)?;
        self.open_here(Kind::List, Some(count)).map(|table| Table { closes: 2, ..table })
    }

    fn serialize_map(self, count: Option<usize>) -> Result<Table<'w>, WriteError> {
        self.open(Kind::Map, count)
    }

    fn serialize_struct(self, name: &'static str, count: usize) -> Result<Table<'w>, WriteError> {
        let table = self.open(Kind::Map, Some(count))?;
        Ok(Table { std: Std::named(name, count), ..table })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        count: usize,
    ) -> Result<Table<'w>, WriteError> {
        self.variant(variant)?;
        self.open_here(Kind::Map, Some(count)).map(|table| Table { closes: 2, ..table })
    }
}

impl SerializeSeq for Table<'_> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        self.item(value)
    }

    fn end(self) -> Result<(), WriteError> {
        self.close()
    }
}

impl SerializeTuple for Table<'_> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        self.item(value)
    }

    fn end(self) -> Result<(), WriteError> {
        self.close()
    }
}

impl SerializeTupleStruct for Table<'_> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        self.item(value)
    }

    fn end(self) -> Result<(), WriteError> {
        self.close()
    }
}

impl SerializeTupleVariant for Table<'_> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        self.item(value)
    }

    fn end(self) -> Result<(), WriteError> {
        self.close()
    }
}

impl SerializeMap for Table<'_> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), WriteError> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        self.value(value)
    }

    fn end(self) -> Result<(), WriteError> {
        self.close()
    }
}

impl SerializeStruct for Table<'_> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), WriteError> {
        self.key(key)?;
        self.value(value)
    }

    fn end(self) -> Result<(), WriteError> {
        self.close()
    }
}

impl SerializeStructVariant for Table<'_> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), WriteError> {
        self.key(key)?;
        self.value(value)
    }

    fn end(self) -> Result<(), WriteError> {
        self.close()
    }
}
