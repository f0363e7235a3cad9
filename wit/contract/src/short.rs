//! Short payloads as numbers: they stand in an answer itself, where a list would be a call of the guest's allocator, as long as all else
//! that the host does for the answer.

/// Bytes of the longest. The number: a text with a number in it, or a few numbers.
pub const MOST: usize = 32;

/// Eight bytes each, the first in the lowest bits.
pub type Words = (u64, u64, u64, u64);

/// A payload as numbers. None: it is longer.
pub fn to_words(payload: &[u8]) -> Option<Words> {
    let mut bytes = [0; MOST];
    bytes.get_mut(..payload.len())?.copy_from_slice(payload);
    let [a, b, c, d] = bytes.as_chunks().0 else { return None };
    Some((u64::from_le_bytes(*a), u64::from_le_bytes(*b), u64::from_le_bytes(*c), u64::from_le_bytes(*d)))
}

/// The bytes, with zeros behind those of the payload.
pub fn from_words((a, b, c, d): Words) -> [u8; MOST] {
    let mut bytes = [0; MOST];
    for (place, word) in bytes.as_chunks_mut().0.iter_mut().zip([a, b, c, d]) {
        *place = word.to_le_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::{MOST, from_words, to_words};

    #[test]
    fn a_payload_comes_back_from_its_words_and_a_longer_one_has_none() {
        let payload: [u8; MOST + 1] = core::array::from_fn(|place| place as u8 ^ 0xa5);
        for length in 0..=MOST {
            let bytes = from_words(to_words(&payload[..length]).unwrap());
            assert_eq!((&bytes[..length], &bytes[length..]), (&payload[..length], &[0; MOST][length..]));
        }
        assert_eq!(to_words(&payload), None);
        assert_eq!(to_words(&[1, 2]), Some((0x0201, 0, 0, 0)));
    }
}
