//! Text that came from a script, made fit for an error message. Owns how much of it is repeated. Does not escape:
//! whoever shows a message to people does that.

use lunarium_contract::{form, length};

/// Bytes of a destination or name that an error message repeats. A script may pass 1 MiB where a name belongs, and
/// the answer must not cost as much again.
pub const SHOWN: usize = length::SHOWN;

/// The text, cut to at most `max` bytes; a cut is marked by `…` (which comes on top).
pub fn cut(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    format!("{}…", form::cut(text, max))
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn short_text_stays_whole() {
        assert_eq!(cut("boom", 4), "boom");
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut("aéé", 2), "a…");
        assert_eq!(cut("aéé", 3), "aé…");
    }
}
