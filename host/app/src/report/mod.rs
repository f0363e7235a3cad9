//! What is wrong with an application: every mistake at once, each with its place and a hint.
//!
//! Owns the mistakes, their order and how they are shown. Refuses to decide what is a mistake, and to write anywhere:
//! a report becomes text, and whoever has a terminal prints it.

mod mistake;

use std::fmt;

use annotate_snippets::{Group, Level, Renderer};

pub use mistake::Mistake;
pub(crate) use mistake::visible;

/// Mistakes shown of one report; the rest is counted. A generated file can hold a hundred thousand of them.
const SHOWN_MISTAKES: usize = 100;

/// Everything that is wrong with an application, in the order of its files.
///
/// Shown through `Display` without colours; see [`Report::render`].
#[derive(Debug, Default)]
pub struct Report {
    mistakes: Vec<Mistake>,
}

impl Report {
    pub(crate) fn push(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    pub(crate) fn extend(&mut self, mistakes: impl IntoIterator<Item = Mistake>) {
        self.mistakes.extend(mistakes);
    }

    pub(crate) fn sort(&mut self) {
        self.mistakes.sort_by(|a, b| a.order().cmp(&b.order()));
    }

    /// One mistake more, from who knows more than the files say.
    pub fn add(&mut self, mistake: Mistake) {
        self.push(mistake);
        self.sort();
    }

    /// The mistakes of another report, too.
    pub fn join(&mut self, other: Self) {
        self.extend(other.mistakes);
        self.sort();
    }

    /// True when nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.mistakes.is_empty()
    }

    /// True when nothing keeps the application from running: there may be warnings.
    pub fn is_clean(&self) -> bool {
        self.mistakes.iter().all(Mistake::is_warning)
    }

    /// The mistakes, in order of file and place.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// How many of them are warnings.
    pub fn warning_count(&self) -> usize {
        self.mistakes.iter().filter(|mistake| mistake.is_warning()).count()
    }

    /// The report as text: each mistake with its place, its line and a hint, then how many there are.
    ///
    /// `styled` adds terminal colours. Text from the application's files is shown with control characters made
    /// visible, so that it can't drive the terminal.
    /// Nothing when nothing is wrong. At the limit: 100 mistakes are shown and the others are counted.
    pub fn render(&self, styled: bool) -> String {
        if self.is_empty() {
            return String::new();
        }
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        let mut text = String::new();
        for mistake in self.mistakes.iter().take(SHOWN_MISTAKES) {
            text.push_str(&mistake.render(&renderer));
            text.push_str("\n\n");
        }
        let hidden = self.mistakes.len().saturating_sub(SHOWN_MISTAKES);
        let tail = if hidden == 0 { String::new() } else { format!(", {hidden} of them not shown") };
        let warnings = counted(self.warning_count(), "warning");
        let (level, counts) = match self.mistakes.len().saturating_sub(self.warning_count()) {
            0 => (Level::WARNING, warnings),
            errors if self.warning_count() == 0 => (Level::ERROR, counted(errors, "mistake")),
            errors => (Level::ERROR, format!("{} and {warnings}", counted(errors, "mistake"))),
        };
        text.push_str(&renderer.render(&[Group::with_title(level.primary_title(format!("{counts}{tail}")))]));
        text.push('\n');
        text
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Report {}
