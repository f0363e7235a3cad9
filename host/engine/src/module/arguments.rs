//! What a function takes: how the list of a script's arguments becomes Rust values.
//!
//! Owns which argument is wrong. What is wrong with it is `value/read.rs`'s to say.

use std::fmt;

use bytes::Bytes;
use lunarium_kernel::ErrorKind;
use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::FunctionError;
use crate::value::{Missing, RAW, RawBytes, ReadError, Reader};

/// What functions can take: `()`, tuples of up to eight values, a `Vec` of values, or [`Raw`].
pub trait Arguments: Sized + sealed::Read {}

impl<T: sealed::Read> Arguments for T {}

/// An argument that isn't of its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadArgument {
    /// From one.
    pub(crate) number: usize,
    pub(crate) fault: ReadError,
}

impl BadArgument {
    /// Lua's text for it.
    pub(crate) fn message(&self, function: &str) -> String {
        format!("bad argument #{} to '{function}' ({})", self.number, self.fault)
    }
}

pub(crate) mod sealed {
    use super::{BadArgument, Bytes};

    /// Reads a payload that is a list.
    pub trait Read: Sized {
        #[doc(hidden)]
        fn read(payload: &Bytes) -> Result<Self, BadArgument>;
    }
}

/// Payload bytes as they are, for who encodes and decodes by himself, or only keeps them. As all arguments: a MessagePack array
/// with the values. As all results: the same, and what is no payload is the script's error "corrupt payload". As one of
/// several values, or inside of one: that value's payload, which can be kept and given out elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Raw(pub Bytes);

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(RAW, &RawBytes(&self.0))
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_newtype_struct(RAW, Whole)
    }
}

struct Whole;

impl Visitor<'_> for Whole {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("value")
    }

    fn visit_bytes<E>(self, payload: &[u8]) -> Result<Raw, E> {
        Ok(Raw(Bytes::copy_from_slice(payload)))
    }
}

/// The arguments of a call. Errors: one isn't of its type, in Lua's words.
pub(crate) fn read_arguments<A: Arguments>(payload: &Bytes, function: &str) -> Result<A, FunctionError> {
    A::read(payload).map_err(|bad| FunctionError::new(ErrorKind::Invalid, bad.message(function)))
}

/// A payload's values, one after the other.
struct List<'p> {
    reader: Reader<'p>,
    count: usize,
    next: usize,
}

impl<'p> List<'p> {
    fn open(payload: &'p Bytes) -> Result<List<'p>, BadArgument> {
        let mut reader = Reader::new(payload);
        let count = reader.open_list().map_err(|fault| BadArgument { number: 1, fault })?;
        Ok(List { reader, count, next: 0 })
    }

    fn next<T: for<'de> Deserialize<'de>>(&mut self) -> Result<T, BadArgument> {
        self.next = self.next.saturating_add(1);
        let value = match self.next <= self.count {
            true => T::deserialize(&mut self.reader),
            false => T::deserialize(Missing).map_err(ReadError::of_missing),
        };
        value.map_err(|fault| BadArgument { number: self.next, fault })
    }
}

impl sealed::Read for Raw {
    fn read(payload: &Bytes) -> Result<Raw, BadArgument> {
        Ok(Raw(payload.clone()))
    }
}

impl<T: DeserializeOwned> sealed::Read for Vec<T> {
    fn read(payload: &Bytes) -> Result<Vec<T>, BadArgument> {
        let mut list = List::open(payload)?;
        (0..list.count).map(|_| list.next()).collect()
    }
}

impl sealed::Read for () {
    fn read(_: &Bytes) -> Result<(), BadArgument> {
        Ok(())
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)+) => {
        $(impl<$($name: DeserializeOwned),+> sealed::Read for ($($name,)+) {
            fn read(payload: &Bytes) -> Result<($($name,)+), BadArgument> {
                let mut list = List::open(payload)?;
                Ok(($(list.next::<$name>()?,)+))
            }
        })+
    };
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}
