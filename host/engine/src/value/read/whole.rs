//! Values that stay payloads: a part of one payload as a payload of its own, and that as a part of another.
//!
//! Owns the numbers by which a value refers to a table that appeared before: they count from the payload's beginning, so they
//! change with the place; and that what is kept can be read by every guest, in whatever it stands: who reads it isn't who made it.

use std::borrow::Cow;

use lunarium_contract::payload::{FIRST_SECOND, LAST_SECOND, extension};

use super::{Head, Outline, REFERENCE, ReadError, Reader, corrupt};

/// Bytes of a number that stands for a table.
const NUMBER: usize = size_of::<u32>();

/// Tables that a value can stand in elsewhere, beside those in which it came: a list of tables.
const AROUND: usize = 2;

impl<'p> Reader<'p> {
    /// The next value as a payload of its own.
    ///
    /// Errors: it refers to a table outside of itself; it is nested too deeply to stand in others; no guest could read it.
    pub(super) fn whole(&mut self) -> Result<Cow<'p, [u8]>, ReadError> {
        let Head::Extension(extension::SEEN, number) = self.peek()? else { return self.whole_here() };
        self.head()?;
        let (goes_on, place) = (self.at, self.place(number)?);
        self.at = place.start;
        let result = self.whole_here();
        self.at = goes_on;
        result
    }

    fn whole_here(&mut self) -> Result<Cow<'p, [u8]>, ReadError> {
        let (began, mut outline) = (self.at, Outline::default());
        let depth = std::mem::replace(&mut self.depth, AROUND);
        let passed = self.skip(&mut Some(&mut outline));
        self.depth = depth;
        passed?;
        let bytes = self.bytes.get(began..self.at).ok_or_else(corrupt)?;
        if outline.references.is_empty() {
            return Ok(Cow::Borrowed(bytes));
        }
        let tables = self.tables.as_ref().ok_or_else(corrupt)?;
        let before = tables.partition_point(|table| table.start < began);
        let mut own = bytes.to_vec();
        let before = u32::try_from(before).map_err(|_| corrupt())?;
        for (reference, met) in outline.references {
            let number = number_at(&mut own, reference.saturating_sub(began)).ok_or_else(corrupt)?;
            let inner = u32::from_be_bytes(*number).checked_sub(before);
            let inner = inner.ok_or_else(|| ReadError::new("refers to a table outside of it"))?;
            *number = met_before(inner, met).ok_or_else(corrupt)?.to_be_bytes();
        }
        Ok(Cow::Owned(own))
    }

    /// Notes an extension in an outline.
    ///
    /// Errors: no guest could read it.
    pub(super) fn note(&mut self, outline: &mut Outline, kind: u8, data: &[u8], began: usize) -> Result<(), ReadError> {
        match kind {
            // The only form that is looked for.
            extension::SEEN if self.bytes.get(began) == Some(&REFERENCE[0]) => {
                outline.references.push((self.at.saturating_sub(data.len()), outline.tables.len()));
                Ok(())
            }
            extension::ERROR => self.deeper(|reader| reader.deeper(|reader| error(data, reader.depth))),
            extension::TIME => time(data),
            extension::DURATION if data.len() == size_of::<i64>() => Ok(()),
            extension::NULL => Ok(()),
            _ => Err(corrupt()),
        }
    }
}

fn number_at(bytes: &mut [u8], at: usize) -> Option<&mut [u8; NUMBER]> {
    bytes.get_mut(at..at.checked_add(NUMBER)?)?.try_into().ok()
}

/// An error object, which counts its tables by itself: kind, text, whether it is retryable, details, stack; each may be nil.
fn error(data: &[u8], depth: usize) -> Result<(), ReadError> {
    let mut reader = Reader { bytes: data, at: 0, depth, tables: None, left: data.len() };
    if reader.open_list()? != 5 {
        return Err(corrupt());
    }
    let mut outline = Outline::default();
    for place in 0..5 {
        let fits = matches!(
            (reader.peek()?, place),
            (Head::Nil, _)
                | (Head::Text(_), 0 | 1 | 4)
                | (Head::Boolean(_), 2)
                | (Head::List(_) | Head::Map(_) | Head::Extension(extension::ERROR, _), 3)
        );
        if !fits {
            return Err(corrupt());
        }
        reader.skip(&mut Some(&mut outline))?;
    }
    let is_met = |(reference, met): &(usize, usize)| {
        let number = data.get(*reference..).and_then(<[u8]>::first_chunk);
        number.is_some_and(|number| met_before(u32::from_be_bytes(*number), *met).is_some())
    };
    if outline.references.iter().all(is_met) { Ok(()) } else { Err(corrupt()) }
}

/// Seconds, nanoseconds, zone.
fn time(data: &[u8]) -> Result<(), ReadError> {
    let mut reader = Reader { bytes: data, at: 0, depth: 0, tables: None, left: data.len() };
    let is_list = reader.open_list()? == 3;
    match (reader.head()?.0, reader.head()?.0, reader.head()?.0) {
        (Head::Integer(FIRST_SECOND..=LAST_SECOND), Head::Integer(0..1_000_000_000), Head::Text(_)) if is_list => {
            Ok(())
        }
        _ => Err(corrupt()),
    }
}

/// The number of a table, if so many had appeared that it is one of them.
fn met_before(number: u32, met: usize) -> Option<u32> {
    usize::try_from(number).is_ok_and(|number| number < met).then_some(number)
}

