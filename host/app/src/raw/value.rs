//! Values of the author's choice, for those who get them: scripts and policies.
//!
//! Owns the translation. Nothing is checked: what YAML can say, both can hold.

use lunarium_engine::Value;
use lunarium_kernel::Attribute;

use crate::source::{Node, Shape};

/// A value as Lua sees it.
pub(super) fn value(node: &Node) -> Value {
    match &node.shape {
        Shape::Null => Value::Nil,
        Shape::Boolean(value) => Value::Boolean(*value),
        Shape::Integer(value) => Value::Integer(*value),
        Shape::Float(value) => Value::Float(*value),
        Shape::Text(text) => Value::from(text.as_str()),
        Shape::List(items) => Value::Array(items.iter().map(value).collect()),
        Shape::Table(pairs) => {
            Value::Map(pairs.iter().map(|(key, item)| (Value::from(key.name.as_str()), value(item))).collect())
        }
    }
}

/// A value as a policy sees it.
pub(super) fn attribute(node: &Node) -> Attribute {
    match &node.shape {
        Shape::Null => Attribute::Nil,
        Shape::Boolean(value) => Attribute::Boolean(*value),
        Shape::Integer(value) => Attribute::Integer(*value),
        Shape::Float(value) => Attribute::Float(*value),
        Shape::Text(text) => Attribute::from(text.as_str()),
        Shape::List(items) => Attribute::List(items.iter().map(attribute).collect()),
        Shape::Table(pairs) => {
            Attribute::Map(pairs.iter().map(|(key, item)| (key.name.clone().into_bytes(), attribute(item))).collect())
        }
    }
}
