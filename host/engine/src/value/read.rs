//! A payload as a Rust type, by serde.
//!
//! Owns which Lua value passes for which type, and the words when one doesn't: `items[2].price: integer expected, got string`.
//! The payload is a guest's: its depth is bounded, no length is believed, and a table that appears twice is read twice only as
//! long as that takes no more than a large payload would.
//!
//! * An integral float passes for an integer, an integer for a float; nil and `json.null` for a missing option.
//! * A table with the keys 1..n is a list, any other a map; an empty one is both.
//! * Text is text when it is valid UTF-8; bytes are bytes either way.
//! * A value of an enum is its variant's name, or a table with the one key that is.

mod error;
mod typed;
mod whole;

use std::ops::Range;

use lunarium_contract::payload::{DEPTH, extension};

pub use error::ReadError;
pub(crate) use typed::Missing;
pub(crate) use whole::append;

/// How many bytes more than it has a payload may be read as, by tables that appear in it twice. The number: a message of the default
/// size.
const SPARE: usize = 1 << 20;

/// How a table that appeared before begins: four bytes follow, its number.
const REFERENCE: [u8; 2] = [0xd6, extension::SEEN];

/// Reads one payload. A guest's: nothing about it is believed.
pub(crate) struct Reader<'p> {
    bytes: &'p [u8],
    at: usize,
    depth: usize,
    /// Where each table begins and ends, in order of appearance; none when it refers to none twice.
    tables: Option<Vec<Range<usize>>>,
    /// Bytes that may still be read. A value takes one at least.
    left: usize,
}

impl<'p> Reader<'p> {
    pub(crate) fn new(bytes: &'p [u8]) -> Reader<'p> {
        let refers = bytes.windows(2).any(|pair| pair == REFERENCE);
        let left = bytes.len().saturating_add(SPARE);
        let mut reader = Reader { bytes, at: 0, depth: 0, tables: None, left };
        if refers {
            let mut outline = Outline::default();
            // What ends early is found out again by whoever reads.
            let _ = reader.skip(&mut Some(&mut outline));
            reader = Reader { bytes, at: 0, depth: 0, tables: Some(outline.tables), left };
        }
        reader
    }

    /// Opens the list that the payload is: how many values.
    pub(crate) fn open_list(&mut self) -> Result<usize, ReadError> {
        let (head, _) = self.head()?;
        match head {
            Head::List(count) => Ok(count),
            other => Err(ReadError::mismatch("list", other.name())),
        }
    }

    fn take(&mut self, count: usize) -> Result<&'p [u8], ReadError> {
        let taken = self.at.checked_add(count).and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or_else(corrupt)?;
        let left = self.left.checked_sub(count);
        self.left = left.ok_or_else(|| ReadError::new("is too large, with what appears in it twice"))?;
        self.at = self.at.saturating_add(count);
        Ok(taken)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        self.take(N)?.try_into().map_err(|_| corrupt())
    }

    fn size(&mut self, width: u8) -> Result<usize, ReadError> {
        let size = match width {
            0 => u32::from(u8::from_be_bytes(self.number()?)),
            1 => u32::from(u16::from_be_bytes(self.number()?)),
            _ => u32::from_be_bytes(self.number()?),
        };
        Ok(usize::try_from(size).unwrap_or(usize::MAX))
    }

    /// The next value, but for what is in a table; and where it begins.
    fn head(&mut self) -> Result<(Head<'p>, usize), ReadError> {
        let began = self.at;
        let [marker] = self.number()?;
        let integer = |number: i64| Head::Integer(number);
        let head = match marker {
            0x00..=0x7f => integer(marker.into()),
            0xe0..=0xff => integer(marker.cast_signed().into()),
            0x80..=0x8f => Head::Map((marker & 0x0f).into()),
            0x90..=0x9f => Head::List((marker & 0x0f).into()),
            0xa0..=0xbf => Head::Text(self.take((marker & 0x1f).into())?),
            0xc0 => Head::Nil,
            0xc2 | 0xc3 => Head::Boolean(marker == 0xc3),
            0xc4..=0xc6 => {
                let size = self.size(marker - 0xc4)?;
                Head::Text(self.take(size)?)
            }
            0xc7..=0xc9 => {
                let size = self.size(marker - 0xc7)?;
                self.extension(size)?
            }
            0xca => Head::Float(f32::from_be_bytes(self.number()?).into()),
            0xcb => Head::Float(f64::from_be_bytes(self.number()?)),
            0xcc => integer(u8::from_be_bytes(self.number()?).into()),
            0xcd => integer(u16::from_be_bytes(self.number()?).into()),
            0xce => integer(u32::from_be_bytes(self.number()?).into()),
            0xcf => integer(u64::from_be_bytes(self.number()?).try_into().map_err(|_| corrupt())?),
            0xd0 => integer(i8::from_be_bytes(self.number()?).into()),
            0xd1 => integer(i16::from_be_bytes(self.number()?).into()),
            0xd2 => integer(i32::from_be_bytes(self.number()?).into()),
            0xd3 => integer(i64::from_be_bytes(self.number()?)),
            0xd4..=0xd8 => self.extension(1_usize << (marker - 0xd4))?,
            0xd9..=0xdb => {
                let size = self.size(marker - 0xd9)?;
                Head::Text(self.take(size)?)
            }
            0xdc | 0xdd => Head::List(self.size(marker - 0xdc + 1)?),
            0xde | 0xdf => Head::Map(self.size(marker - 0xde + 1)?),
            0xc1 => return Err(corrupt()),
        };
        Ok((head, began))
    }

