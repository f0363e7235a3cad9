//! Values that stay payloads: a part of one payload as a payload of its own, and that as a part of another.
//!
//! Owns the numbers by which a value refers to a table that appeared before: they count from the payload's beginning, so they
//! change with the place.

use std::borrow::Cow;

use lunarium_contract::payload::extension;

use super::{Head, Outline, ReadError, Reader, corrupt};

/// Bytes of a number that stands for a table.
const NUMBER: usize = size_of::<u32>();

impl<'p> Reader<'p> {
    /// The next value as a payload of its own.
    ///
    /// Errors: it refers to a table outside of itself.
    pub(super) fn whole(&mut self) -> Result<Cow<'p, [u8]>, ReadError> {
        let began = self.at;
        let (head, _) = self.head()?;
        let Head::Extension(extension::SEEN, number) = head else {
            self.at = began;
            return self.whole_here();
        };
        let (goes_on, place) = (self.at, self.place(number)?);
        self.at = place;
        let result = self.whole_here();
        self.at = goes_on;
        result
    }

    fn whole_here(&mut self) -> Result<Cow<'p, [u8]>, ReadError> {
        let (began, mut outline) = (self.at, Outline::default());
        self.skip(&mut Some(&mut outline))?;
        let bytes = self.bytes.get(began..self.at).ok_or_else(corrupt)?;
        if outline.references.is_empty() {
            return Ok(Cow::Borrowed(bytes));
        }
        let tables = self.tables.as_ref().ok_or_else(corrupt)?;
        let before = tables.partition_point(|table| *table < began);
        let mut own = bytes.to_vec();
        let before = u32::try_from(before).map_err(|_| corrupt())?;
        for reference in outline.references {
            let number = number_at(&mut own, reference.saturating_sub(began)).ok_or_else(corrupt)?;
            let inner = u32::from_be_bytes(*number).checked_sub(before);
            *number = inner.ok_or_else(|| ReadError::new("refers to a table outside of it"))?.to_be_bytes();
        }
        Ok(Cow::Owned(own))
    }
}

fn number_at(bytes: &mut [u8], at: usize) -> Option<&mut [u8; NUMBER]> {
    bytes.get_mut(at..at.checked_add(NUMBER)?)?.try_into().ok()
}

/// Appends a payload to one that has so many tables already; the tables that it adds. None: it is no payload.
pub(crate) fn append(payload: &[u8], tables: usize, out: &mut Vec<u8>) -> Option<usize> {
    let mut outline = Outline::default();
    let mut reader = Reader { bytes: payload, at: 0, depth: 0, tables: None, left: payload.len() };
    reader.skip(&mut Some(&mut outline)).ok()?;
    if reader.at != payload.len() {
        return None;
    }
    let begins = out.len();
    out.extend_from_slice(payload);
    let before = u32::try_from(tables).ok()?;
    for reference in outline.references {
        let number = number_at(out, begins.checked_add(reference)?)?;
        *number = u32::from_be_bytes(*number).checked_add(before)?.to_be_bytes();
    }
    Some(outline.tables.len())
}
