//! What is wrong with an application: every mistake at once, each with its place and a hint.
//!
//! Owns the mistakes, their order and how they are shown. Refuses to decide what is a mistake, and to write anywhere:
//! a report becomes text, and whoever has a terminal prints it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str};

use crate::lines::Lines;

/// Mistakes shown of one report; the rest is counted. A generated file can hold a hundred thousand of them.
const SHOWN_MISTAKES: usize = 100;

/// A text file of an application, as it was read.
pub struct SourceFile {
    /// Where it is, as people see it: the path the user gave, joined with the path inside the application.
    pub shown: String,
    /// Its text.
    pub text: Arc<str>,
    pub(crate) lines: Lines,
}

impl SourceFile {
    pub(crate) fn new(shown: String, text: Arc<str>) -> Self {
        Self { shown, text, lines: Lines::default() }
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SourceFile").field(&self.shown).finish()
    }
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

    /// The file as people see it, and the line the place begins in.
    pub(crate) fn position(&self) -> (&str, usize) {
        (&self.file.shown, self.excerpt().1)
    }

    /// The line the place begins in, its number, and the part of the place inside of it.
    ///
    /// Only this line is rendered: with the whole file, a thousand mistakes in a large file would cost minutes.
    fn excerpt(&self) -> (&str, usize, Range<usize>) {
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

/// One thing that is wrong, or (a warning) that hardly can be meant.
#[derive(Debug)]
pub struct Mistake {
    is_warning: bool,
    message: String,
    place: Option<Place>,
    related: Option<(Place, &'static str)>,
    pub(crate) note: Option<String>,
    pub(crate) hint: Option<String>,
}

impl Mistake {
    /// A mistake that has no place in a file, such as an absent file.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { is_warning: false, message: message.into(), place: None, related: None, note: None, hint: None }
    }

    /// Something that runs, and hardly as it was meant.
    pub(crate) fn warning(message: impl Into<String>) -> Self {
        Self { is_warning: true, ..Self::new(message) }
    }

    pub(crate) fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Another place that belongs to it, with what is there.
    pub(crate) fn related(mut self, place: Place, label: &'static str) -> Self {
        self.related = Some((place, label));
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What is wrong, without its place: a lower-case fragment.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Nothing but its message.
    pub(crate) fn is_bare(&self) -> bool {
        self.place.is_none() && self.related.is_none() && self.note.is_none() && self.hint.is_none()
    }

    fn order(&self) -> (&str, usize) {
        self.place.as_ref().map_or(("", 0), |place| (place.file.shown.as_str(), place.span.start))
    }

    pub(crate) fn render(&self, renderer: &Renderer) -> String {
        let level = if self.is_warning { Level::WARNING } else { Level::ERROR };
        let mut group = Group::with_title(level.primary_title(visible(&self.message)));
        if let Some(place) = &self.place {
            group = group.element(snippet(place, AnnotationKind::Primary, None));
        }
        if let Some((place, label)) = &self.related {
            group = group.element(snippet(place, AnnotationKind::Context, Some(label)));
        }
        if let Some(note) = &self.note {
            group = group.element(Level::NOTE.message(normalize_untrusted_str(&visible(note))));
        }
        if let Some(hint) = &self.hint {
            // Unlike a title, a message is written as it is.
            group = group.element(Level::HELP.message(normalize_untrusted_str(&visible(hint))));
        }
        renderer.render(&[group])
    }
}

fn snippet<'a>(
    place: &'a Place,
    kind: AnnotationKind,
    label: Option<&'a str>,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let (line, number, span) = place.excerpt();
    Snippet::source(visible(line))
        .line_start(number)
        .path(normalize_untrusted_str(&visible(&place.file.shown)))
        .annotation(kind.span(span).label(label))
}

/// Text without C1 control characters: some terminals obey them like escapes, and the renderer only replaces the
/// others. The stand-in has as many bytes, so that places stay where they are.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let is_c1 = |c: char| ('\u{80}'..='\u{9f}').contains(&c);
    if text.contains(is_c1) { Cow::Owned(text.replace(is_c1, "\u{b7}")) } else { Cow::Borrowed(text) }
}

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

    pub(crate) fn sort(&mut self) {
        self.mistakes.sort_by(|a, b| a.order().cmp(&b.order()));
    }

    /// True when nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.mistakes.is_empty()
    }

    /// The mistakes, in order of file and place.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// How many of them are warnings.
    pub fn warning_count(&self) -> usize {
        self.mistakes.iter().filter(|mistake| mistake.is_warning).count()
    }

    /// The report as text: each mistake with its place, its line and a hint, then how many there are.
    ///
    /// `styled` adds terminal colours. Text from the application's files is shown with control characters made
    /// visible, so that it can't drive the terminal.
    /// At the limit: 100 mistakes are shown and the others are counted.
    pub fn render(&self, styled: bool) -> String {
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

/// One file's view of the report: mistakes are given by a range of bytes of this file.
pub(crate) struct Findings<'a> {
    pub(crate) file: &'a Arc<SourceFile>,
    pub(crate) report: &'a mut Report,
}

impl Findings<'_> {
    pub(crate) fn mistake(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.report.push(Mistake::new(message).at(Place::new(self.file, span.clone())));
    }

    pub(crate) fn hinted(&mut self, span: &Range<usize>, message: impl Into<String>, hint: Option<String>) {
        let mut mistake = Mistake::new(message).at(Place::new(self.file, span.clone()));
        mistake.hint = hint;
        self.report.push(mistake);
    }
}
