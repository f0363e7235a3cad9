//! A request's path and query, taken apart.
//!
//! Owns percent-decoding, and which paths are refused whatever the endpoints are. Knows no endpoint.

use std::borrow::Cow;

/// Segments of a path. At the limit: refused. More than a pattern has, for what takes the rest.
const MOST_SEGMENTS: usize = 256;

/// Parameters in a query. At the limit: refused: more than forms have, and little to sort.
const MOST_PARAMETERS: usize = 256;

/// Why a path or a query is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum PathError {
    #[error("a path with a `%` that begins no byte")]
    Escape,
    #[error("a path with `.` or `..` as a segment")]
    Dots,
    #[error("a path with a byte that is 0")]
    Zero,
    #[error("a path of more than {MOST_SEGMENTS} segments")]
    Segments,
    #[error("a query of more than {MOST_PARAMETERS} parameters")]
    Parameters,
}

pub(super) type Text<'a> = Cow<'a, [u8]>;

/// The decoded segments of a path that begins with `/`; one at least.
pub(super) fn segments(path: &str) -> Result<Vec<Text<'_>>, PathError> {
    let mut segments = Vec::with_capacity(8);
    for part in path.strip_prefix('/').unwrap_or(path).split('/') {
        if segments.len() == MOST_SEGMENTS {
            return Err(PathError::Segments);
        }
        let segment = decode(part).ok_or(PathError::Escape)?;
        // Also behind an encoded slash: who joins segments to a path must not leave where it is.
        if segment.split(|byte| matches!(byte, b'/' | b'\\')).any(|part| matches!(part, b"." | b"..")) {
            return Err(PathError::Dots);
        }
        if segment.contains(&0) {
            return Err(PathError::Zero);
        }
        segments.push(segment);
    }
    Ok(segments)
}

/// The parameters of a query by their names, sorted; of those with one name, the first.
pub(super) fn query(query: &str) -> Result<Vec<(Text<'_>, Text<'_>)>, PathError> {
    let mut pairs = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        if pairs.len() == MOST_PARAMETERS {
            return Err(PathError::Parameters);
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        pairs.push((form(name), form(value)));
    }
    // Stable: the first stays the first.
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    pairs.dedup_by(|(later, _), (first, _)| later == first);
    Ok(pairs)
}

/// As forms encode: `+` is a space. What is no escape stays as it is, as browsers do it.
fn form(text: &str) -> Text<'_> {
    if !text.bytes().any(|byte| matches!(byte, b'+' | b'%')) {
        return Cow::Borrowed(text.as_bytes());
    }
    let spaced = text.replace('+', " ");
    match decode(&spaced) {
        Some(decoded) => Cow::Owned(decoded.into_owned()),
        None => Cow::Owned(spaced.into_bytes()),
    }
}

/// None: a `%` without two digits.
fn decode(text: &str) -> Option<Text<'_>> {
    let bytes = text.as_bytes();
    if !bytes.contains(&b'%') {
        return Some(Cow::Borrowed(bytes));
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            decoded.push(*first);
            continue;
        }
        let ([high, low], after) = rest.split_first_chunk()?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        decoded.push(digit(*high)?.checked_mul(16)?.checked_add(digit(*low)?)?);
        rest = after;
    }
    Some(Cow::Owned(decoded))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::{PathError, query, segments};

    #[test]
    fn a_path_is_its_decoded_segments() {
        let of = |path: &str| {
            segments(path)
                .map(|all| all.iter().map(|one| String::from_utf8_lossy(one).into_owned()).collect::<Vec<_>>())
        };
        assert_eq!(of("/").unwrap(), [""]);
        assert_eq!(of("/a/b%20c/").unwrap(), ["a", "b c", ""]);
        assert_eq!(of("/a%2Fb").unwrap(), ["a/b"]);
        assert_eq!(of("//").unwrap(), ["", ""]);
        for path in ["/%", "/%4", "/%zz", "/%+1"] {
            assert_eq!(of(path), Err(PathError::Escape), "{path}");
        }
        for path in ["/..", "/a/./b", "/%2e%2E/x", "/a%2f..%2fb", "/a%5c.."] {
            assert_eq!(of(path), Err(PathError::Dots), "{path}");
        }
        assert_eq!(of("/a%00"), Err(PathError::Zero));
        assert_eq!(of(&"/a".repeat(257)), Err(PathError::Segments));
    }

    #[test]
    fn of_parameters_with_one_name_the_first_counts() {
        let shown = |written: &str| {
            let pairs = query(written).unwrap();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            pairs.iter().map(|(name, value)| format!("{}={}", text(name), text(value))).collect::<Vec<_>>()
        };
        assert_eq!(shown("b=2&a=1&b=3&&c"), ["a=1", "b=2", "c="]);
        assert_eq!(shown("a+b=c%20d&e=100%&f=%26%3D"), ["a b=c d", "e=100%", "f=&="]);
        assert_eq!(query(&"a&".repeat(257)), Err(PathError::Parameters));
    }
}