/// Appends a payload to one that has so many tables already, within so many that are open; the tables that it adds. None: it is no
/// payload, or too deep there.
pub(crate) fn append(payload: &[u8], tables: usize, open: usize, out: &mut Vec<u8>) -> Option<usize> {
    let mut outline = Outline::default();
    // A result's list is one more than a value's tables.
    let depth = open.saturating_sub(1);
    let mut reader = Reader { bytes: payload, at: 0, depth, tables: None, left: payload.len() };
    reader.skip(&mut Some(&mut outline)).ok()?;
    if reader.at != payload.len() {
        return None;
    }
    let begins = out.len();
    out.extend_from_slice(payload);
    let before = u32::try_from(tables).ok()?;
    for (reference, met) in outline.references {
        let number = number_at(out, begins.checked_add(reference)?)?;
        *number = met_before(u32::from_be_bytes(*number), met)?.checked_add(before)?.to_be_bytes();
    }
    Some(outline.tables.len())
}

#[cfg(test)]
mod tests {
    use crate::module::Raw;
    use crate::value::{from_payload, to_payload};

    /// A list with this value alone, as a guest may have made it.
    fn kept(value: &[u8]) -> Result<Vec<Raw>, String> {
        from_payload(&[&[0x91], value].concat()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_no_guest_could_read_is_not_kept() {
        let time = |seconds: i64, nanoseconds: &[u8], zone: &[u8]| {
            let body = [&[0x93, 0xd3], &seconds.to_be_bytes()[..], nanoseconds, zone].concat();
            [&[0xc7, u8::try_from(body.len()).unwrap(), 3][..], &body].concat()
        };
        let error = |body: &[u8]| [&[0xc7, u8::try_from(body.len()).unwrap(), 2][..], body].concat();
        let good: &[&[u8]] = &[
            &[0x92, 0x90, 0xd6, 1, 0, 0, 0, 2],
            &[0x91, 0xd6, 1, 0, 0, 0, 1],
            &[0x81, 0xc3, 0xc0],
            &[0xd7, 4, 0, 0, 0, 0, 0, 0, 0, 1],
            &[0xc7, 0, 5],
            &time(0, &[0], &[0xa0]),
            &error(&[0x95, 0xa1, b'k', 0xa0, 0xc2, 0x91, 0xd6, 1, 0, 0, 0, 0, 0xc0]),
        ];
        for value in good {
            let values = kept(value).unwrap();
            let elsewhere = to_payload(&(Raw(vec![0x91, 0x90].into()), &values[0])).unwrap();
            assert_eq!(from_payload::<Vec<Raw>>(&elsewhere).unwrap()[1], values[0], "{value:x?}");
        }
        let bad: &[&[u8]] = &[
            // Tables that haven't appeared, or are nowhere.
            &[0xd6, 1, 0, 0, 0, 7],
            &[0x92, 0xd6, 1, 0, 0, 0, 2, 0x90],
            &[0x91, 0xd6, 1, 0xff, 0xff, 0xff, 0xff],
            &[0xc7, 4, 1, 0, 0, 0, 0],
            // Keys.
            &[0x81, 0xc0, 1],
            &[0x81, 0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0, 1],
            &[0x81, 0x90, 1],
            &[0x81, 0xc7, 0, 5, 1],
            // Extensions.
            &[0xc7, 0, 9],
            &[0xd4, 4, 0],
            &time(i64::MAX, &[0], &[0xa0]),
            &time(0, &[0xce, 0x3b, 0x9a, 0xca, 0], &[0xa0]),
            &time(0, &[0], &[0xc0]),
            &error(&[0x94, 0xc0, 0xc0, 0xc0, 0xc0]),
            &error(&[0x95, 1, 0xa0, 0xc2, 0xc0, 0xc0]),
            &error(&[0x95, 0xc0, 0xc0, 0xc0, 0xa0, 0xc0]),
            &error(&[0x95, 0xc0, 0xc0, 0xc0, 0x91, 0xd6, 1, 0, 0, 0, 1, 0xc0]),
            &[0xc1],
        ];
        for value in bad {
            assert_eq!(kept(value).err().as_deref(), Some("[1]: corrupt payload"), "{value:x?}");
        }
    }

    #[test]
    fn what_is_kept_can_stand_in_a_list_of_tables() {
        let nested = |levels: usize| [vec![0x91; levels - 1], vec![0x90]].concat();
        let deep = kept(&nested(99)).unwrap();
        assert_eq!(kept(&nested(100)).err().as_deref(), Some("[1]: is nested deeper than 100 tables"));
        to_payload(&[&deep]).unwrap();
        let text = to_payload(&[[[&deep]]]).unwrap_err().to_string();
        assert_eq!(text, "has bytes that are no payload, or one too deep there");
        // Errors in errors, which a guest makes as deep as it likes.
        let errors = (0..200_000).fold(vec![0xc0], |details: Vec<u8>, _| match details.len() {
            ..60_000 => {
                let body = [&[0x95, 0xc0, 0xc0, 0xc0], &details[..], &[0xc0]].concat();
                [&[0xc8], &u16::try_from(body.len()).unwrap().to_be_bytes()[..], &[2], &body].concat()
            }
            _ => details,
        });
        assert_eq!(kept(&errors).err().as_deref(), Some("[1]: is nested deeper than 100 tables"));
    }
}
