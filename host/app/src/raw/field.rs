//! A value of a file with where it stands, and the complaints about it.
//!
//! Owns the way of a mistake into the report: whoever holds a field can complain at its place, and reads on. Knows no key.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::notation::full_id;
use crate::report::Mistake;
use crate::source::{At, Key, Node, Place, Shape, SourceFile};

/// The file that is being read, and what is wrong with it so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'n> {
    pub(super) file: &'n Arc<SourceFile>,
    /// Of the ids that are written without one.
    pub(super) namespace: &'n str,
    pub(super) mistakes: &'n RefCell<Vec<Mistake>>,
    /// The file has what only Wippy's files have.
    pub(super) foreign: &'n Cell<bool>,
}

impl Page<'_> {
    pub(super) fn place(self, span: &Range<usize>) -> Place {
        Place::new(self.file, span.clone())
    }

    pub(super) fn push(self, mistake: Mistake) {
        self.mistakes.borrow_mut().push(mistake);
    }

    pub(super) fn key(self, key: &Key) -> At<String> {
        At { value: key.name.clone(), place: self.place(&key.span) }
    }
}

/// What messages call a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Name {
    /// After its key.
    Key(&'static str),
    /// By a noun with its article.
    Noun(&'static str),
    /// As an item of a key's list.
    ItemOf(&'static str),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "`{key}`"),
            Self::Noun(noun) => f.write_str(noun),
            Self::ItemOf(key) => write!(f, "an item of `{key}`"),
        }
    }
}

/// A value that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'n> {
    pub(super) node: &'n Node,
    pub(super) name: Name,
    pub(super) page: Page<'n>,
}

impl<'n> Field<'n> {
    pub(super) fn place(self) -> Place {
        self.page.place(&self.node.span)
    }

    pub(super) fn mistake(self, message: impl Into<String>) {
        self.hinted(message, None);
    }

    pub(super) fn hinted(self, message: impl Into<String>, hint: Option<String>) {
        self.page.push(Mistake::new(message).at(&self.place()).hint(hint));
    }

    /// Its text; anything else is a mistake.
    pub(super) fn text(self) -> Option<At<String>> {
        match &self.node.shape {
            Shape::Text(value) => Some(At { value: value.clone(), place: self.place() }),
            shape => {
                let quotes = matches!(shape, Shape::Boolean(_) | Shape::Integer(_) | Shape::Float(_));
                let hint = quotes.then(|| "put it into quotes".to_owned());
                self.hinted(format!("{} must be text, not {}", self.name, shown(shape)), hint);
                None
            }
        }
    }

    /// Its text, or an integer as text; anything else is a mistake.
    pub(super) fn text_or_integer(self) -> Option<At<String>> {
        match &self.node.shape {
            Shape::Integer(value) => Some(At { value: value.to_string(), place: self.place() }),
            _ => self.text(),
        }
    }

    /// Its text as an entry's full id: a bare name means this file's namespace.
    pub(super) fn id(self) -> Option<At<String>> {
        let At { value, place } = self.text()?;
        Some(At { value: full_id(self.page.namespace, &value), place })
    }

    /// The items of a list, each called `name`; anything else is a mistake.
    pub(super) fn items(self, name: Name) -> impl Iterator<Item = Field<'n>> {
        let items: &'n [Node] = match &self.node.shape {
            Shape::List(items) => items,
            shape => {
                self.mistake(format!("{} must be a list, not {}", self.name, shape.noun()));
                &[]
            }
        };
        items.iter().map(move |node| Field { node, name, ..self })
    }

    /// The full ids of a list, each called `name`.
    pub(super) fn ids(self, name: Name) -> Vec<At<String>> {
        self.items(name).filter_map(Field::id).collect()
    }

    /// The pairs of a table; anything else is a mistake.
    pub(super) fn table(self) -> Option<&'n [(Key, Node)]> {
        match &self.node.shape {
            Shape::Table(pairs) => Some(pairs),
            shape => {
                self.mistake(format!("{} must be a table, not {}", self.name, shape.noun()));
                None
            }
        }
    }

    /// The pairs of a table with keys of the author's choice, each value called `name`; anything else is a mistake.
    pub(super) fn pairs(self, name: Name) -> impl Iterator<Item = (At<String>, Field<'n>)> {
        let pairs = self.table().unwrap_or_default();
        pairs.iter().map(move |(key, node)| (self.page.key(key), Field { node, name, ..self }))
    }
}

/// A value as a message shows it: short things themselves, others by their kind.
pub(super) fn shown(shape: &Shape) -> String {
    match shape {
        Shape::Boolean(value) => format!("`{value}`"),
        Shape::Integer(value) => format!("`{value}`"),
        // With its point: `1.0` isn't shown as `1`.
        Shape::Float(value) => format!("`{value:?}`"),
        Shape::Text(value) if value.len() <= 60 => format!("`{value}`"),
        _ => shape.noun().to_owned(),
    }
}
