//! One mistake: what is wrong, where, and what would be right.
//!
//! Owns its parts and how it is shown. Refuses to decide what is a mistake.

use std::borrow::Cow;

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
    Snippet::source(visible(line))
        .line_start(number)
        .path(normalize_untrusted_str(&visible(place.shown())))
        .annotation(kind.span(span).label(label))
}

/// Text without what can't be seen: C1 control characters, which some terminals obey like escapes, and what hides,
/// turns or breaks text. The renderer replaces ASCII's. A stand-in has as many bytes, so that places stay where they are.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for (character, stands) in visibility(text) {
        match character.len_utf8() {
            _ if stands => shown.push(character),
            1 => shown.push(character),
            2 => shown.push('\u{b7}'),
            3 => shown.push('\u{fffd}'),
            _ => shown.push_str("\u{fffd} "),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn stand_ins_keep_every_place_where_it_is() {
        let text = "a\u{9b}b\u{ad}c\u{202e}d\u{2028}e\u{e0041}f\x1bé";
        assert_eq!(visible(text), "a·b·c\u{fffd}d\u{fffd}e\u{fffd} f\x1bé");
        assert_eq!(visible(text).len(), text.len());
    }
}
