//! Reading one table: which keys it may have, and what stands behind them.
//!
//! Owns the complaints about keys: unknown, missing, of the wrong shape. A key is known because it was asked for, so
//! the list of known keys can't drift from what is read.

use std::ops::Range;
use std::time::Duration;

use crate::quantity::parse_duration;
use crate::report::Findings;
use crate::suggest;
use crate::yaml::{At, Node, Shape};

/// A table that is being read. Every path ends with [`Fields::finish`].
pub(crate) struct Fields<'n> {
    what: String,
    span: Range<usize>,
    pairs: &'n [(At<String>, Node)],
    asked: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// Opens a table; anything else is a mistake. `what` names it in messages.
    pub(crate) fn open(node: &'n Node, what: impl Into<String>, findings: &mut Findings<'_>) -> Option<Self> {
        let what = what.into();
        match &node.shape {
            Shape::Table(pairs) => Some(Self { what, span: node.span.clone(), pairs, asked: Vec::new() }),
            shape => {
                findings.mistake(&node.span, format!("{what} must be a table, not {}", shape.noun()));
                None
            }
        }
    }

    /// Names the table more exactly than was known when it was opened.
    pub(crate) fn rename(&mut self, what: String) {
        self.what = what;
    }

    /// Points the complaints about the table as a whole at this place, when it has a better one than its own.
    pub(crate) fn shown_at(&mut self, span: &Range<usize>) {
        self.span = span.clone();
    }

    /// The value of a key that may be there. A key without a value counts as absent.
    pub(crate) fn optional(&mut self, key: &'static str) -> Option<&'n Node> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        let (_, node) = self.pairs.iter().find(|(name, _)| name.value == key)?;
        (!matches!(node.shape, Shape::Null)).then_some(node)
    }

    /// The value of a key that must be there.
    pub(crate) fn required(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<&'n Node> {
        let found = self.optional(key);
        if found.is_none() {
            let place = self.pairs.iter().find(|(name, _)| name.value == key);
            let span = place.map_or(&self.span, |(name, _)| &name.span);
            findings.mistake(span, format!("{} lacks `{key}`", self.what));
        }
        found
    }

    pub(crate) fn text(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<At<String>> {
        let node = self.optional(key)?;
        text(node, &format!("`{key}`"), findings)
    }

    pub(crate) fn required_text(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<At<String>> {
        let node = self.required(key, findings)?;
        text(node, &format!("`{key}`"), findings)
    }

    pub(crate) fn boolean(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<bool> {
        let node = self.optional(key)?;
        match node.shape {
            Shape::Boolean(value) => Some(value),
            _ => {
                findings.mistake(&node.span, format!("`{key}` must be `true` or `false`, not {}", node.shape.noun()));
                None
            }
        }
    }

    /// An integer of at least `least`.
    pub(crate) fn count(&mut self, key: &'static str, least: u32, findings: &mut Findings<'_>) -> Option<u32> {
        let node = self.optional(key)?;
        let count = match node.shape {
            Shape::Integer(value) => u32::try_from(value).ok().filter(|value| *value >= least),
            _ => None,
        };
        if count.is_none() {
            findings.mistake(
                &node.span,
                format!("`{key}` must be an integer from {least} to {}, not {}", u32::MAX, shown(&node.shape)),
            );
        }
        count
    }

    /// A number from `least` to `most`.
    pub(crate) fn number(
        &mut self,
        key: &'static str,
        range: std::ops::RangeInclusive<f64>,
        findings: &mut Findings<'_>,
    ) -> Option<f64> {
        let node = self.optional(key)?;
        let number = match node.shape {
            // Whole numbers in such fields are tiny.
            Shape::Integer(value) => i32::try_from(value).ok().map(f64::from),
            Shape::Float(value) => Some(value),
            _ => None,
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = (range.start(), range.end());
            findings.mistake(
                &node.span,
                format!("`{key}` must be a number from {least} to {most}, not {}", shown(&node.shape)),
            );
        }
        number
    }

    pub(crate) fn duration(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<Duration> {
        let node = self.optional(key)?;
        let parsed = match &node.shape {
            Shape::Text(text) => parse_duration(text).map_err(|error| error.to_string()),
            Shape::Integer(0) => Ok(Duration::ZERO),
            shape => Err(format!("`{key}` must be a duration, not {}", shown(shape))),
        };
        parsed.map_err(|message| findings.hinted(&node.span, message, Some(DURATION_FORM.to_owned()))).ok()
    }

    /// Reports the keys that nobody asked for.
    pub(crate) fn finish(self, findings: &mut Findings<'_>) {
        for (name, _) in self.pairs {
            let key = name.value.as_str();
            if !self.asked.contains(&key) {
                let message = format!("unknown key `{key}` in {}", self.what);
                findings.hinted(&name.span, message, suggest::hint(key, &self.asked));
            }
        }
    }
}

/// What a duration looks like, for hints.
pub(crate) const DURATION_FORM: &str = "write it like `250ms`, `10s` or `1h30m`";

/// A value as a message shows it: short things themselves, others by their kind.
pub(crate) fn shown(shape: &Shape) -> String {
    match shape {
        Shape::Boolean(value) => format!("`{value}`"),
        Shape::Integer(value) => format!("`{value}`"),
        // With its point: `1.0` isn't shown as `1`.
        Shape::Float(value) => format!("`{value:?}`"),
        Shape::Text(value) if value.len() <= 60 => format!("`{value}`"),
        _ => shape.noun().to_owned(),
    }
}

/// The text of a node; anything else is a mistake.
pub(crate) fn text(node: &Node, what: &str, findings: &mut Findings<'_>) -> Option<At<String>> {
    match &node.shape {
        Shape::Text(value) => Some(At { value: value.clone(), span: node.span.clone() }),
        shape => {
            let quotes = matches!(shape, Shape::Boolean(_) | Shape::Integer(_) | Shape::Float(_));
            let hint = quotes.then(|| "put it into quotes".to_owned());
            findings.hinted(&node.span, format!("{what} must be text, not {}", shown(shape)), hint);
            None
        }
    }
}

/// The items of a list; anything else is a mistake.
pub(crate) fn list<'n>(node: &'n Node, what: &str, findings: &mut Findings<'_>) -> &'n [Node] {
    match &node.shape {
        Shape::List(items) => items,
        shape => {
            findings.mistake(&node.span, format!("{what} must be a list, not {}", shape.noun()));
            &[]
        }
    }
}

/// The pairs of a table with keys of the author's choice; anything else is a mistake.
pub(crate) fn table<'n>(node: &'n Node, what: &str, findings: &mut Findings<'_>) -> &'n [(At<String>, Node)] {
    match &node.shape {
        Shape::Table(pairs) => pairs,
        shape => {
            findings.mistake(&node.span, format!("{what} must be a table, not {}", shape.noun()));
            &[]
        }
    }
}
