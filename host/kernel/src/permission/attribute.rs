//! What policies look at: values of an actor's meta and of a request. Owns how two of them compare. Does not say where
//! they come from, nor how they travel.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A value in an actor's meta, in the attributes of a request, or in a condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// As good as absent.
    Nil,
    /// A boolean.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Bytes, mostly UTF-8.
    Text(Vec<u8>),
    /// Values in order.
    List(Vec<Attribute>),
    /// Values by key.
    Map(BTreeMap<Vec<u8>, Attribute>),
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.as_bytes().to_vec())
    }
}

/// A value that is looked at where it lies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum View<'a> {
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(&'a [u8]),
    List(&'a [Attribute]),
    Map(&'a BTreeMap<Vec<u8>, Attribute>),
}

/// Bytes of a value on the host, beside its text's or its items'.
const VALUE_BYTES: u64 = 64;

/// Bytes of a map that has something in it, beside keys and values: a node of Rust's B-tree.
const MAP_BYTES: u64 = 640;

impl Attribute {
    /// About how many bytes it takes on the host.
    pub(crate) fn bytes(&self) -> u64 {
        let length = |text: &[u8]| u64::try_from(text.len()).unwrap_or(u64::MAX);
        let inside = match self {
            Self::Nil | Self::Boolean(_) | Self::Integer(_) | Self::Float(_) => 0,
            Self::Text(text) => length(text),
            Self::List(items) => items.iter().map(Self::bytes).fold(0, u64::saturating_add),
            Self::Map(pairs) => {
                let of_pair = |(key, value): (&Vec<u8>, &Self)| length(key).saturating_add(value.bytes());
                pairs.iter().map(of_pair).fold(MAP_BYTES, u64::saturating_add)
            }
        };
        inside.saturating_add(VALUE_BYTES)
    }

    /// The value, or none for nil.
    pub(crate) fn view(&self) -> Option<View<'_>> {
        Some(match self {
            Self::Nil => return None,
            Self::Boolean(value) => View::Boolean(*value),
            Self::Integer(value) => View::Integer(*value),
            Self::Float(value) => View::Float(*value),
            Self::Text(text) => View::Text(text),
            Self::List(items) => View::List(items),
            Self::Map(pairs) => View::Map(pairs),
        })
    }

    /// The value at a path of keys, each leading into a map.
    pub(crate) fn at<'k>(&self, path: impl IntoIterator<Item = &'k str>) -> Option<View<'_>> {
        let mut value = self;
        for key in path {
            let Self::Map(pairs) = value else { return None };
            value = pairs.get(key.as_bytes())?;
        }
        value.view()
    }
}

impl View<'_> {
    /// Whether both are the same: numbers by what they are worth, texts byte by byte, lists item by item, maps key by
    /// key. Values of unlike types are never the same.
    pub(crate) fn equals(self, other: View<'_>) -> bool {
        match (self, other) {
            (View::Boolean(a), View::Boolean(b)) => a == b,
            (View::Text(a), View::Text(b)) => a == b,
            (View::List(a), View::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(Some(a), Some(b)))
            }
            (View::Map(a), View::Map(b)) => {
                let within = |a: &BTreeMap<Vec<u8>, Attribute>, b: &BTreeMap<Vec<u8>, Attribute>| {
                    a.iter().all(|(key, value)| same(Some(value), b.get(key)))
                };
                within(a, b) && within(b, a)
            }
            (a, b) => a.numeric_order(b) == Some(Ordering::Equal),
        }
    }

    /// Which is smaller: of two numbers by what they are worth, of two texts byte by byte; none for anything else.
    pub(crate) fn order(self, other: View<'_>) -> Option<Ordering> {
        match (self, other) {
            (View::Text(a), View::Text(b)) => Some(a.cmp(b)),
            (a, b) => a.numeric_order(b),
        }
    }

    fn numeric_order(self, other: View<'_>) -> Option<Ordering> {
        match (self, other) {
            (View::Integer(a), View::Integer(b)) => Some(a.cmp(&b)),
            (View::Float(a), View::Float(b)) => a.partial_cmp(&b),
            (View::Integer(a), View::Float(b)) => integer_to_float(a, b),
            (View::Float(a), View::Integer(b)) => integer_to_float(b, a).map(Ordering::reverse),
            _ => None,
        }
    }
}

/// Nil and absent are the same.
fn same(a: Option<&Attribute>, b: Option<&Attribute>) -> bool {
    match (a.and_then(Attribute::view), b.and_then(Attribute::view)) {
        (Some(a), Some(b)) => a.equals(b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// Exact, where a conversion of either would round. None for NaN.
fn integer_to_float(integer: i64, float: f64) -> Option<Ordering> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        None
    } else if float >= BEYOND {
        Some(Ordering::Less)
    } else if float < -BEYOND {
        Some(Ordering::Greater)
    } else {
        // In range: what is cut off decides between equals only.
        #[allow(clippy::cast_possible_truncation, reason = "a whole number within i64")]
        let whole = float.trunc() as i64;
        let rest = 0.0_f64.partial_cmp(&float.fract())?;
        Some(integer.cmp(&whole).then(rest))
    }
}
