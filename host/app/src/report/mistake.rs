//! One mistake: what is wrong, where, and what would be right.
//!
//! Owns its parts and how it is shown. Refuses to decide what is a mistake.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str};

use lunarium_engine::visibility;

use crate::source::Place;

/// One thing that is wrong, or (a warning) that hardly can be meant.
#[derive(Debug)]
pub struct Mistake {
    is_warning: bool,
    message: String,
    place: Option<Place>,
    /// Rare, so it takes no room in the others.
    related: Option<Box<(Place, &'static str)>>,
    note: Option<String>,
    hint: Option<String>,
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

    pub(crate) fn at(self, place: &Place) -> Self {
        Self { place: Some(place.clone()), ..self }
    }

    /// Another place that belongs to it, with what is there.
    pub(crate) fn related(self, place: &Place, label: &'static str) -> Self {
        Self { related: Some(Box::new((place.clone(), label))), ..self }
    }

    /// What would be right, where that is known.
    pub(crate) fn hint(self, hint: Option<String>) -> Self {
        Self { hint, ..self }
    }

    /// What else there is to know.
    pub(crate) fn note(self, note: Option<String>) -> Self {
        Self { note, ..self }
    }

    /// What is wrong, without its place: a lower-case fragment.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Nothing but its message.
    pub(crate) fn is_bare(&self) -> bool {
        self.place.is_none() && self.related.is_none() && self.note.is_none() && self.hint.is_none()
    }

    /// What mistakes are sorted by: what has no place comes first.
    pub(super) fn order(&self) -> (&str, usize) {
        self.place.as_ref().map_or(("", 0), Place::order)
    }

    pub(super) fn is_warning(&self) -> bool {
        self.is_warning
    }

    pub(crate) fn render(&self, renderer: &Renderer) -> String {
        let level = if self.is_warning { Level::WARNING } else { Level::ERROR };
        let mut group = Group::with_title(level.primary_title(visible(&self.message)));
        if let Some(place) = &self.place {
            group = group.element(snippet(place, AnnotationKind::Primary, None));
        }
        if let Some((place, label)) = self.related.as_deref() {
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
    let (line, span) = visible_with(line, span);
    Snippet::source(line)
        .line_start(number)
        .path(normalize_untrusted_str(&visible(place.shown())))
        .annotation(kind.span(span).label(label))
}

/// Text in which what can't be seen is spelled out: C1 control characters, which some terminals obey like escapes, and what
/// hides, turns or breaks text. ASCII's control characters the renderer replaces.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(visible_with(text, 0..0).0.into_owned()) }
}

/// The same, and where a part of it stands then.
fn visible_with(text: &str, part: Range<usize>) -> (Cow<'_, str>, Range<usize>) {
    if text.is_ascii() {
        return (Cow::Borrowed(text), part);
    }
    let mut shown = String::with_capacity(text.len());
    let (mut start, mut end, mut at) = (None, None, 0_usize);
    for (character, stands) in visibility(text) {
        if at >= part.start {
            start = start.or(Some(shown.len()));
        }
        if at >= part.end {
            end = end.or(Some(shown.len()));
        }
        at = at.saturating_add(character.len_utf8());
        // Writing to a String can't fail.
        let _ = match u32::from(character) {
            code if stands || code < 0x20 => write!(shown, "{character}"),
            code if character.is_control() => write!(shown, "\\x{code:02x}"),
            code => write!(shown, "\\u{{{code:x}}}"),
        };
    }
    let (start, end) = (start.unwrap_or(shown.len()), end.unwrap_or(shown.len()));
    (Cow::Owned(shown), start..end)
}

#[cfg(test)]
mod tests {
    use super::{visible, visible_with};

    #[test]
    fn what_cannot_be_seen_is_spelled_out_and_places_move_with_it() {
        let text = "a\u{9b}b\u{ad}c\u{202e}d\u{2028}e\u{e0041}f\x1bé";
        assert_eq!(visible(text), r"a\x9bb\u{ad}c\u{202e}d\u{2028}e\u{e0041}f".to_owned() + "\x1bé");
        let part = |from: &str, to: &str| {
            let part = text.find(from).unwrap_or_default()..text.find(to).unwrap_or(text.len());
            let (shown, part) = visible_with(text, part);
            shown.get(part).unwrap_or_default().to_owned()
        };
        assert_eq!(part("b", "d"), r"b\u{ad}c\u{202e}");
        assert_eq!(part("f", "nowhere"), "f\x1bé");
        assert_eq!(part("nowhere", "b"), r"a\x9b");
    }
}
