//! What `resume` hands over: bytes, in which short messages stand one after the other, and a list of everything else. Owns how a
//! message stands in the bytes, and which ones do. So what most messages are takes one copy of bytes and no text of its own.

/// The longest payload that stands in the bytes. What is longer gets a block of its own, and is copied once less.
pub const SHORT: usize = 4 << 10;

/// Bytes before a message's sender, topic and payload, which follow in this order: the topic's length, then those of sender and
/// payload in two bytes each, the lower one first.
pub const HEAD: usize = 5;

/// Stands in a message's place: here comes the next event of the list. No topic is empty.
pub const LISTED: [u8; HEAD] = [0; HEAD];

/// A message that stands in the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'b> {
    /// Empty: nobody.
    pub sender: &'b [u8],
    /// What it is about.
    pub topic: &'b [u8],
    /// What it says.
    pub payload: &'b [u8],
}

/// What stands before a message of these lengths (no sender: zero). None: it stands in the list.
pub fn head(sender: usize, topic: usize, payload: usize) -> Option<[u8; HEAD]> {
    let topic = u8::try_from(topic).ok().filter(|topic| *topic > 0)?;
    let [sender_low, sender_high] = u16::try_from(sender).ok()?.to_le_bytes();
    let [low, high] = u16::try_from(payload).ok().filter(|_| payload <= SHORT)?.to_le_bytes();
    Some([topic, sender_low, sender_high, low, high])
}

/// The first message (none: the next event of the list), and the bytes after it. None: that was all.
pub fn read(bytes: &[u8]) -> Option<(Option<Message<'_>>, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
    let [topic, sender_low, sender_high, low, high] = *head;
    if topic == 0 {
        return Some((None, rest));
    }
    let (sender, rest) = rest.split_at_checked(u16::from_le_bytes([sender_low, sender_high]).into())?;
    let (topic, rest) = rest.split_at_checked(topic.into())?;
    let (payload, rest) = rest.split_at_checked(u16::from_le_bytes([low, high]).into())?;
    Some((Some(Message { sender, topic, payload }), rest))
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::{HEAD, LISTED, Message, SHORT, head, read};

    fn written(message: Message<'_>) -> Option<Vec<u8>> {
        let Message { sender, topic, payload } = message;
        Some([&head(sender.len(), topic.len(), payload.len())?, sender, topic, payload].concat())
    }

    #[test]
    fn what_is_written_is_read_in_order() {
        let long = [7; SHORT];
        let messages = [
            Message { sender: b"{h|0x00001}", topic: b"t", payload: b"\xc0" },
            Message { sender: b"", topic: &[b't'; 255], payload: b"" },
            Message { sender: &[b's'; 300], topic: b"t", payload: &long },
        ];
        let mut bytes: Vec<u8> = messages.into_iter().filter_map(written).flatten().collect();
        bytes.extend(LISTED);
        let mut rest = &bytes[..];
        for message in messages {
            let (first, after) = read(rest).unwrap();
            assert_eq!(first, Some(message));
            rest = after;
        }
        assert_eq!(read(rest), Some((None, &[][..])));
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn what_is_too_long_stands_in_the_list() {
        assert_eq!(head(0, 1, SHORT + 1), None);
        assert_eq!(head(0, 256, 1), None);
        assert_eq!(head(1 << 16, 1, 1), None);
        assert_eq!(head(0, 0, 1), None);
    }

    #[test]
    fn bytes_that_end_early_are_the_end() {
        let bytes = written(Message { sender: b"s", topic: b"t", payload: b"p" }).unwrap();
        for end in HEAD..bytes.len() {
            assert_eq!(read(&bytes[..end]), None);
        }
    }
}