    /// The same, and it is still the next.
    fn peek(&mut self) -> Result<Head<'p>, ReadError> {
        let (began, left) = (self.at, self.left);
        let (head, _) = self.head()?;
        (self.at, self.left) = (began, left);
        Ok(head)
    }

    fn extension(&mut self, size: usize) -> Result<Head<'p>, ReadError> {
        let [kind] = self.number()?;
        Ok(Head::Extension(kind, self.take(size)?))
    }

    /// Passes over one value. With an outline, its tables are noted, and a value is refused that no guest could read.
    fn skip(&mut self, outline: &mut Option<&mut Outline>) -> Result<(), ReadError> {
        let (head, began) = self.head()?;
        let (count, has_keys) = match (head, &mut *outline) {
            (Head::List(count), _) => (count, false),
            (Head::Map(count), _) => (count, true),
            (Head::Extension(kind, data), Some(outline)) => return self.note(outline, kind, data, began),
            _ => return Ok(()),
        };
        let number = outline.as_mut().map(|outline| {
            outline.tables.push(began..usize::MAX);
            outline.tables.len().saturating_sub(1)
        });
        self.deeper(|reader| {
            (0..count).try_for_each(|_| {
                if has_keys {
                    if outline.is_some() && !reader.peek()?.is_key() {
                        return Err(corrupt());
                    }
                    reader.skip(outline)?;
                }
                reader.skip(outline)
            })
        })?;
        let noted = outline.as_mut().zip(number).and_then(|(outline, number)| outline.tables.get_mut(number));
        if let Some(table) = noted {
            table.end = self.at;
        }
        Ok(())
    }

    fn deeper<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T, ReadError>) -> Result<T, ReadError> {
        // Arguments are in a list of their own.
        if self.depth > DEPTH {
            return Err(ReadError::new(format!("is nested deeper than {DEPTH} tables")));
        }
        self.depth = self.depth.saturating_add(1);
        let result = act(self);
        self.depth = self.depth.saturating_sub(1);
        result
    }

    /// Reads a value by its head: one that appeared before is read where it stands.
    fn read<T>(&mut self, act: impl FnOnce(&mut Reader<'p>, Head<'p>) -> Result<T, ReadError>) -> Result<T, ReadError> {
        let (head, _) = self.head()?;
        let Head::Extension(extension::SEEN, number) = head else { return act(self, head) };
        let (goes_on, place) = (self.at, self.place(number)?);
        // Every cycle has a mention of a table that it stands in.
        if place.contains(&goes_on.saturating_sub(1)) {
            return Err(ReadError::new("contains itself"));
        }
        self.at = place.start;
        let result = self.deeper(|reader| {
            let (head, _) = reader.head()?;
            act(reader, head)
        });
        self.at = goes_on;
        result
    }

    /// Where the table is that this number stands for.
    fn place(&self, number: &[u8]) -> Result<Range<usize>, ReadError> {
        let number = number.try_into().map(u32::from_be_bytes).map_err(|_| corrupt())?;
        let place = usize::try_from(number).ok().and_then(|number| self.tables.as_ref()?.get(number).cloned());
        place.ok_or_else(corrupt)
    }
}

/// A payload's tables, in order of appearance.
#[derive(Default)]
struct Outline {
    /// Where each begins and ends.
    tables: Vec<Range<usize>>,
    /// Where a number stands in place of one that appeared before, and how many had appeared.
    references: Vec<(usize, usize)>,
}

fn corrupt() -> ReadError {
    ReadError::new("corrupt payload")
}

#[derive(Clone, Copy)]
enum Head<'p> {
    Nil,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(&'p [u8]),
    List(usize),
    Map(usize),
    Extension(u8, &'p [u8]),
}

impl Head<'_> {
    /// As Lua names its type.
    fn name(&self) -> &'static str {
        match self {
            Head::Nil => "nil",
            Head::Boolean(_) => "boolean",
            Head::Integer(_) | Head::Float(_) => "number",
            Head::Text(_) => "string",
            Head::List(_) | Head::Map(_) => "table",
            Head::Extension(extension::ERROR, _) => "error",
            Head::Extension(extension::TIME, _) => "time",
            Head::Extension(extension::DURATION, _) => "duration",
            Head::Extension(..) => "null",
        }
    }

    /// Whether it can be a table's key.
    fn is_key(&self) -> bool {
        match self {
            Head::Boolean(_) | Head::Integer(_) | Head::Text(_) => true,
            Head::Float(number) => !number.is_nan(),
            _ => false,
        }
    }

    fn is_none(&self) -> bool {
        matches!(self, Head::Nil | Head::Extension(extension::NULL, _))
    }
}

/// 2^63: the first float that is no integer of Lua's.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

/// An integral number.
fn integer(head: Head<'_>) -> Result<i64, ReadError> {
    match head {
        Head::Integer(number) => Ok(number),
        Head::Float(number) if number.fract() == 0.0 && (-BEYOND..BEYOND).contains(&number) => Ok(number as i64),
        Head::Float(_) => Err(ReadError::new("number has no integer representation")),
        other => Err(ReadError::mismatch("integer", other.name())),
    }
}
