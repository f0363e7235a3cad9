//! JSON to Lua values, pushed as they are read: no tree in between. Owns which value becomes what. Building values may
//! raise, so the reader with what it holds on the heap stays outside of the protected call.

use std::ffi::c_int;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::de::SliceRead;
use serde_json::{Deserializer as Reader, Error};

use super::MAX_DEPTH;
use crate::lua::{Kind, Lua};
use crate::state::object::push_null;

/// Pushes the value of the text at `index`. What is on the stack besides is dropped. Raises.
///
/// Errors: the text isn't JSON, or is nested too deeply; says the line and the column.
pub fn decode(lua: Lua, index: c_int) -> Result<(), Error> {
    // The value comes out in a table: a protected call's stack doesn't.
    lua.new_table(1, 0);
    let result = lua.top();
    let mut reader = Reader::from_slice(lua.bytes(index).unwrap_or_default());
    // `MAX_DEPTH` is counted here.
    reader.disable_recursion_limit();
    lua.push_copy(result);
    let outcome = lua.protect_with_top(|lua| {
        read(lua, &mut reader)?;
        lua.set_item(1, 1);
        Ok(())
    });
    let outcome = match outcome {
        Ok(outcome) => outcome.and_then(|()| reader.end()),
        Err(_) => {
            drop(reader);
            lua.raise()
        }
    };
    drop(reader);
    if outcome.is_ok() {
        lua.get_item(result, 1);
    }
    outcome
}

fn read(lua: Lua, reader: &mut Reader<SliceRead<'_>>) -> Result<(), Error> {
    Value { lua, depth: 0 }.deserialize(reader)
}

/// Pushes one value.
#[derive(Clone, Copy)]
struct Value {
    lua: Lua,
    /// Arrays and objects around it.
    depth: usize,
}

impl Value {
    /// A value inside of this one, for which the stack has room.
    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH || !self.lua.reserve(8) {
            return Err(E::custom(format_args!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Value {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        push_null(self.lua);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.lua.push_boolean(value);
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.lua.push_integer(value);
        Ok(())
    }

    /// Beyond Lua's integers: a float, as Lua reads such a numeral.
    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.lua.push_integer(value),
            Err(_) => self.lua.push_number(value as f64),
        }
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.lua.push_number(value);
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.lua.push_bytes(value.as_bytes());
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        self.lua.new_table(0, 0);
        let mut place = 0;
        while items.next_element_seed(inner)?.is_some() {
            place += 1;
            self.lua.set_item(-2, place);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        self.lua.new_table(0, 0);
        while fields.next_key_seed(inner)?.is_some() {
            if self.lua.kind(-1) != Kind::String {
                return Err(A::Error::custom("key is not a string"));
            }
            fields.next_value_seed(inner)?;
            self.lua.set(-3);
        }
        Ok(())
    }
}
