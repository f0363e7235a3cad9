//! Integers as they stand in payloads: what `increment` reads and writes. All other values are nobody's business here.

use bytes::Bytes;

/// Bytes of the longest.
pub(super) const MOST: usize = 9;

/// None: it is no integer. A float is none, whatever it is worth, as for Lua's `math.type`.
pub(super) fn read(payload: Option<&[u8]>) -> Option<i64> {
    let Some(payload) = payload else { return Some(0) };
    let (marker, rest) = payload.split_first()?;
    match (marker, rest.len()) {
        (0x00..=0x7f, 0) => Some(i64::from(*marker)),
        (0xe0..=0xff, 0) => Some(i64::from(marker.cast_signed())),
        (0xcc, 1) => wide(rest, false),
        (0xcd, 2) => wide(rest, false),
        (0xce, 4) => wide(rest, false),
        (0xcf, 8) => wide(rest, false),
        (0xd0, 1) => wide(rest, true),
        (0xd1, 2) => wide(rest, true),
        (0xd2, 4) => wide(rest, true),
        (0xd3, 8) => wide(rest, true),
        _ => None,
    }
}

/// A big-endian number, which has its sign or none.
fn wide(bytes: &[u8], signed: bool) -> Option<i64> {
    let negative = signed && bytes.first()? & 0x80 != 0;
    let begin: i128 = if negative { -1 } else { 0 };
    let number = bytes.iter().fold(begin, |number, byte| number << 8 | i128::from(*byte));
    i64::try_from(number).ok()
}

pub(super) fn write(number: i64) -> Bytes {
    match u8::try_from(number) {
        Ok(small @ 0x00..=0x7f) => Bytes::copy_from_slice(&[small]),
        _ => {
            let mut payload = vec![0xd3];
            payload.extend_from_slice(&number.to_be_bytes());
            payload.into()
        }
    }
}
