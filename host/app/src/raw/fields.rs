//! Reading one table: which keys it may have, and what stands behind them.
//!
//! Owns the complaints about keys: unknown, missing, of the wrong shape. A key is known because it was asked for, so
//! the list of known keys can't drift from what is read.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::field::{Field, Name, Page, shown};
use crate::notation::{DURATION_FORM, SIZE_FORM, cores_range, hint, parse_budget, parse_duration};
use crate::report::Mistake;
use crate::source::{At, Key, Node, Place, Shape};

/// A table that is being read. Every path ends with [`Fields::finish`].
pub(super) struct Fields<'n> {
    what: String,
    place: Place,
    page: Page<'n>,
    pairs: &'n [(Key, Node)],
    asked: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// Opens a table; anything else is a mistake.
    pub(super) fn open(field: Field<'n>) -> Option<Self> {
        let pairs = field.table()?;
        let (what, place) = (field.name.to_string(), field.place());
        Some(Self { what, place, page: field.page, pairs, asked: Vec::new() })
    }

    /// Names the table more exactly than was known when it was opened.
    pub(super) fn rename(&mut self, what: String) {
        self.what = what;
    }

    /// Points the complaints about the table as a whole at this place, when it has a better one than its own.
    pub(super) fn shown_at(&mut self, place: Place) {
        self.place = place;
    }

    /// The value of a key that may be there. A key without a value counts as absent.
    pub(super) fn optional(&mut self, key: &'static str) -> Option<Field<'n>> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        let (_, node) = self.pairs.iter().find(|(written, _)| written.name == key)?;
        let is_there = !matches!(node.shape, Shape::Null);
        is_there.then_some(Field { node, name: Name::Key(key), page: self.page })
    }

    /// The value of a key that must be there.
    pub(super) fn required(&mut self, key: &'static str) -> Option<Field<'n>> {
        let found = self.optional(key);
        if found.is_none() {
            let written = self.pairs.iter().find(|(written, _)| written.name == key);
            let place = written.map_or_else(|| self.place.clone(), |(written, _)| self.page.place(&written.span));
            self.page.push(Mistake::new(format!("{} lacks `{key}`", self.what)).at(&place));
        }
        found
    }

    /// Reports that the table lacks one of several keys.
    pub(super) fn lacks(&self, what: &str, hint: Option<String>) {
        self.page.push(Mistake::new(format!("{} lacks {what}", self.what)).at(&self.place).hint(hint));
    }

    /// A table that may be there.
    pub(super) fn table(&mut self, key: &'static str) -> Option<Self> {
        self.optional(key).and_then(Fields::open)
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<At<String>> {
        self.optional(key)?.text()
    }

    pub(super) fn required_text(&mut self, key: &'static str) -> Option<At<String>> {
        self.required(key)?.text()
    }

    pub(super) fn required_id(&mut self, key: &'static str) -> Option<At<String>> {
        self.required(key)?.id()
    }

    pub(super) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let field = self.optional(key)?;
        match field.node.shape {
            Shape::Boolean(value) => Some(value),
            _ => {
                field.mistake(format!("`{key}` must be `true` or `false`, not {}", field.node.shape.noun()));
                None
            }
        }
    }

    /// An integer of this range.
    pub(super) fn count(&mut self, key: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        let field = self.optional(key)?;
        let count = match field.node.shape {
            Shape::Integer(value) => u32::try_from(value).ok().filter(|value| range.contains(value)),
            _ => None,
        };
        if count.is_none() {
            let (least, most, shown) = (range.start(), range.end(), shown(&field.node.shape));
            field.mistake(format!("`{key}` must be an integer from {least} to {most}, not {shown}"));
        }
        count
    }

    /// CPU time in a second, written as a number of cores.
    pub(super) fn cores(&mut self, key: &'static str) -> Option<Duration> {
        self.number(key, cores_range()).map(Duration::from_secs_f64)
    }

    /// The same with its place.
    pub(super) fn placed_count(&mut self, key: &'static str, range: RangeInclusive<u32>) -> Option<At<u32>> {
        let place = self.optional(key)?.place();
        self.count(key, range).map(|value| At { value, place })
    }

    /// A number of this range.
    pub(super) fn number(&mut self, key: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
        let field = self.optional(key)?;
        let number = match field.node.shape {
            // Whole numbers in such fields are tiny.
            Shape::Integer(value) => i32::try_from(value).ok().map(f64::from),
            Shape::Float(value) => Some(value),
            _ => None,
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most, shown) = (range.start(), range.end(), shown(&field.node.shape));
            field.mistake(format!("`{key}` must be a number from {least} to {most}, not {shown}"));
        }
        number
    }

    /// Bytes, more than 0.
    pub(super) fn size(&mut self, key: &'static str) -> Option<u64> {
        let field = self.optional(key)?;
        let parsed = match &field.node.shape {
            Shape::Text(text) => parse_budget(key, text),
            Shape::Integer(number) => parse_budget(key, &number.to_string()),
            shape => Err(format!("`{key}` must be a size, not {}", shown(shape))),
        };
        parsed.map_err(|message| field.hinted(message, Some(SIZE_FORM.to_owned()))).ok()
    }

    /// The same with its place.
    pub(super) fn placed_size(&mut self, key: &'static str) -> Option<At<u64>> {
        let place = self.optional(key)?.place();
        self.size(key).map(|value| At { value, place })
    }

    /// Accepts keys of Wippy's that mean nothing here, each with a warning that says why.
    pub(super) fn foreign(&mut self, keys: &[(&'static str, &str)]) {
        for (key, why) in keys {
            // Not among the keys that a hint lists: nobody has to know them.
            if self.pairs.iter().all(|(written, _)| written.name != *key) {
                continue;
            }
            let Some(field) = self.optional(key) else { continue };
            self.page.foreign.set(true);
            let message = format!("`{key}` means nothing here");
            self.page.push(Mistake::warning(message).at(&field.place()).hint(Some((*why).to_owned())));
        }
    }

    /// Notes that the file is one of Wippy's.
    pub(super) fn is_foreign(&self) {
        self.page.foreign.set(true);
    }

    /// Reports a mistake in the table.
    pub(super) fn push(&self, mistake: Mistake) {
        self.page.push(mistake);
    }

    pub(super) fn duration(&mut self, key: &'static str) -> Option<Duration> {
        let field = self.optional(key)?;
        let parsed = match &field.node.shape {
            Shape::Text(text) => parse_duration(text).map_err(|error| error.to_string()),
            Shape::Integer(0) => Ok(Duration::ZERO),
            shape => Err(format!("`{key}` must be a duration, not {}", shown(shape))),
        };
        parsed.map_err(|message| field.hinted(message, Some(DURATION_FORM.to_owned()))).ok()
    }

    /// The values of the keys that nobody asked for, for who knows more keys; those without a value, too.
    pub(super) fn others(&self) -> impl Iterator<Item = (At<String>, Field<'n>)> {
        let (page, asked) = (self.page, &self.asked);
        let others = self.pairs.iter().filter(move |(written, _)| !asked.contains(&written.name.as_str()));
        others.map(move |(key, node)| (page.key(key), Field { node, name: Name::Noun("settings"), page }))
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn finish(self) {
        for (written, _) in self.pairs {
            let key = written.name.as_str();
            if !self.asked.contains(&key) {
                let mistake = Mistake::new(format!("unknown key `{key}` in {}", self.what));
                self.page.push(mistake.at(&self.page.place(&written.span)).hint(hint(key, &self.asked)));
            }
        }
    }
}
