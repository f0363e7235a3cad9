//! What `resume` hands over: bytes, in which short messages and events stand one after the other, and a list of everything else. Owns
//! how they stand in the bytes, and which ones do. So what most of them are takes one copy of bytes and no text of its own.

/// The longest payload that stands in the bytes. What is longer gets a block of its own, and is copied once less.
pub const SHORT: usize = 4 << 10;

/// Bytes before an entry's sender, name and payload, which follow in this order: its kind, the name's length, those of sender and
/// payload in two bytes each and its number in eight, the lower ones first.
pub const HEAD: usize = 14;

/// Stands in the place of what isn't short: here comes the next event of the list.
pub const LISTED: [u8; HEAD] = [0; HEAD];

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The next event of the list.
    Listed,
    /// A message: who sent it (empty: nobody), its topic, what it says.
    Message,
    /// A call: its id, the function's name, an array with the arguments.
    Call,
    /// A request was completed: its number, and the result.
    Reply,
    /// A watched process has completed: the bits of the Unix seconds at which it did, who, and its result.
    Exit,
    /// The same of a linked process.
    LinkDown,
}

/// By their numbers in the bytes, from zero.
const KINDS: [Kind; 6] = [Kind::Listed, Kind::Message, Kind::Call, Kind::Reply, Kind::Exit, Kind::LinkDown];

impl Kind {
    const fn number(self) -> u8 {
        match self {
            Kind::Listed => 0,
            Kind::Message => 1,
            Kind::Call => 2,
            Kind::Reply => 3,
            Kind::Exit => 4,
            Kind::LinkDown => 5,
        }
    }
}

/// What stands in the bytes. What its kind doesn't have is zero, or empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'b> {
    /// Which of the others it has.
    pub kind: Kind,
    /// An id, or a time.
    pub number: u64,
    /// From whom, or of whom.
    pub sender: &'b [u8],
    /// What it is about.
    pub name: &'b [u8],
    /// What it says.
    pub payload: &'b [u8],
}

impl<'b> Entry<'b> {
    /// An entry of these.
    pub const fn new(kind: Kind, number: u64, sender: &'b str, name: &'b str, payload: &'b [u8]) -> Entry<'b> {
        Entry { kind, number, sender: sender.as_bytes(), name: name.as_bytes(), payload }
    }

    /// The pieces that it stands there as. None: it is too long, and stands in the list.
    pub fn pieces(&self) -> Option<([u8; HEAD], [&'b [u8]; 3])> {
        let Entry { kind, number, sender, name, payload } = *self;
        let [sender_low, sender_high] = u16::try_from(sender.len()).ok()?.to_le_bytes();
        let name_length = u8::try_from(name.len()).ok()?;
        let [low, high] = u16::try_from(payload.len()).ok().filter(|_| payload.len() <= SHORT)?.to_le_bytes();
        let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
        let head = [kind.number(), name_length, sender_low, sender_high, low, high, a, b, c, d, e, f, g, h];
        Some((head, [sender, name, payload]))
    }
}

/// The first entry, and the bytes after it. None: that was all.
pub fn read(bytes: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
    let [kind, name, sender_low, sender_high, low, high, number @ ..] = *head;
    let kind = *KINDS.get(usize::from(kind))?;
    let (sender, rest) = rest.split_at_checked(u16::from_le_bytes([sender_low, sender_high]).into())?;
    let (name, rest) = rest.split_at_checked(name.into())?;
    let (payload, rest) = rest.split_at_checked(u16::from_le_bytes([low, high]).into())?;
    Some((Entry { kind, number: u64::from_le_bytes(number), sender, name, payload }, rest))
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::{Entry, HEAD, KINDS, Kind, LISTED, SHORT, read};

    const NOTHING: Entry<'_> = Entry { kind: Kind::Listed, number: 0, sender: b"", name: b"", payload: b"" };

    fn written(entry: Entry<'_>) -> Vec<u8> {
        let (head, pieces) = entry.pieces().unwrap();
        [&head[..], &pieces.concat()].concat()
    }

    #[test]
    fn what_is_written_is_read_in_order() {
        let long = [7; SHORT];
        let entries = [
            Entry { kind: Kind::Message, sender: b"{h|0x00001}", name: b"t", payload: b"\xc0", ..NOTHING },
            Entry { kind: Kind::Message, name: &[b't'; 255], ..NOTHING },
            Entry { kind: Kind::Call, number: u64::MAX, name: b"f", payload: &long, ..NOTHING },
            Entry { kind: Kind::Reply, number: 7, payload: b"\x90", ..NOTHING },
            Entry { kind: Kind::Exit, number: 1.5_f64.to_bits(), sender: &[b's'; 300], ..NOTHING },
        ];
        let bytes: Vec<u8> = entries.into_iter().flat_map(written).chain(LISTED).collect();
        let mut rest = &bytes[..];
        for entry in entries {
            let (first, after) = read(rest).unwrap();
            assert_eq!(first, entry);
            rest = after;
        }
        assert_eq!(read(rest), Some((NOTHING, &[][..])));
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn every_kind_has_a_number_of_its_own() {
        for kind in KINDS {
            assert_eq!(read(&written(Entry { kind, ..NOTHING })).unwrap().0.kind, kind);
        }
        let mut unknown = LISTED;
        unknown[0] = u8::try_from(KINDS.len()).unwrap();
        assert_eq!(read(&unknown), None);
    }

    #[test]
    fn what_is_too_long_stands_in_the_list() {
        for entry in [
            Entry { payload: &[0; SHORT + 1], ..NOTHING },
            Entry { name: &[0; 256], ..NOTHING },
            Entry { sender: &[0; 1 << 16], ..NOTHING },
        ] {
            assert_eq!(entry.pieces(), None);
        }
    }

    #[test]
    fn bytes_that_end_early_are_the_end() {
        let bytes = written(Entry { kind: Kind::Message, sender: b"s", name: b"t", payload: b"p", ..NOTHING });
        for end in HEAD..bytes.len() {
            assert_eq!(read(&bytes[..end]), None);
        }
    }
}
