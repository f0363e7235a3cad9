//! The payload of a string that is written in place, so that a file's bytes needn't be copied once more.

/// MessagePack's heads for a string and for bytes, with a length of four bytes.
const STRING: u8 = 0xdb;
const BYTES: u8 = 0xc6;

/// Bytes of either head.
const HEAD: usize = 5;

pub(crate) struct StringPayload(Vec<u8>);

impl StringPayload {
    /// An empty string with room for this many bytes.
    pub(crate) fn with_capacity(bytes: u64) -> StringPayload {
        let mut payload = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0).saturating_add(HEAD));
        payload.resize(HEAD, 0);
        StringPayload(payload)
    }

    /// Where the string's bytes are appended.
    pub(crate) fn end(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        let StringPayload(mut payload) = self;
        if let Some((head, text)) = payload.split_first_chunk_mut::<HEAD>() {
            let marker = if std::str::from_utf8(text).is_ok() { STRING } else { BYTES };
            let [a, b, c, d] = u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
            *head = [marker, a, b, c, d];
        }
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::StringPayload;
    use crate::value::Value;

    #[test]
    fn what_is_appended_is_the_string() {
        for text in [b"".as_slice(), b"text", b"\xff\x00", &[b'x'; 70_000]] {
            let mut payload = StringPayload::with_capacity(3);
            payload.end().extend_from_slice(text);
            assert_eq!(Value::decode(&payload.finish()), Ok(Value::String(text.to_vec())));
        }
    }
}
