//! Places in files.
//!
//! Owns how a range of bytes becomes the line that people are shown. Says nothing about what is there.

use std::ops::Range;
use std::sync::Arc;

use super::file::SourceFile;

/// Something read, with its place.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// A place in a file.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    file: Arc<SourceFile>,
    span: Range<usize>,
}

impl Place {
    /// A range of bytes of a file. A range that isn't inside of the text is shown as the nearest that is.
    pub(crate) fn new(file: &Arc<SourceFile>, span: Range<usize>) -> Self {
        Self { file: Arc::clone(file), span }
    }

    /// A whole line of a file, counted from one.
    pub(crate) fn line(file: &Arc<SourceFile>, line: u32) -> Self {
        let number = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        let (start, text) = (file.lines.start(&file.text, number), file.lines.line(&file.text, number));
        let indent = text.len().saturating_sub(text.trim_start().len());
        Self::new(file, start.saturating_add(indent)..start.saturating_add(text.trim_end().len()))
    }

    /// The line this many lines below the place's beginning, when it holds `text` and nothing else. A block of text in
    /// YAML has the lines of its value; folded and quoted ones don't.
    pub(crate) fn line_below(&self, lines: usize, text: &str) -> Option<Self> {
        let before = self.file.lines.at(&self.file.text, self.span.start);
        let number = u32::try_from(before.checked_add(lines)?.checked_add(1)?).ok()?;
        let place = Self::line(&self.file, number);
        (self.file.text.get(place.span.clone())? == text.trim()).then_some(place)
    }

    /// The first place of a word inside of it; itself when the word isn't there.
    pub(crate) fn word(self, word: &str) -> Self {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let text = self.file.text.get(self.span.clone()).unwrap_or_default();
        let found = text.match_indices(word).map(|(at, _)| (at, at.saturating_add(word.len()))).find(|(from, to)| {
            let before = text.get(..*from).and_then(|before| before.chars().next_back());
            let after = text.get(*to..).and_then(|after| after.chars().next());
            !before.is_some_and(is_part) && !after.is_some_and(is_part)
        });
        match found {
            Some((from, to)) => {
                let start = self.span.start;
                Self { span: start.saturating_add(from)..start.saturating_add(to), file: self.file }
            }
            None => self,
        }
    }

    /// What places are sorted by: the file as people see it, and the byte it begins at.
    pub(crate) fn order(&self) -> (&str, usize) {
        (self.shown(), self.span.start)
    }

    /// The file as people see it.
    pub(crate) fn shown(&self) -> &str {
        &self.file.shown
    }

    /// The file as people see it, and the line the place begins in.
    pub(crate) fn position(&self) -> (&str, usize) {
        (self.shown(), self.excerpt().1)
    }

    /// The line the place begins in, its number, and the part of the place inside of it.
    ///
    /// Only this line is rendered: with the whole file, a thousand mistakes in a large file would cost minutes.
    pub(crate) fn excerpt(&self) -> (&str, usize, Range<usize>) {
        let (text, lines) = (&*self.file.text, &self.file.lines);
        let start = floor_char_boundary(text, self.span.start);
        let index = lines.at(text, start);
        let (line_start, line) = (lines.start(text, index), lines.line(text, index));
        let from = start.saturating_sub(line_start).min(line.len());
        let to = floor_char_boundary(text, self.span.end).saturating_sub(line_start).clamp(from, line.len());
        (line, index.saturating_add(1), from..to)
    }
}

/// The nearest character boundary at or before `index`.
fn floor_char_boundary(text: &str, index: usize) -> usize {
    text.floor_char_boundary(index.min(text.len()))
}
