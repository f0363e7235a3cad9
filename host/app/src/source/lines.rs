//! Where the lines of a text begin.
//!
//! Owns finding a line by its number and the number of a place, each without reading the whole text again: a thousand
//! warnings in a file of a megabyte would take a quarter of a minute. Lines are counted from zero here.

use std::fmt;
use std::sync::OnceLock;

/// The beginnings of a text's lines, found when they are first needed. It belongs to one text, which is given each time.
#[derive(Clone, Default)]
pub(crate) struct Lines(OnceLock<Box<[usize]>>);

impl Lines {
    fn starts(&self, text: &str) -> &[usize] {
        self.0.get_or_init(|| {
            let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(newlines.map(|(at, _)| at.saturating_add(1))).collect()
        })
    }

    /// How many there are: the one behind the last newline counts.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.starts(text).len()
    }

    /// Where a line begins; behind the last line the end of the text.
    pub(crate) fn start(&self, text: &str, line: usize) -> usize {
        self.starts(text).get(line).copied().unwrap_or(text.len())
    }

    /// The line without its end; behind the last line nothing.
    pub(crate) fn line<'t>(&self, text: &'t str, line: usize) -> &'t str {
        text.get(self.start(text, line)..).unwrap_or_default().lines().next().unwrap_or_default()
    }

    /// The line that a byte is in.
    pub(crate) fn at(&self, text: &str, byte: usize) -> usize {
        self.starts(text).partition_point(|start| *start <= byte).saturating_sub(1)
    }
}

/// Their text is elsewhere.
impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lines")
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn a_line_is_found_by_its_number_and_by_each_of_its_bytes() {
        let (text, lines) = ("one\r\n\ntwo\n", Lines::default());
        assert_eq!(lines.count(text), 4);
        assert_eq!([0, 1, 2, 3, 4].map(|line| lines.line(text, line)), ["one", "", "two", "", ""]);
        assert_eq!([0, 1, 2, 3, 4].map(|line| lines.start(text, line)), [0, 5, 6, 10, 10]);
        assert_eq!([0, 4, 5, 6, 9, 10, 99].map(|byte| lines.at(text, byte)), [0, 0, 1, 2, 2, 3, 3]);
    }
}
