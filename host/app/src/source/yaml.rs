//! YAML text as a tree in which every value knows its place.
//!
//! Owns the bounds of what is parsed (aliases, nesting, size) and the translation of the parser's complaints. Knows
//! no key: what may stand where is for the readers above. A tree instead of serde's derived structs, because those
//! stop at the first unknown key, and every mistake is to be reported at once.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Error, Location, MessageFormatter, Options, Spanned, UserMessageFormatter};

/// Nesting of one file. Definitions need six levels, and `input:` and `meta:` hold what their author likes; the tree is
/// walked recursively, so it must stay far below the stack.
const MAX_DEPTH: usize = 32;
/// Values of one file, aliases expanded: 1 MiB of text can't hold many more.
const MAX_NODES: usize = 250_000;
/// Events replayed from aliases: enough for a file that repeats itself, nothing for a bomb.
const MAX_REPLAYED: usize = 20_000;

/// A value with its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) shape: Shape,
    /// Bytes of the file.
    pub(crate) span: Range<usize>,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Table(Vec<(Key, Node)>),
}

/// A key of a table, with its place.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) name: String,
    /// Bytes of the file.
    pub(crate) span: Range<usize>,
}

impl Shape {
    /// What a person calls it, with its article.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// Why a text is no YAML, and where.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub(crate) message: String,
    pub(crate) span: Range<usize>,
}

/// Parses one document.
///
/// Errors: the first thing that isn't YAML, a key given twice, and documents whose nesting or aliases pass the bounds.
pub(crate) fn parse(text: &str) -> Result<Node, SyntaxError> {
    serde_saphyr::from_str_with_options::<Node>(text, options()).map_err(|error| syntax_error(&error, text))
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_documents: 1,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPLAYED },
        // `on`, `yes` and `no` are text, as in YAML 1.2.
        strict_booleans: true,
        with_snippet: false,
    }
}

fn syntax_error(error: &Error, text: &str) -> SyntaxError {
    let location = error.location().unwrap_or(Location::UNKNOWN);
    let message = own_words(error.without_snippet())
        .unwrap_or_else(|| UserMessageFormatter.format_message(error.without_snippet()).into_owned());
    let span = byte_span(&location).unwrap_or_else(|| position(text, &location));
    SyntaxError { message, span }
}

/// The commonest complaints in words that say what to do.
fn own_words(error: &Error) -> Option<String> {
    match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => Some(format!("key `{key}` is given twice")),
        Error::MergeKeyNotAllowed { .. } => Some("merge keys (`<<`) are not allowed".to_owned()),
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
            Some(format!("values are nested deeper than {MAX_DEPTH} levels"))
        }
        Error::Budget { breach: BudgetBreach::Documents { .. }, .. } => {
            Some("a file holds one document: `---` begins another".to_owned())
        }
        Error::Budget { breach: BudgetBreach::Nodes { .. }, .. } => {
            Some(format!("the file holds more than {MAX_NODES} values"))
        }
        _ => None,
    }
}

fn byte_span(location: &Location) -> Option<Range<usize>> {
    let span = location.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let length = usize::try_from(span.byte_len()?).ok()?;
    Some(start..start.saturating_add(length))
}

/// The byte at a line and column, for errors that carry no offset.
fn position(text: &str, location: &Location) -> Range<usize> {
    let skipped = usize::try_from(location.line().saturating_sub(1)).unwrap_or(usize::MAX);
    let column = usize::try_from(location.column().saturating_sub(1)).unwrap_or(usize::MAX);
    let start: usize = text.split_inclusive('\n').take(skipped).map(str::len).sum();
    let line = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
    let offset: usize = line.chars().take(column).map(char::len_utf8).sum();
    let at = start.saturating_add(offset);
    at..at
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Shape>::deserialize(deserializer)?;
        Ok(Self { span: byte_span(&spanned.referenced).unwrap_or(0..0), shape: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_none<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Shape, E> {
        Ok(Shape::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Shape, E> {
        Ok(Shape::Integer(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Shape, E> {
        i64::try_from(value).map(Shape::Integer).map_err(|_| E::custom(format!("integer {value} is too large")))
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Shape, E> {
        i64::try_from(value).map(Shape::Integer).map_err(|_| E::custom(format!("integer {value} is too large")))
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Shape, E> {
        i64::try_from(value).map(Shape::Integer).map_err(|_| E::custom(format!("integer {value} is too large")))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Shape, E> {
        Ok(Shape::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Shape, E> {
        Ok(Shape::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Shape, E> {
        Ok(Shape::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Shape, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element::<Node>()? {
            items.push(item);
        }
        Ok(Shape::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Shape, A::Error> {
        let mut fields = Vec::new();
        while let Some(key) = access.next_key::<Spanned<String>>()? {
            let span = byte_span(&key.referenced).unwrap_or(0..0);
            fields.push((Key { name: key.value, span }, access.next_value::<Node>()?));
        }
        Ok(Shape::Table(fields))
    }
}
