//! What a payload takes at least once it is decoded: a pass over its bytes that makes nothing. Owns the sizes of Lua's
//! objects. Refuses to know what a payload means: that is `decode.rs`'s, and so are faults that lengths don't show.

use lunarium_contract::payload::extension;

/// The most bytes of memory that a byte of a payload can become: an empty table (36) in a place of another one (16), and
/// in the list by which tables are referred to (32 while that grows).
pub const GROWTH: usize = 96;

/// Lua's structures on wasm32, as `lobject.h` has them: a table, a place in its array and one in its hash part, and a
/// string without its bytes.
const TABLE: usize = 36;
const PLACE: usize = 16;
const NODE: usize = 24;
const STRING: usize = 17;

/// The longest string of which Lua keeps one copy only: it may be there already.
const SHORT: usize = 40;

/// Bytes that the values take at least: tables and long strings, whose number can be told. None: it is no payload.
pub fn least(payload: &[u8]) -> Option<usize> {
    let mut reader = Reader { bytes: payload, at: 0, values: 1, size: 0 };
    while reader.values > 0 {
        reader.values -= 1;
        reader.value()?;
    }
    (reader.at == payload.len()).then_some(reader.size)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// How many are still to come: depth doesn't matter here.
    values: usize,
    size: usize,
}

impl Reader<'_> {
    fn skip(&mut self, count: usize) -> Option<()> {
        let end = self.at.checked_add(count)?;
        self.at = end;
        (end <= self.bytes.len()).then_some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// A big-endian number of so many bytes.
    fn number(&mut self, width: u8) -> Option<usize> {
        (0..width).try_fold(0, |number, _| Some(number << 8 | usize::from(self.byte()?)))
    }

    fn value(&mut self) -> Option<()> {
        match self.byte()? {
            0x00..=0x7f | 0xc0 | 0xc2..=0xc3 | 0xe0..=0xff => Some(()),
            marker @ 0x80..=0x8f => self.map((marker & 0x0f).into()),
            marker @ 0x90..=0x9f => self.items((marker & 0x0f).into()),
            marker @ 0xa0..=0xbf => self.string((marker & 0x1f).into()),
            marker @ 0xc4..=0xc6 => self.number(1 << (marker - 0xc4)).and_then(|length| self.string(length)),
            marker @ 0xc7..=0xc9 => self.number(1 << (marker - 0xc7)).and_then(|length| self.extension(length)),
            0xcc | 0xd0 => self.skip(1),
            0xcd | 0xd1 => self.skip(2),
            0xca | 0xce | 0xd2 => self.skip(4),
            0xcb | 0xd3 => self.skip(8),
            // Beyond Lua's integers.
            0xcf => {
                if self.byte()? < 0x80 {
                    self.skip(7)
                } else {
                    None
                }
            }
            marker @ 0xd4..=0xd8 => self.extension(1 << (marker - 0xd4)),
            marker @ 0xd9..=0xdb => self.number(1 << (marker - 0xd9)).and_then(|length| self.string(length)),
            marker @ 0xdc..=0xdd => self.number(2 << (marker - 0xdc)).and_then(|count| self.items(count)),
            marker @ 0xde..=0xdf => self.number(2 << (marker - 0xde)).and_then(|count| self.map(count)),
            0xc1 => None,
        }
    }

    fn string(&mut self, length: usize) -> Option<()> {
        if length > SHORT {
            self.size = self.size.saturating_add(length + STRING);
        }
        self.skip(length)
    }

    fn items(&mut self, count: usize) -> Option<()> {
        self.table(count, count.checked_mul(PLACE)?)
    }

    fn map(&mut self, count: usize) -> Option<()> {
        let nodes = if count == 0 { 0 } else { count.checked_next_power_of_two()? };
        self.table(count.checked_mul(2)?, nodes.checked_mul(NODE)?)
    }

    fn table(&mut self, values: usize, size: usize) -> Option<()> {
        self.values = self.values.checked_add(values)?;
        // Each takes a byte at least.
        if self.values > self.bytes.len() - self.at {
            return None;
        }
        self.size = self.size.saturating_add(size + TABLE);
        Some(())
    }

    /// An error's body is a value, which follows; that of all others says nothing about tables.
    fn extension(&mut self, length: usize) -> Option<()> {
        if self.byte()? == extension::ERROR {
            self.values = self.values.checked_add(1)?;
            return Some(());
        }
        self.skip(length)
    }
}
